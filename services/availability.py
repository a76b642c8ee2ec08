"""When a caregiver can come: the weekly plan less the time that visits take."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from data.caregivers import WeeklyHours
from services import clock

STEP = timedelta(minutes=30)
# A caregiver must see a request, answer it and travel.
NOTICE = timedelta(hours=3)
HORIZON = timedelta(days=21)
A_DAY = timedelta(days=1)

Week = Sequence[WeeklyHours]
Span = tuple[datetime, datetime]


def in_hours(week: Week, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a visit suits the weekly plan.

    A visit within one day lies inside one stretch of it; a longer one, as live-in care is, asks
    only that every day it touches is a working day.
    """
    start, end = clock.in_city(starts_at), clock.in_city(ends_at)
    if end - start >= A_DAY:
        worked = {stretch.weekday for stretch in week}
        return all(day.weekday() in worked for day in _days(start, end))
    if start.date() != end.date():
        return False
    first, last = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    return any(
        h.weekday == start.weekday() and h.starts_minute <= first and last <= h.ends_minute
        for h in week
    )


def starts(week: Week, taken: Iterable[Span], length: timedelta, day: date) -> list[datetime]:
    """When a visit of this length can begin on a day of the city, in half hours."""
    return list(_starts(week, sorted(taken), length, day, clock.now() + NOTICE))


def next_start(week: Week, taken: Iterable[Span], length: timedelta) -> datetime | None:
    """The next time a visit of this length can begin, or None within the horizon."""
    busy, earliest = sorted(taken), clock.now() + NOTICE
    return next(
        (start for day in bookable_days() for start in _starts(week, busy, length, day, earliest)),
        None,
    )


def bookable_days() -> list[date]:
    """The days of the city that can be booked, today first."""
    today = clock.today()
    return [today + timedelta(days=ahead) for ahead in range(HORIZON.days)]


def _starts(
    week: Week, busy: Sequence[Span], length: timedelta, day: date, earliest: datetime
) -> Iterator[datetime]:
    """The half hours of a day's stretches from which on enough time is free; `busy` is sorted."""
    midnight = datetime.combine(day, time(), clock.CITY_TIME)
    for stretch in week:
        if stretch.weekday != day.weekday():
            continue
        start = midnight + timedelta(minutes=stretch.starts_minute)
        last = midnight + timedelta(minutes=stretch.ends_minute)
        while start < last:
            if start < earliest:
                start += STEP * max(1, -(-(earliest - start) // STEP))
            elif (met := _in_the_way(busy, start, start + length)) is not None:
                start += STEP * max(1, -(-(met - start) // STEP))
            else:
                if in_hours(week, start, start + length):
                    yield start
                start += STEP


def _in_the_way(busy: Sequence[Span], start: datetime, end: datetime) -> datetime | None:
    """Until when the first visit that meets this time lasts."""
    for begins, ends in busy:
        if begins >= end:
            return None
        if ends > start:
            return ends
    return None


def _days(start: datetime, end: datetime) -> Iterator[date]:
    day = start.date()
    while datetime.combine(day, time(), start.tzinfo) < end:
        yield day
        day += timedelta(days=1)
