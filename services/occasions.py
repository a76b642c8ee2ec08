"""Occasions: as whom somebody is told of an event, whether it is still so, and its words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.catalogue import CareItem
from data.cities import City
from data.demands import Demand, DemandStatus
from data.notices import NoticeKind, OutboxChannel, OutboxMessage
from data.orders import WAITING, Order, OrderStatus, Visit, VisitStatus
from services import clock, phrases
from services.access import Role
from services.phrases import Audience

# What must still be so when it is said; else it is said no more.
_WHILE_VISIT = {
    NoticeKind.VISIT_REMINDER: {VisitStatus.PLANNED},
    NoticeKind.CODE_ISSUED: {VisitStatus.PLANNED, VisitStatus.IN_PROGRESS},
    NoticeKind.ORDER_CONFIRMED: {VisitStatus.PLANNED, VisitStatus.IN_PROGRESS},
    NoticeKind.VISIT_MOVED: {VisitStatus.PLANNED},
    NoticeKind.SUBSTITUTE_ASKED: {VisitStatus.OFFERED},
    NoticeKind.SUBSTITUTE_COMES: {VisitStatus.PLANNED},
    NoticeKind.VISIT_FINISHED: {VisitStatus.FINISHED},
    NoticeKind.REDEEM_REMINDER: {VisitStatus.FINISHED},
}
_WHILE_ORDER = {
    NoticeKind.REQUEST_RECEIVED: {*WAITING},
    NoticeKind.APPROVAL_DUE: {OrderStatus.ACCEPTED},
}
_WHILE_DEMAND_OPEN = {
    NoticeKind.DEMAND_IDLE,
    NoticeKind.DEMAND_INVITED,
    NoticeKind.DEMAND_PUSHED,
}


def is_moot(session: Session, message: OutboxMessage) -> bool:
    """Whether what a message says is so no more: its visit, request or demand has moved on."""
    kind, facts = message.kind, message.facts
    if kind is None:
        return False
    visit = session.get(Visit, facts.get("visit_id") or 0) if kind in _WHILE_VISIT else None
    if visit is not None:
        late = kind is NoticeKind.VISIT_REMINDER and visit.starts_at <= clock.now()
        return late or visit.status not in _WHILE_VISIT[kind]
    if kind in _WHILE_ORDER:
        status = session.scalar(select(Order.status).where(Order.id == facts.get("order_id")))
        return status not in _WHILE_ORDER[kind]
    if kind in _WHILE_DEMAND_OPEN:
        status = session.scalar(select(Demand.status).where(Demand.id == facts.get("demand_id")))
        return status is not DemandStatus.OPEN
    return False


def spoken(session: Session, message: OutboxMessage, language: str) -> str:
    """What a message says on its channel, in a language; a call says what a text would."""
    kind, account_id = message.kind, message.account_id
    told = audience(session, kind, account_id, message.facts) if kind and account_id else None
    if kind is None or told is None:
        return ""
    facts = blanks(session, message, language)
    said = phrases.say(language, told, message.channel, kind, **facts)
    return said or phrases.say(language, told, OutboxChannel.TEXT, kind, **facts) or ""


def audience(
    session: Session, kind: NoticeKind, account_id: int, facts: dict[str, object]
) -> Audience | None:
    """As whom somebody is told of an event; None if not outside the app."""
    told = phrases.audiences(kind)
    if not told:
        return None
    if Audience.ANYBODY in told:
        return Audience.ANYBODY
    order_id = facts.get("order_id")
    found = (_of_order if order_id else _of_roles)(session, account_id, order_id)
    return next((one for one in told if one in found), None)


def _of_order(session: Session, account_id: int, order_id: object) -> set[Audience]:
    """What somebody is to an order: its customer, one of its caregivers, else an operator."""
    customer_id = session.scalar(select(Order.customer_id).where(Order.id == order_id))
    if customer_id == account_id:
        return {Audience.CUSTOMER}
    hers = exists().where(Visit.order_id == order_id, Visit.caregiver_id == account_id)
    return {Audience.CAREGIVER if session.scalar(select(hers)) else Audience.OPERATOR}


def _of_roles(session: Session, account_id: int, _order_id: object) -> set[Audience]:
    held = session.scalars(select(AccountRole.role).where(AccountRole.account_id == account_id))
    return set(_as_audiences(held))


def _as_audiences(roles: Iterator[Role] | Sequence[Role]) -> Iterator[Audience]:
    known = {str(one) for one in Audience}
    return (Audience(role) for role in roles if role in known)


def blanks(session: Session, message: OutboxMessage, language: str) -> dict[str, object]:
    """What the words of an event may speak of; never a person."""
    facts = message.facts
    item = session.get(CareItem, facts.get("item_id") or 0)
    name = (item.name_zh if language == phrases.DEFAULT else item.name_en) if item else ""
    begins_at, due_at = starts_at(session, facts), facts.get("due_at")
    when = phrases.moment(language, begins_at) if begins_at else ""
    if not when and isinstance(due_at, str):
        when = phrases.day(language, datetime.fromisoformat(due_at))
    return {
        "item": name,
        "when": when,
        "days": facts.get("days", ""),
        "hotline": _hotline(session, message),
    }


def starts_at(session: Session, facts: dict[str, object]) -> datetime | None:
    """When what a message is about begins, if it is one visit or one demand."""
    for column, number in (
        (Visit.starts_at.expression, facts.get("visit_id")),
        (Demand.starts_at.expression, facts.get("demand_id")),
    ):
        if number and (found := session.scalar(select(column).where(column.table.c.id == number))):
            return found
    return None


def _hotline(session: Session, message: OutboxMessage) -> str:
    """Whom to call: the order's city, else the person's own, else any that is open."""
    of_order = select(Order.city_code).where(Order.id == message.facts.get("order_id"))
    code = session.scalar(of_order) or session.scalar(
        select(Account.city_code).where(Account.id == message.account_id)
    )
    cities = select(City.hotline).order_by(City.code != (code or ""), City.code)
    return session.scalar(cities.limit(1)) or ""
