"""Visits as the caregiver lives them: where to go, checking in, checking out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, false, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.catalogue import CareItem
from data.demands import Demand
from data.history import Noun
from data.notices import NoticeKind
from data.orders import ASIDE, ENDED, Order, OrderStatus, Visit, VisitStatus
from data.recipients import Mobility, Recipient, Relation, Sex
from services import (
    agreements,
    audit,
    callers,
    clock,
    lifecycles,
    notices,
    phones,
    places,
    recipients,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

EARLIEST_CHECK_IN = timedelta(hours=2)
OPEN_STATUSES = (VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED)

# A new alias for every query would cost as much as the query.
_its = aliased(Visit)
_is_over = _its.status.in_(ENDED)
# The visit that stands for its order: of those still to come the next, else the last.
FOREMOST = (
    select(_its.id)
    .where(_its.order_id == Order.id, _its.status.not_in(ASIDE))
    .order_by(_is_over, case((_is_over, None), else_=_its.starts_at), _its.starts_at.desc())
    .limit(1)
    .correlate(Order)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Contact:
    """What the caregiver needs to be there and to be safe; never cached, always audited."""

    customer_name: str
    phone: str
    address: str
    recipient_name: str
    sex: Sex
    age: int
    relation: Relation
    mobility: Mobility
    language: str
    conditions: str
    ward: str
    emergency_contact: str


def contact(session: Session, actor: Actor, visit_id: int) -> Contact:
    """Open contact, address and health notes of a visit not yet redeemed; leaves an audit row."""
    actor.require(Permission.SEE_ADDRESS)
    visit = reach(session, actor, visit_id)
    order = session.get_one(Order, visit.order_id)
    if visit.status not in OPEN_STATUSES or order.status is not OrderStatus.CONFIRMED:
        raise Conflict("error.contact_closed")
    customer = session.get_one(Account, order.customer_id)
    demand = session.get_one(Demand, order.demand_id)
    recipient = session.get_one(Recipient, order.recipient_id)
    audit.record(session, actor, "open_contact", "visit", visit.id, order_id=order.id)
    return Contact(
        customer_name=customer.name,
        phone=phones.national(callers.reachable_at(session, customer)),
        address=demand.address,
        recipient_name=recipient.name,
        sex=recipient.sex,
        age=recipients.age(recipient.birth_date),
        relation=recipient.relation,
        mobility=recipient.mobility,
        language=recipient.language,
        conditions=recipient.conditions,
        ward=recipient.ward,
        emergency_contact=recipient.emergency_contact,
    )


def check_in_opens(starts_at: datetime) -> datetime:
    """From when on a visit that starts then can be begun."""
    return starts_at - EARLIEST_CHECK_IN


def check_in(session: Session, actor: Actor, visit_id: int, cell: str | None = None) -> None:
    """Begin a visit, at the earliest two hours before its start.

    The neighbourhood she is in at this moment is kept if she tells it, and asked for only here.
    """
    actor.require(Permission.WORK_VISIT)
    if cell is not None and not places.is_cell(cell):
        raise Invalid("error.cell_impossible")
    visit = reach(session, actor, visit_id, lock=True)
    if clock.now() < check_in_opens(visit.starts_at):
        raise Conflict(
            "error.check_in_too_early", hours=int(EARLIEST_CHECK_IN.total_seconds() // 3600)
        )
    lifecycles.take(session, actor, Noun.VISIT, visit, "check_in")
    agreements.drop_offers(session, actor, visit)
    visit.checked_in_at, visit.checked_in_cell = clock.now(), cell


def check_out(
    session: Session, actor: Actor, visit_id: int, done: tuple[int, ...], said: str = ""
) -> None:
    """End a visit with the tasks done (numbers in the item's list) and words to the family."""
    actor.require(Permission.WORK_VISIT)
    said = words(said, "report_words", 500, required=False)
    visit = reach(session, actor, visit_id, lock=True)
    order = session.get_one(Order, visit.order_id)
    tasks = session.get_one(CareItem, order.item_id).tasks_zh
    if any(number not in range(len(tasks)) for number in done):
        raise Invalid("error.task_not_found")
    lifecycles.take(session, actor, Noun.VISIT, visit, "check_out")
    visit.checked_out_at = clock.now()
    visit.done_tasks = [str(number) for number in done]
    visit.report_words = said
    notices.tell(
        session,
        NoticeKind.VISIT_FINISHED,
        order.customer_id,
        f"visit-{visit.id}",
        order_id=order.id,
        visit_id=visit.id,
        item_id=order.item_id,
    )


def reach(session: Session, actor: Actor, visit_id: int, *, lock: bool = False) -> Visit:
    """A visit this actor has to do with, locked until the transaction ends if asked."""
    query = select(Visit).join(Order, Order.id == Visit.order_id)
    query = query.where(Visit.id == visit_id, are_visible_to(actor))
    visit = session.scalar(query.with_for_update(of=Visit) if lock else query)
    if visit is None:
        raise NotFound("error.visit_not_found")
    return visit


def are_visible_to(actor: Actor) -> ColumnElement[bool]:
    """Of visits joined with their orders: the family's, the caregiver's, the staff's by city."""
    match actor.role:
        case Role.CUSTOMER:
            return Order.customer_id == actor.id
        case Role.CAREGIVER:
            return Visit.caregiver_id == actor.id
        case Role.DESK | Role.OPERATOR:
            return Order.city_code.in_(actor.cities)
        case _:
            return false()


def check_not_concerned(actor: Actor, visit: Visit, order: Order) -> None:
    """Who came, or whose family it was, does not judge."""
    if actor.id in (visit.caregiver_id, order.customer_id):
        raise NotAllowed("error.own_dispute")
