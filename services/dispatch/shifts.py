"""The ground of a day plan: free times as shifts, whom each may serve, ways and single costs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

import numpy as np

from services.dispatch import columns as tables
from services.dispatch import costs, rules, timing
from services.dispatch.columns import Columns, Mask, Rows
from services.dispatch.problem import Break, Free, Problem
from services.dispatch.travel import Numbers, minutes_of, moment_of

Route = tuple[int, ...]
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Pause:
    """A break in minutes since 1970: when it begins at the earliest and latest, and how long."""

    earliest: float
    latest: float
    minutes: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A free time of a caregiver (rows), between two nodes of the ground."""

    c: int
    free: int
    begins: float
    ends: float
    rested_until: float
    origin: int
    destination: int
    pauses: tuple[Pause, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Nodes are the demands' rows, then the places at which shifts begin and end.

    `ways` cost minutes between nodes; `lasts` says how long they take: whole minutes, and none from
    home or back, which are gone outside the shift. `allowed` and `costs` go by shift and demand:
    who may serve whom, and what it costs but for the way and for saturation.
    """

    columns: Columns
    shifts: tuple[Shift, ...]
    ways: Numbers
    lasts: Numbers
    allowed: Mask
    costs: Numbers
    nobody: Numbers


def ground(problem: Problem, among: Collection[int] | None = None) -> Ground:
    """The ground of a problem, among all caregivers or some; every way is taken as at the middle
    of the first windows.

    A free time in which no demand could be served, pins aside, is no shift.
    """
    columns = tables.of(problem)
    every = _shifts(columns, among)
    allowed = _allowed(columns, *_rows(every))
    of_use = np.flatnonzero(allowed.any(axis=1))
    shifts, allowed = [every[one] for one in of_use.tolist()], allowed[of_use]
    c, free = _rows(shifts)
    _keep_pins(columns, c, allowed)
    nodes, ways, lasts = _ways(columns, c, free)
    return Ground(
        columns,
        tuple(
            replace(one, origin=origin, destination=destination)
            for one, (origin, destination) in zip(shifts, nodes, strict=True)
        ),
        ways,
        lasts,
        allowed,
        _costs(columns, c, allowed),
        costs.unserved(columns),
    )


def _rows(shifts: Sequence[Shift]) -> tuple[Rows, Rows]:
    """Whose each shift is, and which of her free times."""
    return np.array([one.c for one in shifts], int), np.array([one.free for one in shifts], int)


def _shifts(columns: Columns, among: Collection[int] | None) -> list[Shift]:
    """Every free time of those who may work, in order, not in any place yet."""
    found = list[Shift]()
    for c, her in enumerate(columns.caregivers):
        if not columns.verified[c] or np.isnan(columns.homes[c, 0]):
            continue
        if among is not None and her.id not in among:
            continue
        for free, own in enumerate(her.free):
            ends = float(columns.free.ends[free, c])
            found.append(
                Shift(
                    c,
                    free,
                    max(minutes_of(own.starts_at), float(columns.free.rested_from[free, c])),
                    ends,
                    float(min(ends, columns.free.rested_until[free, c])),
                    _NOWHERE,
                    _NOWHERE,
                    tuple(_pause(one) for one in her.breaks if _within(one, own)),
                )
            )
    return found


def _pause(one: Break) -> Pause:
    return Pause(minutes_of(one.earliest), minutes_of(one.latest), one.minutes)


def _within(one: Break, free: Free) -> bool:
    """Whether a break falls into a free time."""
    return free.starts_at <= one.earliest and one.latest <= free.ends_at


def _ways(columns: Columns, c: Rows, free: Rows) -> tuple[list[tuple[int, int]], Numbers, Numbers]:
    """Between which nodes each shift lies, what the ways between all nodes cost, and how long they
    last. Shifts that begin or end at one place share its node."""
    home = np.isnan(
        np.stack([columns.free.comes_from[free, c, 0], columns.free.goes_to[free, c, 0]], axis=1)
    )
    ends = np.stack(timing.ends_of(columns, c, free), axis=1)
    alike = np.concatenate([ends, home[..., None]], axis=2).reshape(-1, 3)
    places, node = np.unique(alike, axis=0, return_inverse=True)
    points = np.concatenate([columns.places, places[:, :2]])
    known = columns.opens[~np.isnan(columns.opens)]
    at = moment_of(float(np.median(known))) if len(known) else columns.problem.now
    ways = np.nan_to_num(columns.problem.travel.matrix(points, points, at.astimezone(UTC)))
    lasts = timing.whole(ways)
    homes = len(columns.places) + np.flatnonzero(places[:, 2])
    lasts[homes], lasts[:, homes] = 0, 0
    nodes = (len(columns.places) + node).reshape(-1, 2).tolist()
    return [(origin, destination) for origin, destination in nodes], ways, lasts


def _allowed(columns: Columns, c: Rows, free: Rows) -> Mask:
    """By shift and demand, whether the visit could be the only one."""
    shift, d = (each.ravel() for each in np.indices((len(c), len(columns.demands))))
    ok = rules.possible(columns)[d]
    for check in (*rules.OF_KIND, *rules.OF_PLACE, *rules.OF_BOTH, *rules.OF_WEEK):
        ok &= check.holds(columns, d, c[shift])
    for number in range(len(columns.free.starts)):
        of = np.flatnonzero(ok & (free[shift] == number))
        ok[of] = np.isfinite(timing.starts_in(columns, d[of], c[shift[of]], number))
    return ok.reshape(len(c), len(columns.demands))


def _keep_pins(columns: Columns, c: Rows, allowed: Mask) -> None:
    """Allow only who is pinned where somebody is."""
    for demand_id, caregiver_id in columns.problem.pins.items():
        if (row := columns.row_of_demand.get(demand_id)) is not None:
            allowed[c != columns.row_of_caregiver.get(caregiver_id, -1), row] = False


def _costs(columns: Columns, c: Rows, allowed: Mask) -> Numbers:
    found = np.zeros(allowed.shape)
    shift, d = np.nonzero(allowed)
    for _, each in costs.of_pair(columns, d, c[shift]):
        found[shift, d] += each
    return found
