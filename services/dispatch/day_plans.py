"""Days on which caregivers make several visits: routes from VROOM, bettered piece by piece.

A few shifts near each other are taken out of the plan with their visits and those nobody makes yet,
routed anew, and put back if the whole gets cheaper; until nothing gets better, or time is up.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from time import monotonic

import numpy as np

from services.dispatch import costs, routing, shifts
from services.dispatch import routes as evaluated
from services.dispatch.batches import reason
from services.dispatch.columns import Rows
from services.dispatch.problem import Problem
from services.dispatch.results import Assignment, Quality, Solution, Unserved, by_demand
from services.dispatch.routes import Routes
from services.dispatch.shifts import Ground, Route
from services.dispatch.travel import moment_of
from services.dispatch.weights import Term

BUDGET_SECONDS = 2.0
# So many shifts are routed at a time.
_PIECE = 6
# With so many at most that nobody visits yet.
_MOST_LEFT = 8
# What pins weigh: more than everything else.
_PIN = 1e7


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A problem's ground, the routes found, and what they mean."""

    ground: Ground
    routes: dict[int, Route]
    solution: Solution


def solve(
    problem: Problem,
    budget_seconds: float = BUDGET_SECONDS,
    stopped: Callable[[], bool] = lambda: False,
) -> DayPlan:
    """A plan of routes, the best found until the budget is used up or somebody stops it."""
    until = monotonic() + budget_seconds
    ground = shifts.ground(problem)
    search = _Search(ground, Random(problem.seed))
    settled = search.run(lambda: stopped() or monotonic() >= until)
    routes = {shift: route for shift, route in search.routes.items() if route}
    quality = Quality.SETTLED if settled else Quality.BEST_SO_FAR
    return DayPlan(ground, routes, _solution(ground, routes, quality))


class _Search:
    """The plan as it is while it is being bettered."""

    def __init__(self, ground: Ground, chance: Random) -> None:
        self.ground = ground
        self.chance = chance
        self.routes: dict[int, Route] = {}
        self.left = set(np.flatnonzero(ground.allowed.any(axis=0)).tolist())
        self.tried = set[tuple[object, ...]]()

    def run(self, over: Callable[[], bool]) -> bool:
        """Better the plan; whether nothing was left to try."""
        for piece, demands in self._districts():
            if over():
                return False
            self._better(piece, demands)
        everybody = sorted(self.left | {d for route in self.routes.values() for d in route})
        while True:
            better = False
            for d in self._order(everybody):
                if over():
                    return False
                piece = self._around(d)
                better |= self._better(piece, self._near(d))
            if not better:
                return True

    def _order(self, demands: list[int]) -> Iterator[int]:
        """All demands in a random order, one that is left aside before every other."""
        for d in self.chance.sample(demands, len(demands)):
            if self.left:
                yield self.chance.choice(sorted(self.left))
            yield d

    def _districts(self) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """The shifts in pieces near each other, and the demands that are nearest to a piece's."""
        ground = self.ground
        origins = [shift.origin for shift in ground.shifts]
        away = np.where(ground.allowed.T, ground.ways[: len(ground.nobody), origins], np.inf)
        nearest = away.argmin(axis=1) if origins else np.zeros(0, int)
        for piece in self._pieces():
            yield piece, [d for d in sorted(self.left) if nearest[d] in piece]

    def _pieces(self) -> Iterator[tuple[int, ...]]:
        """The shifts, halved across their longer side until pieces are small."""
        ground = self.ground
        pieces = [np.arange(len(ground.shifts))]
        while pieces:
            piece = pieces.pop()
            if len(piece) <= _PIECE:
                yield tuple(piece.tolist())
                continue
            homes = ground.columns.homes[[ground.shifts[one].c for one in piece]]
            side = int(np.argmax(np.ptp(homes, axis=0)))
            order = piece[np.argsort(homes[:, side], kind="stable")]
            pieces += [order[len(order) // 2 :], order[: len(order) // 2]]

    def _around(self, d: int) -> tuple[int, ...]:
        """The shifts that may make a visit and come nearest to it, its own among them."""
        ground = self.ground
        nearest = np.array([ground.ways[d, shift.origin] for shift in ground.shifts])
        for shift, route in self.routes.items():
            others = [ground.ways[d, other] for other in route if other != d]
            nearest[shift] = min([nearest[shift], *others])
        nearest[~ground.allowed[:, d]] += nearest.max()
        order = np.argsort(nearest, kind="stable")[:_PIECE].tolist()
        own = [shift for shift, route in self.routes.items() if d in route]
        return tuple(sorted({*own, *order[: _PIECE - len(own)]}))

    def _near(self, d: int) -> list[int]:
        """The few nearest of the demands that are left aside."""
        return sorted(self.left, key=lambda other: (self.ground.ways[d, other], other))[:_MOST_LEFT]

    def _better(self, piece: tuple[int, ...], left: list[int]) -> bool:
        """Route a piece anew with some that are left aside; whether that was better."""
        ground = self.ground
        old = {shift: self.routes.get(shift, ()) for shift in piece}
        could = sorted(d for d in left if ground.allowed[list(piece), d].any())
        state = piece, tuple(old.values()), tuple(could)
        demands = sorted({*could, *(d for route in old.values() for d in route)})
        if state in self.tried or not demands:
            return False
        self.tried.add(state)
        new = self._mended(routing.solve(ground, self.routes, piece, demands))
        if self._cost(new, demands) >= self._cost(old, demands) - 1e-6:
            return False
        self.routes |= new
        made = {d for route in new.values() for d in route}
        self.left = (self.left - made) | (set(demands) - made)
        return True

    def _mended(self, new: dict[int, Route]) -> dict[int, Route]:
        """The routes less the visits that VROOM, which knows no weeks, put where they cannot be."""
        ground = self.ground
        routes = self.routes | dict.fromkeys(new, ())
        for shift, route in new.items():
            for d in route:
                longer = {**routes, shift: (*routes[shift], d)}
                if evaluated.starts(ground, shift, longer[shift]) is not None and (
                    evaluated.fits_week(ground, ground.shifts[shift].c, longer)
                ):
                    routes = longer
        return {shift: routes[shift] for shift in new}

    def _cost(self, part: dict[int, Route], demands: list[int]) -> float:
        """What the whole costs, as far as this part can change it."""
        ground = self.ground
        people = {ground.shifts[shift].c for shift in part}
        hers = {
            shift: route
            for shift, route in (self.routes | part).items()
            if ground.shifts[shift].c in people
        }
        made = {d for route in part.values() for d in route}
        nobody = sum(self._nobody(d) for d in demands if d not in made)
        return evaluated.cost(ground, hers) + nobody

    def _nobody(self, d: int) -> float:
        columns = self.ground.columns
        pinned = columns.demands[d].id in columns.problem.pins
        return float(self.ground.nobody[d]) + (_PIN if pinned else 0)


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
    her week is filled by one after the other."""
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
    fills = _fills(ground, d, c)
    for n, (visit, her, way, begins) in enumerate(rows):
        terms = {term: each[n] for term, each in single}
        if columns.problem.weights.travel:
            terms[Term.TRAVEL] = columns.problem.weights.travel * way
        if columns.problem.weights.saturation:
            terms[Term.SATURATION] = fills[n]
        yield Assignment(
            demand_id=columns.demands[visit].id,
            caregiver_id=columns.caregivers[her].id,
            starts_at=moment_of(begins),
            ends_at=moment_of(begins + columns.minutes[visit]),
            price_fen=int(prices[n]),
            way_minutes=way,
            terms=terms,
        )


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
