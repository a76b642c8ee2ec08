"""All feasible pairs of a problem, and what each costs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from services.dispatch import costs, rules
from services.dispatch.columns import Columns, Mask, Rows, kind
from services.dispatch.timing import openings, out_of_way
from services.dispatch.travel import EARTH_KM, Numbers

# How many pairs are looked at in one go: what they take stays in the processor's cache.
_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Feasible pairs ordered by demand, and what each costs in minutes."""

    d: Rows
    c: Rows
    costs: Numbers

    def take(self, which: Mask | Rows) -> "Pairs":
        """Some of them."""
        return Pairs(self.d[which], self.c[which], self.costs[which])

    def first(self, most: int) -> "Pairs":
        """The first few of them."""
        return Pairs(self.d[:most], self.c[:most], self.costs[:most])

    def cheapest(self, most: int) -> "Pairs":
        """Of each demand's the cheapest few."""
        order = np.lexsort((self.costs, self.d))
        place = np.arange(len(order)) - np.searchsorted(self.d, self.d)
        return self.take(order[place < most])

    def with_demand(self, d: int, own: "Pairs") -> "Pairs":
        """Those of one demand replaced by others, which are told as if there were no other."""
        first, last = np.searchsorted(self.d, (d, d + 1))
        return Pairs(
            np.concatenate([self.d[:first], np.full(len(own.d), d), self.d[last:]]),
            np.concatenate([self.c[:first], own.c, self.c[last:]]),
            np.concatenate([self.costs[:first], own.costs, self.costs[last:]]),
        )

    def of_demand(self, d: int) -> "Pairs":
        """Those of one demand, the cheapest first."""
        first, last = np.searchsorted(self.d, (d, d + 1))
        return self.take(first + np.argsort(self.costs[first:last], kind="stable"))


def feasible(columns: Columns) -> Pairs:
    """Every pair that no rule keeps apart."""
    empty = np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    d, c, each = (np.concatenate(parts) for parts in zip(empty, *_parts(columns), strict=True))
    return Pairs(d, c, each)


def _parts(columns: Columns) -> Iterator[tuple[Rows, Rows, Numbers]]:
    """The feasible pairs in order, some at a time: demands against the caregivers of their kinds
    on their latitudes; the product of two places' unit vectors tells how near they are."""
    rows, of_kind, suits = _kinds(columns)
    lat = np.nan_to_num(columns.homes[:, 1], nan=-np.inf)
    furthest = np.degrees(columns.radius_km.max(initial=0) / EARTH_KM)
    step = max(1, _AT_ONCE // max(1, len(columns.caregivers)))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        places = columns.places[some, 1]
        first = np.searchsorted(lat, places.min() - furthest)
        last = np.searchsorted(lat, places.max() + furthest, "right")
        ok = suits[of_kind[start : start + step], first:last]
        # A product of matrices would wake all threads of BLAS for three numbers each.
        x, y, z = map(
            np.multiply.outer, columns.place_units[some].T, columns.home_units[first:last].T
        )
        cosines = x + y + z
        row, column = np.nonzero(ok & (cosines >= columns.reach[first:last]))
        yield _closely(columns, some[row], column + first)


def _closely(columns: Columns, d: Rows, c: Rows) -> tuple[Rows, Rows, Numbers]:
    """The feasible ones of pairs that suit in kind and place, and what they cost."""
    for check in (*rules.OF_BOTH, *rules.OF_WEEK):
        kept = check.holds(columns, d, c)
        d, c = d[kept], c[kept]
    opening = openings(columns, d, c)
    kept = opening.found
    d, c, free = d[kept], c[kept], opening.free[kept]
    return d, c, costs.total(columns, d, c, out_of_way(columns, d, c, free))


def _kinds(columns: Columns) -> tuple[Rows, Rows, Mask]:
    """The demands somebody could come to, the kind of each, and by kind whom it suits."""
    rows = np.flatnonzero(rules.possible(columns))
    firsts, of_kind = list[int](), list[int]()
    for number, (_, alike) in enumerate(
        groupby(rows.tolist(), lambda row: kind(columns.demands[row]))
    ):
        some = list(alike)
        firsts.append(some[0])
        of_kind += [number] * len(some)
    d, c = np.array(firsts, int)[:, None], np.arange(len(columns.caregivers))
    suits = np.ones((len(firsts), len(c)), bool)
    for check in rules.OF_KIND:
        suits &= check.holds(columns, d, c)
    return rows, np.array(of_kind, int), suits
