"""Promises: what was to happen before something changed stays as far as it can."""

from dataclasses import replace

import pytest

from services.dispatch import batches
from services.dispatch.weights import Term, Weights
from tests.services.dispatch import checker, towns


@pytest.mark.parametrize("seed", range(10))
def test_one_falls_ill_and_no_more_change_than_must(seed):
    problem = towns.town(seed, 20, 30)
    before = batches.solve(problem).solution.who
    ill = next(iter(before.values()))
    changed = towns.without(problem, ill)
    promised = replace(changed, before=before)
    solution = batches.solve(promised).solution

    checker.check(promised, solution)
    assert ill not in solution.who.values()
    fresh = batches.solve(changed).solution
    assert len(towns.moved(before, solution.who)) <= len(towns.moved(before, fresh.who))


def test_nothing_changes_if_nothing_happened():
    problem = towns.town(3, 40, 40)
    before = batches.solve(problem).solution.who

    assert batches.solve(replace(problem, before=before)).solution.who == before


def test_a_promise_is_kept_unless_more_than_its_price_is_gained():
    near, far = towns.caregiver(1), towns.caregiver(2, point=towns.near(east=12))
    for price, kept in ((240, True), (10, False)):
        weights = Weights(change=price)
        problem = towns.problem([towns.demand()], [near, far], weights=weights, before={1: 2})
        (line,) = batches.solve(problem).solution.assignments

        assert (line.caregiver_id == 2) is kept
        assert line.terms[Term.CHANGE] == (0 if kept else price)


def test_a_demand_that_is_new_finds_somebody_beside_the_promises():
    problem = towns.problem(
        [towns.demand(1), towns.demand(2)],
        [towns.caregiver(1), towns.caregiver(2)],
        before={1: 1},
    )

    assert batches.solve(problem).solution.who == {1: 1, 2: 2}
