"""The search for a day's routes: VROOM on the whole, if time allows, then on piece after piece.

A few shifts near each other are taken out of the plan with their visits and those nobody makes yet,
routed anew, and put back if the whole gets cheaper: first small pieces, then larger ones, until
nothing gets better or time is up.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from random import Random

import numpy as np

from services.dispatch import insertions, routing
from services.dispatch import routes as evaluated
from services.dispatch.routes import Routes
from services.dispatch.shifts import Ground, Route

# What VROOM takes of a core for a shift and two visits that it could make one after the other.
_SECONDS_A_CELL = 2e-7
# The share of the time that a first plan may take.
_FIRST = 2 / 3
# With more of them it would take hundreds of megabytes.
_MOST_CELLS = 2e7
# VROOM makes so many plans of the whole, side by side, and takes the best.
_PLANS = 4
# So many shifts are routed at a time, at first and later; and where little has changed.
_SIZES = (4, 6, 9)
_PIECE = 6
# Around a visit that nobody makes chance picks from so many times as many.
_CHOICE = 3
# Larger pieces come as soon as but this share of the smaller ones got better.
_FEW = 0.01
# So often it picks where little has changed.
_CHANCES = 4
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

    def start(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        """A first plan in a part of some seconds, finished in any case unless it is stopped."""
        for piece, demands in self._districts(seconds):
            if stopped():
                return False
            self._better(piece, demands, exploration=0, threads=_PLANS)
        return True

    def fill(self) -> None:
        """A first plan for few demands: least choice first, each where it costs least."""
        choice = self.ground.allowed.sum(axis=0).tolist()
        for d in sorted(self.left, key=lambda one: (choice[one], one)):
            self._insert(d)

    def better(self, over: Callable[[], bool]) -> bool:
        """Better the plan until that is over; whether nothing was left to try."""
        everybody = sorted(self.left | {d for route in self.routes.values() for d in route})
        for size in _SIZES:
            few = 0 if size == _SIZES[-1] else len(everybody) * _FEW
            while True:
                found = self._round(everybody, size, over)
                if found is None:
                    return False
                if found <= few:
                    break
        return self._relocate(everybody, over)

    def _relocate(self, everybody: list[int], over: Callable[[], bool]) -> bool:
        """Move single visits to wherever they cost less, until none does; whether time sufficed.

        Pieces look at those who are near; what counts beside the way may speak for somebody else.
        """
        moved = True
        while moved:
            moved = False
            for d in everybody:
                if over():
                    return False
                moved |= self._moved(d)
        return True

    def _moved(self, d: int) -> bool:
        """Give a visit its cheapest place; whether that is another one than before."""
        now = insertions.own(self.ground, self.routes, d)
        best = next(iter(insertions.places(self.ground, self.routes, d)), None)
        before = self._nobody(d) if now is None else now.cost
        if best is None or best.cost >= before - 1e-6:
            return False
        routes = insertions.without(self.routes, d)
        self.routes = routes | {best.shift: best.in_route(routes.get(best.shift, ()))}
        self.left.discard(d)
        return True

    def _round(self, everybody: list[int], size: int, over: Callable[[], bool]) -> int | None:
        """Better a piece around every demand: how many got better, None if it was over before."""
        found = 0
        for d in self._order(everybody):
            if over():
                return None
            found += self._better(self._around(d, size), self._near(d))
        return found

    def settle(self, demands: Iterable[int], *, others: bool) -> bool:
        """Better the plan about some demands, and about those that lose their place by it.

        The `others` that nobody makes may find a place too, or stay so. The number of tries is
        bounded. Whether nothing was left to try.
        """
        waiting = deque(demands)
        aside = set[int]() if others else self.left - set(waiting)
        self.left -= aside
        for _ in range(_MOST_TRIES):
            if not waiting:
                break
            d, before = waiting.popleft(), set(self.left)
            self._insert(d)
            for _ in range(_CHANCES if d in self.left else 1):
                self._better(self._around(d, _PIECE), self._near(d))
            waiting += sorted(self.left - before)
        self.left |= aside
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

    def _districts(self, seconds: float) -> Iterator[tuple[tuple[int, ...], list[int]]]:
        """The shifts in pieces near each other, and the demands that are nearest to a piece's."""
        ground = self.ground
        origins = [shift.origin for shift in ground.shifts]
        away = np.where(ground.allowed.T, ground.ways[: len(ground.nobody), origins], np.inf)
        nearest = away.argmin(axis=1) if origins else np.zeros(0, int)
        for piece in self._pieces(-(-len(ground.shifts) // self._parts(seconds))):
            yield piece, [d for d in sorted(self.left) if nearest[d] in piece]

    def _parts(self, seconds: float) -> int:
        """In how many pieces the shifts are routed at first: the whole at once if time allows."""
        shifts, parts = len(self.ground.shifts), 1
        cells = shifts * len(self.left) ** 2
        while parts * _PIECE < shifts and (
            cells / parts**2 * _SECONDS_A_CELL > seconds * _FIRST or cells / parts**3 > _MOST_CELLS
        ):
            parts *= 2
        return parts

    def _pieces(self, largest: int) -> Iterator[tuple[int, ...]]:
        """The shifts, halved across their longer side until pieces are small."""
        ground = self.ground
        pieces = [np.arange(len(ground.shifts))]
        while pieces:
            piece = pieces.pop()
            if len(piece) <= largest:
                yield tuple(piece.tolist())
                continue
            homes = ground.columns.homes[[ground.shifts[one].c for one in piece]]
            side = int(np.argmax(np.ptp(homes, axis=0)))
            order = piece[np.argsort(homes[:, side], kind="stable")]
            pieces += [order[len(order) // 2 :], order[: len(order) // 2]]

    def _around(self, d: int, size: int) -> tuple[int, ...]:
        """So many shifts that may make a visit and come nearest to it, its own among them.

        Where nobody makes it, chance picks some not so near: they may yet find a place for it.
        """
        ground = self.ground
        nearest = np.array([ground.ways[d, shift.origin] for shift in ground.shifts])
        for shift, route in self.routes.items():
            others = [ground.ways[d, other] for other in route if other != d]
            nearest[shift] = min([nearest[shift], *others])
        nearest[~ground.allowed[:, d]] += nearest.max()
        order = np.argsort(nearest, kind="stable").tolist()
        if d in self.left:
            return self._some([one for one in order if ground.allowed[one, d]], order)
        own = [shift for shift, route in self.routes.items() if d in route]
        return tuple(sorted({*own, *order[: size - len(own)]}))

    def _some(self, may: list[int], every: list[int]) -> tuple[int, ...]:
        """A few shifts by chance from the nearest, half of them of those that may make a visit."""
        may = may[: _PIECE * _CHOICE]
        found = self.chance.sample(may, min(len(may), _PIECE // 2))
        others = [one for one in every[: _PIECE * _CHOICE] if one not in found]
        found += self.chance.sample(others, min(len(others), _PIECE - len(found)))
        return tuple(sorted(found))

    def _near(self, d: int) -> list[int]:
        """The few nearest of the demands that are left aside."""
        return sorted(self.left, key=lambda other: (self.ground.ways[d, other], other))[:_MOST_LEFT]

    def _better(
        self, piece: tuple[int, ...], left: list[int], *, exploration: int = 1, threads: int = 1
    ) -> bool:
        """Route a piece anew with some that are left aside; whether that was better."""
        ground = self.ground
        old = {shift: self.routes.get(shift, ()) for shift in piece}
        could = sorted(d for d in left if ground.allowed[list(piece), d].any())
        state = piece, tuple(old.values()), tuple(could)
        demands = sorted({*could, *(d for route in old.values() for d in route)})
        if state in self.tried or not demands:
            return False
        self.tried.add(state)
        new = routing.solve(ground, self.routes, piece, demands, exploration, threads)
        new = self._mended(new)
        if self._cost(new, demands) >= self._cost(old, demands) - 1e-6:
            return False
        self.routes = {shift: route for shift, route in (self.routes | new).items() if route}
        made = {d for route in new.values() for d in route}
        self.left = (self.left - made) | (set(demands) - made)
        return True

    def _mended(self, new: Routes) -> dict[int, Route]:
        """New routes less the visits that cannot be made where they were put."""
        routes = {shift: route for shift, route in self.routes.items() if shift not in new}
        for shift, route in new.items():
            if self._holds({**routes, shift: route}, shift):
                routes[shift] = route
                continue
            for d in route:
                longer = {**routes, shift: (*routes.get(shift, ()), d)}
                if self._holds(longer, shift):
                    routes = longer
        return {shift: routes.get(shift, ()) for shift in new}

    def _holds(self, routes: Routes, shift: int) -> bool:
        """Whether a route can be made beside her other ones."""
        ground, route = self.ground, routes[shift]
        return (
            bool(ground.allowed[shift, list(route)].all())
            and evaluated.starts(ground, shift, route) is not None
            and evaluated.fits_week(ground, ground.shifts[shift].c, routes)
        )

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
