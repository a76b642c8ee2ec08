"""When somebody falls ill or does not come: a new plan that changes as little as it must."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from services.dispatch.plans import Plan
from services.dispatch.problem import Caregiver, Free, Problem

Solved = TypeVar("Solved", bound=Plan)


@dataclass(frozen=True, slots=True)
class Replan(Generic[Solved]):
    """The new plan; demands whose caregiver stays, is another, or is no more, and new ones."""

    plan: Solved
    kept: tuple[int, ...]
    moved: tuple[int, ...]
    lost: tuple[int, ...]
    gained: tuple[int, ...]


def replan(
    problem: Problem, before: Mapping[int, int], solve: Callable[[Problem], Solved]
) -> Replan[Solved]:
    """A plan for a problem as it is now, by demand and caregiver near to what was promised.

    Who comes instead of somebody promised costs `change`, also where that one cannot come: so
    nobody is sent elsewhere unless more than that is gained.
    """
    plan = solve(replace(problem, before=dict(before)))
    now = plan.solution.who
    ids = sorted(one.id for one in problem.demands)
    promised = [one for one in ids if one in before]
    return Replan(
        plan,
        kept=tuple(one for one in promised if now.get(one) == before[one]),
        moved=tuple(one for one in promised if one in now and now[one] != before[one]),
        lost=tuple(one for one in promised if one not in now),
        gained=tuple(one for one in ids if one in now and one not in before),
    )


def absent(problem: Problem, caregiver_id: int, since: datetime, until: datetime) -> Problem:
    """The problem with a caregiver away for a time."""
    return replace(
        problem,
        caregivers=tuple(
            _away(one, since, until) if one.id == caregiver_id else one
            for one in problem.caregivers
        ),
    )


def _away(caregiver: Caregiver, since: datetime, until: datetime) -> Caregiver:
    parts = [part for free in caregiver.free for part in _without(free, since, until)]
    return replace(caregiver, free=tuple(parts))


def _without(free: Free, since: datetime, until: datetime) -> list[Free]:
    """What is left of a free time; next to her absence she comes from home and goes there."""
    if free.ends_at <= since or free.starts_at >= until:
        return [free]
    before = replace(free, ends_at=since, goes_to=None)
    after = replace(free, starts_at=until, comes_from=None)
    return [one for one in (before, after) if one.starts_at < one.ends_at]
