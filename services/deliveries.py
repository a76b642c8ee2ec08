"""Deliveries: what stands in an inbox goes on by text, WeChat or telephone, each once and in order.

The worker leases what is due, sends it outside any transaction, and settles each message by itself.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Select, exists, or_, select, true
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.identities import Identity
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from services import clock, gateways, notices, occasions, phrases, preferences
from services.gateways import ConsoleGateway, Failure, NotDelivered, Outgoing
from services.phrases import Audience
from services.preferences import Preference

Result = TypeVar("Result")


class Transact(Protocol):
    """Runs work in a transaction of its own, as data.database does."""

    def __call__(self, work: Callable[[Session], Result], /) -> Result: ...


BATCH = 50
# Long enough for a slow gateway; a message whose sender died is tried again afterwards.
LEASE = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=1)
# A slow gateway holds up neither the inboxes nor the other jobs.
LONGEST_ROUND = timedelta(seconds=10)
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


def deliver(session: Session) -> int:
    """Fill the inboxes with what is due, and let it go on by the channels people chose."""
    return notices.deliver(session, pass_on)


def pass_on(session: Session, message: OutboxMessage) -> None:
    """Write what goes out beside a notice: by telephone, else by WeChat, else by text."""
    kind, account_id = message.kind, message.account_id
    if kind is None or account_id is None:
        return
    audience = occasions.audience(session, kind, account_id, message.facts)
    if audience is None:
        return
    preference = preferences.of(session, [account_id])[account_id]
    channel = _channel(session, audience, kind, account_id, preference)
    if channel is not None:
        _write(session, message, channel, preference)


def send_due(transact: Transact) -> int:
    """Send what is due; return how many were tried. `transact` runs one transaction.

    A gateway that cannot be reached is not asked for the others of this round; they come before
    the one it failed on, which may be what it failed of.
    """
    until = clock.now() + LONGEST_ROUND
    batch = transact(lease)
    down = set[OutboxChannel]()
    for number, message in enumerate(batch):
        if clock.now() > until:
            transact(partial(hand_back, message_ids=[one.id for one in batch[number:]]))
            return number
        failed = None
        spared = message.channel in down
        if spared:
            failed = NotDelivered(Failure.UNREACHABLE)
        else:
            try:
                gateways.of(message.channel).send(message)
            except NotDelivered as refused:
                failed = refused
                if refused.failure is Failure.UNREACHABLE:
                    down.add(message.channel)
        transact(partial(settle, message_id=message.id, failed=failed, spared=spared))
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
    ready: list[Outgoing] = []
    for message in due:
        if _ended(session, message):
            continue
        outgoing = _outgoing(session, message)
        if outgoing is None:
            _fail(message, Failure.NO_ADDRESS)
            continue
        message.tries += 1
        message.next_try_at = clock.now() + LEASE
        ready.append(outgoing)
    return ready


def hand_back(session: Session, message_ids: Sequence[int]) -> None:
    """What was leased and not sent can be leased again."""
    leased = select(OutboxMessage).where(OutboxMessage.id.in_(message_ids)).with_for_update()
    for message in session.scalars(leased):
        message.tries -= 1
        message.next_try_at = clock.now()


def settle(
    session: Session, message_id: int, failed: NotDelivered | None, *, spared: bool = False
) -> None:
    """Note what became of a message that was sent, or spared as its gateway is down."""
    message = session.get(OutboxMessage, message_id, with_for_update=True)
    if message is None or message.status is not OutboxStatus.PENDING:
        return  # Erased or called off while it was on its way.
    if failed is None:
        message.status, message.delivered_at = OutboxStatus.DELIVERED, clock.now()
        message.phone = message.body = message.error = ""
        return
    message.error = failed.failure
    wait = min(timedelta(seconds=15) * 2 ** min(message.tries, 10), LONGEST_WAIT)
    message.next_try_at = clock.now() + (wait / 2 if spared else wait)
    if failed.final:
        _fail(message, failed.failure)
        if message.channel is OutboxChannel.WECHAT:
            _say_by_text(session, message)


def _due() -> Select[OutboxMessage]:
    """What a gateway is there for; nothing before an earlier one that is due or is being tried."""
    earlier = aliased(OutboxMessage)
    waits = exists().where(
        earlier.account_id == OutboxMessage.account_id,
        earlier.channel == OutboxMessage.channel,
        earlier.status == OutboxStatus.PENDING,
        earlier.id < OutboxMessage.id,
        or_(earlier.tries > 0, earlier.next_try_at <= clock.now()),
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
    elif occasions.is_moot(session, message):
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
    audience = occasions.audience(session, message.kind, message.account_id, message.facts)
    blanks = occasions.blanks(session, message, language)
    words = audience and phrases.say(language, audience, message.channel, message.kind, **blanks)
    to = _address(session, message.account_id, message.channel)
    starts_at = occasions.starts_at(session, message.facts)
    if not (words and audience and to):
        return None
    return Outgoing(
        message.id,
        message.channel,
        message.sealed_id,
        to,
        words,
        moment=phrases.stamp(language, starts_at or message.created_at),
        hint=phrases.hint(language, audience),
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
        return kind in phrases.kinds(audience, channel)

    if preference.by_call and speaks(OutboxChannel.CALL):
        return OutboxChannel.CALL
    wechat = OutboxChannel.WECHAT
    wanted = preference.by_wechat and speaks(wechat) and gateways.of(wechat).ready
    if wanted and _address(session, account_id, wechat):
        return wechat
    text = OutboxChannel.TEXT
    wanted = preference.by_text and speaks(text) and gateways.of(text).ready
    return text if wanted and _address(session, account_id, text) else None


def _say_by_text(session: Session, message: OutboxMessage) -> None:
    """Let a text say what WeChat did not take, for who wants texts."""
    kind, account_id = message.kind, message.account_id
    if kind is None or account_id is None:
        return
    audience = occasions.audience(session, kind, account_id, message.facts)
    preference = replace(preferences.of(session, [account_id])[account_id], by_wechat=False)
    channel = _channel(session, audience, kind, account_id, preference) if audience else None
    if channel is not None:
        _write(session, message, channel, preference)
        message.status = OutboxStatus.CANCELLED


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
