"""Histories: every step an order, its demand and its visits have taken."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from data.accounts import Channel
from data.complaints import Complaint, ExtraTime, Incident
from data.demands import Application
from data.history import Noun, StatusChange
from data.orders import Visit
from data.refunds import Refund
from services import agreements
from services.access import Actor, Permission, Role

_TROUBLES = {
    Noun.COMPLAINT: Complaint,
    Noun.INCIDENT: Incident,
    Noun.EXTRA_TIME: ExtraTime,
    Noun.REFUND: Refund,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an order's history."""

    at: datetime
    noun: Noun
    move: str
    role: Role | None
    channel: Channel


def of_order(session: Session, actor: Actor, order_id: int) -> list[Step]:
    """Every step of an order's life, from its demand on, oldest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    order = agreements.reach(session, actor, order_id)
    visit_ids = select(Visit.id).where(Visit.order_id == order.id)
    application_ids = select(Application.id).where(
        Application.demand_id == order.demand_id, Application.caregiver_id == order.caregiver_id
    )
    of_this_order = (
        ((StatusChange.noun == Noun.ORDER) & (StatusChange.subject_id == order.id))
        | ((StatusChange.noun == Noun.DEMAND) & (StatusChange.subject_id == order.demand_id))
        | ((StatusChange.noun == Noun.VISIT) & StatusChange.subject_id.in_(visit_ids))
        | ((StatusChange.noun == Noun.APPLICATION) & StatusChange.subject_id.in_(application_ids))
        | _of_troubles(visit_ids)
    )
    rows = session.scalars(select(StatusChange).where(of_this_order).order_by(StatusChange.id))
    return [Step(row.created_at, row.noun, row.move, row.role, row.channel) for row in rows]


def _of_troubles(visit_ids: Select[int]) -> ColumnElement[bool]:
    """The steps of complaints, incidents, extra times and refunds of these visits."""
    return or_(
        *(
            (StatusChange.noun == noun)
            & StatusChange.subject_id.in_(select(table.id).where(table.visit_id.in_(visit_ids)))
            for noun, table in _TROUBLES.items()
        )
    )
