"""Assignments: an open demand is given to a caregiver, who applied for it or is asked."""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand
from data.history import Noun
from data.notices import NoticeKind
from data.orders import OrderStatus, VisitStatus
from services import (
    agreements,
    applications,
    availability,
    bookings,
    calendars,
    clock,
    demands,
    gate,
    lifecycles,
    notices,
    price_bounds,
)
from services.access import Actor, Permission
from services.availability import Obstacle, Taken
from services.errors import Conflict


@dataclass(frozen=True, slots=True)
class Assigned:
    """The order that arose; it stands at once if she had applied, else she is asked."""

    order_id: int
    asked: bool


def assign(session: Session, actor: Actor, demand_id: int, caregiver_id: int) -> Assigned:
    """Give an open demand for one visit to a caregiver, at her price, through the gate.

    Whoever applied for it gets the order; of anybody else the time is held until she answers. Her
    no gives the demand back to the task hall, where those who applied still wait.
    """
    actor.require(Permission.DISPATCH)
    demand = demands.locked(session, actor, demand_id)
    if demand.rule is not None:
        raise Conflict("error.plans_are_chosen")
    if demand.starts_at <= clock.now():
        raise Conflict("error.start_in_past")
    lifecycles.target(Noun.DEMAND, "ask", demand.status, actor)
    caregiver = bookings.bookable(session, caregiver_id, demand.customer_id)
    if caregiver.city_code != demand.city_code:
        raise Conflict("error.caregiver_too_far")
    gate.hold(session, caregiver.id)
    if met := obstacle(session, caregiver, demand):
        raise Conflict(f"error.obstacle_{met}")
    application_id = session.scalar(
        select(Application.id).where(
            Application.demand_id == demand.id,
            Application.caregiver_id == caregiver.id,
            Application.status == ApplicationStatus.SUBMITTED,
        )
    )
    if application_id is not None:
        return Assigned(applications.approve(session, actor, application_id), asked=False)
    return Assigned(_ask(session, actor, demand, caregiver), asked=True)


def obstacle(session: Session, caregiver: Caregiver, demand: Demand) -> Obstacle | None:
    """Why she cannot come at a demand's time; that it is at short notice is for her to say."""
    wanted = Taken(demand.starts_at, demand.ends_at, demand.cell)
    plan = calendars.around(session, [caregiver.id], demand.starts_at, demand.ends_at)
    week = demand.starts_at - calendars.A_WEEK, demand.ends_at + calendars.A_WEEK
    taken = gate.taken(session, caregiver.id, *week)
    pace = replace(calendars.rules(session, caregiver.city_code), notice=timedelta())
    return availability.obstacle(plan[caregiver.id], pace, taken, wanted)


def _ask(session: Session, actor: Actor, demand: Demand, caregiver: Caregiver) -> int:
    item = session.get_one(CareItem, demand.item_id)
    bookings.check_suits(session, caregiver, item, demand.cell)
    if demand.wished_sex not in (None, caregiver.sex):
        raise Conflict("error.caregiver_of_other_sex")
    asked_fen = price_bounds.asked(session, caregiver, item.id)
    if asked_fen is None:
        raise Conflict("error.caregiver_does_not_offer")
    if asked_fen > demand.highest_fen:
        raise Conflict("error.caregiver_asks_more")
    lifecycles.take(session, actor, Noun.DEMAND, demand, "ask")
    city = session.scalars(select(City).where(City.code == demand.city_code)).one()
    order = agreements.begin(
        session,
        demand,
        caregiver.id,
        max(asked_fen, demand.lowest_fen),
        city,
        status=OrderStatus.REQUESTED,
        answer_until=min(clock.now() + timedelta(hours=city.hold_hours), demand.starts_at),
    )
    visit_id = agreements.place_visit(session, order, demand, VisitStatus.HELD)
    lifecycles.begin(session, actor, Noun.ORDER, order, "request")
    facts, about = agreements.facts(order, visit_id), f"order-{order.id}"
    notices.tell(session, NoticeKind.REQUEST_RECEIVED, caregiver.id, about, **facts)
    return order.id
