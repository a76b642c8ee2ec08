"""Photos in a visit's report: taken by the caregiver, sealed, and for the visit's family only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, delete, false, func, select, update
from sqlalchemy.orm import Session

from data.cities import City
from data.orders import Order, ReportPhoto, Visit, VisitStatus
from data.verifications import DocumentTicket
from services import audit, clock, held_pay, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.scans import Page, Picture

MOST = 6
# From when she is there until the family has closed the visit.
OPEN = VisitStatus.IN_PROGRESS, VisitStatus.FINISHED
PURPOSES = ("own", "complaint")


@dataclass(frozen=True, slots=True)
class PhotoView:
    """What stands in a list; the photo itself is seen with a ticket."""

    id: int
    visit_id: int
    width: int
    height: int


def add(session: Session, actor: Actor, visit_id: int, pages: Sequence[Page]) -> None:
    """Add photos to the report of a visit of the actor's own, before it is redeemed."""
    actor.require(Permission.WORK_VISIT)
    visit = _open_visit(session, actor, visit_id)
    if not pages:
        raise Invalid("error.photo_unreadable")
    found = select(func.count(), func.coalesce(func.max(ReportPhoto.number), 0))
    there, last = session.execute(found.where(ReportPhoto.visit_id == visit.id)).one()
    if there + len(pages) > MOST:
        raise Invalid("error.report_photos_full", most=MOST)
    for number, page in enumerate(pages, last + 1):
        session.add(
            ReportPhoto(
                created_at=clock.now(),
                visit_id=visit.id,
                number=number,
                width=page.width,
                height=page.height,
                content=page.image,
            )
        )


def remove(session: Session, actor: Actor, photo_id: int) -> None:
    """Take a photo out of the report of a visit of the actor's own, before it is redeemed."""
    actor.require(Permission.WORK_VISIT)
    visit_id = session.scalar(select(ReportPhoto.visit_id).where(ReportPhoto.id == photo_id))
    try:
        _open_visit(session, actor, visit_id or 0)
    except NotFound:  # Somebody else's photo and none are the same.
        raise NotFound("error.report_photo_not_found") from None
    tickets = delete(DocumentTicket).where(DocumentTicket.report_photo_id == photo_id)
    session.execute(tickets)
    session.execute(delete(ReportPhoto).where(ReportPhoto.id == photo_id))


def of_visits(
    session: Session, actor: Actor, visit_ids: Sequence[int]
) -> dict[int, list[PhotoView]]:
    """The photos of these visits that the actor may open, by visit; they stay sealed."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(
        _visible_to(actor, "complaint" if actor.role is Role.OPERATOR else "own")
        .where(ReportPhoto.visit_id.in_(visit_ids))
        .with_only_columns(
            ReportPhoto.id, ReportPhoto.visit_id, ReportPhoto.width, ReportPhoto.height
        )
        .order_by(ReportPhoto.visit_id, ReportPhoto.number)
    )
    found: dict[int, list[PhotoView]] = {}
    for row in rows:
        found.setdefault(row.visit_id, []).append(PhotoView(*row))
    return found


def reach(session: Session, actor: Actor, photo_id: int, purpose: str) -> Picture:
    """A photo this actor may see for this purpose: as it is, but for operators."""
    row = session.execute(
        _visible_to(actor, purpose).where(ReportPhoto.id == photo_id).add_columns(Order.customer_id)
    ).one_or_none()
    if row is None:
        raise NotFound("error.document_not_found")
    photo, customer_id = row
    return Picture(photo.content, customer_id, at_home=purpose == "own")


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy the photos kept for as long as their city says; what is disputed waits."""
    actor.require(Permission.RUN_JOBS)
    shredded = 0
    for city in session.scalars(select(City)):
        old = ReportPhoto.created_at < clock.now() - timedelta(days=city.photo_days)
        here = Order.city_code == city.code
        shredded += _shred(session, actor, here & old & ~held_pay.rests())
    return shredded


def shred_of(
    session: Session, actor: Actor, customer_ids: Sequence[int], *, disputed: bool = True
) -> int:
    """Destroy the photos in the reports to a family, `disputed` too; that some were stays known."""
    theirs = Order.customer_id.in_(customer_ids)
    return _shred(session, actor, theirs if disputed else theirs & ~held_pay.rests())


def _shred(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        _with_orders(select(ReportPhoto.id, Order.customer_id)).where(
            which, ReportPhoto.content_sealed.is_not(None)
        )
    ).all()
    session.execute(
        update(ReportPhoto)
        .where(ReportPhoto.id.in_([number for number, _ in rows]))
        .values(content_sealed=None, shredded_at=clock.now())
    )
    for number, owner_id in rows:
        audit.record(session, actor, "shred_photo", "report_photo", number, owner_id=owner_id)
    return len(rows)


def _open_visit(session: Session, actor: Actor, visit_id: int) -> Visit:
    """A visit of the actor's own whose report is not closed, locked."""
    visit = visits.reach(session, actor, visit_id, lock=True)
    if visit.status not in OPEN:
        raise Conflict("error.report_closed")
    return visit


def _visible_to(actor: Actor, purpose: str) -> Select[ReportPhoto]:
    """The family's; hers until it is redeemed; an operator's while something is amiss."""
    photos = _with_orders(select(ReportPhoto)).where(
        visits.are_visible_to(actor), ReportPhoto.content_sealed.is_not(None)
    )
    match actor.role, purpose:
        case Role.CUSTOMER, "own":
            return photos
        case Role.CAREGIVER, "own":
            return photos.where(Visit.status.in_(OPEN))
        case Role.OPERATOR, "complaint":
            theirs = (Order.customer_id == actor.id) | (Visit.caregiver_id == actor.id)
            return photos.where(held_pay.rests(), ~theirs)
        case _:
            return photos.where(false())


def _with_orders(photos: Select) -> Select:
    return photos.join(Visit, Visit.id == ReportPhoto.visit_id).join(
        Order, Order.id == Visit.order_id
    )
