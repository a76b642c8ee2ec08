"""What caregivers' past work says of them: scores, visits and hours."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, func, select, update
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, TrackRecord
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


SCORED = tuple(
    getattr(Caregiver, name) for name in TrackRecord.__annotations__ if not name.endswith("_done")
)


def score(caregiver: Caregiver | Row[*tuple[Any, ...]]) -> Score:
    """The mean scores of a caregiver, or of a row that has the columns `SCORED`."""
    if not caregiver.reviews:
        return Score()
    return Score(
        caregiver.reviews,
        caregiver.skill_sum / caregiver.reviews,
        caregiver.attitude_sum / caregiver.reviews,
        caregiver.communication_sum / caregiver.reviews,
        caregiver.overall_sum / caregiver.reviews,
    )


def recount(session: Session, caregiver_id: int) -> None:
    """Add up a caregiver's redeemed visits and reviews anew.

    Hours are those of the planned span: what the customer ordered and redeemed. Whoever counts
    holds the caregiver's row, so that two who count at once cannot miss each other.
    """
    session.execute(select(Caregiver.id).where(Caregiver.id == caregiver_id).with_for_update())
    seconds = case(
        (Visit.checked_out_at.is_(None), 0),
        else_=func.extract("epoch", Visit.ends_at) - func.extract("epoch", Visit.starts_at),
    )
    done = session.execute(
        select(func.count(), func.coalesce(func.sum(seconds), 0)).where(
            Visit.caregiver_id == caregiver_id, Visit.status == VisitStatus.REDEEMED
        )
    ).one()
    sums = (func.sum(one) for one in _SCORES)
    said = session.execute(
        select(func.count(), *(func.coalesce(each, 0) for each in sums)).where(
            Review.caregiver_id == caregiver_id
        )
    ).one()
    session.execute(
        update(Caregiver)
        .where(Caregiver.id == caregiver_id)
        .values(dict(zip(TrackRecord.__annotations__, map(int, (*done, *said)), strict=True)))
    )


_SCORES = (Review.skill, Review.attitude, Review.communication, Review.overall)
