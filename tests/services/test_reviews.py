from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from data import database as engines
from data.caregivers import Caregiver
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.reviews import Review
from services import clock as service_clock
from services import orders, reviews
from services.errors import Conflict, Invalid, NotFound
from services.reviews import ReviewForm
from tests.factories import (
    COMPANIONSHIP,
    FAR_OPERATOR,
    LI,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
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
    with engines.writing() as session:
        visit_id = make_redeemed_visit(session)
        order_id = order_of(session, visit_id)
    with pytest.raises(IntegrityError, match="scores_1_to_5"), engines.writing() as session:
        session.add(
            Review(
                created_at=service_clock.now(),
                order_id=order_id,
                visit_id=visit_id,
                caregiver_id=LI.id,
                customer_id=ZHOU.id,
                item_id=COMPANIONSHIP,
                skill=6,
                attitude=5,
                communication=5,
                overall=5,
            )
        )


class TestAfterwards:
    @pytest.fixture
    def review_id(self, session):
        reviews.write(session, ZHOU, make_redeemed_visit(session), PRAISE)
        return session.scalars(select(Review.id)).one()

    def test_a_month_after_redemption_no_review_is_taken(self, session, clock):
        visit_id = make_redeemed_visit(session)
        clock.moment += reviews.WINDOW + timedelta(days=1)
        with pytest.raises(Conflict, match="review_too_late"):
            reviews.write(session, ZHOU, visit_id, PRAISE)
        assert reviews.of_caregiver(session, ZHOU, LI.id) == []

    def test_caregiver_and_operator_answer_and_change_it_for_a_day(self, session, clock, review_id):
        reviews.answer(session, LI, review_id, "谢谢")
        reviews.answer(session, LI, review_id, NASTY)
        reviews.answer(session, OPERATOR, review_id, "我们已回访")
        [seen] = reviews.of_caregiver(session, STRANGER, LI.id)
        assert (seen.reply_words, seen.staff_words, seen.deeds) == (NASTY, "我们已回访", ())
        clock.moment += timedelta(days=1, minutes=1)
        for actor in (LI, OPERATOR):
            with pytest.raises(Conflict, match="answer_is_final"):
                reviews.answer(session, actor, review_id, "再改")

    def test_nobody_elses_review_can_be_answered_reported_or_hidden(self, session, review_id):
        for attempt in (
            lambda: reviews.answer(session, ZHAO, review_id, "谢谢"),
            lambda: reviews.report(session, ZHAO, review_id, "不实"),
            lambda: reviews.answer(session, FAR_OPERATOR, review_id, "谢谢"),
            lambda: reviews.hide(session, FAR_OPERATOR, review_id, "不实"),
        ):
            with pytest.raises(NotFound, match="review_not_found"):
                attempt()

    def test_a_reported_one_is_hidden_with_a_reason_and_leaves_the_scores(self, session, review_id):
        assert reviews.reported(session, OPERATOR) == []
        reviews.report(session, LI, review_id, NASTY)
        with pytest.raises(Conflict, match="already_reported"):
            reviews.report(session, LI, review_id, NASTY)
        assert reviews.reported(session, FAR_OPERATOR) == []
        [asked] = reviews.reported(session, OPERATOR)
        assert (asked.id, asked.report_words) == (review_id, NASTY)

        with pytest.raises(Invalid, match="missing"):
            reviews.hide(session, OPERATOR, review_id, " ")
        reviews.hide(session, OPERATOR, review_id, "与服务无关")
        assert reviews.of_caregiver(session, STRANGER, LI.id) == []
        assert reviews.reported(session, OPERATOR) == []
        assert [one.hidden_words for one in reviews.of_caregiver(session, OPERATOR, LI.id)] == [
            "与服务无关"
        ]
        assert session.get_one(Caregiver, LI.id, populate_existing=True).reviews == 0
        hidden = select(AuditEvent.action).where(AuditEvent.subject == "review")
        assert session.scalars(hidden).all() == ["hide_review"]

        reviews.show(session, OPERATOR, review_id)
        assert session.get_one(Caregiver, LI.id, populate_existing=True).reviews == 1
        assert len(reviews.of_caregiver(session, STRANGER, LI.id)) == 1

    def test_what_was_said_against_one_families_do_not_read(self, session, review_id):
        reviews.report(session, LI, review_id, "不实")
        [seen] = reviews.of_caregiver(session, ZHOU, LI.id)
        assert seen.report_words == ""
