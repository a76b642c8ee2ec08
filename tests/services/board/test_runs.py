from datetime import timedelta

import pytest
from sqlalchemy import select

from data.dispatch import DispatchRun
from data.tasks import Task
from services import leaves, rule_book, tasks
from services.access import SYSTEM
from services.board import proposals, runs
from services.board.proposals import LineState
from services.board.runs import RunShape, RunStatus
from services.dispatch.rules import Rule
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.leaves import LeaveReason
from tests.factories import (
    CHONGCHUAN,
    DESK,
    FAR_OPERATOR,
    JIANGYANG,
    LI,
    MONDAY,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_redeemed_visit,
    make_rules,
    make_visit,
)
from tests.services.board.working_out import (
    A_DAY,
    lines,
    many_demands,
    of_demand,
    of_visit,
    run,
    wish,
    work_out,
)


def test_a_run_proposes_somebody_for_every_demand_she_can_make(session, clock):
    first, second, third = many_demands(session, 3)
    found = lines(session, run(session, clock))
    assert {one.caregiver_id for one in found.values()} == {LI.id, ZHAO.id, None}
    [left] = [one for one in found.values() if one.caregiver_id is None]
    assert (left.state, left.rule) == (LineState.NOBODY, Rule.WANTED)
    assert set(found) == {(first, None), (second, None), (third, None)}


def test_whole_days_give_somebody_several_visits_one_after_the_other(session, clock):
    times = [MONDAY + A_DAY + timedelta(hours=3 * n) for n in range(3)]
    for at in times:
        make_demand(session, starts_at=at)
    found = lines(session, run(session, clock, shape=RunShape.DAYS))
    assert len(found) == 3
    assert all(one.state is LineState.PROPOSED for one in found.values())


def test_whoever_applied_is_sent_rather_than_somebody_who_would_have_to_be_asked(session, clock):
    demand_id = make_demand(session)
    make_application(session, demand_id, caregiver=ZHAO, price_fen=PRICE_FEN + 500)
    session.flush()
    line = of_demand(session, run(session, clock), demand_id)
    assert (line.caregiver_id, line.price_fen) == (ZHAO.id, PRICE_FEN + 500)


def test_who_was_with_somebody_before_is_sent_to_them_again(session, clock):
    make_redeemed_visit(session, caregiver=ZHAO)
    demand_id = make_demand(session)
    run_id = run(session, clock)
    line = of_demand(session, run_id, demand_id)
    told = proposals.explanation(session, OPERATOR, run_id, line.number)
    assert (line.caregiver_id, told["visits"]) == (ZHAO.id, 1)
    [rival] = told["rivals"]
    assert (rival["caregiver_id"], rival["visits"]) == (LI.id, 0)
    assert rival["more"]["continuity"] > 0


def test_nobody_is_sent_where_she_has_a_visit_already(session, clock):
    make_visit(session, caregiver=LI)
    demand_id = make_demand(session)
    assert of_demand(session, run(session, clock), demand_id).caregiver_id == ZHAO.id


def test_the_visits_of_one_who_falls_ill_are_open_work(session, clock):
    visit_id = make_visit(session, caregiver=LI)
    session.flush()
    leaves.take(session, LI, LI.id, MONDAY, MONDAY + 3 * A_DAY, LeaveReason.ILLNESS, [visit_id])
    line = of_visit(session, run(session, clock), visit_id)
    assert (line.before_id, line.caregiver_id) == (LI.id, ZHAO.id)
    assert line.state is LineState.PROPOSED


def test_agreed_visits_stay_unless_they_may_move(session, clock):
    visit_id = make_visit(session, caregiver=LI)
    demand_id = make_demand(session, starts_at=MONDAY + 2 * A_DAY)
    assert (None, visit_id) not in lines(session, run(session, clock))
    line = of_visit(session, run(session, clock, movable=True), visit_id)
    assert (line.state, line.caregiver_id) == (LineState.KEPT, LI.id)
    assert of_demand(session, runs.latest(session, OPERATOR, "320600").id, demand_id).caregiver_id


def test_days_districts_and_items_narrow_what_is_dispatched(session, clock):
    soon = make_demand(session)
    make_demand(session, starts_at=MONDAY + 5 * A_DAY)
    assert set(lines(session, run(session, clock))) == {(soon, None)}
    with pytest.raises(Conflict, match="nothing_to_dispatch"):
        runs.ask(session, OPERATOR, wish(clock, item_ids=(2,)))
    with pytest.raises(Invalid, match="district_of_another_city"):
        runs.ask(session, OPERATOR, wish(clock, district_codes=(JIANGYANG,)))
    assert runs.ask(session, OPERATOR, wish(clock, district_codes=(CHONGCHUAN,)))


def test_the_weights_are_those_of_the_rule_book(session, clock):
    make_rules(session, weight_travel=7)
    make_demand(session)
    run_id = run(session, clock)
    assert runs.view(session, OPERATOR, run_id).weights["travel"] == 7
    usual = rule_book.usual()["weight_rating"]
    assert runs.view(session, OPERATOR, run_id).weights["rating"] == usual


def test_a_run_is_worked_out_by_the_worker_and_seen_by_its_city_alone(session, clock):
    make_demand(session)
    run_id = runs.ask(session, OPERATOR, wish(clock))
    session.flush()
    asked = runs.view(session, OPERATOR, run_id)
    assert (asked.status, asked.percent, asked.moves) == (RunStatus.ASKED, 0, ("cancel",))
    with pytest.raises(NotFound):
        runs.view(session, FAR_OPERATOR, run_id)
    with pytest.raises(NotFound):
        proposals.lines(session, FAR_OPERATOR, run_id)
    with pytest.raises(NotFound):
        proposals.explanation(session, FAR_OPERATOR, run_id, 1)
    for nobody in (ZHOU, LI, DESK):
        with pytest.raises(NotAllowed):
            runs.ask(session, nobody, wish(clock))
    with pytest.raises(NotFound):
        runs.ask(session, FAR_OPERATOR, wish(clock))


def test_one_run_of_a_city_is_worked_out_at_a_time(session, clock):
    make_demand(session)
    run_id = runs.ask(session, OPERATOR, wish(clock))
    session.flush()
    with pytest.raises(Conflict, match="run_under_way"):
        runs.ask(session, OPERATOR, wish(clock))
    work_out(session, run_id)
    assert runs.ask(session, OPERATOR, wish(clock)) > run_id


def test_a_stopped_run_proposes_nothing_even_if_it_was_all_but_done(session, clock):
    make_demand(session)
    run_id = runs.ask(session, OPERATOR, wish(clock))
    session.flush()
    runs.cancel(session, OPERATOR, run_id)
    session.flush()
    work_out(session, run_id)
    stopped = runs.view(session, OPERATOR, run_id)
    assert (stopped.status, stopped.outcome) == (RunStatus.CANCELLED, {})
    assert proposals.lines(session, OPERATOR, run_id) == []
    with pytest.raises(Conflict):
        runs.cancel(session, OPERATOR, run_id)


def leased(session, run_id):
    """The task of a run, taken by a worker; the posting of demands queued others before it."""
    wanted = session.get_one(DispatchRun, run_id).task_id
    while (task_id := tasks.lease_next(session, "worker")) != wanted:
        assert task_id is not None
    return task_id


def test_a_run_that_fails_over_and_over_says_so(session, clock):
    make_demand(session)
    run_id = runs.ask(session, OPERATOR, wish(clock))
    session.flush()
    for _ in range(tasks.MOST_TRIES):
        task_id = leased(session, run_id)
        tasks.give_up(session, task_id, "worker")
        session.flush()
    assert runs.view(session, OPERATOR, run_id).status is RunStatus.FAILED


def test_a_worker_says_how_far_it_is_and_is_told_to_stop(session, clock):
    make_demand(session)
    run_id = runs.ask(session, OPERATOR, wish(clock))
    session.flush()
    task_id = leased(session, run_id)
    assert tasks.go_on(session, task_id, "worker", 40)
    assert runs.view(session, OPERATOR, run_id).percent == 40
    assert not tasks.go_on(session, task_id, "another", 50)
    runs.cancel(session, OPERATOR, run_id)
    assert not tasks.go_on(session, task_id, "worker", 60)
    assert session.get_one(Task, task_id).progress == 60


@pytest.mark.parametrize("shape", list(RunShape))
def test_a_run_can_be_worked_out_once_more_from_what_it_depended_on(session, clock, shape):
    for number in range(4):
        make_demand(session, starts_at=MONDAY + A_DAY + timedelta(hours=2 * number))
    run_id = run(session, clock, shape=shape)
    before = {one.number: one.caregiver_id for one in lines(session, run_id).values()}
    make_visit(session, caregiver=LI, starts_at=MONDAY + A_DAY)
    make_rules(session, weight_travel=500)
    again = runs.replay(session, OPERATOR, run_id)
    session.flush()
    work_out(session, again)
    assert {one.number: one.caregiver_id for one in lines(session, again).values()} == before
    assert runs.view(session, OPERATOR, again).replays_id == run_id
    assert proposals.compared(session, OPERATOR, run_id, again) == []
    assert runs.latest(session, OPERATOR, "320600").id == run_id


@pytest.mark.parametrize("shape", list(RunShape))
def test_what_a_pin_costs_is_told_of_a_proposal_as_it_was(session, clock, shape):
    make_redeemed_visit(session, caregiver=ZHAO)
    demand_id = make_demand(session)
    run_id = run(session, clock, shape=shape)
    line = of_demand(session, run_id, demand_id)
    assert proposals.pin_cost(session, OPERATOR, run_id, line.number, ZHAO.id) == pytest.approx(0)
    more = proposals.pin_cost(session, OPERATOR, run_id, line.number, LI.id)
    [rival] = proposals.explanation(session, OPERATOR, run_id, line.number)["rivals"]
    assert more == pytest.approx(sum(rival["more"].values()), abs=0.1)
    assert proposals.pin_cost(session, OPERATOR, run_id, line.number, NOBODY_ID) is Rule.NOBODY


def test_what_would_help_an_unserved_demand_is_told(session, clock):
    demand_id = make_demand(session, lowest_fen=3000, highest_fen=PRICE_FEN - 500)
    run_id = run(session, clock)
    line = of_demand(session, run_id, demand_id)
    assert line.rule is Rule.PRICE
    changes = proposals.changes(session, OPERATOR, run_id, line.number)
    assert 500 in [getattr(one, "more_fen", None) for one in changes]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"first_on": MONDAY.date() - A_DAY}, "end_before_start"),
        ({"last_on": MONDAY.date() - A_DAY}, "end_before_start"),
        ({"last_on": MONDAY.date() + 14 * A_DAY}, "too_many_days"),
        (
            {"first_on": MONDAY.date() + 90 * A_DAY, "last_on": MONDAY.date() + 91 * A_DAY},
            "day_too_far",
        ),
        ({"budget_seconds": 0}, "number_out_of_range"),
        ({"budget_seconds": 10_000}, "number_out_of_range"),
        ({"item_ids": (NOBODY_ID,)}, "item_not_found"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(session, clock, changes, refusal):
    make_demand(session)
    with pytest.raises((Invalid, NotFound), match=refusal):
        runs.ask(session, OPERATOR, wish(clock, **changes))


def test_old_runs_are_deleted_with_their_lines(session, clock):
    make_demand(session)
    run_id = run(session, clock)
    again = runs.replay(session, OPERATOR, run_id)
    session.flush()
    clock.move(days=181)
    assert runs.drop_old(session, SYSTEM) == 2
    assert session.scalar(select(DispatchRun.id).where(DispatchRun.id.in_((run_id, again)))) is None


def test_what_waits_is_counted_by_day_with_plans_apart(session, clock):
    make_demand(session)
    make_demand(session, rule="DTSTART:20300108T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TU")
    today = clock.moment.date()
    found = runs.waiting(session, OPERATOR, "320600", today, today + 2 * A_DAY)
    assert (found.by_day, found.plans) == ((0, 1, 0), 1)
    with pytest.raises(NotFound):
        runs.waiting(session, FAR_OPERATOR, "320600", today, today)
