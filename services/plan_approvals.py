"""Plan approvals: an applicant is chosen for a plan, and all its visits that fit are made."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.cities import City
from data.demands import Application, Demand
from data.history import Noun
from data.orders import OrderKind, OrderStatus, VisitStatus
from services import agreements, courses, gate, ledger, lifecycles, open_plans, waiting_lists
from services.access import Actor, Permission
from services.errors import Conflict


def approve(
    session: Session,
    actor: Actor,
    application: Application,
    demand: Demand,
    city: City,
    seen: Sequence[date] | None,
) -> int:
    """The order of a plan with its visits, but on the days on which she cannot come."""
    actor.require(Permission.DECIDE_APPLICATION)
    gate.hold(session, application.caregiver_id)
    caregiver = session.get_one(Caregiver, application.caregiver_id)
    laid = open_plans.laid(session, caregiver, demand, application.price_fen)
    free = [one for one in laid if one.obstacle is None]
    skipped = [one.on for one in laid if one.obstacle is not None]
    if not free:
        raise Conflict("error.plan_fits_nowhere")
    if seen is not None and list(seen) != skipped:
        raise Conflict("error.plan_fit_changed", fitting=len(free), all=len(laid))
    order = agreements.begin(
        session,
        demand,
        caregiver.id,
        application.price_fen,
        city,
        status=OrderStatus.CONFIRMED,
        kind=OrderKind.MONTHLY,
    )
    order.decline_until = agreements.free_until(city, free[0].starts_at)
    course = open_plans.course_of(demand, application.price_fen)
    course = replace(course, skipped=frozenset(skipped))
    where = courses.site(session, order)
    planned = VisitStatus.PLANNED
    visit_ids = courses.place(session, order, caregiver.id, where, course, free, planned)
    lifecycles.begin(session, actor, Noun.ORDER, order, "approve")
    waiting_lists.put(session, actor, demand, application.id)
    ledger.book_confirmed(session, order, sum(one.price.total_fen for one in free))
    agreements.tell_confirmed(session, order, visit_ids[0], skipped=skipped)
    return order.id
