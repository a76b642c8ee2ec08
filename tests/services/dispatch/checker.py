"""The rules and terms of dispatch written once more, pair by pair, in plain Python."""

from datetime import timedelta
from functools import cache
from math import asin, ceil, cos, inf, isclose, radians, sin, sqrt

from services import clock
from services.dispatch.problem import Week, monday_of
from services.dispatch.rules import Rule
from services.dispatch.weights import Term

MINUTE = timedelta(minutes=1)
RUSH = {7, 8, 17, 18}


@cache
def kilometres(here, there):
    """Haversine."""
    lng, lat, other_lng, other_lat = map(radians, (*here, *there))
    half = sin((other_lat - lat) / 2) ** 2
    half += cos(lat) * cos(other_lat) * sin((other_lng - lng) / 2) ** 2
    return 2 * 6371.0088 * asin(sqrt(half))


def way(demand, here, there):
    """Minutes at the hour at which the demand's first window opens."""
    first = min(window.opens_at for window in demand.windows)
    kmh = 18 if clock.in_city(first).hour in RUSH else 25
    return kilometres(here, there) * 1.3 * 60 / kmh


def whole(minutes):
    return ceil(minutes - 1e-6) * MINUTE


def obstacles(problem, demand, caregiver):
    """All rules, time aside, that keep two apart."""
    week = caregiver.weeks.get(monday_of(demand.windows[0].opens_at), Week(0, 0))
    usual = caregiver.prices.get(demand.item_id)
    price = demand.offers.get(caregiver.id, usual)
    broken = {
        Rule.VERIFIED: not caregiver.verified,
        Rule.SEX: demand.sex not in (None, caregiver.sex),
        Rule.NOT_OFFERED: usual is None,
        Rule.CERTIFICATE: not demand.certificates <= caregiver.certificates,
        Rule.SKILL: not demand.skills <= caregiver.skills,
        Rule.TOO_FAR: kilometres(demand.point, caregiver.point) > caregiver.radius_km,
        Rule.PRICE: price is not None and price > demand.highest_fen,
        Rule.REFUSED: caregiver.id in demand.refused or demand.recipient_id in caregiver.refuses,
        Rule.FORBIDDEN: (demand.id, caregiver.id) in problem.forbidden,
        Rule.STRANGER: not demand.strangers and not demand.visits_by.get(caregiver.id),
        Rule.WEEK_FULL: demand.minutes < 24 * 60
        and week.booked + demand.minutes > caregiver.week_minutes,
    }
    return {rule for rule, so in broken.items() if so}


def first_start(demand, free, window):
    """The first start in one free time and one window, or None."""
    length = demand.minutes * MINUTE
    start = max(window.opens_at, free.starts_at, free.rested_from or free.starts_at)
    if free.comes_from:
        start = max(start, free.starts_at + whole(way(demand, free.comes_from, demand.point)))
    end = start + length
    onward = whole(way(demand, demand.point, free.goes_to)) if free.goes_to else 0 * MINUTE
    fits = (
        end <= window.closes_at
        and end <= (free.rested_until or end)
        and end + onward <= free.ends_at
        and free.live_in == (demand.minutes >= 24 * 60)
    )
    return start if fits else None


def earliest(problem, demand, caregiver):
    """The first start that breaks no rule, and in which free time; None if there is none."""
    if obstacles(problem, demand, caregiver):
        return None
    starts = [
        (start, place)
        for place, free in enumerate(caregiver.free)
        for window in demand.windows
        if (start := first_start(demand, free, window))
    ]
    return min(starts, default=None)


def shares(problem, caregiver, what):
    """What she got a week against the mean, as if she had had the mean for two weeks more."""
    weeks = sum(one.weeks_present for one in problem.caregivers)
    total = sum(getattr(one, what) for one in problem.caregivers)
    if not weeks or not total:
        return 1
    mean = total / weeks
    return (getattr(caregiver, what) + 2 * mean) / (caregiver.weeks_present + 2) / mean


def filled(minutes, room):
    if minutes <= room:
        return minutes**3 / (3 * room**2)
    return room / 3 + minutes - room


def terms(problem, demand, caregiver, place):
    """What a visit in one of her free times costs, by term."""
    weights, free = problem.weights, caregiver.free[place]
    here, there = free.comes_from or caregiver.point, free.goes_to or caregiver.point
    more = way(demand, here, demand.point) + way(demand, demand.point, there)
    more -= way(demand, here, there)
    hours = demand.minutes / 60 if demand.minutes < 24 * 60 else 0
    week = caregiver.weeks.get(
        monday_of(demand.windows[0].opens_at), Week(0, caregiver.week_minutes)
    )
    room = max(week.available, 60)
    full = filled(week.booked + demand.minutes, room) - filled(week.booked, room)
    unknown = demand.conditions - caregiver.experience
    promised = problem.before.get(demand.id)
    every = {
        Term.TRAVEL: weights.travel * more,
        Term.RATING: weights.rating * (5 - caregiver.rating),
        Term.SATURATION: weights.saturation * (full / 60 if hours else 0),
        Term.HOURS: weights.hours * hours * shares(problem, caregiver, "worked_minutes"),
        Term.PAY: weights.pay * hours * shares(problem, caregiver, "earned_fen"),
        Term.CONTINUITY: weights.continuity / (1 + demand.visits_by.get(caregiver.id, 0)),
        Term.EXPERIENCE: weights.experience * len(unknown) / max(1, len(demand.conditions)),
        Term.LANGUAGE: weights.language
        * bool(demand.language and demand.language not in caregiver.languages),
        Term.ASKING: weights.asking * (bool(demand.offers) and caregiver.id not in demand.offers),
        Term.CHANGE: weights.change * (promised not in (None, caregiver.id)),
    }
    return {term: cost for term, cost in every.items() if cost}


def nobody(problem, demand):
    """What it costs if nobody comes."""
    ahead = (min(one.opens_at for one in demand.windows) - problem.now) / timedelta(hours=72)
    return problem.weights.unserved + problem.weights.urgency * min(1, max(0, 1 - ahead))


def costs(problem):
    """What each feasible pair costs, by demand and caregiver."""
    return {
        (demand.id, caregiver.id): sum(terms(problem, demand, caregiver, found[1]).values())
        for demand in problem.demands
        for caregiver in problem.caregivers
        if (found := earliest(problem, demand, caregiver))
    }


def least(problem):
    """The least that any choice of one caregiver a demand costs: all of them are tried."""
    pairs = costs(problem)
    ids = [one.id for one in problem.caregivers]

    @cache
    def rest(number, taken):
        if number == len(problem.demands):
            return 0
        demand = problem.demands[number]
        best = nobody(problem, demand) + rest(number + 1, taken)
        for bit, caregiver_id in enumerate(ids):
            if not taken >> bit & 1 and (demand.id, caregiver_id) in pairs:
                cost = pairs[demand.id, caregiver_id] + rest(number + 1, taken | 1 << bit)
                best = min(best, cost)
        return best

    return rest(0, 0)


def check(problem, solution):
    """Look at every line of a batch's solution anew."""
    demands = {one.id: one for one in problem.demands}
    caregivers = {one.id: one for one in problem.caregivers}
    served = [one.demand_id for one in solution.assignments]
    left = [one.demand_id for one in solution.unserved]
    assert sorted(served + left) == sorted(demands)
    sent = [one.caregiver_id for one in solution.assignments]
    assert len(sent) == len(set(sent))
    for one in solution.assignments:
        demand, caregiver = demands[one.demand_id], caregivers[one.caregiver_id]
        start, place = earliest(problem, demand, caregiver)
        assert (one.starts_at, one.ends_at - start) == (start, demand.minutes * MINUTE)
        asked = demand.offers.get(caregiver.id, caregiver.prices[demand.item_id])
        assert one.price_fen == max(asked, demand.lowest_fen)
        assert same(terms(problem, demand, caregiver, place), one.terms)
    for one in solution.unserved:
        assert isclose(one.cost, nobody(problem, demands[one.demand_id]))


def same(expected, found, within=0.01):
    """Whether two accounts by term agree: a way of an hour is told to a hundredth of a minute."""
    return all(abs(expected.get(term, 0) - found.get(term, 0)) < within for term in Term)


def value(problem, who):
    """What a choice costs, by demand and caregiver; infinitely much if a pair is not feasible."""
    pairs = costs(problem)
    return sum(
        pairs.get((one.id, who[one.id]), inf) if one.id in who else nobody(problem, one)
        for one in problem.demands
    )
