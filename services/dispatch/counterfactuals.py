"""What would have to change for a demand to be served that is not: each tried before it is said."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

import numpy as np

from services.dispatch import columns as tables
from services.dispatch import pairs as every_pair
from services.dispatch.pairs import Pairs
from services.dispatch.plans import Plan
from services.dispatch.problem import Caregiver, Demand, Free, Problem, Window
from services.dispatch.rules import Rule
from services.errors import NotFound

MOST_CAREGIVERS = 5
LATEST = timedelta(hours=4)
A_QUARTER = timedelta(minutes=15)
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
    """The visit beginning so many minutes after the latest time the family named, just then."""

    minutes: int


@dataclass(frozen=True, slots=True)
class WithoutPin:
    """Whoever is pinned to the demand pinned no more: then somebody else (id) comes."""

    caregiver_id: int


Change = WithoutPin | MoreCaregivers | HigherPrice | LaterStart


def changes(plan: Plan, demand_id: int) -> list[Change]:
    """The least single changes that serve a demand, each of its kind; none may be enough."""
    lines = {one.demand_id: one for one in plan.solution.unserved}
    if demand_id not in lines:
        raise NotFound("error.demand_not_found")
    if lines[demand_id].rule is Rule.NO_PLACE:
        return []
    demand = _demand(plan.columns.problem, demand_id)
    if demand_id in plan.columns.problem.pins:  # Whatever else changes, nobody else comes.
        found = (_unpinned(plan, demand_id),)
    else:
        found = (_later(plan, demand), _dearer(plan, demand), _more(plan, demand))
    return [change for change in found if change]


def applied(problem: Problem, demand_id: int, change: Change) -> Problem:
    """The problem as it would be."""
    demand = _demand(problem, demand_id)
    if isinstance(change, WithoutPin):
        pins = {one: who for one, who in problem.pins.items() if one != demand_id}
        return replace(problem, pins=pins)
    if isinstance(change, MoreCaregivers):
        first = max((one.id for one in problem.caregivers), default=0) + 1
        rating = median([one.rating for one in problem.caregivers] or [_TOP_RATING])
        more = tuple(_ideal(demand, first + n, rating) for n in range(change.count))
        return replace(problem, caregivers=(*problem.caregivers, *more))
    return _with(problem, _changed(demand, change))


def _with(problem: Problem, changed: Demand) -> Problem:
    demands = tuple(changed if one.id == changed.id else one for one in problem.demands)
    return replace(problem, demands=demands)


def _demand(problem: Problem, demand_id: int) -> Demand:
    return next(one for one in problem.demands if one.id == demand_id)


def _changed(demand: Demand, change: HigherPrice | LaterStart) -> Demand:
    if isinstance(change, HigherPrice):
        return replace(demand, highest_fen=demand.highest_fen + change.more_fen)
    at = _latest_start(demand) + timedelta(minutes=change.minutes)
    return replace(demand, windows=(Window(at, at + demand.minutes * _A_MINUTE),))


def _latest_start(demand: Demand) -> datetime:
    """When it would have to begin at the latest to end within the last window."""
    return demand.windows[-1].closes_at - demand.minutes * _A_MINUTE


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


def _unpinned(plan: Plan, demand_id: int) -> WithoutPin | None:
    """Who comes once nobody is pinned."""
    freed = applied(plan.columns.problem, demand_id, WithoutPin(0))
    who = plan.again(freed, demand_id).solution.who.get(demand_id)
    return None if who is None else WithoutPin(who)


def _more(plan: Plan, demand: Demand) -> MoreCaregivers | None:
    """The fewest more caregivers; others may want the first of them more."""
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
    more = (replace(wanted, count=1 + n) for n in range(MOST_CAREGIVERS))
    return next((each for each in more if _serves(plan, demand.id, each)), None)


def _dearer(plan: Plan, demand: Demand) -> HigherPrice | None:
    """The least that more would have to be paid."""
    asked = {one.prices.get(demand.item_id, 0) for one in plan.columns.caregivers}
    dearest = max(asked | {demand.highest_fen, *demand.offers.values()})
    columns, pairs = _alone(plan, replace(demand, highest_fen=dearest))
    prices = columns.asked_fen(pairs.d, pairs.c)
    gaps = np.unique(prices[prices > demand.highest_fen]) - demand.highest_fen
    steps = [HigherPrice(int(np.ceil(gap))) for gap in gaps]
    return _least(steps, lambda step: _serves(plan, demand.id, step))


def _later(plan: Plan, demand: Demand) -> LaterStart | None:
    """The first quarter hour that serves; one that does may be followed by one that does not."""
    if not demand.windows:
        return None
    starts = [one for one in _later_starts(demand) if _anybody(plan, _changed(demand, one))]
    # Where no time between them would do, none of them need be tried.
    if not starts or not _placed(plan, _between(demand, starts[0], starts[-1])):
        return None
    return next((one for one in starts if _serves(plan, demand.id, one)), None)


def _later_starts(demand: Demand) -> Iterator[LaterStart]:
    """The quarter hours on the clock at which a visit could begin later."""
    latest = _latest_start(demand)
    at = max(latest + _A_MINUTE, demand.windows[-1].opens_at)
    at += -(at - datetime.min.replace(tzinfo=at.tzinfo)) % A_QUARTER
    while at <= latest + LATEST:
        yield LaterStart((at - latest) // _A_MINUTE)
        at += A_QUARTER


def _least(
    steps: Sequence[HigherPrice], serves: Callable[[HigherPrice], bool]
) -> HigherPrice | None:
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


def _between(demand: Demand, first: LaterStart, last: LaterStart) -> Demand:
    """One that may begin at any time from the first of these until the last."""
    opens, closes = (_changed(demand, one).windows[0] for one in (first, last))
    return replace(demand, windows=(Window(opens.opens_at, closes.closes_at),))


def _anybody(plan: Plan, demand: Demand) -> bool:
    """Whether anybody could come to one demand, whatever the others want."""
    return bool(_alone(plan, demand)[1].c.size)


def _alone(plan: Plan, demand: Demand) -> tuple[tables.Columns, Pairs]:
    """Who could come to one demand, whatever the others want."""
    columns = tables.of(replace(plan.columns.problem, demands=(demand,)))
    return columns, every_pair.feasible(columns)


def _serves(plan: Plan, demand_id: int, change: Change) -> bool:
    """Whether a change serves a demand among all the others."""
    changed = applied(plan.columns.problem, demand_id, change)
    return demand_id in plan.again(changed, demand_id).solution.who


def _placed(plan: Plan, changed: Demand) -> bool:
    """Whether a demand is served if it is another one, among all the others."""
    return changed.id in plan.again(_with(plan.columns.problem, changed), changed.id).solution.who
