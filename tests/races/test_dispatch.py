"""Proposals accepted, asked for and overtaken by others at once, on both databases."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.demands import Demand, DemandStatus
from data.dispatch import DispatchRun, RunStatus
from data.history import Noun, StatusChange
from data.orders import GONE, Order, Visit
from data.tasks import Task
from services import caregivers, demands
from services.board import acceptance, overrides, proposals, runs, solving
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.board.proposals import LineState
from services.errors import ServiceError
from tests.factories import LI, NANTONG, OPERATOR, ZHAO, ZHOU, make_demand, make_operator
from tests.races.rush import overlaps, rush
from tests.services.board.working_out import colleagues, many_demands, run, wish

pytestmark = pytest.mark.race

DEMANDS, COLLEAGUES = 6, 4
MOVED_ON = "error.demand_moved_on"


@pytest.fixture
def operators(database):
    with engines.writing() as session:
        return OPERATOR, make_operator(session)


@pytest.fixture
def demand_id(database):
    with engines.writing() as session:
        return make_demand(session)


@pytest.fixture
def line(demand_id, clock):
    """A run that proposes LI for the demand, and its line's number."""
    with engines.writing() as session:
        lay_down(session, OPERATOR, demand_id, LI)
    return proposed(clock)


@pytest.fixture
def rivals(database, clock):
    """Two proposals for the same six demands of one hour, each with other people."""
    with engines.writing() as session:
        colleagues(session, COLLEAGUES)
        many_demands(session, DEMANDS)
    first, _ = proposed(clock)
    with engines.writing() as session:
        for one in proposals.lines(session, OPERATOR, first):
            subject = Subject(one.demand_id)
            forbid, why = OverrideKind.FORBID, OverrideReason.FAMILY_WISH
            overrides.lay_down(session, OPERATOR, subject, one.caregiver_id, forbid, why)
    second, _ = proposed(clock)
    return first, second


def proposed(clock):
    """A run that is worked out, and the number of its first line."""
    with engines.writing() as session:
        run_id = run(session, clock)
        return run_id, proposals.lines(session, OPERATOR, run_id)[0].number


def lay_down(session, actor, demand_id, caregiver):
    pin, why = OverrideKind.PIN, OverrideReason.FAMILY_WISH
    return overrides.lay_down(session, actor, Subject(demand_id), caregiver.id, pin, why)


def accept(actor, run_id, *numbers):
    return engines.transact(lambda session: acceptance.accept(session, actor, run_id, numbers))


def told(outcomes):
    """With which words lines were refused."""
    return {refusal.key for one in outcomes for _, refusal in one.refused}


def people():
    """Who is to come to each demand: nobody twice at a time, and no demand twice."""
    with engines.reading() as session:
        assert overlaps(session) == 0
        rows = session.execute(
            select(Order.demand_id, Visit.caregiver_id)
            .join(Visit, Visit.order_id == Order.id)
            .where(Visit.status.not_in(GONE))
        ).all()
    found = dict(rows)
    assert len(found) == len(rows)
    return found


def states(run_id):
    with engines.reading() as session:
        return [one.state for one in proposals.lines(session, OPERATOR, run_id)]


def test_of_two_proposals_for_the_same_demands_each_demand_is_given_once(operators, rivals):
    numbers = range(1, DEMANDS + 1)
    outcomes = rush(lambda number: accept(operators[number % 2], rivals[number % 2], *numbers), 4)

    assert sorted(one.accepted for one in outcomes) == [0, 0, 0, DEMANDS]
    assert all(one.accepted + len(one.refused) == DEMANDS for one in outcomes)
    assert told(outcomes) == {MOVED_ON, "error.line_accepted"}
    assert len(people()) == DEMANDS
    assert sorted(map(states, rivals)) == [
        [LineState.ASKED] * DEMANDS,
        [LineState.MOOT] * DEMANDS,
    ]


def test_lines_of_two_proposals_mixed_send_nobody_to_two_places_at_once(operators, rivals):
    def accept_all(number):
        """One by one, each in another order."""
        numbers = [1 + (step + number) % DEMANDS for step in range(DEMANDS)]
        side = number % 2
        return [accept(operators[side], rivals[side], one) for one in numbers]

    outcomes = [one for each in rush(accept_all, 8) for one in each]

    assert sum(one.accepted for one in outcomes) == len(people())
    assert told(outcomes) <= {MOVED_ON, "error.line_accepted", "error.obstacle_busy"}
    assert not {LineState.PROPOSED} & {one for each in rivals for one in states(each)}


def test_one_suspended_meanwhile_is_asked_before_that_or_not_at_all(line):
    run_id, number = line
    deeds = (
        lambda: accept(OPERATOR, run_id, number),
        lambda: engines.transact(
            lambda session: caregivers.move(session, OPERATOR, LI.id, "suspend", "查证中")
        ),
    )
    accepted, _ = rush(lambda one: deeds[one](), 2)

    with engines.reading() as session:
        rows = session.execute(
            select(StatusChange.noun, StatusChange.move).order_by(StatusChange.id)
        ).all()
    suspended = rows.index((Noun.CAREGIVER, "suspend"))
    if accepted.accepted:
        assert rows.index((Noun.ORDER, "request")) < suspended
    else:
        assert told([accepted]) == {"error.caregiver_not_approved"}
        assert people() == {}


def test_a_demand_taken_back_meanwhile_is_withdrawn_or_given_but_not_both(line, demand_id):
    run_id, number = line
    deeds = (
        lambda: accept(OPERATOR, run_id, number),
        lambda: engines.transact(lambda session: demands.withdraw(session, ZHOU, demand_id)),
    )
    accepted, withdrawn = rush(lambda one: deeds[one](), 2)

    with engines.reading() as session:
        status = session.get_one(Demand, demand_id).status
    if accepted.accepted:
        assert isinstance(withdrawn, ServiceError)
        assert withdrawn.key == MOVED_ON
        assert (status, people()) == (DemandStatus.DIRECTED, {demand_id: LI.id})
    else:
        assert told([accepted]) == {MOVED_ON}
        assert (status, people()) == (DemandStatus.WITHDRAWN, {})


def test_of_operators_who_ask_for_a_run_of_a_city_at_once_one_has_it(operators, demand_id, clock):
    outcomes = rush(
        lambda number: engines.transact(
            lambda session: runs.ask(session, operators[number % 2], wish(clock))
        ),
        8,
    )

    refused = [one.key for one in outcomes if isinstance(one, ServiceError)]
    assert refused == ["error.run_under_way"] * 7
    with engines.reading() as session:
        under_way = select(func.count()).where(DispatchRun.status == RunStatus.ASKED)
        queued = select(func.count()).where(Task.kind == solving.KIND)
        assert (session.scalar(under_way), session.scalar(queued)) == (1, 1)


def test_of_two_who_are_pinned_to_one_demand_at_once_the_later_stands(operators, demand_id):
    pinned = LI, ZHAO
    rush(
        lambda number: engines.transact(
            lambda session: lay_down(session, operators[number], demand_id, pinned[number])
        ),
        2,
    )

    with engines.reading() as session:
        [standing] = overrides.standing(session, OPERATOR, NANTONG)
    assert standing.caregiver_id in {one.id for one in pinned}
