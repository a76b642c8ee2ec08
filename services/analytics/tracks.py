"""Cells laid out over time: how many there were in each week or month, and which are compared.

Published cells are told apart by place and care only where enough families were: a week in which a
place is told with others tells nothing of it, and is left out on either side of a comparison.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

import pandas as pd

from services.analytics.terms import month_of, week_of, weeks_of_month

Key = TypeVar("Key", bound=Hashable)
# When a cell is of: its place in a calendar, its first day, and how many weeks it tells of.
When = tuple[int, date, int]
_A_YEAR_OF_WEEKS, _A_YEAR_OF_MONTHS = 52, 12
# What is compared: the last four weeks with the twelve before, or the last month with three.
_NOW, _BEFORE = 4, 12


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks or months up to the last that is over, by their first Monday, oldest first."""

    days: tuple[date, ...]
    weeks: tuple[int, ...]
    now: slice
    before: slice
    now_last_year: slice
    before_last_year: slice

    @property
    def lately(self) -> slice:
        """All that is compared."""
        return slice(self.before.start, self.now.stop)

    @property
    def monthly(self) -> bool:
        return self.weeks[-1] > 1

    def index(self, day: date) -> int | None:
        """Where the week or month of a day stands; None before or after all of them."""
        begins = weeks_of_month(month_of(day))[0] if self.monthly else week_of(day)
        return self.days.index(begins) if begins in self.days else None

    def compared(self, at: int) -> bool:
        """Whether a week or month is in any comparison."""
        last_year = slice(self.before_last_year.start, self.now_last_year.stop)
        return any(of.start <= at < of.stop for of in (self.lately, last_year))


@dataclass(frozen=True, slots=True)
class Sums:
    """Some weeks of a track together."""

    weeks: int
    count: float
    part: float
    noise: float

    @property
    def rate(self) -> float:
        """How many a week."""
        return self.count / self.weeks if self.weeks else 0

    @property
    def share(self) -> float:
        return self.part / self.count if self.count else 0


@dataclass(slots=True)
class Track:
    """How many there were of something in each week or month, and how many of those were a part.

    `weeks` are those that are told, 0 where nothing is. `noise` is the most that rounding can have
    added to the variance of what is compared: of the part if there is one, else of the count.
    """

    weeks: list[int]
    count: list[float]
    part: list[float]
    noise: list[float]

    def sums(self, of: slice) -> Sums:
        """Of some weeks together."""
        return Sums(
            sum(self.weeks[of]), sum(self.count[of]), sum(self.part[of]), sum(self.noise[of])
        )

    def without(self, other: "Track") -> "Track":
        """What is left where both are told of the same weeks."""
        same = [a if a == b else 0 for a, b in zip(self.weeks, other.weeks, strict=True)]
        left = Track(
            same,
            [a - b for a, b in zip(self.count, other.count, strict=True)],
            [a - b for a, b in zip(self.part, other.part, strict=True)],
            [a + b for a, b in zip(self.noise, other.noise, strict=True)],
        )
        return left.where(left)

    def where(self, told: "Track") -> "Track":
        """The same, but only of weeks that another is told of."""
        weeks = [a if b else 0 for a, b in zip(self.weeks, told.weeks, strict=True)]
        count, part, noise = (
            [a if b else 0.0 for a, b in zip(values, told.weeks, strict=True)]
            for values in (self.count, self.part, self.noise)
        )
        return Track(weeks, count, part, noise)

    def rates(self, of: slice) -> list[float | None]:
        """How many there were a week, None where nothing is told."""
        return [
            count / weeks if weeks else None
            for count, weeks in zip(self.count[of], self.weeks[of], strict=True)
        ]

    def part_rates(self, of: slice) -> list[float | None]:
        """How many were the part, a week."""
        return Track(self.weeks, self.part, self.part, self.noise).rates(of)

    def shares(self, of: slice) -> list[float | None]:
        """Which share the part was, None of nothing."""
        return [
            part / count if count and weeks else None
            for part, count, weeks in zip(
                self.part[of], self.count[of], self.weeks[of], strict=True
            )
        ]


class Tracks(Generic[Key]):
    """Tracks of many things, each under its key, that grow cell by cell.

    Where `since` is given everything is told from then on, and what has no cell was nothing; else
    only what has a cell is told.
    """

    def __init__(self, over: Calendar, since: date | None) -> None:
        self.over = over
        self._first = None if since is None else _whole_from(over, since)
        self._tracks: dict[Key, Track] = {}
        self._told: dict[Key, list[set[When]]] = {}
        self._blurred: set[tuple[Key, int]] = set()

    def add(self, key: Key, when: When, count: float, part: float = 0, noise: float = 0) -> None:
        """Add a cell."""
        at = when[0]
        track = self._track(key)
        track.count[at] += count
        track.part[at] += part
        track.noise[at] += noise
        if self._first is None:
            self._told[key][at].add(when)

    def blur(self, key: Key, when: When) -> None:
        """Say that a cell may hold some of it and does not tell how much."""
        self._blurred.add((key, when[0]))

    def all(self) -> dict[Key, Track]:
        """Every track."""
        return {key: self[key] for key in self._tracks}

    def __getitem__(self, key: Key) -> Track:
        track = self._track(key)
        for at, told in enumerate(self._told[key]):
            if self._first is not None:
                known = self.over.weeks[at] if at >= self._first else 0
            else:
                known = sum(weeks for *_, weeks in told)
            if not known or (key, at) in self._blurred:
                track.count[at] = track.part[at] = track.noise[at] = known = 0
            track.weeks[at] = known
        return track

    def _track(self, key: Key) -> Track:
        length = len(self.over.days)
        if key not in self._tracks:
            self._tracks[key] = Track([0] * length, *([0.0] * length for _ in range(3)))
            self._told[key] = [set() for _ in range(length)]
        return self._tracks[key]


def _whole_from(over: Calendar, since: date) -> int:
    """The first week or month that is told as a whole; the one that it began in may not be."""
    if since < over.days[0]:
        return 0
    at = over.index(since)
    return len(over.days) if at is None else at + (at > 0)


def calendar(cells: pd.DataFrame, last_day: date) -> Calendar:
    """In weeks if every cell tells of one week, else in months of weeks.

    `last_day` is the last of the figures; a week or month that it does not end is not over.
    """
    last = week_of(last_day + timedelta(days=1)) - timedelta(weeks=1)
    if cells.empty or max(cells["weeks"]) <= 1:
        days = [last - timedelta(weeks=back) for back in range(_A_YEAR_OF_WEEKS + _NOW + _BEFORE)]
        return _laid_out(days[::-1], [1] * len(days), _NOW, _BEFORE, _A_YEAR_OF_WEEKS)
    month = month_of(last)
    if weeks_of_month(month)[-1] > last:
        month = _month_before(month)
    months = [month]
    for _ in range(_A_YEAR_OF_MONTHS + _BEFORE // 4):
        months.append(_month_before(months[-1]))
    weeks = [weeks_of_month(one) for one in reversed(months)]
    return _laid_out(
        [mondays[0] for mondays in weeks], list(map(len, weeks)), 1, 3, _A_YEAR_OF_MONTHS
    )


def _laid_out(days: list[date], weeks: list[int], now: int, before: int, a_year: int) -> Calendar:
    end = len(days)
    return Calendar(
        tuple(days),
        tuple(weeks),
        slice(end - now, end),
        slice(end - now - before, end - now),
        slice(end - a_year - now, end - a_year),
        slice(end - a_year - now - before, end - a_year - now),
    )


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
