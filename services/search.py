"""Finding caregivers: who can come for an item, to a place, at a time, and why others cannot."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, String, and_, case, false, func, select, true, type_coerce
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus, Rate
from data.catalogue import CareItem, Skill
from data.recipients import Sex
from services import (
    calendars,
    catalogue,
    certificates,
    clock,
    hindrances,
    openings,
    places,
    price_bounds,
    recipients,
    track_records,
)
from services.access import Actor, Permission, Role
from services.availability import Obstacle, Pace, Taken
from services.track_records import Score


class Sort(StrEnum):
    FIT = "fit"
    PRICE = "price"
    RATING = "rating"
    DISTANCE = "distance"
    SOONEST = "soonest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a family looks for; without a start, whoever has a free time soon.

    `most_fen` is the most that a unit may cost.
    """

    item_id: int
    city_code: str
    district_code: str
    cell: str
    units: int
    place_id: int | None = None
    starts_at: datetime | None = None
    sex: Sex | None = None
    most_fen: int | None = None
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
    level: CaregiverLevel
    price_fen: int
    score: Score
    visits_done: int
    distance: places.DistanceBand
    next_start_at: datetime
    skills: tuple[Skill, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """How many do this near the place (and are free, where a time is wanted); the best first.

    `hindered` counts the city's other caregivers, `others` by what first stands in their way.
    """

    count: int
    shown: tuple[Found, ...]
    hindered: int
    others: Mapping[Obstacle, int]


class _Near(NamedTuple):
    """One in reach, as far as the order of the cards needs to know.

    The start is the wanted one, or the earliest thinkable until her free time is looked for;
    `liked` is her score with the city's mean behind it.
    """

    id: int
    price_fen: int
    kilometres: float
    reviews: int
    liked: float
    start: datetime


def find(
    session: Session, actor: Actor, wanted: Wanted, limit: int = 20, *, why: bool = True
) -> Finding:
    """The caregivers who hold what the item takes, travel that far and are free, best first.

    Without a wanted time the next free start is looked for in the best only, until `limit` have
    one; by the soonest, in all. Unless it is asked `why` the others cannot come, they are merely
    counted, which is much quicker.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    item = catalogue.named(session, wanted.item_id)
    length = timedelta(hours=wanted.units * item.hours_per_unit)
    rules = calendars.rules(session, wanted.city_code)
    myself = actor.id if actor.role is Role.CUSTOMER else None
    working = _working(wanted, item, myself)
    everybody = session.scalar(working.with_only_columns(func.count())) or 0
    asked = working if why else _in_reach(session, wanted, working)
    near, others = _near(session, wanted, item, asked)
    near.sort(key=_ORDERS[wanted.sort])
    if wanted.starts_at is not None:
        met = _met(session, near, wanted, rules, length)
        others.update(what for what in met if what)
        able = [one for one, what in zip(near, met, strict=True) if what is None]
        count = len(able)
    else:
        able, never = _free_soon(session, near, wanted, rules, length, limit)
        others[Obstacle.BUSY] += never
        count = len(near) - never
    shown = tuple(_cards(session, able[:limit]))
    told = {what: others[what] for what in Obstacle if why and others[what]}
    return Finding(count, shown, everybody - count, told)


def first_obstacle(
    session: Session, wanted: Wanted, customer_id: int
) -> tuple[bool, Obstacle | None]:
    """Whether anybody can come for a family; and else at which obstacle the last of them failed.

    Obstacles are looked at in their order: it is the one after which nobody was left.
    """
    item = catalogue.named(session, wanted.item_id)
    length = timedelta(hours=wanted.units * item.hours_per_unit)
    near, others = _near(session, wanted, item, _working(wanted, item, customer_id))
    if wanted.starts_at is None:
        met = [None] * len(near)
    else:
        rules = calendars.rules(session, wanted.city_code)
        met = _met(session, near, wanted, rules, length)
    if None in met:
        return True, None
    others.update(what for what in met if what)
    failed = [what for what in Obstacle if others[what]]
    return False, failed[-1] if failed else Obstacle.NOBODY


def of_one(
    session: Session, wanted: Wanted, caregiver_id: int
) -> tuple[int | None, Obstacle | None]:
    """What a unit costs with one caregiver, in fen, and what first keeps her from that time.

    Without a price she cannot come at any time.
    """
    item = catalogue.named(session, wanted.item_id)
    only_her = _working(wanted, item).where(Caregiver.id == caregiver_id)
    near, others = _near(session, wanted, item, only_her)
    if not near:
        return None, next(iter(others), Obstacle.NOT_OFFERED)
    rules = calendars.rules(session, wanted.city_code)
    length = timedelta(hours=wanted.units * item.hours_per_unit)
    return near[0].price_fen, _met(session, near, wanted, rules, length)[0]


def _near(
    session: Session, wanted: Wanted, item: CareItem, working: Select[*tuple[Any, ...]]
) -> tuple[list[_Near], Counter[Obstacle]]:
    """Those whom neither papers nor way nor price keep away, and the others by the first of these.

    Rows, not objects: a city has hundreds of caregivers, and each rerun asks for all.
    """
    away: dict[str, float] = {}
    near, others = list[_Near](), Counter[Obstacle]()
    start = wanted.starts_at or clock.now()
    mean = track_records.city_means(session, [wanted.city_code])[wanted.city_code]
    known = price_bounds.in_force(session, wanted.city_code, clock.today(), item.id)
    bounds = {str(level): each for (_, level), each in known.items()}
    for one, cell, radius_km, level, price_fen, certified, reviews, said, weight in session.execute(
        working
    ):
        if price_fen is None:
            others[Obstacle.NOT_OFFERED] += 1
            continue
        if not certified:
            others[Obstacle.CERTIFICATE] += 1
            continue
        if cell not in away:
            away[cell] = places.distance_km(cell, wanted.cell)
        if away[cell] > radius_km:
            others[Obstacle.TOO_FAR] += 1
            continue
        her_fen = bounds[level].clamp(price_fen)
        if wanted.most_fen is not None and her_fen > wanted.most_fen:
            others[Obstacle.PRICE] += 1
            continue
        liked = track_records.drawn(said, weight, mean)
        near.append(_Near(one, her_fen, away[cell], reviews, liked, start))
    return near, others


def _met(
    session: Session, near: Sequence[_Near], wanted: Wanted, rules: Pace, length: timedelta
) -> list[Obstacle | None]:
    """What of time stands in each one's way at the wanted time; None where nothing does."""
    start = wanted.starts_at or clock.now()
    visit = Taken(start, start + length, wanted.cell)
    met = hindrances.of(session, [one.id for one in near], visit, rules)
    return [met[one.id] for one in near]


def _free_soon(
    session: Session,
    near: Sequence[_Near],
    wanted: Wanted,
    rules: Pace,
    length: timedelta,
    limit: int,
) -> tuple[list[_Near], int]:
    """The first who have a free time, as many as are shown; and how many were seen to have none."""
    visit = openings.Visit(length, wanted.cell, rules)
    if wanted.sort is Sort.SOONEST:
        away = {one.id: one.kilometres for one in near}
        starts, never = openings.soonest(session, away, visit, limit)
    else:
        found = openings.of_first(session, [one.id for one in near], visit, limit)
        starts = {one: start for one, start in found.items() if start}
        never = len(found) - len(starts)
    each = {one.id: one for one in near}
    return [each[one]._replace(start=start) for one, start in starts.items()], never


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
            level=caregiver.level,
            price_fen=one.price_fen,
            score=track_records.score(caregiver),
            visits_done=caregiver.visits_done,
            distance=places.band(one.kilometres),
            next_start_at=one.start,
            skills=tuple(Skill(skill) for skill in caregiver.skills),
        )


def _working(wanted: Wanted, item: CareItem, myself: int | None = None) -> Select[*tuple[Any, ...]]:
    """The city's caregivers who may work, each with her price and whether she has the papers."""
    kinds = (certificates.holds(Caregiver.id, kind) for kind in item.required_certificates)
    working = (
        select(
            Caregiver.id,
            Caregiver.cell,
            Caregiver.radius_km,
            type_coerce(Caregiver.level, String),
            Rate.price_fen,
            and_(true(), *kinds).label("certified"),
            Caregiver.reviews,
            Caregiver.overall_sum,
            Caregiver.review_weight,
        )
        .join(Account, Account.id == Caregiver.id)
        .outerjoin(Rate, (Rate.caregiver_id == Caregiver.id) & (Rate.item_id == wanted.item_id))
        .where(
            Caregiver.city_code == wanted.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
        )
    )
    if myself is not None:
        working = working.where(Caregiver.id != myself)
    if wanted.sex is not None:
        working = working.where(Caregiver.sex == wanted.sex)
    return working


def _in_reach(
    session: Session, wanted: Wanted, working: Select[*tuple[Any, ...]]
) -> Select[*tuple[Any, ...]]:
    """Of those who work, the ones who do this and come as far as the place."""
    cells = session.scalars(
        select(Caregiver.cell)
        .where(
            Caregiver.city_code == wanted.city_code, Caregiver.status == CaregiverStatus.APPROVED
        )
        .distinct()
    )
    away = {cell: places.distance_km(cell, wanted.cell) for cell in cells}
    comes = case(away, value=Caregiver.cell) <= Caregiver.radius_km if away else false()
    return working.where(Rate.price_fen.is_not(None), comes)


_ORDERS: dict[Sort, Callable[[_Near], tuple[Any, ...]]] = {
    # Near and liked count alike: a star weighs as much as five kilometres.
    Sort.FIT: lambda one: (one.kilometres / 5 - one.liked, one.price_fen, one.id),
    Sort.PRICE: lambda one: (one.price_fen, -one.liked, one.id),
    Sort.RATING: lambda one: (-one.liked, -one.reviews, one.price_fen, one.id),
    Sort.DISTANCE: lambda one: (one.kilometres, one.price_fen, one.id),
    Sort.SOONEST: lambda one: (one.start, one.kilometres, one.id),
}
