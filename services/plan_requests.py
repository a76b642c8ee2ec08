"""Plan requests: a family sees what a plan would be, and asks one caregiver for it."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.demands import DemandStatus
from data.orders import OrderKind, OrderStatus, VisitStatus
from services import (
    agreements,
    bookings,
    callers,
    calls,
    catalogue,
    clock,
    courses,
    demands,
    gate,
    recurrence,
    rules,
)
from services.access import Actor, Permission
from services.calls import Outcome
from services.courses import Course, Planned, Site
from services.demands import DemandForm
from services.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class PlanForm:
    """Whom a family asks for a plan, for whom, where and by which course."""

    caregiver_id: int
    recipient_id: int
    item_id: int
    district_code: str
    address: str
    course: Course
    place_id: int | None = None
    cell: str | None = None
    words: str = ""


def preview(
    session: Session, actor: Actor, caregiver_id: int, item_id: int, cell: str, course: Course
) -> list[Planned]:
    """Every visit a course would have as far as it is laid out, with what stands in its way."""
    actor.require(Permission.REQUEST_ORDER)
    caregiver = session.get(Caregiver, caregiver_id)
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    item = catalogue.named(session, item_id)
    courses.check(course, item)
    city = courses.city_of(session, caregiver.city_code)
    where = Site(city, item, cell, rules.commission_bp(session, city.code, item.id))
    last = courses.horizon(course, city)
    return courses.lay(session, caregiver, where, course, course.first_on, last, with_others=True)


def request(
    session: Session,
    actor: Actor,
    form: PlanForm,
    request_key: str,
    *,
    customer_id: int | None = None,
) -> int:
    """Ask a caregiver for a plan; all its visits are held until she answers. Returns the order.

    The same request key asks once. What stands in the way must be skipped or moved before.
    """
    actor.require(Permission.REQUEST_ORDER)
    owner_id = callers.acted_for(session, actor, customer_id)
    if (before := bookings.asked_before(session, owner_id, request_key)) is not None:
        return before
    caregiver = bookings.bookable(session, form.caregiver_id, owner_id)
    item, course = catalogue.named(session, form.item_id), form.course
    bookings.check_rate(session, caregiver, item.id, course.unit_price_fen)
    courses.check(course, item)
    first = recurrence.first_day(course.rule, course.first_on)
    if first is None:
        raise Invalid("error.plan_empty")
    demand = demands.store(
        session,
        actor,
        DemandForm(
            recipient_id=form.recipient_id,
            item_id=form.item_id,
            city_code=caregiver.city_code,
            district_code=form.district_code,
            address=form.address,
            starts_at=recurrence.moment(first, course.starts_minute),
            units=course.units,
            lowest_fen=item.lowest_fen,
            highest_fen=course.unit_price_fen,
            place_id=form.place_id,
            cell=form.cell,
            words=form.words,
            rule=course.rule,
            until_on=course.last_on,
        ),
        request_key,
        owner_id,
        DemandStatus.DIRECTED,
    )
    bookings.check_suits(session, caregiver, item, demand.cell)
    gate.hold(session, caregiver.id)
    city = courses.city_of(session, caregiver.city_code)
    order = agreements.begin(
        session,
        demand,
        caregiver.id,
        course.unit_price_fen,
        city,
        status=OrderStatus.REQUESTED,
        kind=OrderKind.MONTHLY,
        answer_until=min(
            clock.now() + timedelta(hours=city.hold_hours),
            demand.starts_at - timedelta(hours=1),
        ),
    )
    where = Site(city, item, demand.cell, order.commission_bp)
    last = courses.horizon(course, city)
    laid = courses.lay(session, caregiver, where, course, course.first_on, last)
    held = VisitStatus.HELD
    visit_ids = courses.place(session, order, caregiver.id, where, course, laid, held)
    bookings.tell_requested(session, actor, demand, order, visit_ids[0])
    calls.mark(session, actor, Outcome.BOOKED, owner_id, order.city_code, order_id=order.id)
    return order.id
