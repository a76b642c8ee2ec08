"""Solving: what the worker does with a run: reads it, reckons for as long as it may, writes it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.cities import City
from data.dispatch import DispatchLine, DispatchRun, RunShape, RunStatus
from data.history import Noun
from services import clock, lifecycles, rules
from services.access import SYSTEM
from services.board import explanations, roads, situations, snapshots
from services.board.open_work import Scope
from services.board.situations import Means, Situation
from services.dispatch import batches, day_plans, explaining, fairness
from services.dispatch.explaining import Explanation
from services.dispatch.fairness import Fairness, Spread
from services.dispatch.plans import Plan
from services.dispatch.problem import Problem
from services.dispatch.results import Assignment, Solution
from services.dispatch.weights import Weights

log = logging.getLogger(__name__)

KIND = "dispatch"
# Says how far the work is, in percent; true if somebody wants it stopped.
Watch = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Material:
    """What a run solves, how, and for how many seconds at most; a replay keeps its ways."""

    situation: Situation
    shape: RunShape
    budget_seconds: int
    replays: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a run came to, why, and how even work is before and with it.

    `roadless`: the routing service failed, and straight lines stood in.
    """

    situation: Situation
    roadless: bool
    solution: Solution
    explanations: dict[int, Explanation]
    before: Fairness
    after: Fairness
    seconds: float


def scope_of(run: DispatchRun) -> Scope:
    """Which work a run is about."""
    return Scope(
        run.city_code,
        run.first_on,
        run.last_on,
        tuple(run.district_codes),
        tuple(run.item_ids),
        movable=run.movable,
        hourly=run.shape is RunShape.DAYS,
    )


def read(session: Session, facts: dict[str, Any]) -> Material | None:
    """The problem of a run: as it is now, or as it was for the run that is replayed."""
    run = session.get_one(DispatchRun, facts["run_id"])
    if run.status is not RunStatus.ASKED:
        return None
    city = session.scalars(select(City).where(City.code == run.city_code)).one()
    if run.replays_id is not None:
        situation = replayed(session, run.replays_id)
    else:
        window_days = rules.now(session, city.code)["dispatch_window_days"]
        means = Means(roads.of(city), Weights(**run.weights), window_days, run.seed)
        situation = situations.read(session, scope_of(run), means)
    return Material(situation, run.shape, run.budget_seconds, run.replays_id is not None)


def replayed(session: Session, run_id: int) -> Situation:
    """What a run before was about, as it was then."""
    run = session.get_one(DispatchRun, run_id)
    lines = session.scalars(
        select(DispatchLine).where(DispatchLine.run_id == run.id).order_by(DispatchLine.number)
    )
    return Situation(
        snapshots.unpacked(run.problem),
        tuple((one.demand_id, one.visit_id) for one in lines),
    )


def reckon(material: Material | None, watch: Watch) -> Found | None:
    """Solve a run's problem and say why; no database is asked, whatever it takes."""
    if material is None:
        return None
    begun = monotonic()
    problem, roadless = material.situation.problem, False
    if not material.replays:
        problem, roadless = _on_roads(problem)

    def stopped() -> bool:
        share = (monotonic() - begun) / material.budget_seconds
        return watch(min(95, int(share * 95)))

    plan = solve(problem, material.shape, material.budget_seconds, stopped)
    explanations = {
        one.demand_id: explaining.explain(plan, one.demand_id) for one in plan.solution.assignments
    }
    return Found(
        replace(material.situation, problem=problem),
        roadless,
        plan.solution,
        explanations,
        fairness.measure(problem),
        fairness.measure(problem, plan.solution.assignments),
        monotonic() - begun,
    )


def _on_roads(problem: Problem) -> tuple[Problem, bool]:
    """The problem with measured ways where they can be had, and whether they should have been."""
    try:
        return roads.measured(problem), False
    except roads.NoRoads:
        log.warning("the routing service did not answer; straight lines stand in")
        return problem, True


def solve(
    problem: Problem, shape: RunShape, seconds: float, stopped: Callable[[], bool] = lambda: False
) -> Plan:
    """The plan of a problem: one visit each, or whole days."""
    if shape is RunShape.SINGLE:
        return batches.solve(problem)
    return day_plans.solve(problem, seconds, stopped)


def write(session: Session, facts: dict[str, Any], found: Found | None) -> dict[str, Any]:
    """Write down what was found, unless somebody stopped the run meanwhile."""
    run = session.get_one(DispatchRun, facts["run_id"], with_for_update=True)
    if found is None or run.status is not RunStatus.ASKED:
        return {"stopped": True}
    run.problem = snapshots.packed(found.situation.problem)
    run.quality = str(found.solution.quality)
    run.finished_at = clock.now()
    run.outcome = _outcome(found)
    lifecycles.take(session, SYSTEM, Noun.DISPATCH_RUN, run, "propose")
    session.flush()
    session.add_all(_lines(run.id, found))
    return {"served": len(found.solution.assignments)}


def fail(session: Session, facts: dict[str, Any]) -> None:
    """Nothing came of a run, however often it was tried."""
    run = session.get_one(DispatchRun, facts["run_id"], with_for_update=True)
    if run.status is RunStatus.ASKED:
        run.finished_at = clock.now()
        lifecycles.take(session, SYSTEM, Noun.DISPATCH_RUN, run, "fail")


def _outcome(found: Found) -> dict[str, Any]:
    """What a run came to in figures: minutes, fen, and Gini's coefficients before and after."""
    solution, promised = found.solution, found.situation.problem.before
    who = solution.who
    return {
        "served": len(solution.assignments),
        "unserved": len(solution.unserved),
        "cost": round(solution.cost, 1),
        "way_minutes": round(sum(one.way_minutes for one in solution.assignments), 1),
        "moved": sum(one in who and who[one] != promised[one] for one in promised),
        "rules": dict(Counter(str(one.rule) for one in solution.unserved)),
        "hours": [_spread(each.hours, 1) for each in (found.before, found.after)],
        "pay": [_spread(each.pay, 0) for each in (found.before, found.after)],
        "faces": [_mean(list(each.faces.values())) for each in (found.before, found.after)],
        "seconds": round(found.seconds, 2),
        "roadless": found.roadless,
    }


def _spread(one: Spread, digits: int) -> dict[str, float]:
    return {
        "gini": round(one.gini, 3),
        "least": round(one.least, digits),
        "most": round(one.most, digits),
    }


def _mean(numbers: Sequence[float]) -> float:
    return round(sum(numbers) / len(numbers), 2) if numbers else 0.0


def _lines(run_id: int, found: Found) -> Iterator[DispatchLine]:
    demands = {one.id: one for one in found.situation.problem.demands}
    before, pins = found.situation.problem.before, found.situation.problem.pins
    for one in (*found.solution.assignments, *found.solution.unserved):
        demand_id, visit_id = found.situation.keys[one.demand_id - 1]
        line = DispatchLine(
            created_at=clock.now(),
            run_id=run_id,
            number=one.demand_id,
            demand_id=demand_id,
            visit_id=visit_id,
            before_id=before.get(one.demand_id),
            cost=one.cost,
        )
        if isinstance(one, Assignment):
            line.caregiver_id = one.caregiver_id
            line.starts_at, line.ends_at = one.starts_at, one.ends_at
            line.price_fen = one.price_fen
            line.explanation = explanations.explained(
                found.explanations[one.demand_id], pinned=one.demand_id in pins
            )
        else:
            window = demands[one.demand_id].windows[0]
            line.rule = str(one.rule)
            line.starts_at, line.ends_at = window.opens_at, window.closes_at
            line.price_fen = demands[one.demand_id].highest_fen
            line.explanation = {"pinned_to": pins.get(one.demand_id)}
        yield line
