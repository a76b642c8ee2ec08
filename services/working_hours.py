"""Working hours: when the desk of a city is there, and how much of a time that is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.calendars import DayKind
from data.cities import City
from services import clock, special_days

A_DAY = timedelta(days=1)
# Public holidays are known for about a year; later days are what their weekday says.
KNOWN_AHEAD = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Hours:
    """From when to when a desk is there, in minutes from midnight of the city, on which days.

    It rests on weekends and holidays, but works on those weekends that are declared workdays.
    """

    from_minute: int
    until_minute: int
    kinds: Mapping[date, DayKind] = field(default_factory=dict[date, DayKind])

    @property
    def length(self) -> timedelta:
        """How long a working day is."""
        return timedelta(minutes=self.until_minute - self.from_minute)

    def works(self, day: date) -> bool:
        """Whether anybody is there on a day."""
        kind = self.kinds.get(day, DayKind.ORDINARY)
        return kind is DayKind.WORKDAY or (kind is DayKind.ORDINARY and day.weekday() < 5)

    def span(self, day: date) -> tuple[datetime, datetime]:
        """When a working day begins and ends."""
        midnight = datetime.combine(day, time(), clock.CITY_TIME)
        return (
            midnight + timedelta(minutes=self.from_minute),
            midnight + timedelta(minutes=self.until_minute),
        )


def after(start: datetime, work: timedelta, hours: Hours) -> datetime:
    """The moment at which so much working time has passed since a start.

    What ends with a working day ends on its evening, not the next morning. Without any work it
    is the start.
    """
    if work <= timedelta():
        return start
    left = work
    for opens, closes in _spans(start, hours):
        begins = max(start, opens)
        if (there := closes - begins) >= left:
            return begins + left
        left -= max(there, timedelta())
    raise AssertionError("unreachable")


def between(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """How much working time lies between two moments; none if the end is not later."""
    passed = timedelta()
    for opens, closes in _spans(start, hours):
        if opens >= end:
            break
        passed += max(min(end, closes) - max(start, opens), timedelta())
    return passed


def of_city(session: Session, city_code: str, start: datetime) -> Hours:
    """The working hours of a city's desk from a start on."""
    city = session.scalars(select(City).where(City.code == city_code)).one()
    first = clock.in_city(start).date()
    kinds = special_days.kinds(session, city_code, first, first + KNOWN_AHEAD)
    return Hours(city.desk_from_minute, city.desk_until_minute, kinds)


def _spans(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """The working days from a start on, without end."""
    day = clock.in_city(start).date()
    while True:
        if hours.works(day):
            yield hours.span(day)
        day += A_DAY
