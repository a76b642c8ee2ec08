"""Why this caregiver and not another: figures and keys, never sentences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from services.dispatch import batches, rules
from services.dispatch.batches import Batch
from services.dispatch.flow import NOBODY
from services.dispatch.results import Assignment
from services.dispatch.rules import Rule
from services.dispatch.weights import Term
from services.errors import NotFound

NEXT = 2
RECOMMENDED = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could come to a demand, as if she did; `elsewhere` is where she is sent now.

    The figures are those that words are made of: minutes on the way, her score, minutes booked in
    the week and there in all, visits with this recipient.
    """

    visit: Assignment
    rating: float
    booked: int
    available: int
    visits: int
    elsewhere: int | None


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


def explain(batch: Batch, demand_id: int) -> Explanation:
    """Why somebody is sent to a demand that is served."""
    d = _row(batch, demand_id)
    if batch.chosen[d] == NOBODY:
        raise NotFound("error.demand_not_found")
    mine = batch.pairs.c[batch.chosen[d]]
    others = batch.pairs.of_demand(d).c
    chosen, *rest = _candidates(batch, d, np.array([mine, *others[others != mine][:NEXT]]))
    return Explanation(chosen, tuple(Rival(one, _more(one, chosen)) for one in rest))


def recommended(batch: Batch, demand_id: int, most: int = RECOMMENDED) -> list[Candidate]:
    """The best few for one demand, as if there were no other; those sent elsewhere too."""
    d = _row(batch, demand_id)
    return _candidates(batch, d, batch.pairs.of_demand(d).c[:most])


def pin_cost(batch: Batch, demand_id: int, caregiver_id: int) -> float | Rule:
    """What the whole costs more in minutes if she is sent, or the rule that keeps her away."""
    d = _row(batch, demand_id)
    c = batch.columns.row_of_caregiver.get(caregiver_id)
    if c is None:
        return Rule.NOBODY
    if rule := rules.impossible(batch.columns, d) or rules.blocking(batch.columns, d, c):
        return rule
    pins = {**batch.columns.problem.pins, demand_id: caregiver_id}
    other = batches.choose(batch.columns, batch.pairs, pins)
    costs = (batches.cost(batch.columns, batch.pairs, each) for each in (other, batch.chosen))
    return next(costs) - next(costs)


def pinned(batch: Batch, demand_id: int, caregiver_id: int) -> Batch:
    """The whole with one pin more."""
    problem = batch.columns.problem
    return batches.solve(replace(problem, pins={**problem.pins, demand_id: caregiver_id}))


def _candidates(batch: Batch, d: int, c: np.ndarray) -> list[Candidate]:
    columns = batch.columns
    rows = np.full(len(c), d)
    sent = {one.caregiver_id: one.demand_id for one in batch.solution.assignments}
    booked, available = (each[columns.week[d], c] for each in (columns.booked, columns.available))
    visits = columns.visits(rows, c)
    demand_id = columns.demands[d].id
    found = []
    for n, visit in enumerate(batches.assignments(columns, rows, c)):
        at = sent.get(visit.caregiver_id)
        found.append(
            Candidate(
                visit,
                columns.caregivers[c[n]].rating,
                int(booked[n]),
                int(available[n]),
                int(visits[n]),
                None if at == demand_id else at,
            )
        )
    return found


def _more(one: Candidate, other: Candidate) -> dict[Term, float]:
    return {term: cost - other.visit.terms[term] for term, cost in one.visit.terms.items()}


def _row(batch: Batch, demand_id: int) -> int:
    row = batch.columns.row_of_demand.get(demand_id)
    if row is None:
        raise NotFound("error.demand_not_found")
    return row
