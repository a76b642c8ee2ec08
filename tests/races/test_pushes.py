"""Who takes a pushed demand: wanted by many threads at once, on both databases."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.demands import Demand, DemandStatus
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.pushes import DemandPush, PushStatus
from services import assignments, demands, pushes, waves
from services.access import SYSTEM
from services.errors import ServiceError
from tests.factories import (
    LI,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    add_colleague,
    make_demand,
    make_rules,
)
from tests.races.rush import overlaps, rush

pytestmark = pytest.mark.race
COLLEAGUES = 10


def act(deed):
    return engines.transact(deed)


def keys(outcomes):
    return {one.key for one in outcomes if isinstance(one, ServiceError)}


def won(outcomes):
    return [number for number, one in enumerate(outcomes) if not isinstance(one, ServiceError)]


@pytest.fixture
def demand_id(database):
    with engines.writing() as session:
        make_rules(session, wave_size=20)
        return make_demand(session)


@pytest.fixture
def people(database):
    with engines.writing() as session:
        return [LI, ZHAO, *(add_colleague(session, number) for number in range(1, COLLEAGUES + 1))]


@pytest.fixture
def push_id(demand_id, people):
    return act(lambda session: pushes.begin(session, OPERATOR, demand_id))


def taking(caregiver, push_id):
    return lambda session: pushes.take(session, caregiver, push_id, PRICE_FEN)


def held(session):
    """The visits that take somebody's time; nobody's is taken twice."""
    assert overlaps(session) == 0
    taken = select(func.count(Visit.id)).where(Visit.status == VisitStatus.HELD)
    return session.scalar(taken)


def test_of_many_who_take_it_one_has_it_and_the_others_are_told(push_id, people):
    outcomes = rush(
        lambda number: act(taking(people[number % len(people)], push_id)), 2 * len(people)
    )

    winners = {people[number % len(people)].id for number in won(outcomes)}
    assert len(winners) == 1
    assert keys(outcomes) == {"error.push_taken"}
    with engines.reading() as session:
        assert held(session) == 1
        assert session.scalars(select(Order.caregiver_id)).all() == list(winners)
        gone = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.PUSH_GONE)
        assert set(session.scalars(gone)) == {one.id for one in people} - winners


def test_a_demand_taken_back_meanwhile_is_either_hers_or_nobodys(push_id, demand_id, people):
    def deed(number):
        if number % 4 == 0:
            return act(lambda session: demands.withdraw(session, ZHOU, demand_id) or "withdrawn")
        return act(taking(people[number % len(people)], push_id))

    outcomes = rush(deed, 16)

    done = [outcomes[number] for number in won(outcomes)]
    assert len(set(done)) == 1
    assert keys(outcomes) <= {"error.push_taken", "error.push_over", "error.demand_moved_on"}
    with engines.reading() as session:
        demand = session.get_one(Demand, demand_id)
        if done == ["withdrawn"]:
            assert (demand.status, held(session)) == (DemandStatus.WITHDRAWN, 0)
        else:
            assert (demand.status, held(session)) == (DemandStatus.DIRECTED, 1)


def test_her_taking_and_the_operators_own_choice_leave_one_order(push_id, demand_id, people):
    def deed(number):
        caregiver = people[number % len(people)]
        if number % 2:
            return act(taking(caregiver, push_id))
        return act(
            lambda session: assignments.assign(session, OPERATOR, demand_id, caregiver.id).order_id
        )

    outcomes = rush(deed, 16)

    assert len({outcomes[number] for number in won(outcomes)}) == 1
    with engines.reading() as session:
        assert held(session) == 1
        [order] = session.scalars(select(Order)).all()
        assert order.status in (OrderStatus.REQUESTED, OrderStatus.ACCEPTED)


def test_a_wave_that_goes_out_meanwhile_stops_when_somebody_takes_it(push_id, people, clock):
    clock.move(hours=1)

    def deed(number):
        if number % 2:
            return act(lambda session: waves.send_due(session, SYSTEM))
        return act(taking(people[number % len(people)], push_id))

    rush(deed, 12)

    with engines.reading() as session:
        push = session.get_one(DemandPush, push_id)
        assert push.status in (PushStatus.ACCEPTED, PushStatus.EXHAUSTED)
        assert held(session) == (push.status is PushStatus.ACCEPTED)
