import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from data import database as engines
from data.notices import NoticeKind, OutboxMessage
from data.reviews import Review
from services import clock as service_clock
from services import orders, reviews
from services.errors import Conflict, Invalid, NotFound
from services.reviews import ReviewForm
from tests.factories import (
    COMPANIONSHIP,
    LI,
    NASTY,
    NOBODY_ID,
    STRANGER,
    ZHOU,
    make_finished_visit,
    make_redeemed_visit,
    order_of,
)

PRAISE = ReviewForm(5, 4, 3, 4, NASTY)


def test_a_review_tells_the_caregiver_and_shows_only_a_family_name(session):
    visit_id = make_redeemed_visit(session)
    reviews.write(session, ZHOU, visit_id, PRAISE)

    [seen] = reviews.of_caregiver(session, STRANGER, LI.id)
    assert (seen.family_name, seen.item_id, seen.words) == ("周", COMPANIONSHIP, NASTY)
    assert (seen.skill, seen.attitude, seen.communication, seen.overall) == (5, 4, 3, 4)
    told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.REVIEW_RECEIVED)
    assert session.scalars(told).all() == [LI.id]
    assert orders.one(session, ZHOU, order_of(session, visit_id)).reviewed


@pytest.mark.parametrize("score", [0, 6, -1])
@pytest.mark.parametrize("place", range(4))
def test_scores_are_one_to_five(session, score, place):
    scores = [5, 5, 5, 5]
    scores[place] = score

    with pytest.raises(Invalid, match="score_out_of_range"):
        reviews.write(session, ZHOU, make_redeemed_visit(session), ReviewForm(*scores))


def test_words_too_long_are_refused(session):
    with pytest.raises(Invalid, match="too_long"):
        reviews.write(
            session, ZHOU, make_redeemed_visit(session), ReviewForm(5, 5, 5, 5, "长" * 501)
        )


def test_a_review_waits_for_redemption(session):
    with pytest.raises(Conflict, match="review_after_redemption"):
        reviews.write(session, ZHOU, make_finished_visit(session), PRAISE)


@pytest.mark.parametrize("nonexistent", [False, True])
def test_nobody_reviews_anothers_visit(session, nonexistent):
    visit_id = NOBODY_ID if nonexistent else make_redeemed_visit(session)

    with pytest.raises(NotFound, match="visit_not_found"):
        reviews.write(session, STRANGER, visit_id, PRAISE)


def test_a_visit_is_reviewed_once(database):
    with engines.writing() as session:
        visit_id = make_redeemed_visit(session)
        reviews.write(session, ZHOU, visit_id, PRAISE)

    with pytest.raises(Conflict, match="already_reviewed"), engines.writing() as session:
        reviews.write(session, ZHOU, visit_id, ReviewForm(1, 1, 1, 1))
    with engines.reading() as session:
        assert session.scalars(select(Review.overall)).all() == [4]


def test_the_database_itself_refuses_a_sixth_star(database):
    with pytest.raises(IntegrityError, match="scores_1_to_5"), engines.writing() as session:
        session.add(
            Review(
                created_at=service_clock.now(),
                visit_id=make_redeemed_visit(session),
                caregiver_id=LI.id,
                customer_id=ZHOU.id,
                item_id=COMPANIONSHIP,
                skill=6,
                attitude=5,
                communication=5,
                overall=5,
            )
        )
