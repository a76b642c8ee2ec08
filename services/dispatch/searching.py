"""The search for a day's routes: VROOM on one piece of the plan after the other.

A few shifts near each other are taken out of the plan with their visits and those nobody makes yet,
routed anew, and put back if the whole gets cheaper; until nothing gets better, or time is up.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from random import Random

import numpy as np

from services.dispatch import insertions, routing
from services.dispatch import routes as evaluated
from services.dispatch.routes import Routes
from services.dispatch.shifts import Ground, Route

# So many shifts are routed at a time.
_PIECE = 6
# With so many at most that nobody visits yet.
_MOST_LEFT = 8
# So many pieces at most are tried where little has changed.
_MOST_TRIES = 40
# What pins weigh: more than everything else.
_PIN = 1e7


class Search:
    """The plan as it is while it is being bettered."""

    def __init__(self, ground: Ground, chance: Random, routes: Routes | None = None) -> None:
        self.ground = ground
        self.chance = chance
        self.routes: dict[int, Route] = {}
        self.routes = self._mended(routes or {})
        made = {d for route in self.routes.values() for d in route}
        self.left = set(np.flatnonzero(ground.allowed.any(axis=0)).tolist()) - made
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

    def settle(self, demands: Iterable[int]) -> bool:
        """Better the plan about some demands and about those that lose their place by it, which
        bounds what it takes; whether nothing was left to try."""
        waiting = deque(demands)
        for _ in range(_MOST_TRIES):
            if not waiting:
                break
            d, before = waiting.popleft(), set(self.left)
            self._insert(d)
            self._better(self._around(d), self._near(d))
            waiting += sorted(self.left - before)
        return not waiting

    def _insert(self, d: int) -> None:
        """Give a demand that is left aside its best place in the routes as they are."""
        if d not in self.left:
            return
        place = next(iter(insertions.places(self.ground, self.routes, d)), None)
        if place and place.cost < self._nobody(d):
            self.routes[place.shift] = place.in_route(self.routes.get(place.shift, ()))
            self.left.remove(d)

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

    def _mended(self, new: Routes) -> dict[int, Route]:
        """New routes less the visits that cannot be made where they were put."""
        ground = self.ground
        routes = self.routes | dict.fromkeys(new, ())
        for shift, route in new.items():
            for d in route:
                longer = {**routes, shift: (*routes[shift], d)}
                if (
                    ground.allowed[shift, d]
                    and evaluated.starts(ground, shift, longer[shift]) is not None
                    and evaluated.fits_week(ground, ground.shifts[shift].c, longer)
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
