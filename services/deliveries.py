"""Deliveries: what stands in an inbox goes on by text, WeChat or telephone, each once and in order.

The worker leases what is due, sends it outside any transaction, and settles each message by itself.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Select, exists, select, true
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, AccountRole
from data.catalogue import CareItem
from data.cities import City
from data.demands import Demand, DemandStatus
from data.identities import Identity
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import WAITING, Order, Visit, VisitStatus
from services import clock, gateways, messages, notices, preferences
from services.access import Role
from services.gateways import ConsoleGateway, Failure, NotDelivered, Outgoing
from services.messages import Audience
from services.preferences import Preference

Result = TypeVar("Result")


class Transact(Protocol):
    """Runs work in a transaction of its own, as data.database does."""

    def __call__(self, work: Callable[[Session], Result], /) -> Result: ...


BATCH = 50
# Long enough for a slow gateway; a message whose sender died is tried again afterwards.
LEASE = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=1)
# A gateway may be down for a day; a one-time code is worth nothing after its ten minutes.
GIVE_UP_AFTER, CODES_GIVE_UP_AFTER = timedelta(days=2), timedelta(minutes=10)
OUTSIDE = (OutboxChannel.TEXT, OutboxChannel.WECHAT)
# Quiet hours do not hold these back: somebody would stand before a closed door, or lose an account.
URGENT = {
    NoticeKind.ORDER_CANCELLED,
    NoticeKind.VISIT_CANCELLED,
    NoticeKind.VISIT_MOVED,
    NoticeKind.SUBSTITUTE_ASKED,
    NoticeKind.SUBSTITUTE_COMES,
    NoticeKind.REQUEST_RECEIVED,
    NoticeKind.INCIDENT_REPORTED,
    NoticeKind.PASSWORD_CHANGED,
    NoticeKind.PASSWORD_RESET,
    NoticeKind.SECOND_FACTOR_RESET,
    NoticeKind.SECOND_FACTOR_REMOVED,
    NoticeKind.IDENTITY_LINKED,
}
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
_WHILE_DEMAND_OPEN = {NoticeKind.DEMAND_IDLE, NoticeKind.DEMAND_INVITED}


def deliver(session: Session) -> int:
    """Fill the inboxes with what is due, and let it go on by the channels people chose."""
    return notices.deliver(session, pass_on)


def pass_on(session: Session, message: OutboxMessage) -> None:
    """Write what goes out beside a notice: by telephone, else by WeChat, else by text."""
    kind, account_id = message.kind, message.account_id
    if kind is None or account_id is None:
        return
    audience = _audience(session, kind, account_id, message.facts)
    if audience is None:
        return
    preference = preferences.of(session, [account_id])[account_id]
    channel = _channel(session, audience, kind, account_id, preference)
    if channel is not None:
        _write(session, message, channel, preference)


def send_due(transact: Transact) -> int:
    """Send what is due; return how many were tried. `transact` runs one transaction.

    A gateway that cannot be reached is not asked for the others of this round.
    """
    batch = transact(lease)
    down = set[OutboxChannel]()
    for message in batch:
        failed: NotDelivered | None = None
        try:
            if message.channel in down:
                raise NotDelivered(Failure.UNREACHABLE)
            gateways.of(message.channel).send(message)
        except NotDelivered as refused:
            failed = refused
            if refused.failure is Failure.UNREACHABLE:
                down.add(message.channel)
        transact(partial(settle, message_id=message.id, failed=failed))
    return len(batch)


def any_due(session: Session) -> bool:
    """Whether anything waits to be sent."""
    return bool(session.scalar(select(_due().exists())))


def lease(session: Session) -> list[Outgoing]:
    """What may be sent now, each with the words of this moment; nobody else sends it meanwhile.

    One message a person and channel: the next waits until it is known what became of this one.
    """
    due = session.scalars(
        _due().order_by(OutboxMessage.id).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    ready: dict[tuple[int | str, OutboxChannel], Outgoing] = {}
    for message in due:
        whose = message.account_id or message.sealed_id, message.channel
        if whose in ready or _ended(session, message):
            continue
        outgoing = _outgoing(session, message)
        if outgoing is None:
            _fail(message, Failure.NO_ADDRESS)
            continue
        message.tries += 1
        message.next_try_at = clock.now() + LEASE
        ready[whose] = outgoing
    return list(ready.values())


def settle(session: Session, message_id: int, failed: NotDelivered | None) -> None:
    """Note what became of a message that was sent."""
    message = session.get_one(OutboxMessage, message_id, with_for_update=True)
    if message.status is not OutboxStatus.PENDING:
        return
    if failed is None:
        message.status, message.delivered_at = OutboxStatus.DELIVERED, clock.now()
        message.phone = message.body = message.error = ""
        return
    message.error = failed.failure
    wait = timedelta(seconds=15) * 2 ** min(message.tries, 10)
    message.next_try_at = clock.now() + min(wait, LONGEST_WAIT)
    if failed.final:
        _fail(message, failed.failure)
        if message.channel is OutboxChannel.WECHAT and message.account_id is not None:
            preference = preferences.of(session, [message.account_id])[message.account_id]
            _write(session, message, OutboxChannel.TEXT, preference)


def is_moot(session: Session, message: OutboxMessage) -> bool:
    """Whether what a message says is so no more: its visit, request or demand has moved on."""
    kind, facts = message.kind, message.facts
    if kind is None:
        return False
    if kind in _WHILE_VISIT:
        status = session.scalar(select(Visit.status).where(Visit.id == facts.get("visit_id")))
        return status not in _WHILE_VISIT[kind]
    if kind is NoticeKind.REQUEST_RECEIVED:
        status = session.scalar(select(Order.status).where(Order.id == facts.get("order_id")))
        return status not in WAITING
    if kind in _WHILE_DEMAND_OPEN:
        status = session.scalar(select(Demand.status).where(Demand.id == facts.get("demand_id")))
        return status is not DemandStatus.OPEN
    return False


def spoken(session: Session, message: OutboxMessage, language: str) -> str:
    """What a message says on its channel, in a language; a call says what a text would."""
    kind, account_id = message.kind, message.account_id
    audience = _audience(session, kind, account_id, message.facts) if kind and account_id else None
    if kind is None or audience is None:
        return ""
    blanks = _blanks(session, message, language)
    said = messages.say(language, audience, message.channel, kind, **blanks)
    return said or messages.say(language, audience, OutboxChannel.TEXT, kind, **blanks) or ""


def _due() -> Select[OutboxMessage]:
    """What a gateway is there for; nothing while an earlier one of the same person is tried."""
    earlier = aliased(OutboxMessage)
    waits = exists().where(
        earlier.account_id == OutboxMessage.account_id,
        earlier.channel == OutboxMessage.channel,
        earlier.status == OutboxStatus.PENDING,
        earlier.id < OutboxMessage.id,
        earlier.tries > 0,
    )
    # The demo's console keeps codes itself, as it fills the inboxes.
    kept = isinstance(gateways.current(), ConsoleGateway)
    return select(OutboxMessage).where(
        OutboxMessage.channel.in_([one for one in OUTSIDE if gateways.of(one).ready]),
        OutboxMessage.kind.is_not(None) if kept else true(),
        OutboxMessage.status == OutboxStatus.PENDING,
        OutboxMessage.next_try_at <= clock.now(),
        ~waits,
    )


def _ended(session: Session, message: OutboxMessage) -> bool:
    """Cancel or give up what is not worth saying any more."""
    after = CODES_GIVE_UP_AFTER if message.kind is None else GIVE_UP_AFTER
    if message.created_at < clock.now() - after:
        _fail(message, Failure.TOO_OLD)
    elif is_moot(session, message):
        message.status = OutboxStatus.CANCELLED
    else:
        return False
    return True


def _fail(message: OutboxMessage, failure: Failure) -> None:
    message.status, message.error = OutboxStatus.FAILED, failure
    if message.kind is None:  # A code: worth nothing to anybody by now.
        message.phone = message.body = ""


def _outgoing(session: Session, message: OutboxMessage) -> Outgoing | None:
    """The message with address and words; None where there is no address, or nothing to say."""
    if message.kind is None or message.account_id is None:
        body, to = message.body, message.phone
        return Outgoing(message.id, message.channel, message.sealed_id, to, body) if to else None
    language = preferences.of(session, [message.account_id])[message.account_id].language
    audience = _audience(session, message.kind, message.account_id, message.facts)
    blanks = _blanks(session, message, language)
    words = audience and messages.say(language, audience, message.channel, message.kind, **blanks)
    to = _address(session, message.account_id, message.channel)
    if not (words and audience and to):
        return None
    return Outgoing(
        message.id,
        message.channel,
        message.sealed_id,
        to,
        words,
        moment=str(blanks["when"] or f"{clock.in_city(message.created_at):%Y-%m-%d %H:%M}"),
        hint=messages.hint(language, audience),
    )


def _address(session: Session, account_id: int, channel: OutboxChannel) -> str:
    """The phone, or the openid of the service account's follower; nothing if there is none."""
    if channel is OutboxChannel.TEXT:
        phone = session.get_one(Account, account_id).phone
        return phone if phone.startswith("+") else ""
    known = select(Identity).where(
        Identity.account_id == account_id, Identity.address_sealed.is_not(None)
    )
    identity = session.scalar(known.order_by(Identity.last_used_at.desc()).limit(1))
    return identity.address if identity else ""


def _channel(
    session: Session,
    audience: Audience,
    kind: NoticeKind,
    account_id: int,
    preference: Preference,
) -> OutboxChannel | None:
    """By which channel somebody is told of an event; None if the inbox is all."""

    def speaks(channel: OutboxChannel) -> bool:
        return kind in messages.kinds(audience, channel)

    if preference.by_call and speaks(OutboxChannel.CALL):
        return OutboxChannel.CALL
    wechat = OutboxChannel.WECHAT
    wanted = preference.by_wechat and speaks(wechat) and gateways.of(wechat).ready
    if wanted and _address(session, account_id, wechat):
        return wechat
    by_text = preference.by_text and speaks(OutboxChannel.TEXT)
    return OutboxChannel.TEXT if by_text and gateways.current().ready else None


def _write(
    session: Session, message: OutboxMessage, channel: OutboxChannel, preference: Preference
) -> None:
    urgent = message.kind in URGENT
    now = clock.now()
    next_try_at = now if urgent else preferences.next_loud(preference, now)
    key = f"{channel}:{message.kind}:{message.dedupe_key}"
    if len(key) > 80:
        key = f"{channel}:{hashlib.sha256(key.encode()).hexdigest()}"
    if session.scalar(select(OutboxMessage.id).where(OutboxMessage.dedupe_key == key)):
        return
    session.add(
        OutboxMessage(
            created_at=now,
            channel=channel,
            kind=message.kind,
            account_id=message.account_id,
            facts=message.facts,
            dedupe_key=key,
            next_try_at=next_try_at,
            urgent=urgent,
            order_id=message.facts.get("order_id"),
            visit_id=message.facts.get("visit_id"),
        )
    )


def _audience(
    session: Session, kind: NoticeKind, account_id: int, facts: dict[str, object]
) -> Audience | None:
    """As whom somebody is told of an event; None if not outside the app."""
    told = messages.audiences(kind)
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


def _blanks(session: Session, message: OutboxMessage, language: str) -> dict[str, object]:
    """What the words of an event may speak of; never a person."""
    facts = message.facts
    item = session.get(CareItem, facts.get("item_id") or 0)
    name = (item.name_zh if language == messages.DEFAULT else item.name_en) if item else ""
    starts_at = _starts_at(session, facts)
    return {
        "item": name,
        "when": messages.moment(language, starts_at) if starts_at else "",
        "days": facts.get("days", ""),
        "hotline": _hotline(session, message),
    }


def _starts_at(session: Session, facts: dict[str, object]) -> datetime | None:
    """When what a message is about takes place."""
    for column, number in (
        (Visit.starts_at.expression, facts.get("visit_id")),
        (Demand.starts_at.expression, facts.get("demand_id")),
    ):
        if number and (found := session.scalar(select(column).where(column.table.c.id == number))):
            return found
    due_at = facts.get("due_at")
    return datetime.fromisoformat(due_at) if isinstance(due_at, str) else None


def _hotline(session: Session, message: OutboxMessage) -> str:
    """Whom to call: the order's city, else the person's own, else any that is open."""
    of_order = select(Order.city_code).where(Order.id == message.facts.get("order_id"))
    code = session.scalar(of_order) or session.scalar(
        select(Account.city_code).where(Account.id == message.account_id)
    )
    cities = select(City.hotline).order_by(City.code != (code or ""), City.code)
    return session.scalar(cities.limit(1)) or ""
