"""Pictures in talks: made anew by us, sealed, seen with tickets, shredded in time."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from data.chat import Attachment, Message, Talk
from data.cities import City
from data.orders import Order
from services import audit, clock, order_talks, talks
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.scans import Page, Picture

MOST = 4


def store(session: Session, message: Message, pages: Sequence[Page]) -> None:
    """Seal the pictures of a message."""
    if len(pages) > MOST:
        raise Invalid("error.attachments_too_many", most=MOST)
    for page in pages:
        session.add(
            Attachment(
                created_at=clock.now(),
                message_id=message.id,
                width=page.width,
                height=page.height,
                content=page.image,
            )
        )


def reach(session: Session, actor: Actor, attachment_id: int, purpose: str) -> Picture:
    """A picture of a talk the actor takes part in; the staff's looks are marked and recorded."""
    visible = [one.visible_to(actor).with_only_columns(Talk.id) for one in (talks, order_talks)]
    if purpose == "complaint":
        visible = [order_talks.in_dispute(actor).with_only_columns(Talk.id)]
    row = session.execute(
        select(Attachment, Talk.account_id)
        .join(Message, Message.id == Attachment.message_id)
        .join(Talk, Talk.id == Message.talk_id)
        .where(
            Attachment.id == attachment_id,
            Attachment.content_sealed.is_not(None),
            or_(*(Talk.id.in_(one) for one in visible)),
        )
    ).one_or_none()
    staff = actor.may(Permission.ANSWER_CHAT)
    if row is None or purpose not in (("chat", "complaint") if staff else ("own",)):
        raise NotFound("error.document_not_found")
    picture, owner_id = row
    return Picture(picture.content, owner_id or 0, at_home=not staff)


def shred_due(session: Session, actor: Actor) -> int:
    """Destroy the pictures kept for as long as their city keeps photos; return how many."""
    actor.require(Permission.RUN_JOBS)
    shredded = 0
    for city in session.scalars(select(City)):
        old = Attachment.created_at < clock.now() - timedelta(days=city.photo_days)
        shredded += _shred(session, actor, old & (Talk.city_code == city.code))
    return shredded


def shred_of(session: Session, actor: Actor, account_ids: Sequence[int]) -> int:
    """Destroy every picture in somebody's talks, and what they sent to others'."""
    theirs = or_(
        Talk.account_id.in_(account_ids),
        Message.author_id.in_(account_ids),
        Talk.order_id.in_(select(Order.id).where(Order.customer_id.in_(account_ids))),
    )
    return _shred(session, actor, theirs)


def _shred(session: Session, actor: Actor, which: ColumnElement[bool]) -> int:
    rows = session.execute(
        select(Attachment.id, Talk.account_id)
        .join(Message, Message.id == Attachment.message_id)
        .join(Talk, Talk.id == Message.talk_id)
        .where(which, Attachment.content_sealed.is_not(None))
    ).all()
    session.execute(
        update(Attachment)
        .where(Attachment.id.in_([number for number, _ in rows]))
        .values(content_sealed=None, shredded_at=clock.now())
    )
    for number, owner_id in rows:
        audit.record(session, actor, "shred_photo", "attachment", number, owner_id=owner_id)
    return len(rows)
