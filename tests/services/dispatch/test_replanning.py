"""Illness and no-shows: as little changes as it must."""

import pytest

from services.dispatch import batches, replanning
from services.dispatch.weights import Term, Weights
from tests.services.dispatch import checker, towns


def absent(problem, who):
    return replanning.absent(problem, who, towns.MORNING, towns.MORNING + towns.hours(12))


@pytest.mark.parametrize("seed", range(10))
def test_one_falls_ill_and_no_more_change_than_must(seed):
    problem = towns.town(seed, 20, 30)
    before = batches.solve(problem).solution
    ill = before.assignments[0].caregiver_id
    changed = absent(problem, ill)
    replan = replanning.replan(changed, before.who, batches.solve)

    solution = replan.plan.solution
    promised = towns.problem(
        changed.demands, changed.caregivers, weights=changed.weights, before=before.who
    )
    checker.check(promised, solution)
    assert ill not in solution.who.values()
    assert sorted(replan.kept + replan.moved + replan.lost) == sorted(before.who)
    fresh = batches.solve(changed).solution
    moves = sum(fresh.who.get(one) != who for one, who in before.who.items())
    assert len(replan.moved) + len(replan.lost) <= moves


def test_nothing_changes_if_nothing_happened():
    problem = towns.town(3, 40, 40)
    before = batches.solve(problem).solution.who
    replan = replanning.replan(problem, before, batches.solve)

    assert (replan.kept, replan.moved, replan.lost) == (tuple(sorted(before)), (), ())


def test_a_promise_is_kept_unless_more_than_its_price_is_gained():
    near, far = towns.caregiver(1), towns.caregiver(2, point=towns.near(east=12))
    for price, kept in ((240, True), (10, False)):
        problem = towns.problem([towns.demand()], [near, far], weights=Weights(change=price))
        replan = replanning.replan(problem, {1: 2}, batches.solve)

        assert bool(replan.kept) is kept
        (line,) = replan.plan.solution.assignments
        assert line.terms[Term.CHANGE] == (0 if kept else price)


def test_a_demand_that_is_new_is_gained():
    problem = towns.problem(
        [towns.demand(1), towns.demand(2)], [towns.caregiver(1), towns.caregiver(2)]
    )
    replan = replanning.replan(problem, {1: 1}, batches.solve)

    assert (replan.kept, replan.gained) == ((1,), (2,))


def test_an_absence_cuts_what_it_touches():
    free = towns.free(0, 10, comes_from=towns.near(1), goes_to=towns.near(2))
    caregiver = towns.caregiver(free=(free, towns.free(11, 12)))
    away = replanning.absent(
        towns.problem([], [caregiver]),
        1,
        towns.MORNING + towns.hours(2),
        towns.MORNING + towns.hours(4),
    )

    assert away.caregivers[0].free == (
        towns.free(0, 2, comes_from=towns.near(1)),
        towns.free(4, 10, goes_to=towns.near(2)),
        towns.free(11, 12),
    )
