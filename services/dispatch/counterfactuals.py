"""What would have to change for a demand to be served that is not: each tried before it is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import TypeVar

import numpy as np

from services.dispatch import batches
from services.dispatch import columns as tables
from services.dispatch import pairs as every_pair
from services.dispatch.batches import Batch
from services.dispatch.flow import NOBODY
from services.dispatch.pairs import Pairs
from services.dispatch.problem import Caregiver, Demand, Free, Problem, Window
from services.dispatch.rules import Rule
from services.errors import NotFound

MOST_CAREGIVERS = 5
LATEST = timedelta(hours=4)
_A_MINUTE = timedelta(minutes=1)
_NEXT_DOOR_KM = 1
_TOP_RATING = 5.0


@dataclass(frozen=True, slots=True)
class MoreCaregivers:
    """So many more caregivers of this kind, in this district, free at this time."""

    count: int
    item_id: int
    district_code: str
    certificates: frozenset[str]
    skills: frozenset[str]
    sex: str | None
    free_from: datetime
    free_until: datetime


@dataclass(frozen=True, slots=True)
class HigherPrice:
    """So many fen a unit more than the family would pay at most."""

    more_fen: int


@dataclass(frozen=True, slots=True)
class LaterStart:
    """The family's last window closing so many minutes later."""

    minutes: int


Change = MoreCaregivers | HigherPrice | LaterStart
Step = TypeVar("Step", HigherPrice, LaterStart)


def changes(batch: Batch, demand_id: int) -> list[Change]:
    """The least single changes that serve a demand, each of its kind; none may be enough."""
    lines = {one.demand_id: one for one in batch.solution.unserved}
    if demand_id not in lines:
        raise NotFound("error.demand_not_found")
    if lines[demand_id].rule is Rule.NO_PLACE:
        return []
    demand = _demand(batch.columns.problem, demand_id)
    found = (_later(batch, demand), _dearer(batch, demand), _more(batch, demand))
    return [change for change in found if change]


def applied(problem: Problem, demand_id: int, change: Change) -> Problem:
    """The problem as it would be."""
    demand = _demand(problem, demand_id)
    if isinstance(change, MoreCaregivers):
        first = max((one.id for one in problem.caregivers), default=0) + 1
        rating = median([one.rating for one in problem.caregivers] or [_TOP_RATING])
        more = tuple(_ideal(demand, first + n, rating) for n in range(change.count))
        return replace(problem, caregivers=(*problem.caregivers, *more))
    changed = _changed(demand, change)
    return replace(
        problem,
        demands=tuple(changed if one.id == demand_id else one for one in problem.demands),
    )


def _demand(problem: Problem, demand_id: int) -> Demand:
    return next(one for one in problem.demands if one.id == demand_id)


def _changed(demand: Demand, change: HigherPrice | LaterStart) -> Demand:
    if isinstance(change, HigherPrice):
        return replace(demand, highest_fen=demand.highest_fen + change.more_fen)
    *windows, last = demand.windows
    later = Window(last.opens_at, last.closes_at + timedelta(minutes=change.minutes))
    return replace(demand, windows=(*windows, later))


def _ideal(demand: Demand, caregiver_id: int, rating: float) -> Caregiver:
    """Somebody next door who has all that is asked for and is as good as most."""
    return Caregiver(
        id=caregiver_id,
        point=demand.point,
        free=tuple(
            Free(one.opens_at, one.closes_at, live_in=demand.live_in) for one in demand.windows
        ),
        prices={demand.item_id: demand.highest_fen},
        radius_km=_NEXT_DOOR_KM,
        rating=rating,
        week_minutes=demand.minutes,
        sex=demand.sex or "",
        certificates=demand.certificates,
        skills=demand.skills,
        languages=frozenset({demand.language} - {""}),
        experience=demand.conditions,
    )


def _more(batch: Batch, demand: Demand) -> MoreCaregivers | None:
    """The fewest more caregivers; others may want the first of them more."""
    problem = batch.columns.problem
    if not demand.windows:
        return None
    wanted = MoreCaregivers(
        1,
        demand.item_id,
        demand.district_code,
        demand.certificates,
        demand.skills,
        demand.sex,
        min(one.opens_at for one in demand.windows),
        max(one.closes_at for one in demand.windows),
    )
    for count in range(1, MOST_CAREGIVERS + 1):
        more = replace(wanted, count=count)
        solution = batches.solve(applied(problem, demand.id, more)).solution
        if demand.id in solution.who:
            return more
    return None


def _dearer(batch: Batch, demand: Demand) -> HigherPrice | None:
    """The least that more would have to be paid."""
    dearest = max(
        (one.prices.get(demand.item_id, 0) for one in batch.columns.caregivers), default=0
    )
    columns, pairs = _alone(batch, replace(demand, highest_fen=max(dearest, demand.highest_fen)))
    prices = columns.asked_fen(pairs.d, pairs.c)
    gaps = np.unique(prices[prices > demand.highest_fen]) - demand.highest_fen
    steps = [HigherPrice(int(np.ceil(gap))) for gap in gaps]
    return _least(steps, lambda step: _serves(batch, _changed(demand, step)))


def _later(batch: Batch, demand: Demand) -> LaterStart | None:
    """The least that the visit would have to begin later."""
    if not demand.windows:
        return None
    minutes = range(1, LATEST // _A_MINUTE + 1)
    widest = _changed(demand, LaterStart(minutes[-1]))
    columns, pairs = _alone(batch, widest)
    if not len(pairs.d):
        return None
    closes_at = demand.windows[-1].closes_at
    visits = batches.assignments(columns, pairs.d, pairs.c)
    beyond = sorted({-((closes_at - one.ends_at) // _A_MINUTE) for one in visits})
    steps = [LaterStart(late) for late in beyond if late > 0]
    return _least(steps, lambda step: _serves(batch, _changed(demand, step)))


def _least(steps: Sequence[Step], serves: Callable[[Step], bool]) -> Step | None:
    """The first step that serves; further ones serve as well."""
    if not steps or not serves(steps[-1]):
        return None
    first, last = 0, len(steps) - 1
    while first < last:
        middle = (first + last) // 2
        if serves(steps[middle]):
            last = middle
        else:
            first = middle + 1
    return steps[first]


def _alone(batch: Batch, demand: Demand) -> tuple[tables.Columns, Pairs]:
    """Who could come to one demand, whatever the others want."""
    columns = tables.of(replace(batch.columns.problem, demands=(demand,)))
    return columns, every_pair.feasible(columns)


def _serves(batch: Batch, demand: Demand) -> bool:
    """Whether a changed demand would be served among all the others as they are."""
    columns, old = batch.columns, batch.pairs
    d = columns.row_of_demand[demand.id]
    _, new = _alone(batch, demand)
    first, last = np.searchsorted(old.d, (d, d + 1))
    pairs = Pairs(
        np.concatenate([old.d[:first], np.full(len(new.d), d), old.d[last:]]),
        np.concatenate([old.c[:first], new.c, old.c[last:]]),
        np.concatenate([old.costs[:first], new.costs, old.costs[last:]]),
    )
    return bool(batches.choose(columns, pairs, columns.problem.pins)[d] != NOBODY)
