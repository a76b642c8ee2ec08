"""When a caregiver can come: her plan less what is taken, with time to travel and to rest.

Everything here is pure: calendars, visits and the moment in; free time or what stands in its way
out. A day is the city's, and its minutes are those of the clock on the wall there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Protocol

from data.cities import City
from data.unmet_needs import Obstacle
from services import clock, places

__all__ = ["Obstacle"]

STEP = timedelta(minutes=30)
A_DAY = timedelta(days=1)
MINUTES = 24 * 60
SLOT = timedelta(minutes=15)
SLOTS_A_DAY = A_DAY // SLOT
_WHOLE_DAY = (1 << SLOTS_A_DAY) - 1
# Roads are not straight lines.
DETOUR = 1.3

Span = tuple[datetime, datetime]
Stretch = tuple[int, int]  # From and until which minute of a day.


class Hours(Protocol):
    """A stretch of a weekday, as rows have it."""

    @property
    def weekday(self) -> int: ...
    @property
    def starts_minute(self) -> int: ...
    @property
    def ends_minute(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Calendar:
    """A caregiver's week, the days with hours of their own (none: off), leave and closed times."""

    week: Sequence[Hours]
    days: Mapping[date, tuple[Stretch, ...]] = field(default_factory=dict)
    leaves: tuple[Span, ...] = ()
    closures: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Pace:
    """A city's rules for bookings and for work."""

    notice: timedelta
    horizon: timedelta
    rest: timedelta
    week: timedelta
    travel_kmh: int


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """A visit as far as it takes time: when, and in which cell."""

    starts_at: datetime
    ends_at: datetime
    cell: str


def pace(city: City) -> Pace:
    """The rules of a city."""
    return Pace(
        notice=timedelta(hours=city.notice_hours),
        horizon=timedelta(days=city.horizon_days),
        rest=timedelta(hours=city.rest_hours),
        week=timedelta(hours=city.week_hours),
        travel_kmh=city.travel_kmh,
    )


def obstacle(
    calendar: Calendar, rules: Pace, taken: Sequence[Taken], wanted: Taken
) -> Obstacle | None:
    """What first stands in the way of a visit; None if it can be made.

    Live-in care, a day or longer, arranges its own rest and is in nobody's weekly hours.
    """
    now = clock.now()
    if wanted.starts_at < now + rules.notice:
        return Obstacle.TOO_SOON
    if wanted.starts_at > now + rules.horizon:
        return Obstacle.TOO_FAR_AHEAD
    return next(_of_time(calendar, rules, taken, wanted), None)


def obstacles(
    calendar: Calendar, rules: Pace, taken: Sequence[Taken], wanted: Taken
) -> tuple[Obstacle, ...]:
    """All that stands in the way of a caregiver who offers herself for a visit.

    How soon it is does not matter to her, nor how far ahead.
    """
    return tuple(_of_time(calendar, rules, taken, wanted))


def _of_time(
    calendar: Calendar, rules: Pace, taken: Sequence[Taken], wanted: Taken
) -> Iterator[Obstacle]:
    if _met(calendar.closures, wanted.starts_at, wanted.ends_at):
        yield Obstacle.CITY_CLOSED
    if not in_hours(calendar, wanted.starts_at, wanted.ends_at):
        yield Obstacle.OFF_HOURS
    if _met(calendar.leaves, wanted.starts_at, wanted.ends_at):
        yield Obstacle.ON_LEAVE
    yield from of_visits(rules, taken, wanted)


def of_visits(rules: Pace, taken: Sequence[Taken], wanted: Taken) -> Iterator[Obstacle]:
    """What of her visits stands in a caregiver's way to one that suits her plan."""
    met = (look(rules, taken, wanted) for look in (_in_conflict, _overworked))
    yield from filter(None, met)


def _in_conflict(rules: Pace, taken: Sequence[Taken], wanted: Taken) -> Obstacle | None:
    """Another visit at the time, or one too near in time for the way between them, or to rest."""
    before = after = None
    for other in taken:
        if other.ends_at <= wanted.starts_at:
            if before is None or other.ends_at > before.ends_at:
                before = other
        elif other.starts_at >= wanted.ends_at:
            if after is None or other.starts_at < after.starts_at:
                after = other
        else:
            return Obstacle.BUSY
    for first, then in ((before, wanted), (wanted, after)):
        if first is None or then is None:
            continue
        between = then.starts_at - first.ends_at
        if between < travel(first.cell, then.cell, rules.travel_kmh):
            return Obstacle.TRAVEL
        if between < rules.rest and _two_days(first, then):
            return Obstacle.REST
    return None


def _two_days(first: Taken, then: Taken) -> bool:
    """Whether a night lies between two visits, neither of them live-in care."""
    if max(first.ends_at - first.starts_at, then.ends_at - then.starts_at) >= A_DAY:
        return False
    return clock.in_city(first.ends_at).date() != clock.in_city(then.starts_at).date()


def _overworked(rules: Pace, taken: Sequence[Taken], wanted: Taken) -> Obstacle | None:
    length = wanted.ends_at - wanted.starts_at
    if length >= A_DAY:
        return None
    # Moments of one time zone are compared in a tenth of the time.
    monday, next_monday = (edge.astimezone(UTC) for edge in week_of(wanted.starts_at))
    worked = length
    for other in taken:
        if monday <= other.starts_at < next_monday and other.ends_at - other.starts_at < A_DAY:
            worked += other.ends_at - other.starts_at
    return Obstacle.WEEK_FULL if worked > rules.week else None


def week_of(at: datetime) -> Span:
    """The midnights between which the city's week of a moment lies, Monday to Monday."""
    day = clock.in_city(at).date()
    monday = datetime.combine(day - day.weekday() * A_DAY, time(), clock.CITY_TIME)
    return monday, monday + 7 * A_DAY


def travel(cell: str, other: str, kmh: int) -> timedelta:
    """How long the way takes between two cells; within one it takes no time."""
    if cell == other:
        return timedelta()
    return timedelta(hours=places.distance_km(cell, other) * DETOUR / kmh)


def in_hours(calendar: Calendar, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a visit suits the plan, leave aside.

    One of less than a day lies inside its stretches, also over midnight; a longer one asks only
    that every day it touches is a working day.
    """
    start, end = clock.in_city(starts_at), clock.in_city(ends_at)
    if end - start >= A_DAY:
        return all(stretches(calendar, day) for day in _days(start, end))
    return any(first <= start and end <= last for first, last in worked(calendar, start, end))


def stretches(calendar: Calendar, day: date) -> tuple[Stretch, ...]:
    """When a day is worked, in minutes, soonest first."""
    if day in calendar.days:
        return calendar.days[day]
    return tuple(
        sorted(
            (hours.starts_minute, hours.ends_minute)
            for hours in calendar.week
            if hours.weekday == day.weekday()
        )
    )


def worked(calendar: Calendar, start: datetime, end: datetime) -> list[Span]:
    """The plan's stretches on the days between two moments, those that touch put together."""
    found: list[Span] = []
    for day in _days(start, end):
        midnight = datetime.combine(day, time(), clock.CITY_TIME)
        for first, last in stretches(calendar, day):
            begins = midnight + timedelta(minutes=first)
            ends = midnight + timedelta(minutes=last)
            if found and found[-1][1] >= begins:
                found[-1] = (found[-1][0], max(ends, found[-1][1]))
            else:
                found.append((begins, ends))
    return found


def free(calendar: Calendar, taken: Iterable[Taken], start: datetime, end: datetime) -> list[Span]:
    """The time between two moments that is planned for work and taken by nothing, soonest first."""
    away = sorted(
        [
            *((visit.starts_at, visit.ends_at) for visit in taken),
            *calendar.leaves,
            *calendar.closures,
        ]
    )
    return [
        part
        for begins, ends in worked(calendar, clock.in_city(start), clock.in_city(end))
        if max(begins, start) < min(ends, end)
        for part in _without(max(begins, start), min(ends, end), away)
    ]


def _without(begins: datetime, ends: datetime, away: Sequence[Span]) -> Iterator[Span]:
    for gone, back in away:
        if gone >= ends:
            break
        if back <= begins:
            continue
        if gone > begins:
            yield begins, gone
        begins = max(begins, back)
        if begins >= ends:
            return
    if begins < ends:
        yield begins, ends


def starts(
    calendar: Calendar,
    rules: Pace,
    taken: Sequence[Taken],
    length: timedelta,
    cell: str,
    day: date,
) -> list[datetime]:
    """When a visit of this length in this cell can begin on a day of the city, in half hours."""
    return list(_starts(calendar, rules, taken, length, cell, day))


def next_start(
    calendar: Calendar,
    rules: Pace,
    taken: Sequence[Taken],
    length: timedelta,
    cell: str,
    days: Iterable[date] | None = None,
) -> datetime | None:
    """The next time a visit of this length in this cell can begin; None on none of these days.

    Without days, those of the horizon.
    """
    return next(
        (
            start
            for day in days or bookable_days(rules)
            for start in _starts(calendar, rules, taken, length, cell, day)
        ),
        None,
    )


def bookable_days(rules: Pace) -> list[date]:
    """The days of the city that can be booked, today first."""
    today = clock.today()
    return [today + timedelta(days=ahead) for ahead in range(rules.horizon.days)]


def _starts(
    calendar: Calendar,
    rules: Pace,
    taken: Sequence[Taken],
    length: timedelta,
    cell: str,
    day: date,
) -> Iterator[datetime]:
    midnight = datetime.combine(day, time(), clock.CITY_TIME)
    earliest = clock.now() + rules.notice
    spans = sorted((visit.starts_at, visit.ends_at) for visit in taken)
    for first, last in stretches(calendar, day):
        start, end = midnight + timedelta(minutes=first), midnight + timedelta(minutes=last)
        while start < end:
            if start < earliest:
                start += STEP * max(1, -(-(earliest - start) // STEP))
            elif (met := _met(spans, start, start + length)) is not None:
                start += STEP * max(1, -(-(met - start) // STEP))
            else:
                if obstacle(calendar, rules, taken, Taken(start, start + length, cell)) is None:
                    yield start
                start += STEP


def _met(spans: Sequence[Span], start: datetime, end: datetime) -> datetime | None:
    """Until when the first span that meets this time lasts."""
    for begins, ends in spans:
        if ends > start and begins < end:
            return ends
    return None


def _days(start: datetime, end: datetime) -> Iterator[date]:
    """The days a time touches; it may end at midnight."""
    day = start.date()
    while datetime.combine(day, time(), start.tzinfo) < end:
        yield day
        day += A_DAY


def slots(spans: Iterable[Span], first: date, days: int) -> int:
    """The quarter hours that spans touch in so many days, as bits from the first midnight on."""
    bits, most = 0, days * SLOTS_A_DAY
    for begins, ends in spans:
        low = max(0, _slot(begins, first))
        high = min(most, -(-_minutes(ends, first) // 15))
        if high > low:
            bits |= ((1 << (high - low)) - 1) << low
    return bits


def free_slots(calendar: Calendar, taken: Iterable[Span], first: date, days: int) -> int:
    """The quarter hours of so many days in which a caregiver works and has nothing to do."""
    planned = _planned(calendar.week, first.weekday(), days)
    for day in calendar.days:
        if 0 <= (number := (day - first).days) < days:
            planned &= ~(_WHOLE_DAY << number * SLOTS_A_DAY)
            planned |= _bits(calendar.days[day]) << number * SLOTS_A_DAY
    return planned & ~slots([*taken, *calendar.leaves, *calendar.closures], first, days)


def _planned(week: Iterable[Hours], weekday: int, days: int) -> int:
    """The quarter hours of a weekly plan, over and over from a weekday's midnight on."""
    once = 0
    for hours in week:
        number = (hours.weekday - weekday) % 7
        once |= _bits([(hours.starts_minute, hours.ends_minute)]) << number * SLOTS_A_DAY
    return once * _every_week(-(-days // 7)) & ((1 << days * SLOTS_A_DAY) - 1)


@cache
def _every_week(weeks: int) -> int:
    """The first quarter hour of each of so many weeks."""
    return sum(1 << number * 7 * SLOTS_A_DAY for number in range(weeks))


def _bits(day: Iterable[Stretch]) -> int:
    """The quarter hours that lie wholly in the stretches of a day."""
    bits = 0
    for begins, ends in day:
        low, high = -(-begins // 15), ends // 15
        if high > low:
            bits |= ((1 << (high - low)) - 1) << low
    return bits


def room(free_bits: int, length: timedelta) -> int:
    """The quarter hours from which on so much time is free, as bits."""
    wanted = -(-length // SLOT)
    have = 1
    while have < wanted:
        step = min(have, wanted - have)
        free_bits &= free_bits >> step
        have += step
    return free_bits


def _slot(at: datetime, first: date) -> int:
    return _minutes(at, first) // 15


def _minutes(at: datetime, first: date) -> int:
    """Minutes on the wall from a day's midnight on."""
    local = clock.in_city(at)
    return (local.date() - first).days * MINUTES + local.hour * 60 + local.minute
