"""Documents of a verification: pictures of our own making (services.scans), sealed.

They are opened one look at a time (services.pictures), with who looks written across them.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, false, func, select, update
from sqlalchemy.orm import Session, aliased

from data.catalogue import CertificateKind
from data.cities import City
from data.history import AuditEvent
from data.verifications import (
    CaseKind,
    CaseStatus,
    Document,
    DocumentKind,
    DocumentTicket,
    VerificationCase,
)
from services import audit, clock, leases
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.scans import MOST_PAGES, Page, Picture, pages_of, too_many_pages

__all__ = ["DocumentKind", "Page", "pages_of"]

DRAFT_KEPT = timedelta(days=30)
PURPOSES = ("own", "review", "complaint")
SHOWN = 50
# What a case asks for; of these there is one page each, of the others several.
ASKED = {
    CaseKind.CUSTOMER: (DocumentKind.ID_FRONT, DocumentKind.ID_BACK),
    CaseKind.CAREGIVER: tuple(DocumentKind),
}
TRAININGS = frozenset(CertificateKind) - {CertificateKind.HEALTH}
ONE_PAGE = (DocumentKind.ID_FRONT, DocumentKind.ID_BACK, DocumentKind.PORTRAIT)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """What stands in a list; the picture itself is seen with a ticket, unless it is shredded."""

    id: int
    kind: DocumentKind
    certificate_kind: CertificateKind | None
    page: int
    width: int
    height: int
    shredded: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """Somebody opened a document of the person's: in which role and for what."""

    kind: DocumentKind
    role: Role
    purpose: str
    at: datetime
    is_me: bool


def attach(
    session: Session,
    actor: Actor,
    case_id: int,
    kind: DocumentKind,
    pages: Sequence[Page],
    certificate_kind: CertificateKind | None = None,
) -> None:
    """Add pages to a draft of the actor's own; a side of the card or a portrait has only one."""
    actor.require(Permission.HAND_IN_CASE)
    case = _draft(session, actor, VerificationCase.id == case_id)
    shows_one = kind is DocumentKind.CERTIFICATE
    if kind not in ASKED[case.kind] or shows_one != (certificate_kind in TRAININGS):
        raise Invalid("error.document_not_asked")
    certificate_kind = certificate_kind if shows_one else None
    if not pages:
        raise Invalid("error.document_unreadable")
    same = (
        Document.case_id == case.id,
        Document.kind == kind,
        Document.certificate_kind == certificate_kind,
    )
    found = select(func.count(), func.coalesce(func.max(Document.page), 0)).where(*same)
    there, last = session.execute(found).one()
    if kind in ONE_PAGE:
        if len(pages) > 1:
            raise Invalid("error.document_one_page")
        if there:
            _discard(session, *same)
        there = last = 0
    if there + len(pages) > MOST_PAGES:
        raise too_many_pages()
    for number, page in enumerate(pages, last + 1):
        store(session, case, kind, page, number, certificate_kind)
    session.flush()


def store(
    session: Session,
    case: VerificationCase,
    kind: DocumentKind,
    page: Page,
    number: int = 1,
    certificate_kind: CertificateKind | None = None,
) -> None:
    """Seal one page into a case."""
    session.add(
        Document(
            created_at=clock.now(),
            account_id=case.account_id,
            case_id=case.id,
            kind=kind,
            certificate_kind=certificate_kind,
            page=number,
            width=page.width,
            height=page.height,
            content=page.image,
        )
    )


def remove(session: Session, actor: Actor, document_id: int) -> None:
    """Take a page out of a draft of the actor's own."""
    actor.require(Permission.HAND_IN_CASE)
    of_document = select(Document.case_id).where(Document.id == document_id).scalar_subquery()
    _draft(session, actor, VerificationCase.id == of_document)
    _discard(session, Document.id == document_id)


def of_case(session: Session, case_id: int) -> tuple[DocumentView, ...]:
    """The pages of a case, in the order they are asked for; the pictures stay sealed."""
    rows = session.execute(
        select(
            Document.id,
            Document.kind,
            Document.certificate_kind,
            Document.page,
            Document.width,
            Document.height,
            Document.content_sealed.is_(None),
        ).where(Document.case_id == case_id)
    )
    order, kinds = list(DocumentKind), ["", *CertificateKind]
    views = [DocumentView(*row) for row in rows]
    return tuple(
        sorted(
            views,
            key=lambda one: (
                order.index(one.kind),
                kinds.index(one.certificate_kind or ""),
                one.page,
                one.id,
            ),
        )
    )


def carry_over(
    session: Session,
    old_id: int,
    case: VerificationCase,
    but: Collection[CertificateKind] = (),
) -> None:
    """Copy the pages of an older case that are still there, but for those certificates."""
    for row in session.scalars(
        select(Document).where(
            Document.case_id == old_id,
            Document.account_id == case.account_id,
            Document.content_sealed.is_not(None),
        )
    ).all():
        if not _shows(row.kind, row.certificate_kind, but):
            page = Page(row.content, row.width, row.height)
            store(session, case, row.kind, page, row.page, row.certificate_kind)
    session.flush()


def drop_of(session: Session, case_id: int, certificates: Collection[CertificateKind]) -> None:
    """Take the pages that show certificates of these kinds out of a draft."""
    pages = of_case(session, case_id)
    shown = [one.id for one in pages if _shows(one.kind, one.certificate_kind, certificates)]
    _discard(session, Document.id.in_(shown))


def _shows(
    kind: DocumentKind,
    certificate_kind: CertificateKind | None,
    certificates: Collection[CertificateKind],
) -> bool:
    health = kind is DocumentKind.HEALTH_REPORT and CertificateKind.HEALTH in certificates
    return health or certificate_kind in certificates


def keep_open(session: Session, actor: Actor, document_id: int, purpose: str) -> None:
    """Who looks at a paper for a review still sits over the case: it stays theirs."""
    if purpose == "review":
        owner = select(Document.account_id).where(Document.id == document_id).scalar_subquery()
        leases.prolong(session, actor, VerificationCase.account_id == owner)


def reach(session: Session, actor: Actor, document_id: int, purpose: str) -> Picture:
    """A document this actor may see for this purpose; what is shredded nobody sees.

    The owner looks for `own`. Operators of the case's city look for `complaint`, or for `review`
    while they have taken a case of that person's; what was never handed in they do not see.
    """
    document = session.scalar(
        _visible_to(actor, purpose).where(
            Document.id == document_id, Document.content_sealed.is_not(None)
        )
    )
    if document is None:
        raise NotFound("error.document_not_found")
    return Picture(document.content, document.account_id)


def openings(session: Session, actor: Actor, limit: int = SHOWN) -> list[Opening]:
    """Who opened the actor's own documents, newest first."""
    actor.require(Permission.HAND_IN_CASE)
    rows = session.execute(
        select(
            Document.kind,
            AuditEvent.role,
            AuditEvent.detail["purpose"].as_string(),
            AuditEvent.created_at,
            AuditEvent.actor_id == actor.id,
        )
        .join(Document, Document.id == AuditEvent.subject_id)
        .where(
            AuditEvent.subject == "document",
            AuditEvent.action == "open_document",
            Document.account_id == actor.id,
            AuditEvent.detail["owner_id"].as_integer() == actor.id,
        )
        .order_by(AuditEvent.id.desc())
        .limit(limit)
    )
    return [Opening(*row) for row in rows]


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy the pictures whose time is over; return how many.

    Days of the city's own for decided cases, 30 for drafts that were never handed in.
    """
    actor.require(Permission.RUN_JOBS)
    return sum(_shred(session, actor, condition) for condition in _over(session))


def shred_of(session: Session, actor: Actor, account_id: int) -> int:
    """Destroy every picture of one person's; what was there stays listed."""
    return _shred(session, actor, Document.account_id == account_id)


def _over(session: Session) -> Iterator[ColumnElement[bool]]:
    """Which documents' time is over: in each city by its settings, and old drafts' anywhere."""
    decided, now = VerificationCase.decided_at, clock.now()
    draft = VerificationCase.status == CaseStatus.DRAFT
    yield draft & (Document.created_at < now - DRAFT_KEPT)
    for city in session.scalars(select(City)):
        here = VerificationCase.city_code == city.code
        rejected = VerificationCase.status == CaseStatus.REJECTED
        yield here & rejected & (decided < now - timedelta(days=city.rejected_document_days))
        yield here & (decided < now - timedelta(days=city.document_days))


def _shred(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        select(Document.id, Document.account_id)
        .join(VerificationCase, VerificationCase.id == Document.case_id)
        .where(which, Document.content_sealed.is_not(None))
    ).all()
    numbers = [number for number, _ in rows]
    session.execute(
        update(Document)
        .where(Document.id.in_(numbers))
        .values(content_sealed=None, shredded_at=clock.now())
    )
    for number, owner_id in rows:
        audit.record(session, actor, "shred_document", "document", number, owner_id=owner_id)
    return len(numbers)


def _discard(session: Session, *which: ColumnElement[bool]) -> None:
    """Delete documents of a draft, with the tickets made for them."""
    numbers = session.scalars(select(Document.id).where(*which)).all()
    session.execute(delete(DocumentTicket).where(DocumentTicket.document_id.in_(numbers)))
    session.execute(delete(Document).where(Document.id.in_(numbers)))


def _draft(session: Session, actor: Actor, which: ColumnElement[bool]) -> VerificationCase:
    """A case of the actor's own that is not handed in yet, locked."""
    case = session.scalar(
        select(VerificationCase)
        .where(which, VerificationCase.account_id == actor.id)
        .with_for_update()
    )
    if case is None:
        raise NotFound("error.document_not_found")
    if case.status is not CaseStatus.DRAFT:
        raise Conflict("error.case_not_draft")
    return case


def _visible_to(actor: Actor, purpose: str) -> Select[Document]:
    """Everybody's own; an operator's cities', once handed in, and for a review only then."""
    documents = select(Document)
    if purpose == "own":
        return documents.where(Document.account_id == actor.id)
    if actor.role is not Role.OPERATOR or purpose not in PURPOSES:
        return documents.where(false())
    handed_in = documents.join(VerificationCase, VerificationCase.id == Document.case_id).where(
        VerificationCase.city_code.in_(actor.cities),
        VerificationCase.status != CaseStatus.DRAFT,
        Document.account_id != actor.id,
    )
    if purpose != "review":
        return handed_in
    taken = aliased(VerificationCase)
    return handed_in.where(
        exists().where(
            taken.account_id == Document.account_id,
            taken.status == CaseStatus.SUBMITTED,
            taken.reviewer_id == actor.id,
        )
    )
