"""What it costs to send somebody, term by term, and what it costs to send nobody; in minutes."""

from collections.abc import Iterator

import numpy as np

from services.dispatch.columns import Columns, Rows
from services.dispatch.travel import Numbers, minutes_of
from services.dispatch.weights import Term

_AN_HOUR = 60
# Before that many minutes nothing is urgent.
_URGENT_WITHIN = 72 * 60


def total(columns: Columns, d: Rows, c: Rows, ways: Numbers) -> Numbers:
    """What each pair costs."""
    found = np.zeros(len(d))
    for _, costs in terms(columns, d, c, ways):
        found += costs
    return found


def terms(columns: Columns, d: Rows, c: Rows, ways: Numbers) -> Iterator[tuple[Term, Numbers]]:
    """What each pair costs by term, if it is all that she gets; none that weighs nothing."""
    weights = columns.problem.weights
    if weights.travel:
        yield Term.TRAVEL, weights.travel * ways
    if weights.saturation:
        yield Term.SATURATION, saturation(columns, d, c, columns.minutes[d])
    yield from of_pair(columns, d, c)


def of_pair(columns: Columns, d: Rows, c: Rows) -> Iterator[tuple[Term, Numbers]]:
    """The terms but for the way and her week, if it is all that she gets."""
    weights = columns.problem.weights
    hours = np.where(columns.live_in, 0, columns.minutes)[d] / _AN_HOUR
    if weights.rating:
        yield Term.RATING, (weights.rating * columns.stars_short)[c]
    if weights.hours:
        yield Term.HOURS, (weights.hours * columns.hours_share)[c] * hours
    if weights.pay:
        yield Term.PAY, (weights.pay * columns.pay_share)[c] * hours
    if weights.continuity:
        yield Term.CONTINUITY, continuity(columns, d, c)
    if weights.experience:
        yield Term.EXPERIENCE, weights.experience * columns.conditions.lacking(d, c)
    if weights.language:
        yield Term.LANGUAGE, weights.language * columns.languages.lacking(d, c)
    if weights.asking and len(columns.offered):
        asked = ~columns.among(d, c, columns.offered)
        yield Term.ASKING, np.where(columns.anybody_offers[d] & asked, weights.asking, 0.0)
    if weights.change and columns.problem.before:
        promised = columns.before[d]
        yield Term.CHANGE, weights.change * ((promised >= 0) & (promised != c))


def continuity(columns: Columns, d: Rows, c: Rows, met: Numbers | int = 0) -> Numbers:
    """The price of how little a recipient knows her who has `met` them in this plan before."""
    return columns.problem.weights.continuity / (1 + columns.visits(d, c) + met)


def met_again(columns: Columns, d: Rows, c: Rows, met: Numbers) -> Numbers:
    """How much less it costs because she has met a recipient in this plan before."""
    return continuity(columns, d, c) - continuity(columns, d, c, met)


def saturation(columns: Columns, d: Rows, c: Rows, minutes: Numbers) -> Numbers:
    """The price of that many minutes more in her week; live-in care is in nobody's week.

    An hour's price rises with the square of how full the week is, and is the sum's derivative.
    """
    week = columns.week[d]
    booked = columns.booked[week, c]
    room = np.maximum(columns.available[week, c], _AN_HOUR)
    hours = (_filled(booked + minutes, room) - _filled(booked, room)) / _AN_HOUR
    return columns.problem.weights.saturation * np.where(columns.live_in[d], 0, hours)


def _filled(minutes: Numbers, room: Numbers) -> Numbers:
    within = np.minimum(minutes, room)
    return within**3 / (3 * room**2) + (minutes - within)


def unserved(columns: Columns) -> Numbers:
    """What each demand costs that nobody comes to: the more, the sooner it begins."""
    weights = columns.problem.weights
    ahead = np.nan_to_num(columns.opens - minutes_of(columns.problem.now))
    return weights.unserved + weights.urgency * np.clip(1 - ahead / _URGENT_WITHIN, 0, 1)
