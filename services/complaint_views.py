"""Complaints as those read them who have a part in them: both sides, the desk, the operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from data.complaints import UNDECIDED, Complaint, ComplaintCategory, ComplaintStatus
from data.exclusions import Exclusion
from data.history import Noun
from data.orders import Order, Party, Visit
from data.points import PenaltyPoints, PointsStatus
from data.refunds import Refund, RefundStatus
from services import clock, complaint_rules, complaints, lifecycles
from services.access import Actor, Permission, Role
from services.exclusions import Scope, scope_of

__all__ = ["ComplaintStatus", "Party"]

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Exclusive:
    """That somebody is kept apart or out, until a day (None: for good), unless it was lifted."""

    id: int
    scope: Scope
    last_day: date | None
    lifted: bool


@dataclass(frozen=True, slots=True)
class Measures:
    """What came of a complaint besides words; points that were lifted count no more.

    The family and the staff read a refund in fen, the caregiver her part of it.
    """

    refund_fen: int
    apology: bool
    points: int
    exclusions: tuple[Exclusive, ...]


@dataclass(frozen=True, slots=True)
class Appeal:
    """That a side did not accept the outcome, and what came of that (None: it is open).

    `same_judge`: the city had nobody else to decide it.
    """

    by: Party
    words: str
    upheld: bool | None
    outcome_words: str
    same_judge: bool


@dataclass(frozen=True, slots=True)
class ComplaintView:
    """A complaint as this actor may read it.

    Its words, and those of an appeal, only the side whose they are and the staff. Without an
    outcome one that is undecided no more was taken back.
    """

    id: int
    order_id: int
    visit_id: int
    starts_at: datetime
    by: Party
    category: ComplaintCategory
    status: ComplaintStatus
    words: str
    opened_at: datetime
    due_at: datetime
    escalated: bool
    closed_at: datetime | None
    outcome_words: str
    measures: Measures
    appeal: Appeal | None
    appeal_until: datetime | None
    concerned: bool
    moves: tuple[str, ...]

    @property
    def undecided(self) -> bool:
        return self.status in UNDECIDED

    @property
    def current(self) -> bool:
        """Whether something is still to come of it: a decision, or perhaps an appeal."""
        return self.undecided or self.appeal_until is not None


def current(session: Session, actor: Actor) -> list[ComplaintView]:
    """The complaints this actor may know of that are not over yet, newest first."""
    actor.require(Permission.COMPLAIN)
    appealable = and_(
        Complaint.decided_by_id.is_not(None),
        Complaint.appealed_by.is_(None),
        Complaint.closed_at >= clock.now() - complaint_rules.LONGEST_APPEAL,
    )
    rows = session.execute(
        complaints.visible_to(actor)
        .add_columns(Visit, Order)
        .where(or_(Complaint.status.in_(UNDECIDED), appealable))
        .order_by(Complaint.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    found = views(session, actor, [(*row,) for row in rows])
    return [one for one in found if one.current]


def open_of(session: Session, actor: Actor, customer_id: int) -> list[ComplaintView]:
    """The undecided complaints of one customer's visits that this actor may know of."""
    actor.require(Permission.FOLLOW_ORDERS)
    query = complaints.visible_to(actor).add_columns(Visit, Order)
    undecided = Order.customer_id == customer_id, Complaint.status.in_(UNDECIDED)
    rows = session.execute(query.where(*undecided).order_by(Complaint.id.desc())).all()
    return views(session, actor, [(*row,) for row in rows])


def of_orders(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[ComplaintView]:
    """The complaints of these orders that this actor may know of, newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(_of_orders(actor), {"orders": order_ids}).all()
    return views(session, actor, [(*row,) for row in rows])


# Asked with every list of orders: writing it takes longer than the answer.
@lru_cache(maxsize=1000)
def _of_orders(actor: Actor) -> Select[Complaint, Visit, Order]:
    return (
        complaints.visible_to(actor)
        .add_columns(Visit, Order)
        .where(Visit.order_id.in_(bindparam("orders", expanding=True)))
        .order_by(Complaint.id.desc())
    )


def views(
    session: Session, actor: Actor, rows: Sequence[tuple[Complaint, Visit, Order]]
) -> list[ComplaintView]:
    """These complaints, with what came of them asked at once."""
    decided = [one.id for one, _, _ in rows if one.decided_by_id is not None]
    points = _points(session, decided) if decided else {}
    apart = _exclusions(session, decided) if decided else {}
    given = _refunds(session, decided) if decided else {}
    found = list[ComplaintView]()
    for complaint, visit, order in rows:
        side = complaints.side_of(actor)
        named = [one for one in apart.get(complaint.id, ()) if _may_know(one, side)]
        whole_fen, hers_fen = given.get(complaint.id, (0, 0))
        measures = Measures(
            hers_fen if side is Party.CAREGIVER else whole_fen,
            complaint.apology,
            points.get(complaint.id, 0),
            tuple(
                Exclusive(one.id, scope_of(one), one.last_day, one.lifted_at is not None)
                for one in named
            ),
        )
        found.append(_view(session, actor, complaint, visit, order, measures))
    return found


def _view(
    session: Session,
    actor: Actor,
    complaint: Complaint,
    visit: Visit,
    order: Order,
    measures: Measures,
) -> ComplaintView:
    side, by = complaints.side_of(actor), complaints.opened_by(complaint, visit)
    concerned = actor.id in (visit.caregiver_id, order.customer_id)
    staff = actor.role in (Role.DESK, Role.OPERATOR)
    until = _appeal_until(session, complaint)
    moves = set(lifecycles.open_moves(Noun.COMPLAINT, complaint.status, actor))
    if by is not side:
        moves.discard("take_back")
    if until is None:
        moves.discard("appeal")
    if side is Party.PLATFORM and concerned:
        moves.clear()
    return ComplaintView(
        id=complaint.id,
        order_id=visit.order_id,
        visit_id=visit.id,
        starts_at=visit.starts_at,
        by=by,
        category=complaint.category,
        status=complaint.status,
        words=complaint.words if by is side or staff else "",
        opened_at=complaint.created_at,
        due_at=complaint.due_at,
        escalated=complaint.escalated_at is not None,
        closed_at=complaint.closed_at,
        outcome_words=complaint.outcome_words,
        measures=measures,
        appeal=_appeal(complaint, reads=complaint.appealed_by is side or staff),
        appeal_until=until,
        concerned=concerned,
        moves=tuple(sorted(moves)),
    )


def _appeal(complaint: Complaint, *, reads: bool) -> Appeal | None:
    if complaint.appealed_by is None:
        return None
    return Appeal(
        complaint.appealed_by,
        complaint.appeal_words if reads else "",
        complaint.appeal_upheld,
        complaint.appeal_outcome_words,
        complaint.appeal_decided_by_id == complaint.decided_by_id,
    )


def _appeal_until(session: Session, complaint: Complaint) -> datetime | None:
    """Until when the outcome can be appealed; None if it cannot, or no more."""
    decided = complaint.decided_by_id is not None and complaint.closed_at is not None
    if not decided or complaint.appealed_by is not None or complaint.closed_at is None:
        return None
    until = complaint.closed_at + complaint_rules.of(session, complaint.city_code).appeal_within
    return until if clock.now() <= until else None


def _points(session: Session, complaint_ids: Sequence[int]) -> dict[int, int]:
    rows = session.execute(
        select(PenaltyPoints.complaint_id, func.sum(PenaltyPoints.points))
        .where(
            PenaltyPoints.complaint_id.in_(complaint_ids),
            PenaltyPoints.status != PointsStatus.LIFTED,
        )
        .group_by(PenaltyPoints.complaint_id)
    )
    return {complaint_id or 0: int(total) for complaint_id, total in rows}


def _refunds(session: Session, complaint_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """What was given back for each, and how much of that by the caregiver, in fen."""
    rows = session.execute(
        select(Refund.complaint_id, func.sum(Refund.amount_fen), func.sum(Refund.caregiver_fen))
        .where(Refund.complaint_id.in_(complaint_ids), Refund.status == RefundStatus.GRANTED)
        .group_by(Refund.complaint_id)
    )
    return {complaint_id or 0: (int(whole), int(hers)) for complaint_id, whole, hers in rows}


def _exclusions(session: Session, complaint_ids: Sequence[int]) -> dict[int, list[Exclusion]]:
    found: dict[int, list[Exclusion]] = {}
    for one in session.scalars(
        select(Exclusion).where(Exclusion.complaint_id.in_(complaint_ids)).order_by(Exclusion.id)
    ):
        found.setdefault(one.complaint_id or 0, []).append(one)
    return found


def _may_know(one: Exclusion, side: Party) -> bool:
    """Who is kept out is known to them and the operators; that two are kept apart, to both."""
    named = {
        Party.CUSTOMER: one.customer_id is not None,
        Party.CAREGIVER: one.caregiver_id is not None,
        Party.PLATFORM: True,
    }
    return named[side]
