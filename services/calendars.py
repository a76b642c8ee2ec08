"""Calendars: when caregivers work, and what of it they or their city take back."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.calendars import Closure, DayHours, Leave
from data.caregivers import Caregiver, WeeklyHours
from data.cities import City
from services import availability, clock, gate
from services.availability import Calendar, Obstacle, Pace, Span, Stretch, Taken

# A week's hours count from its Monday to its Sunday.
A_WEEK = timedelta(weeks=1)


def of(
    session: Session, caregiver_ids: Sequence[int], first: date, last: date
) -> dict[int, Calendar]:
    """The calendars of several caregivers for the days from first to last, in four questions."""
    since, until = _midnight(first), _midnight(last + timedelta(days=1))
    weeks = _grouped(
        session.execute(
            select(
                WeeklyHours.caregiver_id,
                WeeklyHours.weekday,
                WeeklyHours.starts_minute,
                WeeklyHours.ends_minute,
            ).where(WeeklyHours.caregiver_id.in_(caregiver_ids))
        )
    )
    days = _grouped(
        session.execute(
            select(
                DayHours.caregiver_id,
                DayHours.on_day,
                DayHours.starts_minute,
                DayHours.ends_minute,
            ).where(DayHours.caregiver_id.in_(caregiver_ids), DayHours.on_day.between(first, last))
        )
    )
    leaves = _grouped(
        session.execute(
            select(Leave.caregiver_id, Leave.starts_at, Leave.ends_at).where(
                Leave.caregiver_id.in_(caregiver_ids),
                Leave.withdrawn_at.is_(None),
                Leave.ends_at > since,
                Leave.starts_at < until,
            )
        )
    )
    closures = _grouped(
        session.execute(
            select(Caregiver.id, Closure.starts_at, Closure.ends_at)
            .join(Closure, Closure.city_code == Caregiver.city_code)
            .where(
                Caregiver.id.in_(caregiver_ids),
                Closure.ends_at > since,
                Closure.starts_at < until,
            )
        )
    )
    return {
        one: Calendar(
            week=weeks.get(one, ()),
            days=_days(days.get(one, ())),
            leaves=_spans(leaves.get(one, ())),
            closures=_spans(closures.get(one, ())),
        )
        for one in caregiver_ids
    }


def around(
    session: Session, caregiver_ids: Sequence[int], starts_at: datetime, ends_at: datetime
) -> dict[int, Calendar]:
    """The calendars of several caregivers as far as a visit at this time asks for them."""
    first, last = clock.in_city(starts_at).date(), clock.in_city(ends_at).date()
    return of(session, caregiver_ids, first, last)


def obstacle(session: Session, caregiver: Caregiver, wanted: Taken) -> Obstacle | None:
    """What of time first stands in a caregiver's way to a visit."""
    plan = around(session, [caregiver.id], wanted.starts_at, wanted.ends_at)[caregiver.id]
    since, until = wanted.starts_at - A_WEEK, wanted.ends_at + A_WEEK
    taken = gate.taken(session, caregiver.id, since, until)
    return availability.obstacle(plan, rules(session, caregiver.city_code), taken, wanted)


def rules(session: Session, city_code: str) -> Pace:
    """A city's rules for bookings and for work."""
    return availability.pace(session.scalars(select(City).where(City.code == city_code)).one())


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _days(rows: Iterable[Any]) -> dict[date, tuple[Stretch, ...]]:
    """Hours by day; a row without minutes leaves its day empty."""
    days: dict[date, list[Stretch]] = {}
    for row in rows:
        of_day = days.setdefault(row.on_day, [])
        if row.starts_minute is not None:
            of_day.append((row.starts_minute, row.ends_minute))
    return {day: tuple(sorted(hours)) for day, hours in days.items()}


def _spans(rows: Iterable[Any]) -> tuple[Span, ...]:
    return tuple(sorted((row.starts_at, row.ends_at) for row in rows))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.CITY_TIME)
