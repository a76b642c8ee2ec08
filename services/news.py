"""News: whom the rows concern that were saved since the last look; no more than that is told.

One process asks for everybody who listens, by the newest numbers of a few tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.calls import Call
from data.caregivers import Caregiver
from data.chat import Guest, Message, Talk, TalkKind
from data.demands import Demand
from data.history import Noun, StatusChange
from data.notices import Notice
from data.orders import Visit
from services import guests
from services.access import Actor, Permission

# PostgreSQL numbers rows before it saves them: one that was overtaken by so many is still seen.
LATE = 100


class Topic(StrEnum):
    INBOX = "inbox"
    HALL = "hall"
    CHAT = "chat"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class News:
    """Something new of a kind: an account's, a city's or, by the hash of the token, a guest's."""

    topic: Topic
    audience: int | str


# The newest number, and for whom which rows just before it were found.
Seen = Mapping[Topic, tuple[int, frozenset[tuple[int, int | str]]]]

_Rows = Select[*tuple[Any, ...]]
_said = select(Message.id).join(Talk, Talk.id == Message.talk_id)
_to_all = _said.where(Message.private.is_(False))
# By what number news are found, and whom each row is for: by account, city or guest.
_SOURCES: dict[Topic, tuple[InstrumentedAttribute[int], tuple[_Rows, ...]]] = {
    Topic.INBOX: (Notice.id, (select(Notice.id, Notice.account_id),)),
    Topic.HALL: (
        StatusChange.id,
        (
            select(StatusChange.id, Demand.city_code)
            .join(Demand, Demand.id == StatusChange.subject_id)
            .where(StatusChange.noun == Noun.DEMAND),
        ),
    ),
    Topic.CHAT: (
        Message.id,
        (
            _to_all.where(Talk.account_id.is_not(None)).add_columns(Talk.account_id),
            _to_all.join(Guest, Guest.id == Talk.guest_id).add_columns(Guest.token_hash),
            _to_all.join(Visit, Visit.order_id == Talk.order_id).add_columns(Visit.caregiver_id),
            _said.where(Talk.kind == TalkKind.SERVICE).add_columns(Talk.city_code),
        ),
    ),
    Topic.CALLS: (Call.id, (select(Call.id, Call.city_code),)),
}


def look(session: Session, seen: Seen) -> tuple[set[News], Seen]:
    """What is new since the look that returned `seen`, and what is seen now.

    A first look, with nothing seen, finds no news. PostgreSQL shows each question what was saved
    by then, so that a row may be there for one it concerns and not yet for another.
    """
    news = set[News]()
    now = dict[Topic, tuple[int, frozenset[tuple[int, int | str]]]]()
    for topic, (number, sources) in _SOURCES.items():
        newest = session.scalar(select(func.max(number))) or 0
        before, known = seen.get(topic, (newest, None))
        late = number > before - LATE
        found = frozenset(
            (row, whose) for rows in sources for row, whose in session.execute(rows.where(late))
        )
        if known is not None:
            news |= {News(topic, whose) for _, whose in found - known}
        now[topic] = newest, found
    return news, now


def concerning_guest(session: Session, token: str) -> frozenset[News] | None:
    """What a guest is told of; None if the token opens nothing (any more)."""
    heard_as = guests.listens_as(session, token)
    return frozenset({News(Topic.CHAT, heard_as)}) if heard_as else None


def concerning(session: Session, actor: Actor) -> frozenset[News]:
    """What this person is told of."""
    actor.require(Permission.READ_NOTICES)
    works_in = session.scalar(select(Caregiver.city_code).where(Caregiver.id == actor.id))
    concerns = {News(Topic.INBOX, actor.id or 0)}
    if works_in is not None and actor.may(Permission.BROWSE_HALL):
        concerns.add(News(Topic.HALL, works_in))
    if actor.may(Permission.CHAT):
        concerns.add(News(Topic.CHAT, actor.id or 0))
    if actor.may(Permission.ANSWER_CHAT):
        concerns |= {News(Topic.CHAT, city) for city in actor.cities}
    if actor.may(Permission.ACT_FOR_CUSTOMER):
        concerns |= {News(Topic.CALLS, city) for city in actor.cities}
    return frozenset(concerns)
