from datetime import timedelta

import pytest
from sqlalchemy import select

from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import applications, bookings, caregivers, demands, leaves, substitutes
from services.access import SYSTEM
from services.board import acceptance, overrides, proposals
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.board.proposals import LineState
from services.dispatch.rules import Rule
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.leaves import LeaveReason
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    MONDAY,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_visit,
)
from tests.services.board.working_out import A_DAY, many_demands, of_demand, of_visit, run


def accept(session, run_id, *numbers):
    outcome = acceptance.accept(session, OPERATOR, run_id, numbers)
    session.flush()
    return outcome


@pytest.fixture
def demand_id(session):
    found = make_demand(session)
    session.flush()
    return found


def proposed(session, clock, demand_id, caregiver=LI):
    """A run that proposes this caregiver for a demand: the run and its line's number."""
    overrides.lay_down(
        session, OPERATOR, Subject(demand_id), caregiver.id, OverrideKind.PIN,
        OverrideReason.FAMILY_WISH,
    )  # fmt: skip
    session.flush()
    run_id = run(session, clock)
    line = of_demand(session, run_id, demand_id)
    assert line.caregiver_id == caregiver.id
    return run_id, line.number


def order_of_line(session, run_id, demand_id):
    return session.get_one(Order, of_demand(session, run_id, demand_id).order_id)


def test_whoever_applied_has_the_order_at_once_and_her_rivals_wait(session, clock, demand_id):
    make_application(session, demand_id, caregiver=LI)
    rival = make_application(session, demand_id, caregiver=ZHAO)
    session.flush()
    run_id, number = proposed(session, clock, demand_id)
    assert accept(session, run_id, number).accepted == 1
    order = order_of_line(session, run_id, demand_id)
    assert (order.status, order.caregiver_id) == (OrderStatus.CONFIRMED, LI.id)
    assert session.get_one(Application, rival).status is ApplicationStatus.WAITLISTED
    assert of_demand(session, run_id, demand_id).state is LineState.STANDS


def test_whoever_did_not_apply_is_asked_and_her_time_is_held(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    order = order_of_line(session, run_id, demand_id)
    held = session.scalars(select(Visit).where(Visit.order_id == order.id)).one()
    assert (order.status, held.status) == (OrderStatus.REQUESTED, VisitStatus.HELD)
    assert order.unit_price_fen == PRICE_FEN
    assert of_demand(session, run_id, demand_id).state is LineState.ASKED
    bookings.accept(session, LI, order.id)
    session.flush()
    assert of_demand(session, run_id, demand_id).state is LineState.STANDS
    assert session.get_one(Demand, demand_id).status is DemandStatus.MATCHED


def test_her_yes_lets_those_wait_who_had_applied(session, clock, demand_id):
    rival = make_application(session, demand_id, caregiver=ZHAO)
    session.flush()
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    assert session.get_one(Application, rival).status is ApplicationStatus.SUBMITTED
    bookings.accept(session, LI, order_of_line(session, run_id, demand_id).id)
    session.flush()
    assert session.get_one(Application, rival).status is ApplicationStatus.WAITLISTED


def test_her_no_gives_the_demand_back_with_those_who_had_applied(session, clock, demand_id):
    rival = make_application(session, demand_id, caregiver=ZHAO)
    session.flush()
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    bookings.refuse(session, LI, order_of_line(session, run_id, demand_id).id)
    session.flush()
    assert session.get_one(Demand, demand_id).status is DemandStatus.OPEN
    assert of_demand(session, run_id, demand_id).state is LineState.SAID_NO
    assert applications.approve(session, OPERATOR, rival)


def test_whose_yes_lapsed_can_be_proposed_again(session, clock, demand_id):
    session.scalars(select(City).where(City.code == NANTONG)).one().operator_approves = True
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    order = order_of_line(session, run_id, demand_id)
    bookings.accept(session, LI, order.id)
    session.flush()
    assert of_demand(session, run_id, demand_id).state is LineState.ASKED
    clock.move(hours=2)
    bookings.expire_due(session, SYSTEM)
    session.flush()
    assert of_demand(session, run_id, demand_id).state is LineState.LAPSED
    assert of_demand(session, run(session, clock), demand_id).caregiver_id == LI.id


def test_who_said_no_is_not_proposed_again(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    bookings.refuse(session, LI, order_of_line(session, run_id, demand_id).id)
    session.flush()
    for one in overrides.standing(session, OPERATOR, "320600"):
        overrides.lift(session, OPERATOR, one.id)
    session.flush()
    assert of_demand(session, run(session, clock), demand_id).caregiver_id == ZHAO.id


def test_a_request_called_off_closes_the_applications(session, clock, demand_id):
    rival = make_application(session, demand_id, caregiver=ZHAO)
    session.flush()
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    bookings.call_off(session, ZHOU, order_of_line(session, run_id, demand_id).id)
    session.flush()
    assert of_demand(session, run_id, demand_id).state is LineState.MOOT
    assert session.get_one(Application, rival).status is ApplicationStatus.CLOSED


def test_a_request_that_comes_too_late_ends_with_its_applications(session, clock, demand_id):
    rival = make_application(session, demand_id, caregiver=ZHAO)
    session.flush()
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    clock.move(days=2)
    bookings.expire_due(session, SYSTEM)
    session.flush()
    assert session.get_one(Demand, demand_id).status is DemandStatus.EXPIRED
    assert session.get_one(Application, rival).status is ApplicationStatus.CLOSED


def test_somebody_is_asked_to_stand_in_for_a_visit(session, clock):
    visit_id = make_visit(session, caregiver=LI)
    session.flush()
    leaves.take(session, LI, LI.id, MONDAY, MONDAY + 3 * A_DAY, LeaveReason.ILLNESS, [visit_id])
    run_id = run(session, clock)
    accept(session, run_id, of_visit(session, run_id, visit_id).number)
    line = of_visit(session, run_id, visit_id)
    assert line.state is LineState.ASKED
    [offer] = session.scalars(select(Visit).where(Visit.replaces_id == visit_id)).all()
    substitutes.accept(session, ZHAO, offer.id)
    session.flush()
    assert of_visit(session, run_id, visit_id).state is LineState.STANDS


def test_what_the_gate_refuses_is_a_line_and_stops_no_other(session, clock):
    first, second = many_demands(session, 2)
    run_id = run(session, clock)
    hers, others = (of_demand(session, run_id, one) for one in (first, second))
    make_visit(session, caregiver={LI.id: LI, ZHAO.id: ZHAO}[hers.caregiver_id])
    session.flush()
    outcome = accept(session, run_id, hers.number, others.number)
    assert outcome.accepted == 1
    [(number, refusal)] = outcome.refused
    assert (number, refusal.key) == (hers.number, "error.obstacle_busy")
    line = of_demand(session, run_id, first)
    assert (line.state, line.refusal) == (LineState.REFUSED, "error.obstacle_busy")
    assert of_demand(session, run_id, second).state is LineState.ASKED


def test_one_suspended_since_the_proposal_is_not_sent(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    caregivers.move(session, OPERATOR, LI.id, "suspend", "查证中")
    session.flush()
    [(_, refusal)] = accept(session, run_id, number).refused
    assert refusal.key == "error.caregiver_not_approved"


def test_a_line_is_accepted_once(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    accept(session, run_id, number)
    [(_, refusal)] = accept(session, run_id, number).refused
    assert refusal.key == "error.line_accepted"
    assert of_demand(session, run_id, demand_id).state is LineState.ASKED


def test_a_second_proposal_for_the_same_demand_is_moot(session, clock, demand_id):
    first = proposed(session, clock, demand_id)
    second = run(session, clock)
    accept(session, *first)
    line = of_demand(session, second, demand_id)
    assert line.state is LineState.MOOT
    [(_, refusal)] = accept(session, second, line.number).refused
    assert isinstance(refusal, Conflict)


def test_a_demand_taken_back_meanwhile_is_moot(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    demands.withdraw(session, ZHOU, demand_id)
    session.flush()
    assert of_demand(session, run_id, demand_id).state is LineState.MOOT
    assert accept(session, run_id, number).accepted == 0


def test_nobody_and_no_change_cannot_be_accepted(session, clock):
    visit_id = make_visit(session, caregiver=LI)
    demand_id = make_demand(session, highest_fen=PRICE_FEN - 500, starts_at=MONDAY + 2 * A_DAY)
    session.flush()
    run_id = run(session, clock, movable=True)
    kept, left = of_visit(session, run_id, visit_id), of_demand(session, run_id, demand_id)
    refused = dict(accept(session, run_id, kept.number, left.number).refused)
    assert refused[kept.number].key == "error.line_changes_nothing"
    assert refused[left.number].key == "error.line_has_nobody"
    assert of_visit(session, run_id, visit_id).state is LineState.KEPT


def test_no_line_an_unknown_one_and_too_many_are_refused(session, clock, demand_id):
    run_id, number = proposed(session, clock, demand_id)
    with pytest.raises(Invalid, match="nothing_chosen"):
        accept(session, run_id)
    with pytest.raises(NotFound, match="line_not_found"):
        accept(session, run_id, number, NOBODY_ID)
    with pytest.raises(Invalid, match="too_many_accepted"):
        accept(session, run_id, *range(acceptance.MOST_LINES + 1))
    with pytest.raises(NotFound):
        acceptance.accept(session, FAR_OPERATOR, run_id, [number])
    with pytest.raises(NotAllowed):
        acceptance.accept(session, DESK, run_id, [number])


def test_a_pin_and_a_ban_hold_in_every_later_run_until_they_are_lifted(session, clock, demand_id):
    ban = overrides.lay_down(
        session, OPERATOR, Subject(demand_id), LI.id, OverrideKind.FORBID, OverrideReason.SAFETY
    )
    session.flush()
    assert of_demand(session, run(session, clock), demand_id).caregiver_id == ZHAO.id
    overrides.lay_down(
        session, OPERATOR, Subject(demand_id), LI.id, OverrideKind.PIN, OverrideReason.TRAINING
    )
    session.flush()
    assert of_demand(session, run(session, clock), demand_id).caregiver_id == LI.id
    [pin] = overrides.standing(session, OPERATOR, "320600")
    assert (pin.kind, pin.reason) == (OverrideKind.PIN, OverrideReason.TRAINING)
    with pytest.raises(Conflict):
        overrides.lift(session, OPERATOR, ban)
    overrides.lift(session, OPERATOR, pin.id)
    session.flush()
    assert overrides.standing(session, OPERATOR, "320600") == []


def test_a_pin_that_cannot_hold_leaves_the_demand_with_its_reason(session, clock, demand_id):
    make_visit(session, caregiver=LI)
    session.flush()
    overrides.lay_down(
        session, OPERATOR, Subject(demand_id), LI.id, OverrideKind.PIN, OverrideReason.QUALITY
    )
    session.flush()
    line = of_demand(session, run(session, clock), demand_id)
    assert (line.caregiver_id, line.rule) == (None, Rule.FREE_TIME)


def test_an_override_needs_words_where_its_reason_says_nothing(session, clock, demand_id):
    lay_down = overrides.lay_down
    subject, pin, other = Subject(demand_id), OverrideKind.PIN, OverrideReason.OTHER
    with pytest.raises(Invalid):
        lay_down(session, OPERATOR, subject, LI.id, pin, other)
    lay_down(session, OPERATOR, subject, LI.id, pin, other, "她会唱越剧")
    session.flush()
    with pytest.raises(Conflict, match="override_stands"):
        lay_down(session, OPERATOR, subject, LI.id, pin, OverrideReason.SAFETY)
    with pytest.raises(NotFound):
        lay_down(session, FAR_OPERATOR, subject, LI.id, pin, OverrideReason.SAFETY)
    with pytest.raises(NotFound):
        lay_down(session, OPERATOR, subject, NOBODY_ID, pin, OverrideReason.SAFETY)
    with pytest.raises(NotFound):
        lay_down(session, OPERATOR, Subject(None, NOBODY_ID), LI.id, pin, OverrideReason.SAFETY)
    with pytest.raises(Invalid):
        lay_down(session, OPERATOR, Subject(), LI.id, pin, OverrideReason.SAFETY)


def test_the_timetable_shows_who_is_where_already(session, clock):
    visit_id = make_visit(session, caregiver=LI)
    session.flush()
    [bar] = proposals.timetable(
        session, OPERATOR, "320600", clock.moment.date(), clock.moment.date() + A_DAY
    )
    assert (bar.visit_id, bar.caregiver_name) == (visit_id, "李桂兰")
    with pytest.raises(NotFound):
        proposals.timetable(session, FAR_OPERATOR, "320600", MONDAY.date(), MONDAY.date())
    later = MONDAY.date() + timedelta(days=4)
    assert proposals.timetable(session, OPERATOR, "320600", later, later) == []
