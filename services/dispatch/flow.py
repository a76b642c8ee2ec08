"""The cheapest choice of at most one caregiver a demand and one demand a caregiver, proven.

A flow over a few promising pairs is solved exactly. Its prices say of every pair left out whether
it could make the whole cheaper; those join, until none is left that could. Then no choice among
all pairs is cheaper: the prices are a solution of the dual problem with the same value.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.dispatch.columns import Mask, Rows

Whole = NDArray[np.int64]

NOBODY = -1
# How many of the cheapest pairs of each demand are promising.
_PROMISING = 16
# Pairs that would cost the whole but so little more join too: the next prices may favour them.
_NEARLY = 2_000
# How many pairs are looked at in one go: what they take stays in the processor's cache.
_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Bids:
    """Pairs with whole costs, ordered by demand, and what each demand costs if nobody comes."""

    d: Rows
    c: Rows
    costs: Whole
    nobody: Whole
    caregivers: int


@dataclass(frozen=True, slots=True)
class Choice:
    """For each demand the row of its bid or NOBODY, and the sum of costs.

    A price says what a caregiver is worth to the others: what the whole would cost less, had she
    a twin. Demands' prices less caregivers' prices sum up to the cost: that is the proof.
    """

    pair: Rows
    cost: int
    price_of_demand: Whole
    price_of_caregiver: Whole


def cheapest(bids: Bids) -> Choice:
    """The cheapest choice among all bids."""
    edges = np.searchsorted(bids.d, np.arange(len(bids.nobody) + 1))
    promising = _promising(bids, edges)
    while True:
        rows = np.flatnonzero(promising)
        some = Bids(bids.d[rows], bids.c[rows], bids.costs[rows], bids.nobody, bids.caregivers)
        chosen, cost = _flow(some)
        prices = _prices(some, chosen)
        near, losses = _near(bids, edges, *prices)
        if not (losses < 0).any():
            pair = np.full(len(bids.nobody), NOBODY)
            pair[some.d[chosen]] = rows[chosen]
            return Choice(pair, cost, *prices)
        promising[near[_first_of(bids.d[near], losses)]] = True


def _promising(bids: Bids, edges: Rows) -> Mask:
    """The cheapest pairs of each demand, once what each caregiver costs anybody is taken off."""
    least = np.full(bids.caregivers, np.iinfo(np.int64).max)
    np.minimum.at(least, bids.c, bids.costs)
    found = np.zeros(len(bids.d), bool)
    found[_few(bids.costs - least[bids.c], edges)] = True
    return found


def _near(bids: Bids, edges: Rows, of_demand: Whole, of_caregiver: Whole) -> tuple[Rows, Whole]:
    """The pairs that at these prices lose nothing or nearly so, and what they lose."""
    near, losses = [np.zeros(0, int)], [np.zeros(0, np.int64)]
    step = max(1, _AT_ONCE * len(bids.nobody) // max(1, len(bids.d)))
    for start in range(0, len(bids.nobody), step):
        some = edges[start : start + step + 1]
        part = slice(some[0], some[-1])
        lost = of_caregiver[bids.c[part]] + bids.costs[part]
        lost -= np.repeat(of_demand[start : start + step], np.diff(some))
        rows = np.flatnonzero(lost < _NEARLY)
        near.append(rows + some[0])
        losses.append(lost[rows])
    return np.concatenate(near), np.concatenate(losses)


def _few(costs: Whole, edges: Rows) -> Rows:
    """Where the few cheapest stand between one edge and the next."""
    found = [np.zeros(0, int)]
    for first, last in pairwise(edges.tolist()):
        if last - first <= _PROMISING:
            found.append(np.arange(first, last))
        else:
            found.append(first + np.argpartition(costs[first:last], _PROMISING)[:_PROMISING])
    return np.concatenate(found)


def _first_of(whose: Rows, costs: Whole) -> Rows:
    """Where the few cheapest of each stand, in any order."""
    turned = np.lexsort((costs, whose))
    ordered = whose[turned]
    rank = np.arange(len(turned)) - np.searchsorted(ordered, ordered)
    return turned[rank < _PROMISING]


def _flow(bids: Bids) -> tuple[Mask, int]:
    """Which pairs carry a demand, and what the cheapest flow costs.

    From every demand to a caregiver and on to the end, or straight to the end: nobody comes.
    """
    demands, end = len(bids.nobody), len(bids.nobody) + bids.caregivers
    flow: Any = SimpleMinCostFlow()  # Its stubs take arrays for numbers.
    d, c = np.arange(demands), np.arange(demands, end)
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([bids.d, d, c]).astype(np.int32),
        np.concatenate([bids.c + demands, np.full(end, end)]).astype(np.int32),
        np.ones(len(bids.d) + end, np.int64),
        np.concatenate([bids.costs, bids.nobody, np.zeros(bids.caregivers, np.int64)]),
    )
    supplies = np.zeros(end + 1, np.int64)
    supplies[:demands], supplies[end] = 1, -demands
    flow.set_nodes_supplies(np.arange(end + 1, dtype=np.int32), supplies)
    if (status := flow.solve()) != flow.OPTIMAL:
        raise RuntimeError(f"The flow of {demands} demands has no solution: {status}")
    return flow.flows(arcs[: len(bids.d)]) > 0, int(flow.optimal_cost())


def _prices(bids: Bids, chosen: Mask) -> tuple[Whole, Whole]:
    """The least prices under which nobody would rather have another pair than the chosen ones.

    Found as the longest ways of a graph without cycles that pay (Bellman and Ford, all arcs at a
    time): a caregiver is worth what her demand, with its own caregiver's price, would save by her.
    """
    paid = bids.nobody.copy()
    paid[bids.d[chosen]] = bids.costs[chosen]
    own = np.full(len(bids.nobody), bids.caregivers)
    own[bids.d[chosen]] = bids.c[chosen]
    prices = np.zeros(bids.caregivers + 1, np.int64)
    if len(bids.d):
        turned = np.argsort(bids.c, kind="stable")
        c, whose = bids.c[turned], own[bids.d[turned]]
        saved = (paid[bids.d] - bids.costs)[turned]
        firsts = np.flatnonzero(np.diff(c, prepend=-1))
        who = c[firsts]
        while True:
            worth = np.maximum(prices[who], np.maximum.reduceat(saved + prices[whose], firsts))
            if (worth == prices[who]).all():
                break
            prices[who] = worth
    return paid + prices[own], prices[:-1]
