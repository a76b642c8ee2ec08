"""Reviews: four scores and words after a redeemed visit, public on the caregiver's profile."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, false, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from data.reviews import Review
from services import audit, clock, notices, track_records
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

SHOWN = 20
# Who has not reviewed a visit by then has not: silence is no praise.
WINDOW = timedelta(days=30)
ANSWER_MAY_CHANGE = timedelta(days=1)


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
    """A review as the public sees it: a family name, never a whole one.

    Its answers, and what this reader may do: answer, report, hide, show. What was said against
    it only its caregiver and the operators read.
    """

    id: int
    family_name: str
    item_id: int
    skill: int
    attitude: int
    communication: int
    overall: int
    words: str
    written_at: datetime
    reply_words: str
    staff_words: str
    report_words: str
    hidden_words: str
    deeds: tuple[str, ...]


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
    if visit.redeemed_at and clock.now() > visit.redeemed_at + WINDOW:
        raise Conflict("error.review_too_late", days=WINDOW.days)
    session.add(
        Review(
            created_at=clock.now(),
            order_id=order.id,
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


def answer(session: Session, actor: Actor, review_id: int, said: str) -> None:
    """The caregiver's or the operators' answer for everybody to read; final after a day."""
    actor.require(Permission.ANSWER_REVIEW)
    said = words(said, "reply", 500)
    review = _reach(session, actor, review_id)
    if "answer" not in _deeds(actor, review):
        raise Conflict("error.answer_is_final")
    if actor.role is Role.OPERATOR:
        review.staff_words = said
        review.staff_replied_at = review.staff_replied_at or clock.now()
    else:
        review.reply_words = said
        review.replied_at = review.replied_at or clock.now()


def report(session: Session, actor: Actor, review_id: int, because: str) -> None:
    """A caregiver asks the operators to look at a review of her, once."""
    actor.require(Permission.REPORT_REVIEW)
    because = words(because, "reason", 300)
    review = _reach(session, actor, review_id)
    if "report" not in _deeds(actor, review):
        raise Conflict("error.already_reported")
    review.report_words, review.reported_at = because, clock.now()


def hide(session: Session, actor: Actor, review_id: int, because: str) -> None:
    """Take a review out of sight and out of the scores, and say why."""
    actor.require(Permission.HIDE_REVIEW)
    because = words(because, "reason", 300)
    review = _reach(session, actor, review_id)
    if review.hidden_at is not None:
        raise Conflict("error.already_hidden")
    review.hidden_words, review.hidden_at = because, clock.now()
    _recount(session, actor, review, "hide_review")


def show(session: Session, actor: Actor, review_id: int) -> None:
    """Bring a hidden review back."""
    actor.require(Permission.HIDE_REVIEW)
    review = _reach(session, actor, review_id)
    if review.hidden_at is None:
        raise Conflict("error.not_hidden")
    review.hidden_words, review.hidden_at = "", None
    _recount(session, actor, review, "show_review")


def _recount(session: Session, actor: Actor, review: Review, deed: str) -> None:
    session.flush()
    track_records.recount(session, review.caregiver_id)
    audit.record(session, actor, deed, "review", review.id)


def reported(session: Session, actor: Actor) -> list[ReviewView]:
    """The reviews caregivers asked to look at, that are still shown, oldest report first."""
    actor.require(Permission.HIDE_REVIEW)
    asked = _visible_to(actor).where(Review.reported_at.is_not(None), Review.hidden_at.is_(None))
    return _views(session, actor, asked.order_by(Review.reported_at).limit(SHOWN))


def of_caregiver(session: Session, actor: Actor, caregiver_id: int) -> list[ReviewView]:
    """What families said of a caregiver, newest first; hidden ones for the operators only."""
    actor.require(Permission.SEE_CAREGIVERS)
    written = select(Review).where(Review.caregiver_id == caregiver_id)
    if actor.role is not Role.OPERATOR:
        written = written.where(Review.hidden_at.is_(None))
    return _views(session, actor, written.order_by(Review.id.desc()).limit(SHOWN))


def _reach(session: Session, actor: Actor, review_id: int) -> Review:
    review = session.scalar(_visible_to(actor).where(Review.id == review_id).with_for_update())
    if review is None:
        raise NotFound("error.review_not_found")
    return review


def _visible_to(actor: Actor) -> Select[Review]:
    """Those of a caregiver's own visits; those of the caregivers in an operator's cities."""
    match actor.role:
        case Role.CAREGIVER:
            return select(Review).where(Review.caregiver_id == actor.id, Review.hidden_at.is_(None))
        case Role.OPERATOR:
            here = select(Caregiver.id).where(Caregiver.city_code.in_(actor.cities))
            return select(Review).where(Review.caregiver_id.in_(here))
        case _:
            return select(Review).where(false())


def _deeds(actor: Actor, review: Review) -> tuple[str, ...]:
    """What this reader may do with a review now."""
    if actor.role is Role.OPERATOR:
        hidden = ("show",) if review.hidden_at else ("hide",)
        return (*hidden, *_answering(review.staff_replied_at))
    if actor.role is Role.CAREGIVER and review.caregiver_id == actor.id:
        asking = () if review.reported_at else ("report",)
        return (*_answering(review.replied_at), *asking)
    return ()


def _answering(answered_at: datetime | None) -> tuple[str, ...]:
    if answered_at and clock.now() > answered_at + ANSWER_MAY_CHANGE:
        return ()
    return ("answer",)


def _views(session: Session, actor: Actor, reviews: Select[Review]) -> list[ReviewView]:
    rows = session.execute(
        reviews.add_columns(Account.name).join(Account, Account.id == Review.customer_id)
    )
    return [
        ReviewView(
            id=review.id,
            family_name=name[:1],
            item_id=review.item_id,
            skill=review.skill,
            attitude=review.attitude,
            communication=review.communication,
            overall=review.overall,
            words=review.words,
            written_at=review.created_at,
            reply_words=review.reply_words,
            staff_words=review.staff_words,
            report_words=review.report_words if _deeds(actor, review) else "",
            hidden_words=review.hidden_words if actor.role is Role.OPERATOR else "",
            deeds=_deeds(actor, review),
        )
        for review, name in rows
    ]
