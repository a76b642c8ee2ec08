"""Files of figures that leave the app: made for one person, taken once, and noted in the audit.

What is in a file was read with the rights of whoever asks for it: live figures of an operator's
cities, published ones of an analyst's (services.analytics.figures).
"""

import secrets
import zlib
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data.publications import Extract
from data.sealing import keyed_hash
from services import audit, clock
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.saved_views import PAGES

TICKET_LIFETIME = timedelta(minutes=1)
MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Scope:
    """What a file tells of, in codes and ISO dates: for the audit."""

    place: str
    first: str
    last: str
    care: str
    rows: int
    published: bool


def prepare(session: Session, actor: Actor, page: str, content: bytes, scope: Scope) -> str:
    """Keep a page's file for the actor; return the ticket that fetches it within a minute."""
    actor.require(Permission.READ_FIGURES)
    if page not in PAGES:
        raise NotFound("error.view_unknown")
    if len(content) > MOST_BYTES:
        raise Invalid("error.extract_too_large")
    now = clock.now()
    session.execute(delete(Extract).where(Extract.expires_at < now))
    made = secrets.token_urlsafe(32)
    session.add(
        Extract(
            created_at=now,
            account_id=actor.id,
            ticket_hash=_ticket_hash(made),
            page=page,
            detail=asdict(scope),
            content=zlib.compress(content),
            expires_at=now + TICKET_LIFETIME,
        )
    )
    return made


def take(session: Session, actor: Actor, ticket: str) -> tuple[str, bytes]:
    """The name and the bytes of the file that a ticket of the actor's is for, once."""
    actor.require(Permission.READ_FIGURES)
    row = session.scalar(
        select(Extract)
        .where(
            Extract.ticket_hash == _ticket_hash(ticket),
            Extract.account_id == actor.id,
            Extract.expires_at > clock.now(),
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound("error.document_not_found")
    content = zlib.decompress(row.content)
    audit.record(session, actor, "export_figures", "extract", row.id, page=row.page, **row.detail)
    session.delete(row)
    return f"carepilot-{row.page}-{row.detail['place']}-{row.detail['last']}.csv", content


def _ticket_hash(ticket: str) -> str:
    return keyed_hash("extract ticket", ticket)
