"""Attackers: they know everything that was published and how, and solve for what was not.

What they look for is how many needs are in atoms: one value each of week, district, group of items
and some dimensions. What they know are bounds on sums of atoms.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from math import ceil, floor

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from data.catalogue import ItemGroup
from services.analytics import groups
from services.analytics.cutting import Cell
from services.analytics.terms import UNKNOWN, AgeBand, Dimension

GROUPS = tuple(ItemGroup)
VALUES = {
    Dimension.AGE: [UNKNOWN, *AgeBand],
    Dimension.SEX: ["female", "male"],
    Dimension.CHANNEL: ["app", "phone"],
}
_NEARLY = 1e-6


class Attacker:
    """Someone who knows that sums of atoms lie within bounds."""

    def __init__(self, *axes: Iterable) -> None:
        self.atoms = list(product(*axes))
        self._known: dict[tuple[int, ...], tuple[float, float]] = {}

    def learn(self, holds: Callable[[tuple], bool], low: float, high: float) -> None:
        """That some atoms hold from so many to so many needs."""
        where = tuple(number for number, atom in enumerate(self.atoms) if holds(atom))
        before = self._known.get(where, (0, np.inf))
        self._known[where] = max(before[0], low), min(before[1], high)

    def bounds(self, holds: Callable[[tuple], bool]) -> tuple[int, int] | None:
        """The fewest and the most needs some atoms can hold; None if there is no most."""
        if not self._known:
            return None
        wanted = np.array([float(holds(atom)) for atom in self.atoms])
        ends = []
        for sign in (1, -1):
            found = linprog(sign * wanted, **self._system(), method="highs")
            if found.status == 3:  # Without bound.
                return None
            assert found.status == 0, found.message
            ends.append(sign * found.fun)
        return ceil(ends[0] - _NEARLY), floor(ends[1] + _NEARLY)

    def _system(self) -> dict:
        known = {where: ends for where, ends in self._known.items() if where}
        counts = np.repeat(np.arange(len(known)), [len(where) for where in known])
        columns = np.concatenate([np.array(where) for where in known])
        sums = csr_array(
            (np.ones(len(columns)), (counts, columns)), shape=(len(known), len(self.atoms))
        )
        low, high = np.array(list(known.values()), dtype=float).T
        exact, above, below = low == high, low > 0, np.isfinite(high)
        rest_low, rest_high = above & ~exact, below & ~exact
        return {
            "A_eq": sums[exact],
            "b_eq": low[exact],
            "A_ub": vstack([sums[rest_high], -sums[rest_low]]),
            "b_ub": np.concatenate([high[rest_high], -low[rest_low]]),
        }


def pinned(
    attacker: Attacker,
    needs: Iterable,
    atom_of: Callable,
    k: int,
    sums: Iterable[Sequence[int]],
) -> list:
    """The sums of atoms that hold fewer than k families and whose needs the attacker knows.

    `sums` says which he asks for: each names the axes that stay, over the others he sums up.
    """
    found, needs = [], list(needs)
    for kept in sums:
        families: dict[tuple, list] = {}
        for need in needs:
            families.setdefault(tuple(atom_of(need)[n] for n in kept), []).append(need.family)
        for key, of in families.items():
            if len(set(of)) < k:
                ends = attacker.bounds(
                    lambda atom, kept=kept, key=key: tuple(atom[n] for n in kept) == key
                )
                if ends == (len(of), len(of)):
                    found.append((key, ends))
    return found


def learn_needs(
    attacker: Attacker, weeks: Iterable, rows: list[dict], districts: Sequence[str]
) -> None:
    """What a sheet of needs tells, of one week or of some together.

    A row of several districts or groups is of those that are in no row of their own.
    """
    weeks = set(weeks)
    alone = {row["district"] for row in rows} - {None}
    covered = set()
    for row in rows:
        of = {row["district"]} if row["district"] else set(districts) - alone
        of_groups = {one["item_group"] for one in rows if one["district"] == row["district"]} - {
            None
        }
        which = {row["item_group"]} if row["item_group"] else set(GROUPS) - of_groups
        atoms = set(product(weeks, of, which))
        covered |= atoms
        attacker.learn(lambda atom, a=atoms: atom[:3] in a, row["needs"], row["needs"])
    if rows:
        rest = set(product(weeks, districts, GROUPS)) - covered
        attacker.learn(lambda atom: atom[:3] in rest, 0, 0)


def learn_groups(
    attacker: Attacker,
    told: list,
    cells: Sequence[tuple[Sequence, Cell]],
    axes: dict[Dimension, int],
    k: int,
) -> None:
    """What groups of people tell of the dimensions among the axes.

    Which cells with which atoms a row is of, analysts can often, not always tell: these are told.
    """
    for block, dimension, rows, exact in told:
        if dimension not in axes:
            continue
        mine = {id(need) for need in block.needs}
        atoms = {
            (week, *atom)
            for weeks, cell in cells
            if any(id(need) in mine for need in cell.rows)
            for week in weeks
            for atom in cell.atoms()
        }
        named = {row["bucket"] for row in rows} - {None}
        for row in rows:
            values = _values(row["bucket"], VALUES[dimension], named)
            low = row["needs"] if exact else max(k, row["needs"] - k + 1)
            high = row["needs"] if exact else row["needs"] + k - 1
            attacker.learn(
                lambda atom, a=atoms, v=values, n=axes[dimension]: atom[:3] in a and atom[n] in v,
                low,
                high,
            )


def overheard(monkeypatch, compose: Callable) -> tuple[dict, list]:
    """What a month's sheets tell, and of which block each of the groups of people is."""
    told, original = [], groups._group_rows

    def spy(block, name, dimension, buckets, k, draw):
        rows = original(block, name, dimension, buckets, k, draw)
        exact = dimension is not Dimension.HOME and (len(block.groups) == 1 or len(rows) == 1)
        told.append((block, dimension, rows, exact))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(groups, "_group_rows", spy)
        return compose(), told


def _values(bucket: str | None, order: list, named: set) -> set:
    if bucket is None:
        return set(order) - named
    first, _, last = bucket.partition("|")
    return set(order[order.index(first) : order.index(last or first) + 1])
