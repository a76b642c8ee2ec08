"""What can stand out, and a city's figures laid out so that it can be seen."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

import pandas as pd

from services.analytics import tracks
from services.analytics.comparing import Compared
from services.analytics.figures import Frame
from services.analytics.terms import Dimension
from services.analytics.tracks import Calendar, Tracks
from services.availability import Obstacle


class Kind(StrEnum):
    """What stands out; each has its own words and its own advice."""

    HANDS_SHORT = "hands_short"
    GAP_HERE = "gap_here"
    FILL_RATE_FELL = "fill_rate_fell"
    DEMAND_FALLS = "demand_falls"
    OBSTACLE = "obstacle"
    STEP_LOST = "step_lost"
    REPEAT_FELL = "repeat_fell"
    DEMAND_RISES = "demand_rises"
    CHANNEL_GROWS = "channel_grows"
    AGE_GROWS = "age_grows"


OPPORTUNITIES = (Kind.DEMAND_RISES, Kind.CHANNEL_GROWS, Kind.AGE_GROWS)


class Against(StrEnum):
    """What a figure is compared with."""

    BEFORE = "before"
    ELSEWHERE = "elsewhere"
    OFFERED = "offered"
    NEXT_REASON = "next_reason"


class Remedy(StrEnum):
    """What helps against obstacles."""

    TRAIN = "train"
    RECRUIT = "recruit"
    NEAR = "near"
    PRICE = "price"
    HOURS = "hours"


REMEDIES = {
    Obstacle.CERTIFICATE: Remedy.TRAIN,
    Obstacle.NOBODY: Remedy.RECRUIT,
    Obstacle.NOT_OFFERED: Remedy.RECRUIT,
    Obstacle.TOO_FAR: Remedy.NEAR,
    Obstacle.TRAVEL: Remedy.NEAR,
    Obstacle.PRICE: Remedy.PRICE,
    Obstacle.OFF_HOURS: Remedy.HOURS,
    Obstacle.BUSY: Remedy.HOURS,
    Obstacle.ON_LEAVE: Remedy.HOURS,
    Obstacle.REST: Remedy.HOURS,
    Obstacle.WEEK_FULL: Remedy.HOURS,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands out, in codes: where, for whom, how much, against what, how surely.

    `now` and `other` are a week's needs (demand), a week's hours (hands) or shares. `size` are the
    needs or families that it is about in four weeks. `line` is the figure by week or month from
    `days[0]` on, `beside` that of what it is compared with if that is not an earlier time; the
    compared times are from `since` and, for a change, `now_since` on. `last_year`: the same weeks
    of the year before were asked too. `when`: the hours in which most is missing.
    """

    kind: Kind
    against: Against
    city: str
    district: str | None
    group: str | None
    bucket: str | None
    now: float
    other: float
    p: float
    size: float
    days: tuple[date, ...]
    line: tuple[float | None, ...]
    since: date
    now_since: date
    until: date
    beside: tuple[float | None, ...] = ()
    last_year: bool = False
    when: str | None = None

    @property
    def place(self) -> str:
        return self.district or self.city

    @property
    def opportunity(self) -> bool:
        return self.kind in OPPORTUNITIES


_SATURDAY = 5
Atom = tuple[str | None, str | None]  # District and group of items; None for all of them.
WHOLE: Atom = (None, None)


@dataclass(frozen=True)
class City:
    """A city's cells of the weeks that are compared, told since a day.

    Published ones are of at least `smallest_cell` families. `at` is a cell's place in the
    calendar of its frame.
    """

    code: str
    cells: Mapping[Frame, pd.DataFrame]
    over: Mapping[Frame, Calendar]
    since: date
    smallest_cell: int | None

    @classmethod
    def of(
        cls,
        code: str,
        frames: Mapping[Frame, pd.DataFrame],
        last_day: date,
        smallest_cell: int | None,
    ) -> "City":
        """A city's part of what is told of several, up to a day."""
        cells = {
            frame: _prepared(pd.DataFrame(told[told["city"] == code]))
            for frame, told in frames.items()
        }
        over = {frame: tracks.calendar(told, last_day) for frame, told in cells.items()}
        since = min(cells[Frame.NEEDS]["day"], default=last_day)
        compared = {frame: _compared(told, over[frame]) for frame, told in cells.items()}
        return cls(code, compared, over, since, smallest_cell)

    def tracks(self, frame: Frame) -> Tracks[Any]:
        """Empty tracks for a frame's cells."""
        return Tracks(self.over[frame], None if self.smallest_cell else self.since)

    def rows(
        self,
        frame: Frame,
        by: Iterable[str],
        sums: Iterable[str],
        dimensions: Collection[str] = (),
    ) -> Iterator[Any]:
        """When each cell of a frame is of, what it is of, and its sums; of some dimensions only."""
        cells = self.cells[frame]
        if dimensions and not cells.empty:
            cells = pd.DataFrame(cells[cells["dimension"].isin(list(dimensions))])
        for at, day, weeks, *told in together(cells, ("at", "day", "weeks", *by), sums):
            yield (at, day, weeks), *told

    @cached_property
    def needs(self) -> Tracks[Atom]:
        """Needs, and those served, by district and group."""
        woven = self.tracks(Frame.NEEDS)
        for when, district, group, needs, served in self.rows(
            Frame.NEEDS, ("district", "item_group"), ("needs", "served")
        ):
            noise = self._noise_of_part(needs)
            for atom in atoms(district, group):
                woven.add(atom, when, needs, served, noise)
            if group is None:
                for one in self.groups:
                    woven.blur((None, one), when)
        return woven

    @cached_property
    def groups(self) -> list[str]:
        """The groups of items that are told of by themselves."""
        cells = self.cells[Frame.NEEDS]
        return [] if cells.empty else list(cells["item_group"].dropna().unique())

    @property
    def noise(self) -> float:
        """The most variance that rounding to multiples of the smallest cell adds to a count."""
        return (self.smallest_cell or 0) ** 2 / 4

    def _noise_of_part(self, whole: float) -> float:
        """The same of a part: its last step goes from the last multiple but one to the whole."""
        if not (k := self.smallest_cell):
            return 0
        return (whole - k * max(whole // k - 1, 0)) ** 2 / 4

    @cached_property
    def by_hour(self) -> list[tuple[tuple[str, str], str | None, str | None, int, int]]:
        """Lately's needs, and those unmet, by ("weekend", "morning"), district and group."""
        cells, told = self.cells[Frame.GROUPS], []
        if cells.empty:
            return told
        lately = cells["at"] >= self.over[Frame.GROUPS].lately.start
        of_hours = pd.DataFrame(cells[lately & (cells["dimension"] == Dimension.HOUR)])
        for bucket, district, group, needs, served in together(
            of_hours, ("bucket", "district", "item_group"), ("needs", "served")
        ):
            hours = {_hours(one) for one in (bucket or "").split("|") if one}
            if len(hours) == 1:  # Told together with others, it is known of neither.
                told.append((hours.pop(), district, group, needs, needs - served))
        return told

    @cached_property
    def hours_each(self) -> float:
        """The mean hours of a need."""
        needs = self.cells[Frame.NEEDS]
        return max(sum(needs["wanted_hours"]) / max(sum(needs["needs"]), 1), 1)

    def finding(self, kind: Kind, compared: Compared, over: Calendar, **more: Any) -> Finding:  # noqa: ANN401
        """A finding of this city's."""
        return Finding(
            kind=kind,
            city=self.code,
            now=compared.now,
            other=compared.other,
            days=over.days[over.lately],
            since=over.days[over.before.start],
            now_since=over.days[over.now.start],
            until=over.days[-1] + timedelta(weeks=over.weeks[-1], days=-1),
            last_year=compared.last_year,
            **{"district": None, "group": None, "bucket": None, "p": compared.p} | more,
        )


def together(
    cells: pd.DataFrame, by: Iterable[str], sums: Iterable[str]
) -> Iterator[tuple[Any, ...]]:
    """The cells that differ by nothing else as one: what they have in common, then the sums."""
    if cells.empty:
        return
    grouped = cells.groupby(list(by), dropna=False, sort=False, as_index=False)[list(sums)].sum()
    for row in pd.DataFrame(grouped).itertuples(index=False, name=None):
        yield tuple(value if value == value else None for value in row)


def _prepared(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with their days as dates."""
    return cells.assign(day=pd.to_datetime(cells["day"]).dt.date)


def _compared(cells: pd.DataFrame, over: Calendar) -> pd.DataFrame:
    """The cells that are in any comparison, with their place in the calendar."""
    places = {day: over.index(day) for day in cells["day"].unique()}
    wanted = {day: at for day, at in places.items() if at is not None and over.compared(at)}
    kept = cells[cells["day"].isin(wanted)]
    return kept.assign(at=[wanted[day] for day in kept["day"]])


def atoms(district: str | None, group: str | None) -> set[Atom]:
    """Everything a cell of a district and a group is part of."""
    return {WHOLE, (district, None), (None, group), (district, group)}


def _hours(bucket: str) -> tuple[str, str]:
    """What "6_morning" is a part of."""
    weekday, part = bucket.split("_")
    return "weekend" if int(weekday) >= _SATURDAY else "weekday", part
