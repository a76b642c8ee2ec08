"""Complaints of a visit: one side's words, until an operator says what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from data.complaints import (
    Complaint,
    ComplaintCategory,
    ComplaintStatus,
)
from data.history import Noun
from data.notices import NoticeKind
from data.orders import EndReason, Order, Party, Visit, VisitStatus
from services import agreements, audit, calls, clock, held_pay, lifecycles, notices, visits
from services.access import Actor, Permission, Role
from services.calls import Outcome
from services.errors import Conflict, NotAllowed, NotFound
from services.wording import words

__all__ = ["ComplaintCategory", "ComplaintView"]

# What lies further back is for a phone call, not for a button.
WITHIN = timedelta(days=30)
_BEGUN = (
    VisitStatus.IN_PROGRESS,
    VisitStatus.FINISHED,
    VisitStatus.REDEEMED,
    VisitStatus.MISSED,
)


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """A complaint as this actor may read it: its words only who opened it and the staff.

    One without an outcome that is open no more was taken back.
    """

    id: int
    order_id: int
    visit_id: int
    starts_at: datetime
    by_caregiver: bool
    category: ComplaintCategory
    words: str
    opened_at: datetime
    closed_at: datetime | None
    outcome_words: str
    moves: tuple[str, ...]


def opens_for(status: VisitStatus, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether something can have gone wrong with a visit by now, and not too long ago."""
    now = clock.now()
    begun = status in _BEGUN or (status is VisitStatus.PLANNED and starts_at <= now)
    return begun and now <= ends_at + WITHIN


def categories(
    actor: Actor, end_reason: EndReason | None, ended_by: Party | None
) -> list[ComplaintCategory]:
    """What this actor can complain of; a no-show is contested by whom it is held against."""
    side = Party.CAREGIVER if actor.role is Role.CAREGIVER else Party.CUSTOMER
    contested = end_reason is EndReason.NO_SHOW and ended_by is side
    kinds = [kind for kind in ComplaintCategory if kind is not ComplaintCategory.NO_SHOW]
    return [ComplaintCategory.NO_SHOW, *kinds] if contested else kinds


def lodge(
    session: Session, actor: Actor, visit_id: int, category: ComplaintCategory, said: str
) -> int:
    """Complain of a visit; its pay rests until an operator has closed it. Return its number.

    What the desk writes down is the complaint of the caller.
    """
    actor.require(Permission.COMPLAIN)
    said = words(said, "complaint_words", 500)
    visit = visits.reach(session, actor, visit_id, lock=True)
    if not opens_for(visit.status, visit.starts_at, visit.ends_at):
        raise Conflict("error.complaint_not_now", days=WITHIN.days)
    if category not in categories(actor, visit.end_reason, visit.ended_by):
        raise Conflict("error.no_show_not_yours")
    order = session.get_one(Order, visit.order_id)
    by_id = visit.caregiver_id if actor.role is Role.CAREGIVER else order.customer_id
    open_already = select(Complaint.id).where(
        Complaint.visit_id == visit.id,
        Complaint.opened_by_id == by_id,
        Complaint.status == ComplaintStatus.OPEN,
    )
    if session.scalar(open_already.limit(1)) is not None:
        raise Conflict("error.complaint_open_already")
    complaint = Complaint(
        created_at=clock.now(),
        visit_id=visit.id,
        opened_by_id=by_id,
        category=category,
        words=said,
    )
    session.add(complaint)
    session.flush()
    lifecycles.begin(session, actor, Noun.COMPLAINT, complaint, "open")
    held_pay.hold_back(session, visit)
    audit.record(session, actor, "open_complaint", "visit", visit.id, complaint_id=complaint.id)
    named, about = agreements.facts(order, visit.id), f"complaint-{complaint.id}"
    other_id = ({order.customer_id, visit.caregiver_id} - {by_id}).pop()
    notices.tell(session, NoticeKind.COMPLAINT_OPENED, other_id, about, **named)
    notices.tell_operators(session, NoticeKind.COMPLAINT_OPENED, order.city_code, about, **named)
    calls.mark(
        session, actor, Outcome.COMPLAINED, order.customer_id, order.city_code,
        order_id=order.id, visit_id=visit.id,
    )  # fmt: skip
    return complaint.id


def open_of(session: Session, actor: Actor, customer_id: int) -> list[ComplaintView]:
    """The open complaints of one customer's visits that this actor may know of, newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(
        _visible_to(actor)
        .add_columns(Visit, Order)
        .where(Order.customer_id == customer_id, Complaint.status == ComplaintStatus.OPEN)
        .order_by(Complaint.id.desc())
    )
    return [_view(actor, *row) for row in rows]


def take_back(session: Session, actor: Actor, complaint_id: int) -> None:
    """Let one's own complaint rest; the desk does it for the caller whose it is."""
    actor.require(Permission.COMPLAIN)
    complaint, visit, order = _reach(session, actor, complaint_id)
    if not _is_mine(actor, complaint, visit):
        raise NotAllowed("error.not_your_complaint")
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "take_back")
    _end(session, actor, complaint, visit, order, "take_back_complaint")


def close(session: Session, actor: Actor, complaint_id: int, outcome_words: str) -> None:
    """Say what came of a complaint; nobody decides on one of their own visits."""
    actor.require(Permission.DECIDE_COMPLAINT)
    outcome_words = words(outcome_words, "outcome_words", 500)
    complaint, visit, order = _reach(session, actor, complaint_id)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "close")
    complaint.outcome_words = outcome_words
    _end(session, actor, complaint, visit, order, "close_complaint")


def of_orders(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[ComplaintView]:
    """The complaints of these orders that this actor may know of, newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(_of_orders(actor), {"orders": order_ids})
    return [_view(actor, *row) for row in rows]


# Asked with every list of orders: writing it takes longer than the answer.
@lru_cache(maxsize=1000)
def _of_orders(actor: Actor) -> Select[Complaint, Visit, Order]:
    return (
        _visible_to(actor)
        .add_columns(Visit, Order)
        .where(Visit.order_id.in_(bindparam("orders", expanding=True)))
        .order_by(Complaint.id.desc())
    )


def contests(session: Session, visit_id: int) -> Sequence[int]:
    """The open complaints that contest a visit's no-show."""
    return session.scalars(
        select(Complaint.id).where(
            Complaint.visit_id == visit_id,
            Complaint.category == ComplaintCategory.NO_SHOW,
            Complaint.status == ComplaintStatus.OPEN,
        )
    ).all()


def let_go_if_settled(session: Session, visit: Visit) -> None:
    """Once nothing is amiss with a visit any more, what was held back of it is due again."""
    session.flush()
    if not held_pay.resting(session, [visit.id]):
        held_pay.let_go(session, visit)


def _end(
    session: Session, actor: Actor, complaint: Complaint, visit: Visit, order: Order, deed: str
) -> None:
    complaint.closed_at = clock.now()
    let_go_if_settled(session, visit)
    audit.record(session, actor, deed, "visit", visit.id, complaint_id=complaint.id)
    sides = sorted({order.customer_id, visit.caregiver_id} - {actor.id})
    notices.tell_all(
        session,
        NoticeKind.COMPLAINT_CLOSED,
        sides,
        f"complaint-{complaint.id}",
        **agreements.facts(order, visit.id),
    )


def _view(actor: Actor, complaint: Complaint, visit: Visit, order: Order) -> ComplaintView:
    mine = _is_mine(actor, complaint, visit)
    moves = set(lifecycles.open_moves(Noun.COMPLAINT, complaint.status, actor))
    if not mine:
        moves.discard("take_back")
    if actor.id in (visit.caregiver_id, order.customer_id):
        moves.discard("close")
    reads = mine or actor.role in (Role.DESK, Role.OPERATOR)
    return ComplaintView(
        id=complaint.id,
        order_id=visit.order_id,
        visit_id=visit.id,
        starts_at=visit.starts_at,
        by_caregiver=complaint.opened_by_id == visit.caregiver_id,
        category=complaint.category,
        words=complaint.words if reads else "",
        opened_at=complaint.created_at,
        closed_at=complaint.closed_at,
        outcome_words=complaint.outcome_words,
        moves=tuple(sorted(moves)),
    )


def _is_mine(actor: Actor, complaint: Complaint, visit: Visit) -> bool:
    """Whether this actor speaks for the side that complained."""
    if actor.role is Role.DESK:
        return complaint.opened_by_id != visit.caregiver_id
    return complaint.opened_by_id == actor.id


def _reach(session: Session, actor: Actor, complaint_id: int) -> tuple[Complaint, Visit, Order]:
    complaint = session.scalar(
        _visible_to(actor).where(Complaint.id == complaint_id).with_for_update(of=Complaint)
    )
    if complaint is None:
        raise NotFound("error.complaint_not_found")
    visit = session.get_one(Visit, complaint.visit_id)
    return complaint, visit, session.get_one(Order, visit.order_id)


def _visible_to(actor: Actor) -> Select[Complaint]:
    """Both sides' of their own visits, and the staff's of their cities'."""
    return (
        select(Complaint)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(visits.are_visible_to(actor))
    )
