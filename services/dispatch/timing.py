"""When a caregiver could begin a visit, in which of her free times, and how far out of her way."""

from dataclasses import dataclass

import numpy as np

from services.dispatch.columns import Columns, Mask, Rows
from services.dispatch.travel import Numbers


@dataclass(frozen=True, slots=True)
class Openings:
    """Of each pair the first start (minutes since 1970; infinite: none), and in which free time."""

    starts: Numbers
    free: Rows

    @property
    def found(self) -> Mask:
        return np.isfinite(self.starts)


def openings(
    columns: Columns, d: Rows, c: Rows, *, travel: bool = True, rest: bool = True
) -> Openings:
    """The first start of each demand of `d` with the caregiver of `c` beside it."""
    found = Openings(np.full(len(d), np.inf), np.zeros(len(d), int))
    for free in range(len(columns.free.starts)):
        starts = starts_in(columns, d, c, free, travel=travel, rest=rest)
        np.copyto(found.free, free, where=starts < found.starts)
        np.minimum(found.starts, starts, out=found.starts)
    return found


def starts_in(
    columns: Columns, d: Rows, c: Rows, free: int, *, travel: bool = True, rest: bool = True
) -> Numbers:
    """The first start in one of a caregiver's free times; infinite if it does not fit."""
    found = np.full(len(d), np.inf)
    for window in range(len(columns.windows.starts)):
        starts = _starts(columns, d, c, window, free, rest=rest)
        if travel:
            _put_off(columns, d, c, window, free, starts)
        np.minimum(found, starts, out=found)
    return found


def _starts(columns: Columns, d: Rows, c: Rows, window: int, free: int, *, rest: bool) -> Numbers:
    """The first start in one window and one free time, as if there were no way to go."""
    times = columns.free
    begins, until = times.starts[free][c], times.ends[free][c]
    if rest:
        begins = np.maximum(begins, times.rested_from[free][c])
        until = np.minimum(until, times.rested_until[free][c])
    starts = np.maximum(columns.windows.starts[window][d], begins)
    ends = starts + columns.minutes[d]
    fits = ends <= np.minimum(columns.windows.ends[window][d], until)
    fits &= times.live_in[free][c] == columns.live_in[d]
    np.copyto(starts, np.inf, where=~fits)
    return starts


def _put_off(columns: Columns, d: Rows, c: Rows, window: int, free: int, starts: Numbers) -> None:
    """Put starts off until she has come from the visit before; for ever if it gets too late."""
    times = columns.free
    visits = between_visits(columns)[free][c]
    if not visits.any():
        return
    where = np.flatnonzero(np.isfinite(starts) & visits)
    d, c = d[where], c[where]
    places = columns.places[d]
    there = _minutes(columns, times.comes_from[free][c], places, d)
    onward = _minutes(columns, places, times.goes_to[free][c], d)
    begins = np.maximum(starts[where], times.starts[free][c] + there)
    ends = begins + columns.minutes[d]
    late = ends > np.minimum(columns.windows.ends[window][d], times.rested_until[free][c])
    late |= ends + onward > times.ends[free][c]
    starts[where] = np.where(late, np.inf, begins)


def _minutes(columns: Columns, origins: Numbers, destinations: Numbers, d: Rows) -> Numbers:
    """Whole minutes of the ways between visits; none where there is no visit."""
    found = np.zeros(len(d))
    some = np.flatnonzero(~np.isnan(origins[:, 0] + destinations[:, 0]))
    if len(some):
        found[some] = whole(_way(columns, origins[some], destinations[some], d[some]))
    return found


def out_of_way(columns: Columns, d: Rows, c: Rows, free: Rows) -> Numbers:
    """Minutes a visit adds to her way, from where she is before to where she goes then."""
    homes, places = columns.homes[c], columns.places[d]
    ways = _way(columns, homes, places, d) + _way(columns, places, homes, d)
    some = np.flatnonzero(between_visits(columns)[free, c])
    if len(some):
        d, places = d[some], places[some]
        origins, destinations = ends_of(columns, c[some], free[some])
        ways[some] = _way(columns, origins, places, d) + _way(columns, places, destinations, d)
        ways[some] -= _way(columns, origins, destinations, d)
    return ways


def between_visits(columns: Columns) -> Mask:
    """Which free times begin or end with a visit."""
    times = columns.free
    return ~(np.isnan(times.comes_from[..., 0]) & np.isnan(times.goes_to[..., 0]))


def ends_of(columns: Columns, c: Rows, free: Rows) -> tuple[Numbers, Numbers]:
    """Where caregivers come from and go to around free times of theirs."""
    homes = columns.homes[c]
    comes_from, goes_to = columns.free.comes_from[free, c], columns.free.goes_to[free, c]
    return (
        np.where(np.isnan(comes_from), homes, comes_from),
        np.where(np.isnan(goes_to), homes, goes_to),
    )


def whole(ways: Numbers) -> Numbers:
    """Ways in minutes as visits are planned: the next whole one, but for what rounding left."""
    return np.ceil(ways - 1e-9)


def _way(columns: Columns, origins: Numbers, destinations: Numbers, d: Rows) -> Numbers:
    return columns.problem.travel.pairs(origins, destinations, columns.opens[d])
