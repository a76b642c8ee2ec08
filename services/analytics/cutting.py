"""Cutting rows into cells of enough people each, which never overlap and leave nobody over.

Pure functions: rows are anything, `people` says whose a row is, k is the fewest people of a cell.
What they answer depends neither on the order of the rows nor on anything but the rows and `draw`.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Generic, TypeVar

Row = TypeVar("Row")
People = Callable[[Row], Hashable]
# A number from 0 to below 1 that is the same whenever it is asked for by the same words.
Draw = Callable[..., float]


@dataclass(frozen=True, slots=True)
class Cell(Generic[Row]):
    """Rows that are told together: at each level of the cut, the values that may be in it."""

    values: tuple[frozenset[str], ...]
    rows: list[Row]

    def label(self, level: int) -> str | None:
        """The one value at a level, or None for several together."""
        return only(self.values[level])

    def atoms(self) -> set[tuple[str, ...]]:
        """Every combination of values that may be in the cell."""
        return set(product(*self.values))


def only(values: Iterable[str]) -> str | None:
    """The value if there is one alone, else None."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def cut(
    rows: Sequence[Row],
    levels: Sequence[Callable[[Row], str]],
    people: People[Row],
    k: int,
    draw: Draw,
) -> list[Cell[Row]]:
    """All rows in cells, cut by one level after the other; no cells if they are too few people."""
    if head_count(rows, people) < k:
        return []
    cells = [Cell((), list(rows))]
    for number, level in enumerate(levels):
        cells = [
            Cell((*cell.values, values), part)
            for cell in cells
            for values, part in apart(
                cell.rows, level, people, k, lambda *of, n=number, c=cell: draw(n, _named(c), *of)
            )
        ]
    return cells


def apart(
    rows: Iterable[Row], by: Callable[[Row], str], people: People[Row], k: int, draw: Draw
) -> list[tuple[frozenset[str], list[Row]]]:
    """The rows by a value in no order; the values of too few people stand together.

    If these are too few even so, another value joins them, the more likely the fewer people it has.
    Were it always the least, its rank would tell how many are among the others: who knows that A
    and C together are 9, that B is 5 and was not taken, would know that A is 5 and C is 4.
    """
    parts = grouped(rows, by)
    counts = {value: head_count(part, people) for value, part in parts.items()}
    small = frozenset(value for value, count in counts.items() if count < k)
    large = sorted(counts.keys() - small)
    together = [row for value in sorted(small) for row in parts[value]]
    if small and large and head_count(together, people) < k:
        joining = min(large, key=lambda value: -log(1 - draw("joins", value)) * counts[value])
        small |= {joining}
        together += parts[joining]
        large.remove(joining)
    rest = [(small, together)] if small else []
    return [*((frozenset({value}), parts[value]) for value in large), *rest]


def runs(order: Sequence[str], enough: Callable[[Sequence[str]], bool]) -> list[list[str]]:
    """The values of an order in stretches of neighbours, each of them enough, none left out.

    Values nobody has are in them like the others: that nobody has them is not told. One stretch
    alone may not be enough.
    """
    stretches: list[list[str]] = []
    begun: list[str] = []
    for value in order:
        begun.append(value)
        if enough(begun):
            stretches.append(begun)
            begun = []
    if begun and stretches:
        stretches[-1] += begun
    elif begun:
        stretches.append(begun)
    return stretches


def in_order(
    rows: list[Row], by: Callable[[Row], str], order: Sequence[str], people: People[Row], k: int
) -> list[tuple[str | None, list[Row]]]:
    """The rows by a value of an order, neighbours together as "a|b", from a to b.

    None where they cannot be told apart.
    """
    parts = grouped(rows, by)
    stretches = runs(order, lambda values: head_count(within(parts, values), people) >= k)
    if len(stretches) == 1:
        return [(None, rows)]
    return [(stretch(values), within(parts, values)) for values in stretches]


def stretch(values: Sequence[str]) -> str:
    """The name of neighbours: the first and the last of them."""
    return values[0] if len(values) == 1 else f"{values[0]}|{values[-1]}"


def components(cells: Sequence[Cell[Row]], levels: int) -> list[list[Cell[Row]]]:
    """The cells in the smallest blocks of which none shares an atom with another.

    An atom is a combination of values at the first `levels` levels.
    """
    parent = dict[tuple[str, ...], tuple[str, ...]]()

    def root(atom: tuple[str, ...]) -> tuple[str, ...]:
        while parent.setdefault(atom, atom) != atom:
            atom = parent[atom]
        return atom

    for cell in cells:
        first, *others = sorted({atom[:levels] for atom in cell.atoms()})
        for atom in others:
            parent[root(atom)] = root(first)
    blocks = grouped(cells, lambda cell: root(min(cell.atoms())[:levels]))
    return [blocks[name] for name in sorted(blocks, key=lambda name: min(_atoms(blocks[name])))]


def head_count(rows: Iterable[Row], people: People[Row]) -> int:
    """How many people the rows are of."""
    return len({people(row) for row in rows})


Key = TypeVar("Key", bound=Hashable)


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """The rows by a key."""
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def within(groups: Mapping[Key, list[Row]], keys: Iterable[Key]) -> list[Row]:
    """The rows of some of the groups."""
    return [row for key in keys for row in groups.get(key, ())]


def _named(cell: Cell[Row]) -> str:
    return "/".join("+".join(sorted(values)) for values in cell.values)


def _atoms(block: Iterable[Cell[Row]]) -> set[tuple[str, ...]]:
    return {atom for cell in block for atom in cell.atoms()}
