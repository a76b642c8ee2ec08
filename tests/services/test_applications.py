from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from data.caregivers import Caregiver, CaregiverStatus
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import applications, clock, demands, orders
from services.errors import Conflict, Invalid, NotFound
from services.places import DistanceBand
from tests.factories import (
    DRAFT,
    FAR_OPERATOR,
    JIANGYANG,
    LI,
    LUZHOU,
    NASTY,
    NOBODY_ID,
    NURSING_ONLY,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_order,
    price_of,
    visit_of,
)


def application(session, application_id):
    return session.get_one(Application, application_id)


def told(session, kind):
    return session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)).all()


class TestApplying:
    def test_keeps_price_and_words_and_tells_the_operator(self, session):
        application_id = applications.apply(session, LI, make_demand(session), 4500, NASTY)

        row = application(session, application_id)
        assert (row.caregiver_id, row.price_fen, row.words) == (LI.id, 4500, NASTY)
        assert told(session, NoticeKind.APPLICATION_RECEIVED) == [OPERATOR.id]

    @pytest.mark.parametrize("price_fen", [2999, 6001, 0, -1])
    def test_a_price_outside_the_familys_range_is_refused(self, session, price_fen):
        with pytest.raises(Invalid, match="price_out_of_range"):
            make_application(session, price_fen=price_fen)

    def test_words_too_long_are_refused(self, session):
        with pytest.raises(Invalid, match="too_long"):
            applications.apply(session, LI, make_demand(session), 4000, "长" * 201)

    def test_needs_an_approved_caregiver(self, session):
        with pytest.raises(Conflict, match="caregiver_not_approved"):
            make_application(session, caregiver=DRAFT)

    def test_needs_the_certificates_of_the_item(self, session):
        with pytest.raises(Conflict, match="certificate_missing"):
            make_application(
                session,
                item_id=NURSING_ONLY,
                units=1,
                lowest_fen=16000,
                highest_fen=20000,
                price_fen=17000,
            )

    def test_an_expired_certificate_is_none(self, session, clock):
        clock.move(days=800)

        with pytest.raises(Conflict, match="certificate_missing"):
            make_application(session)

    def test_a_caregiver_who_is_busy_then_is_refused(self, session):
        make_order(session)

        with pytest.raises(Conflict, match="you_are_busy"):
            make_application(session)

    def test_the_second_click_is_refused(self, session):
        demand_id = make_demand(session)
        make_application(session, demand_id)

        with pytest.raises(Conflict, match="application_moved_on"):
            make_application(session, demand_id)

    @pytest.mark.parametrize("reason", ["nonexistent", "matched", "withdrawn", "begun", "far"])
    def test_a_demand_out_of_reach_is_no_demand(self, session, clock, reason):
        demand_id = NOBODY_ID
        if reason == "far":
            demand_id = make_demand(session, city_code=LUZHOU, district_code=JIANGYANG)
        elif reason != "nonexistent":
            demand_id = make_demand(session)
        if reason == "matched":
            rival = make_application(session, demand_id, caregiver=ZHAO)
            applications.approve(session, OPERATOR, rival)
        elif reason == "withdrawn":
            demands.withdraw(session, ZHOU, demand_id)
        elif reason == "begun":
            clock.move(days=1)

        with pytest.raises(NotFound, match="demand_not_found"):
            make_application(session, demand_id)


class TestWithdrawing:
    def test_allows_a_new_application_at_another_price(self, session):
        demand_id = make_demand(session)
        first = make_application(session, demand_id)
        applications.withdraw(session, LI, demand_id)
        session.flush()
        assert application(session, first).status is ApplicationStatus.WITHDRAWN

        assert make_application(session, demand_id, price_fen=5000) == first
        assert application(session, first).price_fen == 5000
        moves = select(StatusChange.move).where(StatusChange.noun == Noun.APPLICATION)
        assert session.scalars(moves).all() == ["apply", "withdraw", "apply_again"]
        assert told(session, NoticeKind.APPLICATION_RECEIVED) == [OPERATOR.id] * 2

    def test_happens_once(self, session):
        demand_id = make_demand(session)
        make_application(session, demand_id)
        applications.withdraw(session, LI, demand_id)

        with pytest.raises(Conflict, match="application_moved_on"):
            applications.withdraw(session, LI, demand_id)

    def test_nobody_withdraws_anothers(self, session):
        demand_id = make_demand(session)
        make_application(session, demand_id)

        with pytest.raises(NotFound, match="application_not_found"):
            applications.withdraw(session, ZHAO, demand_id)


class TestDeclining:
    def test_tells_the_applicant_and_leaves_the_demand_open(self, session):
        application_id = make_application(session)
        applications.decline(session, OPERATOR, application_id)
        session.flush()

        row = application(session, application_id)
        assert row.status is ApplicationStatus.DECLINED
        assert session.get_one(Demand, row.demand_id).status is DemandStatus.OPEN
        assert told(session, NoticeKind.APPLICATION_DECLINED) == [LI.id]

    def test_is_final(self, session):
        demand_id = make_demand(session)
        applications.decline(session, OPERATOR, make_application(session, demand_id))
        session.flush()

        with pytest.raises(Conflict, match="application_moved_on"):
            make_application(session, demand_id)


class TestApproving:
    def test_makes_an_order_with_its_visit_and_freezes_the_price(self, session, clock):
        order_id = applications.approve(session, OPERATOR, make_application(session, units=3))
        session.flush()

        order = session.get_one(Order, order_id)
        assert order.status is OrderStatus.CONFIRMED
        assert (order.customer_id, order.caregiver_id) == (ZHOU.id, LI.id)
        assert order.unit_price_fen == 4000
        assert price_of(session, order.id) == (12000, 1800)
        assert order.decline_until == clock.moment + timedelta(hours=2)
        visit = session.get_one(Visit, visit_of(session, order_id))
        assert visit.status is VisitStatus.PLANNED
        assert (visit.starts_at, visit.caregiver_id) == (clock.moment + timedelta(days=1), LI.id)

    def test_commission_is_the_citys_and_rounds_in_the_caregivers_favour(self, session):
        session.execute(update(City).values(commission_bp=1234))
        order_id = make_order(session, price_fen=3333)

        assert price_of(session, order_id) == (6700, 6700 * 1234 // 10_000)

    def test_the_free_time_to_decline_ends_when_the_visit_starts(self, session, clock):
        soon = clock.moment + timedelta(hours=1)
        order_id = make_order(session, starts_at=soon)

        assert session.get_one(Order, order_id).decline_until == soon

    def test_has_the_rivals_wait_at_once(self, session):
        demand_id = make_demand(session)
        chosen = make_application(session, demand_id)
        rival = make_application(session, demand_id, caregiver=ZHAO)
        applications.approve(session, OPERATOR, chosen)
        session.flush()

        assert application(session, chosen).status is ApplicationStatus.APPROVED
        assert application(session, rival).status is ApplicationStatus.WAITLISTED
        assert session.get_one(Demand, demand_id).status is DemandStatus.MATCHED
        assert told(session, NoticeKind.APPLICATION_WAITLISTED) == [ZHAO.id]

    def test_tells_customer_and_caregiver(self, session):
        make_order(session)

        assert told(session, NoticeKind.ORDER_CONFIRMED) == [ZHOU.id]
        assert told(session, NoticeKind.CODE_ISSUED) == [LI.id]

    def test_the_code_does_not_stand_in_the_notice(self, session):
        make_order(session)

        [facts] = session.scalars(
            select(OutboxMessage.facts).where(OutboxMessage.kind == NoticeKind.CODE_ISSUED)
        )
        assert set(facts) == {"order_id", "visit_id", "item_id"}

    def test_happens_once(self, session):
        application_id = make_application(session)
        applications.approve(session, OPERATOR, application_id)

        with pytest.raises(Conflict, match="application_moved_on"):
            applications.approve(session, OPERATOR, application_id)

    def test_comes_too_late_for_a_withdrawn_application(self, session):
        demand_id = make_demand(session)
        application_id = make_application(session, demand_id)
        applications.withdraw(session, LI, demand_id)

        with pytest.raises(Conflict, match="application_moved_on"):
            applications.approve(session, OPERATOR, application_id)

    def test_comes_too_late_for_a_demand_whose_time_has_come(self, session, clock):
        application_id = make_application(session)
        clock.move(days=1)

        with pytest.raises(Conflict, match="start_in_past"):
            applications.approve(session, OPERATOR, application_id)

    def test_a_caregiver_taken_meanwhile_is_refused(self, session):
        first, second = make_application(session), make_application(session)
        applications.approve(session, OPERATOR, first)

        with pytest.raises(Conflict, match="caregiver_busy"):
            applications.approve(session, OPERATOR, second)

    def test_a_caregiver_suspended_meanwhile_is_refused(self, session):
        application_id = make_application(session)
        session.execute(
            update(Caregiver).where(Caregiver.id == LI.id).values(status=CaregiverStatus.SUSPENDED)
        )

        with pytest.raises(Conflict, match="caregiver_not_approved"):
            applications.approve(session, OPERATOR, application_id)

    @pytest.mark.parametrize("decide", [applications.approve, applications.decline])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_another_citys_operator_finds_nothing(self, session, decide, nonexistent):
        application_id = NOBODY_ID if nonexistent else make_application(session)

        with pytest.raises(NotFound, match="application_not_found"):
            decide(session, FAR_OPERATOR, application_id)


class TestWaiting:
    def test_shows_candidates_side_by_side_cheapest_first(self, session):
        demand_id = make_demand(session)
        make_application(session, demand_id, price_fen=5000)
        make_application(session, demand_id, caregiver=ZHAO, price_fen=3500)

        [decision] = applications.waiting(session, OPERATOR)
        assert decision.demand_id == demand_id
        assert [(c.name, c.total_fen) for c in decision.candidates] == [
            ("赵海涛", 7000),
            ("李桂兰", 10000),
        ]
        candidate = decision.candidates[0]
        assert candidate.distance is DistanceBand.NEAR
        assert not candidate.obstacles
        assert candidate.free
        assert candidate.missing_certificates == ()

    def test_says_who_is_busy_by_now(self, session):
        first, second = make_application(session), make_application(session)
        applications.approve(session, OPERATOR, first)
        session.flush()

        [decision] = applications.waiting(session, OPERATOR)
        assert [(c.id, c.free) for c in decision.candidates] == [(second, False)]

    def test_is_empty_for_another_city(self, session):
        make_application(session)

        assert applications.waiting(session, FAR_OPERATOR) == []

    def test_a_demand_whose_time_has_come_does_not_wait(self, session, clock):
        make_application(session)
        clock.move(days=1)

        assert applications.waiting(session, OPERATOR) == []

    def test_a_declined_order_waits_again_with_those_who_waited(self, session):
        demand_id = make_demand(session)
        chosen = make_application(session, demand_id)
        rival = make_application(session, demand_id, caregiver=ZHAO)
        order_id = applications.approve(session, OPERATOR, chosen)
        session.flush()
        orders.decline(session, ZHOU, order_id)
        session.flush()

        [decision] = applications.waiting(session, OPERATOR)
        assert [c.id for c in decision.candidates] == [rival]


def test_a_demand_nobody_offers_to_take_is_shown_soonest_first(session, clock):
    later = make_demand(session, starts_at=clock.moment + timedelta(days=2))
    sooner, answered = make_demand(session), make_demand(session)
    make_application(session, answered)
    demands.withdraw(session, ZHOU, make_demand(session))

    waiting = applications.unanswered(session, OPERATOR)
    assert [decision.demand_id for decision in waiting] == [sooner, later]
    assert applications.unanswered(session, FAR_OPERATOR) == []
    applications.withdraw(session, LI, answered)
    session.flush()
    assert answered in [d.demand_id for d in applications.unanswered(session, OPERATOR)]


class TestComparing:
    def test_shows_how_full_the_week_is(self, session):
        make_application(session)
        [empty] = applications.waiting(session, OPERATOR)
        assert empty.candidates[0].load.saturation == 0

        make_order(session, starts_at=clock.now() + timedelta(days=2), units=4)
        session.flush()
        [decision] = applications.waiting(session, OPERATOR)
        load = decision.candidates[0].load
        assert load.booked == timedelta(hours=4)
        assert load.saturation == load.booked / load.works > 0

    def test_asks_as_much_for_many_as_for_one(self, session):
        make_application(session)
        one = counted(session)
        for day in (2, 3, 4):
            demand_id = make_demand(session, starts_at=clock.now() + timedelta(days=day))
            make_application(session, demand_id)
            make_application(session, demand_id, caregiver=ZHAO)

        assert counted(session) == one


def test_whether_more_demands_wait_than_are_shown(session):
    for _ in range(2):
        make_application(session, make_demand(session))
    make_demand(session)

    assert applications.are_waiting(session, OPERATOR, more_than=1)
    assert not applications.are_waiting(session, OPERATOR, more_than=2)


def counted(session):
    """How many statements it takes to read what waits."""
    session.flush()
    session.expire_all()
    statements = []
    listen = lambda *seen: statements.append(seen[2])  # noqa: E731 - taken off again by identity
    event.listen(session.get_bind(), "before_cursor_execute", listen)
    applications.waiting(session, OPERATOR)
    event.remove(session.get_bind(), "before_cursor_execute", listen)
    return len(statements)
