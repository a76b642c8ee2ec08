"""The only figures that reach analysts: sums of cells, each of them of at least k families.

A cell is what was wanted in one stretch of four weeks, one district, and one item, or several items
together where one alone has too few families. Cells do not overlap, and districts, items, periods
and totals are sums of cells and of nothing else: whatever is subtracted from whatever, a cell is
the least that is left.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from statistics import median
from typing import Any, TypeVar

import pandas as pd
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus, WeeklyHours
from data.catalogue import CareItem, ItemGroup
from data.cities import City
from data.demands import Demand, DemandStatus
from data.history import Noun, StatusChange
from data.orders import Order, OrderStatus
from services import clock, regions
from services.access import Actor, Permission
from services.errors import NotAllowed

FEWEST_PEOPLE = 5
WEEKS_A_STRETCH = 4
_STRETCH = timedelta(weeks=WEEKS_A_STRETCH)
_AGREED = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
_WANTED = (DemandStatus.DIRECTED, DemandStatus.OPEN, DemandStatus.EXPIRED)

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")


class Period(StrEnum):
    """Closed weeks, Monday to Sunday in the city, back from the last one."""

    WEEKS_4 = "weeks_4"
    WEEKS_8 = "weeks_8"
    ALL = "all"


_STRETCHES = {Period.WEEKS_4: 1, Period.WEEKS_8: 2, Period.ALL: None}


@dataclass(frozen=True, slots=True)
class Figures:
    """What some cells together say of needs whose time has come; all hours are hours of care.

    `median_hours` passed from a need's posting to its match, None where fewer than k families were
    matched. `people` is a number of families rounded down to a multiple of k: exact ones would tell
    how many are in two cells at once.
    """

    demands: int
    served: int
    fill_rate: float | None
    median_hours: int | None
    wanted_hours: int
    served_hours: int
    gap_hours: int
    people: int


@dataclass(frozen=True, slots=True)
class Release:
    """A released table, its cells together, and how many districts have nothing in it.

    A row is a district ("district") or care ("item", None for several of a "group" together, which
    is None for those of several groups), then the figures; the largest gap comes first.
    """

    table: pd.DataFrame
    total: Figures
    withheld: int
    smallest_cell: int


@dataclass(frozen=True, slots=True)
class _Need:
    """A demand whose time has come, as far as it concerns the figures; waited in hours."""

    stretch: int
    district_code: str
    item_id: int
    group: ItemGroup
    customer_id: int
    hours: int
    served: bool
    waited: float | None


@dataclass(frozen=True, slots=True)
class _Cell:
    stretch: int
    district_code: str
    item_id: int | None
    group: ItemGroup | None
    needs: list[_Need]


def last_closed_day() -> date:
    """The Sunday that ended the last closed week."""
    return clock.today() - timedelta(days=clock.today().weekday() + 1)


def by_district(
    session: Session,
    actor: Actor,
    city_code: str,
    period: Period,
    item_group: ItemGroup | None = None,
) -> Release:
    """A city's demand and supply by district.

    A demand counts when its start lies in the period. Withdrawn ones do not count, nor do those
    whose agreed order was cancelled afterwards: the family no longer wanted it. One counts as
    served while its order is confirmed or completed; its start having passed, any other one, be
    it open, directed or expired, is unmet.

    `weeks` are those of the period that have enough families in the district: the others are not
    in its figures, and without any the figures are None. `supply_hours` are those planned each week
    by the approved caregivers who live there, times all weeks of the period, whatever the group of
    items; None where they are fewer than k caregivers.
    """
    actor.require(Permission.READ_RELEASES)
    k = _smallest_cell(session, actor, city_code)
    needs = _needs(session, city_code, period)
    cells = [cell for cell in _cells(needs, k) if item_group in (None, cell.group)]
    by_code = _grouped(cells, lambda cell: cell.district_code)
    supply = _supply(session, city_code, WEEKS_A_STRETCH * _stretches(period, needs), k)
    untold = dict.fromkeys([*Figures.__slots__, "supply_hours", "caregivers"])
    wanted = {code: asdict(_figures(of_code, k)) for code, of_code in by_code.items()}
    rows = [
        {"district": code, "weeks": _weeks(by_code.get(code, []))}
        | untold
        | wanted.get(code, {})
        | supply.get(code, {})
        for code in by_code | supply
    ]
    districts = regions.districts_of(city_code)
    return _release(rows, cells, k, withheld=len(districts) - len(by_code))


def by_item(
    session: Session,
    actor: Actor,
    city_code: str,
    period: Period,
    district_code: str | None = None,
) -> Release:
    """The same needs by care item, of the whole city or of one district.

    There is no supply by item: a caregiver's hours are for whatever she may do.
    """
    actor.require(Permission.READ_RELEASES)
    k = _smallest_cell(session, actor, city_code)
    needs = _needs(session, city_code, period)
    cells = [cell for cell in _cells(needs, k) if district_code in (None, cell.district_code)]
    by_care = _grouped(cells, lambda cell: (cell.group, cell.item_id))
    rows = [
        {"item": item_id, "group": group} | asdict(_figures(of_care, k))
        for (group, item_id), of_care in by_care.items()
    ]
    return _release(rows, cells, k, withheld=0)


def withhold(people: Mapping[Key, int], k: int) -> set[Key]:
    """The cells to leave out: those under k people, and one more if only one could be worked out.

    Whoever knows the sum of all cells from elsewhere could subtract the others from it. Of cells
    with equally many people the same one goes whenever it is asked, in whatever order they came.
    """
    small = {cell for cell, count in people.items() if count < k}
    if len(small) == 1 and len(people) > 1:
        small.add(min(people.keys() - small, key=lambda cell: (people[cell], str(cell))))
    return small


def _smallest_cell(session: Session, actor: Actor, city_code: str) -> int:
    """The fewest families a cell of this city must have; refuses the analysts of others."""
    if city_code not in actor.cities:
        raise NotAllowed("error.not_allowed")
    k = session.scalar(select(City.smallest_cell).where(City.code == city_code))
    return max(k or 0, FEWEST_PEOPLE)


def _closed_at() -> datetime:
    """The midnight in the city that ended the last closed week."""
    monday = last_closed_day() + timedelta(days=1)
    return datetime.combine(monday, time(), clock.CITY_TIME)


def _needs(session: Session, city_code: str, period: Period) -> list[_Need]:
    """What was wanted in the city in the period."""
    closed_at, stretches = _closed_at(), _STRETCHES[period]
    agreed = and_(Order.demand_id == Demand.id, Order.status.in_(_AGREED))
    confirmed = and_(
        StatusChange.noun == Noun.ORDER,
        StatusChange.subject_id == Order.id,
        StatusChange.new_status == OrderStatus.CONFIRMED,
    )
    query = (
        select(
            Demand.starts_at,
            Demand.district_code,
            Demand.item_id,
            CareItem.group,
            Demand.customer_id,
            Demand.units * CareItem.hours_per_unit,
            Order.id,
            Demand.created_at,
            StatusChange.created_at,
        )
        .join(CareItem, CareItem.id == Demand.item_id)
        .outerjoin(Order, agreed)
        .outerjoin(StatusChange, confirmed)
        .where(
            Demand.city_code == city_code,
            Demand.starts_at < closed_at,
            or_(
                Demand.status.in_(_WANTED),
                and_(Demand.status == DemandStatus.MATCHED, Order.id.is_not(None)),
            ),
        )
    )
    if stretches is not None:
        query = query.where(Demand.starts_at >= closed_at - stretches * _STRETCH)
    return [
        _Need(
            stretch=-1 - (starts_at - closed_at) // _STRETCH,
            district_code=district_code,
            item_id=item_id,
            group=group,
            customer_id=customer_id,
            hours=hours,
            served=order_id is not None,
            waited=(matched_at - posted_at) / timedelta(hours=1) if matched_at else None,
        )
        for (
            starts_at, district_code, item_id, group, customer_id, hours, order_id, posted_at,
            matched_at,
        ) in session.execute(query)
    ]  # fmt: skip


def _stretches(period: Period, needs: Iterable[_Need]) -> int:
    """How many stretches the period has; all of them go back to the first need."""
    return _STRETCHES[period] or 1 + max((need.stretch for need in needs), default=0)


def _cells(needs: Iterable[_Need], k: int) -> Iterator[_Cell]:
    """All needs of the stretches and districts with enough families, cut into cells."""
    for of_stretch in _grouped(needs, lambda need: need.stretch).values():
        by_code = _grouped(of_stretch, lambda need: need.district_code)
        small = withhold({code: _people(of_code) for code, of_code in by_code.items()}, k)
        for code, of_code in by_code.items():
            if code not in small:
                yield from _cut(of_code, k)


def _cut(needs: list[_Need], k: int) -> list[_Cell]:
    """A stretch's and district's needs by item; items of few families together, by group if it can.

    Where those that go together are too few even so, the smallest cell joins them.
    """
    where = needs[0].stretch, needs[0].district_code
    cells: list[_Cell] = []
    left: list[_Need] = []
    for group, of_group in _grouped(needs, lambda need: need.group).items():
        alone: list[_Cell] = []
        rest: list[_Need] = []
        for item_id, of_item in _grouped(of_group, lambda need: need.item_id).items():
            if _people(of_item) >= k:
                alone.append(_Cell(*where, item_id, group, of_item))
            else:
                rest += of_item
        rest = _made_up(rest, alone, k)
        if _people(rest) >= k:
            alone.append(_Cell(*where, None, group, rest))
        else:
            left += rest
        cells += alone
    left = _made_up(left, cells, k)
    return [*cells, _Cell(*where, None, None, left)] if left else cells


def _made_up(rest: list[_Need], cells: list[_Cell], k: int) -> list[_Need]:
    """A rest of too few families with the smallest cell, which is taken away.

    The cells must not depend on the order in which the database tells the needs: cut in two ways,
    for two periods, they would overlap, and their difference would tell of a few families.
    """
    if not rest or not cells or _people(rest) >= k:
        return rest
    smallest = min(
        cells, key=lambda cell: (_people(cell.needs), str(cell.group), str(cell.item_id))
    )
    cells.remove(smallest)
    return rest + smallest.needs


def _weeks(cells: Iterable[_Cell]) -> int:
    return WEEKS_A_STRETCH * len({cell.stretch for cell in cells})


def _people(needs: Iterable[_Need]) -> int:
    return len({need.customer_id for need in needs})


def _figures(cells: Iterable[_Cell], k: int) -> Figures:
    needs = [need for cell in cells for need in cell.needs]
    served = [need for need in needs if need.served]
    waits = [need.waited for need in served if need.waited is not None]
    enough = _people(need for need in served if need.waited is not None) >= k
    wanted_hours, served_hours = (sum(need.hours for need in some) for some in (needs, served))
    return Figures(
        demands=len(needs),
        served=len(served),
        fill_rate=round(len(served) / len(needs), 2) if needs else None,
        median_hours=round(median(waits)) if enough else None,
        wanted_hours=wanted_hours,
        served_hours=served_hours,
        gap_hours=wanted_hours - served_hours,
        people=_people(needs) // k * k,
    )


def _supply(session: Session, city_code: str, weeks: int, k: int) -> dict[str, dict[str, int]]:
    """Planned hours and caregivers by district, where they are enough."""
    minutes = func.sum(WeeklyHours.ends_minute - WeeklyHours.starts_minute)
    rows = session.execute(
        select(Caregiver.district_code, func.count(Caregiver.id.distinct()), minutes)
        .outerjoin(WeeklyHours, WeeklyHours.caregiver_id == Caregiver.id)
        .where(Caregiver.city_code == city_code, Caregiver.status == CaregiverStatus.APPROVED)
        .group_by(Caregiver.district_code)
    ).all()
    small = withhold({code: caregivers for code, caregivers, _ in rows}, k)
    return {
        code: {"supply_hours": (total or 0) * weeks // 60, "caregivers": caregivers}
        for code, caregivers, total in rows
        if code not in small
    }


def _release(
    rows: list[dict[str, Any]], cells: Iterable[_Cell], k: int, *, withheld: int
) -> Release:
    rows.sort(key=lambda row: (row["gap_hours"] or 0, row["wanted_hours"] or 0), reverse=True)
    # As objects, so that None stays None and makes no float of its neighbours.
    return Release(pd.DataFrame(rows, dtype=object), _figures(cells, k), withheld, k)


def _grouped(things: Iterable[Thing], key: Callable[[Thing], Key]) -> dict[Key, list[Thing]]:
    groups: dict[Key, list[Thing]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups
