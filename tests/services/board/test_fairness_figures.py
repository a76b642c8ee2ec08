"""Fairness from what is stored: shares, faces, and who may leave."""

from datetime import timedelta

import pytest

from data.calendars import Leave
from data.caregivers import Caregiver
from services import bookings, places, reviews
from services import clock as service_clock
from services.access import SYSTEM
from services.board import at_risk, faces, fairness_figures
from services.board.fairness_figures import Presence
from services.board.leaving import Sign
from services.errors import Invalid, NotAllowed, NotFound
from services.leaves import LeaveReason
from services.reviews import ReviewForm
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    MONDAY,
    NAMES,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    add_colleague,
    make_booking,
    make_finished_visit,
    make_redeemed_visit,
    make_rules,
)

A_DAY, A_WEEK = timedelta(days=1), timedelta(weeks=1)
NOW = MONDAY + 12 * A_WEEK
RUGAO = "320682"


@pytest.fixture(autouse=True)
def three_months_later(clock):
    clock.move(NOW)


def visit(session, caregiver, days_ago, **changes):
    return make_finished_visit(
        session, caregiver=caregiver, starts_at=NOW - days_ago * A_DAY, **changes
    )


def away(session, caregiver, since, until):
    """Leave that lies behind: it can be taken ahead only."""
    session.add(
        Leave(
            created_at=since,
            caregiver_id=caregiver.id,
            taken_by_id=caregiver.id,
            starts_at=since,
            ends_at=until,
            reason=LeaveReason.FAMILY,
        )
    )
    session.flush()


def evenness(session, weeks=4):
    return fairness_figures.evenness(session, OPERATOR, NANTONG, weeks)


def shares(session, weeks=4):
    return {one.caregiver_id: one for one in evenness(session, weeks).shares}


class TestShares:
    def test_hours_and_pay_are_those_of_a_week_on_which_she_was_there(self, session):
        for days_ago in (1, 8, 15, 40):
            visit(session, LI, days_ago, units=4)
        found = shares(session)
        assert found[LI.id].hours == 3.0
        assert found[LI.id].pay_fen == 3 * 4 * 4000 * 0.85 / 4
        assert (found[ZHAO.id].hours, found[ZHAO.id].pay_fen) == (0, 0)

    def test_one_who_has_all_the_work_of_two_makes_it_uneven(self, session):
        visit(session, LI, 2)
        found = evenness(session)
        assert [one.caregiver_id for one in found.shares] == [LI.id, ZHAO.id]
        assert (found.hours.gini, found.hours.least, found.hours.most) == (0.5, 0, 0.5)
        assert found.pay.gini == 0.5

    def test_newcomers_and_returners_are_told_apart(self, session):
        with service_clock.at(NOW - A_WEEK):
            newcomer = add_colleague(session)
        away(session, ZHAO, NOW - 3 * A_WEEK, NOW - A_WEEK)
        found = shares(session)
        assert found[LI.id].presence is Presence.SETTLED
        assert found[ZHAO.id].presence is Presence.RETURNER
        assert found[ZHAO.id].weeks == 2.0
        assert found[newcomer.id].presence is Presence.NEWCOMER
        assert found[newcomer.id].weeks == 1.0

    def test_whoever_was_away_throughout_is_left_out(self, session):
        away(session, ZHAO, NOW - 5 * A_WEEK, NOW)
        assert list(shares(session)) == [LI.id]

    def test_week_by_week_only_those_count_who_were_there_for_half_of_it(self, session):
        visit(session, LI, 2)
        for caregiver in (LI, ZHAO):
            visit(session, caregiver, 10)
        away(session, ZHAO, NOW - 28 * A_DAY, NOW - 23 * A_DAY)
        weeks = evenness(session).by_week
        assert [(one.gini, one.caregivers) for one in weeks] == [(0, 1), (0, 2), (0, 2), (0.5, 2)]
        assert weeks[-1].first_on == (NOW - 6 * A_DAY).date()


class TestFaces:
    def test_a_recipients_faces_are_counted_by_month(self, session):
        for caregiver, days_ago in ((LI, 1), (ZHAO, 3), (LI, 35), (LI, 36)):
            visit(session, caregiver, days_ago)
        found = faces.seen(session, OPERATOR, NANTONG, 2)
        assert (found.counts, found.mean) == ({1: 1, 2: 1}, 1.5)
        assert faces.seen(session, OPERATOR, NANTONG, 1).counts == {2: 1}

    def test_of_one_visit_nothing_is_told(self, session):
        visit(session, LI, 1)
        found = faces.seen(session, OPERATOR, NANTONG, 1)
        assert (found.counts, found.mean, found.most) == ({}, 0.0, ())

    def test_those_who_saw_most_are_named_with_the_way_to_their_orders(self, session):
        with service_clock.at(NOW - 10 * A_WEEK):
            third = add_colleague(session)
        for days_ago, caregiver in enumerate((LI, ZHAO, third, LI), 1):
            visit(session, caregiver, days_ago)
        [most] = faces.seen(session, OPERATOR, NANTONG, 1).most
        assert (most.customer_id, most.name) == (ZHOU.id, NAMES[ZHOU])
        assert (most.visits, most.faces) == (4, 3)


class TestAtRisk:
    def found(self, session):
        session.flush()
        return {
            one.caregiver_id: {reason.sign: reason for reason in one.reasons}
            for one in at_risk.listing(session, OPERATOR, NANTONG)
        }

    def test_hours_that_fell_by_half_and_little_pay(self, session):
        for days_ago in range(30, 84, 2):
            visit(session, LI, days_ago, units=3)
        for days_ago in range(1, 26, 3):
            visit(session, ZHAO, days_ago, units=4)
        visit(session, LI, 2, units=2)
        hers = self.found(session)[LI.id]
        halved = hers[Sign.HOURS_FALLEN]
        assert (halved.now, halved.other) == (0.5, 27 * 3 / 8)
        assert hers[Sign.PAY_LOW].now == 0.5 * 4000 * 0.85

    def test_no_visit_though_her_calendar_was_open(self, session):
        visit(session, LI, 1)
        visit(session, ZHAO, 22)
        hers = self.found(session)
        assert Sign.NO_VISIT not in hers.get(LI.id, {})
        assert hers[ZHAO.id][Sign.NO_VISIT].now == 22
        assert hers[ZHAO.id][Sign.NO_VISIT].other == 21 * 13

    def test_whoever_was_on_leave_is_not_missed(self, session):
        visit(session, ZHAO, 22)
        away(session, ZHAO, NOW - 21 * A_DAY, NOW)
        assert Sign.NO_VISIT not in self.found(session).get(ZHAO.id, {})

    def test_noes_and_silences_count_alike(self, session, clock):
        for number in range(3):
            order_id = make_booking(session, starts_at=NOW + (number + 1) * A_DAY)
            if number:
                bookings.refuse(session, LI, order_id)
        clock.move(hours=3)
        bookings.expire_due(session, SYSTEM)
        said = self.found(session)[LI.id][Sign.SAYS_NO]
        assert (said.now, said.other) == (3, 3)

    def test_what_she_took_counts_against_it(self, session):
        for number in range(3):
            order_id = make_booking(session, starts_at=NOW + (number + 1) * A_DAY)
            bookings.refuse(session, LI, order_id)
        for number in range(4):
            order_id = make_booking(session, starts_at=NOW + (number + 4) * A_DAY)
            bookings.accept(session, LI, order_id)
        assert Sign.SAYS_NO not in self.found(session).get(LI.id, {})

    def test_a_falling_rating(self, session):
        for weeks_ago, stars in ((11, 5), (10, 5), (9, 5), (3, 4), (2, 4), (1, 5)):
            with service_clock.at(NOW - weeks_ago * A_WEEK):
                visit_id = make_redeemed_visit(session)
                reviews.write(session, ZHOU, visit_id, ReviewForm(stars, stars, stars, stars))
        falls = self.found(session)[LI.id][Sign.RATING_FALLS]
        assert (round(falls.now, 2), falls.other) == (4.33, 5.0)

    def test_long_ways_from_home(self, session):
        session.get_one(Caregiver, LI.id).cell = places.cell_of_district(RUGAO)
        for days_ago in (1, 2, 3):
            visit(session, LI, days_ago)
        ways = self.found(session)[LI.id][Sign.LONG_WAYS]
        assert ways.other == 3
        assert 60 < ways.now < 240

    def test_a_city_sets_from_when_on_a_sign_is_told(self, session):
        visit(session, LI, 1)
        visit(session, ZHAO, 22)
        make_rules(session, sign_idle_days=23, sign_open_hours=200)
        assert at_risk.in_force(session, OPERATOR, NANTONG).idle_days == 23
        assert ZHAO.id not in self.found(session)
        make_rules(session, city=LUZHOU, sign_idle_days=60)
        make_rules(session, sign_idle_days=22)
        assert self.found(session)[ZHAO.id][Sign.NO_VISIT].other == 22 * 13

    def test_a_city_sets_which_weeks_are_compared(self, session):
        for days_ago in (*range(1, 56, 2), *range(57, 84, 3)):
            visit(session, LI, days_ago, units=2 if days_ago < 56 else 5)
        assert Sign.HOURS_FALLEN not in self.found(session).get(LI.id, {})
        make_rules(session, sign_lately_weeks=8, sign_before_weeks=4, sign_fallen_bp=9000)
        fallen = self.found(session)[LI.id][Sign.HOURS_FALLEN]
        assert (fallen.now, fallen.other) == (28 * 2 / 8, 9 * 5 / 4)

    def test_most_signs_come_first(self, session):
        visit(session, LI, 1)
        for days_ago in range(30, 84, 2):
            visit(session, ZHAO, days_ago, units=3)
        first, *_ = at_risk.listing(session, OPERATOR, NANTONG)
        assert (first.caregiver_id, first.name) == (ZHAO.id, NAMES[ZHAO])
        assert len(first.reasons) >= 2


@pytest.mark.parametrize(
    "read",
    [
        lambda session, actor: fairness_figures.evenness(session, actor, NANTONG, 4),
        lambda session, actor: faces.seen(session, actor, NANTONG, 1),
        lambda session, actor: at_risk.listing(session, actor, NANTONG),
        lambda session, actor: at_risk.in_force(session, actor, NANTONG),
    ],
)
def test_only_a_citys_operators_see_it(session, read):
    with pytest.raises(NotFound, match="city_not_found"):
        read(session, FAR_OPERATOR)
    with pytest.raises(NotAllowed):
        read(session, DESK)


def test_another_period_is_refused(session):
    with pytest.raises(Invalid, match="number_out_of_range"):
        evenness(session, 5)
