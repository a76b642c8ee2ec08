from datetime import timedelta

import pytest

from data.caregivers import Caregiver, CaregiverStatus
from services import caregivers, orders, redemption, to_do, visits
from services.to_do import ToDoKind
from tests.factories import (
    DRAFT,
    FAR_OPERATOR,
    LI,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_finished_visit,
    make_order,
    make_redeemed_visit,
    make_visit,
)


def waiting(session, actor=OPERATOR):
    session.flush()
    return {one.kind: (one.count, one.since) for one in to_do.today(session, actor) if one.count}


def test_an_idle_city_waits_for_nothing(session):
    assert {one.kind for one in to_do.today(session, OPERATOR)} == set(ToDoKind)
    assert waiting(session) == {}


def test_a_demand_with_applications_waits_once_since_the_first(session, clock):
    demand_id, first = make_demand(session), clock.moment
    make_application(session, demand_id)
    clock.move(hours=1)
    make_application(session, demand_id, caregiver=ZHAO)

    assert waiting(session) == {ToDoKind.APPLICATIONS: (1, first)}


def test_a_demand_nobody_applied_for_is_unanswered(session, clock):
    posted = clock.moment
    make_demand(session)
    clock.move(hours=2)

    assert waiting(session) == {ToDoKind.UNANSWERED: (1, posted)}
    clock.move(days=1)
    assert waiting(session) == {}


def test_a_submitted_caregiver_waits_since_the_last_submission(session, clock):
    caregivers.move(session, DRAFT, DRAFT.id, "submit")
    session.flush()
    caregivers.move(session, OPERATOR, DRAFT.id, "reject", "照片不清")
    session.flush()
    clock.move(hours=5)
    caregivers.move(session, DRAFT, DRAFT.id, "submit")

    assert waiting(session) == {ToDoKind.CAREGIVERS: (1, clock.moment)}


def test_of_several_the_longest_waiting_counts(session, clock):
    session.get_one(Caregiver, LI.id).status = CaregiverStatus.DRAFT
    session.flush()
    first = clock.moment
    for caregiver in (DRAFT, LI):
        caregivers.move(session, caregiver, caregiver.id, "submit")
        session.flush()
        clock.move(hours=1)

    assert waiting(session) == {ToDoKind.CAREGIVERS: (2, first)}


def test_a_visit_that_has_not_begun_is_late_after_a_quarter_of_an_hour(session, clock):
    starts_at = clock.moment + timedelta(hours=1)
    visit_id = make_visit(session, starts_at=starts_at)
    clock.move(hours=1, minutes=15)
    assert waiting(session) == {}
    clock.move(seconds=1)

    assert waiting(session) == {ToDoKind.LATE: (1, starts_at)}
    visits.check_in(session, LI, visit_id)
    assert waiting(session) == {}


def test_a_locked_redemption_waits_until_the_lock_ends(session, clock):
    visit_id = make_finished_visit(session)
    for _ in range(5):
        redemption.redeem(session, ZHOU, visit_id, "AAAA-AAAA")

    assert waiting(session)[ToDoKind.LOCKED][0] == 1
    clock.move(minutes=15)
    assert ToDoKind.LOCKED not in waiting(session)


def test_a_visit_not_redeemed_for_a_day_waits(session, clock):
    make_finished_visit(session)
    clock.move(hours=2)
    assert waiting(session) == {}
    clock.move(seconds=1)

    assert waiting(session)[ToDoKind.UNREDEEMED][0] == 1


def test_another_citys_operator_has_nothing_to_do_with_it(session, clock):
    caregivers.move(session, DRAFT, DRAFT.id, "submit")
    make_application(session)
    make_demand(session)
    make_finished_visit(session)
    clock.move(days=3)

    assert waiting(session)
    assert waiting(session, FAR_OPERATOR) == {}


class TestFigures:
    def test_count_the_last_seven_days_today_last(self, session, clock):
        make_redeemed_visit(session)
        clock.move(days=2)
        make_redeemed_visit(session)
        make_demand(session)

        figures = to_do.figures(session, OPERATOR)
        # Posted and approved two days before each was redeemed, the visit one day before.
        assert figures.posted.days == (0, 0, 1, 0, 1, 0, 1)
        assert figures.confirmed.days == (0, 0, 1, 0, 1, 0, 0)
        assert figures.visits.days == (0, 0, 0, 1, 0, 1, 0)
        assert figures.redeemed.days == (0, 0, 0, 0, 1, 0, 1)
        assert figures.open_now == 1

    @pytest.mark.parametrize(
        ("hour", "days"), [(23, (0, 0, 0, 0, 0, 0, 1)), (24, (0, 0, 0, 0, 0, 1, 0))]
    )
    def test_days_are_the_citys_days(self, session, clock, hour, days):
        make_demand(session)
        clock.move(hours=hour - 9, minutes=30)

        assert to_do.figures(session, OPERATOR).posted.days == days

    def test_compare_with_yesterday_at_this_hour(self, session, clock):
        make_demand(session)
        clock.move(hours=5)
        make_demand(session, starts_at=clock.moment + timedelta(days=2))
        clock.move(hours=20)

        assert to_do.figures(session, OPERATOR).posted.yesterday == 1

    def test_leave_out_cancelled_visits_and_other_cities(self, session, clock):
        later_today = clock.moment + timedelta(hours=3)
        orders.cancel(session, ZHOU, make_order(session, starts_at=later_today))
        session.flush()

        assert sum(to_do.figures(session, OPERATOR).visits.days) == 0
        nothing = to_do.figures(session, FAR_OPERATOR)
        assert sum(nothing.posted.days) == nothing.open_now == 0
