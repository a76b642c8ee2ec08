"""The staff's view of talks: inboxes, search, the phone of a guest, how quickly one answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.chat import Guest, Message, Side, Talk, TalkKind, TalkStatus
from data.cities import City
from data.orders import Order
from services import audit, clock, messages, phones, talks
from services.access import Actor, Permission
from services.errors import NotFound
from services.wording import words

SHOWN = 60
MEASURED = timedelta(days=30)
LONGEST_NUMBER = 9
_assigned, _last = aliased(Account), aliased(Message)


class Box(StrEnum):
    """Where a talk lies for its staff."""

    QUEUE = "queue"
    MINE = "mine"
    ALL = "all"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class TalkView:
    """A talk in the inbox, and whom it is with; the phone is masked. Late: beyond the city's time.

    A guest has no account; a caregiver may be somebody's family too.
    """

    id: int
    status: TalkStatus
    city_code: str
    account_id: int | None
    is_caregiver: bool
    name: str
    masked_phone: str
    assigned_to_id: int | None
    assigned_to: str
    waiting_since: datetime | None
    late: bool
    began_at: datetime
    settled_at: datetime | None
    score: int | None
    score_words: str
    unread: int
    last_words: str
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the talks begun in the last 30 days: medians in seconds, the mean score; None: no such."""

    talks: int
    waiting: int
    first_answer_seconds: float | None
    resolution_seconds: float | None
    score: float | None
    scores: int


def inbox(
    session: Session, actor: Actor, box: Box, typed: str = "", shown: int = SHOWN
) -> list[TalkView]:
    """The talks of a box with what was typed in them: who waits longest first, else newest."""
    actor.require(Permission.ANSWER_CHAT)
    talked = _rows(actor).where(_in_box(actor, box))
    if typed := words(typed, "chat_search", 40, required=False):
        talked = talked.where(_matching(typed))
    newest = Talk.settled_at if box is Box.SETTLED else Talk.last_message_id
    order = (Talk.waiting_since,) if box is Box.QUEUE else (
        (case((Talk.waiting_since.is_(None), 1), else_=0), Talk.waiting_since, newest.desc())
        if box is Box.MINE else (newest.desc(),)
    )  # fmt: skip
    return [_view(*row) for row in session.execute(talked.order_by(*order, Talk.id).limit(shown))]


def one(session: Session, actor: Actor, talk_id: int) -> TalkView:
    """One talk with those of it."""
    actor.require(Permission.ANSWER_CHAT)
    talks.reach(session, actor, talk_id)
    return _view(*session.execute(_rows(actor).where(Talk.id == talk_id)).one())


def counts(session: Session, actor: Actor) -> dict[Box, int]:
    """How many talks lie in the boxes where somebody may wait."""
    actor.require(Permission.ANSWER_CHAT)
    counted = {
        box: func.count().filter(_in_box(actor, box)).label(box) for box in (Box.QUEUE, Box.MINE)
    }
    found = session.execute(talks.visible_to(actor).with_only_columns(*counted.values())).one()
    return dict(zip(counted, found, strict=True))


def phone(session: Session, actor: Actor, talk_id: int) -> str:
    """The whole phone of whom a talk is with, to call them; leaves an audit row."""
    actor.require(Permission.ANSWER_CHAT)
    talk = talks.reach(session, actor, talk_id)
    audit.record(session, actor, "open_phone", "talk", talk.id)
    row = session.get(Account, talk.account_id) if talk.account_id else None
    guest = session.get(Guest, talk.guest_id) if talk.guest_id else None
    if row is None and guest is None:
        raise NotFound("error.talk_not_found")
    return row.phone if row is not None else guest.phone if guest is not None else ""


def figures(session: Session, actor: Actor) -> Figures:
    """How quickly the actor's cities answer and settle, and how it is liked."""
    actor.require(Permission.KEEP_CANNED_REPLIES)
    rows = session.execute(
        select(
            Talk.created_at, Talk.first_answered_at, Talk.settled_at, Talk.score, Talk.status
        ).where(
            Talk.kind == TalkKind.SERVICE,
            Talk.city_code.in_(actor.cities),
            Talk.created_at > clock.now() - MEASURED,
        )
    ).all()
    answered = [(at - began).total_seconds() for began, at, *_ in rows if at is not None]
    settled = [(at - began).total_seconds() for began, _, at, *_ in rows if at is not None]
    scores = [score for *_, score, _ in rows if score is not None]
    return Figures(
        len(rows),
        sum(status is TalkStatus.WAITING for *_, status in rows),
        median(answered) if answered else None,
        median(settled) if settled else None,
        sum(scores) / len(scores) if scores else None,
        len(scores),
    )


def _rows(actor: Actor) -> Select:
    new = (
        select(func.count(Message.id))
        .where(
            Message.talk_id == Talk.id,
            Message.side.in_((Side.CUSTOMER, Side.CAREGIVER, Side.GUEST)),
            messages.new_to(actor.id),
        )
        .correlate(Talk)
        .scalar_subquery()
    )
    is_caregiver = exists().where(Caregiver.id == Talk.account_id).correlate(Talk)
    return (
        talks.visible_to(actor)
        .outerjoin(Account, Account.id == Talk.account_id)
        .outerjoin(Guest, Guest.id == Talk.guest_id)
        .outerjoin(_assigned, _assigned.id == Talk.assigned_to_id)
        .outerjoin(_last, _last.id == Talk.last_message_id)
        .join(City, City.code == Talk.city_code)
        .add_columns(
            Account, Guest, _assigned.name, City.answer_minutes, is_caregiver, new,
            _last.words, _last.created_at,
        )
    )  # fmt: skip


def _in_box(actor: Actor, box: Box) -> ColumnElement[bool]:
    match box:
        case Box.QUEUE:
            return Talk.status == TalkStatus.WAITING
        case Box.MINE:
            return (Talk.status == TalkStatus.ASSIGNED) & (Talk.assigned_to_id == actor.id)
        case Box.ALL:
            return Talk.status != TalkStatus.SETTLED
        case Box.SETTLED:
            return Talk.status == TalkStatus.SETTLED


def _matching(typed: str) -> ColumnElement[bool]:
    """By name, phone whole or by its last four, order number, or words that were said."""
    number = typed.lstrip("#").replace(" ", "")
    ways = [
        Account.name.icontains(typed, autoescape=True),
        Guest.name.icontains(typed, autoescape=True),
        _said(Message.words.icontains(typed, autoescape=True)),
    ]
    if number.isascii() and number.isdecimal():
        if len(number) == 4:
            ways.append(Account.phone_tail_hash == phones.tail_hash(number))
        if len(number) <= LONGEST_NUMBER:
            theirs = exists().where(Order.id == int(number), Order.customer_id == Talk.account_id)
            ways += [theirs, _said(Message.order_id == int(number))]
    if (whole := phones.whole(typed)) is not None:
        key = phones.whole_hash(whole)
        ways += [Account.phone_hash == key, Guest.phone_hash == key]
    return or_(*ways)


def _said(which: ColumnElement[bool]) -> ColumnElement[bool]:
    said = select(Message.talk_id).where(Message.side != Side.PLATFORM, which)
    return Talk.id.in_(said)


def _view(
    talk: Talk,
    account: Account | None,
    guest: Guest | None,
    assigned_to: str | None,
    answer_minutes: int,
    is_caregiver: bool,
    unread: int,
    last_words: str | None,
    last_at: datetime | None,
) -> TalkView:
    whom = account or guest
    late = clock.now() - timedelta(minutes=answer_minutes)
    return TalkView(
        id=talk.id,
        status=talk.status,
        city_code=talk.city_code,
        account_id=talk.account_id,
        is_caregiver=is_caregiver,
        name=talks.name_of(account, guest),
        masked_phone=phones.masked(whom.phone) if whom else "",
        assigned_to_id=talk.assigned_to_id,
        assigned_to=assigned_to or "",
        waiting_since=talk.waiting_since,
        late=talk.waiting_since is not None and talk.waiting_since <= late,
        began_at=talk.created_at,
        settled_at=talk.settled_at,
        score=talk.score,
        score_words=talk.score_words,
        unread=unread,
        last_words=last_words or "",
        last_at=last_at,
    )
