from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.calendars import LeaveReason
from data.caregivers import Caregiver, CaregiverStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Party
from services import applications, caregivers, changes, demands, leaves, orders, waiting_lists
from services.access import SYSTEM
from services.errors import Conflict, NotFound
from tests.factories import (
    LI,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    make_application,
    make_demand,
    make_order,
    visit_of,
)


@pytest.fixture
def lost(session):
    """A demand that Li got, and Zhao's application that waits."""
    demand_id = make_demand(session)
    waits = make_application(session, demand_id, caregiver=ZHAO, price_fen=4500)
    order_id = applications.approve(session, OPERATOR, make_application(session, demand_id))
    session.flush()
    return demand_id, order_id, waits


def status(session, application_id):
    session.flush()
    return session.get_one(Application, application_id).status


def demand_status(session, demand_id):
    session.flush()
    return session.get_one(Demand, demand_id).status


def told(session, kind):
    return session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)).all()


def steps(session, application_id):
    return session.scalars(
        select(StatusChange.move)
        .where(StatusChange.noun == Noun.APPLICATION, StatusChange.subject_id == application_id)
        .order_by(StatusChange.id)
    ).all()


def cancel(session, actor, order_id, fault=Party.PLATFORM):
    visit_id = visit_of(session, order_id)
    quote = changes.quote(session, actor, visit_id)
    owing = fault if quote.own is Party.PLATFORM else quote.own
    changes.cancel_visit(
        session, actor, visit_id, EndReason.ILLNESS, "孩子发烧", quote.fees[owing], fault=fault
    )


class TestWaiting:
    def test_is_seen_by_the_one_who_waits_alone(self, session, lost):
        demand_id, _, _ = lost

        [seen] = waiting_lists.mine(session, ZHAO)
        assert (seen.demand_id, seen.price_fen) == (demand_id, 4500)
        assert waiting_lists.mine(session, LI) == []

    def test_can_be_left(self, session, lost):
        demand_id, order_id, waits = lost
        applications.withdraw(session, ZHAO, demand_id)
        assert status(session, waits) is ApplicationStatus.WITHDRAWN
        assert waiting_lists.mine(session, ZHAO) == []

        orders.decline(session, ZHOU, order_id)
        assert status(session, waits) is ApplicationStatus.WITHDRAWN

    def test_decides_nothing_while_the_order_stands(self, session, lost):
        _, _, waits = lost

        with pytest.raises(Conflict, match="application_moved_on"):
            applications.approve(session, OPERATOR, waits)

    def test_ends_with_the_visits_time(self, session, lost, clock):
        _, _, waits = lost
        assert waiting_lists.close_due(session, SYSTEM) == 0
        clock.move(days=1)

        assert waiting_lists.close_due(session, SYSTEM) == 1
        assert status(session, waits) is ApplicationStatus.CLOSED
        assert told(session, NoticeKind.APPLICATION_CLOSED) == [ZHAO.id]
        assert waiting_lists.close_due(session, SYSTEM) == 0

    def test_ends_when_she_is_suspended(self, session, lost):
        _, _, waits = lost
        caregivers.move(session, OPERATOR, ZHAO.id or 0, "suspend", "证件待核实")

        assert status(session, waits) is ApplicationStatus.CLOSED


class TestMovingUp:
    def test_follows_a_decline_and_everybody_concerned_is_told(self, session, lost):
        demand_id, order_id, waits = lost
        orders.decline(session, ZHOU, order_id)

        assert status(session, waits) is ApplicationStatus.SUBMITTED
        assert steps(session, waits) == ["apply", "wait", "move_up"]
        assert told(session, NoticeKind.APPLICATION_WAITLISTED) == [ZHAO.id]
        assert told(session, NoticeKind.APPLICATION_RETURNED) == [ZHAO.id]
        assert told(session, NoticeKind.APPLICATION_RECEIVED).count(OPERATOR.id) == 3
        [decision] = applications.waiting(session, OPERATOR)
        assert decision.demand_id == demand_id
        assert [one.caregiver_id for one in decision.candidates] == [ZHAO.id]
        assert applications.approve(session, OPERATOR, waits)

    def test_can_happen_again(self, session, lost):
        _, order_id, waits = lost
        orders.decline(session, ZHOU, order_id)
        session.flush()
        orders.decline(session, ZHOU, applications.approve(session, OPERATOR, waits))

        assert status(session, waits) is ApplicationStatus.DECLINED

    @pytest.mark.parametrize("reason", ["busy", "leave", "suspended"])
    def test_leaves_out_who_cannot_come_any_more(self, session, lost, clock, reason):
        _, order_id, waits = lost
        if reason == "busy":
            make_order(session, caregiver=ZHAO)
        elif reason == "leave":
            start = clock.moment + timedelta(hours=20)
            leaves.take(
                session,
                ZHAO,
                ZHAO.id or 0,
                start,
                start + timedelta(days=1),
                LeaveReason.ILLNESS,
                (),
            )
        else:
            session.execute(
                update(Caregiver)
                .where(Caregiver.id == ZHAO.id)
                .values(status=CaregiverStatus.SUSPENDED)
            )
        orders.decline(session, ZHOU, order_id)

        assert status(session, waits) is ApplicationStatus.CLOSED
        assert told(session, NoticeKind.APPLICATION_RETURNED) == []


class TestCancelling:
    def test_by_the_caregiver_opens_the_demand_again(self, session, lost):
        demand_id, order_id, waits = lost
        cancel(session, LI, order_id)

        assert demand_status(session, demand_id) is DemandStatus.OPEN
        assert status(session, waits) is ApplicationStatus.SUBMITTED
        assert [one.id for one in demands.mine(session, ZHOU)] == [demand_id]
        assert make_application(session, demand_id)

    def test_by_the_caregiver_is_told_to_the_family_as_opened_again(self, session, lost):
        _, order_id, _ = lost
        cancel(session, LI, order_id)

        assert self.reopened(session) == {ZHOU.id: True, OPERATOR.id: True}

    def test_too_late_is_not(self, session, lost, clock):
        _, order_id, _ = lost
        clock.move(hours=23, minutes=50)
        cancel(session, LI, order_id)

        assert self.reopened(session) == {ZHOU.id: False, OPERATOR.id: False}

    def reopened(self, session):
        """Who was told of the cancelled order, and whether as opened again."""
        rows = session.execute(
            select(OutboxMessage.account_id, OutboxMessage.facts).where(
                OutboxMessage.kind == NoticeKind.ORDER_CANCELLED
            )
        )
        return {account_id: facts["reopened"] for account_id, facts in rows}

    def test_for_the_caregiver_who_called_in_opens_it_too(self, session, lost):
        demand_id, order_id, waits = lost
        cancel(session, OPERATOR, order_id, Party.CAREGIVER)

        assert demand_status(session, demand_id) is DemandStatus.OPEN
        assert status(session, waits) is ApplicationStatus.SUBMITTED

    @pytest.mark.parametrize("fault", [Party.CUSTOMER, Party.PLATFORM])
    def test_by_nobodys_or_the_familys_doing_ends_the_waiting(self, session, lost, fault):
        demand_id, order_id, waits = lost
        cancel(session, OPERATOR, order_id, fault)

        assert demand_status(session, demand_id) is DemandStatus.MATCHED
        assert status(session, waits) is ApplicationStatus.CLOSED

    def test_by_the_family_ends_the_waiting(self, session, lost):
        demand_id, order_id, waits = lost
        cancel_order(session, ZHOU, order_id)

        assert demand_status(session, demand_id) is DemandStatus.MATCHED
        assert status(session, waits) is ApplicationStatus.CLOSED

    def test_too_late_to_find_anybody_ends_it(self, session, lost, clock):
        demand_id, order_id, waits = lost
        clock.move(hours=23, minutes=50)
        cancel(session, LI, order_id)

        assert demand_status(session, demand_id) is DemandStatus.MATCHED
        assert status(session, waits) is ApplicationStatus.CLOSED

    def test_a_stranger_opens_nothing(self, session, lost):
        demand_id, order_id, _ = lost

        with pytest.raises(NotFound, match="order_not_found"):
            cancel_order(session, STRANGER, order_id)
        assert demand_status(session, demand_id) is DemandStatus.MATCHED
