"""Refunds: an operator gives a family back what a visit cost, in part or whole, and says who pays.

What was booked before stays as it is. A refund by mistake is taken back, with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.complaints import Complaint, ExtraTime, ExtraTimeStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from data.refunds import Refund, RefundStatus
from services import (
    agreements,
    audit,
    clock,
    held_pay,
    lifecycles,
    notices,
    pay,
    pricing,
    visits,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["RefundStatus", "RefundView", "Refundable"]

MOST_WORDS = 300
_CALLED_OFF = VisitStatus.CANCELLED, VisitStatus.MISSED


@dataclass(frozen=True, slots=True)
class Refundable:
    """What a visit was charged, and earned its caregiver, less what was given back, in fen."""

    visit_id: int
    charged_fen: int
    left_fen: int
    pay_left_fen: int


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund as this actor may read it: a family is not told who pays, the caregiver her part."""

    id: int
    order_id: int
    visit_id: int
    starts_at: datetime
    amount_fen: int
    caregiver_fen: int
    words: str
    granted_at: datetime
    granted_by: str
    complaint_id: int | None
    status: RefundStatus
    taken_back_at: datetime | None
    reversal_words: str
    moves: tuple[str, ...]

    @property
    def platform_fen(self) -> int:
        """What we pay of it."""
        return self.amount_fen - self.caregiver_fen


def left(session: Session, actor: Actor, visit_id: int) -> Refundable:
    """What of a visit can still be given back, and how much of that by its caregiver."""
    actor.require(Permission.REFUND)
    visit = visits.reach(session, actor, visit_id)
    return _left(session, visit, session.get_one(Order, visit.order_id))


def grant(
    session: Session,
    actor: Actor,
    visit_id: int,
    amount_fen: int,
    caregiver_fen: int,
    reason_words: str,
    *,
    complaint_id: int | None = None,
    request_key: str,
) -> int:
    """Give a family back an amount of what a visit cost, the caregiver's part of it by her.

    The same request key grants once. Nobody refunds a visit of their own. Return the refund's id.
    """
    actor.require(Permission.REFUND)
    reason_words = words(reason_words, "reason", MOST_WORDS)
    visit = visits.reach(session, actor, visit_id, lock=True)
    same = select(Refund.id).where(
        Refund.granted_by_id == actor.id, Refund.request_key == request_key
    )
    if (before := session.scalar(same)) is not None:
        return before
    order = session.get_one(Order, visit.order_id)
    visits.check_not_concerned(actor, visit, order)
    _check(_left(session, visit, order), amount_fen, caregiver_fen)
    _check_complaint(session, visit, complaint_id)
    refund = Refund(
        created_at=clock.now(),
        visit_id=visit.id,
        complaint_id=complaint_id,
        amount_fen=amount_fen,
        caregiver_fen=caregiver_fen,
        words=reason_words,
        granted_by_id=actor.id,
        request_key=request_key,
    )
    session.add(refund)
    session.flush()
    lifecycles.begin(session, actor, Noun.REFUND, refund, "grant")
    pay.book_refunded(session, order, visit, refund)
    audit.record(
        session, actor, "grant_refund", "visit", visit.id,
        refund_id=refund.id, amount=amount_fen, hers=caregiver_fen,
    )  # fmt: skip
    _tell(session, NoticeKind.REFUND_GRANTED, order, visit, refund)
    return refund.id


def take_back(session: Session, actor: Actor, refund_id: int, said: str) -> None:
    """Take back a refund that was granted by mistake, once: everybody stands as before it."""
    actor.require(Permission.REFUND)
    said = words(said, "reason", MOST_WORDS)
    found = session.scalar(_visible_to(actor).where(Refund.id == refund_id))
    if found is None:
        raise NotFound("error.refund_not_found")
    visit = visits.reach(session, actor, found.visit_id, lock=True)
    refund = session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)
    order = session.get_one(Order, visit.order_id)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.take(session, actor, Noun.REFUND, refund, "take_back")
    refund.taken_back_at, refund.reversal_words = clock.now(), said
    session.flush()
    rests = not pay.is_released(session, visit) or held_pay.resting(session, [visit.id])
    pay.book_refund_reversed(session, order, visit, refund, frozen=bool(rests))
    audit.record(session, actor, "take_back_refund", "visit", visit.id, refund_id=refund.id)
    _tell(session, NoticeKind.REFUND_TAKEN_BACK, order, visit, refund)


def of_orders(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[RefundView]:
    """The refunds of these orders that this actor may know of, newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(_of_orders(actor), {"orders": order_ids})
    return [_view(actor, *row) for row in rows]


def stand_of(session: Session, visit_id: int) -> bool:
    """Whether something of a visit was given back, and not taken back since."""
    return bool(_given(session, visit_id)[0])


# Asked with every list of orders: writing it takes longer than the answer.
@lru_cache(maxsize=1000)
def _of_orders(actor: Actor) -> Select[Refund, Visit, str]:
    return (
        _visible_to(actor)
        .join(Account, Account.id == Refund.granted_by_id)
        .add_columns(Visit, Account.name)
        .where(Visit.order_id.in_(bindparam("orders", expanding=True)))
        .order_by(Refund.id.desc())
    )


def _view(actor: Actor, refund: Refund, visit: Visit, by: str) -> RefundView:
    view = RefundView(
        id=refund.id,
        order_id=visit.order_id,
        visit_id=visit.id,
        starts_at=visit.starts_at,
        amount_fen=refund.amount_fen,
        caregiver_fen=refund.caregiver_fen,
        words=refund.words,
        granted_at=refund.created_at,
        granted_by=by,
        complaint_id=refund.complaint_id,
        status=refund.status,
        taken_back_at=refund.taken_back_at,
        reversal_words=refund.reversal_words,
        moves=lifecycles.open_moves(Noun.REFUND, refund.status, actor),
    )
    match actor.role:
        case Role.CUSTOMER:
            return replace(view, caregiver_fen=0, granted_by="")
        case Role.CAREGIVER:
            return replace(view, amount_fen=view.caregiver_fen, granted_by="")
        case _:
            return view


def _left(session: Session, visit: Visit, order: Order) -> Refundable:
    charged_fen = pay_fen = 0
    if visit.status is VisitStatus.REDEEMED:
        agreed = select(ExtraTime.total_fen, ExtraTime.commission_fen).where(
            ExtraTime.visit_id == visit.id, ExtraTime.status == ExtraTimeStatus.AGREED
        )
        extra_fen, on_extra_fen = session.execute(agreed).one_or_none() or (0, 0)
        charged_fen = visit.total_fen + extra_fen
        pay_fen = visit.pay_fen + extra_fen - on_extra_fen
    elif visit.status in _CALLED_OFF:
        charged_fen = visit.fee_fen
        pay_fen = visit.fee_fen - pricing.share(visit.fee_fen, order.commission_bp)
    given_fen, by_her_fen = _given(session, visit.id)
    return Refundable(visit.id, charged_fen, charged_fen - given_fen, pay_fen - by_her_fen)


def _given(session: Session, visit_id: int) -> tuple[int, int]:
    """What was given back of a visit so far, and how much of that by its caregiver."""
    total, hers = session.execute(
        select(func.sum(Refund.amount_fen), func.sum(Refund.caregiver_fen)).where(
            Refund.visit_id == visit_id, Refund.status == RefundStatus.GRANTED
        )
    ).one()
    return int(total or 0), int(hers or 0)


def _check(left: Refundable, amount_fen: int, caregiver_fen: int) -> None:
    if not left.charged_fen:
        raise Conflict("error.refund_nothing_charged")
    if amount_fen < 1 or not 0 <= caregiver_fen <= amount_fen:
        raise Invalid("error.refund_parts")
    if amount_fen > left.left_fen:
        raise Conflict("error.refund_too_much", left_fen=left.left_fen)
    if caregiver_fen > left.pay_left_fen:
        raise Conflict("error.refund_too_much_of_hers", left_fen=left.pay_left_fen)


def _check_complaint(session: Session, visit: Visit, complaint_id: int | None) -> None:
    of_it = select(Complaint.id).where(Complaint.id == complaint_id, Complaint.visit_id == visit.id)
    if complaint_id is not None and session.scalar(of_it) is None:
        raise NotFound("error.complaint_not_found")


def _tell(session: Session, kind: NoticeKind, order: Order, visit: Visit, refund: Refund) -> None:
    """The family, and the caregiver if she pays: she is told her part."""
    about, named = f"refund-{refund.id}", agreements.facts(order, visit.id)
    notices.tell(session, kind, order.customer_id, about, **named, price_fen=refund.amount_fen)
    if refund.caregiver_fen:
        hers = {"price_fen": refund.amount_fen, "pay_fen": refund.caregiver_fen}
        notices.tell(session, kind, visit.caregiver_id, about, **named, **hers)


def _visible_to(actor: Actor) -> Select[Refund]:
    """The family's and the staff's of their cities; the caregiver's own if she pays of them."""
    found = (
        select(Refund)
        .join(Visit, Visit.id == Refund.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(visits.are_visible_to(actor))
    )
    return found.where(Refund.caregiver_fen > 0) if actor.role is Role.CAREGIVER else found
