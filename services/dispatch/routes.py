"""Routes of visits: when each begins, what they cost, and whether they can be made at all."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from services.dispatch.costs import met_again, saturation
from services.dispatch.shifts import Ground, Route, Shift

Routes = Mapping[int, Route]  # By shift; a shift without visits may be left out.


def starts(ground: Ground, shift: int, route: Route) -> list[float] | None:
    """The first start of each visit of a route with breaks in between, or None if it fails.

    To be earlier never harms: so of all ways to have made some visits and had some breaks, only
    the earliest is followed.
    """
    own = ground.shifts[shift]
    states: States = [(own.begins, [])] + [None] * len(own.pauses)
    node = own.origin
    for visit in route:
        states = [
            state and _visited(ground, own, visit, *state)
            for state in _arrived(own, states, ground.lasts[node, visit])
        ]
        node = visit
    last = _arrived(own, states, ground.lasts[node, own.destination])[-1]
    return last[1] if last and last[0] <= own.ends else None


# By how many breaks she has had: when she is through, and the starts of her visits.
State = tuple[float, list[float]] | None
States = list[State]


def _arrived(own: Shift, states: States, lasts: float) -> States:
    """The earliest she gets somewhere; a break may lie anywhere on the way."""
    found: States = [None] * len(states)
    for had, state in enumerate(states):
        if state is None:
            continue
        at, left = state[0], lasts
        for breaks in range(had, len(states)):
            best = found[breaks]
            if best is None or at + left < best[0]:
                found[breaks] = at + left, state[1]
            if breaks == len(own.pauses):
                break
            pause = own.pauses[breaks]
            begins = max(at, pause.earliest)
            if begins > pause.latest:
                break
            at, left = begins + pause.minutes, max(0.0, left - (begins - at))
    return found


def _visited(ground: Ground, own: Shift, visit: int, arrives: float, before: list[float]) -> State:
    begins = _begins(ground, own, visit, arrives)
    if begins is None:
        return None
    return begins + float(ground.columns.minutes[visit]), [*before, begins]


def _begins(ground: Ground, own: Shift, visit: int, arrives: float) -> float | None:
    windows, minutes = ground.columns.windows, ground.columns.minutes[visit]
    begins = [
        start
        for opens, closes in zip(windows.starts[:, visit], windows.ends[:, visit], strict=True)
        if (start := max(arrives, opens)) + minutes <= min(closes, own.rested_until)
    ]
    return min(begins, default=None)


def parts(ground: Ground, shift: int, route: Route) -> list[float]:
    """Minutes each visit adds to a caregiver's way: there, and the last also onward."""
    own, ways = ground.shifts[shift], ground.ways
    if not route:
        return []
    found = [float(ways[here, there]) for here, there in pairwise((own.origin, *route))]
    found[-1] += float(ways[route[-1], own.destination] - ways[own.origin, own.destination])
    return found


def in_week(ground: Ground, c: int, routes: Routes) -> dict[int, tuple[int, float]]:
    """By week a demand of it and the minutes of all that a caregiver's routes hold of it."""
    found: dict[int, tuple[int, float]] = {}
    for shift, route in routes.items():
        if ground.shifts[shift].c == c:
            for visit in route:
                if not ground.columns.live_in[visit]:
                    week = int(ground.columns.week[visit])
                    _, minutes = found.get(week, (visit, 0.0))
                    found[week] = visit, minutes + float(ground.columns.minutes[visit])
    return found


def fits_week(ground: Ground, c: int, routes: Routes) -> bool:
    """Whether all her routes together stay under her cap."""
    columns = ground.columns
    return all(
        columns.booked[week, c] + minutes <= columns.week_minutes[c]
        for week, (_, minutes) in in_week(ground, c, routes).items()
    )


def full(ground: Ground, c: int, routes: Routes) -> float:
    """What it costs that her routes fill her weeks."""
    return sum(
        float(saturation(ground.columns, np.array([visit]), np.array([c]), np.array([minutes]))[0])
        for visit, minutes in in_week(ground, c, routes).values()
    )


def met(ground: Ground, c: int, routes: Routes) -> dict[int, int]:
    """By visit how often a caregiver's routes bring her to its recipient before."""
    columns, times, found = ground.columns, Counter[int](), dict[int, int]()
    hers = [d for shift, route in routes.items() if ground.shifts[shift].c == c for d in route]
    for d in sorted(hers, key=lambda one: (columns.opens[one], one)):
        recipient_id = columns.demands[d].recipient_id
        found[d] = times[recipient_id]
        times[recipient_id] += 1
    return found


def known_by_then(ground: Ground, c: int, routes: Routes) -> float:
    """What her routes cost less because they bring her to the same recipients again."""
    columns = ground.columns
    again = {d: times for d, times in met(ground, c, routes).items() if times}
    if not again or not columns.problem.weights.continuity:
        return 0.0
    d, times = np.array(list(again)), np.array(list(again.values()))
    return float(met_again(columns, d, np.full(len(d), c), times).sum())


def cost(ground: Ground, routes: Routes) -> float:
    """What routes cost in minutes, those left aside whom nobody visits."""
    weight = ground.columns.problem.weights.travel
    ways = weight * sum(sum(parts(ground, shift, route)) for shift, route in routes.items())
    single = sum(float(ground.costs[shift, list(route)].sum()) for shift, route in routes.items())
    people = sorted({ground.shifts[shift].c for shift in routes})
    hers = sum(full(ground, c, routes) - known_by_then(ground, c, routes) for c in people)
    return ways + single + hers
