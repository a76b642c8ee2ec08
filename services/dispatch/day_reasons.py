"""Why a visit stands in this route and not in another's: what it adds there, and elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.dispatch import costs
from services.dispatch import routes as evaluated
from services.dispatch.day_plans import DayPlan
from services.dispatch.routes import Routes
from services.dispatch.shifts import Route
from services.dispatch.travel import moment_of
from services.dispatch.weights import Term
from services.errors import NotFound

RECOMMENDED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A visit in somebody's route at its best: when, and what it adds there by term in minutes."""

    caregiver_id: int
    starts_at: datetime
    way_minutes: float
    terms: Mapping[Term, float]

    @property
    def cost(self) -> float:
        return sum(self.terms.values())


def places(plan: DayPlan, demand_id: int, most: int = RECOMMENDED) -> list[Place]:
    """The best places for a demand, one a caregiver, all other visits staying as they are.

    The first is where it is made, unless it would be better elsewhere now; none is left if nobody
    can take it in as things are.
    """
    d = plan.ground.columns.row_of_demand.get(demand_id)
    if d is None:
        raise NotFound("error.demand_not_found")
    others = {
        shift: tuple(one for one in route if one != d) for shift, route in plan.routes.items()
    }
    best: dict[int, Place] = {}
    for shift in np.flatnonzero(plan.ground.allowed[:, d]).tolist():
        for place in _in_route(plan, others, shift, d):
            known = best.get(place.caregiver_id)
            if known is None or place.cost < known.cost:
                best[place.caregiver_id] = place
    return sorted(best.values(), key=lambda one: (one.cost, one.caregiver_id))[:most]


def _in_route(plan: DayPlan, others: Routes, shift: int, d: int) -> Iterator[Place]:
    """All places in one route that can be."""
    ground = plan.ground
    columns, c = ground.columns, ground.shifts[shift].c
    route = others.get(shift, ())
    weights = columns.problem.weights
    terms = {
        term: float(each[0]) for term, each in costs.of_pair(columns, np.array([d]), np.array([c]))
    }
    with_it: dict[int, Route] = {**others, shift: (*route, d)}
    if not evaluated.fits_week(ground, c, with_it):
        return
    if weights.saturation:
        full = (evaluated.full(ground, c, each) for each in (with_it, others))
        terms[Term.SATURATION] = next(full) - next(full)
    before = sum(evaluated.parts(ground, shift, route))
    for at in range(len(route) + 1):
        longer = (*route[:at], d, *route[at:])
        starts = evaluated.starts(ground, shift, longer)
        if starts is None:
            continue
        way = sum(evaluated.parts(ground, shift, longer)) - before
        travel = {Term.TRAVEL: weights.travel * way} if weights.travel else {}
        yield Place(columns.caregivers[c].id, moment_of(starts[at]), way, terms | travel)
