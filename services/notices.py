"""Notices: written to the outbox with the deed, delivered by the worker, read in the inbox."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, false, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from data.accounts import AccountRole
from data.notices import (
    Notice,
    NoticeKind,
    OutboxChannel,
    OutboxMessage,
    OutboxStatus,
)
from services import clock, gateways
from services.access import Actor, Permission, Role
from services.errors import NotFound
from services.gateways import ConsoleGateway

# Core, and written once: the ORM's way takes three times as long.
_outbox: Table = OutboxMessage.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
_TELL_ONCE = {
    name: dialect.insert(_outbox).on_conflict_do_nothing().returning(_outbox.c.id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}
BATCH = 200
SHOWN = 50


@dataclass(frozen=True, slots=True)
class NoticeView:
    id: int
    kind: NoticeKind
    facts: dict[str, Any]
    created_at: datetime
    read: bool


def tell(session: Session, kind: NoticeKind, account_id: int, about: str, **facts: object) -> None:
    """Write a notice to the outbox; the same kind about the same thing reaches a person once."""
    tell_all(session, kind, [account_id], about, **facts)


def tell_owner(session: Session, kind: NoticeKind, account_id: int) -> None:
    """Tell somebody what has just been done to their account, each time anew."""
    tell(session, kind, account_id, f"{clock.now():%Y%m%d%H%M%S%f}")


def tell_all(
    session: Session, kind: NoticeKind, account_ids: Sequence[int], about: str, **facts: object
) -> int:
    """Tell several people; return how many had not been told before."""
    if not account_ids:
        return 0
    now = clock.now()
    told = session.scalars(
        _TELL_ONCE[session.get_bind().dialect.name],
        [
            {
                "created_at": now,
                "channel": OutboxChannel.INBOX,
                "kind": kind,
                "account_id": account_id,
                "facts": facts,
                "dedupe_key": f"{kind}:{about}:{account_id}",
                "next_try_at": now,
            }
            for account_id in account_ids
        ],
    )
    return len(told.all())


def tell_operators(
    session: Session, kind: NoticeKind, city_code: str, about: str, **facts: object
) -> int:
    """Tell every operator of a city; return how many had not been told before."""
    operators = session.scalars(
        select(AccountRole.account_id).where(
            AccountRole.role == Role.OPERATOR, AccountRole.city_code == city_code
        )
    )
    return tell_all(session, kind, operators.all(), about, **facts)


def send_text(session: Session, phone: str, body: str, *, withheld: bool = False) -> None:
    """Write a text message to the outbox; phone and words are sealed there.

    One that is withheld, or that no gateway is there for, costs as much, but is never sent and
    keeps neither phone nor words.
    """
    message = OutboxMessage(
        created_at=clock.now(),
        channel=OutboxChannel.TEXT,
        facts={},
        phone=phone,
        body=body,
        next_try_at=clock.now(),
    )
    message.dedupe_key = f"text:{message.sealed_id}"
    if withheld or not gateways.current().ready:
        message.status, message.phone, message.body = OutboxStatus.CANCELLED, "", ""
    session.add(message)


def any_due(session: Session) -> bool:
    """Whether anything waits for an inbox."""
    return bool(session.scalar(select(_due().exists())))


def deliver(session: Session, then: Callable[[Session, OutboxMessage], None] | None = None) -> int:
    """Put what is due into inboxes, oldest first; return how many. Nothing is delivered twice.

    `then` is called with each notice. Texts of the demo's console are delivered here too.
    """
    due = session.scalars(
        _due().order_by(OutboxMessage.id).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    for message in due:
        if message.channel is OutboxChannel.TEXT:
            _keep_on_console(session, message)
            continue
        _put_into_inbox(session, message)
        if then is not None:
            then(session, message)
    return len(due)


def _due() -> Select[OutboxMessage]:
    on_console = (
        (OutboxMessage.channel == OutboxChannel.TEXT) & OutboxMessage.kind.is_(None)
        if isinstance(gateways.current(), ConsoleGateway)
        else false()
    )
    return select(OutboxMessage).where(
        OutboxMessage.status == OutboxStatus.PENDING,
        OutboxMessage.next_try_at <= clock.now(),
        (OutboxMessage.channel == OutboxChannel.INBOX) | on_console,
    )


def _put_into_inbox(session: Session, message: OutboxMessage) -> None:
    session.add(
        Notice(
            created_at=message.created_at,
            account_id=message.account_id,
            kind=message.kind,
            facts=message.facts,
            dedupe_key=message.dedupe_key,
        )
    )
    message.status, message.delivered_at = OutboxStatus.DELIVERED, clock.now()


def _keep_on_console(session: Session, message: OutboxMessage) -> None:
    ConsoleGateway().keep(session, message.phone, message.body)
    message.status, message.delivered_at = OutboxStatus.DELIVERED, clock.now()
    message.phone = message.body = ""


def inbox(session: Session, actor: Actor) -> list[NoticeView]:
    """The actor's notices, newest first."""
    actor.require(Permission.READ_NOTICES)
    rows = session.scalars(
        select(Notice).where(Notice.account_id == actor.id).order_by(Notice.id.desc()).limit(SHOWN)
    )
    return [
        NoticeView(row.id, row.kind, row.facts, row.created_at, row.read_at is not None)
        for row in rows
    ]


def mark_read(session: Session, actor: Actor, notice_id: int | None = None) -> None:
    """Mark one notice of the actor's as read, or all of them."""
    actor.require(Permission.READ_NOTICES)
    unread = update(Notice).where(Notice.account_id == actor.id, Notice.read_at.is_(None))
    if notice_id is not None:
        if (
            session.scalar(
                select(Notice.id).where(Notice.id == notice_id, Notice.account_id == actor.id)
            )
            is None
        ):
            raise NotFound("error.notice_not_found")
        unread = unread.where(Notice.id == notice_id)
    session.execute(unread.values(read_at=clock.now()))
