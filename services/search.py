"""Finding caregivers: who can come for an item, to a place, at a time, and why others cannot."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver, CaregiverLevel
from data.catalogue import Skill
from data.recipients import Sex
from services import (
    calendars,
    catalogue,
    clock,
    hindrances,
    openings,
    places,
    price_bounds,
    reach,
    recipients,
    track_records,
)
from services.access import Actor, Permission, Role
from services.availability import Obstacle, Pace, Taken
from services.hindrances import Told
from services.reach import Near, Shape, Sort
from services.track_records import Score

# So many times those shown are asked for first: most of them have a free time soon.
LOOK_AHEAD = 10
# Further from now than any time that is looked for.
_FAR = timedelta(days=3_650)


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


class _Look(NamedTuple):
    """What is wanted, and what the city says of it, as every question here needs it.

    `asked` is what the statements have to know.
    """

    wanted: Wanted
    rules: Pace
    length: timedelta
    shape: Shape
    asked: Mapping[str, Any]
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
    near, others = _near(session, look) if why else ([], Counter[Obstacle]())
    if wanted.starts_at is not None:
        if why:
            met = _met(session, near, look)
            others.update(what for what in met.values() if what)
            coming = [one for one, what in met.items() if what is None]
        else:
            coming = _able(session, look)
        able, count = [(one, wanted.starts_at) for one in coming], len(coming)
    else:
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
    met = _met(session, near, look) if wanted.starts_at else dict.fromkeys(near)
    if None in met.values():
        return True, None
    others.update(what for what in met.values() if what)
    failed = [what for what in Obstacle if others[what]]
    return False, failed[-1] if failed else Obstacle.NOBODY


def least_price_without(
    session: Session, wanted: Wanted, customer_id: int, lifted: Obstacle
) -> int | None:
    """What a unit costs, in fen, with the cheapest who could come if one obstacle did not count.

    It is one of those that a change of papers, way, price, hours or the city's rules lifts.
    """
    look = _look(session, wanted, customer_id)
    look = look._replace(rules=_eased(look.rules, lifted))
    near, _ = _near(session, look, lifted)
    met = _met(session, near, look) if wanted.starts_at else dict.fromkeys(near)
    coming = [one for one, what in met.items() if what is None]
    if lifted is Obstacle.OFF_HOURS:
        off = {one.id: one for one, what in met.items() if what is lifted}
        alone = hindrances.by_hours_alone(session, list(off), _visit(look), look.rules)
        coming += [off[one] for one in alone]
    return min((one.price_fen for one in coming), default=None)


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
    return near[0].price_fen, _met(session, near, look)[near[0]]


def _look(
    session: Session, wanted: Wanted, myself: int | None = None, *, only: int | None = None
) -> _Look:
    """What is known before anybody is asked for: how far each one's cell is, and how many work."""
    item, city_code = catalogue.named(session, wanted.item_id), wanted.city_code
    kinds, alone = item.required_certificates, only is not None
    who = {
        "city": city_code,
        "myself": myself or 0,
        "sex": wanted.sex,
        "only": only,
        "today": clock.today(),
    }
    cells = dict(session.execute(reach.by_cell(alone=alone), who).all())
    away = {cell: places.distance_km(cell, wanted.cell) for cell in cells} or {"": 0.0}
    mean = track_records.city_means(session, [city_code])[city_code]
    known = price_bounds.in_force(session, city_code, clock.today(), item.id)
    bounds = {level: known[item.id, level] for level in CaregiverLevel}
    return _Look(
        wanted,
        calendars.rules(session, city_code),
        timedelta(hours=wanted.units * item.hours_per_unit),
        Shape(wanted.sort, len(away), len(kinds), alone),
        who | reach.parameters(item.id, away, kinds, bounds, wanted.most_fen, mean),
        sum(cells.values()),
    )


def _eased(rules: Pace, lifted: Obstacle) -> Pace:
    """A city's rules without how soon, or how far ahead, a visit may be."""
    if lifted is Obstacle.TOO_SOON:
        return replace(rules, notice=-_FAR)
    return replace(rules, horizon=_FAR) if lifted is Obstacle.TOO_FAR_AHEAD else rules


def _near(
    session: Session, look: _Look, lifted: Obstacle | None = None
) -> tuple[list[Near], Counter[Obstacle]]:
    """Those whom neither papers nor way nor price keep away, and the others by the first of these.

    What is lifted keeps nobody away.
    Rows, not objects: a city has hundreds of caregivers.
    """
    near, others = list[Near](), Counter[Obstacle]()
    most_fen = look.asked["most_fen"]
    rows = session.execute(reach.everybody(look.shape), look.asked)
    for *told, offered, certified, radius_km in rows:
        found = Near(*told)
        if offered is None:
            others[Obstacle.NOT_OFFERED] += 1
        elif not certified and lifted is not Obstacle.CERTIFICATE:
            others[Obstacle.CERTIFICATE] += 1
        elif found.kilometres > radius_km and lifted is not Obstacle.TOO_FAR:
            others[Obstacle.TOO_FAR] += 1
        elif found.price_fen > most_fen and lifted is not Obstacle.PRICE:
            others[Obstacle.PRICE] += 1
        else:
            near.append(found)
    return near, others


def _first_comers(session: Session, look: _Look, most: int) -> tuple[list[Near], int]:
    """The same near ones, the first of them, and how many they are; nothing of the others."""
    rows = session.execute(reach.first_comers(look.shape), {**look.asked, "most": most}).all()
    return [Near(*told) for *told, _ in rows], rows[0][-1] if rows else 0


def _comers(session: Session, look: _Look) -> list[Near]:
    """All of them."""
    return [Near(*told) for told in session.execute(reach.comers(look.shape), look.asked)]


def _able(session: Session, look: _Look) -> list[Near]:
    """Those of them who can come at the wanted time, found in one question but for the doubtful."""
    visit = _visit(look)
    if hindrances.everybodys(visit, look.rules):
        return []
    asked = {**look.asked, **hindrances.parameters(visit, look.rules)}
    rows = session.execute(reach.comers(look.shape, hindrances.TOLD), asked).all()
    doubtful = {one: told for one, *_, told in rows if told != Told.FREE}
    met = hindrances.closely(session, doubtful, visit, look.rules)
    return [Near(*one) for *one, _ in rows if met.get(one[0]) is None]


def _met(session: Session, near: Sequence[Near], look: _Look) -> dict[Near, Obstacle | None]:
    """What of time stands in each one's way at the wanted time; None where nothing does."""
    met = hindrances.of(session, [one.id for one in near], _visit(look), look.rules)
    return {one: met[one.id] for one in near}


def _visit(look: _Look) -> Taken:
    start = look.wanted.starts_at or clock.now()
    return Taken(start, start + look.length, look.wanted.cell)


def _free_soon(
    session: Session, look: _Look, limit: int
) -> tuple[list[tuple[Near, datetime]], int, int]:
    """The first who have a free time, with it, as many as are shown.

    Then how many may have one, and how many were seen to have none.
    """
    visit = openings.Visit(look.length, look.wanted.cell, look.rules)
    if look.wanted.sort is Sort.SOONEST:
        near = _comers(session, look)
        count = len(near)
        starts, never = openings.soonest(
            session, {one.id: one.kilometres for one in near}, visit, limit
        )
    else:
        near, count = _first_comers(session, look, limit * LOOK_AHEAD)
        found = openings.of_first(session, [one.id for one in near], visit, limit)
        if len(found) == len(near) < count and sum(map(bool, found.values())) < limit:
            near = _comers(session, look)
            found = openings.of_first(session, [one.id for one in near], visit, limit)
        starts = {one: start for one, start in found.items() if start}
        never = len(found) - len(starts)
    each = {one.id: one for one in near}
    return [(each[one], start) for one, start in starts.items()], count - never, never


def _cards(session: Session, able: Sequence[tuple[Near, datetime]]) -> Iterator[Found]:
    """What the cards say of the few that are shown, and when each could begin."""
    ids = [one.id for one, _ in able]
    rows = session.execute(_PEOPLE, {"ids": ids})
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


_PEOPLE = (
    select(Caregiver, Account.name)
    .join(Account, Account.id == Caregiver.id)
    .where(Caregiver.id.in_(bindparam("ids", expanding=True)))
)
