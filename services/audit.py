"""The audit trail of sensitive acts and reads, and the chain that it is sealed into."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Executable,
    RowMapping,
    String,
    Table,
    bindparam,
    func,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from data.chat import Attachment, Message, Talk
from data.history import AuditEvent
from data.invoices import Invoice, Proof
from data.orders import Order, ReportPhoto, Visit
from data.recipients import Recipient
from data.verifications import VerificationCase
from services import clock
from services.access import Actor, Permission, Role

BATCH = 5_000
CHUNK = 1_000
HEAD_SHOWN = 16
# What the first row's hash continues.
BEGINNING = "0" * 64
_events: Table = AuditEvent.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
_SEALED = (
    _events.c.id,
    _events.c.created_at,
    _events.c.action,
    _events.c.subject,
    _events.c.subject_id,
    _events.c.actor_id,
    # As stored: what is no role at all must break the chain, not the reading of it.
    type_coerce(_events.c.role, String).label("role"),
    _events.c.detail,
)


@dataclass(frozen=True, slots=True)
class Tail:
    """How far the chain reaches, its head, and what waits to be sealed since when."""

    sealed: int
    head: str
    unsealed: int
    unsealed_since: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the chain: intact, or broken at a row."""

    sealed: int
    head: str
    first_broken_id: int | None
    unsealed: int
    unsealed_since: datetime | None


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody opened something of a person's: what, in which role, when."""

    action: str
    role: Role | None
    at: datetime
    is_me: bool


def record(
    session: Session, actor: Actor, action: str, subject: str, subject_id: int, **detail: object
) -> None:
    """Leave one row; `detail` holds ids and codes, never a personal detail."""
    session.add(
        AuditEvent(
            created_at=clock.now(),
            action=action,
            subject=subject,
            subject_id=subject_id,
            actor_id=actor.id,
            role=actor.role,
            detail=detail,
        )
    )


def seal(session: Session) -> int:
    """Give the oldest rows without one their position and hash; return how many.

    hash = SHA-256(hash before, canonical JSON of position and row), hex. Workers take turns.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(4200320603)"))
    last, head = _head(session)
    rows = session.execute(
        select(*_SEALED).where(_events.c.position.is_(None)).order_by(_events.c.id).limit(BATCH)
    ).mappings()
    sealed = []
    for position, row in enumerate(rows, last + 1):
        head = _hash(head, position, row)
        sealed.append({"number": row["id"], "place": position, "link": head})
    if sealed:
        session.execute(
            update(_events)
            .where(_events.c.id == bindparam("number"))
            .values(position=bindparam("place"), hash=bindparam("link")),
            sealed,
        )
    return len(sealed)


def verify(session: Session) -> Verdict:
    """Walk the whole chain and name the first row that does not continue it.

    Rows changed, removed or put in between break it. Rows cut off at its end do not: compare the
    head with one noted earlier.
    """
    head, sealed, broken = BEGINNING, 0, None
    for row in _chain(session):
        if row["position"] != sealed + 1 or row["hash"] != _hash(head, sealed + 1, row):
            broken = row["id"]
            break
        head, sealed = row["hash"], sealed + 1
    tail = _tail(session)
    return Verdict(sealed, head, broken, tail.unsealed, tail.unsealed_since)


def tail(session: Session, actor: Actor) -> Tail:
    """How far the chain reaches, for the operators' page."""
    actor.require(Permission.SEE_JOBS)
    return _tail(session)


def report(session: Session) -> dict[str, object]:
    """What the sealing job's lamp keeps of the chain, to be compared with another day's."""
    now = _tail(session)
    since = now.unsealed_since
    return {
        "head": now.head[:HEAD_SHOWN],
        "sealed": now.sealed,
        "unsealed": now.unsealed,
        "unsealed_since": since.isoformat() if since else None,
    }


def looks(session: Session, actor: Actor, limit: int = 20) -> list[Look]:
    """Who opened the actor's phone, address, number, recipients, money, photos or talks."""
    actor.require(Permission.KEEP_ACCOUNT)
    mine = (
        select(Visit.id)
        .join(Order, Order.id == Visit.order_id)
        .where(Order.customer_id == actor.id)
    )
    cared_for = select(Recipient.id).where(Recipient.customer_id == actor.id)
    handed_in = select(VerificationCase.id).where(VerificationCase.account_id == actor.id)
    photos = select(ReportPhoto.id).where(ReportPhoto.visit_id.in_(mine))
    proofs = select(Proof.id).where(Proof.customer_id == actor.id)
    invoices = select(Invoice.id).where(Invoice.customer_id == actor.id)
    talks = select(Talk.id).where(Talk.account_id == actor.id)
    pictures = (
        select(Attachment.id)
        .join(Message, Message.id == Attachment.message_id)
        .where(or_(Message.author_id == actor.id, Message.talk_id.in_(talks)))
    )
    talked_about = select(Talk.order_id).where(
        or_(
            Talk.id.in_(talks),
            Talk.id.in_(select(Message.talk_id).where(Message.author_id == actor.id)),
        )
    )
    opened = or_(
        (AuditEvent.action == "open_phone")
        & (AuditEvent.subject == "talk")
        & AuditEvent.subject_id.in_(talks),
        (AuditEvent.action == "open_attachment")
        & (AuditEvent.subject == "attachment")
        & AuditEvent.subject_id.in_(pictures),
        (AuditEvent.action == "read_order_talk")
        & (AuditEvent.subject == "order")
        & AuditEvent.subject_id.in_(talked_about),
        AuditEvent.action.in_(("open_phone", "open_statement", "open_income"))
        & (AuditEvent.subject == "account")
        & (AuditEvent.subject_id == actor.id),
        (AuditEvent.action == "open_contact")
        & (AuditEvent.subject == "visit")
        & AuditEvent.subject_id.in_(mine),
        (AuditEvent.action == "open_id_number")
        & (AuditEvent.subject == "verification")
        & AuditEvent.subject_id.in_(handed_in),
        (AuditEvent.action == "open_recipient")
        & (AuditEvent.subject == "recipient")
        & AuditEvent.subject_id.in_(cared_for),
        (AuditEvent.action == "open_evidence")
        & (AuditEvent.subject == "evidence")
        & (AuditEvent.detail["owner_id"].as_integer() == actor.id),
        (AuditEvent.action == "open_proof")
        & (AuditEvent.subject == "proof")
        & AuditEvent.subject_id.in_(proofs),
        (AuditEvent.action == "open_invoice")
        & (AuditEvent.subject == "invoice")
        & AuditEvent.subject_id.in_(invoices),
        (AuditEvent.action == "open_report_photo")
        & (AuditEvent.subject == "report_photo")
        & AuditEvent.subject_id.in_(photos),
    )
    rows = session.scalars(
        select(AuditEvent).where(opened).order_by(AuditEvent.id.desc()).limit(limit)
    )
    return [Look(row.action, row.role, row.created_at, row.actor_id == actor.id) for row in rows]


def _head(session: Session) -> tuple[int, str]:
    last = session.execute(
        select(_events.c.position, _events.c.hash)
        .where(_events.c.position.is_not(None))
        .order_by(_events.c.position.desc())
        .limit(1)
    ).one_or_none()
    return (last[0], last[1]) if last else (0, BEGINNING)


def _tail(session: Session) -> Tail:
    sealed, head = _head(session)
    unsealed, since = session.execute(
        select(func.count(), func.min(_events.c.created_at)).where(_events.c.position.is_(None))
    ).one()
    return Tail(sealed, head, unsealed, since)


def _chain(session: Session) -> Iterator[RowMapping]:
    """Every row that claims a place, in order, a chunk at a time; last any sealed without one."""
    place = _events.c.position
    rows = select(*_SEALED, place, _events.c.hash)
    ahead = place.is_not(None)
    while chunk := _rows(session, rows.where(ahead).order_by(place).limit(CHUNK)):
        yield from chunk
        ahead = place > chunk[-1]["position"]
    yield from _rows(session, rows.where(place.is_(None), _events.c.hash.is_not(None)).limit(1))


def _rows(session: Session, query: Executable) -> Sequence[RowMapping]:
    return session.execute(query).mappings().all()


def _hash(before: str, position: int, row: RowMapping) -> str:
    fields = {column.name: row[column.name] for column in _SEALED}
    fields |= {"position": position, "created_at": _microseconds(row["created_at"])}
    written = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{before}\n{written}".encode()).hexdigest()


def _microseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
