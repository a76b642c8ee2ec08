"""How long the way takes: by a straight line and the hour, or by anybody's table."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services import clock

Numbers = NDArray[np.float64]

EARTH_KM = 6371.0088
# Roads are not straight lines.
DETOUR = 1.3
KMH = 25
RUSH_KMH = 18
RUSH_HOURS = frozenset({7, 8, 17, 18})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Travel(Protocol):
    """Minutes on the way. Points are rows of longitude and latitude in degrees."""

    def matrix(self, origins: Numbers, destinations: Numbers, at: datetime) -> Numbers:
        """From each origin (row) to each destination (column), setting out at a moment."""
        ...

    def pairs(self, origins: Numbers, destinations: Numbers, at: Numbers) -> Numbers:
        """From each origin to the destination beside it; `at` in minutes since 1970, UTC."""
        ...


@dataclass(frozen=True, slots=True)
class StraightLine:
    """The great circle with a detour, at the speed of the hour in the city."""

    detour: float = DETOUR
    kmh: tuple[float, ...] = tuple(RUSH_KMH if hour in RUSH_HOURS else KMH for hour in range(24))

    def matrix(self, origins: Numbers, destinations: Numbers, at: datetime) -> Numbers:
        away = kilometres(origins[:, None], destinations[None])
        return away * (self.detour * 60 / self.kmh[clock.in_city(at).hour])

    def pairs(self, origins: Numbers, destinations: Numbers, at: Numbers) -> Numbers:
        per_km = self.detour * 60 / np.asarray(self.kmh)
        return kilometres(origins, destinations) * per_km[city_hours(at)]


class Tables(ABC):
    """A provider that answers with whole tables, such as OSRM or Amap: it writes `matrix` alone."""

    @abstractmethod
    def matrix(self, origins: Numbers, destinations: Numbers, at: datetime) -> Numbers: ...

    def pairs(self, origins: Numbers, destinations: Numbers, at: Numbers) -> Numbers:
        """One table for each hour of departure, of the places that matter then."""
        found = np.empty(len(at))
        hours = np.floor_divide(at, 60)
        for hour in np.unique(hours):
            rows = np.flatnonzero(hours == hour)
            starts, origin = np.unique(origins[rows], axis=0, return_inverse=True)
            ends, destination = np.unique(destinations[rows], axis=0, return_inverse=True)
            table = self.matrix(starts, ends, _EPOCH + timedelta(hours=float(hour)))
            found[rows] = table[origin, destination]
        return found


def kilometres(origins: Numbers, destinations: Numbers) -> Numbers:
    """Straight kilometres between points in degrees, broadcast.

    As on a plane that touches the middle of each pair: within a city true to a few metres, and
    wrong across the date line.
    """
    east = destinations[..., 0] - origins[..., 0]
    east *= np.cos(np.radians((destinations[..., 1] + origins[..., 1]) / 2))
    north = destinations[..., 1] - origins[..., 1]
    return np.radians(EARTH_KM) * np.sqrt(east**2 + north**2)


def city_hours(at: Numbers) -> NDArray[np.int64]:
    """The hour of the city's clocks at moments in minutes since 1970."""
    ahead = clock.in_city(_EPOCH + timedelta(days=20_000)).utcoffset() or timedelta()
    hours = (at.astype(np.int64) + ahead // timedelta(minutes=1)) // 60
    return hours - hours // 24 * 24


def minutes_of(moment: datetime) -> float:
    """A moment in minutes since 1970, UTC."""
    if moment.tzinfo is None:
        raise ValueError("A naive datetime reached the dispatcher")
    return moment.timestamp() / 60


def moment_of(minutes: float) -> datetime:
    """The moment of so many minutes since 1970, to the second."""
    return _EPOCH + timedelta(seconds=round(minutes * 60))
