"""News: whom the rows concern that were saved since the last look; no more than that is told.

One process asks for everybody who listens, by the newest numbers of a few tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.caregivers import Caregiver
from data.demands import Demand
from data.history import Noun, StatusChange
from data.notices import Notice
from services.access import Actor, Permission

# PostgreSQL numbers rows before it saves them: one that was overtaken by so many is still seen.
LATE = 100


class Topic(StrEnum):
    INBOX = "inbox"
    HALL = "hall"


@dataclass(frozen=True, slots=True)
class News:
    """Something new of a kind, for an account's own eyes or a city's."""

    topic: Topic
    audience: int | str


Seen = Mapping[Topic, tuple[int, frozenset[int]]]  # The newest number, and those just before it.

_SOURCES: dict[Topic, tuple[InstrumentedAttribute[int], Select[*tuple[Any, ...]]]] = {
    Topic.INBOX: (Notice.id, select(Notice.id, Notice.account_id)),
    Topic.HALL: (
        StatusChange.id,
        select(StatusChange.id, Demand.city_code)
        .join(Demand, Demand.id == StatusChange.subject_id)
        .where(StatusChange.noun == Noun.DEMAND),
    ),
}


def look(session: Session, seen: Seen) -> tuple[set[News], Seen]:
    """What is new since the look that returned `seen`, and what is seen now.

    A first look, with nothing seen, finds no news.
    """
    news, now = set[News](), dict[Topic, tuple[int, frozenset[int]]]()
    for topic, (number, rows) in _SOURCES.items():
        newest = session.scalar(select(func.max(number))) or 0
        before, known = seen.get(topic, (newest, None))
        found = session.execute(rows.where(number > before - LATE)).all()
        if known is not None:
            news |= {News(topic, whose) for row, whose in found if row not in known}
        now[topic] = newest, frozenset(row for row, _ in found)
    return news, now


def concerning(session: Session, actor: Actor) -> frozenset[News]:
    """What this person is told of."""
    actor.require(Permission.READ_NOTICES)
    works_in = session.scalar(select(Caregiver.city_code).where(Caregiver.id == actor.id))
    concerns = {News(Topic.INBOX, actor.id or 0)}
    if works_in is not None and actor.may(Permission.BROWSE_HALL):
        concerns.add(News(Topic.HALL, works_in))
    return frozenset(concerns)
