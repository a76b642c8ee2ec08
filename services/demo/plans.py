"""Plans of the demo: one that runs, with days on which others come; and one that rests."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from data.orders import Visit, VisitStatus
from services import (
    bookings,
    calendars,
    clock,
    plan_requests,
    plans,
    recurrence,
    stand_ins,
    substitutes,
)
from services.availability import Taken
from services.courses import Course, Planned
from services.demo.cast import Carer
from services.demo.plan import Wish
from services.demo.story import Episode, World, address
from services.plan_requests import PlanForm

RUNS, RESTS = (0, 2, 4), (1, 3)
WEEKS = timedelta(weeks=5)
DAY_OFF = 7  # Which visit of the plan that runs falls on a day of the caregiver's own.
STARTS_MINUTE = 15 * 60 + 30


def runs(world: World, wish: Wish) -> Episode:
    """Every second day of the week; the second visit waits for a substitute's answer.

    On a later day she is off, and somebody else is sought.
    """
    order_id = yield from _agreed(world, wish, RUNS, day_off=DAY_OFF)
    yield world.now - timedelta(minutes=20)
    visit_id = _second_visit(world, order_id)
    [asked, *_] = stand_ins.for_visit(world.session, world.operator, visit_id)
    substitutes.ask(world.session, world.operator, visit_id, asked.id)


def rests(world: World, wish: Wish) -> Episode:
    """Twice a week, paused from the next week on: the father is away."""
    order_id = yield from _agreed(world, wish, RESTS)
    yield world.now - timedelta(minutes=50)
    from_on = clock.today() + timedelta(days=7)
    plans.pause(world.session, wish.family.actor, order_id, from_on)


def _second_visit(world: World, order_id: int) -> int:
    """The second visit that a plan has planned."""
    planned = select(Visit.id).where(
        Visit.order_id == order_id, Visit.status == VisitStatus.PLANNED
    )
    return world.session.scalars(planned.order_by(Visit.starts_at).offset(1).limit(1)).one()


def _agreed(
    world: World, wish: Wish, weekdays: tuple[int, ...], *, day_off: int | None = None
) -> Episode:
    """Asked of the dearest who can come each time, so that others could stand in; accepted."""
    session, family = world.session, wish.family
    able = sorted(
        (one for one in world.carers if wish.item.id in one.rates),
        key=lambda one: (-one.rates[wish.item.id], one.id),
    )
    carer, course = next(
        (one, course)
        for one in able
        if one.can(wish.item, wish.cell, wish.span)
        for course in [_course(wish, one, weekdays)]
        if not any(visit.obstacle for visit in _laid(world, wish, one, course))
    )
    laid = _laid(world, wish, carer, course)
    carer.taken += [Taken(one.starts_at, one.ends_at, wish.cell) for one in laid]
    if day_off is not None:
        course = _with_day_off(world, carer, course, laid[day_off].on)
    home = family.home
    form = PlanForm(
        caregiver_id=carer.id,
        recipient_id=wish.cared_for.id,
        item_id=wish.item.id,
        district_code=wish.place.district_code if wish.place else home.district_code,
        address=address(wish),
        course=course,
        place_id=wish.place.id if wish.place else None,
        cell=None if wish.place else home.cell,
        words=wish.said,
    )
    order_id = plan_requests.request(
        session, family.actor, form, wish.key, customer_id=family.called_for
    )
    yield world.later(10, 40)
    bookings.accept(session, carer.actor, order_id)
    return order_id


def _with_day_off(world: World, carer: Carer, course: Course, day: date) -> Course:
    """The same course, with somebody else on a day that the caregiver keeps to herself."""
    calendars.set_days(world.session, carer.actor, carer.id, {day: None}, ())
    midnight = recurrence.moment(day, 0)
    carer.taken.append(Taken(midnight, midnight + timedelta(days=1), carer.cell))
    return replace(course, stand_ins=frozenset((day,)))


def _course(wish: Wish, carer: Carer, weekdays: tuple[int, ...]) -> Course:
    first = clock.in_city(wish.starts_at).date()
    return Course(
        rule=recurrence.weekly(weekdays, 1, first),
        starts_minute=STARTS_MINUTE,
        units=wish.units,
        unit_price_fen=carer.rates[wish.item.id],
        first_on=first,
        last_on=first + WEEKS,
    )


def _laid(world: World, wish: Wish, carer: Carer, course: Course) -> list[Planned]:
    return plan_requests.preview(
        world.session, wish.family.actor, carer.id, wish.item.id, wish.cell, course
    )
