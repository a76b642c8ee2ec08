"""Pictures nobody finds by guessing: a ticket shows one of them once, to whom it was made for.

Documents, photos of reports, pictures in talks, evidence and proofs are opened the same way; what
each of them is and who may see it for what says its own service.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from data.sealing import keyed_hash
from data.verifications import DocumentTicket
from services import (
    attachments,
    audit,
    clock,
    complaint_evidence,
    documents,
    prepared_files,
    proofs,
    report_photos,
)
from services.access import Actor, Permission
from services.errors import NotFound
from services.scans import marked

__all__ = ["PictureKind", "marked"]

TICKET_LIFETIME = timedelta(minutes=1)


class PictureKind(StrEnum):
    """Named as the audit names it."""

    DOCUMENT = "document"
    REPORT_PHOTO = "report_photo"
    ATTACHMENT = "attachment"
    EVIDENCE = "evidence"
    PROOF = "proof"


# Who may see one is asked when a ticket is made and when it is used.
_REACH = {
    PictureKind.DOCUMENT: documents.reach,
    PictureKind.REPORT_PHOTO: report_photos.reach,
    PictureKind.ATTACHMENT: attachments.reach,
    PictureKind.EVIDENCE: complaint_evidence.reach,
    PictureKind.PROOF: proofs.reach,
}
# The column of a ticket that names it.
_COLUMNS = {
    PictureKind.DOCUMENT: DocumentTicket.document_id,
    PictureKind.REPORT_PHOTO: DocumentTicket.report_photo_id,
    PictureKind.ATTACHMENT: DocumentTicket.attachment_id,
    PictureKind.EVIDENCE: DocumentTicket.evidence_id,
    PictureKind.PROOF: DocumentTicket.proof_id,
}


def tickets(
    session: Session, actor: Actor, kind: PictureKind, ids: Sequence[int], purpose: str
) -> list[str]:
    """A ticket for each of these pictures."""
    actor.require(Permission.SEE_DOCUMENT)
    return [ticket(session, actor, kind, picture_id, purpose) for picture_id in ids]


def ticket(session: Session, actor: Actor, kind: PictureKind, picture_id: int, purpose: str) -> str:
    """Lets the actor see one picture, once, within a minute."""
    actor.require(Permission.SEE_DOCUMENT)
    _REACH[kind](session, actor, picture_id, purpose)
    made = secrets.token_urlsafe(32)
    session.add(
        DocumentTicket(
            created_at=clock.now(),
            ticket_hash=_ticket_hash(made),
            account_id=actor.id,
            purpose=purpose,
            expires_at=clock.now() + TICKET_LIFETIME,
            **{_COLUMNS[kind].key: picture_id},
        )
    )
    if kind is PictureKind.DOCUMENT:
        documents.keep_open(session, actor, picture_id, purpose)
    return made


def take(session: Session, actor: Actor, ticket: str) -> bytes:
    """The picture a ticket of the actor's is for, as WebP, marked if it has to be."""
    actor.require(Permission.SEE_DOCUMENT)
    return marked(*use(session, actor, ticket))


def use(session: Session, actor: Actor, ticket: str) -> tuple[bytes, str]:
    """The picture a ticket of the actor's is for, and what `marked` is to write across it.

    Marking takes a fraction of a second: better done after the transaction.
    """
    actor.require(Permission.SEE_DOCUMENT)
    now = clock.now()
    used = session.execute(
        update(DocumentTicket)
        .where(
            DocumentTicket.ticket_hash == _ticket_hash(ticket),
            DocumentTicket.account_id == actor.id,
            DocumentTicket.used_at.is_(None),
            DocumentTicket.expires_at > now,
        )
        .values(used_at=now)
        .returning(DocumentTicket.purpose, *_COLUMNS.values())
    ).one_or_none()
    if used is None:
        raise NotFound("error.document_not_found")
    purpose, *named = used
    [(kind, picture_id)] = [
        (kind, number) for kind, number in zip(_COLUMNS, named, strict=True) if number is not None
    ]
    picture = _REACH[kind](session, actor, picture_id, purpose)
    if picture.at_home:
        return picture.image, ""
    audit.record(
        session,
        actor,
        f"open_{kind}",
        kind,
        picture_id,
        purpose=purpose,
        owner_id=picture.owner_id,
    )
    when = clock.in_city(now).strftime("%Y-%m-%d %H:%M")
    return picture.image, f"CarePilot {actor.role} {actor.id}  {when}  {purpose}"


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy pictures whose time is over, old tickets and files; return how many pictures."""
    actor.require(Permission.RUN_JOBS)
    session.execute(
        delete(DocumentTicket).where(DocumentTicket.expires_at < clock.now() - timedelta(days=1))
    )
    prepared_files.drop_old(session)
    kinds = documents, report_photos, attachments, complaint_evidence, proofs
    return sum(kind.shred_due(session, actor) for kind in kinds)


def _ticket_hash(ticket: str) -> str:
    return keyed_hash("document ticket", ticket)
