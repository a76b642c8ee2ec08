"""How even hours and pay are, how many faces, before and after a run."""

from itertools import product

import pytest

from benchmarks import dispatch
from services.dispatch import batches, fairness
from services.dispatch.fairness import Spread
from services.dispatch.weights import Weights
from tests.services.dispatch import towns


def by_pairs(values):
    """Gini's coefficient as its definition has it."""
    apart = sum(abs(one - other) for one, other in product(values, repeat=2))
    return apart / (2 * len(values) * sum(values))


@pytest.mark.parametrize("values", [[1, 1, 1], [0, 0, 5], [1, 2, 3, 10], [7]])
def test_gini_is_half_the_mean_difference_over_the_mean(values):
    assert fairness.gini(values) == pytest.approx(by_pairs(values))


def test_where_nobody_has_anything_all_are_alike():
    assert fairness.spread([]) == fairness.spread([0, 0]) == Spread(0, 0, 0)


def test_eight_weeks_are_far_more_even_than_nearest_first_at_hardly_more_travel():
    travel, gini = dispatch.lived(Weights())
    nearest_travel, nearest_gini = dispatch.lived(None)

    assert travel <= nearest_travel * 1.05
    assert gini <= nearest_gini * 0.6


def test_a_run_adds_its_hours_pay_and_faces():
    caregivers = [
        towns.caregiver(1, worked_minutes=1200, earned_fen=100_000, weeks_present=2),
        towns.caregiver(2, worked_minutes=0, earned_fen=0, weeks_present=2),
        towns.caregiver(3, verified=False, worked_minutes=99_999),
    ]
    demand = towns.demand(1, units=2, visits_by={1: 3})
    problem = towns.problem([demand], caregivers, pins={1: 2})
    before = fairness.measure(problem)
    after = fairness.measure(problem, batches.solve(problem).solution.assignments)

    assert (before.hours, before.faces) == (Spread(0.5, 0, 10), {1: 1})
    assert before.pay == Spread(0.5, 0, 50_000)
    assert (after.hours.least, after.hours.most, after.faces) == (1, 10, {1: 2})
    assert (after.pay.least, after.pay.most) == (7_000, 50_000)
    assert after.hours.gini < before.hours.gini
