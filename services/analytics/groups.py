"""Groups of people: needs told apart by one dimension at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.analytics.cutting import (
    Cell,
    Draw,
    apart,
    components,
    grouped,
    head_count,
    in_order,
    only,
)
from services.analytics.microdata import Need, family_of
from services.analytics.rounding import middle, part, rounded, total
from services.analytics.terms import ORDERS, Dimension

Rows = list[dict[str, Any]]

_LOW, _HIGH = 0.9, 1.1  # Of the middle price of an item; what is between is usual.


@dataclass(frozen=True, slots=True)
class Block:
    """Cells told together: the districts and groups they may be of, and their needs."""

    districts: frozenset[str]
    groups: frozenset[str]
    needs: list[Need]

    @classmethod
    def of(cls, cells: Iterable[Cell[Need]]) -> "Block":
        every = list(cells)
        districts, groups = (frozenset(v for c in every for v in c.values[n]) for n in (0, 1))
        return cls(districts, groups, [need for cell in every for need in cell.rows])


def groups_of_people(cells: Sequence[Cell[Need]], k: int, draw: Draw) -> Rows:
    """The needs of these cells, and no others, by one dimension at a time.

    A block is all of some cells, and all its buckets are told: its cells and its buckets are two
    margins of one table. Blocks that cannot be told apart are tried again together.
    """
    of_item = grouped((need for cell in cells for need in cell.rows), lambda need: need.item)
    usual = {
        item: middle([(need, need.highest_fen) for need in needs], family_of, 1)
        for item, needs in of_item.items()
    }
    blocks = [Block.of(block) for block in components(cells, levels=2)]
    return [
        row
        for dimension in Dimension
        for row in _by_dimension(blocks, dimension, _bucket(dimension, usual), k, draw)
    ]


def _by_dimension(
    blocks: Sequence[Block],
    dimension: Dimension,
    bucket: Callable[[Need], str],
    k: int,
    draw: Draw,
) -> Rows:
    rows: Rows = []
    pool: list[Block] = []
    for number, block in enumerate(blocks):
        needs = _of(block, dimension)
        buckets = _buckets(
            needs, dimension, bucket, k, lambda *of, n=number: draw(dimension, n, *of)
        )
        if len(buckets) > 1:
            rows += _group_rows(block, number, dimension, buckets, k, draw)
        else:
            pool.append(block)
    together = Block(
        frozenset(code for block in pool for code in block.districts),
        frozenset(group for block in pool for group in block.groups),
        [need for block in pool for need in block.needs],
    )
    needs = _of(together, dimension)
    if head_count(needs, family_of) >= k:
        buckets = _buckets(needs, dimension, bucket, k, lambda *of: draw(dimension, "pool", *of))
        rows += _group_rows(together, "pool", dimension, buckets, k, draw)
    return rows


def _of(block: Block, dimension: Dimension) -> list[Need]:
    """The needs a dimension is about: only who was served had somebody come from a home."""
    if dimension is not Dimension.HOME:
        return block.needs
    return [need for need in block.needs if need.served]


def _buckets(
    needs: list[Need], dimension: Dimension, bucket: Callable[[Need], str], k: int, draw: Draw
) -> list[tuple[str | None, list[Need]]]:
    """The buckets with their needs, each of enough families, neighbours together as "a|b".

    None where it is several, or all there is: that everybody is alike is not told.
    """
    if dimension in ORDERS:
        return in_order(needs, bucket, ORDERS[dimension], family_of, k)
    parts = apart(needs, bucket, family_of, k, draw)
    return [(only(values) if len(parts) > 1 else None, of) for values, of in parts]


def _group_rows(
    block: Block,
    name: object,
    dimension: Dimension,
    buckets: list[tuple[str | None, list[Need]]],
    k: int,
    draw: Draw,
) -> Rows:
    """The rows of a block.

    Age and sex nearly tell the group of items (a baby is no elder): where a block holds several
    groups, exact counts would tell how many are of each.
    """
    exact = dimension is not Dimension.HOME and (len(block.groups) == 1 or len(buckets) == 1)
    rows: Rows = []
    for bucket, needs in buckets:

        def chance(what: str, *, bucket: str | None = bucket) -> float:
            return draw(dimension, name, bucket, what)

        count = len(needs)
        told = count if exact else rounded(count, k, chance("needs"))
        served = sum(need.served for need in needs)
        hours = [(need, need.hours) for need in needs]
        rows.append(
            {
                "district": only(block.districts),
                "item_group": only(block.groups),
                "dimension": dimension.value,
                "bucket": bucket,
                "needs": told,
                "served": part(served, count, told, k, chance("served")),
                "wanted_hours": total(hours, family_of, chance("hours"), told=told, least=1),
            }
        )
    return rows


def _bucket(dimension: Dimension, usual: dict[str, float | None]) -> Callable[[Need], str]:
    if dimension is not Dimension.PRICE:
        return lambda need: getattr(need, dimension)

    def against_the_usual(need: Need) -> str:
        share = need.highest_fen / (usual[need.item] or need.highest_fen)
        return "low" if share < _LOW else "high" if share > _HIGH else "usual"

    return against_the_usual
