"""Pricing: what a visit costs, part by part, in fen; a pure function of a city's rules.

A surcharge is a share of the base for the time it touches, by the clocks of the city; a holiday
is no weekend, and a weekend on which people work is none either. Every part is rounded to a fen,
the total to the city's step, half up; the step is a part of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from data.calendars import DayKind
from services import clock

BASIS_POINTS = 10_000
SATURDAY = 5
A_SECOND = timedelta(seconds=1)
_MIDNIGHT = 24 * 60
# In the order in which they are read out.
PARTS = ("base", "night", "weekend", "holiday", "urgent", "monthly", "rounding")
Steps = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A tariff's numbers, with those of a city that never set any; shares in basis points.

    Steps are (visits in 30 days, discount), most visits first, and (hours before the start, share
    of the price), fewest hours first.
    """

    night_bp: int = 3000
    night_from_minute: int = 21 * 60
    night_until_minute: int = 6 * 60
    weekend_bp: int = 0
    holiday_bp: int = 5000
    urgent_bp: int = 2000
    urgent_hours: int = 6
    rounding_fen: int = 100
    monthly_steps: Steps = ((20, 1000), (8, 500))
    customer_fees: Steps = ((4, 5000), (24, 2000))
    caregiver_fees: Steps = ((4, 3000), (24, 1000))
    no_show_bp: int = 10_000
    caregiver_no_show_bp: int = 5000


@dataclass(frozen=True, slots=True)
class Sheet:
    """What prices of a city hang on: its rules by the day they begin, earliest first, and days."""

    rules: tuple[tuple[date, Rules], ...] = ()
    kinds: Mapping[date, DayKind] = field(default_factory=dict)

    def on(self, day: date) -> Rules:
        """The rules in force on a day."""
        begun = [rules for since, rules in self.rules if since <= day]
        return begun[-1] if begun else Rules()


@dataclass(frozen=True, slots=True)
class Price:
    """A visit's price in fen, the commission in it, and its named parts, which sum to it."""

    total_fen: int
    commission_fen: int
    parts: dict[str, int]


def price(
    sheet: Sheet,
    unit_price_fen: int,
    units: int,
    starts_at: datetime,
    ends_at: datetime,
    commission_bp: int,
    placed_at: datetime,
    *,
    visits_in_30_days: int = 1,
) -> Price:
    """The price of a visit by the rules of the day it starts on; a part of nothing is left out."""
    rules = sheet.on(clock.in_city(starts_at).date())
    base_fen = unit_price_fen * units
    monthly_fen = -half_up(base_fen * _discount(rules, visits_in_30_days), BASIS_POINTS)
    span = starts_at, ends_at
    return _with_surcharges(sheet, base_fen, monthly_fen, *span, commission_bp, placed_at)


def moved(
    sheet: Sheet,
    parts: Mapping[str, int],
    starts_at: datetime,
    ends_at: datetime,
    commission_bp: int,
    placed_at: datetime,
) -> Price:
    """The price of the same care at another time: its base and its plan's discount stay."""
    span = starts_at, ends_at
    monthly_fen = parts.get("monthly", 0)
    return _with_surcharges(sheet, parts["base"], monthly_fen, *span, commission_bp, placed_at)


def _with_surcharges(
    sheet: Sheet,
    base_fen: int,
    monthly_fen: int,
    starts_at: datetime,
    ends_at: datetime,
    commission_bp: int,
    placed_at: datetime,
) -> Price:
    rules = sheet.on(clock.in_city(starts_at).date())
    touched = _touched(rules, sheet.kinds, starts_at, ends_at)
    whole = (ends_at - starts_at) // A_SECOND
    weights = {
        "night": rules.night_bp * touched["night"],
        "weekend": rules.weekend_bp * touched["weekend"],
        "holiday": rules.holiday_bp * touched["holiday"],
        "urgent": rules.urgent_bp * whole if _is_urgent(rules, starts_at, placed_at) else 0,
    }
    parts = {"base": base_fen} | {
        name: half_up(base_fen * weight, BASIS_POINTS * whole) for name, weight in weights.items()
    }
    parts["monthly"] = monthly_fen
    exact = sum(parts.values())
    parts["rounding"] = half_up(exact, rules.rounding_fen) * rules.rounding_fen - exact
    shown = {name: fen for name, fen in parts.items() if fen or name == "base"}
    return of_parts(shown, commission_bp)


def of_parts(parts: dict[str, int], commission_bp: int) -> Price:
    """The price that consists of these parts; the commission is rounded down to a fen."""
    total_fen = sum(parts.values())
    return Price(total_fen, share(total_fen, commission_bp), parts)


def base(unit_price_fen: int, units: int, commission_bp: int) -> Price:
    """A price without surcharges."""
    return of_parts({"base": unit_price_fen * units}, commission_bp)


def share(amount_fen: int, basis_points: int) -> int:
    """A share of an amount, rounded down to a fen."""
    return amount_fen * basis_points // BASIS_POINTS


def half_up(amount: int, step: int) -> int:
    """How many steps an amount comes nearest to; in the middle, the more."""
    return (2 * amount + step) // (2 * step)


def _is_urgent(rules: Rules, starts_at: datetime, placed_at: datetime) -> bool:
    return starts_at - placed_at < timedelta(hours=rules.urgent_hours)


def _discount(rules: Rules, visits_in_30_days: int) -> int:
    fitting = (share for visits, share in rules.monthly_steps if visits_in_30_days >= visits)
    return max(fitting, default=0)


def _touched(
    rules: Rules, kinds: Mapping[date, DayKind], starts_at: datetime, ends_at: datetime
) -> dict[str, int]:
    """How many seconds of a visit fall into the night, a weekend and a holiday."""
    seconds = {"night": 0, "weekend": 0, "holiday": 0}
    day, last = clock.in_city(starts_at).date(), clock.in_city(ends_at).date()
    while day <= last:
        kind = kinds.get(day, DayKind.ORDINARY)
        if kind is DayKind.HOLIDAY:
            seconds["holiday"] += _overlap(day, 0, _MIDNIGHT, starts_at, ends_at)
        elif kind is DayKind.ORDINARY and day.weekday() >= SATURDAY:
            seconds["weekend"] += _overlap(day, 0, _MIDNIGHT, starts_at, ends_at)
        for first, until in _nights(rules):
            seconds["night"] += _overlap(day, first, until, starts_at, ends_at)
        day += timedelta(days=1)
    return seconds


def _nights(rules: Rules) -> Iterator[tuple[int, int]]:
    """The minutes of a day that are night; one that begins when it ends never comes."""
    first, until = rules.night_from_minute, rules.night_until_minute
    if first < until:
        yield first, until
    elif first > until:
        yield 0, until
        yield first, _MIDNIGHT


def _overlap(day: date, first: int, until: int, starts_at: datetime, ends_at: datetime) -> int:
    """How many seconds between two minutes of a day a visit takes."""
    since = max(_moment(day, first), starts_at)
    return max(0, (min(_moment(day, until), ends_at) - since) // A_SECOND)


def _moment(day: date, minute: int) -> datetime:
    midnight = datetime.combine(day, time(), clock.CITY_TIME)
    return midnight + timedelta(minutes=minute)
