"""Rounding at random, without bias, so that nothing of fewer than k people can be worked out.

Chance is a keyed hash of what is rounded: the same figure is rounded in the same way for ever, and
asking again tells nothing new.
"""

from collections.abc import Iterable, Sequence
from math import log
from statistics import fmean, median

from data import sealing
from services.analytics.cutting import Draw, People, Row, grouped

_DIGITS = 13


def draws(*of: object) -> Draw:
    """Chance for the figures of one sheet."""

    def draw(*what: object) -> float:
        text = "|".join(map(str, (*of, *what)))
        return int(sealing.keyed_hash("published figures", text)[:_DIGITS], 16) / 16**_DIGITS

    return draw


def rounded(value: float, k: int, chance: float) -> int:
    """One of the multiples of k on either side; on average the value itself."""
    low = int(value // k) * k
    return low + k if (value - low) / k > chance else low


def part(value: float, of: float, told: int, k: int, chance: float) -> int:
    """A part of a whole, in proportion to what is told of the whole, and never more than that.

    It is rounded to multiples of k or to the whole. The last multiple is left out: from 5 or 10 of
    6 it would be known that they are 5, or all 6. Several parts of one whole that hold one another
    (agreed, served) are rounded with one chance, lest two roundings enclose the number.
    """
    if not of:
        return 0
    share = value * told / of
    steps = min(int(share // k), max(told // k - 1, 0))
    low, high = steps * k, told if steps >= told // k - 1 else (steps + 1) * k
    return high if share - low > chance * (high - low) else low


def total(
    values: Sequence[tuple[Row, float]],
    people: People[Row],
    chance: float,
    *,
    told: int | None = None,
    least: int = 0,
) -> int:
    """A sum, such as hours, in proportion to how many are told; of each value at least so much.

    An exact sum gives away what it is made of: one live-in week among visits of two hours; and so
    may one rounded to steps, near their ends. So values far out count as less, and noise of two
    exponential sides (Laplace's), as wide as the largest value that is left, lies over the sum.
    """
    if not values:
        return 0
    counted = len(values) if told is None else told
    kept = capped(values, people)
    noise = -log(1 - 2 * chance % 1) * max(kept) * (1 if chance < 0.5 else -1)
    return round(max(counted * fmean(kept) + noise, counted * least))


def capped(values: Sequence[tuple[Row, float]], people: People[Row]) -> list[float]:
    """The values, none of them above twice what is usual among people."""
    most = 2 * (middle(values, people, 1) or 0)
    return [min(value, most) for _, value in values]


def middle(values: Iterable[tuple[Row, float]], people: People[Row], k: int) -> float | None:
    """The median over people of each one's own median; None of fewer than k people.

    Over all values it would be the one of whoever has many.
    """
    of_each = grouped(values, lambda pair: people(pair[0]))
    if len(of_each) < k:
        return None
    return median(median(value for _, value in pairs) for pairs in of_each.values())


def quartiles(values: list[float], k: int) -> tuple[float | None, float | None, float | None]:
    """The quartiles, each the mean of the k values around its rank, to two digits.

    None of fewer than k; only the middle one where the others would share people with it.
    """
    ranked = sorted(values)
    if len(ranked) < k:
        return None, None, None

    def around(share: float) -> float | None:
        if share != 0.5 and len(ranked) < 4 * k:
            return None
        first = round((len(ranked) - 1) * share - (k - 1) / 2)
        return coarse(fmean(ranked[first : first + k]))

    return around(0.25), around(0.5), around(0.75)


def coarse(value: float) -> float:
    """The value to two digits."""
    return float(f"{value:.2g}")
