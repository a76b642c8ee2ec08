"""Roads: how long the way between two places of a city takes.

By default nobody is asked: the straight line with a detour, at the city's pace. With the address of
a routing service (OSRM's table service, or one that speaks like it) in CAREPILOT_ROADS_URL, its
minutes are taken for a run; they stand for a free road, and rush hours lengthen them. It is told
the middles of neighbourhoods, and of nobody who lives there.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

import httpx
import numpy as np
from numpy.typing import NDArray

from data.cities import City
from services import clock
from services.availability import DETOUR
from services.dispatch.problem import Point, Problem
from services.dispatch.travel import (
    RUSH_HOURS,
    Numbers,
    StraightLine,
    city_hours,
    kilometres,
)
from services.settings import ConfigurationError

SECONDS = 20.0
# Of each table asked for; OSRM's own limit is 100 places in all.
_MOST_PLACES = 50
# Everybody is on the road at once.
_RUSH = 0.75
_DIGITS = 5
_PACE = tuple(_RUSH if hour in RUSH_HOURS else 1.0 for hour in range(24))


class NoRoads(Exception):
    """The routing service did not answer, or not with a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """Minutes on a free road from each place (degrees) to each, row after row."""

    places: tuple[Point, ...]
    minutes: tuple[float, ...]


class Measured:
    """The ways of a table, longer in the rush hours."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = np.asarray(table.places, float).reshape(-1, 2)
        self._minutes = np.asarray(table.minutes, float).reshape(len(table.places), -1)

    def matrix(self, origins: Numbers, destinations: Numbers, at: datetime) -> Numbers:
        free = self._minutes[np.ix_(self._rows(origins), self._rows(destinations))]
        return free / _PACE[clock.in_city(at).hour]

    def pairs(self, origins: Numbers, destinations: Numbers, at: Numbers) -> Numbers:
        free = self._minutes[self._rows(origins), self._rows(destinations)]
        return free / np.asarray(_PACE)[city_hours(at)]

    def _rows(self, points: Numbers) -> NDArray[np.intp]:
        """The place of the table that each point is; of what is no place on Earth, any."""
        unique, which = np.unique(np.nan_to_num(points), axis=0, return_inverse=True)
        rows = [kilometres(one[None], self._places).argmin() for one in unique]
        return np.asarray(rows, np.intp)[which.ravel()]


def of(city: City) -> StraightLine:
    """The straight line with a detour, at the city's pace, slower in the rush hours."""
    kmh = float(city.travel_kmh)
    return StraightLine(detour=DETOUR, kmh=tuple(kmh * pace for pace in _PACE))


def address() -> str | None:
    """The routing service that an operator of the server configured."""
    url = os.environ.get("CAREPILOT_ROADS_URL", "").rstrip("/")
    if url and not url.startswith(("http://", "https://")):
        raise ConfigurationError("CAREPILOT_ROADS_URL must be an http or https address")
    return url or None


def measured(problem: Problem) -> Problem:
    """The problem with a routing service's minutes, if one is configured; NoRoads if it fails."""
    if (url := address()) is None:
        return problem
    places = tuple(dict.fromkeys(_places(problem)))
    table = np.full((len(places), len(places)), np.nan)
    parts = [range(begin, min(begin + _MOST_PLACES, len(places))) for begin in
             range(0, len(places), _MOST_PLACES)]  # fmt: skip
    with httpx.Client(timeout=SECONDS) as client:
        for rows, columns in product(parts, parts):
            table[np.ix_(rows, columns)] = _asked(client, url, places, rows, columns)
    return replace(problem, travel=Measured(Table(places, tuple(table.ravel().tolist()))))


def _places(problem: Problem) -> Sequence[Point]:
    """Every place from which or to which somebody may go."""
    found = [one.point for one in problem.demands]
    for one in problem.caregivers:
        found.append(one.point)
        for free in one.free:
            found += [end for end in (free.comes_from, free.goes_to) if end is not None]
    return [one for one in found if np.isfinite(one).all()]


def _asked(
    client: httpx.Client, url: str, places: Sequence[Point], rows: range, columns: range
) -> Numbers:
    """Minutes from some places to some others."""
    both = [*rows, *columns]
    spots = ";".join(f"{places[one].lng:.{_DIGITS}f},{places[one].lat:.{_DIGITS}f}" for one in both)
    first = len(rows)
    wanted = {
        "sources": ";".join(str(n) for n in range(first)),
        "destinations": ";".join(str(n) for n in range(first, len(both))),
        "annotations": "duration",
    }
    try:
        answer = client.get(f"{url}/table/v1/driving/{spots}", params=wanted)
        answer.raise_for_status()
        seconds = np.asarray(answer.json()["durations"], float)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        raise NoRoads from None
    if seconds.shape != (len(rows), len(columns)) or not np.isfinite(seconds).all():
        raise NoRoads
    return seconds / 60
