"""Loads: how full a caregiver's week is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.availability import Calendar, Taken, free, week_of


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
