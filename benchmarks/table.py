"""The table of ratios: one row per claim."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A claim measured side by side: ours and the peer's in `unit`, and the ratio promised."""

    name: str
    ours: float
    peer: float
    unit: str
    target: float
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.peer if self.peer else float("inf") if self.ours else 0.0

    @property
    def met(self) -> bool:
        return self.ratio >= self.target if self.more_is_better else self.ratio <= self.target


HEADS = ("name", "ours", "peer", "ratio", "target", "")


def show(rows: Iterable[Row]) -> None:
    """Print the rows as a Markdown table."""
    cells = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADS))]
    cells.insert(1, tuple("-" * width for width in widths))
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(padded)} |", flush=True)


def _cells(row: Row) -> tuple[str, ...]:
    sign = "≥" if row.more_is_better else "≤"
    return (
        row.name,
        f"{row.ours:,.4g} {row.unit}",
        f"{row.peer:,.4g} {row.unit}",
        f"{row.ratio:.2f}",
        f"{sign} {row.target:g}",
        "met" if row.met else "short",
    )
