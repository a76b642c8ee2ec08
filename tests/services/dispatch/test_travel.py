"""Ways: by a straight line and the hour, and by somebody's tables."""

from datetime import timedelta

import numpy as np
import pytest

from services.dispatch import batches
from services.dispatch.travel import StraightLine, Tables, kilometres, minutes_of
from tests.services.dispatch import checker, towns

POINTS = np.array([towns.near(n % 7 * 3, n % 5 * 4) for n in range(30)], float)


class Asked(Tables):
    """A table of straight lines that notes how often it is asked."""

    def __init__(self):
        self.times = 0

    def matrix(self, origins, destinations, at):
        self.times += 1
        return StraightLine().matrix(origins, destinations, at)


def test_a_straight_line_is_as_long_as_on_the_globe():
    found = kilometres(POINTS[:, None], POINTS[None])
    for row, here in enumerate(POINTS.tolist()):
        for column, there in enumerate(POINTS.tolist()):
            expected = checker.kilometres(tuple(here), tuple(there))
            assert found[row, column] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_ways_take_longer_in_the_rush_hour():
    eight = towns.NOW + timedelta(hours=2)
    slow, fast = (
        StraightLine().matrix(POINTS[:1], POINTS[1:2], at)[0, 0]
        for at in (eight, eight + timedelta(hours=2))
    )

    assert slow / fast == pytest.approx(25 / 18)


def test_pairs_and_tables_tell_the_same():
    at = [towns.NOW + timedelta(hours=n % 5) for n in range(30)]
    plain = StraightLine().pairs(POINTS, POINTS[::-1], np.array([minutes_of(one) for one in at]))
    by_table = [
        StraightLine().matrix(POINTS[n : n + 1], POINTS[29 - n : 30 - n], at[n])[0, 0]
        for n in range(30)
    ]

    assert plain == pytest.approx(by_table)


def test_a_provider_of_tables_is_asked_once_an_hour_and_plans_the_same():
    tables = Asked()
    problem = towns.town(5, 20, 20)
    plain = batches.solve(problem).solution
    asked = batches.solve(
        towns.problem(problem.demands, problem.caregivers, travel=tables)
    ).solution

    assert (asked.who, asked.cost) == (plain.who, pytest.approx(plain.cost))
    # Home and back, from and to her other visits, and the lines that are shown: by the hour.
    assert tables.times < 150
