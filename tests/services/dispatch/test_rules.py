"""Each hard rule by itself, the order in which they are looked at, and bad input."""

from dataclasses import fields, replace
from datetime import timedelta
from math import inf, nan

import pytest

from services.dispatch import batches, day_plans, rules
from services.dispatch.problem import Point, Week
from services.dispatch.rules import Rule
from services.dispatch.weights import MOST, Term, Weights
from services.errors import Invalid
from tests.services.dispatch import checker, towns

NOWHERE = Point(nan, nan)
FAR = towns.near(east=30)
ONE_PAIR = {
    Rule.WINDOW: ({"minutes": 300}, {}),
    Rule.NO_PLACE: ({"point": NOWHERE}, {}),
    Rule.VERIFIED: ({}, {"verified": False}),
    Rule.SEX: ({"sex": "female"}, {"sex": "male"}),
    Rule.NOT_OFFERED: ({"item_id": 9}, {}),
    Rule.CERTIFICATE: ({"certificates": frozenset({"nursing"})}, {}),
    Rule.SKILL: ({"skills": frozenset({"lifting"})}, {}),
    Rule.TOO_FAR: ({"point": FAR}, {}),
    Rule.PRICE: ({"highest_fen": 6999}, {}),
    Rule.REFUSED: ({"refused": frozenset({1})}, {}),
    Rule.STRANGER: ({"strangers": False}, {}),
    Rule.FREE_TIME: ({}, {"free": (towns.free(4, 9),)}),
    Rule.TRAVEL: (
        {"windows": (towns.window(1, 3),)},
        {"free": (towns.free(1, 9, comes_from=FAR),)},
    ),
    Rule.REST: ({}, {"free": (towns.free(0, 9, rested_from=towns.MORNING + towns.hours(4)),)}),
    Rule.WEEK_FULL: ({}, {"weeks": {towns.MONDAY: Week(2600, 2640)}}),
}


@pytest.fixture(params=[batches.solve, day_plans.solve], ids=["batch", "day"])
def solved(request):
    """The solution of demands and caregivers, as single visits and as a day of several."""
    return lambda demands, caregivers, **more: (
        request.param(towns.problem(demands, caregivers, **more)).solution
    )


@pytest.fixture
def reasons(solved):
    """Why a demand is unserved."""
    return lambda demand, *caregivers: [one.rule for one in solved([demand], caregivers).unserved]


@pytest.mark.parametrize("rule", ONE_PAIR)
def test_each_rule_keeps_two_apart_and_is_named(rule, reasons):
    for_demand, for_caregiver = ONE_PAIR[rule]

    assert reasons(towns.demand(), towns.caregiver()) == []
    assert reasons(towns.demand(**for_demand), towns.caregiver(**for_caregiver)) == [rule]


def test_every_rule_is_tried():
    assert {*ONE_PAIR, Rule.NOBODY, Rule.FORBIDDEN, Rule.WANTED} == set(Rule)


def test_the_rule_that_leaves_nobody_is_the_reason():
    demand = towns.demand(certificates=frozenset({"nursing"}))
    without, away = (
        towns.caregiver(1),
        towns.caregiver(2, certificates=demand.certificates, free=()),
    )
    batch = batches.solve(towns.problem([demand], [without, away]))

    assert [one.rule for one in batch.solution.unserved] == [Rule.FREE_TIME]
    left = rules.left_by(batch.columns, 0)
    assert (left[Rule.SKILL], left[Rule.CERTIFICATE], left[Rule.FREE_TIME]) == (1, 1, 0)


def test_a_caregiver_who_will_not_go_to_a_recipient_is_not_sent(reasons):
    assert reasons(towns.demand(), towns.caregiver(refuses=frozenset({1}))) == [Rule.REFUSED]


def test_one_who_has_been_there_is_no_stranger(reasons):
    assert not reasons(towns.demand(strangers=False, visits_by={1: 1}), towns.caregiver())


def test_she_must_get_to_her_next_visit_in_time(reasons):
    demand = towns.demand(windows=(towns.window(1, 3),))

    assert reasons(demand, towns.caregiver(free=(towns.free(0, 3.2, goes_to=FAR),))) == [
        Rule.TRAVEL
    ]
    assert not reasons(demand, towns.caregiver(free=(towns.free(0, 6, goes_to=FAR),)))


def test_live_in_care_has_times_of_its_own_and_no_weekly_cap(reasons):
    demand = towns.demand(minutes=48 * 60, windows=(towns.window(0, 48),))
    week = {towns.MONDAY: Week(2600, 2640)}
    by_day = towns.caregiver(free=(towns.free(0, 72),))
    live_in = towns.caregiver(free=(towns.free(0, 72, live_in=True),), weeks=week)

    assert reasons(demand, by_day) == [Rule.FREE_TIME]
    assert not reasons(demand, live_in)


def test_the_second_window_serves_where_the_first_does_not(solved):
    demand = towns.demand(windows=(towns.window(0, 2), towns.window(6, 9)))
    solution = solved([demand], [towns.caregiver(free=(towns.free(5, 10),))])

    assert solution.assignments[0].starts_at == towns.MORNING + towns.hours(6)


def test_a_price_under_the_range_is_lifted_into_it(solved):
    solution = solved([towns.demand(lowest_fen=7500)], [towns.caregiver()])

    assert solution.assignments[0].price_fen == 7500


def test_without_caregivers_nobody_comes(reasons):
    assert reasons(towns.demand()) == [Rule.NOBODY]


def test_without_demands_there_is_nothing_to_do(solved):
    assert solved([], [towns.caregiver()]) == solved([], [])
    assert solved([], []).cost == 0


def test_a_demand_without_any_window_is_shorter_than_its_visit(reasons):
    assert reasons(towns.demand(windows=()), towns.caregiver()) == [Rule.WINDOW]


def test_a_demand_in_nobodys_radius_is_too_far(reasons):
    found = reasons(towns.demand(point=FAR), *(towns.caregiver(n) for n in range(1, 9)))

    assert found == [Rule.TOO_FAR]


@pytest.mark.parametrize("point", [NOWHERE, Point(inf, 32), Point(120, -91), Point(181, 32)])
def test_a_point_that_is_none_is_no_place_and_harms_nobody_else(point, solved):
    lost, well = towns.demand(1, point=point), towns.demand(2)
    solution = solved([lost, well], [towns.caregiver(1, point=point), towns.caregiver(2)])

    assert [one.rule for one in solution.unserved] == [Rule.NO_PLACE]
    assert solution.who == {2: 2}


def test_a_radius_that_is_none_reaches_nothing_and_harms_nobody_else(solved):
    near = towns.near(east=1)
    solution = solved(
        [towns.demand(1), towns.demand(2)],
        [towns.caregiver(1, point=near, radius_km=nan), towns.caregiver(2, point=near)],
    )

    assert set(solution.who.values()) == {2}


def test_all_infeasible_is_said_of_each(solved):
    demands = [towns.demand(n, sex="male") for n in range(1, 40)]
    solution = solved(demands, [towns.caregiver(n, sex="female") for n in range(1, 40)])

    assert {one.rule for one in solution.unserved} == {Rule.SEX}
    assert len(solution.unserved) == 39


def test_one_caregiver_for_everything_goes_where_it_is_most_urgent(solved):
    soon = towns.demand(1, windows=(towns.window(0, 2),))
    later = towns.demand(2, windows=(towns.window(1, 3),))
    solution = solved([later, soon], [towns.caregiver()])

    assert solution.who == {1: 1}
    assert [one.rule for one in solution.unserved] == [Rule.WANTED]


def test_twins_are_told_apart_by_their_ids(solved):
    demands = [towns.demand(n, windows=(towns.window(1, 3),)) for n in (1, 2)]
    twins = [towns.caregiver(n) for n in (5, 3)]

    assert solved(demands, twins).who == solved(demands, reversed(twins)).who
    assert set(solved(demands, twins).who.values()) == {3, 5}


def test_two_with_the_same_id_are_a_mistake():
    with pytest.raises(ValueError, match="same id"):
        towns.problem([towns.demand(1), towns.demand(1)], [])


def test_a_naive_moment_is_a_mistake(solved):
    window = replace(towns.window(1, 3), opens_at=towns.MORNING.replace(tzinfo=None))
    with pytest.raises(ValueError, match="naive"):
        solved([towns.demand(windows=(window,))], [towns.caregiver()])


@pytest.mark.parametrize("weight", [-1, nan, inf, -inf, MOST + 1, 1e300])
@pytest.mark.parametrize("name", [one.name for one in fields(Weights)])
def test_a_weight_that_is_none_is_refused_by_its_name(name, weight):
    with pytest.raises(Invalid) as refused:
        Weights(**{name: weight})

    assert refused.value.key == "error.number_out_of_range"
    assert refused.value.values["field"] == f"weight_{name}"


def test_weights_of_nothing_and_the_greatest_ones_are_as_good_as_any():
    names = [one.name for one in fields(Weights)]
    for weight in (0, MOST):
        problem = towns.town(9, 6, 6, weights=Weights(**dict.fromkeys(names, weight)))
        solution = batches.solve(problem).solution

        checker.check(problem, solution)
        assert solution.cost == pytest.approx(checker.least(problem), rel=1e-4, abs=0.05)


def test_a_term_that_weighs_nothing_is_not_said(solved):
    solution = solved([towns.demand()], [towns.caregiver()], weights=Weights(rating=0))

    assert Term.RATING not in solution.assignments[0].terms


def test_a_newcomer_is_neither_flooded_nor_forgotten():
    old = [towns.caregiver(n, worked_minutes=8 * 1200, weeks_present=8) for n in range(2, 12)]
    costs = {}
    for weeks, worked in ((0, 0), (8, 0), (8, 8 * 1200)):
        her = towns.caregiver(1, worked_minutes=worked, weeks_present=weeks)
        batch = batches.solve(towns.problem([towns.demand()], [her, *old]))
        row = batch.columns.row_of_caregiver[1]
        costs[weeks, worked] = batch.columns.hours_share[row]

    assert costs[0, 0] == pytest.approx(1)
    assert costs[8, 0] < 0.3
    assert costs[8, 8 * 1200] == pytest.approx(1)


def test_five_thousand_demands_are_no_trouble():
    problem = towns.town(1, 5_000, 200)
    solution = batches.solve(problem).solution

    assert len(solution.assignments) + len(solution.unserved) == 5_000
    assert len(solution.assignments) > 150
    assert all(one.ends_at - one.starts_at >= timedelta(hours=1) for one in solution.assignments)
