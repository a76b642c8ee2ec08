"""Calendars: when caregivers work, and what of it they or their city take back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, false, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account
from data.calendars import Closure, DayHours, DayKind, Leave
from data.caregivers import Caregiver, WeeklyHours
from data.cities import City
from data.orders import GONE, Order, Visit, VisitStatus
from services import audit, availability, clock, gate, special_days
from services.access import Actor, Permission, Role
from services.availability import Calendar, Obstacle, Pace, Span, Stretch, Taken
from services.errors import Conflict, Invalid, NotFound

__all__ = ["DayKind", "VisitStatus"]

# A week's hours count from its Monday to its Sunday.
A_WEEK = timedelta(weeks=1)
FURTHEST = timedelta(days=365)
MOST_DAYS = 62
MOST_STRETCHES = 4
# Stands in the way as soon as a caregiver cannot come.
TO_MAKE = VisitStatus.HELD, VisitStatus.OFFERED, VisitStatus.PLANNED
_SHOWN = tuple(status for status in VisitStatus if status not in GONE)


@dataclass(frozen=True, slots=True)
class Appointment:
    """A visit as it stands in a calendar, and the family that expects it."""

    visit_id: int
    order_id: int
    item_id: int
    family_name: str
    starts_at: datetime
    ends_at: datetime
    status: VisitStatus


@dataclass(frozen=True, slots=True)
class Closed:
    """A time in which the caregiver's city takes nobody, and why."""

    starts_at: datetime
    ends_at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class DayView:
    """A day as it is planned, what takes of it, and what is left; `own` are hours set for itself.

    Without hours of its own (None) it follows its weekday; with none in them it is off.
    """

    day: date
    hours: tuple[Stretch, ...]
    own: tuple[Stretch, ...] | None
    free: tuple[Span, ...]
    leaves: tuple[Span, ...]
    closures: tuple[Closed, ...]
    special: DayKind | None
    appointments: tuple[Appointment, ...]


@dataclass(frozen=True, slots=True)
class CalendarView:
    """Whose calendar, and some days of it."""

    caregiver_id: int
    name: str
    city_code: str
    days: tuple[DayView, ...]


def view(
    session: Session, actor: Actor, caregiver_id: int, first: date, last: date
) -> CalendarView:
    """The days of a caregiver's calendar from first to last, two months at most."""
    actor.require(Permission.KEEP_CALENDAR)
    caregiver = reach(session, actor, caregiver_id)
    if not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        raise Invalid("error.too_many_days", most=MOST_DAYS)
    plan = of(session, [caregiver.id], first, last)[caregiver.id]
    visits = appointments(session, caregiver.id, _midnight(first), _after(last), _SHOWN)
    closed = [
        Closed(row.starts_at, row.ends_at, row.words)
        for row in session.scalars(
            select(Closure)
            .where(
                Closure.city_code == caregiver.city_code,
                Closure.ends_at > _midnight(first),
                Closure.starts_at < _after(last),
            )
            .order_by(Closure.starts_at)
        )
    ]
    special = special_days.kinds(session, caregiver.city_code, first, last)
    return CalendarView(
        caregiver_id=caregiver.id,
        name=session.get_one(Account, caregiver.id).name,
        city_code=caregiver.city_code,
        days=tuple(
            _day(plan, first + timedelta(days=number), visits, closed, special)
            for number in range((last - first).days + 1)
        ),
    )


def set_days(
    session: Session,
    actor: Actor,
    caregiver_id: int,
    seen: Mapping[date, tuple[Stretch, ...] | None],
    stretches: Sequence[Stretch],
) -> None:
    """Give days hours of their own; with none they are off. Visits agreed on stay.

    `seen` says of each day which hours of its own the actor saw (None: the weekday's). If
    somebody else changed one meanwhile, nothing is done.
    """
    actor.require(Permission.KEEP_CALENDAR)
    reach(session, actor, caregiver_id, lock=True)
    hours = _checked(stretches)
    _clear(session, caregiver_id, seen)
    session.add_all(
        DayHours(
            created_at=clock.now(),
            caregiver_id=caregiver_id,
            on_day=day,
            starts_minute=starts,
            ends_minute=ends,
        )
        for day in seen
        for starts, ends in hours or [(None, None)]
    )
    _audit(session, actor, "set_day_hours", caregiver_id, seen, [list(one) for one in hours])


def clear_days(
    session: Session,
    actor: Actor,
    caregiver_id: int,
    seen: Mapping[date, tuple[Stretch, ...] | None],
) -> None:
    """Let days follow their weekday again; `seen` as for `set_days`."""
    actor.require(Permission.KEEP_CALENDAR)
    reach(session, actor, caregiver_id, lock=True)
    _clear(session, caregiver_id, seen)
    _audit(session, actor, "clear_day_hours", caregiver_id, seen, None)


def reach(session: Session, actor: Actor, caregiver_id: int, *, lock: bool = False) -> Caregiver:
    """A caregiver whose calendar the actor keeps, locked until the transaction ends if asked."""
    query = _visible_to(actor).where(Caregiver.id == caregiver_id)
    caregiver = session.scalar(query.with_for_update(key_share=True) if lock else query)
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    return caregiver


def appointments(
    session: Session,
    caregiver_id: int,
    since: datetime,
    until: datetime,
    statuses: Sequence[VisitStatus],
) -> list[Appointment]:
    """A caregiver's visits that touch a time, soonest first."""
    rows = session.execute(
        select(
            Visit.id, Order.id, Order.item_id, Account.name, Visit.starts_at, Visit.ends_at,
            Visit.status,
        )
        .join_from(Visit, Order, Order.id == Visit.order_id)
        .join(Account, Account.id == Order.customer_id)
        .where(
            Visit.caregiver_id == caregiver_id,
            Visit.ends_at > since,
            Visit.starts_at < until,
            Visit.status.in_(statuses),
        )
        .order_by(Visit.starts_at, Visit.id)
    )  # fmt: skip
    return [Appointment(*row) for row in rows]


def _theirs(caregiver_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return caregiver_id.in_(bindparam("ids", expanding=True))


def _touch(table: type[Leave] | type[Closure]) -> ColumnElement[bool]:
    return (table.ends_at > bindparam("since")) & (table.starts_at < bindparam("until"))


# Weeks, days, leaves and closures: asked at every look, and writing that takes longer than answers.
_PARTS = (
    select(
        WeeklyHours.caregiver_id,
        WeeklyHours.weekday,
        WeeklyHours.starts_minute,
        WeeklyHours.ends_minute,
    ).where(
        _theirs(WeeklyHours.caregiver_id),
        WeeklyHours.weekday.in_(bindparam("weekdays", expanding=True)),
    ),
    select(
        DayHours.caregiver_id, DayHours.on_day, DayHours.starts_minute, DayHours.ends_minute
    ).where(
        _theirs(DayHours.caregiver_id),
        DayHours.on_day.between(bindparam("first"), bindparam("last")),
    ),
    select(Leave.caregiver_id, Leave.starts_at, Leave.ends_at).where(
        _theirs(Leave.caregiver_id), Leave.withdrawn_at.is_(None), _touch(Leave)
    ),
    select(Caregiver.id, Closure.starts_at, Closure.ends_at)
    .join(Closure, Closure.city_code == Caregiver.city_code)
    .where(_theirs(Caregiver.id), _touch(Closure)),
)


def of(
    session: Session, caregiver_ids: Sequence[int], first: date, last: date
) -> dict[int, Calendar]:
    """The calendars of several caregivers for the days from first to last, in four questions."""
    asked = {
        "ids": caregiver_ids,
        "weekdays": _weekdays(first, last),
        "first": first,
        "last": last,
        "since": _midnight(first),
        "until": _midnight(last + timedelta(days=1)),
    }
    weeks, days, leaves, closures = (
        _grouped(session.execute(statement, asked)) for statement in _PARTS
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
    return availability.pace(session.scalars(_CITY, {"city": city_code}).one())


_CITY = select(City).where(City.code == bindparam("city"))


def check_span(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a time that is upside down, begins before today, or ends after a year."""
    if starts_at >= ends_at:
        raise Invalid("error.end_before_start")
    check_day(clock.in_city(starts_at).date())
    check_day(clock.in_city(ends_at - timedelta(minutes=1)).date())
    if ends_at <= clock.now():
        raise Invalid("error.day_is_past")


def check_day(day: date) -> None:
    """Refuse a day that is over, or more than a year ahead."""
    if day < clock.today():
        raise Invalid("error.day_is_past")
    if day > clock.today() + FURTHEST:
        raise Invalid("error.day_too_far", days=FURTHEST.days)


def _checked(stretches: Sequence[Stretch]) -> list[Stretch]:
    if len(stretches) > MOST_STRETCHES:
        raise Invalid("error.too_many_stretches", most=MOST_STRETCHES)
    if any(not 0 <= starts < ends <= availability.MINUTES for starts, ends in stretches):
        raise Invalid("error.end_before_start")
    hours = sorted(stretches)
    if any(first[1] > then[0] for first, then in pairwise(hours)):
        raise Invalid("error.hours_overlap")
    return hours


def _clear(
    session: Session, caregiver_id: int, seen: Mapping[date, tuple[Stretch, ...] | None]
) -> None:
    """Take away the hours days have of their own, if they still are what was seen."""
    if not 1 <= len(seen) <= MOST_DAYS:
        raise Invalid("error.too_many_days", most=MOST_DAYS)
    for day in seen:
        check_day(day)
    now = of(session, [caregiver_id], min(seen), max(seen))[caregiver_id].days
    for day, hours in seen.items():
        if now.get(day) != hours:
            raise Conflict("error.calendar_changed")
    session.execute(
        delete(DayHours).where(DayHours.caregiver_id == caregiver_id, DayHours.on_day.in_(seen))
    )


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    caregiver_id: int,
    days: Iterable[date],
    hours: list[list[int]] | None,
) -> None:
    named = [day.isoformat() for day in sorted(days)]
    audit.record(session, actor, action, "caregiver", caregiver_id, days=named, hours=hours)


def _day(
    plan: Calendar,
    day: date,
    visits: Sequence[Appointment],
    closed: Sequence[Closed],
    special: Mapping[date, DayKind],
) -> DayView:
    begins, ends = _midnight(day), _after(day)
    of_day = tuple(one for one in visits if one.starts_at < ends and one.ends_at > begins)
    taken = [Taken(one.starts_at, one.ends_at, "") for one in of_day]
    return DayView(
        day=day,
        hours=availability.stretches(plan, day),
        own=plan.days.get(day),
        free=tuple(availability.free(plan, taken, begins, ends)),
        leaves=tuple(one for one in plan.leaves if one[0] < ends and one[1] > begins),
        closures=tuple(one for one in closed if one.starts_at < ends and one.ends_at > begins),
        special=special.get(day),
        appointments=of_day,
    )


def _visible_to(actor: Actor) -> Select[Caregiver]:
    """A calendar is kept by whose it is, and by the operators of her city."""
    match actor.role:
        case Role.CAREGIVER:
            return select(Caregiver).where(Caregiver.id == actor.id)
        case Role.OPERATOR:
            return select(Caregiver).where(Caregiver.city_code.in_(actor.cities))
        case _:
            return select(Caregiver).where(false())


def _grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _weekdays(first: date, last: date) -> set[int]:
    return {(first + timedelta(days=number)).weekday() for number in range((last - first).days + 1)}


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


def _after(day: date) -> datetime:
    return _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.CITY_TIME)
