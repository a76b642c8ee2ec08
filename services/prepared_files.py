"""Prepared files: statements and packs that leave the app by a one-time ticket, sealed meanwhile.

What is in one was read with the rights of whoever it was made for; nobody else fetches it.
"""

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data.prepared_files import PreparedFile
from data.sealing import keyed_hash
from services import audit, clock
from services.access import Actor, Permission
from services.errors import Invalid, NotFound

TICKET_LIFETIME = timedelta(minutes=1)
# What the worker made waits for as long.
KEPT = timedelta(days=1)
MOST_BYTES = 20_000_000


def prepare(session: Session, actor: Actor, about: str, name: str, content: bytes) -> str:
    """Keep a file for the actor; return the ticket that fetches it within a minute.

    `about` says in ids and codes what it tells of.
    """
    actor.require(Permission.TAKE_PAPERS)
    drop_old(session)
    if len(content) > MOST_BYTES:
        raise Invalid("error.extract_too_large")
    made = _kept(actor.id or 0, about, name, content)
    session.add(made)
    return _ticket(made)


def keep(session: Session, account_id: int, about: str, name: str, content: bytes) -> None:
    """Keep what the worker made for somebody, until they come for it; in place of one before."""
    session.execute(
        delete(PreparedFile).where(
            PreparedFile.account_id == account_id, PreparedFile.about == about
        )
    )
    session.add(_kept(account_id, about, name, content))


def waits(session: Session, actor: Actor, about: str) -> bool:
    """Whether a file of the actor's that tells of this waits."""
    actor.require(Permission.TAKE_PAPERS)
    return _waiting(session, actor, about) is not None


def claim(session: Session, actor: Actor, about: str) -> str:
    """The ticket that fetches a file which waits for the actor, within a minute."""
    actor.require(Permission.TAKE_PAPERS)
    if (made := _waiting(session, actor, about)) is None:
        raise NotFound("error.document_not_found")
    return _ticket(made)


def take(session: Session, actor: Actor, ticket: str) -> tuple[str, bytes]:
    """The name and the bytes of the file that a ticket of the actor's is for, once."""
    actor.require(Permission.TAKE_PAPERS)
    row = session.scalar(
        select(PreparedFile)
        .where(
            PreparedFile.ticket_hash == _hash(ticket),
            PreparedFile.account_id == actor.id,
            PreparedFile.expires_at > clock.now(),
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound("error.document_not_found")
    audit.record(session, actor, "take_file", "account", actor.id or 0, about=row.about)
    session.delete(row)
    return row.name, row.content


def drop_old(session: Session) -> None:
    """Drop what nobody came for in time."""
    session.execute(delete(PreparedFile).where(PreparedFile.expires_at < clock.now()))


def _kept(account_id: int, about: str, name: str, content: bytes) -> PreparedFile:
    return PreparedFile(
        created_at=clock.now(),
        account_id=account_id,
        about=about,
        name=name,
        content=content,
        expires_at=clock.now() + KEPT,
    )


def _waiting(session: Session, actor: Actor, about: str) -> PreparedFile | None:
    return session.scalar(
        select(PreparedFile).where(
            PreparedFile.account_id == actor.id,
            PreparedFile.about == about,
            PreparedFile.expires_at > clock.now(),
        )
    )


def _ticket(made: PreparedFile) -> str:
    """A ticket for it, good for a minute; one made before is good no more."""
    ticket = secrets.token_urlsafe(32)
    made.ticket_hash, made.expires_at = _hash(ticket), clock.now() + TICKET_LIFETIME
    return ticket


def _hash(ticket: str) -> str:
    return keyed_hash("prepared file ticket", ticket)
