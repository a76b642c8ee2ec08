"""Courses: the visits a plan's rule makes of a caregiver's time, and what stands in their way."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.cities import City
from data.demands import Demand
from data.orders import ASIDE, Order, Segment, Visit, VisitStatus
from services import (
    availability,
    calendars,
    catalogue,
    clock,
    gate,
    pricing,
    recurrence,
    tariffs,
)
from services.availability import Calendar, Obstacle, Taken
from services.errors import Conflict, Invalid
from services.pricing import Price, Sheet

# As many days as the steps of a tariff count.
A_MONTH = timedelta(days=29)


@dataclass(frozen=True, slots=True)
class Course:
    """By which rule visits come, from which minute of the day, at what price in fen per unit.

    Without a last day it goes on until somebody ends it. Days skipped are left out; days moved
    begin at a minute of their own; on days of stand-ins somebody else comes if she cannot.
    """

    rule: str
    starts_minute: int
    units: int
    unit_price_fen: int
    first_on: date
    last_on: date | None
    skipped: frozenset[date] = frozenset()
    moved: Mapping[date, int] = field(default_factory=dict)
    stand_ins: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """What all visits of an order have in common: the care, the place and the city's share."""

    city: City
    item: CareItem
    cell: str
    commission_bp: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A visit that is not made yet: its price, and what stands in its way, if anything.

    For one in the way, `other_minutes` are those from which on she could come that day. For one
    that somebody else shall make, nothing stands in the way.
    """

    on: date
    starts_at: datetime
    ends_at: datetime
    price: Price
    obstacle: Obstacle | None
    other_minutes: tuple[int, ...] = ()
    by_stand_in: bool = False


def site(session: Session, order: Order) -> Site:
    """What the visits of an order have in common."""
    demand = session.get_one(Demand, order.demand_id)
    city = city_of(session, order.city_code)
    item = catalogue.named(session, order.item_id)
    return Site(city, item, demand.cell, order.commission_bp)


def city_of(session: Session, code: str) -> City:
    """A city by its code."""
    return session.scalars(select(City).where(City.code == code)).one()


def check(course: Course, item: CareItem) -> None:
    """Refuse what is no plan: past, too long, or of too few or too many units."""
    if course.first_on < clock.today():
        raise Invalid("error.start_in_past")
    if course.last_on is not None and course.last_on < course.first_on:
        raise Invalid("error.end_before_start")
    if course.last_on is not None and course.last_on - course.first_on > recurrence.A_YEAR:
        raise Invalid("error.plan_too_far", days=recurrence.A_YEAR.days)
    if not 0 <= course.starts_minute < availability.MINUTES:
        raise Invalid("error.plan_rule_unknown")
    if not item.fewest_units <= course.units <= item.most_units:
        raise Invalid("error.units_out_of_range", fewest=item.fewest_units, most=item.most_units)


def horizon(course: Course, city: City) -> date:
    """Until which day visits are made: the last, or some days ahead of a course without one."""
    ahead = max(clock.today(), course.first_on) + timedelta(days=city.plan_ahead_days)
    return course.last_on or ahead


def lay(
    session: Session,
    caregiver: Caregiver,
    place: Site,
    course: Course,
    first: date,
    last: date,
    *,
    without: Collection[Taken] = (),
    booked_at: datetime | None = None,
    before: Collection[date] = (),
    with_others: bool = False,
) -> list[Planned]:
    """The visits of a course from first to last, each with what stands in its way.

    Visits in `without` are thought away: those that the course shall replace. Those on the days
    `before` it belong to the same plan, and count for its discount. Other minutes of a day are
    looked for only if asked for.
    """
    length = timedelta(hours=course.units * place.item.hours_per_unit)
    skipped = {day.isoformat() for day in course.skipped}
    days = recurrence.days(course.rule, first, last, skipped)
    if not days:
        return []
    begins = recurrence.moment(days[0], 0)
    ends = recurrence.moment(days[-1], availability.MINUTES) + length
    plan = calendars.around(session, [caregiver.id], begins, ends)[caregiver.id]
    taken = gate.taken(session, caregiver.id, begins - calendars.A_WEEK, ends + calendars.A_WEEK)
    taken = sorted(one for one in taken if one not in without)
    sheet = tariffs.around(session, place.city.code, begins, ends)
    return spread(
        plan,
        place.city,
        taken,
        sheet,
        course,
        days,
        length,
        place.cell,
        booked_at or clock.now(),
        commission_bp=place.commission_bp,
        before=before,
        with_others=with_others,
    )


def spread(
    plan: Calendar,
    city: City,
    taken: Sequence[Taken],
    sheet: Sheet,
    course: Course,
    days: Sequence[date],
    length: timedelta,
    cell: str,
    booked_at: datetime,
    *,
    commission_bp: int = 0,
    before: Collection[date] = (),
    with_others: bool = False,
) -> list[Planned]:
    """A visit on each of these days, with its price and what stands in its way, of what was read.

    Other minutes of a day are looked for only if asked for.
    """
    # A plan may go on for longer than single visits are booked ahead.
    rules = replace(availability.pace(city), horizon=2 * recurrence.A_YEAR)
    often, busy = visits_in_30_days(course, before), list(taken)
    longest = max(length, *(one.ends_at - one.starts_at for one in taken), timedelta())
    laid = []
    for day in days:
        starts_at = recurrence.moment(day, course.moved.get(day, course.starts_minute))
        wanted = Taken(starts_at, starts_at + length, cell)
        near = _near(busy, wanted, longest)
        met = availability.obstacle(plan, rules, near, wanted)
        others: tuple[int, ...] = ()
        by_stand_in = met is not None and day in course.stand_ins and starts_at > booked_at
        if by_stand_in:
            met = None
        elif met is None:
            insort(busy, wanted)
        elif with_others:
            free = availability.starts(plan, rules, busy, length, cell, day)
            others = tuple(_minute(start) for start in free)
        price = pricing.price(
            sheet,
            course.unit_price_fen,
            course.units,
            starts_at,
            wanted.ends_at,
            commission_bp,
            booked_at,
            visits_in_30_days=often,
        )
        laid.append(Planned(day, starts_at, wanted.ends_at, price, met, others, by_stand_in))
    return laid


def _near(busy: Sequence[Taken], wanted: Taken, longest: timedelta) -> Sequence[Taken]:
    """Of visits sorted by their start those that can stand in the way of one, its week's too."""
    since = wanted.starts_at - calendars.A_WEEK - longest
    until = wanted.ends_at + calendars.A_WEEK
    return busy[bisect_left(busy, since, key=_begins) : bisect_right(busy, until, key=_begins)]


def _begins(one: Taken) -> datetime:
    return one.starts_at


def month_fen(sheet: Sheet, course: Course, length: timedelta, booked_at: datetime) -> int:
    """What all visits of a course's first 30 days cost, in fen."""
    days = _month(course)
    total = 0
    for day in days:
        starts_at = recurrence.moment(day, course.starts_minute)
        total += pricing.price(
            sheet,
            course.unit_price_fen,
            course.units,
            starts_at,
            starts_at + length,
            0,
            booked_at,
            visits_in_30_days=len(days),
        ).total_fen
    return total


def _month(course: Course) -> list[date]:
    """The days of a course that the steps of a tariff count."""
    skipped = {day.isoformat() for day in course.skipped}
    return recurrence.days(course.rule, course.first_on, _month_ends(course), skipped)


def _month_ends(course: Course) -> date:
    return min(course.first_on + A_MONTH, course.last_on or date.max)


def visits_in_30_days(course: Course, before: Collection[date]) -> int:
    """In the first 30 days of a course; of one that ends sooner in the last 30 of its plan."""
    since = _month_ends(course) - A_MONTH
    return len(_month(course)) + sum(since <= day < course.first_on for day in before)


def days_before(session: Session, order_id: int, first_on: date) -> set[date]:
    """The days before a day on which a plan has visits, in the 30 days that count with it."""
    days = select(Visit.occurs_on).where(
        Visit.order_id == order_id,
        Visit.status.not_in(ASIDE),
        Visit.occurs_on >= first_on - A_MONTH,
        Visit.occurs_on < first_on,
    )
    return {day for day in session.scalars(days) if day is not None}


def _minute(moment: datetime) -> int:
    local = clock.in_city(moment)
    return local.hour * 60 + local.minute


def place(
    session: Session,
    order: Order,
    caregiver_id: int,
    where: Site,
    course: Course,
    laid: Sequence[Planned],
    status: VisitStatus,
) -> list[int]:
    """Make a segment of a course, and its visits; return the ids of hers, which must be some.

    Nothing may be in the way.
    """
    if all(one.by_stand_in for one in laid):
        raise Invalid("error.plan_empty")
    if met := [one for one in laid if one.obstacle]:
        raise Conflict("error.plan_clashes", count=len(met), first=met[0].starts_at)
    segment = Segment(
        created_at=clock.now(),
        order_id=order.id,
        caregiver_id=caregiver_id,
        rule=course.rule,
        starts_minute=course.starts_minute,
        units=course.units,
        unit_price_fen=course.unit_price_fen,
        from_on=course.first_on,
        until_on=course.last_on,
        made_until=horizon(course, where.city) + timedelta(days=1),
        skipped=sorted(day.isoformat() for day in course.skipped),
    )
    session.add(segment)
    session.flush()
    return make(session, segment, where, laid, status)


def make(
    session: Session, segment: Segment, where: Site, laid: Sequence[Planned], status: VisitStatus
) -> list[int]:
    """Put a segment's visits into its caregiver's time, but not stand-ins'; return their ids."""
    hers: list[gate.NewVisit] = []
    others: list[gate.NewVisit] = []
    for one in laid:
        (others if one.by_stand_in else hers).append(
            gate.NewVisit(
                one.starts_at,
                one.ends_at,
                where.cell,
                one.price,
                status,
                segment_id=segment.id,
                occurs_on=one.on,
            )
        )
    visit_ids = gate.place(session, segment.order_id, segment.caregiver_id, hers)
    if others:
        gate.leave_unfilled(session, segment.order_id, segment.caregiver_id, others)
    return visit_ids


def of_segment(segment: Segment) -> Course:
    """The course a segment follows."""
    return Course(
        rule=segment.rule,
        starts_minute=segment.starts_minute,
        units=segment.units,
        unit_price_fen=segment.unit_price_fen,
        first_on=segment.from_on,
        last_on=segment.until_on,
        skipped=frozenset(map(date.fromisoformat, segment.skipped)),
    )
