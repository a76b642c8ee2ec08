"""Single visits: the cheapest choice, checked against trying everything and against SciPy."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from services.dispatch import batches, costs, flow
from services.dispatch.results import Quality
from services.dispatch.rules import Rule
from tests.services.dispatch import checker, towns

SMALL, PARTS = 2_000, 8


@pytest.mark.parametrize("part", range(PARTS))
def test_no_choice_in_a_small_town_is_cheaper(part):
    served = 0
    for seed in range(part, SMALL, PARTS):
        problem = towns.town(seed, 2 + seed % 5, 2 + seed % 4)
        solution = batches.solve(problem).solution

        checker.check(problem, solution)
        served += len(solution.assignments)
        assert solution.cost == pytest.approx(checker.least(problem), abs=0.05), seed
        assert solution.quality is Quality.OPTIMAL
    assert served > SMALL / PARTS


@pytest.mark.parametrize(("demands", "caregivers"), [(80, 80), (300, 120), (120, 300), (600, 600)])
def test_a_larger_town_costs_what_scipy_finds(demands, caregivers):
    batch = batches.solve(towns.town(7, demands, caregivers))
    nobody = costs.unserved(batch.columns)
    dense = np.repeat(nobody[:, None], max(demands, caregivers) + demands, axis=1)
    dense[batch.pairs.d, batch.pairs.c] = batch.pairs.costs
    least = dense[linear_sum_assignment(dense)].sum()

    assert batch.solution.cost / least == pytest.approx(1, abs=0.001)


def test_every_line_of_a_larger_town_holds():
    problem = towns.town(11, 150, 120)

    checker.check(problem, batches.solve(problem).solution)


def test_the_feasible_pairs_are_those_that_break_no_rule():
    problem = towns.town(3, 60, 60)
    batch = batches.solve(problem)
    found = {
        (batch.columns.demands[d].id, batch.columns.caregivers[c].id): cost
        for d, c, cost in zip(batch.pairs.d, batch.pairs.c, batch.pairs.costs, strict=True)
    }

    assert found == pytest.approx(checker.costs(problem), abs=0.02)
    assert len(found) > 200


def test_the_prices_prove_it():
    batch = batches.solve(towns.town(5, 100, 90))
    bids = flow.Bids(
        batch.pairs.d,
        batch.pairs.c,
        np.rint(batch.pairs.costs * batches.SCALE).astype(np.int64),
        np.rint(costs.unserved(batch.columns) * batches.SCALE).astype(np.int64),
        90,
    )
    choice = flow.cheapest(bids)

    asked = choice.price_of_demand[bids.d] - choice.price_of_caregiver[bids.c]
    assert (asked <= bids.costs).all()
    assert (choice.price_of_demand <= bids.nobody).all()
    assert (choice.price_of_caregiver >= 0).all()
    assert choice.price_of_demand.sum() - choice.price_of_caregiver.sum() == choice.cost


def test_the_same_problem_has_the_same_answer():
    problem = towns.town(2, 200, 150)
    turned = towns.problem(reversed(problem.demands), reversed(problem.caregivers))

    first, again, other = (batches.solve(one).solution for one in (problem, problem, turned))
    assert first == again == other


def test_a_pin_holds_and_the_rest_is_as_cheap_as_it_can_be():
    problem = towns.town(4, 6, 5)
    plain = batches.solve(problem)
    for d, c in zip(plain.pairs.d, plain.pairs.c, strict=True):
        pin = plain.columns.demands[d].id, plain.columns.caregivers[c].id
        forced = towns.problem(problem.demands, problem.caregivers, pins=dict([pin]))
        solution = batches.solve(forced).solution

        forbidden = {
            (one.id, other.id)
            for one in problem.demands
            for other in problem.caregivers
            if (one.id == pin[0]) != (other.id == pin[1])
        }
        rest = towns.problem(problem.demands, problem.caregivers, forbidden=frozenset(forbidden))
        assert solution.who[pin[0]] == pin[1]
        assert solution.cost == pytest.approx(checker.least(rest), abs=0.05)


def test_a_pin_that_cannot_hold_says_why():
    forced = towns.problem(
        [towns.demand(1), towns.demand(2)],
        [towns.caregiver(1, certificates=frozenset()), towns.caregiver(2, free=())],
        pins={1: 2, 2: 99},
    )
    solution = batches.solve(forced).solution

    assert [one.rule for one in solution.unserved] == [Rule.FREE_TIME, Rule.NOBODY]


def test_whom_the_operator_forbids_does_not_come():
    forced = towns.problem([towns.demand()], [towns.caregiver(7)], forbidden=frozenset({(1, 7)}))

    assert [one.rule for one in batches.solve(forced).solution.unserved] == [Rule.FORBIDDEN]


def test_the_engine_needs_no_database_and_no_screen():
    told = (
        "import sys; from services.dispatch import batches, counterfactuals, insertions,"
        " day_plans, explaining, fairness;"
        " print(sorted({'streamlit', 'sqlalchemy', 'data'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True)

    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
