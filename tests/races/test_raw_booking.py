"""The benchmark's peer still books what today's tables hold."""

from sqlalchemy import select

from benchmarks import raw_booking
from data import database as engines
from data.demands import Application, ApplicationStatus
from data.orders import Order, OrderStatus, Visit
from tests.factories import LI, OPERATOR, ZHAO, make_application, make_demand


def test_an_approval_without_the_house_leaves_what_the_house_leaves(database):
    with engines.writing() as session:
        demand_id = make_demand(session)
        chosen = make_application(session, demand_id, caregiver=LI)
        rival = make_application(session, demand_id, caregiver=ZHAO)
    with raw_booking.opened(engines.engine().url, OPERATOR.id or 0) as approve:
        assert approve(chosen)
        assert not approve(rival)

    with engines.reading() as session:
        order = session.scalars(select(Order)).one()
        assert order.status is OrderStatus.CONFIRMED
        assert session.scalars(select(Visit)).one().order_id == order.id
        waits = session.get_one(Application, rival).status
        assert waits is ApplicationStatus.WAITLISTED
