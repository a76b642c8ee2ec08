from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from data import database as engines
from data.caregivers import Caregiver
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order
from data.reviews import Review
from services import (
    bookings,
    orders,
    plan_requests,
    recurrence,
    redemption,
    reviews,
    track_records,
    visits,
)
from services import clock as service_clock
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
    code_of,
    make_finished_visit,
    make_redeemed_visit,
    order_of,
)
from tests.services.test_plans import FIRST, agreed, course, form, visits_of

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


JANUARY, FEBRUARY = date(2030, 1, 1), date(2030, 2, 1)


class TestMonthsOfAPlan:
    """Eight visits of LI's in January and four in February, each redeemed as it was made."""

    @pytest.fixture
    def order_id(self, session, clock):
        return self.plan(session, clock)

    def plan(self, session, clock, until=date(2030, 2, 8)):
        order_id = agreed(
            session,
            course=course(
                rule=recurrence.weekly([0, 2, 4], 1, FIRST), first_on=FIRST, last_on=until
            ),
        )
        for visit in visits_of(session, order_id):
            if clock.moment < visit.starts_at:
                clock.move(to=visit.starts_at)
            self.live(session, clock, visit)
        return order_id

    def live(self, session, clock, visit):
        visits.check_in(session, LI, visit.id)
        clock.move(to=visit.ends_at)
        visits.check_out(session, LI, visit.id, ())
        session.flush()
        code = code_of(session, visit.id)
        assert redemption.redeem(session, ZHOU, visit.id, code) is None
        session.flush()

    def write(self, session, order_id, month=JANUARY, actor=ZHOU, form=PRAISE, caregiver=LI):
        reviews.write_month(session, actor, order_id, caregiver.id, month, form)

    def test_wait_until_they_are_over(self, session, clock, order_id):
        found = reviews.months(session, ZHOU, [order_id])
        assert [(one.month, one.visits, one.caregiver_id) for one in found] == [
            (JANUARY, 8, LI.id),
            (FEBRUARY, 4, LI.id),
        ]
        self.write(session, order_id)
        assert [one.month for one in reviews.months(session, ZHOU, [order_id])] == [FEBRUARY]
        assert reviews.months(session, STRANGER, [order_id]) == []

    def test_count_for_four_at_most_and_show_what_they_hold(self, session, order_id):
        self.write(session, order_id, JANUARY, form=ReviewForm(5, 5, 5, 5, NASTY))
        [seen] = reviews.of_caregiver(session, STRANGER, LI.id)
        assert (seen.family_name, seen.month, seen.visits) == ("周", JANUARY, 8)
        score = track_records.score(session.get_one(Caregiver, LI.id, populate_existing=True))
        assert (score.reviews, score.weight, score.overall) == (1, 4, 5)
        self.write(session, order_id, FEBRUARY, form=ReviewForm(1, 1, 1, 1))
        score = track_records.score(session.get_one(Caregiver, LI.id, populate_existing=True))
        assert (score.reviews, score.weight, score.overall) == (2, 8, 3)

    def test_of_fewer_visits_count_for_fewer(self, session, clock):
        order_id = self.plan(session, clock, FIRST + timedelta(days=2))
        self.write(session, order_id)
        assert session.scalars(select(Review.weight)).one() == 2

    def test_that_go_on_are_not_reviewed_yet(self, session, clock):
        order_id = agreed(session, course=course(first_on=FIRST, last_on=FIRST))
        [visit] = visits_of(session, order_id)
        with pytest.raises(Conflict, match="review_after_redemption"):
            self.write(session, order_id)
        session.flush()
        other = agreed_again(session)
        clock.move(to=visit.starts_at)
        self.live(session, clock, visit)
        assert [one.order_id for one in reviews.months(session, ZHOU, [order_id, other])] == [
            order_id
        ]

    def test_with_a_visit_still_ahead_wait_for_the_end_of_the_month(self, session, clock):
        order_id = agreed(session)
        first = visits_of(session, order_id)[0]
        clock.move(to=first.starts_at)
        self.live(session, clock, first)
        with pytest.raises(Conflict, match="review_month_goes_on"):
            self.write(session, order_id)
        assert reviews.months(session, ZHOU, [order_id]) == []
        clock.move(to=recurrence.moment(FEBRUARY, 0))
        self.write(session, order_id)

    def test_are_reviewed_within_thirty_days_and_else_not_at_all(self, session, clock, order_id):
        clock.move(to=recurrence.moment(FEBRUARY, 0) + reviews.WINDOW)
        assert [one.month for one in reviews.months(session, ZHOU, [order_id])] == [
            JANUARY,
            FEBRUARY,
        ]
        clock.move(seconds=1)
        with pytest.raises(Conflict, match="review_too_late"):
            self.write(session, order_id)
        assert [one.month for one in reviews.months(session, ZHOU, [order_id])] == [FEBRUARY]
        clock.move(days=60)
        assert reviews.months(session, ZHOU, [order_id]) == []
        assert session.scalars(select(Review)).all() == []

    def test_are_reviewed_once(self, session, order_id):
        self.write(session, order_id)
        with pytest.raises(Conflict, match="already_reviewed"), session.begin_nested():
            self.write(session, order_id)

    @pytest.mark.parametrize(
        ("actor", "month", "caregiver", "refusal"),
        [
            (STRANGER, JANUARY, LI, "order_not_found"),
            (ZHOU, date(2030, 3, 1), LI, "review_after_redemption"),
            (ZHOU, date(2030, 1, 2), LI, "review_after_redemption"),
            (ZHOU, JANUARY, ZHAO, "review_after_redemption"),
        ],
    )
    def test_others_months_are_refused(self, session, order_id, actor, month, caregiver, refusal):
        with pytest.raises((NotFound, Conflict), match=refusal):
            self.write(session, order_id, month, actor, caregiver=caregiver)

    def test_bad_scores_are_refused(self, session, order_id):
        with pytest.raises(Invalid, match="score_out_of_range"):
            self.write(session, order_id, form=ReviewForm(0, 5, 5, 5))

    def test_of_a_plan_no_single_visit_is_reviewed(self, session, order_id):
        visit = visits_of(session, order_id)[0]
        with pytest.raises(Conflict, match="review_by_month"):
            reviews.write(session, ZHOU, visit.id, PRAISE)

    def test_an_older_review_of_one_visit_stays_and_is_not_counted_twice(self, session, order_id):
        visit = visits_of(session, order_id)[0]
        old = reviews._review(session.get_one(Order, order_id), LI.id, PRAISE)
        old.visit_id = visit.id
        session.add(old)
        session.flush()
        found = reviews.months(session, ZHOU, [order_id])
        assert [(one.month, one.visits) for one in found] == [(JANUARY, 7), (FEBRUARY, 4)]
        self.write(session, order_id)
        assert len(reviews.of_caregiver(session, STRANGER, LI.id)) == 2

    def test_operators_hide_answer_and_show_them(self, session, order_id):
        self.write(session, order_id)
        [review_id] = session.scalars(select(Review.id))
        reviews.report(session, LI, review_id, "不是事实")
        [asked] = reviews.reported(session, OPERATOR)
        assert (asked.month, asked.visits) == (JANUARY, 8)
        reviews.hide(session, OPERATOR, review_id, "含有隐私")
        assert reviews.of_caregiver(session, STRANGER, LI.id) == []
        assert session.get_one(Caregiver, LI.id, populate_existing=True).review_weight == 0
        reviews.show(session, OPERATOR, review_id)
        reviews.answer(session, OPERATOR, review_id, "谢谢反馈")
        assert session.get_one(Caregiver, LI.id, populate_existing=True).review_weight == 4


def agreed_again(session):
    """Another plan of the same family, an afternoon later."""
    form_of = form(course=course(starts_minute=15 * 60))
    order_id = plan_requests.request(session, ZHOU, form_of, "another plan")
    session.flush()
    bookings.accept(session, LI, order_id)
    session.flush()
    return order_id
