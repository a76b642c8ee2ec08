"""Loads: how full a caregiver's week is, and how long the way to a visit takes at most."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from services.availability import DETOUR, Calendar, Taken, free, week_of
from services.places import BAND_LIMITS_KM, DistanceBand


@dataclass(frozen=True, slots=True)
class Load:
    """A caregiver's week: the time booked in it, and the time her calendar has."""

    booked: timedelta
    works: timedelta

    @property
    def saturation(self) -> float | None:
        """Booked over worked; None in a week in which she does not work."""
        return self.booked / self.works if self.works else None


def load(calendar: Calendar, taken: Iterable[Taken], at: datetime) -> Load:
    """How full the week of a moment is: what is booked, and what she works that week at all."""
    monday, next_monday = week_of(at)
    booked = (
        min(one.ends_at, next_monday) - max(one.starts_at, monday)
        for one in taken
        if one.starts_at < next_monday and one.ends_at > monday
    )
    works = (ends - begins for begins, ends in free(calendar, (), monday, next_monday))
    return Load(sum(booked, timedelta()), sum(works, timedelta()))


def travel_minutes(band: DistanceBand, kmh: int) -> int:
    """The most minutes the way takes in a band of distance, by fives; in the last, the least.

    Made from the band alone, so that it tells no more of where a home is than the band does.
    """
    limit_km = next((km for km, name in BAND_LIMITS_KM if name is band), BAND_LIMITS_KM[-1][0])
    return 5 * ceil(limit_km * DETOUR / kmh * 60 / 5)
