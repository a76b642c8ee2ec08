"""Whether a difference is more than chance: exact tests, and many of them at once.

Every test conditions on what does not tell of the difference and sums up what is left, outcome by
outcome. A p-value is the chance of something at least as odd if there were no difference.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

LEVEL = 0.05  # How many of the differences that are told may be none.
_NOTHING = 1e-250  # Against the likeliest outcome.
_AS_ODD = 1 + 1e-7  # Outcomes that are as likely but for rounding count as equally odd.


class Side(StrEnum):
    """Which outcomes are odd: large ones, small ones, or both."""

    MORE = "more"
    LESS = "less"
    EITHER = "either"


def of_counts(
    now: int, now_weeks: float, before: int, before_weeks: float, side: Side = Side.EITHER
) -> float:
    """Whether things came at another rate: two Poisson counts, and how long each was counted.

    Of all things together those now are binomial, each with the share of the time that is now.
    """
    odds = now_weeks / before_weeks
    together = now + before

    def ratio(count: int) -> float:
        return (together - count) / (count + 1) * odds

    return _p(0, together, ratio, now, side)


def of_shares(
    part: int,
    whole: int,
    other_part: int,
    other_whole: int,
    side: Side = Side.EITHER,
    odds: float = 1,
) -> float:
    """Whether a part is another share of its whole: Fisher's exact test.

    With `odds` the shares are expected to differ by that ratio of odds (the noncentral
    hypergeometric distribution).
    """
    parts = part + other_part
    lowest, highest = max(0, parts - other_whole), min(parts, whole)

    def ratio(count: int) -> float:
        away = (count + 1) * (other_whole - parts + count + 1)
        return (whole - count) * (parts - count) / away * odds

    return _p(lowest, highest, ratio, part, side)


def of_mean(count: int, mean: float, side: Side = Side.MORE) -> float:
    """Whether a Poisson count is odd for a mean that is known."""
    return _p(0, None, lambda number: mean / (number + 1), count, side)


def stand_out(p_values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which of many tests found something, at most `level` of them by chance (Benjamini–Hochberg).

    Benjamini & Hochberg 1995: the largest p-value that is at most its rank's share of the level,
    and all that are smaller.
    """
    ranked = sorted(p_values)
    bound = max(
        (p for rank, p in enumerate(ranked, 1) if p <= level * rank / len(ranked)), default=-1
    )
    return [p <= bound for p in p_values]


def _p(
    lowest: int, highest: int | None, ratio: Callable[[int], float], seen: int, side: Side
) -> float:
    """The chance of the odd outcomes from lowest to highest.

    `ratio` is how much likelier an outcome's successor is than the outcome; it falls, so that the
    outcomes become likelier up to one and less likely after it.
    """
    likeliest = _likeliest(lowest, highest, ratio)
    weights = {likeliest: 1.0}
    weight, at = 1.0, likeliest
    while (highest is None or at < highest) and weight > _NOTHING:
        weight *= ratio(at)
        at += 1
        weights[at] = weight
    weight, at = 1.0, likeliest
    while at > lowest and weight > _NOTHING:
        at -= 1
        weight /= ratio(at)
        weights[at] = weight
    as_odd = weights.get(seen, 0.0) * _AS_ODD
    odd = {
        Side.MORE: lambda outcome, _: outcome >= seen,
        Side.LESS: lambda outcome, _: outcome <= seen,
        Side.EITHER: lambda _, likely: likely <= as_odd,
    }[side]
    chance = sum(likely for outcome, likely in weights.items() if odd(outcome, likely))
    return min(chance / sum(weights.values()), 1.0)


def _likeliest(lowest: int, highest: int | None, ratio: Callable[[int], float]) -> int:
    """The first outcome whose successor is not likelier."""
    first, last = lowest, highest
    if last is None:
        last = lowest + 1
        while ratio(last) > 1:
            last *= 2
    while first < last:
        middle = (first + last) // 2
        if ratio(middle) > 1:
            first = middle + 1
        else:
            last = middle
    return first
