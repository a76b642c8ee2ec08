"""Open plans: plans posted to everybody, and how much of one a caregiver could do."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.cities import City
from data.demands import Demand
from services import catalogue, clock, courses, recurrence, rules, tariffs
from services.availability import Calendar, Obstacle, Taken
from services.courses import Course, Planned, Site
from services.errors import Invalid
from services.pricing import Sheet

# What says when a plan's visits are: a demand, or a row with the columns that do.
Wish = Demand | Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A plan in short: which weekdays (0 = Monday) in every how many weeks, and until when."""

    weekdays: tuple[int, ...]
    weeks: int
    starts_minute: int
    units: int
    until_on: date | None


@dataclass(frozen=True, slots=True)
class Fit:
    """How many of a plan's visits a caregiver could make, as far as it is laid out.

    `skipped` are the days on which she cannot come, `obstacles` why, each with how often; total
    in fen of those she can make.
    """

    visits: int
    fitting: int
    skipped: tuple[date, ...]
    obstacles: Mapping[Obstacle, int]
    total_fen: int


def rhythm(wish: Wish) -> Rhythm | None:
    """A demand's plan in short; None for a single visit."""
    if wish.rule is None:
        return None
    weekdays, weeks = recurrence.parts(wish.rule)
    course = course_of(wish, 0)
    return Rhythm(weekdays, weeks, course.starts_minute, course.units, course.last_on)


def course_of(wish: Wish, price_fen: int) -> Course:
    """The course a demand's plan takes at a price in fen per unit."""
    first = clock.in_city(wish.starts_at)
    return Course(
        rule=wish.rule or "",
        starts_minute=first.hour * 60 + first.minute,
        units=wish.units,
        unit_price_fen=price_fen,
        first_on=first.date(),
        last_on=wish.until_on,
    )


def check(wish_rule: str, starts_at: datetime, until_on: date | None, city: City) -> None:
    """Refuse a rule nobody knows, one that does not begin with its first visit, or is too long."""
    first = clock.in_city(starts_at).date()
    if until_on is not None and until_on < first:
        raise Invalid("error.end_before_start")
    if until_on is not None and until_on - first > recurrence.A_YEAR:
        raise Invalid("error.plan_too_far", days=recurrence.A_YEAR.days)
    if recurrence.first_day(wish_rule, first) != first:
        raise Invalid("error.plan_empty")
    last = until_on or first + timedelta(days=city.plan_ahead_days)
    recurrence.days(wish_rule, first, last)


def fit(laid: Sequence[Planned]) -> Fit:
    """What visits that are laid out come to."""
    free = [one for one in laid if one.obstacle is None]
    return Fit(
        visits=len(laid),
        fitting=len(free),
        skipped=tuple(one.on for one in laid if one.obstacle is not None),
        obstacles=Counter(one.obstacle for one in laid if one.obstacle is not None),
        total_fen=sum(one.price.total_fen for one in free),
    )


def laid(session: Session, caregiver: Caregiver, demand: Demand, price_fen: int) -> list[Planned]:
    """The visits of a demand's plan in a caregiver's time, at a price in fen per unit."""
    city = courses.city_of(session, demand.city_code)
    item = catalogue.named(session, demand.item_id)
    where = Site(city, item, demand.cell, rules.commission_bp(session, city.code, item.id))
    course = course_of(demand, price_fen)
    last = courses.horizon(course, city)
    return courses.lay(
        session, caregiver, where, course, course.first_on, last, booked_at=demand.created_at
    )


def spread(
    wish: Wish,
    price_fen: int,
    city: City,
    plan: Calendar,
    taken: Sequence[Taken],
    sheet: Sheet,
    *,
    ahead: bool = False,
) -> list[Planned]:
    """The same of what was read before, for many at once; `ahead`: only the first weeks of it."""
    course = course_of(wish, price_fen)
    last = courses.horizon(course, city)
    if ahead:
        last = min(last, course.first_on + timedelta(days=city.plan_ahead_days))
    days = recurrence.days(course.rule, course.first_on, last)
    length = wish.ends_at - wish.starts_at
    return courses.spread(
        plan, city, taken, sheet, course, days, length, wish.cell, wish.created_at
    )


def month_fen(wish: Wish, price_fen: int, sheet: Sheet) -> int:
    """What the first 30 days of a plan cost at a price in fen per unit, if all visits are made."""
    length = wish.ends_at - wish.starts_at
    return courses.month_fen(sheet, course_of(wish, price_fen), length, wish.created_at)


def estimate(session: Session, city_code: str, course: Course, hours: int, price_fen: int) -> int:
    """What 30 days of a plan ordered now would cost, of visits so long; public."""
    first = recurrence.first_day(course.rule, course.first_on)
    if first is None:
        raise Invalid("error.plan_empty")
    starts_at, length = recurrence.moment(first, course.starts_minute), timedelta(hours=hours)
    sheet = tariffs.around(session, city_code, starts_at, starts_at + courses.A_MONTH + length)
    priced = Course(
        course.rule, course.starts_minute, course.units, price_fen, first, course.last_on
    )
    return courses.month_fen(sheet, priced, length, clock.now())
