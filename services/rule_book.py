"""The rule book's parameters: of what kind each is, what it may be, and what it is unless set."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from data.caregivers import CaregiverLevel
from data.cities import City
from services import pricing
from services.catalogue import ItemView
from services.errors import Invalid
from services.pricing import Rules

Values = Mapping[str, Any]
MOST_STEPS = 3


class Section(StrEnum):
    """What belongs together, in the order in which it is read out."""

    PRICES = "prices"
    SURCHARGES = "surcharges"
    FEES = "fees"
    COMMISSION = "commission"
    PAY = "pay"
    BOOKING = "booking"
    WORK = "work"
    PRIVACY = "privacy"


class Kind(StrEnum):
    """A share is in basis points, money in fen, a minute that of a day.

    Steps are pairs of a bound and a share; by item means a share for each of some items; bounds
    are what each level may ask for an item, at the least and at the most.
    """

    SHARE = "share"
    NUMBER = "number"
    MONEY = "money"
    MINUTE = "minute"
    STEPS = "steps"
    BY_ITEM = "by_item"
    BOUNDS = "bounds"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Where it belongs and its kind; the fewest and most of its number, or of a step's bound."""

    section: Section
    kind: Kind
    fewest: int
    most: int
    usual: Any


_STEPS = "monthly_steps", "customer_fees", "caregiver_fees"
# Steps are pairs in a tariff, and lists where they are stored.
_USUAL = {
    name: [list(step) for step in value] if name in _STEPS else value
    for name, value in asdict(Rules()).items()
}
_MINUTES = 24 * 60 - 1
# Parameters that a city's own columns say too, for whoever asks what holds now.
_OF_CITY = {
    "commission_bp": (Section.COMMISSION, Kind.SHARE, 0, 5000),
    "release_days": (Section.PAY, Kind.NUMBER, 0, 60),
    "auto_confirm_days": (Section.PAY, Kind.NUMBER, 1, 60),
    "hold_hours": (Section.BOOKING, Kind.NUMBER, 1, 72),
    "decline_hours": (Section.BOOKING, Kind.NUMBER, 0, 72),
    "notice_hours": (Section.BOOKING, Kind.NUMBER, 0, 168),
    "horizon_days": (Section.BOOKING, Kind.NUMBER, 1, 365),
    "plan_ahead_days": (Section.BOOKING, Kind.NUMBER, 1, 180),
    "reoffer_hours": (Section.BOOKING, Kind.NUMBER, 1, 168),
    "rest_hours": (Section.WORK, Kind.NUMBER, 0, 24),
    "week_hours": (Section.WORK, Kind.NUMBER, 1, 168),
    "travel_kmh": (Section.WORK, Kind.NUMBER, 3, 120),
    "smallest_cell": (Section.PRIVACY, Kind.NUMBER, 5, 100),
}
_OF_TARIFF = {
    "night_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000),
    "night_from_minute": (Section.SURCHARGES, Kind.MINUTE, 0, _MINUTES),
    "night_until_minute": (Section.SURCHARGES, Kind.MINUTE, 0, _MINUTES),
    "weekend_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000),
    "holiday_bp": (Section.SURCHARGES, Kind.SHARE, 0, 30_000),
    "urgent_bp": (Section.SURCHARGES, Kind.SHARE, 0, 20_000),
    "urgent_hours": (Section.SURCHARGES, Kind.NUMBER, 0, 72),
    "rounding_fen": (Section.SURCHARGES, Kind.MONEY, 1, 10_000),
    "monthly_steps": (Section.SURCHARGES, Kind.STEPS, 2, 62),
    "customer_fees": (Section.FEES, Kind.STEPS, 1, 720),
    "caregiver_fees": (Section.FEES, Kind.STEPS, 1, 720),
    "no_show_bp": (Section.FEES, Kind.SHARE, 0, 10_000),
    "caregiver_no_show_bp": (Section.FEES, Kind.SHARE, 0, 10_000),
}
CITY_COLUMNS = tuple(_OF_CITY)
PARAMETERS: dict[str, Parameter] = {
    "prices": Parameter(Section.PRICES, Kind.BOUNDS, 0, 0, {}),
    **{name: Parameter(*of, _USUAL[name]) for name, of in _OF_TARIFF.items()},
    "commissions": Parameter(Section.COMMISSION, Kind.BY_ITEM, 0, 5000, {}),
    **{name: Parameter(*of, City.__table__.c[name].default.arg) for name, of in _OF_CITY.items()},
}


def usual() -> dict[str, Any]:
    """The rules of a city that never set any."""
    return deepcopy({name: one.usual for name, one in PARAMETERS.items()})


def complete(values: Values) -> dict[str, Any]:
    """A version's values; what there was not yet when it was written is as usual."""
    return usual() | dict(values)


def tariff(values: Values) -> Rules:
    """What prices and fees hang on."""
    said = complete(values)
    numbers: dict[str, Any] = {name: said[name] for name in _OF_TARIFF}
    for name in _STEPS:
        numbers[name] = tuple((bound, share) for bound, share in said[name])
    return Rules(**numbers)


def commission_bp(values: Values, item_id: int) -> int:
    """The platform's share of an item's price, in basis points."""
    return values["commissions"].get(str(item_id), values["commission_bp"])


def bounds(values: Values) -> dict[tuple[int, CaregiverLevel], tuple[int, int]]:
    """Between what a level may ask for an item, in fen, where the city has set it."""
    return {
        (int(item_id), CaregiverLevel(level)): (lowest, highest)
        for item_id, levels in values["prices"].items()
        for level, (lowest, highest) in levels.items()
    }


def changes(before: Values, after: Values) -> dict[str, tuple[Any, Any]]:
    """By parameter what it was and what it is, of those that differ, in order."""
    old, new = complete(before), complete(after)
    return {name: (old[name], new[name]) for name in PARAMETERS if old[name] != new[name]}


def checked(values: Values, items: Collection[ItemView]) -> dict[str, Any]:
    """The values with their steps in order, or a refusal that names the parameter."""
    said = complete(values)
    return {name: _checked(name, one, said[name], items) for name, one in PARAMETERS.items()}


def _checked(name: str, one: Parameter, value: object, items: Collection[ItemView]) -> object:
    known = {str(item.id): item for item in items}
    match one.kind, value:
        case Kind.STEPS, list() | tuple():
            return _in_order(name, one, value)
        case Kind.BY_ITEM, dict():
            if not set(value) <= set(known):
                raise Invalid("error.item_not_found")
            for share in value.values():
                _in_range(name, one, share)
            return {item_id: value[item_id] for item_id in sorted(value, key=int)}
        case Kind.BOUNDS, dict():
            return _bounds(value, known)
        case _:
            _in_range(name, one, value)
            return value


def _in_range(name: str, one: Parameter, value: object) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and one.fewest <= value <= one.most:
        return
    # Shares are set, shown and refused in per cent, money in yuan.
    step = 1 if one.kind in (Kind.NUMBER, Kind.MINUTE) else 100
    raise Invalid(
        "error.number_out_of_range",
        field=name,
        fewest=f"{one.fewest / step:g}",
        most=f"{one.most / step:g}",
    )


def _in_order(name: str, one: Parameter, steps: Collection[Any]) -> list[list[int]]:
    """Steps sorted as a tariff has them; a step further away never costs more, nor saves more."""
    found = [(bound, share) for bound, share in steps]
    bounds = [bound for bound, _ in found]
    if len(found) > MOST_STEPS or len(set(bounds)) < len(bounds):
        raise Invalid("error.steps_doubled", field=name)
    if any(not one.fewest <= bound <= one.most for bound in bounds):
        raise Invalid("error.number_out_of_range", field=name, fewest=one.fewest, most=one.most)
    if any(not 0 <= share <= pricing.BASIS_POINTS for _, share in found):
        raise Invalid("error.share_out_of_range", field=name)
    ordered = sorted(found, reverse=name == "monthly_steps")
    shares = [share for _, share in ordered]
    if shares != sorted(shares, reverse=True):
        raise Invalid("error.steps_out_of_order", field=name)
    return [list(step) for step in ordered]


def _bounds(
    value: Mapping[str, Any], items: Mapping[str, ItemView]
) -> dict[str, dict[str, list[int]]]:
    for item_id, levels in value.items():
        if item_id not in items or not set(levels) <= set(CaregiverLevel):
            raise Invalid("error.item_not_found")
        item = items[item_id]
        for lowest, highest in levels.values():
            if lowest > highest:
                raise Invalid("error.price_upside_down")
            if not item.lowest_fen <= lowest <= highest <= item.highest_fen:
                raise Invalid(
                    "error.price_out_of_range",
                    lowest_fen=item.lowest_fen,
                    highest_fen=item.highest_fen,
                )
    return {item_id: dict(levels) for item_id, levels in value.items() if levels}
