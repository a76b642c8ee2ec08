"""What caregivers' past work says of them: scores, visits and hours."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, bindparam, case, func, select, update
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus, TrackRecord
from data.orders import Visit, VisitStatus
from data.reviews import Review

# A caregiver's reviews weigh against this many of the city's mean (a Bayesian average with a
# fixed prior): three praises of a newcomer do not outdo a hundred of an old hand.
PRIOR_REVIEWS = 5
UNREVIEWED_CITY = 3.0
_Number = TypeVar("_Number", float, ColumnElement[float])


@dataclass(frozen=True, slots=True)
class Score:
    """Weighted mean scores from 1 to 5, and the weight they rest on; all None without reviews."""

    reviews: int = 0
    weight: int = 0
    skill: float | None = None
    attitude: float | None = None
    communication: float | None = None
    overall: float | None = None


def score(caregiver: Caregiver) -> Score:
    """The mean scores of a caregiver."""
    if not caregiver.reviews:
        return Score()
    return Score(
        caregiver.reviews,
        caregiver.review_weight,
        caregiver.skill_sum / caregiver.review_weight,
        caregiver.attitude_sum / caregiver.review_weight,
        caregiver.communication_sum / caregiver.review_weight,
        caregiver.overall_sum / caregiver.review_weight,
    )


def city_means(session: Session, city_codes: Collection[str]) -> dict[str, float]:
    """The mean overall score from 1 to 5 of each city's reviews of those who may work there."""
    rows = session.execute(_SAID, {"cities": list(city_codes)})
    said = {code: float(total) / float(weights) for code, total, weights in rows}
    return {code: said.get(code, UNREVIEWED_CITY) for code in city_codes}


# Asked at every search: writing it takes longer than the answer.
_SAID = (
    select(Caregiver.city_code, func.sum(Caregiver.overall_sum), func.sum(Caregiver.review_weight))
    .where(
        Caregiver.city_code.in_(bindparam("cities", expanding=True)),
        Caregiver.status == CaregiverStatus.APPROVED,
        Caregiver.reviews > 0,
    )
    .group_by(Caregiver.city_code)
)


def liked(score: Score, city_mean: float) -> float:
    """A caregiver's overall score, drawn towards her city's mean the fewer reviews it rests on."""
    return drawn(score.weight * (score.overall or 0.0), score.weight, city_mean)


def drawn(overall_sum: _Number, weight: _Number, city_mean: _Number) -> _Number:
    """The same of what a caregiver's overall scores sum to, and of how much they weigh."""
    return (overall_sum + PRIOR_REVIEWS * city_mean) / (weight + PRIOR_REVIEWS)


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
    sums = (func.sum(Review.weight), *(func.sum(one * Review.weight) for one in _SCORES))
    said = session.execute(
        select(func.count(), *(func.coalesce(each, 0) for each in sums)).where(
            Review.caregiver_id == caregiver_id, Review.hidden_at.is_(None)
        )
    ).one()
    session.execute(
        update(Caregiver)
        .where(Caregiver.id == caregiver_id)
        .values(dict(zip(TrackRecord.__annotations__, map(int, (*done, *said)), strict=True)))
    )


_SCORES = (Review.skill, Review.attitude, Review.communication, Review.overall)
