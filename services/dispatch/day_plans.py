"""Days on which caregivers make several visits: the routes found, and what they mean."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from time import monotonic

import numpy as np

from services.dispatch import costs, insertions, shifts
from services.dispatch import routes as evaluated
from services.dispatch.batches import reason
from services.dispatch.columns import Columns, Rows
from services.dispatch.insertions import Place
from services.dispatch.plans import Option, row
from services.dispatch.problem import Problem
from services.dispatch.results import Assignment, Quality, Solution, Unserved, by_demand
from services.dispatch.routes import Routes
from services.dispatch.searching import Search
from services.dispatch.shifts import Ground, Route
from services.dispatch.travel import minutes_of, moment_of
from services.dispatch.weights import Term
from services.errors import NotFound

BUDGET_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A problem's ground, the routes found, and what they mean."""

    ground: Ground
    routes: dict[int, Route]
    solution: Solution

    @property
    def columns(self) -> Columns:
        return self.ground.columns

    def sent(self, demand_id: int) -> Option:
        """Who comes to a demand."""
        place = insertions.own(self.ground, self.routes, row(self, demand_id))
        if place is None:
            raise NotFound("error.demand_not_found")
        return self._option(place)

    def options(self, demand_id: int, most: int) -> list[Option]:
        """The cheapest few who could take a demand in, then those who could instead of another.

        A pin of its own keeps none of them away: who could come but for it is told.
        """
        d, best = row(self, demand_id), dict[int, Option]()
        ground = self._without_pin(demand_id)
        for search in (insertions.places, insertions.exchanges):
            for place in search(ground, self.routes, d):
                option = self._option(place)
                best.setdefault(option.visit.caregiver_id, option)
            if len(best) >= most:
                break
        return list(best.values())[:most]

    def _without_pin(self, demand_id: int) -> Ground:
        problem = self.columns.problem
        if demand_id not in problem.pins:
            return self.ground
        others = {one: who for one, who in problem.pins.items() if one != demand_id}
        return shifts.ground(replace(problem, pins=others))

    def _option(self, place: Place) -> Option:
        demands, c = self.columns.demands, self.ground.shifts[place.shift].c
        hers = (route for shift, route in self.routes.items() if self.ground.shifts[shift].c == c)
        kept = {d for route in hers for d in route} - {place.d, place.instead}
        return Option(
            insertions.assignment(self.ground, place),
            None if place.instead is None else demands[place.instead].id,
            tuple(sorted(demands[d].id for d in kept)),
        )

    def again(self, problem: Problem, demand_id: int) -> "DayPlan":
        """The plan of a problem that differs in what bears on one demand, near to this one.

        What is tried is bounded, not the time: it is the same on any machine. Others that nobody
        makes want a place too if this one had none; else what is found for them would be put down
        to what changed.
        """
        ground = shifts.ground(problem)
        search = Search(ground, Random(problem.seed), _carried(self, ground))
        d = row(self, demand_id)
        beside = [one for route in self.routes.values() if d in route for one in route if one != d]
        rows = ground.columns.row_of_demand
        concerned = [demand_id, *(self.columns.demands[one].id for one in beside)]
        served = demand_id in self.solution.who
        settled = search.settle((rows[one] for one in concerned), others=not served)
        was_settled = self.solution.quality is Quality.SETTLED
        return _plan(search, settled=settled and was_settled)


def solve(
    problem: Problem,
    budget_seconds: float = BUDGET_SECONDS,
    stopped: Callable[[], bool] = lambda: False,
) -> DayPlan:
    """A plan of routes, the best found until the budget is used up or somebody stops it.

    A first plan is finished in any case: on a slow machine that may take longer than the budget.
    """
    until = monotonic() + budget_seconds
    search = Search(shifts.ground(problem), Random(problem.seed))
    started = search.start(budget_seconds, stopped)
    settled = started and search.better(lambda: stopped() or monotonic() >= until)
    return _plan(search, settled=settled)


def bounded(problem: Problem, among: Collection[int], tries: int) -> DayPlan:
    """A plan among some caregivers; what is tried is bounded, not the time: it is the same on any
    machine."""
    search = Search(shifts.ground(problem, among), Random(problem.seed))
    search.fill()
    left = iter(range(tries))
    return _plan(search, settled=search.better(lambda: next(left, None) is None))


def restored(problem: Problem, visits: Iterable[tuple[int, int, datetime]]) -> DayPlan:
    """A plan found before, of demands, caregivers and starts, soonest first."""
    search = Search(shifts.ground(problem), Random(problem.seed))
    rows = search.ground.columns.row_of_demand
    for demand_id, caregiver_id, starts_at in visits:
        shift = _shift_at(search.ground, caregiver_id, starts_at)
        search.routes[shift] = (*search.routes.get(shift, ()), rows[demand_id])
        search.left.discard(rows[demand_id])
    return _plan(search, settled=False)


def _shift_at(ground: Ground, caregiver_id: int, moment: datetime) -> int:
    """The shift of a caregiver in which a moment lies."""
    at = minutes_of(moment)
    return next(
        number
        for number, one in enumerate(ground.shifts)
        if ground.columns.caregivers[one.c].id == caregiver_id and one.begins <= at < one.ends
    )


def _plan(search: Search, *, settled: bool) -> DayPlan:
    ground = search.ground
    routes = {shift: route for shift, route in search.routes.items() if route}
    quality = Quality.SETTLED if settled else Quality.BEST_SO_FAR
    return DayPlan(ground, routes, _solution(ground, routes, quality))


def _carried(plan: DayPlan, ground: Ground) -> dict[int, Route]:
    """A plan's routes on another ground, as far as its shifts and demands are there."""
    columns, rows = ground.columns, ground.columns.row_of_demand
    shift_of = {
        (columns.caregivers[one.c].id, one.free): shift for shift, one in enumerate(ground.shifts)
    }
    found: dict[int, Route] = {}
    for shift, route in plan.routes.items():
        old = plan.ground.shifts[shift]
        now = shift_of.get((plan.columns.caregivers[old.c].id, old.free))
        if now is not None:
            ids = (plan.columns.demands[d].id for d in route)
            found[now] = tuple(rows[one] for one in ids if one in rows)
    return found


def _solution(ground: Ground, routes: Routes, quality: Quality) -> Solution:
    columns = ground.columns
    made = {d for route in routes.values() for d in route}
    could = set(np.nonzero(ground.allowed)[1].tolist())
    unserved = [
        Unserved(one.id, reason(columns, d, could=d in could), float(ground.nobody[d]))
        for d, one in enumerate(columns.demands)
        if d not in made
    ]
    return Solution(by_demand(_assignments(ground, routes)), by_demand(unserved), quality)


def _assignments(ground: Ground, routes: Routes) -> Iterator[Assignment]:
    """Visits with what each costs: its way is that from the visit before, and home for the last;
    her week is filled, and a recipient knows her better, by one after the other."""
    columns = ground.columns
    rows = [
        (d, ground.shifts[shift].c, way, begins)
        for shift, route in routes.items()
        for d, way, begins in zip(
            route,
            evaluated.parts(ground, shift, route),
            evaluated.starts(ground, shift, route) or (),
            strict=True,
        )
    ]
    rows.sort(key=lambda row: row[3])
    d, c = (np.array([row[n] for row in rows], int) for n in (0, 1))
    single = [(term, each.tolist()) for term, each in costs.of_pair(columns, d, c)]
    prices = np.maximum(columns.asked_fen(d, c), columns.lowest_fen[d])
    fills, known = _fills(ground, d, c), _known(ground, routes, d, c)
    for n, (visit, her, way, begins) in enumerate(rows):
        terms = {term: each[n] for term, each in single}
        if columns.problem.weights.travel:
            terms[Term.TRAVEL] = columns.problem.weights.travel * way
        if columns.problem.weights.saturation:
            terms[Term.SATURATION] = fills[n]
        if columns.problem.weights.continuity:
            terms[Term.CONTINUITY] = known[n]
        yield Assignment(
            demand_id=columns.demands[visit].id,
            caregiver_id=columns.caregivers[her].id,
            starts_at=moment_of(begins),
            ends_at=moment_of(begins + columns.minutes[visit]),
            price_fen=int(prices[n]),
            way_minutes=way,
            terms=terms,
        )


def _known(ground: Ground, routes: Routes, d: Rows, c: Rows) -> list[float]:
    """What each visit costs by how little its recipient knows her by then."""
    met: dict[int, int] = {}
    for her in set(c.tolist()):
        met |= evaluated.met(ground, her, routes)
    times = np.array([met[visit] for visit in d.tolist()], int)
    return costs.continuity(ground.columns, d, c, times).tolist()


def _fills(ground: Ground, d: Rows, c: Rows) -> list[float]:
    """What each visit costs by filling her week further than those before it."""
    columns, found = ground.columns, list[float]()
    filled: dict[tuple[int, int], float] = {}
    for visit, her in zip(d.tolist(), c.tolist(), strict=True):
        week = her, int(columns.week[visit])
        before = filled.get(week, 0.0)
        filled[week] = before + float(columns.minutes[visit]) * (not columns.live_in[visit])
        pair = np.array([visit]), np.array([her])
        after, until = (
            float(costs.saturation(columns, *pair, np.array([minutes])).sum())
            for minutes in (filled[week], before)
        )
        found.append(after - until)
    return found
