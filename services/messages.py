"""What is said in talks: once for a key, at a human pace, and read up to a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.chat import Attachment, Message, Reading, Side, Talk, TalkStatus
from data.notices import NoticeKind, OutboxMessage, OutboxStatus
from data.orders import Order, Visit
from services import attachments, clock, notices, order_talks, talks
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid
from services.scans import Page
from services.wording import words

__all__ = ["Side"]

LONGEST = 2000
MOST_AT_ONCE, AT_ONCE = 10, timedelta(seconds=10)
SHOWN = 60
# Who looks at the talk reads an answer at once: after that a notice says that there is one.
LOOKING = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says: words, pictures of ours, an order; the key makes it once."""

    words: str
    key: str
    pages: Sequence[Page] = ()
    order_id: int | None = None


@dataclass(frozen=True, slots=True)
class PictureView:
    """A picture of a message; it is seen with a ticket, unless it is shredded."""

    id: int
    width: int
    height: int
    shredded: bool


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as this reader sees it; the platform's is the word for what happened."""

    id: int
    side: Side
    author_name: str
    mine: bool
    private: bool
    words: str
    order_id: int | None
    at: datetime
    pictures: list[PictureView] = field(default_factory=list)


def ask(session: Session, actor: Actor, said: Said, city_code: str | None = None) -> int:
    """Say something to customer service; return the message's number."""
    actor.require(Permission.CHAT)
    _check(said)
    talk = talks.own(session, actor, city_code)
    if (known := known_as(session, talk, said.key)) is not None:
        return known
    check_pace(session, talk, Message.author_id == actor.id)
    message_id = put(session, talk, _side(actor), actor.id, said)
    waits(session, actor, talk)
    return message_id


def answer(session: Session, actor: Actor, talk_id: int, said: Said) -> int:
    """Answer for customer service; a waiting talk is the one's who answers it first."""
    actor.require(Permission.ANSWER_CHAT)
    _check(said)
    talk = talks.reach(session, actor, talk_id, lock=True)
    if (known := known_as(session, talk, said.key)) is not None:
        return known
    if talk.status is TalkStatus.SETTLED:
        raise Conflict("error.talk_settled")
    if talk.assigned_to_id not in (None, actor.id):
        name = session.get_one(Account, talk.assigned_to_id).name
        raise Conflict("error.talk_taken", name=name)
    if talk.guest_id is not None and (said.pages or said.order_id):
        raise Invalid("error.guest_words_only")
    check_pace(session, talk, Message.author_id == actor.id)
    if talk.status is TalkStatus.WAITING:
        talks.assign(session, actor, talk, "take", actor.id or 0)
    message_id = put(session, talk, Side.STAFF, actor.id, said)
    talk.first_answered_at = talk.first_answered_at or clock.now()
    talk.waiting_since = None
    if talk.account_id is not None:
        _tell_answered(session, talk)
    return message_id


def jot(session: Session, actor: Actor, talk_id: int, said: Said) -> int:
    """A note for the staff's eyes only, whoever answers the talk."""
    actor.require(Permission.ANSWER_CHAT)
    _check(said)
    talk = talks.reach(session, actor, talk_id, lock=True)
    if (known := known_as(session, talk, said.key)) is not None:
        return known
    if said.pages or said.order_id:
        raise Invalid("error.note_words_only")
    check_pace(session, talk, Message.author_id == actor.id)
    return put(session, talk, Side.STAFF, actor.id, said, private=True)


def say_about(session: Session, actor: Actor, order_id: int, said: Said) -> int:
    """Say something to the other side of an order."""
    actor.require(Permission.CHAT)
    _check(said)
    talk = order_talks.opens(session, actor, order_id)
    if (known := known_as(session, talk, said.key)) is not None:
        return known
    check_pace(session, talk, Message.author_id == actor.id)
    return put(session, talk, _side(actor), actor.id, said)


def thread(session: Session, actor: Actor, talk_id: int, shown: int = SHOWN) -> list[MessageView]:
    """The last messages of a talk the actor takes part in, oldest first."""
    actor.require(Permission.READ_CHAT)
    talk = talks.reach(session, actor, talk_id)
    return views(session, talk, actor, shown)


def thread_about(
    session: Session, actor: Actor, order_id: int, shown: int = SHOWN
) -> list[MessageView]:
    """The last messages about an order of the actor's, oldest first; none before the first."""
    actor.require(Permission.CHAT)
    talk = session.scalar(order_talks.visible_to(actor).where(Talk.order_id == order_id))
    return views(session, talk, actor, shown) if talk is not None else []


def thread_in_dispute(session: Session, actor: Actor, order_id: int) -> list[MessageView]:
    """The messages about an order with an open complaint, for its operators; leaves a record."""
    actor.require(Permission.DECIDE_COMPLAINT)
    talk = order_talks.disputed(session, actor, order_id)
    return views(session, talk, actor, SHOWN) if talk is not None else []


def views(session: Session, talk: Talk, reader: Actor | None, shown: int) -> list[MessageView]:
    """The last messages of a talk as staff, somebody of it or (None) its guest reads them."""
    staff = reader is not None and reader.may(Permission.ANSWER_CHAT)
    query = select(Message, Account.name).outerjoin(Account, Account.id == Message.author_id)
    query = query.where(Message.talk_id == talk.id)
    if not staff:
        query = query.where(Message.private.is_(False))
    rows = session.execute(query.order_by(Message.id.desc()).limit(shown)).all()
    reader_id = reader.id if reader is not None else None
    found = {
        message.id: MessageView(
            message.id,
            message.side,
            name or "",
            message.side is not Side.PLATFORM and message.author_id == reader_id,
            message.private,
            message.words,
            message.order_id,
            message.created_at,
        )
        for message, name in reversed(rows)
    }
    pictures = session.execute(
        select(
            Attachment.message_id,
            Attachment.id,
            Attachment.width,
            Attachment.height,
            Attachment.content_sealed.is_(None),
        )
        .where(Attachment.message_id.in_(found))
        .order_by(Attachment.id)
    )
    for message_id, number, width, height, shredded in pictures:
        found[message_id].pictures.append(PictureView(number, width, height, bool(shredded)))
    return list(found.values())


def mark_read(session: Session, actor: Actor, talk_id: int, message_id: int) -> None:
    """The actor has read one of their talks up to this message."""
    actor.require(Permission.READ_CHAT)
    mark(session, talks.reach(session, actor, talk_id), actor.id, message_id)


def mark_read_about(session: Session, actor: Actor, order_id: int, message_id: int) -> None:
    """The actor has read the talk about an order up to this message."""
    actor.require(Permission.CHAT)
    talk = session.scalar(order_talks.visible_to(actor).where(Talk.order_id == order_id))
    if talk is not None:
        mark(session, talk, actor.id, message_id)


def mark(session: Session, talk: Talk, reader_id: int | None, message_id: int) -> None:
    """Keep up to where somebody has read; what is read needs no notice any more."""
    whose = Reading.account_id == reader_id if reader_id else Reading.account_id.is_(None)
    theirs = (Reading.talk_id == talk.id, whose)
    newer = update(Reading).where(*theirs, Reading.message_id < message_id)
    if not session.execute(newer.values(message_id=message_id).returning(Reading.id)).all():
        if session.scalar(select(Reading.id).where(*theirs).limit(1)) is not None:
            return
        reading = Reading(
            created_at=clock.now(), talk_id=talk.id, account_id=reader_id, message_id=message_id
        )
        try:
            with session.begin_nested():
                session.add(reading)
        except IntegrityError:  # Another page of theirs at the same moment.
            session.execute(newer.values(message_id=message_id))
    if reader_id is not None and reader_id == talk.account_id:
        session.execute(
            update(OutboxMessage)
            .where(
                OutboxMessage.account_id == reader_id,
                OutboxMessage.kind == NoticeKind.CHAT_ANSWERED,
                OutboxMessage.status == OutboxStatus.PENDING,
            )
            .values(status=OutboxStatus.CANCELLED)
        )


def unread(session: Session, actor: Actor) -> dict[int | None, int]:
    """How many messages the actor has not read: of orders' talks by order, under None the rest."""
    actor.require(Permission.CHAT)
    return dict(session.execute(_unread(actor)).all())


# Every page asks it at every run: writing the question takes longer than the answer.
@lru_cache(maxsize=1000)
def _unread(actor: Actor) -> Select[int | None, int]:
    return (
        select(Talk.order_id, func.count(Message.id))
        .join(Talk, Talk.id == Message.talk_id)
        .where(
            or_(
                Talk.id.in_(talks.visible_to(actor).with_only_columns(Talk.id)),
                Talk.id.in_(order_talks.visible_to(actor).with_only_columns(Talk.id)),
            ),
            new_to(actor.id),
        )
        .group_by(Talk.order_id)
    )


def new_to(reader_id: int | None) -> ColumnElement[bool]:
    """Of messages joined with talks: said by others, to this reader too, and not read by them."""
    whose = Reading.account_id == reader_id if reader_id else Reading.account_id.is_(None)
    read = exists().where(
        Reading.talk_id == Message.talk_id, whose, Reading.message_id >= Message.id
    )
    others = Message.author_id != reader_id if reader_id else Message.author_id.is_not(None)
    return and_(
        Message.side != Side.PLATFORM,
        Message.private.is_(False),
        or_(Message.author_id.is_(None), others) if reader_id else others,
        ~read,
    )


def cards(session: Session, actor: Actor) -> list[int]:
    """The orders the actor may show in their talk with customer service, newest first."""
    actor.require(Permission.CHAT)
    return list(session.scalars(_of_account(actor.id or 0).limit(SHOWN)))


def put(
    session: Session,
    talk: Talk,
    side: Side,
    author_id: int | None,
    said: Said,
    *,
    private: bool = False,
) -> int:
    """Add a message to a locked talk; who wrote it has read it."""
    if said.order_id is not None:
        _check_card(session, talk, said.order_id)
    message = Message(
        created_at=clock.now(),
        talk_id=talk.id,
        side=side,
        author_id=author_id,
        private=private,
        words=said.words.strip() and words(said.words, "message", LONGEST),
        order_id=said.order_id,
        said_key=said.key,
    )
    session.add(message)
    session.flush()
    attachments.store(session, message, said.pages)
    talk.last_message_id = message.id
    return message.id


def known_as(session: Session, talk: Talk, key: str) -> int | None:
    """The message that was said with this key already."""
    return session.scalar(
        select(Message.id).where(Message.talk_id == talk.id, Message.said_key == key)
    )


def check_pace(session: Session, talk: Talk, by: ColumnElement[bool]) -> None:
    """Refuse what comes faster than anybody reads; the talk is locked, so that all count."""
    lately = select(func.count(Message.id)).where(
        Message.talk_id == talk.id,
        Message.side != Side.PLATFORM,
        Message.created_at > clock.now() - AT_ONCE,
        by,
    )
    if (session.scalar(lately) or 0) >= MOST_AT_ONCE:
        raise Conflict("error.chat_too_fast", seconds=int(AT_ONCE.total_seconds()))


def waits(session: Session, actor: Actor, talk: Talk) -> None:
    """Somebody waits for the staff from now on, unless they did already."""
    actor.require(Permission.CHAT if actor.role else Permission.RUN_JOBS)
    if talk.status is TalkStatus.SETTLED:
        talks.reopen(session, actor, talk)
    talk.waiting_since = talk.waiting_since or clock.now()


def forget_of(session: Session, account_ids: Sequence[int]) -> None:
    """Blank every word of somebody's, and what was said to them; that it was said stays."""
    theirs = or_(
        Message.author_id.in_(account_ids),
        Message.talk_id.in_(select(Talk.id).where(Talk.account_id.in_(account_ids))),
    )
    said = Message.side != Side.PLATFORM
    session.execute(update(Message).where(theirs, said).values(words=""))
    session.execute(
        update(Talk)
        .where(Talk.account_id.in_(account_ids))
        .values(score_words="", version=Talk.version + 1)
    )


def _side(actor: Actor) -> Side:
    return Side.CAREGIVER if actor.role is Role.CAREGIVER else Side.CUSTOMER


def _check(said: Said) -> None:
    """Refused before anything is asked or locked."""
    needed = not said.pages and said.order_id is None
    words(said.words, "message", LONGEST, required=needed)
    if len(said.pages) > attachments.MOST:
        raise Invalid("error.attachments_too_many", most=attachments.MOST)


def _check_card(session: Session, talk: Talk, order_id: int) -> None:
    """Both sides may see it: an order of the one who asks, or the one the talk is about."""
    its = [talk.order_id] if talk.order_id else session.scalars(_of_account(talk.account_id or 0))
    if order_id not in its:
        raise Invalid("error.card_not_theirs")


def _of_account(account_id: int) -> Select[int]:
    hers = exists().where(Visit.order_id == Order.id, Visit.caregiver_id == account_id)
    either = or_(Order.customer_id == account_id, hers.correlate(Order))
    return select(Order.id).where(either).order_by(Order.id.desc())


def _tell_answered(session: Session, talk: Talk) -> None:
    """Once for all answers to the same question, and only if they are not read soon."""
    asked = session.scalar(
        select(func.max(Message.id)).where(
            Message.talk_id == talk.id, Message.side.in_((Side.CUSTOMER, Side.CAREGIVER))
        )
    )
    about, account_id = f"talk-{talk.id}-{asked or 0}", talk.account_id or 0
    kind = NoticeKind.CHAT_ANSWERED
    if notices.tell_all(session, kind, [account_id], about, talk_id=talk.id):
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.dedupe_key == f"{kind}:{about}:{account_id}")
            .values(next_try_at=clock.now() + LOOKING)
        )
