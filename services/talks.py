"""Talks with customer service: whose they are, who answers them, how long somebody waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, false, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.caregivers import Caregiver
from data.chat import Guest, Message, Reading, Side, Talk, TalkKind, TalkStatus
from data.cities import City, CityStatus
from data.history import Noun
from data.notices import NoticeKind
from services import clock, lifecycles, notices
from services.access import SYSTEM, Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["TalkKind", "TalkStatus"]

# A settled talk goes on with a new message for so long; later another one begins.
GOES_ON = timedelta(days=3)
ANSWERING = (Role.DESK, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a city's staff answer: now, or from that moment on; and how soon, in minutes."""

    open_now: bool
    opens_at: datetime
    from_minute: int
    until_minute: int
    answer_minutes: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one's talk with customer service stands; without a city one has to be named first."""

    talk_id: int | None
    status: TalkStatus | None
    score: int | None
    hours: Hours | None
    answered_by: str


@dataclass(frozen=True, slots=True)
class Colleague:
    id: int
    name: str
    role: Role


def standing(session: Session, actor: Actor) -> Standing:
    """How the actor's own talk stands, and whether somebody is there to answer."""
    actor.require(Permission.CHAT)
    talk = latest(session, Talk.account_id == actor.id)
    code = talk.city_code if talk else home_of(session, actor.id or 0)
    return standing_of(session, talk, code)


def standing_of(session: Session, talk: Talk | None, city_code: str | None) -> Standing:
    """How a talk stands for the one who asked."""
    hours = hours_of(session, city_code) if city_code else None
    if talk is None:
        return Standing(None, None, None, hours, "")
    assigned = session.get(Account, talk.assigned_to_id) if talk.assigned_to_id else None
    return Standing(talk.id, talk.status, talk.score, hours, assigned.name if assigned else "")


def hours_of(session: Session, city_code: str) -> Hours:
    """When the staff of a city answer."""
    city = session.scalars(select(City).where(City.code == city_code)).one()
    now = clock.in_city(clock.now())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    opens_at = midnight + timedelta(minutes=city.desk_from_minute)
    closes_at = midnight + timedelta(minutes=city.desk_until_minute)
    if now >= closes_at:
        opens_at += timedelta(days=1)
    return Hours(
        opens_at <= now < closes_at,
        opens_at,
        city.desk_from_minute,
        city.desk_until_minute,
        city.answer_minutes,
    )


def home_of(session: Session, account_id: int) -> str | None:
    """The city whose staff answer somebody: chosen, or worked in."""
    chosen = session.scalar(select(Account.city_code).where(Account.id == account_id))
    worked_in = select(Caregiver.city_code).where(Caregiver.id == account_id)
    return chosen or session.scalar(worked_in)


def latest(session: Session, whose: ColumnElement[bool], *, lock: bool = False) -> Talk | None:
    """Somebody's talk with customer service: the open one, or that settled not long ago."""
    query = (
        select(Talk)
        .where(
            whose,
            Talk.kind == TalkKind.SERVICE,
            or_(
                Talk.status != TalkStatus.SETTLED,
                Talk.settled_at > clock.now() - GOES_ON,
            ),
        )
        .order_by((Talk.status == TalkStatus.SETTLED), Talk.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.scalar(query.with_for_update() if lock else query)


def own(session: Session, actor: Actor, city_code: str | None) -> Talk:
    """The actor's own talk, locked; begun in their city, or the one they named."""
    actor.require(Permission.CHAT)
    mine = Talk.account_id == actor.id
    if (talk := latest(session, mine, lock=True)) is not None:
        return talk
    code = home_of(session, actor.id or 0) or city_code
    return begin(session, actor, mine, code, account_id=actor.id)


def begin(
    session: Session, actor: Actor, whose: ColumnElement[bool], city_code: str | None, **of: object
) -> Talk:
    """A new talk that waits for an answer, locked; who begins at the same moment gets the same."""
    actor.require(Permission.CHAT if actor.role else Permission.RUN_JOBS)
    open_here = select(City.id).where(City.code == city_code, City.status != CityStatus.CLOSED)
    if city_code is None or session.scalar(open_here) is None:
        raise Invalid("error.chat_city")
    talk = Talk(
        created_at=clock.now(),
        kind=TalkKind.SERVICE,
        status=TalkStatus.WAITING,
        city_code=city_code,
        **of,
    )
    try:
        with session.begin_nested():
            session.add(talk)
    except IntegrityError:
        if (begun := latest(session, whose, lock=True)) is None:
            raise
        return begun
    lifecycles.begin(session, actor, Noun.TALK, talk, "begin")
    return talk


def reach(session: Session, actor: Actor, talk_id: int, *, lock: bool = False) -> Talk:
    """A talk this actor takes part in, locked until the transaction ends if asked."""
    actor.require(Permission.READ_CHAT)
    query = visible_to(actor).where(Talk.id == talk_id)
    if lock:
        query = query.with_for_update(of=Talk).execution_options(populate_existing=True)
    if (talk := session.scalar(query)) is None:
        raise NotFound("error.talk_not_found")
    return talk


def visible_to(actor: Actor) -> Select[Talk]:
    """One's own with customer service; for the staff those of their cities, but not their own."""
    service = select(Talk).where(Talk.kind == TalkKind.SERVICE)
    match actor.role:
        case Role.CUSTOMER | Role.CAREGIVER:
            return service.where(Talk.account_id == actor.id)
        case Role.DESK | Role.OPERATOR:
            others = or_(Talk.account_id.is_(None), Talk.account_id != actor.id)
            return service.where(Talk.city_code.in_(actor.cities), others)
        case _:
            return service.where(false())


def take(session: Session, actor: Actor, talk_id: int) -> None:
    """Answer a waiting talk oneself; whoever is second is told so."""
    actor.require(Permission.ANSWER_CHAT)
    assign(session, actor, reach(session, actor, talk_id, lock=True), "take", actor.id or 0)


def assign(session: Session, actor: Actor, talk: Talk, move: str, account_id: int) -> None:
    """Let somebody have a locked talk from now on."""
    actor.require(Permission.ANSWER_CHAT)
    lifecycles.take(session, actor, Noun.TALK, talk, move)
    talk.assigned_to_id, talk.assigned_at = account_id, clock.now()
    note(session, talk, move, account_id, private=move != "take")


def hand_over(session: Session, actor: Actor, talk_id: int, colleague_id: int) -> None:
    """Give a talk to a colleague of its city who may answer."""
    actor.require(Permission.ANSWER_CHAT)
    talk = reach(session, actor, talk_id, lock=True)
    if colleague_id not in {one.id for one in _answering(session, talk)}:
        raise NotFound("error.colleague_not_found")
    if talk.assigned_to_id == colleague_id:
        raise Conflict("error.talk_moved_on")
    assign(session, actor, talk, "hand_over", colleague_id)


def put_back(session: Session, actor: Actor, talk_id: int) -> None:
    """Put a talk back into the queue."""
    actor.require(Permission.ANSWER_CHAT)
    talk = reach(session, actor, talk_id, lock=True)
    lifecycles.take(session, actor, Noun.TALK, talk, "put_back")
    _release(talk)
    note(session, talk, "put_back", actor.id, private=True)


def settle(session: Session, actor: Actor, talk_id: int) -> None:
    """The matter is dealt with; a new message opens the talk again."""
    actor.require(Permission.ANSWER_CHAT)
    talk = reach(session, actor, talk_id, lock=True)
    lifecycles.take(session, actor, Noun.TALK, talk, "settle")
    talk.settled_at, talk.waiting_since = clock.now(), None
    note(session, talk, "settle", actor.id)


def rate(session: Session, actor: Actor, talk_id: int, score: int, said: str = "") -> int:
    """Say once how well a settled talk helped, from 1 to 5 stars; return the talk's number."""
    actor.require(Permission.CHAT)
    return rate_settled(session, reach(session, actor, talk_id, lock=True), score, said)


def rate_settled(session: Session, talk: Talk, score: int, said: str) -> int:
    """Keep the score of a locked talk."""
    if score not in range(1, 6):
        raise Invalid("error.score_out_of_range")
    said = words(said, "score_words", 300, required=False)
    if talk.status is not TalkStatus.SETTLED:
        raise Conflict("error.talk_moved_on")
    if talk.score is not None:
        raise Conflict("error.talk_rated")
    talk.score, talk.score_words = score, said
    note(session, talk, "rate", None, private=True)
    return talk.id


def colleagues(session: Session, actor: Actor, talk_id: int) -> list[Colleague]:
    """Who else may answer this talk, by name."""
    actor.require(Permission.ANSWER_CHAT)
    talk = reach(session, actor, talk_id)
    away = {actor.id, talk.assigned_to_id}
    return [one for one in _answering(session, talk) if one.id not in away]


def requeue_due(session: Session, actor: Actor) -> int:
    """Put back whom nobody answered in the city's time, and tell the staff; only while they work.

    Returns how many talks went back to the queue.
    """
    actor.require(Permission.RUN_JOBS)
    requeued = 0
    for city in session.scalars(select(City)):
        if not hours_of(session, city.code).open_now:
            continue
        late = clock.now() - timedelta(minutes=city.answer_minutes)
        waiting = session.scalars(
            select(Talk)
            .where(
                Talk.city_code == city.code,
                Talk.status.in_((TalkStatus.WAITING, TalkStatus.ASSIGNED)),
                Talk.waiting_since <= late,
            )
            .with_for_update(skip_locked=True)
        ).all()
        for talk in waiting:
            if talk.status is TalkStatus.ASSIGNED and (talk.assigned_at or late) <= late:
                lifecycles.take(session, actor, Noun.TALK, talk, "requeue")
                _release(talk)
                note(session, talk, "requeue", None, private=True)
                requeued += 1
        _tell_late(session, city, waiting)
    return requeued


def follow_merged(session: Session, kept_id: int, gone_id: int) -> None:
    """Talks go with the account they are merged into; of two open ones the kept one's goes on."""
    is_open = (Talk.kind == TalkKind.SERVICE) & (Talk.status != TalkStatus.SETTLED)
    theirs = select(Talk).where(Talk.account_id == gone_id)
    if session.scalar(select(Talk.id).where(Talk.account_id == kept_id, is_open)) is not None:
        for talk in session.scalars(theirs.where(is_open).with_for_update()):
            lifecycles.take(session, SYSTEM, Noun.TALK, talk, "merge")
            talk.settled_at, talk.waiting_since = clock.now(), None
        session.flush()
    for talk in session.scalars(theirs):
        talk.account_id = kept_id
    for table, column in ((Message, Message.author_id), (Reading, Reading.account_id)):
        session.execute(update(table).where(column == gone_id).values({column: kept_id}))


def note(
    session: Session, talk: Talk, event: str, author_id: int | None, *, private: bool = False
) -> None:
    """What happened to a talk, between its messages: so open pages hear of it too."""
    message = Message(
        created_at=clock.now(),
        talk_id=talk.id,
        side=Side.PLATFORM,
        author_id=author_id,
        private=private,
        words=event,
        said_key=uuid4().hex,
    )
    session.add(message)
    session.flush()


def reopen(session: Session, actor: Actor, talk: Talk) -> None:
    """A new message after the settlement: the talk waits again, for anybody."""
    actor.require(Permission.CHAT if actor.role else Permission.RUN_JOBS)
    lifecycles.take(session, actor if actor.role else SYSTEM, Noun.TALK, talk, "reopen")
    _release(talk)


def _release(talk: Talk) -> None:
    talk.assigned_to_id = talk.assigned_at = None


def _answering(session: Session, talk: Talk) -> list[Colleague]:
    rows = session.execute(
        select(Account.id, Account.name, AccountRole.role)
        .join(AccountRole, AccountRole.account_id == Account.id)
        .where(
            AccountRole.role.in_(ANSWERING),
            AccountRole.city_code == talk.city_code,
            Account.status == AccountStatus.ACTIVE,
            Account.id != (talk.account_id or 0),
        )
        .order_by(Account.name, Account.id)
    )
    return list({row.id: Colleague(*row) for row in rows}.values())


def _tell_late(session: Session, city: City, waiting: Sequence[Talk]) -> None:
    for talk in waiting:
        if talk.waiting_since is not None:
            people = [one.id for one in _answering(session, talk)]
            about = f"talk-{talk.id}-{talk.waiting_since:%Y%m%d%H%M%S}"
            notices.tell_all(
                session, NoticeKind.CHAT_ASKED, people, about,
                talk_id=talk.id, minutes=city.answer_minutes,
            )  # fmt: skip


def name_of(account: Account | None, guest: Guest | None) -> str:
    """How somebody who asks is called; a guest may have kept the name."""
    return account.name if account is not None else guest.name if guest is not None else ""
