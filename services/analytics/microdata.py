"""What publications are made of: rows of one city, read from the facts by DuckDB.

Only what lies in the files is read, only the columns that are needed, and nothing is written.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb

from services.analytics import lake
from services.analytics.lake import Contents
from services.analytics.schemas import Fact
from services.analytics.sources import months_between
from services.analytics.tables import SERVED, STAGES, STOOD, URGENCY
from services.analytics.terms import UNKNOWN, Stage, weekday_and_part

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Need:
    """A need that counts, as far as figures tell of it; waited in hours, prices fen per hour."""

    family: str
    district: str
    item_group: str
    item: str
    age: str
    sex: str
    channel: str
    urgency: str
    starts_at: datetime
    hours: int
    highest_fen: int
    agreed_fen: int | None
    home: str
    served: bool
    waited: float | None

    @property
    def hour(self) -> str:
        """Weekday and part of the day it begins in."""
        return weekday_and_part(self.starts_at)


@dataclass(frozen=True, slots=True)
class FamilyMonth:
    """A family that had a need in a month; cohort is the month it joined, "2026-11"."""

    family: str
    district: str
    holder_age: str
    channel: str
    cohort: str
    new: bool
    repeated: bool
    spend_fen: int


@dataclass(frozen=True, slots=True)
class Offered:
    """Hours a caregiver offered in one part of the day, over some weeks."""

    caregiver: str
    district: str
    daypart: str
    hours: float


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Care that was looked for in vain; nobody knows by whom, so each counts as a person."""

    number: int
    district: str
    item_group: str
    obstacle: str | None


def family_of(row: Need | FamilyMonth) -> str:
    """Whose it is."""
    return row.family


def first_need(known: Contents, city: str) -> date | None:
    """The day of the first need of a city."""
    rows = _rows(
        known,
        Fact.NEEDS,
        f"SELECT min(starts_at) FROM facts WHERE city = $city AND starts_at <= $as_of AND {STOOD}",
        {"city": city, "as_of": known.as_of},
    )
    return rows[0][0].date() if rows and rows[0][0] else None


def needs(known: Contents, city: str, monday: date) -> list[Need]:
    """What was wanted in a city in a week."""
    rows = _rows(
        known,
        Fact.NEEDS,
        f"""
        SELECT
            family, district, item_group, item, coalesce(recipient_age, '{UNKNOWN}'),
            coalesce(recipient_sex, '{UNKNOWN}'), channel,
            {URGENCY},
            starts_at, hours, highest_fen, agreed_fen, coalesce(home_district, '{UNKNOWN}'),
            {SERVED}, epoch(matched_at - posted_at) / 3600
        FROM facts
        WHERE city = $city AND starts_at >= $first AND starts_at < $after AND {STOOD}
        """,
        {"city": city, "first": monday, "after": monday + WEEK},
        months=_months(monday, monday + WEEK),
    )
    return [Need(*row) for row in rows]


def frozen(rows: Iterable[Need]) -> list[dict[str, Any]]:
    """Needs as they can be stored, and come back from `thawed`."""
    return [asdict(row) | {"starts_at": row.starts_at.isoformat()} for row in rows]


def thawed(stored: Iterable[dict[str, Any]]) -> list[Need]:
    """Needs as they were."""
    return [
        Need(**{**one, "starts_at": datetime.fromisoformat(one["starts_at"])}) for one in stored
    ]


def families(
    known: Contents, city: str, first: date, after: date, told: Iterable[Need]
) -> list[FamilyMonth]:
    """The families of these needs, which are of the weeks from `first` to before `after`.

    A family is of the district of its first need among them. It is new if it had none before
    `first`, and repeated if this is not its only one. What it spent is what was redeemed.
    """
    mine: dict[str, list[Need]] = {}
    for need in sorted(told, key=lambda need: (need.starts_at, need.district)):
        mine.setdefault(need.family, []).append(need)
    span = {"city": city, "first": first, "after": after}
    before = _by_family(
        known,
        Fact.NEEDS,
        f"SELECT DISTINCT family, true FROM facts WHERE city = $city AND starts_at < $first"
        f" AND {STOOD}",
        {"city": city, "first": first},
        months=[month for month in known.months(Fact.NEEDS) if month <= f"{first:%Y-%m}"],
    )
    spent = _by_family(
        known,
        Fact.VISITS,
        "SELECT family, sum(total_fen)::BIGINT FROM facts WHERE city = $city"
        " AND starts_at >= $first AND starts_at < $after AND status = 'redeemed' GROUP BY family",
        span,
        months=_months(first, after),
    )
    people = {
        family: rest
        for family, *rest in _rows(
            known,
            Fact.FAMILIES,
            "SELECT family, holder_age, channel, strftime(joined_at, '%Y-%m') FROM facts"
            " WHERE list_contains($families, family)",
            {"families": list(mine)},
        )
    }
    return [
        FamilyMonth(
            family,
            needs[0].district,
            *(word or UNKNOWN for word in people.get(family, [None] * 3)),
            new=family not in before,
            repeated=family in before or len(needs) > 1,
            spend_fen=spent.get(family, 0),
        )
        for family, needs in mine.items()
    ]


def first_cohort(known: Contents) -> str:
    """The month in which the first family of all joined; "" if none did."""
    return min(known.months(Fact.FAMILIES), default="")


def offered(known: Contents, city: str, first: date, after: date) -> list[Offered]:
    """The hours caregivers offered in a city in the weeks from `first` to before `after`."""
    rows = _rows(
        known,
        Fact.SUPPLY,
        "SELECT caregiver, district, daypart, sum(hours) FROM facts WHERE city = $city"
        " AND week >= $first AND week < $after AND hours > 0 GROUP BY ALL",
        {"city": city, "first": first, "after": after},
        months=_months(first, after),
    )
    return [Offered(*row) for row in rows]


def hindrances(known: Contents, city: str, first: date, after: date) -> list[Hindrance]:
    """What was looked for in vain in a city in the weeks from `first` to before `after`."""
    rows = _rows(
        known,
        Fact.UNMET,
        "SELECT district, item_group, obstacle FROM facts WHERE city = $city"
        " AND noted_at >= $first AND noted_at < $after",
        {"city": city, "first": first, "after": after},
        months=_months(first, after),
    )
    return [Hindrance(number, *row) for number, row in enumerate(rows)]


def stages(known: Contents, city: str, first: date, after: date) -> dict[tuple[date, Stage], int]:
    """How many came to each stage, by week: doors opened, then families, each counted once."""
    found: dict[tuple[date, Stage], int] = {}
    for stage, fact, moment, counted in STAGES:
        rows = _rows(
            known,
            fact,
            f"SELECT date_trunc('week', {moment})::DATE, {counted} FROM facts WHERE city = $city"
            f" AND {moment} >= $first AND {moment} < $after GROUP BY ALL",
            {"city": city, "first": first, "after": after},
        )
        found |= {(week, stage): count for week, count in rows}
    return found


def measures(known: Contents, city: str, first: date, after: date) -> dict[str, list[float]]:
    """What each caregiver of a city did in the weeks from `first` to before `after`, by measure.

    Shares are of her visits (late: checked in over ten minutes after the start), of the offers made
    to her or by her (accepted), and of the hours she offered (filled).
    """
    span = {"city": city, "first": first, "after": after}
    months = _months(first, after)
    hers = {
        caregiver
        for [caregiver] in _rows(
            known, Fact.CAREGIVERS, "SELECT caregiver FROM facts WHERE city = $city", {"city": city}
        )
    }
    found: dict[str, list[float]] = {
        name: []
        for name in (
            "visits", "hours", "pay_fen", "late_share", "accepted_share", "overall", "filled_share",
        )
    }  # fmt: skip
    available = {
        caregiver: float(hours)
        for caregiver, hours in _rows(
            known,
            Fact.SUPPLY,
            "SELECT caregiver, sum(hours) FROM facts WHERE city = $city AND week >= $first"
            " AND week < $after GROUP BY caregiver",
            span,
            months=months,
        )
    }
    for caregiver, visits, hours, late, pay_fen in _rows(
        known,
        Fact.VISITS,
        """
        SELECT
            caregiver, count(*), sum(epoch(ends_at - starts_at)) / 3600,
            count_if(checked_in_at > starts_at + INTERVAL 10 MINUTES),
            coalesce(sum(total_fen - commission_fen) FILTER (status = 'redeemed'), 0)::BIGINT
        FROM facts
        WHERE city = $city AND starts_at >= $first AND starts_at < $after
            AND status IN ('finished', 'redeemed') AND caregiver IS NOT NULL
        GROUP BY caregiver
        """,
        span,
        months=months,
    ):
        if caregiver not in hers:
            continue
        found["visits"].append(visits)
        found["hours"].append(hours)
        found["pay_fen"].append(pay_fen)
        found["late_share"].append(late / visits)
        if available.get(caregiver):
            found["filled_share"].append(hours / available[caregiver])
    for name, fact, value in (
        ("accepted_share", Fact.OFFERS, "avg((outcome = 'accepted')::INT)"),
        ("overall", Fact.REVIEWS, "sum(overall * weight) / nullif(sum(weight), 0)"),
    ):
        rows = _rows(
            known,
            fact,
            f"SELECT caregiver, {value} FROM facts WHERE city = $city AND made_at >= $first"
            " AND made_at < $after GROUP BY caregiver",
            span,
            months=months,
        )
        found[name] = [
            share for caregiver, share in rows if caregiver in hers and share is not None
        ]
    return found


def _by_family(
    known: Contents, fact: Fact, query: str, values: dict[str, Any], months: Iterable[str]
) -> dict[str, Any]:
    return dict(_rows(known, fact, query, values, months))


def _rows(
    known: Contents,
    fact: Fact,
    query: str,
    values: dict[str, Any],
    months: Iterable[str] | None = None,
) -> list[tuple[Any, ...]]:
    """What a query tells of `facts`, the rows of a fact in some months or in all."""
    there = known.months(fact)
    wanted = there if months is None else sorted({*months} & {*there})
    if not wanted:
        return []
    files = [str(lake.path(fact, month)) for month in wanted]
    with _duckdb().cursor() as cursor:
        return cursor.execute(
            f"WITH facts AS (FROM read_parquet($files)) {query}", {"files": files, **values}
        ).fetchall()


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """A database without tables, on one thread; its cursors may be used by any of ours."""
    return duckdb.connect(config={"threads": 1})


def _months(first: date, after: date) -> set[str]:
    return months_between(first, after - timedelta(days=1))
