"""Delivery reports: what went out by which channel and became of it, and what did not arrive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.caregivers import Caregiver
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import Order
from services import audit, clock, gateways
from services.access import Actor, Permission
from services.deliveries import OUTSIDE
from services.errors import Conflict, NotFound
from services.gateways import Failure

__all__ = ["NoticeKind", "OutboxChannel", "OutboxStatus"]

SHOWN = timedelta(days=7)
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up: to whom, of what, by which channel, why, and how often tried."""

    id: int
    name: str
    channel: OutboxChannel
    kind: NoticeKind
    failure: Failure
    tries: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A week's messages by channel and status, how long the oldest waits, and what was given up."""

    counts: Mapping[tuple[OutboxChannel, OutboxStatus], int]
    oldest_waiting: datetime | None
    dead: tuple[DeadLetter, ...]
    ready: Mapping[OutboxChannel, bool]


def report(session: Session, actor: Actor) -> Report:
    """What became of the messages to people of the actor's cities in the last seven days."""
    actor.require(Permission.SEE_DELIVERIES)
    week = _visible_to(actor).where(OutboxMessage.created_at > clock.now() - SHOWN)
    counted = session.execute(
        week.with_only_columns(
            OutboxMessage.channel, OutboxMessage.status, func.count(OutboxMessage.id)
        ).group_by(OutboxMessage.channel, OutboxMessage.status)
    )
    waiting = _visible_to(actor).where(
        OutboxMessage.channel.in_(OUTSIDE),
        OutboxMessage.status == OutboxStatus.PENDING,
        OutboxMessage.tries > 0,
    )
    return Report(
        counts={(channel, status): count for channel, status, count in counted},
        oldest_waiting=session.scalar(
            waiting.with_only_columns(func.min(OutboxMessage.created_at))
        ),
        dead=tuple(_dead(session, actor)),
        ready={channel: gateways.of(channel).ready for channel in OUTSIDE},
    )


def resend(session: Session, actor: Actor, message_id: int) -> None:
    """Have one that was given up sent again, at once."""
    actor.require(Permission.SEE_DELIVERIES)
    message = session.scalar(
        _visible_to(actor).where(OutboxMessage.id == message_id).with_for_update(of=OutboxMessage)
    )
    if message is None or message.kind is None:
        raise NotFound("error.notice_not_found")
    if message.status is not OutboxStatus.FAILED:
        raise Conflict("error.not_given_up")
    _revive(message)
    audit.record(session, actor, "resend_message", "outbox_message", message.id)


def resend_all(session: Session, actor: Actor) -> int:
    """Have all that were given up sent again; return how many."""
    actor.require(Permission.SEE_DELIVERIES)
    given_up = session.scalars(_given_up(actor).with_for_update(of=OutboxMessage)).all()
    for message in given_up:
        _revive(message)
        audit.record(session, actor, "resend_message", "outbox_message", message.id)
    return len(given_up)


def _revive(message: OutboxMessage) -> None:
    message.status, message.error, message.tries = OutboxStatus.PENDING, "", 0
    message.created_at = message.next_try_at = clock.now()


def _dead(session: Session, actor: Actor) -> list[DeadLetter]:
    rows = session.execute(
        _given_up(actor)
        .add_columns(Account.name)
        .order_by(OutboxMessage.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        DeadLetter(
            id=message.id,
            name=name,
            channel=message.channel,
            kind=message.kind,
            failure=Failure(message.error),
            tries=message.tries,
            written_at=message.created_at,
        )
        for message, name in rows
    ]


def _given_up(actor: Actor) -> Select[OutboxMessage]:
    return _visible_to(actor).where(
        OutboxMessage.status == OutboxStatus.FAILED, OutboxMessage.kind.is_not(None)
    )


def _visible_to(actor: Actor) -> Select[OutboxMessage]:
    """Messages to people of an operator's cities, or about orders there; codes are nobody's."""
    works_here = exists().where(
        AccountRole.account_id == Account.id, AccountRole.city_code.in_(actor.cities)
    )
    cares_here = exists().where(Caregiver.id == Account.id, Caregiver.city_code.in_(actor.cities))
    ordered_here = exists().where(
        Order.id == OutboxMessage.order_id, Order.city_code.in_(actor.cities)
    )
    return (
        select(OutboxMessage)
        .join(Account, Account.id == OutboxMessage.account_id)
        .where(or_(Account.city_code.in_(actor.cities), works_here, cares_here, ordered_here))
    )
