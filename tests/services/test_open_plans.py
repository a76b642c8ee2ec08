from datetime import date, timedelta

import pytest
from sqlalchemy import select

from data.calendars import LeaveReason
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderKind, OrderStatus, Segment, Visit, VisitStatus
from services import applications, clock, hall, leaves, ledger, open_plans, orders, recurrence
from services.availability import Obstacle
from services.courses import Course
from services.errors import Conflict, Invalid
from services.hall import HallFilter
from tests.factories import (
    LI,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_order,
)

FIRST = date(2030, 1, 14)
LAST = FIRST + timedelta(days=13)
# Monday to Friday of two weeks.
VISITS = 10
# So many visits in 30 days cost a twentieth less.
DISCOUNTED = 2 * PRICE_FEN * 95 // 100


def post(session, **changes):
    values = {
        "starts_at": recurrence.moment(FIRST, 9 * 60),
        "rule": recurrence.weekly(range(5), 1, FIRST),
        "until_on": LAST,
    }
    return make_demand(session, **(values | changes))


def busy(session, *days, caregiver=LI):
    for day in days:
        make_order(session, caregiver=caregiver, starts_at=recurrence.moment(day, 10 * 60))
    session.flush()


def away(session, first, last, caregiver=LI):
    starts, ends = recurrence.moment(first, 0), recurrence.moment(last, 0)
    leaves.take(session, caregiver, caregiver.id, starts, ends, LeaveReason.ILLNESS, ())
    session.flush()


def planned(session, order_id):
    session.flush()
    visits = select(Visit.starts_at).where(
        Visit.order_id == order_id, Visit.status == VisitStatus.PLANNED
    )
    return [clock.in_city(at).date() for at in session.scalars(visits.order_by(Visit.starts_at))]


class TestPosting:
    def test_keeps_rule_and_end(self, session):
        demand = session.get_one(Demand, post(session))

        assert demand.status is DemandStatus.OPEN
        shown = open_plans.rhythm(demand)
        assert (shown.weekdays, shown.weeks, shown.until_on) == ((0, 1, 2, 3, 4), 1, LAST)

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"until_on": FIRST - timedelta(days=1)}, "end_before_start"),
            ({"until_on": FIRST + timedelta(days=10_000)}, "plan_too_far"),
            ({"rule": "DTSTART:20300230T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO"}, "unknown"),
            ({"rule": "RRULE:FREQ=SECONDLY"}, "plan_rule_unknown"),
            ({"rule": "RRULE:FREQ=DAILY;COUNT=10000"}, "plan_rule_unknown"),
            ({"rule": recurrence.weekly((6,), 1, FIRST)}, "plan_empty"),
            ({"starts_at": recurrence.moment(date(2030, 1, 6), 0)}, "past|plan_empty"),
        ],
    )
    def test_refuses_what_is_no_plan(self, session, changes, refusal):
        with pytest.raises(Invalid, match=rf"{refusal}"):
            post(session, **changes)

    def test_an_estimate_is_for_thirty_days(self, session):
        course = Course(recurrence.weekly(range(5), 1, FIRST), 9 * 60, 2, 0, FIRST, LAST)

        whole = open_plans.estimate(session, NANTONG, course, 2, PRICE_FEN)
        assert whole == VISITS * DISCOUNTED


class TestHall:
    def seen(self, session, **wanted):
        return hall.tasks(session, LI, HallFilter(**wanted)).shown

    def test_says_how_many_visits_fit(self, session):
        post(session)
        busy(session, FIRST, FIRST + timedelta(days=2))

        [task] = self.seen(session, only_fitting=True)
        assert (task.plan.visits, task.plan.fitting) == (VISITS, VISITS - 2)
        assert task.plan.rhythm.weekdays == (0, 1, 2, 3, 4)
        assert task.plan.lowest_month_fen == VISITS * 2 * task.lowest_fen * 95 // 100
        assert task.open_moves == ("apply",)

    def test_bars_her_whom_none_fits(self, session):
        post(session)
        away(session, FIRST, LAST + timedelta(days=1))

        assert self.seen(session, only_fitting=True) == []
        [task] = self.seen(session)
        assert (task.plan.fitting, task.open_moves) == (0, ())
        with pytest.raises(Conflict, match="plan_fits_nowhere"):
            make_application(session, session.scalars(select(Demand.id)).one())

    def test_one_without_end_is_counted_some_weeks_ahead(self, session):
        post(session, until_on=None)

        [task] = self.seen(session)
        assert 20 < task.plan.visits < 30


class TestChoosing:
    def test_shows_each_applicants_clashes(self, session):
        demand_id = post(session)
        for caregiver in (LI, ZHAO):
            make_application(session, demand_id, caregiver=caregiver)
        busy(session, FIRST)

        [decision] = applications.waiting(session, OPERATOR)
        assert decision.rhythm.until_on == LAST
        zhao, li = decision.candidates
        assert (zhao.caregiver_id, zhao.fit.fitting, zhao.fits) == (ZHAO.id, VISITS, True)
        assert (li.fit.fitting, li.fit.skipped) == (VISITS - 1, (FIRST,))
        assert li.fit.obstacles == {Obstacle.BUSY: 1}
        assert li.total_fen == (VISITS - 1) * DISCOUNTED

    def test_makes_the_order_with_every_visit_that_fits(self, session):
        demand_id = post(session)
        chosen = make_application(session, demand_id)
        waits = make_application(session, demand_id, caregiver=ZHAO)
        third = FIRST + timedelta(days=2)
        busy(session, third)
        before = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE)
        order_id = applications.approve(session, OPERATOR, chosen, (third,))

        order = session.get_one(Order, order_id)
        assert (order.kind, order.status) == (OrderKind.MONTHLY, OrderStatus.CONFIRMED)
        assert len(planned(session, order_id)) == VISITS - 1
        assert third not in planned(session, order_id)
        segment = session.scalars(select(Segment).where(Segment.order_id == order_id)).one()
        assert segment.skipped == [third.isoformat()]
        told = select(OutboxMessage.facts).where(
            OutboxMessage.kind == NoticeKind.ORDER_CONFIRMED, OutboxMessage.account_id == ZHOU.id
        )
        facts = [one for one in session.scalars(told) if one["order_id"] == order_id]
        assert [one["skipped"] for one in facts] == [[third.isoformat()]]
        booked = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) - before
        assert abs(booked) == (VISITS - 1) * DISCOUNTED
        assert session.get_one(Application, waits).status is ApplicationStatus.WAITLISTED

    def test_does_nothing_if_other_days_were_shown(self, session):
        chosen = make_application(session, post(session))
        busy(session, FIRST)

        with pytest.raises(Conflict, match="plan_fit_changed"):
            applications.approve(session, OPERATOR, chosen, ())

    def test_is_refused_if_by_now_no_visit_fits(self, session):
        chosen = make_application(session, post(session))
        away(session, FIRST, LAST + timedelta(days=1))

        with pytest.raises(Conflict, match="plan_fits_nowhere"):
            applications.approve(session, OPERATOR, chosen)

    def test_declined_while_free_it_opens_again_for_who_waits(self, session):
        demand_id = post(session)
        chosen = make_application(session, demand_id)
        waits = make_application(session, demand_id, caregiver=ZHAO)
        order_id = applications.approve(session, OPERATOR, chosen)
        session.flush()
        orders.decline(session, ZHOU, order_id)

        assert planned(session, order_id) == []
        assert session.get_one(Demand, demand_id).status is DemandStatus.OPEN
        assert session.get_one(Application, waits).status is ApplicationStatus.SUBMITTED
        assert len(planned(session, applications.approve(session, OPERATOR, waits))) == VISITS
