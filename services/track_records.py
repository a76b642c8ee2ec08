"""What caregivers' past work says of them: scores, visits and hours."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from data.orders import Visit, VisitStatus
from data.reviews import Review


@dataclass(frozen=True, slots=True)
class Score:
    """Mean scores from 1 to 5; all None without reviews."""

    reviews: int = 0
    skill: float | None = None
    attitude: float | None = None
    communication: float | None = None
    overall: float | None = None


def scores(session: Session, caregiver_ids: Sequence[int]) -> dict[int, Score]:
    """Mean review scores of several caregivers at once."""
    rows = session.execute(
        select(
            Review.caregiver_id,
            func.count(Review.id),
            func.avg(Review.skill),
            func.avg(Review.attitude),
            func.avg(Review.communication),
            func.avg(Review.overall),
        )
        .where(Review.caregiver_id.in_(caregiver_ids))
        .group_by(Review.caregiver_id)
    )
    return {row[0]: Score(row[1], *(float(mean) for mean in row[2:])) for row in rows}


def work_done(session: Session, caregiver_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many visits were redeemed and how many hours they were, of several at once.

    Hours are those of the planned span: what the customer ordered and redeemed.
    """
    seconds = case(
        (Visit.checked_out_at.is_(None), 0),
        else_=func.extract("epoch", Visit.ends_at) - func.extract("epoch", Visit.starts_at),
    )
    rows = session.execute(
        select(Visit.caregiver_id, func.count(Visit.id), func.sum(seconds))
        .where(Visit.caregiver_id.in_(caregiver_ids), Visit.status == VisitStatus.REDEEMED)
        .group_by(Visit.caregiver_id)
    )
    return {caregiver_id: (count, int(total or 0) // 3600) for caregiver_id, count, total in rows}
