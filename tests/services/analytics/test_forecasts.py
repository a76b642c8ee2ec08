"""Forecasts: the line, the band and the year's rhythm, computed once more in another way."""

from datetime import date, timedelta
from math import cos, tau
from random import Random

import pandas as pd
import pytest

from services.analytics import forecasts

MONDAY = date(2023, 1, 2)


def weekly(values):
    weeks = [MONDAY + timedelta(weeks=number) for number in range(len(values))]
    return pd.Series(values, index=weeks, dtype=float)


def line(points):
    """Level at the last week and slope a week of the straight line through (week, value)."""
    count = len(points)
    mean_x, mean_y = (sum(one) / count for one in zip(*points, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum(
        (x - mean_x) ** 2 for x, _ in points
    )
    return mean_y - slope * mean_x, slope


def expected(values):
    """The four weeks after the values: the line of the last 26, its slope less by a tenth each."""
    last = len(values) - 1
    points = [(n - last, v) for n, v in enumerate(values) if n > last - 26 and v is not None]
    level, slope = line(points)
    ahead, reach = [], 0.0
    for number in range(1, 5):
        reach += 0.9**number
        ahead.append(max(level + slope * reach, 0))
    return ahead


def noise(count, seed=1):
    chance = Random(seed)
    return [50 + number / 4 + chance.gauss(0, 5) for number in range(count)]


def test_fewer_than_ten_weeks_are_too_little():
    assert forecasts.ahead(weekly(noise(9))) is None
    assert forecasts.ahead(weekly(noise(10))) is not None


def test_what_is_not_told_counts_as_no_week():
    values = noise(14)
    values[3:8] = [None] * 5
    assert forecasts.known_weeks(weekly(values)) == 9
    assert forecasts.ahead(weekly(values)) is None


def test_nothing_at_all_is_too_little():
    assert forecasts.ahead(weekly([])) is None


@pytest.mark.parametrize("count", [11, 30, 80])
def test_the_line_goes_on_damped(count):
    values = noise(count)
    values[5] = None
    said = forecasts.ahead(weekly([*values]))
    assert said.weeks[0] == MONDAY + timedelta(weeks=count)
    assert said.expected == pytest.approx(expected(values))


def test_the_band_is_as_wide_as_forecasts_were_off():
    values = noise(40)
    said = forecasts.ahead(weekly(values))
    widths = []
    for steps in range(1, 5):
        missed = sorted(
            abs(values[origin + steps - 1] - expected(values[:origin])[steps - 1])
            for origin in range(5, len(values) - steps + 1)
        )
        rank = -(-(len(missed) + 1) * 8 // 10)  # The split conformal rank for 80 %.
        widths.append(max([missed[min(rank, len(missed)) - 1], *widths[-1:]]))
    assert said.high == pytest.approx([e + w for e, w in zip(said.expected, widths, strict=True)])
    assert said.low == pytest.approx(
        [max(e - w, 0) for e, w in zip(said.expected, widths, strict=True)]
    )


def test_nothing_below_nothing_is_expected():
    said = forecasts.ahead(weekly([40 - 3 * number for number in range(12)]))
    assert min(said.expected) >= 0
    assert min(said.low) >= 0


def test_after_two_years_the_rhythm_of_the_year_is_followed():
    season = [100 * (1 + 0.5 * cos(tau * number / 52)) for number in range(160)]
    followed, flat = (forecasts.ahead(weekly(season[:count])) for count in (156, 90))
    for number, came in enumerate(season[156:160]):
        assert followed.expected[number] == pytest.approx(came, rel=0.1)
    # Before, the line alone goes on: here it still falls when the season turns up.
    assert flat.expected == pytest.approx(expected(season[:90]))


def test_four_in_five_of_what_comes_lies_in_the_band():
    within = []
    for seed in range(60):
        chance = Random(seed)
        values = [chance.gauss(60, 8) for _ in range(64)]
        said = forecasts.ahead(weekly(values[:60]))
        within += [
            low <= came <= high
            for low, came, high in zip(said.low, values[60:], said.high, strict=True)
        ]
    assert 0.7 < sum(within) / len(within) < 0.95
