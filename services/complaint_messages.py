"""What is written about a complaint.

A side reads its own words and what the platform writes to it, never what the other side wrote:
operators forward in their own words what it has to know. The desk writes and reads for the family
that calls. Notes to the staff only operators read.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.complaints import UNDECIDED, Audience, Complaint, ComplaintMessage
from data.notices import NoticeKind
from data.orders import Order, Party, Visit
from services import agreements, clock, complaints, notices, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotAllowed
from services.wording import words

__all__ = ["Audience"]

MOST_SHOWN = 100
_READ = {
    Party.CUSTOMER: (Audience.CUSTOMER, Audience.BOTH),
    Party.CAREGIVER: (Audience.CAREGIVER, Audience.BOTH),
}
_OWN = {Party.CUSTOMER: Audience.CUSTOMER, Party.CAREGIVER: Audience.CAREGIVER}


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message; who of the staff wrote it only operators read."""

    id: int
    by: Party
    audience: Audience
    author_name: str
    words: str
    at: datetime


def write(
    session: Session,
    actor: Actor,
    complaint_id: int,
    said: str,
    request_key: str,
    audience: Audience | None = None,
) -> None:
    """Write about an undecided complaint; the same key twice is one message.

    A side writes to the platform; an operator to one side, to both, or a note to the staff.
    """
    actor.require(Permission.FOLLOW_ORDERS)
    side = complaints.side_of(actor)
    said = words(said, "message_words", 500)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    if complaint.status not in UNDECIDED:
        raise Conflict("error.complaint_moved_on")
    if side is Party.PLATFORM:
        visits.check_not_concerned(actor, visit, order)
    reader = audience if side is Party.PLATFORM else _OWN[side]
    if reader is None:
        raise NotAllowed("error.not_allowed")
    written = select(ComplaintMessage.id).where(
        ComplaintMessage.complaint_id == complaint.id, ComplaintMessage.request_key == request_key
    )
    if session.scalar(written) is not None:
        return
    message = ComplaintMessage(
        created_at=clock.now(),
        complaint_id=complaint.id,
        author_id=actor.id,
        written_by=side,
        audience=reader,
        words=said,
        request_key=request_key,
    )
    session.add(message)
    session.flush()
    _tell(session, complaint, visit, order, message)


def of(session: Session, actor: Actor, complaint_id: int) -> list[MessageView]:
    """What this actor may read of a complaint, oldest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    complaint = select(Complaint.id).where(
        Complaint.id.in_(complaints.visible_to(actor).with_only_columns(Complaint.id)),
        Complaint.id == complaint_id,
    )
    rows = session.execute(
        select(ComplaintMessage, Account.name)
        .join(Account, Account.id == ComplaintMessage.author_id)
        .where(ComplaintMessage.complaint_id.in_(complaint), _readable(actor))
        .order_by(ComplaintMessage.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    inside = actor.role is Role.OPERATOR
    return [
        MessageView(
            one.id, one.written_by, one.audience, name if inside else "", one.words, one.created_at
        )
        for one, name in reversed(rows)
    ]


def _readable(actor: Actor) -> ColumnElement[bool]:
    side = complaints.side_of(actor)
    if side is Party.PLATFORM:
        # Whose own dispute it is reads no more than a side does, and that on another page.
        own = (Order.customer_id == actor.id) | (Visit.caregiver_id == actor.id)
        theirs = (
            select(Complaint.id)
            .join(Visit, Visit.id == Complaint.visit_id)
            .join(Order, Order.id == Visit.order_id)
            .where(own)
        )
        return ComplaintMessage.complaint_id.not_in(theirs)
    return ComplaintMessage.audience.in_(_READ[side])


def _tell(
    session: Session, complaint: Complaint, visit: Visit, order: Order, message: ComplaintMessage
) -> None:
    """Those who read it and did not write it; the operators, or the one whose case it is."""
    named, about = agreements.facts(order, visit.id), f"complaint-message-{message.id}"
    kind = NoticeKind.COMPLAINT_MESSAGE
    if message.written_by is Party.PLATFORM:
        sides = {Party.CUSTOMER: order.customer_id, Party.CAREGIVER: visit.caregiver_id}
        readers = [one for side, one in sides.items() if message.audience in _READ[side]]
        notices.tell_all(session, kind, sorted(readers), about, **named)
    elif complaint.owner_id is not None:
        notices.tell(session, kind, complaint.owner_id, about, **named)
    else:
        notices.tell_operators(session, kind, complaint.city_code, about, **named)
