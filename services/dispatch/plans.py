"""What runs of both kinds answer: a board asks either the same questions."""

from dataclasses import dataclass
from typing import Protocol

from services.dispatch.columns import Columns
from services.dispatch.problem import Problem
from services.dispatch.results import Assignment, Solution
from services.errors import NotFound


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody who could come to a demand, at the cost that her coming adds to what she does.

    She would not go `elsewhere`, where she is sent now, and would make the visits `beside` too.
    """

    visit: Assignment
    elsewhere: int | None = None
    beside: tuple[int, ...] = ()


class Plan(Protocol):
    """A problem and its solution."""

    @property
    def columns(self) -> Columns: ...

    @property
    def solution(self) -> Solution: ...

    def sent(self, demand_id: int) -> Option:
        """Who comes to a demand; NotFound if nobody does."""
        ...

    def options(self, demand_id: int, most: int) -> list[Option]:
        """The best few who could come, one a caregiver, the others going where they go."""
        ...

    def again(self, problem: Problem, demand_id: int) -> "Plan":
        """The plan of a problem that differs from this one's in what bears on one demand."""
        ...


def row(plan: Plan, demand_id: int) -> int:
    """The row of a demand of a plan."""
    found = plan.columns.row_of_demand.get(demand_id)
    if found is None:
        raise NotFound("error.demand_not_found")
    return found
