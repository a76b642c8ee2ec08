"""Why this caregiver and not another: figures and keys, never sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.dispatch import rules
from services.dispatch.columns import Columns
from services.dispatch.plans import Option, Plan, row
from services.dispatch.results import Assignment
from services.dispatch.rules import Rule
from services.dispatch.weights import Term

NEXT = 2
RECOMMENDED = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could come to a demand, as if she did: she would not go `elsewhere`, where she
    is sent now, and would make the visits `beside` too.

    The figures are those that words are made of: minutes on the way, her score, minutes booked in
    the week, with those visits, and there in all, visits with this recipient.
    """

    visit: Assignment
    rating: float
    booked: int
    available: int
    visits: int
    elsewhere: int | None
    beside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rival:
    """The next best candidate, and by term how much more she costs than the one who is sent."""

    candidate: Candidate
    more: Mapping[Term, float]

    @property
    def cost(self) -> float:
        return sum(self.more.values())


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who is sent to a demand, and who would be next."""

    chosen: Candidate
    rivals: tuple[Rival, ...]


def explain(plan: Plan, demand_id: int) -> Explanation:
    """Why somebody is sent to a demand that is served."""
    mine = plan.sent(demand_id)
    others = [
        one
        for one in plan.options(demand_id, NEXT + 1)
        if one.visit.caregiver_id != mine.visit.caregiver_id
    ]
    chosen, *rest = _candidates(plan, demand_id, [mine, *others[:NEXT]])
    return Explanation(chosen, tuple(Rival(one, _more(one, chosen)) for one in rest))


def recommended(plan: Plan, demand_id: int, most: int = RECOMMENDED) -> list[Candidate]:
    """The best few for one demand, whether it is served or not; those sent elsewhere too."""
    return _candidates(plan, demand_id, plan.options(demand_id, most))


def pin_cost(plan: Plan, demand_id: int, caregiver_id: int) -> float | Rule:
    """What the whole costs more in minutes if she is sent, or the rule that keeps her away.

    WANTED: she could come, but for another pin of hers.
    """
    d, c = row(plan, demand_id), plan.columns.row_of_caregiver.get(caregiver_id)
    if c is None:
        return Rule.NOBODY
    if rule := rules.impossible(plan.columns, d) or rules.blocking(plan.columns, d, c):
        return rule
    other = pinned(plan, demand_id, caregiver_id).solution
    if other.who.get(demand_id) != caregiver_id:
        return Rule.WANTED
    return other.cost - plan.solution.cost


def pinned(plan: Plan, demand_id: int, caregiver_id: int) -> Plan:
    """The whole with one pin more."""
    problem = plan.columns.problem
    pins = {**problem.pins, demand_id: caregiver_id}
    return plan.again(replace(problem, pins=pins), demand_id)


def _candidates(plan: Plan, demand_id: int, options: Sequence[Option]) -> list[Candidate]:
    columns, d = plan.columns, row(plan, demand_id)
    week = int(columns.week[d])
    c = np.array([columns.row_of_caregiver[one.visit.caregiver_id] for one in options], int)
    known = columns.visits(np.full(len(c), d), c)
    return [
        Candidate(
            one.visit,
            columns.caregivers[c[n]].rating,
            int(columns.booked[week, c[n]] + _in_week(columns, week, one.beside)),
            int(columns.available[week, c[n]]),
            int(known[n]),
            one.elsewhere,
            one.beside,
        )
        for n, one in enumerate(options)
    ]


def _in_week(columns: Columns, week: int, demand_ids: Sequence[int]) -> float:
    """Minutes of some visits that count in one week."""
    rows = [columns.row_of_demand[one] for one in demand_ids]
    return sum(
        float(columns.minutes[one])
        for one in rows
        if columns.week[one] == week and not columns.live_in[one]
    )


def _more(one: Candidate, other: Candidate) -> dict[Term, float]:
    return {term: cost - other.visit.terms[term] for term, cost in one.visit.terms.items()}
