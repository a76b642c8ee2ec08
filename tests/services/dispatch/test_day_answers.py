"""What a plan of a day answers: each difference, price and change is computed or solved anew."""

from dataclasses import replace
from itertools import product

import pytest

from services.dispatch import batches, counterfactuals, day_plans, explaining, routes, rules
from services.dispatch.counterfactuals import HigherPrice, LaterStart, MoreCaregivers
from services.dispatch.rules import Rule
from services.dispatch.weights import Term
from services.errors import NotFound
from tests.services.dispatch import checker, days, towns

PLENTY = 60.0
OF_ROUTE = {Term.TRAVEL, Term.SATURATION, Term.CONTINUITY}


@pytest.fixture(scope="module")
def plan():
    return day_plans.solve(days.day(12, 24, 18), PLENTY)


def tries(plan, demand_id, instead=None):
    """By caregiver the least that a visit adds to what her routes cost, maybe for another one."""
    ground, d = plan.ground, plan.columns.row_of_demand[demand_id]
    gone = {d, plan.columns.row_of_demand.get(instead)}
    without = {s: tuple(one for one in r if one not in gone) for s, r in plan.routes.items()}
    alone, found = routes.cost(ground, without), {}
    for shift, own in enumerate(ground.shifts):
        route = without.get(shift, ())
        for at in range(len(route) + 1):
            longer = {**without, shift: (*route[:at], d, *route[at:])}
            if (
                ground.allowed[shift, d]
                and routes.starts(ground, shift, longer[shift]) is not None
                and routes.fits_week(ground, own.c, longer)
            ):
                who = plan.columns.caregivers[own.c].id
                more = routes.cost(ground, longer) - alone
                found[who] = min(more, found.get(who, more))
    return found


def single(plan, visit):
    """The terms that do not depend on the route, as the checker has them."""
    problem = plan.columns.problem
    demand = next(one for one in problem.demands if one.id == visit.demand_id)
    her = next(one for one in problem.caregivers if one.id == visit.caregiver_id)
    terms = checker.terms(problem, demand, her, 0)
    return {term: cost for term, cost in terms.items() if term not in OF_ROUTE}


def test_each_difference_to_the_next_two_is_true(plan):
    compared = 0
    for line in plan.solution.assignments:
        told = explaining.explain(plan, line.demand_id)
        chosen = told.chosen.visit

        assert (chosen.caregiver_id, chosen.starts_at, chosen.ends_at, chosen.price_fen) == (
            line.caregiver_id,
            line.starts_at,
            line.ends_at,
            line.price_fen,
        )
        assert chosen.cost == pytest.approx(tries(plan, line.demand_id)[line.caregiver_id])
        for rival in told.rivals:
            visit, elsewhere = rival.candidate.visit, rival.candidate.elsewhere
            hers = tries(plan, line.demand_id, elsewhere)[visit.caregiver_id]
            assert rival.cost == pytest.approx(hers - chosen.cost)
            mine, hers = single(plan, chosen), single(plan, visit)
            for term in set(Term) - OF_ROUTE:
                difference = hers.get(term, 0) - mine.get(term, 0)
                assert rival.more.get(term, 0) == pytest.approx(difference, abs=0.01)
            assert rival.more[Term.TRAVEL] == pytest.approx(visit.way_minutes - chosen.way_minutes)
            compared += 1
    assert compared > 30


def test_the_recommended_are_the_cheapest_places_in_anybodys_route(plan):
    for demand in plan.columns.demands:
        best = sorted(tries(plan, demand.id).values())[:5]
        told = explaining.recommended(plan, demand.id)
        free = [one.visit.cost for one in told if one.elsewhere is None]

        assert free == pytest.approx(best)
        assert len({one.visit.caregiver_id for one in told}) == len(told)


def test_who_is_full_is_recommended_for_what_she_would_then_not_do():
    told = 0
    for seed in range(3):
        plan = day_plans.solve(days.day(72 + seed, 40, 5), PLENTY)
        who = plan.solution.who
        for line in plan.solution.unserved:
            for one in explaining.recommended(plan, line.demand_id):
                her = one.visit.caregiver_id
                hers = {d for d, other in who.items() if other == her}
                assert {one.elsewhere, *one.beside} == hers
                assert one.elsewhere not in one.beside
                cost = tries(plan, line.demand_id, one.elsewhere)[her]
                assert one.visit.cost == pytest.approx(cost)
                told += 1
    assert told > 8


def test_nobody_is_recommended_for_a_visit_that_somebody_is_pinned_to():
    demands = [towns.demand(n, windows=(towns.window(1, 3),)) for n in (1, 2)]
    plan = day_plans.solve(towns.problem(demands, [towns.caregiver()], pins={1: 1}), PLENTY)

    assert explaining.recommended(plan, 2) == []


def test_a_week_has_what_is_booked_and_the_other_visits_of_the_plan(plan):
    minutes = {one.id: one.minutes for one in plan.columns.demands}
    for line in plan.solution.assignments:
        for one in explaining.recommended(plan, line.demand_id):
            her = one.visit.caregiver_id
            week = plan.columns.caregivers[plan.columns.row_of_caregiver[her]].weeks[towns.MONDAY]
            hers = {d for d, who in plan.solution.who.items() if who == her}

            assert set(one.beside) == hers - {line.demand_id, one.elsewhere}
            beside = sum(minutes[other] for other in one.beside)
            assert (one.booked, one.available) == (week.booked + beside, week.available)


def test_a_pin_costs_what_the_whole_then_costs_more():
    plan = day_plans.solve(days.day(5, 14, 5), PLENTY)
    columns, held = plan.columns, 0
    for demand, her in product(columns.demands, columns.caregivers):
        price = explaining.pin_cost(plan, demand.id, her.id)
        rule = rules.impossible(columns, columns.row_of_demand[demand.id]) or rules.blocking(
            columns, columns.row_of_demand[demand.id], columns.row_of_caregiver[her.id]
        )
        if rule:
            assert price is rule
            continue
        other = explaining.pinned(plan, demand.id, her.id)
        days.check(columns.problem, other.solution)
        assert other.solution.who[demand.id] == her.id
        assert price == pytest.approx(whole(other) - whole(plan))
        held += 1
    assert held > 20


def test_a_pin_is_not_credited_with_what_nobody_had_found_before():
    plan = day_plans.solve(days.day(70, 30, 8), 0.0)
    left = {one.demand_id for one in plan.solution.unserved}
    tried = 0
    for line in plan.solution.assignments:
        for one in explaining.recommended(plan, line.demand_id):
            other = explaining.pinned(plan, line.demand_id, one.visit.caregiver_id)
            assert left <= {one.demand_id for one in other.solution.unserved}
            tried += 1
    assert tried > 20


def whole(plan):
    """What routes cost and those whom nobody visits."""
    left = sum(one.cost for one in plan.solution.unserved)
    return routes.cost(plan.ground, plan.routes) + left


def test_what_another_pin_keeps_her_from_is_wanted_elsewhere():
    demands = [towns.demand(n, windows=(towns.window(1, 3),)) for n in (1, 2)]
    for solve in (batches.solve, day_plans.solve):
        plan = solve(towns.problem(demands, [towns.caregiver()], pins={1: 1}))

        assert explaining.pin_cost(plan, 2, 1) is Rule.WANTED


def test_each_change_serves_the_demand():
    kinds = set()
    for seed in range(3):
        day = days.day(70 + seed, 18, 4)
        thrifty = [replace(one, highest_fen=9000 - one.id % 3 * 1500) for one in day.demands]
        plan = day_plans.solve(replace(day, demands=tuple(thrifty)), PLENTY)
        for line in plan.solution.unserved:
            for change in counterfactuals.changes(plan, line.demand_id):
                problem = counterfactuals.applied(plan.columns.problem, line.demand_id, change)
                again = plan.again(problem, line.demand_id)
                assert line.demand_id in again.solution.who
                assert line.demand_id in day_plans.solve(problem, PLENTY).solution.who, change
                kinds.add(type(change))
    assert kinds == {MoreCaregivers, HigherPrice, LaterStart}


@pytest.mark.parametrize("solve", [batches.solve, day_plans.solve])
def test_a_board_asks_either_plan_the_same_questions(solve):
    near, far = towns.caregiver(1), towns.caregiver(2, point=towns.near(east=5))
    served, dear = towns.demand(1), towns.demand(2, highest_fen=6000)
    plan = solve(towns.problem([served, dear], [near, far]))

    told = explaining.explain(plan, 1)
    assert told.chosen.visit.caregiver_id == 1
    assert [one.candidate.visit.caregiver_id for one in told.rivals] == [2]
    assert told.rivals[0].more[Term.TRAVEL] == pytest.approx(told.rivals[0].cost)
    assert [one.visit.caregiver_id for one in explaining.recommended(plan, 1)] == [1, 2]
    assert explaining.pin_cost(plan, 1, 2) == pytest.approx(told.rivals[0].cost)
    assert explaining.pin_cost(plan, 2, 1) is Rule.PRICE
    assert HigherPrice(1000) in counterfactuals.changes(plan, 2)
    with pytest.raises(NotFound):
        explaining.explain(plan, 2)
    with pytest.raises(NotFound):
        counterfactuals.changes(plan, 1)
    with pytest.raises(NotFound):
        explaining.recommended(plan, 99_999)
