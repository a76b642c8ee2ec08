"""What a replay counts: how often a rule of the rule book would have made a difference."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import chain, pairwise
from typing import Any

from sqlalchemy import Row

from data.orders import VisitStatus
from services import clock
from services.rule_book import COMPLAINT_HOURS, FINDING_POINTS, PARAMETERS, Section, Values

AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)


class Count(StrEnum):
    """How often a rule would have made a difference."""

    TOO_LATE = "too_late"
    TOO_FAR = "too_far"
    EXPIRED = "expired"
    CONFIRMED_ALONE = "confirmed_alone"
    SHORT_REST = "short_rest"
    FULL_WEEKS = "full_weeks"
    WAITING_FEN = "waiting_fen"
    SMALL_CELLS = "small_cells"
    COMPLAINTS_LATE = "complaints_late"
    APPEALS_LATE = "appeals_late"
    CASES_SOON = "cases_soon"
    CASES_IDLE = "cases_idle"
    APPEALS_TOO_LATE = "appeals_too_late"
    POINTS_TOO_MANY = "points_too_many"
    POINTS_AT_LIMIT = "points_at_limit"
    POINTS_SUGGESTED = "points_suggested"
    OFTEN_LET_DOWN = "often_let_down"
    PRAISED_BY_ONE = "praised_by_one"
    FAR_CHECK_INS = "far_check_ins"


_DEADLINES = (*COMPLAINT_HOURS.values(), "appeal_hours")
# The parameters that each count hangs on; whose effect nothing tells stand in none of them.
HANG_ON: dict[Count, tuple[str, ...]] = {
    Count.TOO_LATE: ("notice_hours",),
    Count.TOO_FAR: ("horizon_days",),
    Count.EXPIRED: ("hold_hours",),
    Count.CONFIRMED_ALONE: ("auto_confirm_days",),
    Count.SHORT_REST: ("rest_hours",),
    Count.FULL_WEEKS: ("week_hours",),
    Count.WAITING_FEN: ("release_days",),
    Count.SMALL_CELLS: ("smallest_cell",),
    Count.COMPLAINTS_LATE: tuple(COMPLAINT_HOURS.values()),
    Count.APPEALS_LATE: ("appeal_hours",),
    Count.CASES_SOON: (*_DEADLINES, "due_soon_hours"),
    Count.CASES_IDLE: (*_DEADLINES, "idle_days"),
    Count.APPEALS_TOO_LATE: ("appeal_days",),
    Count.POINTS_TOO_MANY: ("most_points",),
    Count.POINTS_AT_LIMIT: ("limit_points", "points_months"),
    Count.POINTS_SUGGESTED: tuple(FINDING_POINTS.values()),
    Count.OFTEN_LET_DOWN: ("late_cancellations",),
    Count.PRAISED_BY_ONE: ("pair_reviews",),
    Count.FAR_CHECK_INS: ("far_km",),
}
_IN_MONEY = Section.PRICES, Section.SURCHARGES, Section.FEES, Section.COMMISSION
UNTOLD = tuple(
    name
    for name, one in PARAMETERS.items()
    if one.section not in _IN_MONEY and name not in {*chain(*HANG_ON.values()), "decline_hours"}
)


def counts(
    made: Sequence[Row[*tuple[Any, ...]]],
    requests: Sequence[Row[*tuple[Any, ...]]],
    until: datetime,
) -> dict[Count, Callable[[Values], int]]:
    """How each is counted under any numbers, of visits by caregiver and start, and of requests."""
    paid = [row for row in made if row.status is VisitStatus.REDEEMED]
    finished = [row for row in paid if row.checked_out_at and row.redeemed_at]
    single = [row for row in made if row.segment_id is None]
    families: dict[tuple[int, str], set[int]] = {}
    for row in paid:
        families.setdefault((row.item_id, row.cell), set()).add(row.customer_id)
    gaps = [
        after.starts_at - before.ends_at
        for before, after in pairwise(paid)
        if before.caregiver_id == after.caregiver_id
        and clock.in_city(before.starts_at).date() != clock.in_city(after.starts_at).date()
    ]
    weeks: dict[tuple[int, date], timedelta] = {}
    for row in paid:
        day = clock.in_city(row.starts_at).date()
        week = row.caregiver_id, day - day.weekday() * A_DAY
        weeks[week] = weeks.get(week, timedelta()) + (row.ends_at - row.starts_at)

    def longer(name: str, unit: timedelta, spans: Sequence[timedelta]) -> Callable[[Values], int]:
        return lambda values: sum(span > values[name] * unit for span in spans)

    def shorter(name: str, unit: timedelta, spans: Sequence[timedelta]) -> Callable[[Values], int]:
        return lambda values: sum(span < values[name] * unit for span in spans)

    def waiting_fen(values: Values) -> int:
        wait = values["release_days"] * A_DAY
        return sum(
            row.total_fen - row.commission_fen for row in paid if row.redeemed_at + wait > until
        )

    ahead = [row.starts_at - row.asked_at for row in single]
    answered = [row.answered_at - row.asked_at for row in requests]
    redeemed = [row.redeemed_at - row.checked_out_at for row in finished]
    return {
        Count.TOO_LATE: shorter("notice_hours", AN_HOUR, ahead),
        Count.TOO_FAR: longer("horizon_days", A_DAY, ahead),
        Count.EXPIRED: longer("hold_hours", AN_HOUR, answered),
        Count.CONFIRMED_ALONE: longer("auto_confirm_days", A_DAY, redeemed),
        Count.SHORT_REST: shorter("rest_hours", AN_HOUR, gaps),
        Count.FULL_WEEKS: longer("week_hours", AN_HOUR, list(weeks.values())),
        Count.WAITING_FEN: waiting_fen,
        Count.SMALL_CELLS: lambda values: sum(
            len(some) < values["smallest_cell"] for some in families.values()
        ),
    }
