"""Days of several visits: every line is looked at anew, and small days have all orders tried."""

from dataclasses import fields, replace
from itertools import permutations, product
from random import Random

import pytest

from benchmarks import routing_peers
from services.dispatch import day_plans, explaining, routes, shifts
from services.dispatch.problem import Break, Week
from services.dispatch.results import Quality
from services.dispatch.rules import Rule
from services.dispatch.searching import Search
from services.dispatch.weights import MOST, Term, Weights
from tests.services.dispatch import days, towns

PLENTY = 60.0
ALIKE = Weights(saturation=0, hours=0, pay=0)


def solved(demands, caregivers, **more):
    return day_plans.solve(towns.problem(demands, caregivers, **more), PLENTY).solution


def least(problem):
    """The least any routes cost: all ways to part few visits among few shifts, in all orders."""
    ground = shifts.ground(problem)
    visits = range(len(ground.columns.demands))
    best = float("inf")
    for where in product(range(-1, len(ground.shifts)), repeat=len(visits)):
        if any(where[d] >= 0 and not ground.allowed[where[d], d] for d in visits):
            continue
        sets = [[d for d in visits if where[d] == shift] for shift in range(len(ground.shifts))]
        for orders in product(*(list(permutations(each)) for each in sets)):
            found = dict(enumerate(orders))
            if all(routes.starts(ground, *one) is not None for one in found.items()) and all(
                routes.fits_week(ground, ground.shifts[shift].c, found) for shift in found
            ):
                left = sum(float(ground.nobody[d]) for d in visits if where[d] < 0)
                best = min(best, routes.cost(ground, found) + left)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_every_line_of_a_day_holds(seed):
    problem = days.day(seed, 40, 12)
    plan = day_plans.solve(problem, PLENTY)

    days.check(problem, plan.solution)
    assert len(plan.solution.assignments) > 25
    left = sum(one.cost for one in plan.solution.unserved)
    assert plan.solution.cost == pytest.approx(routes.cost(plan.ground, plan.routes) + left)
    assert max(map(len, plan.routes.values())) > 2


@pytest.mark.parametrize("seed", range(25))
def test_a_small_day_is_nearly_as_cheap_as_it_can_be(seed):
    problem = days.day(50 + seed, 4, 2)
    plan = day_plans.solve(problem, PLENTY)

    assert plan.solution.quality is Quality.SETTLED
    assert plan.solution.cost <= least(problem) * 1.02 + 0.01


def test_one_caregiver_makes_all_visits_that_fit():
    demands = [towns.demand(n, windows=(towns.window(0, 10),)) for n in range(1, 8)]
    solution = solved(demands, [towns.caregiver()])

    assert len(solution.assignments) == 5
    assert {one.rule for one in solution.unserved} == {Rule.WANTED}


def test_a_recipient_sees_few_faces_and_known_ones_for_less():
    """Two who are alike share two recipients' days, each of whom keeps to one of them."""
    demands = [
        towns.demand(n, recipient_id=n % 2, windows=(towns.window(n, n + 1),), minutes=60)
        for n in range(8)
    ]
    people = [towns.caregiver(1), towns.caregiver(2)]
    plan = day_plans.solve(towns.problem(demands, people, weights=ALIKE), PLENTY)

    who = plan.solution.who
    assert all(len({who[n] for n in range(first, 8, 2)}) == 1 for first in (0, 1))
    known = [one.terms[Term.CONTINUITY] for one in plan.solution.assignments]
    assert known == pytest.approx([20, 20, 10, 10, 20 / 3, 20 / 3, 5, 5])
    left = sum(one.cost for one in plan.solution.unserved)
    assert plan.solution.cost == pytest.approx(routes.cost(plan.ground, plan.routes) + left)


def test_nobody_is_looked_at_but_some_and_a_bounded_plan_is_always_the_same():
    problem = days.day(3, 40, 12)
    among = {one.id for one in problem.caregivers[::2]}
    plans = [day_plans.bounded(problem, among, 60) for _ in range(2)]

    assert plans[0].solution == plans[1].solution
    assert set(plans[0].solution.who.values()) <= among
    days.check(problem, plans[0].solution)
    assert day_plans.bounded(problem, among, 10_000).solution.quality is Quality.SETTLED


def test_her_weeks_cap_holds_over_all_her_free_times():
    demands = [towns.demand(n, windows=(towns.window(0, 10),)) for n in range(1, 6)]
    her = towns.caregiver(
        free=(towns.free(0, 4), towns.free(5, 10)), weeks={towns.MONDAY: Week(2640 - 250, 2640)}
    )

    assert len(solved(demands, [her]).assignments) == 2


def test_a_break_is_kept_free():
    demands = [towns.demand(n, windows=(towns.window(0, 6),)) for n in (1, 2, 3)]
    noon = Break(towns.MORNING + towns.hours(2), towns.MORNING + towns.hours(4), 30)

    assert len(solved(demands, [towns.caregiver()]).assignments) == 3
    assert len(solved(demands, [towns.caregiver(breaks=(noon,))]).assignments) == 2


def test_nothing_to_do_and_nobody_to_do_it():
    assert solved([], [towns.caregiver()]).assignments == ()
    assert [one.rule for one in solved([towns.demand()], []).unserved] == [Rule.NOBODY]
    nowhere = towns.demand(point=towns.Point(float("nan"), 0.0))
    assert [one.rule for one in solved([nowhere], [towns.caregiver()]).unserved] == [Rule.NO_PLACE]


def test_a_budget_that_is_used_up_is_said_and_the_best_so_far_holds():
    problem = days.day(3, 120, 30)
    short, long = (day_plans.solve(problem, budget) for budget in (0.0, 1.0))

    assert short.solution.quality is long.solution.quality is Quality.BEST_SO_FAR
    days.check(problem, short.solution)
    days.check(problem, long.solution)
    assert long.solution.cost < short.solution.cost


def test_a_day_that_there_is_no_time_to_plan_as_a_whole_is_planned_in_pieces():
    problem = days.day(3, 60, 20)
    search = Search(shifts.ground(problem), Random(0))

    assert search.start(0.001, lambda: False)
    assert sum(map(len, search.routes.values())) > 10
    assert max(len(piece) for piece, *_ in search.tried) <= 6


@pytest.mark.parametrize("seed", range(3))
def test_no_day_costs_more_than_vroom_alone_would_make_of_it(seed):
    plan = day_plans.solve(days.day(seed, 60, 20), 1.0)
    alone = routing_peers.vroom(plan.ground, 0)
    made = {d for route in alone.values() for d in route}
    left = sum(cost for d, cost in enumerate(plan.ground.nobody.tolist()) if d not in made)

    assert plan.solution.cost <= routes.cost(plan.ground, alone) + left + 1e-6


@pytest.mark.parametrize("weight", [0, MOST])
def test_weights_of_nothing_and_the_greatest_ones_plan_days_that_hold(weight):
    names = [one.name for one in fields(Weights)]
    for other in (1, weight):
        weights = Weights(**dict.fromkeys(names, weight) | {"unserved": other, "saturation": 1})
        problem = days.day(5, 20, 8, weights=weights)

        days.check(problem, day_plans.solve(problem, PLENTY).solution)


def test_who_stops_it_gets_the_best_so_far():
    asked = iter([False, False, True])
    plan = day_plans.solve(days.day(3, 60, 20), PLENTY, lambda: next(asked))

    assert plan.solution.quality is Quality.BEST_SO_FAR
    assert plan.solution.assignments


def test_the_same_seed_gives_the_same_plan():
    problem = days.day(8, 25, 8, seed=4)

    assert day_plans.solve(problem, PLENTY).solution == day_plans.solve(problem, PLENTY).solution


def test_a_pin_holds():
    problem = days.day(9, 20, 8)
    plan = day_plans.solve(problem, PLENTY)
    line = plan.solution.assignments[0]
    other = explaining.explain(plan, line.demand_id).rivals[0].candidate.visit.caregiver_id
    pinned = replace(problem, pins={line.demand_id: other})

    assert day_plans.solve(pinned, PLENTY).solution.who[line.demand_id] == other


def test_who_falls_ill_is_replaced_and_the_others_stay():
    problem = days.day(10, 24, 10)
    before = day_plans.solve(problem, PLENTY).solution
    ill = before.assignments[0].caregiver_id
    promised = replace(towns.without(problem, ill), before=before.who)
    now = day_plans.solve(promised, PLENTY).solution.who

    hers = {one for one, who in before.who.items() if who == ill}
    assert ill not in now.values()
    assert len(towns.moved(before.who, now) - hers) <= 2


@pytest.mark.parametrize("seed", range(12))
def test_no_visit_of_a_settled_plan_costs_less_elsewhere(seed):
    plan = day_plans.solve(towns.town(seed, 14, 30, spread_km=20), 20)
    assert plan.solution.quality is Quality.SETTLED
    for line in plan.solution.assignments:
        first = plan.options(line.demand_id, 1)[0]
        assert first.visit.cost >= plan.sent(line.demand_id).visit.cost - 1e-6
