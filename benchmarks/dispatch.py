"""Dispatch: how fast and how good, against dense assignment, VROOM, OR-tools, and two greedy ways.

Everything runs on one core, so that processor time is what is compared: work beside it counts
against nobody.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic, process_time

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks import routing_peers
from benchmarks.table import Row
from services.dispatch import batches, costs, day_plans, fairness, routes, rules, shifts, timing
from services.dispatch import columns as tables
from services.dispatch.batches import Batch
from services.dispatch.columns import Columns
from services.dispatch.day_plans import DayPlan
from services.dispatch.problem import (
    Break,
    Caregiver,
    Demand,
    Free,
    Point,
    Problem,
    Week,
    Window,
)
from services.dispatch.shifts import Ground
from services.dispatch.weights import Weights

SIZES = {100: 2.0, 1_000: 0.5, 5_000: 0.15}
ROUNDS = {100: 9, 1_000: 5, 5_000: 1}
VISITS, CAREGIVERS = 300, 60
# Seconds, and how far VROOM alone explores in them; the last finds the best known.
BUDGETS = ((2.0, 0), (10.0, 3), (60.0, 5))
WEEKS, WORKERS, VISITS_A_DAY = 8, 60, 40
EVEN = (4, 8, 16, 24, 32)
MOST_TRAVEL, MOST_UNEVEN = 1.05, 0.6
NOW = datetime(2026, 5, 31, 22, tzinfo=UTC)
MORNING = NOW + timedelta(hours=2)
MONDAY = date(2026, 6, 1)
SPREAD_KM = 8.0
ITEMS, CERTIFICATES, SKILLS = range(1, 11), "abcd", "stu"
KINDS = ("scattered", "clustered", "mixed")
_A_PART = 200


def measure(_folder: Path) -> Iterator[Row]:
    """Single visits, days of several, and eight weeks of fairness."""
    for size, target in SIZES.items():
        yield from _single_visits(size, target)
    yield from _days()
    yield from _weeks()


def city(size: int, seed: int) -> Problem:
    """As many demands as caregivers around a middle; some nine pairs in a hundred are feasible."""
    chance = Random(seed)
    return Problem(
        NOW,
        tuple(_demand(chance, 1 + n) for n in range(size)),
        tuple(_caregiver(chance, 1 + n) for n in range(size)),
    )


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


def _point(chance: Random) -> Point:
    return Point(
        120.86 + chance.gauss(0, SPREAD_KM) / 94.3, 32.0 + chance.gauss(0, SPREAD_KM) / 111.2
    )


def _demand(chance: Random, number: int) -> Demand:
    minutes = chance.choice((120, 180, 240))
    opens = MORNING + _hours(chance.randint(0, 14) / 2)
    return Demand(
        id=number,
        recipient_id=number,
        item_id=chance.choice(ITEMS),
        point=_point(chance),
        district_code="320602",
        windows=(Window(opens, opens + timedelta(minutes=minutes + chance.choice((0, 60)))),),
        minutes=minutes,
        highest_fen=chance.randint(7500, 9500),
        certificates=frozenset(chance.sample(CERTIFICATES, chance.choice((0, 1, 1)))),
        skills=frozenset(chance.sample(SKILLS, chance.choice((0, 0, 1)))),
        sex=chance.choice((None, None, None, "female")),
    )


def _caregiver(chance: Random, number: int) -> Caregiver:
    return Caregiver(
        id=number,
        point=_point(chance),
        free=(Free(MORNING, MORNING + _hours(chance.choice((6, 12)))),),
        prices={item: chance.randint(5000, 8500) for item in ITEMS if chance.random() < 0.6},
        radius_km=chance.uniform(5, 15),
        rating=chance.uniform(3.5, 5),
        week_minutes=2640,
        weeks={MONDAY: Week(chance.randint(0, 2000), 2400)},
        sex=chance.choice(("female", "female", "female", "male")),
        certificates=frozenset(chance.sample(CERTIFICATES, 3)),
        skills=frozenset(chance.sample(SKILLS, 2)),
        worked_minutes=chance.uniform(0, 10_000),
        weeks_present=8,
    )


def _timed(work: Callable[[], object]) -> float:
    started = process_time()
    work()
    return process_time() - started


def _single_visits(size: int, target: float) -> Iterator[Row]:
    """Time from demands and caregivers to the choice, cost, and who is left out."""
    problem = city(size, size)
    batch = batches.solve(problem)
    least = _dense(problem)
    ours, theirs = zip(
        *(
            (_timed(lambda: batches.solve(problem)), _timed(lambda: _dense(problem)))
            for _ in range(ROUNDS[size])
        ),
        strict=True,
    )
    name = f"dispatch, {size:,} demands, {size:,} caregivers"
    yield Row(
        f"{name}: time against dense assignment", min(ours) * 1000, min(theirs) * 1000, "ms", target
    )
    yield Row(f"{name}: cost against dense assignment", batch.solution.cost, least, "min", 1.001)
    left = len(batch.solution.unserved)
    for way, order in (("nearest", _nearest(batch)), ("best rated", _best_rated(batch))):
        yield Row(f"{name}: unserved against {way} first", left, _greedy(batch, order), "", 1.0)


def _dense(problem: Problem) -> float:
    """Every pair looked at in whole matrices, a price for those that are not to be, and SciPy."""
    columns = tables.of(problem)
    c = np.arange(len(columns.caregivers))
    nobody = costs.unserved(columns)
    table = np.empty((len(columns.demands), len(c)))
    for start in range(0, len(table), _A_PART):
        rows = np.arange(start, min(start + _A_PART, len(table)))
        table[rows] = np.where(*_looked_at(columns, rows, c), nobody[rows, None])
    return float(table[linear_sum_assignment(table)].sum())


def _looked_at(columns: Columns, rows: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pairs of some demands with all caregivers are feasible, and what all of them cost."""
    d = rows[:, None]
    ok = np.ones((len(rows), len(c)), bool)
    for check in (*rules.OF_KIND, *rules.OF_BOTH, *rules.OF_WEEK):
        ok &= check.holds(columns, d, c)
    ok &= sum(map(np.multiply.outer, columns.place_units[rows].T, columns.home_units.T)) >= (
        columns.reach
    )
    every = (np.repeat(rows, len(c)), np.tile(c, len(rows)))
    opening = timing.openings(columns, *every)
    ok &= opening.found.reshape(ok.shape)
    ways = timing.out_of_way(columns, *every, opening.free)
    return ok, costs.total(columns, *every, ways).reshape(ok.shape)


def _nearest(batch: Batch) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    columns = batch.columns
    return lambda d, c: timing.out_of_way(columns, d, c, np.zeros(len(d), int))


def _best_rated(batch: Batch) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda d, c: batch.columns.stars_short[c]


def _greedy(batch: Batch, order: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> int:
    """How many are left if each demand in turn, the soonest first, takes the first still there."""
    pairs, columns = batch.pairs, batch.columns
    ranks = order(pairs.d, pairs.c)
    edges = np.searchsorted(pairs.d, np.arange(len(columns.demands) + 1))
    taken, left = set[int](), 0
    for d in np.argsort(columns.opens, kind="stable"):
        first, last = edges[d], edges[d + 1]
        there = pairs.c[first:last][np.argsort(ranks[first:last], kind="stable")]
        found = next((c for c in there.tolist() if c not in taken), None)
        if found is None:
            left += 1
        else:
            taken.add(found)
    return left


def _days() -> Iterator[Row]:
    """Days of several visits, against the best that anybody finds in much more time."""
    for number, kind in enumerate(KINDS):
        found = [_routed(_day(kind, number), *budget) for budget in BUDGETS]
        best = min(cost for each in found for cost in each)
        for (seconds, _), (ours, vroom, ortools) in list(zip(BUDGETS, found, strict=True))[:-1]:
            name = f"day plan, {VISITS} visits, {CAREGIVERS} caregivers, {kind}, {seconds:g} s"
            yield Row(f"{name}: cost against the best known", ours, best, "min", 1.10)
            yield Row(f"{name}: cost against VROOM alone", ours, vroom, "min", 1.0)
            yield Row(f"{name}: cost against OR-tools", ours, ortools, "min", 1.0)


def _routed(problem: Problem, seconds: float, exploration: int) -> tuple[float, float, float]:
    """What a plan costs as we make it, VROOM alone, and OR-tools in the same time by the clock."""
    plan, by_clock = _planned(problem, seconds)
    ground = plan.ground
    peers = routing_peers.vroom(ground, exploration), routing_peers.ortools(ground, by_clock)
    ours, vroom, ortools = (_cost(ground, each) for each in (plan.routes, *peers))
    return ours, vroom, ortools


def _planned(problem: Problem, seconds: float) -> tuple[DayPlan, float]:
    """A plan in so many seconds of the processor's, and how many those are by the clock."""
    started, by_clock = process_time(), monotonic()
    plan = day_plans.solve(problem, np.inf, lambda: process_time() - started >= seconds)
    return plan, monotonic() - by_clock


def _cost(ground: Ground, found: dict[int, shifts.Route]) -> float:
    made = {d for route in found.values() for d in route}
    left = sum(float(ground.nobody[d]) for d in range(len(ground.nobody)) if d not in made)
    return routes.cost(ground, found) + left


def _day(kind: str, seed: int) -> Problem:
    """Homes and places as Solomon's R, C and RC have them, with windows narrow and wide."""
    chance = Random(seed)
    middles = [_point(chance) for _ in range(12)]

    def point() -> Point:
        if kind == "scattered" or (kind == "mixed" and chance.random() < 0.5):
            return _point(chance)
        lng, lat = chance.choice(middles)
        return Point(lng + chance.gauss(0, 0.01), lat + chance.gauss(0, 0.01))

    demands = [_visit(chance, 1 + n, point()) for n in range(VISITS)]
    lunch = Break(MORNING + _hours(3), MORNING + _hours(5.5), 30)
    people = [
        replace(
            _caregiver(chance, 1 + n),
            point=point(),
            free=(Free(MORNING, MORNING + _hours(12)),),
            radius_km=chance.uniform(10, 25),
            prices=dict.fromkeys(ITEMS, 7000),
            weeks={MONDAY: Week(chance.randint(0, 1500), 2400)},
            breaks=(lunch,),
        )
        for n in range(CAREGIVERS)
    ]
    return Problem(NOW, tuple(demands), tuple(people), seed=seed)


def _visit(chance: Random, number: int, point: Point) -> Demand:
    minutes = chance.choice((60, 90, 120))
    opens = chance.randint(0, 20) / 2
    closes = min(12.0, opens + minutes / 60 + chance.choice((0.5, 1, 2, 4)))
    return replace(
        _demand(chance, number),
        point=point,
        windows=(Window(MORNING + _hours(opens), MORNING + _hours(closes)),),
        minutes=minutes,
        sex=None,
    )


def _weeks() -> Iterator[Row]:
    """Gini of hours against travel over eight weeks, nearest first beside it."""
    travel, gini = lived(None)
    for even in EVEN:
        way, uneven = lived(replace(Weights(), hours=even))
        name = f"fairness over {WEEKS} weeks, even hours weigh {even:g}"
        yield Row(f"{name}: travel against nearest first", way, travel, "min", MOST_TRAVEL)
        target = MOST_UNEVEN if even == Weights().hours else 1.0
        yield Row(f"{name}: Gini of hours against nearest first", uneven, gini, "", target)


def lived(weights: Weights | None) -> tuple[float, float]:
    """Minutes of travel and Gini of hours after eight weeks, dispatched day by day.

    Without weights each demand in turn, the soonest first, takes the nearest who is still there.
    """
    chance = Random(1)
    people = [_worker(chance, 1 + n) for n in range(WORKERS)]
    minutes, earned, travel = Counter({one.id: 0 for one in people}), Counter[int](), 0.0
    for week in range(WEEKS):
        of_week = Counter[int]()
        for day in range(7):
            today = tuple(
                replace(
                    one,
                    worked_minutes=minutes[one.id],
                    earned_fen=earned[one.id],
                    weeks_present=max(1.0, week + day / 7),
                    weeks={MONDAY: Week(of_week[one.id], 2400)},
                )
                for one in people
            )
            demands = tuple(_demand(chance, 1 + n) for n in range(VISITS_A_DAY))
            batch = batches.solve(Problem(NOW, demands, today, weights or Weights()))
            for d, c, way in _pairs_of(batch) if weights else _one_by_one(batch):
                demand, her = batch.columns.demands[d], batch.columns.caregivers[c]
                minutes[her.id] += demand.minutes
                of_week[her.id] += demand.minutes
                earned[her.id] += her.prices[demand.item_id] * demand.units
                travel += way
    return travel, fairness.gini(list(minutes.values()))


def _pairs_of(batch: Batch) -> list[tuple[int, int, float]]:
    columns = batch.columns
    return [
        (
            columns.row_of_demand[one.demand_id],
            columns.row_of_caregiver[one.caregiver_id],
            one.way_minutes,
        )
        for one in batch.solution.assignments
    ]


def _one_by_one(batch: Batch) -> list[tuple[int, int, float]]:
    """Each demand in turn, the soonest first, takes the nearest who is still there."""
    pairs, columns = batch.pairs, batch.columns
    ways = timing.out_of_way(columns, pairs.d, pairs.c, np.zeros(len(pairs.d), int))
    edges = np.searchsorted(pairs.d, np.arange(len(columns.demands) + 1))
    taken, found = set[int](), list[tuple[int, int, float]]()
    for d in np.argsort(columns.opens, kind="stable").tolist():
        rows = range(edges[d], edges[d + 1])
        there = [row for row in rows if int(pairs.c[row]) not in taken]
        if there:
            row = min(there, key=lambda one: ways[one])
            taken.add(int(pairs.c[row]))
            found.append((d, int(pairs.c[row]), float(ways[row])))
    return found


def _worker(chance: Random, number: int) -> Caregiver:
    """Somebody who would go wherever she is sent: homes decide who is near to most."""
    return replace(
        _caregiver(chance, number),
        free=(Free(MORNING, MORNING + _hours(12)),),
        prices=dict.fromkeys(ITEMS, 7000),
        radius_km=30,
        certificates=frozenset(CERTIFICATES),
        skills=frozenset(SKILLS),
        sex="female",
        weeks={},
    )
