"""Pricing: what a visit costs, part by part, in fen."""

from dataclasses import dataclass

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Price:
    """A visit's price in fen, the commission in it, and its named parts, which sum to it."""

    total_fen: int
    commission_fen: int
    parts: dict[str, int]


def of_parts(parts: dict[str, int], commission_bp: int) -> Price:
    """The price that consists of these parts; the commission is rounded down to a fen."""
    total_fen = sum(parts.values())
    return Price(total_fen, total_fen * commission_bp // BASIS_POINTS, parts)


def base(unit_price_fen: int, units: int, commission_bp: int) -> Price:
    """A price without surcharges."""
    return of_parts({"base": unit_price_fen * units}, commission_bp)
