"""Reviews: four scores and words after a redeemed visit, public on the caregiver's profile."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from data.reviews import Review
from services import clock, notices, track_records
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

SHOWN = 20


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """Scores from 1 to 5."""

    skill: int
    attitude: int
    communication: int
    overall: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review as the public sees it: a family name, never a whole one."""

    family_name: str
    item_id: int
    skill: int
    attitude: int
    communication: int
    overall: int
    words: str
    written_at: datetime


def write(session: Session, actor: Actor, visit_id: int, form: ReviewForm) -> None:
    """Review a redeemed visit of the actor's own, once."""
    actor.require(Permission.REVIEW)
    said = words(form.words, "review_words", 500, required=False)
    scores = (form.skill, form.attitude, form.communication, form.overall)
    if any(score not in range(1, 6) for score in scores):
        raise Invalid("error.score_out_of_range")
    found = session.execute(
        select(Visit, Order)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.id == visit_id, Order.customer_id == actor.id)
    ).one_or_none()
    if found is None:
        raise NotFound("error.visit_not_found")
    visit, order = found
    if visit.status is not VisitStatus.REDEEMED:
        raise Conflict("error.review_after_redemption")
    session.add(
        Review(
            created_at=clock.now(),
            visit_id=visit.id,
            caregiver_id=order.caregiver_id,
            customer_id=order.customer_id,
            item_id=order.item_id,
            skill=form.skill,
            attitude=form.attitude,
            communication=form.communication,
            overall=form.overall,
            words=said,
        )
    )
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("error.already_reviewed") from None
    track_records.recount(session, order.caregiver_id)
    notices.tell(
        session,
        NoticeKind.REVIEW_RECEIVED,
        order.caregiver_id,
        f"visit-{visit.id}",
        visit_id=visit.id,
        item_id=order.item_id,
    )


def of_caregiver(session: Session, actor: Actor, caregiver_id: int) -> list[ReviewView]:
    """What families said of a caregiver, newest first."""
    actor.require(Permission.SEE_CAREGIVERS)
    rows = session.execute(
        select(Review, Account.name)
        .join(Account, Account.id == Review.customer_id)
        .where(Review.caregiver_id == caregiver_id)
        .order_by(Review.id.desc())
        .limit(SHOWN)
    )
    return [
        ReviewView(
            family_name=name[:1],
            item_id=review.item_id,
            skill=review.skill,
            attitude=review.attitude,
            communication=review.communication,
            overall=review.overall,
            words=review.words,
            written_at=review.created_at,
        )
        for review, name in rows
    ]
