"""What rollups were made of, and which of their months the facts have changed since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow.parquet as pq

from services.analytics import lake, tables, terms
from services.analytics.lake import Part
from services.analytics.schemas import Fact
from services.analytics.tables import Rollup

ROWS_A_STRETCH = 1_000_000
Key = tuple[Fact, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A file of facts as it was read, and the days it tells of under any of its moments."""

    fact: Fact
    month: str
    sha256: str
    rows: int
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Sources:
    """All files of one moment."""

    as_of: datetime
    files: Mapping[Key, Source]


def gathered(contents: lake.Contents, as_of: datetime, former: Sources | None) -> Sources:
    """The files the list names; what is known of those that did not change is kept."""
    before = former.files if former else {}
    parts = {(part.fact, part.month): part for part in contents.parts.values()}
    return Sources(as_of, {key: _source(part, before.get(key)) for key, part in parts.items()})


def stale(rollup: Rollup, now: Sources, former: Sources | None) -> set[date]:
    """The months of weeks a table is to be made anew for; all it tells of without a former."""
    ours, before = _told(rollup, now), _told(rollup, former)
    told = set[date]().union(*ours.values())
    changed = ours.items() ^ before.items()
    months = set[date]().union(*(months for _, months in changed))
    if former:
        # What was ahead has come since; or the clock was put back.
        since, until = sorted((former.as_of.date(), now.as_of.date()))
        months |= told & _months_of_weeks(since, until)
    if rollup.onwards and months:
        months |= {month for month in told if month > min(months)}
    return months


def stretches(
    stale: Mapping[Rollup, set[date]], now: Sources
) -> Iterator[tuple[list[date], list[Rollup]]]:
    """Months that follow each other, and the tables that are stale in all of them.

    A stretch is as long as it can be: each costs as much as a few ten thousand rows. But one of
    several months has at most ROWS_A_STRETCH rows of facts, as they are worked on at once.
    """
    months, tables_of, rows = list[date](), list[Rollup](), 0
    for month in sorted(set().union(*stale.values())):
        of_month = [rollup for rollup in stale if month in stale[rollup]]
        more = sum(one.rows for one in now.files.values() if one.month == f"{month:%Y-%m}")
        follows = months and _next(months[-1]) == month and tables_of == of_month
        if not follows or rows + more > ROWS_A_STRETCH:
            if months:
                yield months, tables_of
            months, tables_of, rows = [], of_month, 0
        months.append(month)
        rows += more
    if months:
        yield months, tables_of


def months_between(first: date, last: date) -> set[str]:
    """The calendar months from one day to another, as files are named for them."""
    days = range((last - first).days + 1)
    return {f"{first + timedelta(days=number):%Y-%m}" for number in days}


def _told(rollup: Rollup, sources: Sources | None) -> dict[Source, frozenset[date]]:
    """The files a table is made of, with the months of weeks they tell of in it."""
    files = sources.files.values() if sources else ()
    return {one: _months(one, rollup) for one in files if one.fact in rollup.facts}


def _months(source: Source, rollup: Rollup) -> frozenset[date]:
    if rollup.reaching:
        return _months_of_weeks(source.since, source.until)
    return _months_of_weeks(*_days(source.month))


def _source(part: Part, known: Source | None) -> Source:
    """A file with the days it tells of, which its footer says."""
    if known and known.sha256 == part.sha256:
        return known
    if part.month == lake.ALL:
        return Source(part.fact, part.month, part.sha256, part.rows, date.min, date.max)
    days = set(_days(part.month))
    footer = pq.read_metadata(lake.path(part.fact, part.month))
    columns = [footer.schema.names.index(one) for one in tables.OTHER_MOMENTS.get(part.fact, ())]
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for column in columns:
            said = group.column(column).statistics
            if said and said.has_min_max:
                days |= {said.min.date(), said.max.date()}
    return Source(part.fact, part.month, part.sha256, part.rows, min(days), max(days))


def _days(month: str) -> tuple[date, date]:
    """The first and the last day of a calendar month."""
    first = date.fromisoformat(f"{month}-01")
    return first, _next(first) - timedelta(days=1)


def _months_of_weeks(first: date, last: date) -> frozenset[date]:
    """The months the weeks from one day to another belong to."""
    month, months = terms.month_of(first), list[date]()
    while month <= terms.month_of(last):
        months.append(month)
        month = _next(month)
    return frozenset(months)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
