"""The stop switch against what goes by itself at the same moment, and two workers at once."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.dispatch import DispatchLine, DispatchRun
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order
from services.board import automation, unattended
from services.board.automation import AutoMode, Limits
from services.errors import ServiceError
from tests.factories import COMPANIONSHIP, MONDAY, NANTONG, OPERATOR
from tests.races.rush import overlaps, rush
from tests.services.board.working_out import A_DAY, many_demands, work_out

pytestmark = pytest.mark.race
DEMANDS = 6


@pytest.fixture
def proposed(database):
    """A run that went by itself and names somebody for several demands."""
    with engines.writing() as session:
        for day in range(2, 2 + DEMANDS):
            many_demands(session, 1, first=100 + day, starts_at=MONDAY + day * A_DAY)
        limits = Limits(AutoMode.ASSIGN, only_offered=False)
        automation.set_mode(session, OPERATOR, NANTONG, COMPANIONSHIP, limits)
    unattended.go(engines.transact)
    with engines.writing() as session:
        work_out(session, session.scalars(select(DispatchRun.id)).one())


def orders():
    with engines.reading() as session:
        assert overlaps(session) == 0
        return session.scalar(select(func.count(Order.id)))


def test_once_it_is_stopped_nothing_more_is_assigned(proposed):
    def deed(number):
        if number:
            return unattended.go(engines.transact)
        engines.transact(lambda session: automation.stop(session, OPERATOR, NANTONG, "台风"))
        return orders()

    at_the_stop, _ = rush(deed, 2)

    assert orders() == at_the_stop
    unattended.go(engines.transact)
    assert orders() == at_the_stop


def test_two_workers_accept_each_line_once(proposed):
    outcomes = rush(lambda _: unattended.go(engines.transact), 3)

    assert not [one for one in outcomes if isinstance(one, ServiceError)]
    assert orders() == DEMANDS
    with engines.reading() as session:
        refused = select(func.count(DispatchLine.id)).where(DispatchLine.refusal != "")
        assert session.scalar(refused) == 0
        told = select(func.count(OutboxMessage.id)).where(
            OutboxMessage.kind == NoticeKind.DISPATCH_ASSIGNED
        )
        assert session.scalar(told) == 1


def test_operators_who_stop_at_once_stop_it_once(proposed):
    outcomes = rush(
        lambda _: engines.transact(
            lambda session: automation.stop(session, OPERATOR, NANTONG, "台风")
        ),
        8,
    )

    refused = [one for one in outcomes if isinstance(one, ServiceError)]
    assert len(refused) == 7
    assert {one.key for one in refused} == {"error.dispatch_stopped_already"}
