"""What stands out in the figures: a few problems and opportunities, with what to do about them.

The last four weeks that are over are compared with the twelve before and, where they are known,
with the same weeks of the year before; places, care and reasons with the others. Whole weeks hold
the same weekdays, so that these need no correction. Where cells are published by the month, the
last month of weeks is compared with the three before. All comparisons of all cities are judged
together, so that at most one finding in twenty comes by chance (services.analytics.significance).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from services.analytics import clues, significance
from services.analytics.comparing import FEWEST
from services.analytics.figures import Frame
from services.analytics.signs import (
    OPPORTUNITIES,
    WHOLE,
    Against,
    City,
    Finding,
    Kind,
    Remedy,
)

__all__ = [
    "OPPORTUNITIES", "READ", "Against", "Finding", "Kind", "Lack", "Remedy", "Report", "find",
]  # fmt: skip

READ = (Frame.NEEDS, Frame.GROUPS, Frame.DAYPARTS, Frame.OBSTACLES, Frame.FAMILIES, Frame.FUNNEL)
WEEKS_READ = 71  # Sixteen months of weeks, the longest that is looked back.
FEWEST_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Lack:
    """A place of which too little is known to find anything: weeks and needs that are missing."""

    place: str
    weeks: int
    needs: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, the most serious first, of how many comparisons, and where it was not."""

    findings: tuple[Finding, ...]
    tried: int
    lacking: tuple[Lack, ...]


def find(
    frames: Mapping[Frame, pd.DataFrame],
    cities: Collection[str],
    last_day: date,
    smallest_cell: int | None = None,
) -> Report:
    """What stands out in the cells of READ, live ones or (with a smallest cell) published ones."""
    tried: list[clues.Clue] = []
    lacking: list[Lack] = []
    for code in sorted(cities):
        city = City.of(code, frames, last_day, smallest_cell)
        missing = _lacking(city)
        lacking += missing
        if not any(lack.place == code for lack in missing):
            tried += [clue for look in clues.ALL for clue in look(city)]
    stands_out = significance.stand_out([p for p, _ in tried])
    found = [one for (_, one), yes in zip(tried, stands_out, strict=True) if yes and one]
    return Report(tuple(_ordered(_sharpest(found))), len(tried), tuple(lacking))


def _lacking(city: City) -> list[Lack]:
    """Of the city, or of those of its districts, of which too little is known."""
    over = city.needs.over
    told = city.needs[WHOLE].sums(over.lately)
    weeks, needs = max(FEWEST_WEEKS - told.weeks, 0), max(2 * FEWEST - round(told.count), 0)
    if weeks or needs:
        return [Lack(city.code, weeks, needs)]
    return [
        Lack(district, 0, FEWEST - round(count))
        for (district, group), track in sorted(city.needs.all().items(), key=str)
        if district and not group and (count := track.sums(over.lately).count) < FEWEST
    ]


def _sharpest(found: Sequence[Finding]) -> list[Finding]:
    """Of findings of a kind that overlap only one: they tell of the same thing.

    The surest, but one of all districts together first if several of them show it.
    """
    kept: list[Finding] = []
    for one in sorted(found, key=lambda finding: (not _spread(finding, found), finding.p)):
        if not any(_overlap(one, other) for other in kept):
            kept.append(one)
    return kept


def _spread(one: Finding, found: Sequence[Finding]) -> bool:
    """Whether what is found in a city is found in several of its districts."""
    districts = {other.district for other in found if _overlap(one, other)} - {None}
    return one.district is None and len(districts) > 1


def _overlap(one: Finding, other: Finding) -> bool:
    if (one.kind, one.city, one.bucket) != (other.kind, other.city, other.bucket):
        return False
    pairs = (one.district, other.district), (one.group, other.group)
    return all(mine == its or None in (mine, its) for mine, its in pairs)


def _ordered(found: Iterable[Finding]) -> list[Finding]:
    """Problems before opportunities, the larger first."""
    return sorted(found, key=lambda one: (one.opportunity, -one.size, one.p))
