"""Evidence in complaints: pages a side hands in, sealed, opened by ticket, shredded in time.

The other side sees a page only once an operator has shared it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from data.cities import City
from data.complaints import UNDECIDED, Complaint, ComplaintEvidence
from data.orders import Order, Party, Visit
from services import audit, clock, complaints, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.scans import Page, Picture


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What stands in a list; the page itself is seen with a ticket, unless it is shredded."""

    id: int
    number: int
    by: Party
    shared: bool
    shredded: bool
    at: datetime


def add(session: Session, actor: Actor, complaint_id: int, pages: Sequence[Page]) -> None:
    """Hand in pages for the actor's side, or the caller's, of an undecided complaint."""
    actor.require(Permission.COMPLAIN)
    if not pages:
        raise Invalid("error.document_unreadable")
    complaint, _, _ = complaints.reach(session, actor, complaint_id, lock=True)
    if complaint.status not in UNDECIDED:
        raise Conflict("error.complaint_moved_on")
    complaints.keep_pages(session, complaint, complaints.side_of(actor), pages)
    audit.record(session, actor, "hand_in_evidence", "complaint", complaint.id, pages=len(pages))


def share(session: Session, actor: Actor, evidence_id: int) -> None:
    """Let the other side see a page, from now on."""
    actor.require(Permission.DECIDE_COMPLAINT)
    evidence = session.scalar(
        _visible_to(actor)
        .where(ComplaintEvidence.id == evidence_id)
        .with_for_update(of=ComplaintEvidence)
    )
    if evidence is None:
        raise NotFound("error.document_not_found")
    if evidence.shared_at is None:
        evidence.shared_at = clock.now()
        audit.record(session, actor, "share_evidence", "evidence", evidence.id)


def of(session: Session, actor: Actor, complaint_id: int) -> list[EvidenceView]:
    """The pages of a complaint that this actor may open, in the order they were handed in."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(
        _visible_to(actor)
        .where(ComplaintEvidence.complaint_id == complaint_id)
        .with_only_columns(
            ComplaintEvidence.id,
            ComplaintEvidence.number,
            ComplaintEvidence.handed_in_by,
            ComplaintEvidence.shared_at.is_not(None),
            ComplaintEvidence.content_sealed.is_(None),
            ComplaintEvidence.created_at,
        )
        .order_by(ComplaintEvidence.number)
    )
    return [EvidenceView(*row) for row in rows]


def reach(session: Session, actor: Actor, evidence_id: int, purpose: str) -> Picture:
    """A page this actor may see: unmarked only by the person who handed it in."""
    row = session.execute(
        _visible_to(actor)
        .where(ComplaintEvidence.id == evidence_id, ComplaintEvidence.content_sealed.is_not(None))
        .add_columns(Order.customer_id, Visit.caregiver_id)
    ).one_or_none()
    staff = actor.role in (Role.DESK, Role.OPERATOR)
    if row is None or purpose != ("complaint" if staff else "own"):
        raise NotFound("error.document_not_found")
    evidence, customer_id, caregiver_id = row
    by_family = evidence.handed_in_by is Party.CUSTOMER
    owner_id = customer_id if by_family else caregiver_id
    return Picture(evidence.content, owner_id, at_home=owner_id == actor.id and not staff)


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy what is kept for as long as its city keeps photos, once the complaint is decided."""
    actor.require(Permission.RUN_JOBS)
    shredded = 0
    for city in session.scalars(select(City)):
        old = Complaint.closed_at < clock.now() - timedelta(days=city.photo_days)
        decided = Complaint.status.not_in(UNDECIDED)
        shredded += _shred(session, actor, (Complaint.city_code == city.code) & old & decided)
    return shredded


def shred_of(
    session: Session, actor: Actor, account_ids: Sequence[int], *, disputed: bool = True
) -> int:
    """Destroy what is about visits of these people, `disputed` too; that it was there stays."""
    theirs = or_(Order.customer_id.in_(account_ids), Visit.caregiver_id.in_(account_ids))
    if not disputed:
        theirs &= Complaint.status.not_in(UNDECIDED)
    return _shred(session, actor, theirs)


def _shred(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        _with_visits(select(ComplaintEvidence.id, Order.customer_id)).where(
            which, ComplaintEvidence.content_sealed.is_not(None)
        )
    ).all()
    session.execute(
        update(ComplaintEvidence)
        .where(ComplaintEvidence.id.in_([number for number, _ in rows]))
        .values(content_sealed=None, shredded_at=clock.now())
    )
    for number, owner_id in rows:
        audit.record(session, actor, "shred_photo", "evidence", number, owner_id=owner_id)
    return len(rows)


def _visible_to(actor: Actor) -> Select[ComplaintEvidence]:
    """A side's own and what is shared with it; all to operators who have no part in it."""
    pages = _with_visits(select(ComplaintEvidence)).where(visits.are_visible_to(actor))
    if actor.role is Role.OPERATOR:
        return pages.where(Order.customer_id != actor.id, Visit.caregiver_id != actor.id)
    own = ComplaintEvidence.handed_in_by == complaints.side_of(actor)
    return pages.where(or_(own, ComplaintEvidence.shared_at.is_not(None)))


def _with_visits(pages: Select) -> Select:
    return (
        pages.join(Complaint, Complaint.id == ComplaintEvidence.complaint_id)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
    )
