"""Finding caregivers: who can come for an item, to a place, at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.catalogue import CareItem, Skill
from data.recipients import Sex
from services import (
    availability,
    calendars,
    catalogue,
    certificates,
    clock,
    gate,
    places,
    recipients,
    track_records,
)
from services.access import Actor, Permission, Role
from services.availability import Pace, Taken
from services.caregivers import Offer
from services.errors import NotFound
from services.track_records import Score

UNRATED = 4.0  # Newcomers stand between the praised and the doubtful.


class Sort(StrEnum):
    FIT = "fit"
    PRICE = "price"
    RATING = "rating"
    DISTANCE = "distance"
    SOONEST = "soonest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a family looks for; without a start, whoever has a free time soon."""

    item_id: int
    city_code: str
    district_code: str
    cell: str
    units: int
    place_id: int | None = None
    starts_at: datetime | None = None
    sex: Sex | None = None
    sort: Sort = Sort.FIT


@dataclass(frozen=True, slots=True)
class Found:
    """A caregiver who can come, as a card shows her; the distance is a band only."""

    id: int
    name: str
    sex: Sex
    age: int
    worked_since: int
    district_code: str
    price_fen: int
    score: Score
    visits_done: int
    distance: places.DistanceBand
    next_start_at: datetime
    skills: tuple[Skill, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """How many do this near the place (and are free, where a time is wanted); the best first."""

    count: int
    shown: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _Near:
    """One in reach, as far as the order of the cards needs to know.

    The start is the wanted one, or the earliest thinkable until her free time is looked for.
    """

    id: int
    price_fen: int
    kilometres: float
    score: Score
    start: datetime


def find(session: Session, actor: Actor, wanted: Wanted, limit: int = 20) -> Finding:
    """The caregivers who hold what the item takes, travel that far and are free, best first.

    Without a wanted time the next free start is looked for in the best only, until `limit` have
    one; by the soonest, in all.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    item = catalogue.named(session, wanted.item_id)
    length = timedelta(hours=wanted.units * item.hours_per_unit)
    rules = calendars.rules(session, wanted.city_code)
    near = _near(session, actor, wanted, item, length)
    near.sort(key=_ORDERS[wanted.sort])
    at_once = len(near) if wanted.starts_at or wanted.sort is Sort.SOONEST else limit
    able, seen = list[_Near](), 0
    while seen < len(near) and len(able) < limit:
        able += _able(session, near[seen : seen + at_once], wanted, rules, length)
        seen += at_once
    able.sort(key=_ORDERS[wanted.sort])
    count = len(able) + max(0, len(near) - seen)
    return Finding(count, tuple(_cards(session, able[:limit])))


def _near(
    session: Session, actor: Actor, wanted: Wanted, item: CareItem, length: timedelta
) -> list[_Near]:
    """Rows, not objects: a city has hundreds of caregivers, and each rerun asks for all."""
    away: dict[str, float] = {}
    near, start = [], wanted.starts_at or clock.now()
    for row in session.execute(_offering(actor, wanted, item, length)):
        if row.cell not in away:
            away[row.cell] = places.distance_km(row.cell, wanted.cell)
        if away[row.cell] <= row.radius_km:
            score = track_records.score(row)
            near.append(_Near(row.id, row.price_fen, away[row.cell], score, start))
    return near


def _able(
    session: Session, near: Sequence[_Near], wanted: Wanted, rules: Pace, length: timedelta
) -> Iterator[_Near]:
    """Those of them who can come at the wanted time, or who have a free time at all."""
    ids = [one.id for one in near]
    first = wanted.starts_at or clock.now()
    last = first + length if wanted.starts_at else first + rules.horizon + length
    plans = calendars.around(session, ids, first, last)
    taken = gate.taken_by(session, ids, first - calendars.A_WEEK, last + calendars.A_WEEK)
    for one in near:
        visits = taken.get(one.id, [])
        start = wanted.starts_at
        if start is None:
            start = availability.next_start(plans[one.id], rules, visits, length, wanted.cell)
        elif availability.obstacle(
            plans[one.id], rules, visits, Taken(start, start + length, wanted.cell)
        ):
            continue
        if start is not None:
            yield replace(one, start=start)


def _cards(session: Session, able: Sequence[_Near]) -> Iterator[Found]:
    """What the cards say of the few that are shown."""
    ids = [one.id for one in able]
    rows = session.execute(
        select(Caregiver, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_(ids))
    )
    people = {caregiver.id: (caregiver, name) for caregiver, name in rows}
    for one in able:
        caregiver, name = people[one.id]
        yield Found(
            id=one.id,
            name=name,
            sex=caregiver.sex,
            age=recipients.age(caregiver.birth_date),
            worked_since=caregiver.worked_since,
            district_code=caregiver.district_code,
            price_fen=one.price_fen,
            score=one.score,
            visits_done=caregiver.visits_done,
            distance=places.band(one.kilometres),
            next_start_at=one.start,
            skills=tuple(Skill(skill) for skill in caregiver.skills),
        )


def offers(session: Session, actor: Actor, caregiver_id: int) -> list[Offer]:
    """What a caregiver who can be booked offers now, with her prices."""
    actor.require(Permission.FIND_CAREGIVERS)
    _bookable(session, caregiver_id)
    held = certificates.held(session, [caregiver_id]).get(caregiver_id, set())
    rows = session.execute(
        select(Rate.item_id, Rate.price_fen, CareItem.required_certificates)
        .join(CareItem, CareItem.id == Rate.item_id)
        .where(Rate.caregiver_id == caregiver_id, CareItem.active)
        .order_by(CareItem.id)
    )
    return [Offer(item_id, price) for item_id, price, needed in rows if set(needed) <= held]


def free_starts(
    session: Session, actor: Actor, caregiver_id: int, item_id: int, units: int, cell: str | None
) -> dict[str, list[datetime]]:
    """When a visit of this length in this cell can begin, by ISO date of the city.

    Days without such a time are left out; while the cell is unknown she comes from next door.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    caregiver = _bookable(session, caregiver_id)
    item = catalogue.named(session, item_id)
    length = timedelta(hours=units * item.hours_per_unit)
    rules, now = calendars.rules(session, caregiver.city_code), clock.now()
    last = now + rules.horizon + length
    plan = calendars.around(session, [caregiver_id], now, last)[caregiver_id]
    cell = cell or caregiver.cell
    taken = gate.taken(session, caregiver_id, now - calendars.A_WEEK, last + calendars.A_WEEK)
    by_day = {
        day.isoformat(): availability.starts(plan, rules, taken, length, cell, day)
        for day in availability.bookable_days(rules)
    }
    return {day: starts for day, starts in by_day.items() if starts}


def _bookable(session: Session, caregiver_id: int) -> Caregiver:
    caregiver = session.scalar(
        select(Caregiver).where(
            Caregiver.id == caregiver_id, Caregiver.status == CaregiverStatus.APPROVED
        )
    )
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    return caregiver


def _offering(
    actor: Actor, wanted: Wanted, item: CareItem, length: timedelta
) -> Select[*tuple[Any, ...]]:
    """Who may take the item in the city, has a price, and is free if a time is wanted."""
    offering = (
        select(
            Caregiver.id,
            Caregiver.cell,
            Caregiver.radius_km,
            Rate.price_fen,
            *track_records.SCORED,
        )
        .join(Rate, Rate.caregiver_id == Caregiver.id)
        .join(Account, Account.id == Caregiver.id)
        .where(
            Rate.item_id == wanted.item_id,
            Caregiver.city_code == wanted.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
            *(certificates.holds(Caregiver.id, kind) for kind in item.required_certificates),
        )
    )
    if actor.role is Role.CUSTOMER:
        offering = offering.where(Caregiver.id != actor.id)
    if wanted.sex is not None:
        offering = offering.where(Caregiver.sex == wanted.sex)
    if wanted.starts_at is not None:
        ends_at = wanted.starts_at + length
        offering = offering.where(
            ~exists().where(gate.busy(Caregiver.id, wanted.starts_at, ends_at))
        )
    return offering


def _liked(one: _Near) -> float:
    return UNRATED if one.score.overall is None else one.score.overall


_ORDERS: dict[Sort, Callable[[_Near], tuple[Any, ...]]] = {
    # Near and liked count alike: a star weighs as much as five kilometres.
    Sort.FIT: lambda one: (one.kilometres / 5 - _liked(one), one.price_fen, one.id),
    Sort.PRICE: lambda one: (one.price_fen, -_liked(one), one.id),
    Sort.RATING: lambda one: (-_liked(one), -one.score.reviews, one.price_fen, one.id),
    Sort.DISTANCE: lambda one: (one.kilometres, one.price_fen, one.id),
    Sort.SOONEST: lambda one: (one.start, one.kilometres, one.id),
}
