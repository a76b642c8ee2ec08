"""How evenly work and pay are spread, and how many faces a recipient gets to see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.dispatch.problem import Caregiver, Problem
from services.dispatch.results import Assignment

_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Spread:
    """Gini's coefficient (0: all alike, towards 1: one has all), and the least and the most."""

    gini: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """Hours and pay (fen) of those there, a week, and distinct faces by recipient."""

    hours: Spread
    pay: Spread
    faces: dict[int, int]


def measure(problem: Problem, assignments: Sequence[Assignment] = ()) -> Fairness:
    """The spread of the rolling window, with a run's assignments if they are given."""
    demands = {one.id: one for one in problem.demands}
    minutes = {one.id: float(one.worked_minutes) for one in problem.caregivers}
    pay = {one.id: float(one.earned_fen) for one in problem.caregivers}
    faces = {
        one.recipient_id: {who for who, visits in one.visits_by.items() if visits}
        for one in problem.demands
    }
    for one in assignments:
        demand = demands[one.demand_id]
        minutes[one.caregiver_id] += demand.minutes
        pay[one.caregiver_id] += one.price_fen * demand.units
        faces[demand.recipient_id].add(one.caregiver_id)
    there = [one for one in problem.caregivers if one.verified]
    return Fairness(
        spread([minutes[one.id] / _AN_HOUR / _weeks(one) for one in there]),
        spread([pay[one.id] / _weeks(one) for one in there]),
        {recipient_id: len(seen) for recipient_id, seen in faces.items()},
    )


def spread(values: Sequence[float]) -> Spread:
    """How even some values are, none of them below nothing."""
    if not len(values):
        return Spread(0.0, 0.0, 0.0)
    return Spread(gini(values), float(min(values)), float(max(values)))


def gini(values: Sequence[float]) -> float:
    """Half the mean difference between any two, over the mean."""
    ordered = np.sort(np.asarray(values, float))
    if not ordered.sum():
        return 0.0
    ranks = np.arange(1, len(ordered) + 1)
    return float(((2 * ranks - len(ordered) - 1) * ordered).sum() / len(ordered) / ordered.sum())


def _weeks(caregiver: Caregiver) -> float:
    return max(1.0, caregiver.weeks_present)
