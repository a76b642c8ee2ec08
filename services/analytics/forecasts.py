"""What the next weeks may bring, and how far such forecasts have been off so far."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

FEWEST_WEEKS = 10
AHEAD = 4
COVERED = 0.8
_FITTED = 26  # Weeks the trend is drawn through.
_DAMPING = 0.9
_FEWEST_FITTED = 5
_YEAR = 52
_ORIGINS = 52  # From how many weeks back forecasts are made again, to see how far they were off.
_SMALLEST_SHARE = 0.1  # Of the mean of the year; a week of nothing would divide by nothing.


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected in each of the next weeks, and the band around it."""

    weeks: tuple[date, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def known_weeks(weekly: pd.Series) -> int:
    """How many of the weeks a trend is drawn through are known."""
    return int(weekly.iloc[-_FITTED:].notna().sum())


def ahead(weekly: pd.Series) -> Forecast | None:
    """The four weeks after the last; None if fewer than ten of the last 26 are known.

    `weekly` is a value or NaN for each Monday, none left out. The trend is the straight line
    through the last 26 weeks by least squares, its slope a tenth less with each week ahead; with
    two years behind it, it follows the weeks of the year. The band is as wide as four in five
    forecasts made in this way in the last year were off, for so many weeks ahead (split conformal
    prediction; with few of them, as the worst), and never narrower than for a week less.
    """
    if known_weeks(weekly) < FEWEST_WEEKS:
        return None
    values = weekly.to_numpy(dtype=float)
    mondays = list(weekly.index)
    coming = [mondays[-1] + timedelta(weeks=number) for number in range(1, AHEAD + 1)]
    seasons = np.array([min(day.isocalendar().week, _YEAR) for day in mondays + coming])
    expected = _expected(values, seasons)
    off = np.maximum.accumulate(_misses(values, seasons))
    return Forecast(
        tuple(coming),
        tuple(expected.tolist()),
        tuple(np.maximum(expected - off, 0).tolist()),
        tuple((expected + off).tolist()),
    )


def _expected(values: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """The weeks after the values; `seasons` names the week of the year of both."""
    factors = _factors(values, seasons)
    recent = (values / factors[: len(values)])[-_FITTED:]
    back = np.arange(1 - len(recent), 1)
    known = ~np.isnan(recent)
    slope, level = np.polyfit(back[known], recent[known], 1)
    damped = np.cumsum(_DAMPING ** np.arange(1, AHEAD + 1))
    return np.maximum((level + slope * damped) * factors[len(values) :], 0)


def _factors(values: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """How each week of the year compares with the year around it, with its neighbours smoothed."""
    if np.count_nonzero(~np.isnan(values)) < 2 * _YEAR:
        return np.ones(len(seasons))
    around = pd.Series(values).rolling(_YEAR, center=True, min_periods=_YEAR // 2).mean()
    shares = pd.Series(values / around.where(around > 0).to_numpy())
    known = seasons[: len(values)]
    of_week = np.ones(_YEAR)
    for number in range(_YEAR):
        near = np.isin((known - 1 - number) % _YEAR, (_YEAR - 1, 0, 1))
        if (here := shares[near].dropna()).size:
            of_week[number] = max(float(here.mean()), _SMALLEST_SHARE)
    return (of_week / of_week.mean())[seasons - 1]


def _misses(values: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """How far forecasts were off, by weeks ahead, as far back as they can be made again."""
    missed: list[list[float]] = [[] for _ in range(AHEAD)]
    for origin in range(max(len(values) - _ORIGINS, _FEWEST_FITTED), len(values)):
        past = values[:origin]
        if np.count_nonzero(~np.isnan(past[-_FITTED:])) < _FEWEST_FITTED:
            continue
        said = _expected(past, seasons[: origin + AHEAD])
        for number, came in enumerate(values[origin : origin + AHEAD]):
            if not np.isnan(came):
                missed[number].append(abs(came - said[number]))
    return np.array([_enough_for(sorted(one)) for one in missed])


def _enough_for(missed: list[float]) -> float:
    """What so large a share of the next ones will not exceed, if they are like these."""
    if not missed:
        return 0.0
    rank = int(np.ceil((len(missed) + 1) * COVERED))
    return missed[min(rank, len(missed)) - 1]
