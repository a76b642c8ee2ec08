"""Made-up days of several visits a caregiver, and a plain look at every line of a plan."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from math import isclose
from random import Random

from services.dispatch.problem import Break, Week, monday_of
from services.dispatch.weights import Term
from tests.services.dispatch import checker, towns
from tests.services.dispatch.checker import MINUTE

LUNCH = Break(towns.MORNING + towns.hours(3), towns.MORNING + towns.hours(5.5), 30)


def day(number, visits, caregivers, *, breaks=True, **more):
    """A town's day."""
    chance = Random(number)
    return towns.problem(
        [visit(chance, 1000 + n, caregivers) for n in range(visits)],
        [worker(chance, 1 + n, visits, breaks=breaks) for n in range(caregivers)],
        **more,
    )


def visit(chance, number, caregivers):
    opens, minutes = chance.randint(0, 18) / 2, chance.choice((60, 90, 120))
    closes = min(12, opens + minutes / 60 + chance.choice((0, 1, 2, 4)))
    return replace(
        towns.random_demand(chance, number, caregivers, 6.0),
        minutes=minutes,
        windows=(towns.window(opens, closes),),
        highest_fen=9000,
        refused=frozenset(),
        strangers=True,
    )


def worker(chance, number, visits, *, breaks):
    her = towns.random_caregiver(chance, number, visits, 6.0)
    return replace(
        her,
        verified=True,
        radius_km=chance.uniform(8, 20),
        weeks={towns.MONDAY: Week(chance.randint(0, 1800), 2400)},
        breaks=(LUNCH,) if breaks and len(her.free) == 1 else (),
    )


def check(problem, solution):
    """Look at every line of a plan anew: rules, ways between visits, breaks, hours and costs."""
    demands = {one.id: one for one in problem.demands}
    people = {one.id: one for one in problem.caregivers}
    served = [one.demand_id for one in solution.assignments]
    assert sorted(served + [one.demand_id for one in solution.unserved]) == sorted(demands)
    hers = defaultdict(list)
    for line in sorted(solution.assignments, key=lambda one: one.starts_at):
        demand = demands[line.demand_id]
        assert not checker.obstacles(problem, demand, people[line.caregiver_id])
        assert line.ends_at - line.starts_at == demand.minutes * MINUTE
        assert any(
            window.opens_at <= line.starts_at and line.ends_at <= window.closes_at
            for window in demand.windows
        )
        hers[line.caregiver_id].append(line)
    for caregiver_id, lines in hers.items():
        her = people[caregiver_id]
        worked = sum(demands[one.demand_id].minutes for one in lines)
        week = her.weeks[monday_of(towns.MORNING)]
        assert week.booked + worked <= her.week_minutes
        room = max(week.available, 60)
        full = checker.filled(week.booked + worked, room) - checker.filled(week.booked, room)
        told = sum(one.terms[Term.SATURATION] for one in lines)
        assert isclose(told, problem.weights.saturation * full / 60, abs_tol=0.01)
        _check_routes(problem, her, lines, demands)


def _check_routes(problem, her, lines, demands):
    """Her visits lie in her free times, with time for the ways between and for her breaks."""
    for free in her.free:
        own = [one for one in lines if free.starts_at <= one.starts_at < free.ends_at]
        spans, at, place = [], free.starts_at, free.comes_from
        gone, here = 0.0, free.comes_from or her.point
        for line in own:
            point = demands[line.demand_id].point
            on_the_way = _whole(problem, place, point)
            assert line.starts_at >= max(at + on_the_way, free.rested_from or at)
            assert line.ends_at <= (free.rested_until or line.ends_at)
            spans.append((at, line.starts_at, on_the_way))
            gone += _minutes(problem, here, point)
            at, place, here = line.ends_at, point, point
        onward = _whole(problem, place, free.goes_to)
        if own:
            assert at + onward <= free.ends_at
            last = free.goes_to or her.point
            gone += _minutes(problem, here, last)
            gone -= _minutes(problem, free.comes_from or her.point, last)
            told = sum(one.way_minutes for one in own)
            assert isclose(told, gone, abs_tol=0.05)
        spans.append((at, free.ends_at, onward))
        for pause in her.breaks:
            rest = pause.minutes * MINUTE
            assert not own or any(
                max(since, pause.earliest) <= pause.latest
                and max(since + on_the_way, pause.earliest) + rest <= until
                for since, until, on_the_way in spans
            )


def _minutes(problem, here, there):
    """The way at the middle of the first windows, as a plan of a day takes it."""
    opens = sorted(min(w.opens_at for w in one.windows) for one in problem.demands)
    half = len(opens) // 2
    middle = (
        opens[half] if len(opens) % 2 else opens[half - 1] + (opens[half] - opens[half - 1]) / 2
    )
    at = replace(problem.demands[0], windows=(towns.Window(middle, middle),))
    return checker.way(at, here, there)


def _whole(problem, here, there):
    if here is None or there is None:
        return timedelta()
    return checker.whole(_minutes(problem, here, there))
