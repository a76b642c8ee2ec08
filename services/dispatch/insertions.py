"""What a visit adds to a route: to the one it stands in, and to others that could take it in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from services.dispatch import costs
from services.dispatch import routes as evaluated
from services.dispatch.results import Assignment
from services.dispatch.routes import Routes
from services.dispatch.shifts import Ground, Route
from services.dispatch.travel import moment_of
from services.dispatch.weights import Term


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visit stands in a route, when it begins, and what it adds by term in minutes; and
    the visit that is not made then."""

    d: int
    shift: int
    at: int
    begins: float
    way_minutes: float
    terms: Mapping[Term, float]
    instead: int | None = None

    @property
    def cost(self) -> float:
        return sum(self.terms.values())

    def in_route(self, route: Route) -> Route:
        """The route with the visit in its place."""
        return (*route[: self.at], self.d, *route[self.at :])


def places(ground: Ground, routes: Routes, d: int) -> list[Place]:
    """The best place for a demand in each route that can take it in, the cheapest first.

    All other visits stay where they are.
    """
    others = without(routes, d)
    allowed = np.flatnonzero(ground.allowed[:, d]).tolist()
    found = (_best(ground, others, shift, d) for shift in allowed)
    return sorted((one for one in found if one), key=lambda one: (one.cost, one.shift))


def exchanges(ground: Ground, routes: Routes, d: int) -> list[Place]:
    """Places that a demand could have for another visit, which nobody makes then.

    The first costs the whole least. Who is pinned to a visit keeps it.
    """
    others, found = without(routes, d), list[tuple[float, int, Place]]()
    columns = ground.columns
    for shift in np.flatnonzero(ground.allowed[:, d]).tolist():
        for visit in others.get(shift, ()):
            less = without(others, visit)
            place = _best(ground, less, shift, d)
            if place and columns.demands[visit].id not in columns.problem.pins:
                lost = own(ground, others, visit)
                saved = lost.cost if lost else 0.0
                whole = place.cost + float(ground.nobody[visit]) - saved
                found.append((whole, shift, replace(place, instead=visit)))
    return [place for *_, place in sorted(found, key=lambda one: one[:2])]


def own(ground: Ground, routes: Routes, d: int) -> Place | None:
    """The place a visit has now; None if nobody makes it."""
    for shift, route in routes.items():
        if d in route:
            return _place(ground, without(routes, d), shift, d, route.index(d))
    return None


def without(routes: Routes, d: int) -> dict[int, Route]:
    """The routes less one visit, and less those that are empty."""
    left = {shift: tuple(one for one in route if one != d) for shift, route in routes.items()}
    return {shift: route for shift, route in left.items() if route}


def assignment(ground: Ground, place: Place) -> Assignment:
    """A place as it is shown: who comes, when, for how much, and what that adds."""
    columns, c = ground.columns, ground.shifts[place.shift].c
    asked = float(columns.asked_fen(np.array([place.d]), np.array([c]))[0])
    return Assignment(
        demand_id=columns.demands[place.d].id,
        caregiver_id=columns.caregivers[c].id,
        starts_at=moment_of(place.begins),
        ends_at=moment_of(place.begins + float(columns.minutes[place.d])),
        price_fen=int(max(asked, columns.lowest_fen[place.d])),
        way_minutes=place.way_minutes,
        terms=place.terms,
    )


def _best(ground: Ground, others: Routes, shift: int, d: int) -> Place | None:
    """The place in one route with the least way that time and her week allow."""
    route = others.get(shift, ())
    with_it = {**others, shift: (*route, d)}
    if not evaluated.fits_week(ground, ground.shifts[shift].c, with_it):
        return None
    ways = [_more_way(ground, shift, route, d, at) for at in range(len(route) + 1)]
    nearest_first = np.argsort(ways, kind="stable").tolist()
    tries = (_place(ground, others, shift, d, at) for at in nearest_first)
    return next((one for one in tries if one), None)


def _place(ground: Ground, others: Routes, shift: int, d: int, at: int) -> Place | None:
    columns, c = ground.columns, ground.shifts[shift].c
    route = others.get(shift, ())
    longer = (*route[:at], d, *route[at:])
    starts = evaluated.starts(ground, shift, longer)
    if starts is None:
        return None
    weights, way = columns.problem.weights, _more_way(ground, shift, route, d, at)
    terms = {
        term: float(each[0]) for term, each in costs.of_pair(columns, np.array([d]), np.array([c]))
    }
    if weights.travel:
        terms[Term.TRAVEL] = weights.travel * way
    with_it = {**others, shift: longer}
    if weights.saturation:
        after, before = (evaluated.full(ground, c, each) for each in (with_it, others))
        terms[Term.SATURATION] = after - before
    if weights.continuity:
        after, before = (evaluated.known_by_then(ground, c, each) for each in (with_it, others))
        terms[Term.CONTINUITY] -= after - before
    return Place(d, shift, at, starts[at], way, terms)


def _more_way(ground: Ground, shift: int, route: Route, d: int, at: int) -> float:
    """Minutes a visit adds between the one before and the one after it."""
    own, ways = ground.shifts[shift], ground.ways
    before = route[at - 1] if at else own.origin
    after = route[at] if at < len(route) else own.destination
    return float(ways[before, d] + ways[d, after] - ways[before, after])
