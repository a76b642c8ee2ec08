"""What a run finds: who comes to what and when, who gets nobody and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from services.dispatch.rules import Rule
from services.dispatch.weights import Term


class Quality(StrEnum):
    """How good a solution is known to be."""

    OPTIMAL = "optimal"
    SETTLED = "settled"  # The search found nothing better.
    BEST_SO_FAR = "best_so_far"  # Time was up, or somebody stopped it.


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who comes to a demand, when and for how much a unit, and what it costs by term in minutes."""

    demand_id: int
    caregiver_id: int
    starts_at: datetime
    ends_at: datetime
    price_fen: int
    way_minutes: float
    terms: Mapping[Term, float]

    @property
    def cost(self) -> float:
        return sum(self.terms.values())


@dataclass(frozen=True, slots=True)
class Unserved:
    """A demand nobody comes to, and the rule that left nobody."""

    demand_id: int
    rule: Rule
    cost: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Assignments and what is unserved, by demand id; the cost is in minutes."""

    assignments: tuple[Assignment, ...]
    unserved: tuple[Unserved, ...]
    quality: Quality

    @property
    def cost(self) -> float:
        return sum(one.cost for one in (*self.assignments, *self.unserved))

    @property
    def who(self) -> dict[int, int]:
        """Caregiver by demand."""
        return {one.demand_id: one.caregiver_id for one in self.assignments}


class _OfDemand(Protocol):
    @property
    def demand_id(self) -> int: ...


_Line = TypeVar("_Line", bound=_OfDemand)


def by_demand(lines: Iterable[_Line]) -> tuple[_Line, ...]:
    """Lines in the order of their demands' ids."""
    return tuple(sorted(lines, key=lambda one: one.demand_id))
