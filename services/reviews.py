"""Reviews: four scores and words, public on the caregiver's profile.

One for a redeemed visit; of a plan one for each caregiver and calendar month.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, false, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.notices import NoticeKind
from data.orders import AHEAD, Order, OrderKind, Visit, VisitStatus
from data.reviews import Review
from services import audit, clock, notices, track_records
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

SHOWN = 20
# Who has not reviewed a visit by then has not: silence is no praise.
WINDOW = timedelta(days=30)
# Further back no month of a plan waits for a review.
LOOKED_BACK = timedelta(days=183)
# As many reviews of single visits a month of a plan counts for, whatever it held.
MOST_WEIGHT = 4
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
class PlanMonth:
    """A caregiver's redeemed visits in a month (its first day) of a plan, reviewed together."""

    order_id: int
    caregiver_id: int
    caregiver_name: str
    month: date
    visits: int
    goes_on: bool
    until: datetime


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review as the public sees it: a family name, never a whole one.

    Of a month of a plan, which, and how many visits she made in it. Its answers, and what this
    reader may do: answer, report, hide, show. What was said against it only its caregiver and the
    operators read.
    """

    id: int
    family_name: str
    item_id: int
    month: date | None
    visits: int
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
    """Review a redeemed visit of the actor's own, once; a plan's are reviewed by the month."""
    actor.require(Permission.REVIEW)
    found = session.execute(
        select(Visit, Order)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.id == visit_id, Order.customer_id == actor.id)
    ).one_or_none()
    if found is None:
        raise NotFound("error.visit_not_found")
    visit, order = found
    if order.kind is OrderKind.MONTHLY:
        raise Conflict("error.review_by_month")
    if visit.status is not VisitStatus.REDEEMED:
        raise Conflict("error.review_after_redemption")
    if visit.redeemed_at and clock.now() > visit.redeemed_at + WINDOW:
        raise Conflict("error.review_too_late", days=WINDOW.days)
    review = _review(order, visit.caregiver_id, form)
    review.visit_id = visit.id
    _publish(session, review, f"visit-{visit.id}")


def write_month(
    session: Session,
    actor: Actor,
    order_id: int,
    caregiver_id: int,
    month: date,
    form: ReviewForm,
) -> None:
    """Review what a caregiver did in a month of a plan of the actor's own, once.

    It counts for as many reviews as visits were redeemed, four at most.
    """
    actor.require(Permission.REVIEW)
    order = session.scalar(
        select(Order).where(
            Order.id == order_id, Order.customer_id == actor.id, Order.kind == OrderKind.MONTHLY
        )
    )
    if order is None:
        raise NotFound("error.order_not_found")
    found = [
        one
        for one in _worked(session, [order.id])
        if (one.caregiver_id, one.month) == (caregiver_id, month)
    ]
    if not found or not found[0].visits:
        raise Conflict("error.review_after_redemption")
    if found[0].goes_on:
        raise Conflict("error.review_month_goes_on")
    if clock.now() > found[0].until:
        raise Conflict("error.review_too_late", days=WINDOW.days)
    review = _review(order, caregiver_id, form)
    review.month, review.weight = month, min(found[0].visits, MOST_WEIGHT)
    _publish(session, review, f"order-{order.id}-{month:%Y%m}")


def _review(order: Order, caregiver_id: int, form: ReviewForm) -> Review:
    """What a family says of a caregiver, or a refusal that says what is missing."""
    said = words(form.words, "review_words", 500, required=False)
    scores = (form.skill, form.attitude, form.communication, form.overall)
    if any(score not in range(1, 6) for score in scores):
        raise Invalid("error.score_out_of_range")
    return Review(
        created_at=clock.now(),
        order_id=order.id,
        caregiver_id=caregiver_id,
        customer_id=order.customer_id,
        item_id=order.item_id,
        skill=form.skill,
        attitude=form.attitude,
        communication=form.communication,
        overall=form.overall,
        words=said,
    )


def _publish(session: Session, review: Review, about: str) -> None:
    session.add(review)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("error.already_reviewed") from None
    track_records.recount(session, review.caregiver_id)
    named = {"order_id": review.order_id, "item_id": review.item_id}
    if review.visit_id is not None:
        named["visit_id"] = review.visit_id
    notices.tell(session, NoticeKind.REVIEW_RECEIVED, review.caregiver_id, about, **named)


def months(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[PlanMonth]:
    """What of these plans of the actor's waits to be reviewed, oldest first."""
    actor.require(Permission.REVIEW)
    mine = select(Order.id).where(
        Order.id.in_(order_ids), Order.customer_id == actor.id, Order.kind == OrderKind.MONTHLY
    )
    written = select(Review.order_id, Review.caregiver_id, Review.month).where(
        Review.order_id.in_(order_ids), Review.month.is_not(None)
    )
    done = set(map(tuple, session.execute(written)))
    return [
        one
        for one in _worked(session, session.scalars(mine).all())
        if one.visits
        and not one.goes_on
        and clock.now() <= one.until
        and (one.order_id, one.caregiver_id, one.month) not in done
    ]


def _worked(session: Session, order_ids: Sequence[int]) -> list[PlanMonth]:
    """What each caregiver did in each month of these plans; visits reviewed by themselves aside."""
    rows = session.execute(
        select(Visit, Account.name)
        .join(Account, Account.id == Visit.caregiver_id)
        .outerjoin(Review, Review.visit_id == Visit.id)
        .where(
            Visit.order_id.in_(order_ids),
            Visit.status.in_((VisitStatus.REDEEMED, VisitStatus.FINISHED, *AHEAD)),
            Visit.starts_at > clock.now() - LOOKED_BACK,
            Review.id.is_(None),
        )
        .order_by(Visit.starts_at)
    )
    by_month: dict[tuple[int, int, date], list[Visit]] = {}
    names: dict[int, str] = {}
    for visit, name in rows:
        names[visit.caregiver_id] = name
        month = month_of(visit.starts_at)
        by_month.setdefault((visit.order_id, visit.caregiver_id, month), []).append(visit)
    return [
        _plan_month(order_id, caregiver_id, names[caregiver_id], month, its)
        for (order_id, caregiver_id, month), its in by_month.items()
    ]


def _plan_month(
    order_id: int, caregiver_id: int, name: str, month: date, its: Sequence[Visit]
) -> PlanMonth:
    ends_at = datetime.combine(_next(month), time(), clock.CITY_TIME)
    redeemed = [visit.redeemed_at for visit in its if visit.redeemed_at is not None]
    return PlanMonth(
        order_id=order_id,
        caregiver_id=caregiver_id,
        caregiver_name=name,
        month=month,
        visits=len(redeemed),
        goes_on=len(redeemed) < len(its) and clock.now() < ends_at,
        until=max([ends_at, *redeemed]) + WINDOW,
    )


def month_of(at: datetime) -> date:
    """The first day of a moment's month in the city."""
    return clock.in_city(at).date().replace(day=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


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
    ).all()
    made = _made(session, [review for review, _ in rows if review.month])
    return [_view(actor, review, name, made) for review, name in rows]


def _made(session: Session, monthly: Sequence[Review]) -> Counter[tuple[int, int, date]]:
    """How many visits caregivers have made in the months that were reviewed."""
    if not monthly:
        return Counter()
    visits = session.execute(
        select(Visit.order_id, Visit.caregiver_id, Visit.starts_at).where(
            Visit.order_id.in_({review.order_id for review in monthly}),
            Visit.status == VisitStatus.REDEEMED,
        )
    )
    return Counter((order, caregiver, month_of(at)) for order, caregiver, at in visits)


def _view(
    actor: Actor, review: Review, name: str, made: Counter[tuple[int, int, date]]
) -> ReviewView:
    month = review.month
    return ReviewView(
        id=review.id,
        family_name=name[:1],
        item_id=review.item_id,
        month=month,
        visits=made[review.order_id, review.caregiver_id, month] if month else 1,
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
