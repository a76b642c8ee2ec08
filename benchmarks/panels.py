"""The panels of a dashboard, each asked of the rollups and of the facts; both give the same rows.

What is asked of the facts runs on DuckDB and on PostgreSQL alike. All tell of all cities and years,
unless they say otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.analytics import terms

Ask = Callable[[str], list[tuple[Any, ...]]]
WEEKS, MONTHS, BEST = 12, 3, 50


@dataclass(frozen=True, slots=True)
class Panel:
    """A question in both ways."""

    name: str
    of_rollups: str
    of_facts: str


def rows(panel: str, ask: Ask) -> list[tuple[Any, ...]]:
    """What a question gives, in an order and in kinds that do not depend on who was asked."""
    found = [tuple(_plain(cell) for cell in row) for row in ask(panel)]
    return sorted(found, key=lambda row: [(cell is not None, cell) for cell in row])


def _plain(cell: object) -> object:
    if isinstance(cell, datetime):
        return cell.date()
    return round(float(cell), 4) if isinstance(cell, int | float | Decimal) else cell


def all_of(as_of: datetime) -> list[Panel]:
    """The panels of a dashboard as it stood then."""
    week = terms.week_of(as_of.date())
    weeks = f"DATE '{week - timedelta(weeks=WEEKS)}'"
    month = terms.month_of(as_of.date())
    months = f"DATE '{_earlier(month, MONTHS)}'"
    first = f"DATE '{terms.weeks_of_month(_earlier(month, MONTHS))[0]}'"
    counted = f"""(
        SELECT *, status = 'matched'
            AND order_status IN ('confirmed', 'paused', 'completed') AS served
        FROM needs
        WHERE starts_at <= TIMESTAMP '{as_of}' AND status <> 'withdrawn'
            AND NOT (status = 'matched' AND order_status = 'cancelled')
    ) AS counted"""
    sums = "count(*), count(*) FILTER (WHERE served), sum(hours)"
    added = "sum(needs), sum(served), sum(wanted_hours)"
    of_week = "CAST(date_trunc('week', starts_at) AS DATE)"
    return [
        Panel(
            "needs by week",
            f"SELECT week, city, {added} FROM needs_weekly GROUP BY 1, 2",
            f"SELECT {of_week}, city, {sums} FROM {counted} GROUP BY 1, 2",
        ),
        Panel(
            "by district",
            f"SELECT city, district, {added} FROM needs_weekly GROUP BY 1, 2",
            f"SELECT city, district, {sums} FROM {counted} GROUP BY 1, 2",
        ),
        Panel(
            "by item",
            f"SELECT item_group, item, {added} FROM needs_weekly GROUP BY 1, 2",
            f"SELECT item_group, item, {sums} FROM {counted} GROUP BY 1, 2",
        ),
        Panel(
            "by age",
            f"SELECT bucket, {added} FROM groups_weekly WHERE dimension = 'age' GROUP BY 1",
            f"SELECT recipient_age, {sums} FROM {counted} GROUP BY 1",
        ),
        Panel(
            "by hour of the week",
            f"SELECT bucket, {added} FROM groups_weekly WHERE dimension = 'hour' GROUP BY 1",
            f"""
            SELECT concat(extract(isodow FROM starts_at) - 1, '_',
                CASE floor(extract(hour FROM starts_at) / 6) WHEN 0 THEN 'night'
                    WHEN 1 THEN 'morning' WHEN 2 THEN 'afternoon' ELSE 'evening' END), {sums}
            FROM {counted} GROUP BY 1
            """,
        ),
        Panel(
            "median time to match, last weeks",
            f"""
            SELECT week, district, item, matched, wait_hours FROM needs_weekly
            WHERE week >= {weeks}
            """,
            f"""
            SELECT {of_week}, district, item, count(matched_at),
                percentile_cont(0.5) WITHIN GROUP (
                    ORDER BY extract(epoch FROM matched_at - posted_at) / 3600)
            FROM {counted} WHERE starts_at >= {weeks} GROUP BY 1, 2, 3
            """,
        ),
        Panel(
            "neighbourhoods, last months",
            f"SELECT city, cell, {added} FROM cells_monthly WHERE month >= {months} GROUP BY 1, 2",
            f"SELECT city, cell, {sums} FROM {counted} WHERE starts_at >= {first} GROUP BY 1, 2",
        ),
        Panel(
            "cohorts",
            "SELECT cohort, month, sum(families), sum(needs), sum(spend_fen)"
            " FROM families_monthly GROUP BY 1, 2",
            f"""
            SELECT {_of_month("joined_at")}, month, count(DISTINCT (city, family)),
                sum(needs), sum(spend_fen)
            FROM (
                SELECT family, city, {_of_month("starts_at")} AS month, 1 AS needs, 0 AS spend_fen
                FROM {counted}
                UNION ALL
                SELECT family, city, {_of_month("starts_at")}, 0, total_fen
                FROM visits WHERE status = 'redeemed'
            ) AS active
            JOIN (SELECT family, joined_at FROM families) AS joined USING (family)
            GROUP BY 1, 2
            """,
        ),
        Panel(
            "funnel by week",
            "SELECT week, city, stage, count FROM funnel_weekly",
            " UNION ALL ".join(
                [
                    _stage("opened", "on_day", "footfall", "sum(opened)"),
                    _stage("joined", "joined_at", "families"),
                    _stage("verified", "verified_at", "families"),
                    _stage("asked", "posted_at", "needs"),
                    _stage("matched", "matched_at", "needs"),
                    _stage("redeemed", "redeemed_at", "visits"),
                    _stage("reviewed", "made_at", "reviews"),
                ]
            ),
        ),
        Panel(
            "league table, last months",
            f"""
            SELECT caregiver, sum(visits), sum(hours), sum(late), sum(pay_fen)
            FROM caregivers_monthly WHERE month >= {months} AND visits > 0
            GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT {BEST}
            """,
            f"""
            SELECT caregiver, count(*), sum(extract(epoch FROM ends_at - starts_at)) / 3600,
                count(*) FILTER (WHERE checked_in_at > starts_at + INTERVAL '10 minutes'),
                sum(CASE WHEN status = 'redeemed' THEN total_fen - commission_fen ELSE 0 END)
            FROM visits WHERE status IN ('finished', 'redeemed') AND starts_at >= {first}
            GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT {BEST}
            """,
        ),
    ]


# What the panels read of each fact, and how PostgreSQL finds it.
COLUMNS = {
    "needs": (
        "family, city, district, cell, item_group, item, posted_at, starts_at, matched_at, hours,"
        " status, order_status, recipient_age"
    ),
    "visits": (
        "family, caregiver, city, starts_at, ends_at, status, checked_in_at, redeemed_at,"
        " total_fen, commission_fen"
    ),
    "families": "family, city, joined_at, verified_at",
    "reviews": "family, city, made_at",
    "footfall": "city, on_day, opened",
}
INDEXES = (
    "CREATE INDEX ON needs (starts_at, city)",
    "CREATE INDEX ON needs (city, district, starts_at)",
    "CREATE INDEX ON needs (posted_at, city, family)",
    "CREATE INDEX ON needs (matched_at, city, family)",
    "CREATE INDEX ON visits (starts_at, status)",
    "CREATE INDEX ON visits (redeemed_at, city, family)",
    "CREATE UNIQUE INDEX ON families (family) INCLUDE (joined_at)",
    "CREATE INDEX ON reviews (made_at, city, family)",
)


def _stage(stage: str, moment: str, fact: str, count: str = "count(DISTINCT family)") -> str:
    return f"""
        SELECT CAST(date_trunc('week', {moment}) AS DATE), city, '{stage}', {count}
        FROM {fact} WHERE {moment} IS NOT NULL GROUP BY 1, 2
    """


def _of_month(moment: str) -> str:
    week = f"date_trunc('week', {moment})"
    return f"CAST(date_trunc('month', {week} + INTERVAL '3 days') AS DATE)"


def _earlier(month: date, number: int) -> date:
    for _ in range(number):
        month = (month - timedelta(days=1)).replace(day=1)
    return month
