"""The dispatch board: asked for, read, changed, accepted line by line."""

import pytest

from components import board_timetable
from data.database import reading, writing
from data.dispatch import DispatchOverride, OverrideKind
from data.orders import Order
from services import applications
from services.access import Actor, Role
from services.board import acceptance, overrides, proposals, runs
from services.board.overrides import OverrideReason, Subject
from services.board.runs import RunStatus
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NAMES,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    make_application,
    make_demand,
    make_redeemed_visit,
    make_visit,
)
from tests.pages.screen import confirm, errors, said, successes, words
from tests.pages.screen import opened as unfold
from tests.services.board.working_out import run, wish, work_out

PAGE = "pages/operator/dispatch.py"
CITY = "320600"
NOBODY_IN_PERSON = Actor(None, Role.OPERATOR, frozenset({CITY}))


@pytest.fixture
def demand_id(database):
    with writing() as session:
        make_redeemed_visit(session, caregiver=ZHAO)
        return make_demand(session)


@pytest.fixture
def run_id(database, clock, demand_id):
    with writing() as session:
        return run(session, clock)


def latest():
    with reading() as session:
        return runs.latest(session, OPERATOR, CITY)


def orders():
    with reading() as session:
        return session.query(Order).count()


def test_without_a_run_it_says_what_to_do(open_app):
    shown = said(open_app(PAGE, OPERATOR))

    assert words("empty.board_next") in shown


def test_work_is_dispatched_and_the_run_can_be_stopped(open_app, demand_id):
    app = open_app(PAGE, OPERATOR)
    app.button(key="board_run_now").click().run()
    assert latest().status is RunStatus.ASKED
    assert successes(app) == [words("board.asked")]
    assert words("board.open", count=1, days=7) in said(app)
    app.button(key=f"board_stop_{latest().id}").click().run()
    assert latest().status is RunStatus.CANCELLED
    assert [one.value for one in app.warning] == [words("board.ended_cancelled")]


def test_nothing_to_dispatch_is_said_in_words(open_app, database):
    app = open_app(PAGE, OPERATOR)
    app.button(key="board_run_now").click().run()
    assert errors(app) == [words("error.nothing_to_dispatch")]


def test_a_proposal_is_shown_to_its_city_only(open_app, run_id):
    app = open_app(PAGE, OPERATOR)
    assert app.metric[0].value == "1 / 1"
    assert words("run_quality.optimal") in said(app)
    assert words("empty.board_next") in said(open_app(PAGE, FAR_OPERATOR))


def opened(open_app, number=1):
    app = open_app(PAGE, OPERATOR)
    app.session_state["board_picked"] = number, "picture"
    return app.run()


def test_a_line_tells_why_her_and_who_was_next(open_app, run_id):
    shown = said(opened(open_app))
    assert words("board.why", name=NAMES[ZHAO], cost="")[:8] in shown
    assert NAMES[LI] in shown
    assert words("board.worse_continuity", count=0) in shown


def test_one_line_is_accepted_through_the_gate(open_app, run_id, demand_id):
    before = orders()
    app = opened(open_app)
    app.button(key="board_accept_one").click().run()
    assert orders() == before + 1
    assert words("board.accepted", count=1) in successes(app)
    assert words("board.state_asked") in said(app)


def test_what_the_gate_refuses_is_said_beside_the_line(open_app, run_id, demand_id):
    app = opened(open_app)
    with writing() as session:
        application_id = make_application(session, demand_id, caregiver=LI)
        applications.approve(session, OPERATOR, application_id)
    app.button(key="board_accept_one").click().run()
    assert any(words("error.demand_moved_on") in one.value for one in app.warning)


def test_all_are_accepted_after_asking_once_more(open_app, run_id):
    before = orders()
    confirm(open_app(PAGE, OPERATOR), "board_accept_all")
    assert orders() == before + 1


def test_somebody_else_is_pinned_with_what_it_costs_and_a_reason(open_app, run_id, demand_id):
    app = unfold(opened(open_app), "board_move_ask")
    assert NAMES[LI] in said(app)
    key = f"board_pin_{demand_id}_None"
    app.button(key=key).click().run()
    with reading() as session:
        [made] = session.query(DispatchOverride).all()
        assert (made.caregiver_id, made.kind) == (LI.id, OverrideKind.PIN)
    assert NAMES[LI] in said(app)


def test_what_would_help_is_told_when_asked(open_app, database, clock):
    with writing() as session:
        make_demand(session, highest_fen=PRICE_FEN - 500)
        run(session, clock)
    app = opened(open_app)
    assert words("dispatch_rule.price") in said(app)
    app.toggle(key="board_help_1").set_value(True).run()
    assert words("board.higher_price", amount="¥5") in said(app)


def test_of_a_pin_that_cannot_hold_it_is_said_who_and_what_would_help(open_app, demand_id, clock):
    with writing() as session:
        make_visit(session, caregiver=LI)
        subject, why = Subject(demand_id), OverrideReason.QUALITY
        overrides.lay_down(session, OPERATOR, subject, LI.id, OverrideKind.PIN, why)
        session.flush()
        run(session, clock)
    app = opened(open_app)
    why = words("dispatch_bar.free_time")
    assert words("board.pinned_out", name=NAMES[LI], why=why) in said(app)
    app.toggle(key="board_help_1").set_value(True).run()
    assert words("board.without_pin", name=NAMES[ZHAO]) in said(app)


def test_an_earlier_run_is_worked_out_once_more(open_app, run_id):
    app = open_app(PAGE, OPERATOR)
    with writing() as session:
        again = runs.replay(session, OPERATOR, run_id)
        session.flush()
        work_out(session, again)
    app.session_state["board_run"] = again
    app.run()
    assert words("board.replay_of", number=run_id) in said(app)


def test_an_accepted_visit_stands_once_in_the_timetable(open_app, run_id, clock):
    with writing() as session:
        acceptance.accept(session, OPERATOR, run_id, [1])
    with reading() as session:
        lines = proposals.lines(session, OPERATOR, run_id)
        day = lines[0].starts_at.astimezone(clock.moment.tzinfo).date()
        bars = proposals.timetable(session, OPERATOR, CITY, day, day)
    lanes = board_timetable._lanes(day, lines, bars, {})
    assert [bar["kind"] for lane in lanes for bar in lane["bars"]] == ["accepted"]


def test_a_run_by_itself_leads_to_the_one_an_operator_asked_for(open_app, run_id, clock):
    with writing() as session:
        work_out(session, runs.begin(session, NOBODY_IN_PERSON, wish(clock)))
    app = open_app(PAGE, OPERATOR)
    assert words("board.by_itself") in said(app)
    app.button(key="board_by_hand").click().run()
    assert NAMES[OPERATOR] in said(app)
