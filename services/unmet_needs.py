"""Unmet needs: care that was looked for and not got; nothing in them says who looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.catalogue import CareItem
from data.demands import Demand
from data.unmet_needs import NeedSource, OpenSearch, UnmetNeed
from services import callers, cities, clock, regions, search
from services.access import Actor, Permission, Role
from services.availability import Obstacle
from services.errors import Invalid
from services.search import Wanted

__all__ = ["NeedSource"]

Key = TypeVar("Key")

# A search that nobody followed up by then was left. Its link to the family is gone within the day.
LEFT_AFTER = timedelta(hours=22)
A_MONTH = timedelta(days=30)
MOST_SHOWN = 300
NEWEST_FIRST = UnmetNeed.created_at.desc(), UnmetNeed.id.desc()


@dataclass(frozen=True, slots=True)
class Need:
    """One unmet need: where, what, when, and what first stood in the way."""

    source: NeedSource
    district_code: str
    item_id: int
    wanted_at: datetime | None
    obstacle: Obstacle | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Unmet:
    """A month's unmet needs: how many in all, by what they have in common, and the latest.

    Hours are those of the city, with their weekday (0: Monday), at which care was to begin.
    """

    count: int
    by_obstacle: dict[Obstacle | None, int]
    by_district: dict[str, int]
    by_item: dict[int, int]
    by_hour: dict[tuple[int, int], int]
    latest: tuple[Need, ...]


def note_search(
    session: Session, actor: Actor, wanted: Wanted, *, customer_id: int | None = None
) -> None:
    """Keep in mind that this was looked for: unmet at once if nobody can come.

    If somebody can, at the wanted time, it is unmet unless the family asks for this care in this
    city within the day. Only the last such search of a family stays in mind.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    owner_id = callers.acted_for(session, actor, customer_id)
    cities.open_city(session, wanted.city_code)
    if not regions.district_of_city(wanted.district_code, wanted.city_code):
        raise Invalid("error.district_of_another_city")
    source = NeedSource.CALL if actor.role is Role.DESK else NeedSource.SEARCH
    can_come, obstacle = search.first_obstacle(session, wanted, owner_id)
    if not can_come:
        record(session, source, wanted, obstacle)
        return
    if wanted.starts_at is None:
        return
    answer(session, owner_id, wanted.item_id, wanted.city_code)
    found = OpenSearch(
        created_at=clock.now(),
        customer_id=owner_id,
        source=source,
        city_code=wanted.city_code,
        district_code=wanted.district_code,
        item_id=wanted.item_id,
        wanted_at=wanted.starts_at,
    )
    try:
        with session.begin_nested():
            session.add(found)
    except IntegrityError:
        return  # Another tab of theirs keeps it in mind at this moment.


def answer(session: Session, customer_id: int, item_id: int, city_code: str) -> None:
    """A family asked for what it had looked for."""
    session.execute(
        delete(OpenSearch).where(
            OpenSearch.customer_id == customer_id,
            OpenSearch.item_id == item_id,
            OpenSearch.city_code == city_code,
        )
    )


def note_expired(session: Session, demand: Demand, *, applied: bool) -> None:
    """A demand ended with nobody: what stood in the way as it was posted, had she been asked.

    Where somebody applied and was not taken, or somebody could have come, nothing did.
    """
    item = session.get_one(CareItem, demand.item_id)
    wanted = Wanted(
        item_id=item.id,
        city_code=demand.city_code,
        district_code=demand.district_code,
        cell=demand.cell,
        units=demand.units,
        starts_at=demand.starts_at,
        most_fen=demand.highest_fen,
    )
    obstacle = None
    if not applied:
        with clock.at(demand.created_at):
            _, obstacle = search.first_obstacle(session, wanted, demand.customer_id)
    record(session, NeedSource.DEMAND, wanted, obstacle)


def record(session: Session, source: NeedSource, wanted: Wanted, obstacle: Obstacle | None) -> None:
    """Store an unmet need: place, care, time and what stood in the way, and no person."""
    session.add(
        UnmetNeed(
            created_at=clock.now(),
            source=source,
            city_code=wanted.city_code,
            district_code=wanted.district_code,
            item_id=wanted.item_id,
            wanted_at=wanted.starts_at,
            obstacle=obstacle,
        )
    )


def note_left(session: Session, actor: Actor) -> int:
    """Turn the searches that nobody followed up into unmet needs; return how many."""
    actor.require(Permission.RUN_JOBS)
    left = session.scalars(
        select(OpenSearch)
        .where(OpenSearch.created_at < clock.now() - LEFT_AFTER)
        .with_for_update(skip_locked=True)
    ).all()
    for one in left:
        session.add(
            UnmetNeed(
                created_at=clock.now(),
                source=one.source,
                city_code=one.city_code,
                district_code=one.district_code,
                item_id=one.item_id,
                wanted_at=one.wanted_at,
                obstacle=None,
            )
        )
        session.delete(one)
    return len(left)


def of_month(session: Session, actor: Actor, item_id: int | None = None) -> Unmet:
    """The unmet needs of the actor's cities in the last 30 days, or those for one item."""
    actor.require(Permission.READ_UNMET_NEEDS)
    needs = of_cities(actor)
    by_item = dict(
        session.execute(
            needs.with_only_columns(UnmetNeed.item_id, func.count()).group_by(UnmetNeed.item_id)
        ).all()
    )
    needs = of_cities(actor, item_id)
    counted = session.execute(
        needs.with_only_columns(UnmetNeed.obstacle, UnmetNeed.district_code, func.count()).group_by(
            UnmetNeed.obstacle, UnmetNeed.district_code
        )
    ).all()
    wanted = session.scalars(
        needs.with_only_columns(UnmetNeed.wanted_at).where(UnmetNeed.wanted_at.is_not(None))
    )
    latest = session.scalars(needs.order_by(*NEWEST_FIRST).limit(MOST_SHOWN))
    by_obstacle = _sums((what, count) for what, _, count in counted)
    return Unmet(
        count=sum(row[2] for row in counted),
        by_obstacle={what: by_obstacle[what] for what in (*Obstacle, None) if what in by_obstacle},
        by_district=_sums((code, count) for _, code, count in counted),
        by_item=by_item,
        by_hour=_sums((_hour(at), 1) for at in wanted if at is not None),
        latest=tuple(
            Need(
                one.source,
                one.district_code,
                one.item_id,
                one.wanted_at,
                one.obstacle,
                one.created_at,
            )
            for one in latest
        ),
    )


def of_cities(actor: Actor, item_id: int | None = None) -> Select[UnmetNeed]:
    """The unmet needs of the actor's cities in the last 30 days, or those for one item."""
    needs = _visible_to(actor).where(UnmetNeed.created_at > clock.now() - A_MONTH)
    return needs if item_id is None else needs.where(UnmetNeed.item_id == item_id)


def _sums(counted: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    sums: dict[Key, int] = {}
    for key, count in counted:
        sums[key] = sums.get(key, 0) + count
    return sums


def _hour(at: datetime) -> tuple[int, int]:
    there = clock.in_city(at)
    return there.weekday(), there.hour


def _visible_to(actor: Actor) -> Select[UnmetNeed]:
    """An operator's cities'."""
    return select(UnmetNeed).where(UnmetNeed.city_code.in_(actor.cities))
