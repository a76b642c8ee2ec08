"""Single visits: each caregiver gets one at most, and the whole is proven cheapest."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from services.dispatch import columns as tables
from services.dispatch import costs, flow, rules
from services.dispatch import pairs as every_pair
from services.dispatch.columns import Columns, Mask, Rows
from services.dispatch.flow import NOBODY
from services.dispatch.pairs import Pairs
from services.dispatch.plans import Option, row
from services.dispatch.problem import Problem
from services.dispatch.results import Assignment, Quality, Solution, Unserved, by_demand
from services.dispatch.rules import Rule
from services.dispatch.timing import openings, out_of_way
from services.dispatch.travel import Numbers, moment_of
from services.errors import NotFound

# Costs are compared in thousandths of a minute.
SCALE = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """A problem, its feasible pairs, and for each demand the row of its pair or NOBODY."""

    columns: Columns
    pairs: Pairs
    chosen: Rows
    solution: Solution

    def sent(self, demand_id: int) -> Option:
        """Who comes to a demand."""
        pair = self.chosen[row(self, demand_id)]
        if pair == NOBODY:
            raise NotFound("error.demand_not_found")
        return self._options(demand_id, self.pairs.take(np.array([pair])))[0]

    def options(self, demand_id: int, most: int) -> list[Option]:
        """The cheapest few who could come to a demand, as if there were no other."""
        return self._options(demand_id, self.pairs.of_demand(row(self, demand_id)).first(most))

    def _options(self, demand_id: int, pairs: Pairs) -> list[Option]:
        sent = {one.caregiver_id: one.demand_id for one in self.solution.assignments}
        sent = {who: elsewhere for who, elsewhere in sent.items() if elsewhere != demand_id}
        visits = assignments(self.columns, pairs.d, pairs.c)
        return [Option(one, sent.get(one.caregiver_id)) for one in visits]

    def again(self, problem: Problem, demand_id: int) -> "Batch":
        """The cheapest way for a problem that differs in what bears on one demand.

        Only who could come to that one is looked at anew, unless caregivers are others.
        """
        if problem.caregivers != self.columns.problem.caregivers:
            return solve(problem)
        d = row(self, demand_id)
        only = tuple(one for one in problem.demands if one.id == demand_id)
        own = every_pair.feasible(tables.of(replace(problem, demands=only)))
        return _solved(tables.of(problem), self.pairs.with_demand(d, own))


def solve(problem: Problem) -> Batch:
    """The cheapest way to serve the demands with one visit a caregiver at most."""
    columns = tables.of(problem)
    return _solved(columns, every_pair.feasible(columns))


def _solved(columns: Columns, pairs: Pairs) -> Batch:
    chosen = choose(columns, pairs, columns.problem.pins)
    return Batch(columns, pairs, chosen, _solution(columns, pairs, chosen))


def choose(columns: Columns, pairs: Pairs, pins: Mapping[int, int]) -> Rows:
    """For each demand the row of its pair, or NOBODY, such that all pins hold that can."""
    nobody = _whole(costs.unserved(columns))
    if not pins:
        return _cheapest(columns, pairs, nobody)
    pinned = _pinned(columns, pairs, pins)
    kept = np.flatnonzero(pinned | ~_taken(columns, pairs, pins, pinned))
    nobody[pairs.d[pinned]] += _whole(pairs.costs[pinned])
    found = _cheapest(columns, pairs.take(kept), nobody)
    served = found != NOBODY
    found[served] = kept[found[served]]
    return found


def assignments(columns: Columns, d: Rows, c: Rows) -> list[Assignment]:
    """Feasible pairs as assignments, with what each term costs."""
    opening = openings(columns, d, c)
    ways = out_of_way(columns, d, c, opening.free)
    by_term = [(term, each.tolist()) for term, each in costs.terms(columns, d, c, ways)]
    prices = np.maximum(columns.asked_fen(d, c), columns.lowest_fen[d])
    return [
        Assignment(
            demand_id=columns.demands[d[row]].id,
            caregiver_id=columns.caregivers[c[row]].id,
            starts_at=moment_of(opening.starts[row]),
            ends_at=moment_of(opening.starts[row] + columns.minutes[d[row]]),
            price_fen=int(prices[row]),
            way_minutes=float(ways[row]),
            terms={term: each[row] for term, each in by_term},
        )
        for row in range(len(d))
    ]


def _solution(columns: Columns, pairs: Pairs, chosen: Rows) -> Solution:
    served = chosen != NOBODY
    nobody = costs.unserved(columns)
    could = np.bincount(pairs.d, minlength=len(columns.demands)) > 0
    visits = assignments(columns, pairs.d[chosen[served]], pairs.c[chosen[served]])
    left = [
        Unserved(columns.demands[d].id, reason(columns, d, could=could[d]), float(nobody[d]))
        for d in np.flatnonzero(~served).tolist()
    ]
    return Solution(by_demand(visits), by_demand(left), Quality.OPTIMAL)


def reason(columns: Columns, d: int, *, could: bool) -> Rule:
    """Why a demand gets nobody, to which somebody could come or not."""
    pin = columns.problem.pins.get(columns.demands[d].id)
    if could and pin is None:
        return Rule.WANTED
    if (everybodys := rules.impossible(columns, d)) is not None:
        return everybodys
    if pin is None:
        return list(rules.left_by(columns, d))[-1]
    c = columns.row_of_caregiver.get(pin)
    return Rule.NOBODY if c is None else rules.blocking(columns, d, c) or Rule.WANTED


def _pinned(columns: Columns, pairs: Pairs, pins: Mapping[int, int]) -> Mask:
    """Which pairs are pins."""
    wanted = [
        columns.row_of_demand[d] * len(columns.caregivers) + columns.row_of_caregiver[c]
        for d, c in pins.items()
        if d in columns.row_of_demand and c in columns.row_of_caregiver
    ]
    return columns.among(pairs.d, pairs.c, np.array(sorted(wanted), np.int64))


def _taken(columns: Columns, pairs: Pairs, pins: Mapping[int, int], pinned: Mask) -> Mask:
    """Which pairs have a demand somebody is pinned to, or a caregiver whose pin can hold."""
    demands = [row for one, row in columns.row_of_demand.items() if one in pins]
    return np.isin(pairs.d, demands) | np.isin(pairs.c, pairs.c[pinned])


def _cheapest(columns: Columns, pairs: Pairs, nobody: flow.Whole) -> Rows:
    bids = flow.Bids(pairs.d, pairs.c, _whole(pairs.costs), nobody, len(columns.caregivers))
    return flow.cheapest(bids).pair


def _whole(minutes: Numbers) -> flow.Whole:
    return np.rint(minutes * SCALE).astype(np.int64)
