from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import AccountRole
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, Visit
from services import applications, histories, orders, visits
from services.access import Role
from services.errors import Conflict, NotFound
from services.orders import OrderStatus, VisitStatus
from services.to_do import ToDoKind
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    make_application,
    make_finished_visit,
    make_order,
    make_redeemed_visit,
    order_of,
    visit_of,
)

CONCERNED = [ZHOU, LI, DESK, OPERATOR]
UNCONCERNED = [STRANGER, ZHAO, FAR_OPERATOR]


def told(session, kind=NoticeKind.ORDER_CANCELLED):
    return set(session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)))


class TestFollowing:
    @pytest.mark.parametrize("actor", CONCERNED)
    def test_everybody_concerned_sees_the_same_order(self, session, actor):
        order_id = make_order(session)

        one = orders.one(session, actor, order_id)
        assert (one.customer_name, one.caregiver_name) == ("周晓燕", "李桂兰")
        assert (one.total_fen, one.commission_fen, one.pay_fen) == (8000, 1200, 6800)
        assert one.visit_id == visit_of(session, order_id)
        assert orders.listing(session, actor) == [one]
        assert orders.counts(session, actor) == {VisitStatus.PLANNED: 1}

    def test_shows_neither_contact_nor_address(self, session):
        make_order(session)

        [shown] = orders.listing(session, LI)
        for secret in ("138000", "濠河花园", "高血压", "312"):
            assert secret not in repr(shown)

    @pytest.mark.parametrize("actor", UNCONCERNED)
    @pytest.mark.parametrize("read", [orders.one, histories.of_order])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_for_others_there_is_no_such_order(self, session, actor, read, nonexistent):
        order_id = make_order(session)

        with pytest.raises(NotFound, match="order_not_found"):
            read(session, actor, NOBODY_ID if nonexistent else order_id)
        assert orders.listing(session, actor) == []
        assert orders.counts(session, actor) == {}

    def test_lists_by_status_and_page(self, session, clock):
        planned = [
            make_order(session, starts_at=clock.moment + timedelta(days=day)) for day in (3, 1, 2)
        ]
        redeemed = order_of(session, make_redeemed_visit(session))

        def ids(actor, **wanted):
            return [order.id for order in orders.listing(session, actor, **wanted)]

        assert ids(ZHOU) == [planned[0], planned[2], planned[1], redeemed]
        assert ids(ZHOU, soonest_first=True) == [redeemed, planned[1], planned[2], planned[0]]
        assert ids(ZHOU, visit_statuses=(VisitStatus.REDEEMED,)) == [redeemed]
        assert ids(ZHOU, limit=2, offset=1) == [planned[2], planned[1]]
        assert set(ids(OPERATOR)) == {*planned, redeemed}
        counts = {VisitStatus.PLANNED: 3, VisitStatus.REDEEMED: 1}
        assert orders.counts(session, OPERATOR) == counts

    def test_lists_what_needs_somebody(self, session, clock):
        make_redeemed_visit(session)
        late = make_order(session, starts_at=clock.moment + timedelta(hours=1))
        clock.move(hours=1, minutes=16)
        make_order(session)

        assert [o.id for o in orders.listing(session, OPERATOR, alert=ToDoKind.LATE)] == [late]
        assert orders.alerts(session, OPERATOR)[ToDoKind.LATE] == 1
        assert set(orders.alerts(session, FAR_OPERATOR).values()) == {0}

    def test_history_tells_the_whole_life_in_order(self, session):
        order_id = order_of(session, make_redeemed_visit(session))

        steps = histories.of_order(session, ZHOU, order_id)
        assert [(step.noun, step.move) for step in steps] == [
            ("demand", "post"),
            ("application", "apply"),
            ("application", "approve"),
            ("demand", "match"),
            ("order", "approve"),
            ("visit", "check_in"),
            ("visit", "check_out"),
            ("visit", "redeem"),
            ("order", "complete"),
        ]
        roles = [step.role for step in steps]
        assert roles[:3] == [Role.CUSTOMER, Role.CAREGIVER, Role.OPERATOR]

    def test_history_says_nothing_of_rivals(self, session):
        application_id = make_application(session)
        demand_id = session.get_one(Application, application_id).demand_id
        make_application(session, demand_id, caregiver=ZHAO)
        order_id = applications.approve(session, OPERATOR, application_id)
        session.flush()

        moves = [step.move for step in histories.of_order(session, ZHOU, order_id)]
        assert "close" not in moves
        assert moves.count("apply") == 1

    def test_offers_only_the_moves_that_are_open_now(self, session, clock):
        order_id = make_order(session)

        def moves(actor):
            return orders.one(session, actor, order_id).open_moves

        assert moves(ZHOU) == moves(DESK) == ("cancel", "decline")
        assert moves(LI) == ("cancel",)
        clock.move(hours=3)
        assert moves(ZHOU) == ("cancel",)
        clock.move(hours=20)
        visits.check_in(session, LI, visit_of(session, order_id))
        session.flush()
        assert moves(ZHOU) == ()

    def test_offers_the_caregiver_to_check_in_when_it_is_time(self, session, clock):
        order_id = make_order(session)
        assert orders.one(session, LI, order_id).visit_moves == ()
        clock.move(hours=22)

        assert orders.one(session, LI, order_id).visit_moves == ("check_in",)
        assert orders.one(session, ZHOU, order_id).visit_moves == ()


class TestEnding:
    @pytest.mark.parametrize("end", [cancel_order, orders.decline])
    @pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR])
    def test_ends_order_and_visit_together(self, session, end, actor):
        order_id = make_order(session)
        end(session, actor, order_id)
        session.flush()

        one = orders.one(session, ZHOU, order_id)
        assert one.status is OrderStatus.CANCELLED
        assert one.visit_status is VisitStatus.CANCELLED

    @pytest.mark.parametrize(
        ("actor", "others"),
        [
            (ZHOU, {LI.id, OPERATOR.id}),
            (DESK, {ZHOU.id, LI.id, OPERATOR.id}),
            (OPERATOR, {ZHOU.id, LI.id}),
        ],
    )
    def test_tells_everybody_else_concerned(self, session, actor, others):
        cancel_order(session, actor, make_order(session))

        assert told(session) == others

    def test_tells_an_operator_who_is_also_the_customer_once(self, session):
        session.add(
            AccountRole(
                created_at=session.get_one(Order, make_order(session)).created_at,
                account_id=ZHOU.id,
                role=Role.OPERATOR,
                city_code=NANTONG,
            )
        )
        session.flush()
        cancel_order(session, DESK, 1)

        assert told(session) == {ZHOU.id, LI.id, OPERATOR.id}

    @pytest.mark.parametrize("end", [cancel_order, orders.decline])
    def test_happens_once(self, session, end):
        order_id = make_order(session)
        end(session, ZHOU, order_id)

        with pytest.raises(Conflict, match="moved_on"):
            cancel_order(session, ZHOU, order_id)

    @pytest.mark.parametrize("end", [cancel_order, orders.decline])
    def test_comes_too_late_for_a_visit_that_has_begun(self, session, clock, end):
        order_id = make_order(session, starts_at=clock.moment + timedelta(hours=1))
        visits.check_in(session, LI, visit_of(session, order_id))

        with pytest.raises(Conflict, match="visit_moved_on"):
            end(session, ZHOU, order_id)

    @pytest.mark.parametrize("end", [cancel_order, orders.decline])
    @pytest.mark.parametrize("actor", [STRANGER, FAR_OPERATOR])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_others_find_no_such_order(self, session, end, actor, nonexistent):
        order_id = NOBODY_ID if nonexistent else make_order(session)

        with pytest.raises(NotFound, match="order_not_found"):
            end(session, actor, order_id)


class TestDeclining:
    def test_reopens_the_demand_for_others_but_not_for_the_declined(self, session):
        order_id = make_order(session)
        demand_id = session.get_one(Order, order_id).demand_id
        orders.decline(session, ZHOU, order_id)
        session.flush()

        assert session.get_one(Demand, demand_id).status is DemandStatus.OPEN
        declined = session.scalars(select(Application)).one()
        assert declined.status is ApplicationStatus.DECLINED
        with pytest.raises(Conflict, match="application_moved_on"):
            make_application(session, demand_id)
        again = applications.approve(
            session, OPERATOR, make_application(session, demand_id, caregiver=ZHAO)
        )
        assert orders.one(session, ZHOU, again).caregiver_id == ZHAO.id

    def test_frees_the_caregivers_time(self, session):
        orders.decline(session, ZHOU, make_order(session))
        session.flush()

        assert make_order(session)

    def test_is_free_for_a_while_only(self, session, clock):
        in_time, too_late = make_order(session), make_order(session, caregiver=ZHAO)
        clock.move(hours=2)
        orders.decline(session, ZHOU, in_time)
        clock.move(seconds=1)

        with pytest.raises(Conflict, match="decline_too_late"):
            orders.decline(session, ZHOU, too_late)

    def test_cancelling_does_not_reopen(self, session):
        order_id = make_order(session)
        cancel_order(session, ZHOU, order_id)
        session.flush()

        demand = session.get_one(Demand, session.get_one(Order, order_id).demand_id)
        assert demand.status is DemandStatus.MATCHED


def test_a_finished_visit_still_belongs_to_a_confirmed_order(session):
    visit_id = make_finished_visit(session)

    assert session.get_one(Visit, visit_id).status is VisitStatus.FINISHED
    assert session.get_one(Order, order_of(session, visit_id)).status is OrderStatus.CONFIRMED
