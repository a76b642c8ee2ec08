"""Finding caregivers: who can come for an item, to a place, at a time, and why others cannot."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    and_,
    case,
    func,
    select,
    true,
    type_coerce,
)
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

# So many times those shown are asked for first: most of them have a free time soon.
LOOK_AHEAD = 10


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

    `liked` is her score with the city's mean behind it.
    """

    id: int
    price_fen: int
    kilometres: float
    reviews: int
    liked: float


class _Asked(NamedTuple):
    """The same as columns, which the database orders by."""

    id: ColumnElement[int]
    price_fen: ColumnElement[int]
    kilometres: ColumnElement[float]
    reviews: ColumnElement[int]
    liked: ColumnElement[float]


class _Look(NamedTuple):
    """What is wanted, and what the city says of it, as every question here needs it."""

    wanted: Wanted
    item: CareItem
    rules: Pace
    length: timedelta
    working: Select[*tuple[Any, ...]]
    away: Mapping[str, float]
    everybody: int


def find(
    session: Session, actor: Actor, wanted: Wanted, limit: int = 20, *, why: bool = True
) -> Finding:
    """The caregivers who hold what the item takes, travel that far and are free, best first.

    Without a wanted time the next free start is looked for in the best only, until `limit` have
    one; by the soonest, in all. Unless it is asked `why` the others cannot come, they are merely
    counted, which is much quicker.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    look = _look(session, wanted, actor.id if actor.role is Role.CUSTOMER else None)
    if wanted.starts_at is not None:
        near, others = _near(session, look) if why else (_comers(session, look)[0], Counter())
        met = _met(session, near, look)
        others.update(what for what in met if what)
        able = [
            (one, wanted.starts_at) for one, what in zip(near, met, strict=True) if what is None
        ]
        count = len(able)
    else:
        others = _near(session, look)[1] if why else Counter[Obstacle]()
        able, count, never = _free_soon(session, look, limit)
        others[Obstacle.BUSY] += never
    shown = tuple(_cards(session, able[:limit]))
    told = {what: others[what] for what in Obstacle if why and others[what]}
    return Finding(count, shown, look.everybody - count, told)


def first_obstacle(
    session: Session, wanted: Wanted, customer_id: int
) -> tuple[bool, Obstacle | None]:
    """Whether anybody can come for a family; and else at which obstacle the last of them failed.

    Obstacles are looked at in their order: it is the one after which nobody was left.
    """
    look = _look(session, wanted, customer_id)
    near, others = _near(session, look)
    met = _met(session, near, look) if wanted.starts_at else [None] * len(near)
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
    look = _look(session, wanted, only=caregiver_id)
    near, others = _near(session, look)
    if not near:
        return None, next(iter(others), Obstacle.NOT_OFFERED)
    return near[0].price_fen, _met(session, near, look)[0]


def _look(
    session: Session, wanted: Wanted, myself: int | None = None, *, only: int | None = None
) -> _Look:
    """What is known before anybody is asked for: how far each one's cell is, and how many work."""
    item = catalogue.named(session, wanted.item_id)
    working = _working(wanted, myself, only)
    cells = session.execute(
        working.with_only_columns(Caregiver.cell, func.count()).group_by(Caregiver.cell)
    ).all()
    return _Look(
        wanted,
        item,
        calendars.rules(session, wanted.city_code),
        timedelta(hours=wanted.units * item.hours_per_unit),
        working,
        {cell: places.distance_km(cell, wanted.cell) for cell, _ in cells},
        sum(count for _, count in cells),
    )


def _working(wanted: Wanted, myself: int | None, only: int | None) -> Select[*tuple[Any, ...]]:
    """The city's caregivers who may work, but for the one who asks."""
    working = (
        select(Caregiver.id)
        .join(Account, Account.id == Caregiver.id)
        .where(
            Caregiver.city_code == wanted.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
        )
    )
    if myself is not None:
        working = working.where(Caregiver.id != myself)
    if only is not None:
        working = working.where(Caregiver.id == only)
    if wanted.sex is not None:
        working = working.where(Caregiver.sex == wanted.sex)
    return working


def _columns(session: Session, look: _Look) -> _Asked:
    """What tells of each one in reach, as the database finds it."""
    wanted = look.wanted
    mean = track_records.city_means(session, [wanted.city_code])[wanted.city_code]
    known = price_bounds.in_force(session, wanted.city_code, clock.today(), look.item.id)
    price = Rate.price_fen
    bounded = {
        str(level): case(
            (price < bounds.lowest_fen, bounds.lowest_fen),
            (price > bounds.highest_fen, bounds.highest_fen),
            else_=price,
        )
        for (_, level), bounds in known.items()
    }
    said: ColumnElement[float] = type_coerce(Caregiver.overall_sum, Float)
    weight: ColumnElement[float] = type_coerce(Caregiver.review_weight, Float)
    return _Asked(
        id=type_coerce(Caregiver.id, Integer),
        price_fen=case(bounded, value=type_coerce(Caregiver.level, String)),
        kilometres=case(look.away or {"": 0.0}, value=Caregiver.cell),
        reviews=type_coerce(Caregiver.reviews, Integer),
        liked=track_records.drawn(said, weight, mean),
    )


def _rates(look: _Look, *columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401
    """Something of all who work, with their rate for the item if they have one."""
    rate = (Rate.caregiver_id == Caregiver.id) & (Rate.item_id == look.item.id)
    return look.working.outerjoin(Rate, rate).with_only_columns(*columns)


def _certified(look: _Look) -> ColumnElement[bool]:
    kinds = (certificates.holds(Caregiver.id, kind) for kind in look.item.required_certificates)
    return and_(true(), *kinds)


def _near(session: Session, look: _Look) -> tuple[list[_Near], Counter[Obstacle]]:
    """Those whom neither papers nor way nor price keep away, and the others by the first of these.

    Rows, not objects: a city has hundreds of caregivers.
    """
    near, others = list[_Near](), Counter[Obstacle]()
    most_fen = look.wanted.most_fen
    one = _columns(session, look)
    asked = _rates(look, *one, Rate.price_fen, _certified(look), Caregiver.radius_km)
    for *told, offered, certified, radius_km in session.execute(asked.order_by(*_order(look, one))):
        found = _Near(*told)
        if offered is None:
            others[Obstacle.NOT_OFFERED] += 1
        elif not certified:
            others[Obstacle.CERTIFICATE] += 1
        elif found.kilometres > radius_km:
            others[Obstacle.TOO_FAR] += 1
        elif most_fen is not None and found.price_fen > most_fen:
            others[Obstacle.PRICE] += 1
        else:
            near.append(found)
    return near, others


def _comers(session: Session, look: _Look, most: int | None = None) -> tuple[list[_Near], int]:
    """The same near ones or the first of them, and how many they are; nothing of the others."""
    one = _columns(session, look)
    comes = _rates(look, *one, func.count().over()).where(
        Rate.price_fen.is_not(None), one.kilometres <= Caregiver.radius_km, _certified(look)
    )
    if look.wanted.most_fen is not None:
        comes = comes.where(one.price_fen <= look.wanted.most_fen)
    rows = session.execute(comes.order_by(*_order(look, one)).limit(most)).all()
    return [_Near(*told) for *told, _ in rows], rows[0][-1] if rows else 0


def _met(session: Session, near: Sequence[_Near], look: _Look) -> list[Obstacle | None]:
    """What of time stands in each one's way at the wanted time; None where nothing does."""
    start = look.wanted.starts_at or clock.now()
    visit = Taken(start, start + look.length, look.wanted.cell)
    met = hindrances.of(session, [one.id for one in near], visit, look.rules)
    return [met[one.id] for one in near]


def _free_soon(
    session: Session, look: _Look, limit: int
) -> tuple[list[tuple[_Near, datetime]], int, int]:
    """The first who have a free time, with it, as many as are shown.

    Then how many may have one, and how many were seen to have none.
    """
    visit = openings.Visit(look.length, look.wanted.cell, look.rules)
    if look.wanted.sort is Sort.SOONEST:
        near, count = _comers(session, look)
        starts, never = openings.soonest(
            session, {one.id: one.kilometres for one in near}, visit, limit
        )
    else:
        near, count = _comers(session, look, limit * LOOK_AHEAD)
        found = openings.of_first(session, [one.id for one in near], visit, limit)
        if len(found) == len(near) < count and sum(map(bool, found.values())) < limit:
            near, count = _comers(session, look)
            found = openings.of_first(session, [one.id for one in near], visit, limit)
        starts = {one: start for one, start in found.items() if start}
        never = len(found) - len(starts)
    each = {one.id: one for one in near}
    return [(each[one], start) for one, start in starts.items()], count - never, never


def _cards(session: Session, able: Sequence[tuple[_Near, datetime]]) -> Iterator[Found]:
    """What the cards say of the few that are shown, and when each could begin."""
    ids = [one.id for one, _ in able]
    rows = session.execute(
        select(Caregiver, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_(ids))
    )
    people = {caregiver.id: (caregiver, name) for caregiver, name in rows}
    for one, start in able:
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
            next_start_at=start,
            skills=tuple(Skill(skill) for skill in caregiver.skills),
        )


def _order(look: _Look, one: _Asked) -> tuple[Any, ...]:
    return _ORDERS[look.wanted.sort](one)


_ORDERS: dict[Sort, Callable[[_Asked], tuple[Any, ...]]] = {
    # Near and liked count alike: a star weighs as much as five kilometres.
    Sort.FIT: lambda one: (one.kilometres / 5 - one.liked, one.price_fen, one.id),
    Sort.PRICE: lambda one: (one.price_fen, -one.liked, one.id),
    Sort.RATING: lambda one: (-one.liked, -one.reviews, one.price_fen, one.id),
    Sort.DISTANCE: lambda one: (one.kilometres, one.price_fen, one.id),
    # The starts come later, found by their bitmaps.
    Sort.SOONEST: lambda one: (one.kilometres, one.id),
}
