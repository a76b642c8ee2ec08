"""Complaints as operators work through them: a queue by deadline, and who has taken which case."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, AccountRole, AccountStatus, Role
from data.complaints import UNDECIDED, Complaint, ComplaintCategory, ComplaintStatus
from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.orders import Order, Party, Visit
from services import agreements, clock, complaint_views, complaints, lifecycles, notices, visits
from services.access import Actor, Permission
from services.complaint_views import ComplaintView
from services.errors import Invalid

A_PAGE = 25


class Queue(StrEnum):
    """Which cases are shown; the undecided ones by deadline, the decided ones newest first."""

    UNDECIDED = "undecided"
    MINE = "mine"
    UNOWNED = "unowned"
    OVERDUE = "overdue"
    APPEALED = "appealed"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in the queue."""

    id: int
    order_id: int
    item_id: int
    category: ComplaintCategory
    status: ComplaintStatus
    by: Party
    customer_name: str
    caregiver_name: str
    owner_name: str | None
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseStep:
    """Something that was done with a case, and by whom (None: by itself)."""

    move: str
    at: datetime
    role: Role | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A case in full."""

    complaint: ComplaintView
    item_id: int
    customer_name: str
    caregiver_id: int
    caregiver_name: str
    owner_id: int | None
    owner_name: str | None
    total_fen: int
    pay_fen: int
    steps: tuple[CaseStep, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    id: int
    name: str


def counts(
    session: Session, actor: Actor, category: ComplaintCategory | None = None
) -> dict[Queue, int]:
    """How many cases each queue holds, of one category or of all."""
    actor.require(Permission.DECIDE_COMPLAINT)
    here = _here(actor, category)
    # What was decided is most of them, and an index alone can count it.
    decided = select(func.count()).where(*here, _in_queue(Queue.DECIDED, actor))
    counted = select(
        *(
            func.coalesce(func.sum(case((_in_queue(one, actor), 1), else_=0)), 0)
            for one in Queue
            if one is not Queue.DECIDED
        ),
        decided.scalar_subquery(),
    ).where(*here, _in_queue(Queue.UNDECIDED, actor))
    return dict(zip(Queue, map(int, session.execute(counted).one()), strict=True))


def listing(
    session: Session,
    actor: Actor,
    queue: Queue,
    category: ComplaintCategory | None = None,
    *,
    offset: int = 0,
    limit: int = A_PAGE,
) -> list[CaseLine]:
    """One page of a queue."""
    actor.require(Permission.DECIDE_COMPLAINT)
    decided = queue is Queue.DECIDED
    by = (Complaint.closed_at.desc(), Complaint.id.desc()) if decided else (
        Complaint.due_at, Complaint.id
    )  # fmt: skip
    page = select(Complaint.id).where(*_here(actor, category), _in_queue(queue, actor))
    page = page.order_by(*by).limit(limit).offset(offset)
    customer, caregiver, owner = aliased(Account), aliased(Account), aliased(Account)
    rows = session.execute(
        select(Complaint, Visit, Order, customer.name, caregiver.name, owner.name)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .join(customer, customer.id == Order.customer_id)
        .join(caregiver, caregiver.id == Visit.caregiver_id)
        .outerjoin(owner, owner.id == Complaint.owner_id)
        .where(Complaint.id.in_(session.scalars(page).all()))
        .order_by(*by)
    )
    return [
        CaseLine(
            id=complaint.id,
            order_id=order.id,
            item_id=order.item_id,
            category=complaint.category,
            status=complaint.status,
            by=complaints.opened_by(complaint, visit),
            customer_name=customer_name,
            caregiver_name=caregiver_name,
            owner_name=owner_name,
            opened_at=complaint.created_at,
            due_at=complaint.due_at,
            closed_at=complaint.closed_at,
        )
        for complaint, visit, order, customer_name, caregiver_name, owner_name in rows
    ]


def one(session: Session, actor: Actor, complaint_id: int) -> Case:
    """A case with all that was done."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id)
    [view] = complaint_views.views(session, actor, [(complaint, visit, order)])
    ids = (order.customer_id, visit.caregiver_id, complaint.owner_id or 0)
    named = select(Account.id, Account.name).where(Account.id.in_(ids))
    names = dict(session.execute(named).all())
    return Case(
        complaint=view,
        item_id=order.item_id,
        customer_name=names[order.customer_id],
        caregiver_id=visit.caregiver_id,
        caregiver_name=names[visit.caregiver_id],
        owner_id=complaint.owner_id,
        owner_name=names.get(complaint.owner_id or 0),
        total_fen=visit.total_fen,
        pay_fen=visit.pay_fen,
        steps=tuple(_steps(session, complaint.id)),
    )


def colleagues(session: Session, actor: Actor, complaint_id: int) -> list[Colleague]:
    """Who else could take a case: the city's operators who have no part in it."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id)
    barred = (order.customer_id, visit.caregiver_id, complaint.owner_id or 0)
    return [Colleague(*row) for row in session.execute(_operators(complaint, barred))]


def take(session: Session, actor: Actor, complaint_id: int) -> None:
    """Make a case one's own, also one that somebody else has."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "take")
    complaint.owner_id = actor.id


def hand_over(session: Session, actor: Actor, complaint_id: int, to_id: int) -> None:
    """Give a case to another operator of the city, who is told."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    visits.check_not_concerned(actor, visit, order)
    barred = (order.customer_id, visit.caregiver_id, complaint.owner_id or 0)
    able = {row.id for row in session.execute(_operators(complaint, barred))}
    if to_id not in able:
        raise Invalid("error.not_an_operator_there")
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "hand_over")
    complaint.owner_id = to_id
    named = agreements.facts(order, visit.id) | {"complaint_id": complaint.id}
    about = f"complaint-{complaint.id}-{clock.now():%Y%m%d%H%M%S%f}"
    notices.tell(session, NoticeKind.COMPLAINT_HANDED_OVER, to_id, about, **named)


def _here(actor: Actor, category: ComplaintCategory | None) -> tuple[ColumnElement[bool], ...]:
    here = Complaint.city_code.in_(actor.cities)
    return (here,) if category is None else (here, Complaint.category == category)


def _in_queue(queue: Queue, actor: Actor) -> ColumnElement[bool]:
    undecided = Complaint.status.in_(UNDECIDED)
    match queue:
        case Queue.UNDECIDED:
            return undecided
        case Queue.MINE:
            return and_(undecided, Complaint.owner_id == actor.id)
        case Queue.UNOWNED:
            return and_(undecided, Complaint.owner_id.is_(None))
        case Queue.OVERDUE:
            return and_(undecided, Complaint.due_at <= clock.now())
        case Queue.APPEALED:
            return Complaint.status == ComplaintStatus.APPEALED
        case Queue.DECIDED:
            return Complaint.status == ComplaintStatus.CLOSED


def _operators(complaint: Complaint, barred: tuple[int, ...]) -> Select[int, str]:
    return (
        select(Account.id, Account.name)
        .join(AccountRole, AccountRole.account_id == Account.id)
        .where(
            AccountRole.role == Role.OPERATOR,
            AccountRole.city_code == complaint.city_code,
            Account.status == AccountStatus.ACTIVE,
            Account.id.not_in(barred),
        )
        .order_by(Account.name, Account.id)
    )


def _steps(session: Session, complaint_id: int) -> list[CaseStep]:
    rows = session.execute(
        select(StatusChange.move, StatusChange.created_at, StatusChange.role, Account.name)
        .outerjoin(Account, Account.id == StatusChange.actor_id)
        .where(StatusChange.noun == Noun.COMPLAINT, StatusChange.subject_id == complaint_id)
        .order_by(StatusChange.id)
    )
    return [CaseStep(*row) for row in rows]
