"""Days of a plan on which its caregiver cannot come, and the family wants somebody else."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import (
    bookings,
    calendars,
    ledger,
    orders,
    plan_requests,
    plans,
    recurrence,
    redemption,
    stand_ins,
    substitutes,
    to_do,
)
from services.access import SYSTEM
from services.errors import Conflict, NotAllowed, NotFound
from services.to_do import ToDoKind
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    ZHAO,
    ZHOU,
    make_visit,
)
from tests.services.test_plans import (
    FIRST,
    agreed,
    ask,
    committed,
    course,
    flat,  # noqa: F401 - a tariff that adds nothing
    preview,
    statuses,
    visits_of,
)

EACH_FEN = 2 * PRICE_FEN
CLASH = FIRST + timedelta(days=2)


@pytest.fixture(autouse=True)
def elsewhere(session):
    """A visit of hers that stands in the way on the plan's third day."""
    return make_visit(session, customer=STRANGER, starts_at=recurrence.moment(CLASH, 8 * 60))


@pytest.fixture
def wanted():
    """A course for which somebody else comes on that day."""
    return course(stand_ins=frozenset((CLASH,)))


@pytest.fixture
def order_id(session, wanted):
    return agreed(session, course=wanted)


@pytest.fixture
def visit_id(session, order_id):
    [visit] = visits_of(session, order_id, VisitStatus.UNFILLED)
    return visit.id


def told(session, kind):
    return set(session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)))


def test_the_preview_says_who_comes(session, wanted):
    clash = next(one for one in preview(session) if one.on == CLASH)
    assert clash.obstacle

    laid = preview(session, stand_ins=wanted.stand_ins)
    assert {one.on for one in laid if one.by_stand_in} == {CLASH}
    assert not any(one.obstacle for one in laid)


def test_a_day_on_which_she_can_come_is_hers(session):
    free = FIRST + timedelta(days=1)
    assert not any(one.by_stand_in for one in preview(session, stand_ins=frozenset((free,))))


def test_nobody_is_sought_for_a_time_that_is_over(session, clock):
    clock.move(to=recurrence.moment(CLASH, 9 * 60))
    laid = preview(session, first_on=CLASH, stand_ins=frozenset((CLASH,)))
    assert laid[0].obstacle
    assert not laid[0].by_stand_in


def test_a_plan_of_which_she_makes_nothing_is_refused(session, wanted):
    alone = replace(wanted, first_on=CLASH, last_on=CLASH)
    with pytest.raises(Exception, match="plan_empty"):
        ask(session, course=alone)


def test_it_takes_nobodys_time_and_is_owed_by_nobody(session, order_id, elsewhere):
    assert statuses(session, order_id) == {VisitStatus.PLANNED: 9, VisitStatus.UNFILLED: 1}
    assert committed(session) == (9 + 1) * EACH_FEN  # The other one is the visit elsewhere.
    [that_day] = calendars.view(session, LI, LI.id, CLASH, CLASH).days
    assert [one.visit_id for one in that_day.appointments] == [elsewhere]


def test_the_operators_are_told_when_it_stands_and_find_it_among_their_work(session, wanted):
    order_id = ask(session, course=wanted)
    assert told(session, NoticeKind.SUBSTITUTE_WANTED) == set()
    assert to_do.things(session, OPERATOR, ToDoKind.LEAVES) == []

    bookings.accept(session, LI, order_id)
    session.flush()
    assert told(session, NoticeKind.SUBSTITUTE_WANTED) == {OPERATOR.id}
    [waits] = to_do.things(session, OPERATOR, ToDoKind.LEAVES)
    assert waits.order_id == order_id
    assert to_do.things(session, FAR_OPERATOR, ToDoKind.LEAVES) == []
    assert orders.alerts(session, OPERATOR)[ToDoKind.LEAVES] == 1
    [line] = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert [one.id for one in line.options] == [ZHAO.id]
    assert [one.caregiver_id for one in stand_ins.away(session, OPERATOR)] == [LI.id]


@pytest.mark.parametrize("end", [bookings.refuse, bookings.call_off])
def test_with_the_request_the_search_ends(session, wanted, end):
    order_id = ask(session, course=wanted)
    end(session, LI if end is bookings.refuse else ZHOU, order_id)
    session.flush()
    assert statuses(session, order_id) == {VisitStatus.CANCELLED: 9, VisitStatus.DROPPED: 1}


def test_whoever_says_yes_comes_and_is_paid(session, order_id, visit_id):
    before = committed(session)
    assert [one.id for one in stand_ins.for_visit(session, OPERATOR, visit_id)] == [ZHAO.id]
    offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    session.flush()
    substitutes.accept(session, ZHAO, offer_id)
    session.flush()

    assert statuses(session, order_id) == {VisitStatus.PLANNED: 10, VisitStatus.DROPPED: 1}
    assert committed(session) == before + EACH_FEN
    assert session.get_one(Order, order_id).caregiver_id == LI.id
    assert told(session, NoticeKind.SUBSTITUTE_COMES) == {ZHOU.id, OPERATOR.id}
    assert offer_id in redemption.codes(session, ZHAO)
    assert to_do.things(session, OPERATOR, ToDoKind.LEAVES) == []


def test_a_no_leaves_it_to_be_sought_on(session, order_id, visit_id):
    offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    substitutes.refuse(session, ZHAO, offer_id)
    session.flush()
    assert session.get_one(Visit, visit_id).status is VisitStatus.UNFILLED
    assert substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)


def test_nobody_is_found_in_time(session, clock, order_id, visit_id):
    before = committed(session)
    starts_at = session.get_one(Visit, visit_id).starts_at
    clock.move(to=starts_at - substitutes.GIVES_UP_BEFORE - timedelta(minutes=1))
    assert substitutes.give_up_due(session, SYSTEM) == 0

    clock.move(minutes=1)
    assert substitutes.give_up_due(session, SYSTEM) == 1
    assert substitutes.give_up_due(session, SYSTEM) == 0
    assert session.get_one(Visit, visit_id).status is VisitStatus.DROPPED
    assert told(session, NoticeKind.SUBSTITUTE_NOT_FOUND) == {ZHOU.id, OPERATOR.id}
    assert committed(session) == before


def test_whoever_was_asked_keeps_her_time_to_answer(session, clock, order_id, visit_id):
    clock.move(to=session.get_one(Visit, visit_id).starts_at - substitutes.GIVES_UP_BEFORE)
    offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    session.flush()
    assert substitutes.give_up_due(session, SYSTEM) == 0
    substitutes.accept(session, ZHAO, offer_id)


class TestForgoing:
    def test_the_family_does_without_and_pays_nothing(self, session, order_id, visit_id):
        offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
        session.flush()
        before = committed(session)
        substitutes.forgo(session, ZHOU, visit_id)
        session.flush()

        assert {session.get_one(Visit, one).status for one in (visit_id, offer_id)} == {
            VisitStatus.DROPPED
        }
        assert committed(session) == before
        assert told(session, NoticeKind.SUBSTITUTE_UNWANTED) == {OPERATOR.id}
        with pytest.raises(Conflict, match="visit_moved_on"):
            substitutes.forgo(session, ZHOU, visit_id)

    def test_a_visit_that_is_hers_is_cancelled_instead(self, session, order_id):
        hers = visits_of(session, order_id, VisitStatus.PLANNED)[0]
        with pytest.raises(Conflict, match="visit_moved_on"):
            substitutes.forgo(session, ZHOU, hers.id)

    @pytest.mark.parametrize(
        ("actor", "refusal"), [(STRANGER, NotFound), (FAR_OPERATOR, NotFound), (LI, NotAllowed)]
    )
    def test_is_not_for_others(self, session, visit_id, actor, refusal):
        with pytest.raises(refusal):
            substitutes.forgo(session, actor, visit_id)

    def test_the_desk_does_it_for_a_caller(self, session, visit_id):
        substitutes.forgo(session, DESK, visit_id)
        assert session.get_one(Visit, visit_id).status is VisitStatus.DROPPED


class TestChanges:
    def test_the_declined_plan_seeks_nobody(self, session, order_id, visit_id):
        orders.decline(session, ZHOU, order_id)
        assert session.get_one(Visit, visit_id).status is VisitStatus.DROPPED

    def test_the_ended_plan_seeks_nobody_after_its_end(self, session, order_id, visit_id):
        plans.end(session, ZHOU, order_id, CLASH - timedelta(days=1))
        assert session.get_one(Visit, visit_id).status is VisitStatus.DROPPED

    def test_a_changed_plan_seeks_somebody_anew(self, session, order_id, visit_id, wanted):
        plans.change(session, ZHOU, order_id, wanted)
        session.flush()
        [anew] = visits_of(session, order_id, VisitStatus.UNFILLED)
        assert anew.id != visit_id
        assert Counter(one.status for one in visits_of(session, order_id))[VisitStatus.PLANNED] == 9
        assert committed(session) == 10 * EACH_FEN

    def test_a_plan_is_not_over_while_somebody_is_sought(self, session, order_id, visit_id):
        for visit in visits_of(session, order_id, VisitStatus.PLANNED):
            visit.status = VisitStatus.REDEEMED
        late = recurrence.moment(FIRST + timedelta(days=30), 0)
        with plan_requests.clock.at(late):
            plans.extend_due(session, SYSTEM)
            assert session.get_one(Order, order_id).status is OrderStatus.CONFIRMED
            substitutes.give_up_due(session, SYSTEM)
            plans.extend_due(session, SYSTEM)
        assert session.get_one(Order, order_id).status is OrderStatus.COMPLETED
        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) > 0
