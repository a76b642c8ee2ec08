"""What a replay counts of complaints, points and breaches: by other deadlines and thresholds.

Who complained, what was decided and when stays as it was; what was lifted or hidden since counts
as it stands now.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from data.complaints import Complaint
from data.compliance import ComplianceFinding
from data.history import Noun, StatusChange
from data.orders import Order, Visit, VisitStatus
from data.points import PenaltyPoints, PointsStatus
from data.reviews import Review
from services import clock, places, recurrence, working_hours
from services.compliance.detectors import BEST, LOOKED_BACK
from services.replay_counts import A_DAY, AN_HOUR, Count
from services.rule_book import COMPLAINT_HOURS, FINDING_POINTS, Values
from services.working_hours import Hours

_ENDS = "close", "take_back"
_ENDS_AGAIN = "uphold", "amend"


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint, or the appeal against its outcome: since when it waited, and until when.

    `hours` is the number of the rule book that says how long that may take.
    """

    hours: str
    began_at: datetime
    ended_at: datetime

    def ended_after(self, work: timedelta, desk: Hours, more: timedelta = timedelta()) -> bool:
        """Whether it was undecided after so much working time, and some time more."""
        return self.ended_at > working_hours.after(self.began_at, work, desk) + more


def counts(
    session: Session, city_code: str, since: datetime, until: datetime
) -> dict[Count, Callable[[Values], int]]:
    """How each is counted under any numbers, of a city's cases from a moment until another."""
    return {
        **_of_complaints(session, city_code, since, until),
        **_of_points(session, city_code, since, until),
        **_of_breaches(session, city_code, since, until),
    }


def _of_complaints(
    session: Session, city_code: str, since: datetime, until: datetime
) -> dict[Count, Callable[[Values], int]]:
    cases, appeals, waits = list[Case](), list[Case](), list[timedelta]()
    for row in session.execute(_complaints(city_code, since, until)):
        if since <= row.created_at < until:
            hours = COMPLAINT_HOURS[row.category]
            cases.append(Case(hours, row.created_at, row.ended_at or clock.now()))
        if row.appealed_at is not None and since <= row.appealed_at < until:
            ended_at = row.ended_again_at or clock.now()
            appeals.append(Case("appeal_hours", row.appealed_at, ended_at))
            waits.append(row.appealed_at - row.ended_at)
    desk = working_hours.of_city(session, city_code, since)

    def late(some: Sequence[Case], values: Values) -> int:
        return sum(one.ended_after(values[one.hours] * AN_HOUR, desk) for one in some)

    def soon(values: Values) -> int:
        before = values["due_soon_hours"]
        return sum(
            one.ended_after((values[one.hours] - before) * AN_HOUR, desk)
            for one in (*cases, *appeals)
        )

    def idle(values: Values) -> int:
        more = values["idle_days"] * A_DAY
        return sum(
            one.ended_after(values[one.hours] * AN_HOUR, desk, more) for one in (*cases, *appeals)
        )

    return {
        Count.COMPLAINTS_LATE: partial(late, cases),
        Count.APPEALS_LATE: partial(late, appeals),
        Count.CASES_SOON: soon,
        Count.CASES_IDLE: idle,
        Count.APPEALS_TOO_LATE: lambda values: sum(
            wait > values["appeal_days"] * A_DAY for wait in waits
        ),
    }


def _of_points(
    session: Session, city_code: str, since: datetime, until: datetime
) -> dict[Count, Callable[[Values], int]]:
    given = session.execute(
        select(
            PenaltyPoints.caregiver_id,
            PenaltyPoints.points,
            PenaltyPoints.status,
            PenaltyPoints.created_at,
        ).where(PenaltyPoints.city_code == city_code, PenaltyPoints.created_at < until)
    ).all()
    kinds = Counter(
        session.scalars(
            select(ComplianceFinding.kind).where(
                ComplianceFinding.city_code == city_code,
                ComplianceFinding.caregiver_id.is_not(None),
                ComplianceFinding.created_at >= since,
                ComplianceFinding.created_at < until,
            )
        )
    )

    def at_limit(values: Values) -> int:
        first = until - relativedelta(months=values["points_months"])
        totals = Counter[int]()
        for row in given:
            if row.created_at >= first and row.status is not PointsStatus.LIFTED:
                totals[row.caregiver_id] += row.points
        return sum(total >= values["limit_points"] for total in totals.values())

    return {
        Count.POINTS_TOO_MANY: lambda values: sum(
            row.points > values["most_points"] for row in given if row.created_at >= since
        ),
        Count.POINTS_AT_LIMIT: at_limit,
        Count.POINTS_SUGGESTED: lambda values: sum(
            number * values[FINDING_POINTS[kind]] for kind, number in kinds.items()
        ),
    }


def _of_breaches(
    session: Session, city_code: str, since: datetime, until: datetime
) -> dict[Count, Callable[[Values], int]]:
    let_down = _let_down(session, city_code, since, until)
    away_km = _away_km(session, city_code, since, until)
    praised = list(_praised(session, city_code, since, until))

    def pairs(values: Values) -> int:
        found = {
            (month, pair)
            for month, best, whole in praised
            for pair, number in best.items()
            if number >= values["pair_reviews"] and 2 * number > whole[pair[0]]
        }
        return len(found)

    return {
        Count.OFTEN_LET_DOWN: lambda values: sum(
            times >= values["late_cancellations"] for times in let_down.values()
        ),
        Count.PRAISED_BY_ONE: pairs,
        Count.FAR_CHECK_INS: lambda values: sum(km > values["far_km"] for km in away_km),
    }


def _complaints(city_code: str, since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    """Complaints lodged or appealed from a moment until another, and when each step was taken."""

    def first(*moves: str) -> ColumnElement[datetime]:
        return func.min(case((StatusChange.move.in_(moves), StatusChange.created_at)))

    steps = (
        select(
            StatusChange.subject_id,
            first(*_ENDS).label("ended_at"),
            first("appeal").label("appealed_at"),
            first(*_ENDS_AGAIN).label("ended_again_at"),
        )
        .where(StatusChange.noun == Noun.COMPLAINT)
        .group_by(StatusChange.subject_id)
        .subquery()
    )
    return (
        select(
            Complaint.category,
            Complaint.created_at,
            steps.c.ended_at,
            steps.c.appealed_at,
            steps.c.ended_again_at,
        )
        .join(steps, steps.c.subject_id == Complaint.id)
        .where(
            Complaint.city_code == city_code,
            Complaint.created_at < until,
            or_(Complaint.created_at >= since, steps.c.appealed_at >= since),
        )
    )


def _let_down(
    session: Session, city_code: str, since: datetime, until: datetime
) -> Counter[tuple[int, str]]:
    """How often each caregiver let families down at a penalty, in the months it touches."""
    first, last = (clock.in_city(at).date().replace(day=1) for at in (since, until - A_DAY))
    begins = recurrence.moment(first, 0)
    ends = recurrence.moment(last + relativedelta(months=1), 0)
    rows = session.execute(
        select(Visit.caregiver_id, Visit.starts_at)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.city_code == city_code,
            Visit.status.in_((VisitStatus.CANCELLED, VisitStatus.MISSED)),
            Visit.penalty_fen > 0,
            Visit.starts_at >= begins,
            Visit.starts_at < ends,
        )
    )
    return Counter((who, f"{clock.in_city(at):%Y-%m}") for who, at in rows)


def _away_km(session: Session, city_code: str, since: datetime, until: datetime) -> list[float]:
    """How far from their place visits were checked in."""
    rows = session.execute(
        select(Visit.cell, Visit.checked_in_cell)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.city_code == city_code,
            Visit.checked_in_at >= since,
            Visit.checked_in_at < until,
            Visit.checked_in_cell != Visit.cell,
        )
    )
    return [places.distance_km(cell, was_in or cell) for cell, was_in in rows]


def _praised(
    session: Session, city_code: str, since: datetime, until: datetime
) -> Iterator[tuple[str, Counter[tuple[int, int]], Counter[int]]]:
    """By day, of the best reviews as far back as one looks: by caregiver and family, and in all."""
    best = session.execute(
        select(Review.caregiver_id, Review.customer_id, Review.created_at)
        .join(Order, Order.id == Review.order_id)
        .where(
            Order.city_code == city_code,
            Review.created_at >= since - LOOKED_BACK,
            Review.created_at < until,
            Review.hidden_at.is_(None),
            Review.overall == BEST,
        )
    ).all()
    at = since + A_DAY
    while at <= until:
        seen = [row for row in best if at - LOOKED_BACK <= row.created_at < at]
        yield (
            f"{clock.in_city(at - A_DAY):%Y-%m}",
            Counter((row.caregiver_id, row.customer_id) for row in seen),
            Counter(row.caregiver_id for row in seen),
        )
        at += A_DAY
