"""The list "to call today": what people without a smartphone are told by telephone, ticked off."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.calls import Call, Direction, Outcome
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from services import audit, callers, clock, occasions
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["OUTCOMES", "Outcome"]

# How a call of the list can end; after these it is made again.
AGAIN = (Outcome.NO_ANSWER, Outcome.CALL_AGAIN)
OUTCOMES = (Outcome.INFORMED, Outcome.CHANGED, Outcome.WRONG_NUMBER, *AGAIN)
AGAIN_AFTER = timedelta(hours=1)
MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ToCall:
    """Whom to call, what to say in the asker's language, and how often nobody answered."""

    id: int
    customer_id: int
    name: str
    kind: NoticeKind
    words: str
    since: datetime
    due: bool
    tries: int
    order_id: int | None
    visit_id: int | None


def waiting(session: Session, actor: Actor, language: str) -> list[ToCall]:
    """Whom this desk has to call, the urgent and the oldest first; what is moot is left out."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    rows = session.execute(
        _visible_to(actor)
        .add_columns(Account)
        .order_by(OutboxMessage.urgent.desc(), OutboxMessage.id)
        .limit(MOST_SHOWN)
    )
    now = clock.now()
    return [
        ToCall(
            id=message.id,
            customer_id=account.id,
            name=account.name,
            kind=message.kind,
            words=occasions.spoken(session, message, language),
            since=message.created_at,
            due=message.next_try_at <= now,
            tries=message.tries,
            order_id=message.order_id,
            visit_id=message.visit_id,
        )
        for message, account in rows
        if not occasions.is_moot(session, message)
    ]


def phone(session: Session, actor: Actor, message_id: int) -> str:
    """The whole numbers to call, the own one first; every look leaves an audit row."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    message = _reach(session, actor, message_id)
    known = callers.numbers(session, actor, message.account_id or 0)
    return " · ".join(one.phone for one in known)


def tick_off(
    session: Session, actor: Actor, message_id: int, outcome: Outcome, said: str = ""
) -> int:
    """Note how a call ended; without an answer it comes back in an hour. Return the call's id."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    said = words(said, "call_words", 500, required=False)
    if outcome not in OUTCOMES:
        raise Invalid("error.missing", field="call_outcome")
    message = _reach(session, actor, message_id, lock=True)
    if message.status is not OutboxStatus.PENDING:
        raise Conflict("error.called_already")
    message.tries += 1
    again = outcome in AGAIN
    if again:
        message.next_try_at = clock.now() + AGAIN_AFTER
    else:
        message.status, message.delivered_at = OutboxStatus.DELIVERED, clock.now()
    account = session.get_one(Account, message.account_id)
    call = Call(
        created_at=clock.now(),
        city_code=account.city_code or min(actor.cities),
        customer_id=account.id,
        taken_by_id=actor.id,
        direction=Direction.OUT,
        outcome=outcome,
        words=said,
        order_id=message.order_id,
        visit_id=message.visit_id,
        message_id=message.id,
        next_call_at=message.next_try_at if again else None,
        ended_at=clock.now(),
    )
    session.add(call)
    session.flush()
    audit.record(session, actor, "call_customer", "account", account.id, outcome=outcome)
    return call.id


def drop_moot(session: Session, actor: Actor) -> int:
    """Take from the list what is so no more; return how many."""
    actor.require(Permission.RUN_JOBS)
    open_ones = select(OutboxMessage).where(*_OPEN).with_for_update(skip_locked=True)
    moot = [one for one in session.scalars(open_ones) if occasions.is_moot(session, one)]
    for message in moot:
        message.status = OutboxStatus.CANCELLED
    return len(moot)


_OPEN = (
    OutboxMessage.channel == OutboxChannel.CALL,
    OutboxMessage.status == OutboxStatus.PENDING,
)


def _reach(session: Session, actor: Actor, message_id: int, *, lock: bool = False) -> OutboxMessage:
    its = callers.ids(actor)
    query = select(OutboxMessage).where(
        OutboxMessage.id == message_id,
        OutboxMessage.channel == OutboxChannel.CALL,
        OutboxMessage.account_id.in_(its),
    )
    message = session.scalar(query.with_for_update() if lock else query)
    if message is None:
        raise NotFound("error.notice_not_found")
    return message


def _visible_to(actor: Actor) -> Select[OutboxMessage]:
    """The calls to the customers this desk acts for."""
    return (
        select(OutboxMessage)
        .join(Account, Account.id == OutboxMessage.account_id)
        .where(*_OPEN, Account.id.in_(callers.ids(actor)))
    )
