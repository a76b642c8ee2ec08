"""Plans: many visits by one rule, agreed at once, extended, changed, handed over and ended."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from data.calendars import Leave, LeaveReason
from data.cities import City
from data.demands import Demand, DemandStatus
from data.ledger import LedgerAccount, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderKind, OrderStatus, Segment, Visit, VisitStatus
from services import (
    bookings,
    clock,
    exclusions,
    gate,
    ledger,
    orders,
    places,
    plan_requests,
    plans,
    recurrence,
    redemption,
    rule_book,
)
from services import visits as visit_services
from services.access import SYSTEM
from services.availability import Obstacle
from services.courses import Course
from services.errors import Conflict, Invalid, NotFound
from services.plan_requests import PlanForm
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    MOTHER_ID,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_rules,
    make_visit,
)

TODAY = date(2030, 1, 7)  # A Monday, nine o'clock.
FIRST = TODAY + timedelta(days=7)
HERE = places.cell_of_district(CHONGCHUAN)


@pytest.fixture(autouse=True)
def flat(session):
    """A tariff that adds nothing and takes nothing off: these tests are of visits."""
    make_rules(session, monthly_steps=[], holiday_bp=0, urgent_bp=0, night_bp=0)


def course(**changes):
    """Two hours of companionship from 8:00 on workdays for two weeks, from next Monday on."""
    values = {
        "rule": recurrence.weekly(range(5), 1, FIRST),
        "starts_minute": 8 * 60,
        "units": 2,
        "unit_price_fen": PRICE_FEN,
        "first_on": FIRST,
        "last_on": FIRST + timedelta(days=11),
    }
    return Course(**(values | changes))


def form(**changes):
    values = {
        "caregiver_id": LI.id,
        "recipient_id": MOTHER_ID,
        "item_id": COMPANIONSHIP,
        "district_code": CHONGCHUAN,
        "address": "濠河花园 3 幢 502 室",
        "course": course(),
    }
    return PlanForm(**(values | changes))


def ask(session, **changes):
    order_id = plan_requests.request(session, ZHOU, form(**changes), "plan")
    session.flush()
    return order_id


def agreed(session, **changes):
    order_id = ask(session, **changes)
    bookings.accept(session, LI, order_id)
    session.flush()
    return order_id


def preview(session, **changes):
    session.flush()
    return plan_requests.preview(session, ZHOU, LI.id, COMPANIONSHIP, HERE, course(**changes))


def visits_of(session, order_id, *statuses):
    found = select(Visit).where(Visit.order_id == order_id).order_by(Visit.starts_at, Visit.id)
    return session.scalars(found.where(Visit.status.in_(statuses)) if statuses else found).all()


def statuses(session, order_id):
    return Counter(visit.status for visit in visits_of(session, order_id))


def days(visits):
    return [clock.in_city(visit.starts_at).date() for visit in visits]


def committed(session):
    return -ledger.balance(session, LedgerAccount.ORDERS_COMMITTED)


def live_through(session, visit, caregiver=LI, customer=ZHOU):
    with clock.at(visit.starts_at):
        visit_services.check_in(session, caregiver, visit.id)
    with clock.at(visit.ends_at):
        visit_services.check_out(session, caregiver, visit.id, (0,))
        redemption.redeem(session, customer, visit.id, code_of(session, visit.id))
    session.flush()


class TestPreview:
    def test_shows_every_visit_with_its_price(self, session):
        laid = preview(session)

        assert len(laid) == 10
        assert {one.obstacle for one in laid} == {None}
        assert [one.on for one in laid][:2] == [FIRST, FIRST + timedelta(days=1)]
        assert {one.price.total_fen for one in laid} == {2 * PRICE_FEN}

    def test_tells_what_stands_in_the_way_and_when_else_she_could_come(self, session):
        taken = recurrence.moment(FIRST + timedelta(days=2), 9 * 60)
        make_visit(session, starts_at=taken)
        laid = preview(session)

        [clash] = [one for one in laid if one.obstacle]
        assert (clash.on, clash.obstacle) == (FIRST + timedelta(days=2), Obstacle.BUSY)
        assert 11 * 60 in clash.other_minutes
        assert 8 * 60 not in clash.other_minutes

    def test_counts_the_plans_own_hours(self, session):
        session.execute(update(City).values(week_hours=8))
        assert Counter(one.obstacle for one in preview(session)) == {
            None: 8,
            Obstacle.WEEK_FULL: 2,
        }

    def test_one_that_goes_on_is_laid_out_some_weeks_ahead(self, session):
        session.execute(update(City).values(plan_ahead_days=20))
        assert [one.on for one in preview(session, last_on=None)][-1] == FIRST + timedelta(days=18)

    def test_a_night_is_one_visit(self, session):
        [first, *_] = preview(session, starts_minute=19 * 60, units=4)
        assert first.ends_at - first.starts_at == timedelta(hours=4)
        assert first.obstacle is Obstacle.OFF_HOURS


class TestRequest:
    def test_holds_every_visit_until_she_answers(self, session):
        order = session.get_one(Order, ask(session))

        assert (order.kind, order.status) == (OrderKind.MONTHLY, OrderStatus.REQUESTED)
        assert statuses(session, order.id) == {VisitStatus.HELD: 10}
        assert committed(session) == 0
        start = recurrence.moment(FIRST, 9 * 60)
        assert not gate.is_free(session, LI.id, start, start + timedelta(hours=1))

    def test_the_same_key_asks_once(self, session):
        assert ask(session) == ask(session)

    def test_refuses_what_has_no_room(self, session):
        make_visit(session, starts_at=recurrence.moment(FIRST, 9 * 60))
        with pytest.raises(Conflict, match="plan_clashes"):
            ask(session)

    def test_skips_and_moves_days(self, session):
        second = FIRST + timedelta(days=1)
        make_visit(session, starts_at=recurrence.moment(FIRST, 9 * 60))
        skipping = course(skipped=frozenset({FIRST}), moved={second: 14 * 60})
        visits = visits_of(session, ask(session, course=skipping))

        assert len(visits) == 9
        assert visits[0].starts_at == recurrence.moment(second, 14 * 60)
        assert visits[1].starts_at == recurrence.moment(second + timedelta(days=1), 8 * 60)

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"first_on": TODAY - timedelta(days=1)}, "start_in_past"),
            ({"last_on": FIRST - timedelta(days=1)}, "end_before_start"),
            ({"last_on": FIRST + timedelta(days=400)}, "plan_too_far"),
            ({"last_on": FIRST, "skipped": frozenset({FIRST})}, "plan_empty"),
            ({"units": 99}, "units_out_of_range"),
            ({"starts_minute": -1}, "plan_rule_unknown"),
            ({"unit_price_fen": PRICE_FEN - 1}, "price_changed"),
            ({"rule": "RRULE:FREQ=DAILY"}, "plan_rule_unknown"),
        ],
    )
    def test_refuses_what_is_no_plan(self, session, changes, refusal):
        with pytest.raises((Invalid, Conflict), match=refusal):
            ask(session, course=course(**changes))
        assert session.scalar(select(func.count(Visit.id))) == 0

    def test_the_desk_asks_for_a_caller(self, session):
        order_id = plan_requests.request(session, DESK, form(), "plan", customer_id=ZHOU.id)
        assert session.get_one(Order, order_id).customer_id == ZHOU.id

    def test_her_yes_plans_them_all_and_the_family_owes_them(self, session):
        order_id = agreed(session)

        assert statuses(session, order_id) == {VisitStatus.PLANNED: 10}
        assert committed(session) == 10 * 2 * PRICE_FEN

    def test_her_no_frees_them_and_the_plan_is_offered_to_everybody(self, session):
        order_id = ask(session)
        bookings.refuse(session, LI, order_id)

        assert statuses(session, order_id) == {VisitStatus.CANCELLED: 10}
        demand = session.get_one(Demand, session.get_one(Order, order_id).demand_id)
        assert demand.status is DemandStatus.OPEN

    def test_within_the_free_time_the_family_changes_its_mind(self, session):
        order_id = agreed(session)
        orders.decline(session, ZHOU, order_id)

        assert statuses(session, order_id) == {VisitStatus.CANCELLED: 10}
        assert committed(session) == 0
        demand = session.get_one(Demand, session.get_one(Order, order_id).demand_id)
        assert demand.status is DemandStatus.OPEN
        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) == 0


class TestGoingOn:
    def test_visits_are_made_ahead_and_only_once(self, session, clock):
        order_id = agreed(session, course=course(last_on=None))
        made = len(visits_of(session, order_id))
        clock.move(days=14)

        assert plans.extend_due(session, SYSTEM) == 5  # From the 18th of February to the 25th.
        assert plans.extend_due(session, SYSTEM) == 0
        visits = visits_of(session, order_id)
        assert len(visits) == made + 5
        assert len(set(days(visits))) == len(visits)
        assert committed(session) == len(visits) * 2 * PRICE_FEN

    def test_a_day_without_room_is_told_and_left_out(self, session, clock):
        order_id = agreed(session, course=course(last_on=None))
        last = visits_of(session, order_id)[-1]
        taken = last.starts_at + timedelta(days=7)
        clock.move(days=10)
        session.add(
            Leave(
                created_at=clock(),
                caregiver_id=LI.id,
                taken_by_id=LI.id,
                starts_at=taken,
                ends_at=taken + timedelta(hours=5),
                reason=LeaveReason.FAMILY,
            )
        )
        session.flush()
        clock.move(days=10)
        plans.extend_due(session, SYSTEM)

        assert clock.moment < taken
        assert taken not in [visit.starts_at for visit in visits_of(session, order_id)]
        told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.PLAN_CLASH)
        assert set(session.scalars(told)) == {ZHOU.id, OPERATOR.id}

    def test_two_who_are_kept_apart_by_now_keep_what_is_agreed_and_get_no_more(
        self, session, clock
    ):
        order_id = agreed(session, course=course(last_on=None))
        agreed_visits = visits_of(session, order_id)
        exclusions.keep_apart(session, ZHOU, agreed_visits[0].id)
        clock.move(days=14)

        assert plans.extend_due(session, SYSTEM) == 0
        assert visits_of(session, order_id) == agreed_visits
        told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.PLAN_CLASH)
        assert set(session.scalars(told)) == {ZHOU.id, OPERATOR.id}
        day = clock.moment.date() + timedelta(days=7)
        with pytest.raises(Conflict, match="kept_apart"):
            plans.change(session, ZHOU, order_id, course(first_on=day, last_on=None))
        plans.swap(session, OPERATOR, order_id, ZHAO.id, course(first_on=day, last_on=None))
        clock.move(days=14)
        assert plans.extend_due(session, SYSTEM) > 0

    def test_it_is_over_with_its_last_visit(self, session, clock):
        order_id = agreed(session, course=course(last_on=FIRST + timedelta(days=1)))
        for visit in visits_of(session, order_id):
            assert session.get_one(Order, order_id).status is OrderStatus.CONFIRMED
            live_through(session, visit)
        clock.move(days=14)
        plans.extend_due(session, SYSTEM)

        assert session.get_one(Order, order_id).status is OrderStatus.COMPLETED
        assert committed(session) == 0
        pay = 2 * (2 * PRICE_FEN * 85 // 100)
        assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, LI.id) == -pay


class TestChanging:
    WEDNESDAY = FIRST + timedelta(days=2)

    def later(self, **changes):
        """From the first Wednesday on, in the afternoon."""
        return course(first_on=self.WEDNESDAY, starts_minute=14 * 60, **changes)

    def test_from_a_day_on_the_plan_follows_another_course(self, session):
        order_id = agreed(session)
        plans.change(session, ZHOU, order_id, self.later())

        planned = visits_of(session, order_id, VisitStatus.PLANNED)
        assert [clock.in_city(visit.starts_at).hour for visit in planned] == [8, 8] + [14] * 8
        assert statuses(session, order_id)[VisitStatus.DROPPED] == 8
        assert committed(session) == 10 * 2 * PRICE_FEN
        assert sum(session.scalars(select(LedgerPosting.amount_fen))) == 0
        [new, old] = plans.segments(session, ZHOU, order_id)
        assert (old.until_on, new.from_on) == (self.WEDNESDAY - timedelta(days=1), self.WEDNESDAY)

    def test_the_preview_thinks_the_visits_to_be_replaced_away(self, session):
        order_id = agreed(session)
        same_hours = course(first_on=self.WEDNESDAY, starts_minute=9 * 60)
        session.flush()

        laid = plans.preview_change(session, ZHOU, order_id, same_hours)
        assert {one.obstacle for one in laid} == {None}

    def test_a_clash_changes_nothing(self, session):
        order_id = agreed(session)
        make_visit(session, starts_at=recurrence.moment(self.WEDNESDAY, 15 * 60))
        with pytest.raises(Conflict, match="plan_clashes"), session.begin_nested():
            plans.change(session, ZHOU, order_id, self.later())
        assert statuses(session, order_id) == {VisitStatus.PLANNED: 10}

    def test_what_begins_sooner_is_not_changed_for_free(self, session, clock):
        order_id = agreed(session)
        clock.move(days=6)
        with pytest.raises(Invalid, match="plan_change_too_soon"):
            plans.change(session, ZHOU, order_id, course(first_on=FIRST + timedelta(days=0)))
        with pytest.raises(Invalid, match="plan_change_too_soon"):
            plans.pause(session, ZHOU, order_id, FIRST)

    def test_paused_and_taken_up_again(self, session):
        order_id = agreed(session)
        plans.pause(session, ZHOU, order_id, self.WEDNESDAY)
        session.flush()

        assert session.get_one(Order, order_id).status is OrderStatus.PAUSED
        assert statuses(session, order_id)[VisitStatus.PLANNED] == 2
        assert committed(session) == 2 * 2 * PRICE_FEN
        plans.change(session, ZHOU, order_id, course(first_on=FIRST + timedelta(days=7)))
        assert session.get_one(Order, order_id).status is OrderStatus.CONFIRMED
        assert statuses(session, order_id)[VisitStatus.PLANNED] == 7

    def test_ended_early(self, session):
        order_id = agreed(session, course=course(last_on=None))
        plans.end(session, ZHOU, order_id, self.WEDNESDAY)

        assert days(visits_of(session, order_id, VisitStatus.PLANNED))[-1] == self.WEDNESDAY
        assert committed(session) == 3 * 2 * PRICE_FEN
        assert plans.extend_due(session, SYSTEM) == 0

    def test_where_nothing_is_to_come_nothing_is_declined(self, session):
        order_id = agreed(session)
        plans.end(session, ZHOU, order_id, FIRST - timedelta(days=1))

        assert days(visits_of(session, order_id, VisitStatus.PLANNED)) == []
        with pytest.raises(Conflict, match="order_moved_on"):
            orders.decline(session, ZHOU, order_id)

    def test_a_change_that_never_came_is_changed_again(self, session):
        order_id = agreed(session)
        plans.change(session, ZHOU, order_id, self.later())
        plans.change(session, ZHOU, order_id, course(first_on=FIRST + timedelta(days=1)))

        assert statuses(session, order_id)[VisitStatus.PLANNED] == 10
        never = session.scalars(select(Segment).order_by(Segment.id)).all()[1]
        assert never.until_on < never.from_on

    @pytest.mark.parametrize("stranger", [STRANGER, FAR_OPERATOR])
    def test_for_others_there_is_no_such_plan(self, session, stranger):
        order_id = agreed(session)
        with pytest.raises(NotFound):
            plans.end(session, stranger, order_id, self.WEDNESDAY)

    def test_a_single_order_is_no_plan(self, session):
        order_id = session.get_one(Visit, make_visit(session)).order_id
        with pytest.raises(NotFound):
            plans.pause(session, ZHOU, order_id, self.WEDNESDAY)


class TestHandingOver:
    DAY = FIRST + timedelta(days=2)

    def test_pays_each_for_the_visits_they_made(self, session):
        order_id = agreed(session, course=course(last_on=FIRST + timedelta(days=3)))
        hers = visits_of(session, order_id)[:2]
        last = FIRST + timedelta(days=3)
        plans.swap(session, OPERATOR, order_id, ZHAO.id, course(first_on=self.DAY, last_on=last))
        session.flush()
        for visit in hers:
            live_through(session, visit)
        for visit in visits_of(session, order_id, VisitStatus.PLANNED):
            assert visit.caregiver_id == ZHAO.id
            live_through(session, visit, ZHAO)

        pay = 2 * (2 * PRICE_FEN * 85 // 100)
        for caregiver in (LI, ZHAO):
            assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, caregiver.id) == -pay
        assert committed(session) == 0

    def test_frees_the_time_of_the_one_before(self, session):
        order_id = agreed(session)
        start = recurrence.moment(self.DAY, 8 * 60)
        assert not gate.is_free(session, LI.id, start, start + timedelta(hours=2))
        plans.swap(session, OPERATOR, order_id, ZHAO.id, course(first_on=self.DAY))
        session.flush()

        assert gate.is_free(session, LI.id, start, start + timedelta(hours=2))
        assert not gate.is_free(session, ZHAO.id, start, start + timedelta(hours=2))

    def test_a_busy_one_takes_nothing_over(self, session):
        order_id = agreed(session)
        make_visit(session, caregiver=ZHAO, starts_at=recurrence.moment(self.DAY, 8 * 60))
        session.flush()
        with pytest.raises(Conflict, match="plan_clashes"), session.begin_nested():
            plans.swap(session, OPERATOR, order_id, ZHAO.id, course(first_on=self.DAY))
        assert {visit.caregiver_id for visit in visits_of(session, order_id)} == {LI.id}

    def test_nobody_takes_over_from_herself(self, session):
        order_id = agreed(session)
        with pytest.raises(Conflict, match="caregiver_not_found"):
            plans.swap(session, OPERATOR, order_id, LI.id, course(first_on=self.DAY))

    def test_the_new_one_sees_the_plan_and_the_old_one_still_does(self, session):
        order_id = agreed(session)
        plans.swap(session, OPERATOR, order_id, ZHAO.id, course(first_on=self.DAY))
        session.flush()
        planned = (VisitStatus.PLANNED,)

        assert len(orders.visits_of(session, LI, planned)) == 2
        assert len(orders.visits_of(session, ZHAO, planned)) == 8
        assert orders.one(session, ZHOU, order_id).kind is OrderKind.MONTHLY


def test_its_price_is_the_tariffs_discount_and_holidays_included(session):
    make_rules(session, **rule_book.usual())
    rule = recurrence.weekly(range(5), 1, FIRST)
    laid = preview(session, rule=rule, last_on=FIRST + timedelta(days=29))

    prices = {one.on: one.price for one in laid}
    assert prices[FIRST].parts == {"base": 8000, "monthly": -800}
    new_year = prices[date(2030, 2, 4)]
    assert new_year.parts == {"base": 8000, "holiday": 4000, "monthly": -800}
    order_id = ask(session, course=course(rule=rule, last_on=FIRST + timedelta(days=29)))
    assert [one.total_fen for one in visits_of(session, order_id)] == [
        one.price.total_fen for one in laid
    ]


class TestDiscountOfAChange:
    """Twenty visits in four weeks take 10 % off; eight in 30 days would take 5 %."""

    LATE = FIRST + timedelta(days=14)
    LAST = FIRST + timedelta(days=25)

    @pytest.fixture
    def order_id(self, session):
        make_rules(session, **rule_book.usual() | {"holiday_bp": 0})
        return agreed(session, course=course(last_on=self.LAST))

    def discounts(self, session, order_id):
        session.flush()
        return {one.price_parts.get("monthly", 0) for one in visits_of(session, order_id)}

    def test_follows_the_whole_month_of_the_plan(self, session, order_id):
        assert self.discounts(session, order_id) == {-800}
        later = course(first_on=self.LATE, last_on=self.LAST, starts_minute=15 * 60)
        laid = plans.preview_change(session, ZHOU, order_id, later)
        assert {one.price.total_fen for one in laid} == {7200}
        plans.change(session, ZHOU, order_id, later)
        assert self.discounts(session, order_id) == {-800}
        assert committed(session) == 20 * 7200

    def test_stays_with_whoever_takes_it_over(self, session, order_id):
        rest = course(first_on=self.LATE, last_on=self.LAST)
        plans.swap(session, OPERATOR, order_id, ZHAO.id, rest)
        assert self.discounts(session, order_id) == {-800}

    def test_counts_no_day_twice_that_was_changed_before(self, session, order_id):
        for start in (10 * 60, 15 * 60):
            later = course(first_on=self.LATE, last_on=self.LAST, starts_minute=start)
            plans.change(session, ZHOU, order_id, later)
            assert self.discounts(session, order_id) == {-800}

    def test_is_not_kept_by_a_plan_that_comes_less_often(self, session, order_id):
        seldom = course(rule=recurrence.weekly([0], 1, self.LATE), first_on=self.LATE, last_on=None)
        plans.change(session, ZHOU, order_id, seldom)
        session.flush()
        changed = [one for one in visits_of(session, order_id) if one.occurs_on >= self.LATE]
        new = [one for one in changed if one.status is VisitStatus.PLANNED]
        assert new
        assert {one.price_parts.get("monthly", 0) for one in new} == {0}
