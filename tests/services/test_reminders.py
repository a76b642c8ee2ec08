"""Reminders: at the city's offsets, once, and only of what is still so."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.cities import City
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit, VisitStatus
from services import bookings, deliveries, occasions, orders, reminders
from services.access import SYSTEM
from tests.factories import LI, NANTONG, OPERATOR, ZHOU, make_booking, make_order

REMINDER, WAITS = NoticeKind.VISIT_REMINDER, NoticeKind.REDEEM_REMINDER


@pytest.fixture
def visit(session, clock):
    """One of ZHOU's with LI that begins in three days."""
    order_id = make_order(session, starts_at=clock.moment + timedelta(days=3))
    session.flush()
    return session.scalars(select(Visit).where(Visit.order_id == order_id)).one()


def remind(session):
    session.flush()
    return reminders.remind(session, SYSTEM)


def told(session, kind=REMINDER):
    its = select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
    return [one.account_id for one in session.scalars(its)]


def test_both_sides_are_reminded_at_each_offset_once(session, clock, visit):
    assert remind(session) == 0
    for hours in (24, 2):
        clock.move(to=visit.starts_at - timedelta(hours=hours, seconds=1))
        assert remind(session) == 0
        clock.move(seconds=1)
        assert [remind(session), remind(session)] == [2, 0]
        clock.move(minutes=50)
        assert remind(session) == 0

    assert told(session) == [ZHOU.id, LI.id] * 2


def test_a_worker_that_was_away_says_nothing_late(session, clock, visit):
    clock.move(to=visit.starts_at - timedelta(hours=22))

    assert remind(session) == 0


def test_who_agreed_later_is_not_reminded_of_it(session, clock):
    make_order(session, starts_at=clock.moment + timedelta(hours=23, minutes=30))

    assert remind(session) == 0
    clock.move(hours=1)
    assert remind(session) == 0


@pytest.mark.parametrize("hours", [(), (48,)])
def test_the_city_says_when(session, clock, visit, hours):
    city = session.scalars(select(City).where(City.code == NANTONG)).one()
    city.reminder_hours = list(hours)
    clock.move(to=visit.starts_at - timedelta(hours=48))

    assert remind(session) == 2 * len(hours)


def test_a_visit_that_was_called_off_is_not_reminded_of(session, clock, visit):
    clock.move(to=visit.starts_at - timedelta(hours=24))
    remind(session)
    deliveries.deliver(session)
    visit.status = VisitStatus.CANCELLED
    session.flush()

    its = select(OutboxMessage).where(OutboxMessage.kind == REMINDER)
    assert all(occasions.is_moot(session, one) for one in session.scalars(its))
    clock.move(to=visit.starts_at - timedelta(hours=2))
    assert remind(session) == 0


def test_a_reminder_is_not_said_once_the_visit_began(session, clock, visit):
    clock.move(to=visit.starts_at - timedelta(hours=2))
    remind(session)
    message = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == REMINDER)).first()
    assert not occasions.is_moot(session, message)
    clock.move(to=visit.starts_at)

    assert occasions.is_moot(session, message)


def test_a_family_is_asked_once_to_redeem(session, clock, visit):
    visit.status, visit.checked_out_at = VisitStatus.FINISHED, visit.starts_at
    clock.move(to=visit.starts_at + timedelta(hours=24, seconds=-1))
    assert remind(session) == 0
    clock.move(seconds=1)

    assert [remind(session), remind(session)] == [1, 0]
    assert told(session, WAITS) == [ZHOU.id]


class TestAYesThatLapses:
    @pytest.fixture
    def order_id(self, session):
        """A request that waits two hours for an answer, in a city that has the last word."""
        session.scalars(select(City).where(City.code == NANTONG)).one().operator_approves = True
        return make_booking(session)

    def test_operators_are_reminded_once_when_a_third_of_their_time_is_left(
        self, session, clock, order_id
    ):
        clock.move(minutes=30)
        assert remind(session) == 0
        bookings.accept(session, LI, order_id)
        clock.move(minutes=59)
        assert remind(session) == 0
        clock.move(minutes=1)
        assert [remind(session), remind(session)] == [1, 0]
        assert told(session, NoticeKind.APPROVAL_DUE) == [OPERATOR.id]

    def test_it_is_said_no_more_once_somebody_decided(self, session, clock, order_id):
        bookings.accept(session, LI, order_id)
        clock.move(minutes=90)
        assert remind(session) == 1
        due = select(OutboxMessage).where(OutboxMessage.kind == NoticeKind.APPROVAL_DUE)
        message = session.scalars(due).one()
        assert not occasions.is_moot(session, message)
        bookings.confirm(session, OPERATOR, order_id)
        session.flush()
        assert occasions.is_moot(session, message)

    def test_what_has_lapsed_is_reminded_of_no_more(self, session, clock, order_id):
        bookings.accept(session, LI, order_id)
        clock.move(hours=2)
        assert remind(session) == 0


def test_nobody_is_asked_about_an_order_that_ended(session, clock, visit):
    orders.decline(session, ZHOU, visit.order_id)
    clock.move(to=visit.starts_at - timedelta(hours=24))

    assert remind(session) == 0
