"""Deadlines of complaints: who is told that one comes near, and that one has passed."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from data.complaints import UNDECIDED, Complaint
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit
from services import agreements, clock, lifecycles, notices
from services.access import Actor, Permission

AT_ONCE = 200


def chase_due(session: Session, actor: Actor) -> int:
    """Tell the owner what is due soon, and every operator what is overdue, each once.

    Without an owner everybody is told at once. Return how many cases were escalated.
    """
    actor.require(Permission.RUN_JOBS)
    now = clock.now()
    late = _locked(session, Complaint.due_at <= now, Complaint.escalated_at.is_(None))
    for complaint, visit, order in late:
        lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "escalate")
        complaint.escalated_at = now
        named = agreements.facts(order, visit.id) | {"complaint_id": complaint.id}
        kind, about = NoticeKind.COMPLAINT_OVERDUE, _about(complaint)
        notices.tell_operators(session, kind, complaint.city_code, about, **named)
    for complaint, visit, order in _locked(
        session, Complaint.due_soon_at <= now, Complaint.due_at > now
    ):
        named = agreements.facts(order, visit.id) | {"complaint_id": complaint.id}
        kind, about = NoticeKind.COMPLAINT_DUE, _about(complaint)
        if complaint.owner_id is None:
            notices.tell_operators(session, kind, complaint.city_code, about, **named)
        else:
            notices.tell(session, kind, complaint.owner_id, about, **named)
    return len(late)


def _locked(
    session: Session, *which: ColumnElement[bool]
) -> Sequence[tuple[Complaint, Visit, Order]]:
    rows = session.execute(
        select(Complaint, Visit, Order)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(Complaint.status.in_(UNDECIDED), *which)
        .order_by(Complaint.due_at)
        .limit(AT_ONCE)
        .with_for_update(of=Complaint, skip_locked=True)
    ).all()
    return [(*row,) for row in rows]


def _about(complaint: Complaint) -> str:
    """A complaint and its appeal have a deadline each."""
    return f"complaint-{complaint.id}-{complaint.status}"
