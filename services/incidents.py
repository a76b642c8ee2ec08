"""Incidents: what happened to somebody or something during a visit, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from data.complaints import Incident, IncidentKind, IncidentStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from services import (
    agreements,
    audit,
    clock,
    complaints,
    held_pay,
    lifecycles,
    notices,
    visits,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotFound
from services.wording import words

__all__ = ["IncidentKind", "IncidentView"]

_DURING = (VisitStatus.IN_PROGRESS, VisitStatus.FINISHED)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as this actor may read it: the family reads its kind and its outcome only."""

    id: int
    order_id: int
    visit_id: int
    starts_at: datetime
    kind: IncidentKind
    words: str
    reported_at: datetime
    closed_at: datetime | None
    outcome_words: str
    moves: tuple[str, ...]


def opens_for(status: VisitStatus) -> bool:
    """Whether a visit goes on or has just been made."""
    return status in _DURING


def report(session: Session, actor: Actor, visit_id: int, kind: IncidentKind, said: str) -> int:
    """Tell the operators at once what happened; the pay rests until they have closed it.

    The family is not told by a notice: the operator calls them. Return the incident's number.
    """
    actor.require(Permission.WORK_VISIT)
    said = words(said, "incident_words", 500)
    visit = visits.reach(session, actor, visit_id, lock=True)
    if not opens_for(visit.status):
        raise Conflict("error.incident_not_now")
    open_already = select(Incident.id).where(
        Incident.visit_id == visit.id,
        Incident.kind == kind,
        Incident.status == IncidentStatus.REPORTED,
    )
    if session.scalar(open_already.limit(1)) is not None:
        raise Conflict("error.incident_open_already")
    order = session.get_one(Order, visit.order_id)
    incident = Incident(
        created_at=clock.now(),
        visit_id=visit.id,
        reported_by_id=visit.caregiver_id,
        kind=kind,
        words=said,
    )
    session.add(incident)
    session.flush()
    lifecycles.begin(session, actor, Noun.INCIDENT, incident, "report")
    held_pay.hold_back(session, visit)
    audit.record(session, actor, "report_incident", "visit", visit.id, incident_id=incident.id)
    notices.tell_operators(
        session,
        NoticeKind.INCIDENT_REPORTED,
        order.city_code,
        f"incident-{incident.id}",
        **agreements.facts(order, visit.id),
    )
    return incident.id


def close(session: Session, actor: Actor, incident_id: int, outcome_words: str) -> None:
    """Say what was done about an incident; family and caregiver are told and read it."""
    actor.require(Permission.DECIDE_COMPLAINT)
    outcome_words = words(outcome_words, "outcome_words", 500)
    incident = session.scalar(
        _visible_to(actor).where(Incident.id == incident_id).with_for_update(of=Incident)
    )
    if incident is None:
        raise NotFound("error.incident_not_found")
    visit = session.get_one(Visit, incident.visit_id)
    order = session.get_one(Order, visit.order_id)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.take(session, actor, Noun.INCIDENT, incident, "close")
    incident.outcome_words, incident.closed_at = outcome_words, clock.now()
    complaints.let_go_if_settled(session, visit)
    audit.record(session, actor, "close_incident", "visit", visit.id, incident_id=incident.id)
    notices.tell_all(
        session,
        NoticeKind.INCIDENT_CLOSED,
        [order.customer_id, visit.caregiver_id],
        f"incident-{incident.id}",
        **agreements.facts(order, visit.id),
    )


def of_orders(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[IncidentView]:
    """The incidents of these orders that this actor may know of, newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(_of_orders(actor), {"orders": order_ids})
    return [_view(actor, *row) for row in rows]


# Asked with every list of orders: writing it takes longer than the answer.
@lru_cache(maxsize=1000)
def _of_orders(actor: Actor) -> Select[Incident, Visit, Order]:
    return (
        _visible_to(actor)
        .add_columns(Visit, Order)
        .where(Visit.order_id.in_(bindparam("orders", expanding=True)))
        .order_by(Incident.id.desc())
    )


def _view(actor: Actor, incident: Incident, visit: Visit, order: Order) -> IncidentView:
    concerned = actor.id in (visit.caregiver_id, order.customer_id)
    moves = lifecycles.open_moves(Noun.INCIDENT, incident.status, actor)
    return IncidentView(
        id=incident.id,
        order_id=visit.order_id,
        visit_id=visit.id,
        starts_at=visit.starts_at,
        kind=incident.kind,
        words="" if actor.role is Role.CUSTOMER else incident.words,
        reported_at=incident.created_at,
        closed_at=incident.closed_at,
        outcome_words=incident.outcome_words,
        moves=() if concerned else moves,
    )


def _visible_to(actor: Actor) -> Select[Incident]:
    """Both sides' of their own visits, and the staff's of their cities'."""
    return (
        select(Incident)
        .join(Visit, Visit.id == Incident.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(visits.are_visible_to(actor))
    )
