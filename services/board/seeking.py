"""Seeking: who could make the visits that somebody cannot, and whom dispatch would send."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from services.board import situations
from services.board.open_work import Work
from services.dispatch import batches, columns, day_plans, pairs, rules
from services.dispatch.problem import Problem
from services.dispatch.rules import Rule

# So many tries settle the visits of a long leave in a city of thousands.
TRIES = 1_000


@dataclass(frozen=True, slots=True)
class Found:
    """Who could make a visit (ids, the cheapest first), and whom dispatch would send.

    `visits_by` has how often each was with its recipient before, `hindered` how many of the others
    each rule is the first to keep away.
    """

    able: tuple[int, ...]
    sent: int | None
    visits_by: Mapping[int, int]
    hindered: Mapping[Rule, int]


def seek(session: Session, city_code: str, works: Sequence[Work], without: int) -> list[Found]:
    """What is found for each of some visits, in their order, without the one who cannot make them.

    Who said no to a visit could make it all the same, but is not sent.
    """
    if not works:
        return []
    problem = situations.alone(session, city_code, works)
    others = tuple(one for one in problem.caregivers if one.id != without)
    problem = replace(problem, caregivers=others)
    apart = situations.kept_apart_from(session, city_code, works)
    asked_once_more = tuple(
        replace(one, refused=apart[work.customer_id])
        for one, work in zip(problem.demands, works, strict=True)
    )
    table = columns.of(replace(problem, demands=asked_once_more))
    able = pairs.feasible(table)
    # Of each visit's so many: whoever of them makes the others, one is left.
    cheapest = able.cheapest(len(works)).c.tolist()
    who = _sent(problem, {table.caregivers[c].id for c in cheapest} | {*problem.pins.values()})
    found = []
    for one in asked_once_more:
        d = table.row_of_demand[one.id]
        hers = tuple(table.caregivers[c].id for c in able.of_demand(d).c.tolist())
        hindered = rules.hindered(table, d)
        found.append(Found(hers, who.get(one.id), one.visits_by, hindered))
    return found


def _sent(problem: Problem, among: Collection[int]) -> dict[int, int]:
    """Whom dispatch sends, by demand: live-in care is no part of days of several visits."""
    live_in = tuple(one for one in problem.demands if one.live_in)
    hourly = tuple(one for one in problem.demands if not one.live_in)
    sent = batches.solve(replace(problem, demands=live_in)).solution.who if live_in else {}
    if not hourly:
        return sent
    others = set(among) - set(sent.values())
    return sent | day_plans.bounded(replace(problem, demands=hourly), others, TRIES).solution.who
