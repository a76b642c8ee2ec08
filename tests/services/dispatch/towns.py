"""Made-up towns: demands and caregivers with all that rules and terms look at, from a seed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from services.dispatch.problem import Caregiver, Demand, Free, Point, Problem, Week, Window

NOW = datetime(2026, 5, 31, 22, tzinfo=UTC)  # Monday 1 June, six in the morning.
MORNING = NOW + timedelta(hours=2)
MONDAY = date(2026, 6, 1)
MIDDLE = Point(120.86, 32.0)
CERTIFICATES, SKILLS, CONDITIONS = ("nursing", "elder"), ("lifting", "feeding"), ("stroke", "heart")
LANGUAGES = ("zh", "nantong")
ITEMS = (1, 2, 3)


def hours(number):
    return timedelta(hours=number)


def window(since, until):
    """Between two hours after the morning."""
    return Window(MORNING + hours(since), MORNING + hours(until))


def free(since, until, **more):
    return Free(MORNING + hours(since), MORNING + hours(until), **more)


def near(east=0.0, north=0.0):
    """So many kilometres from the middle."""
    return Point(MIDDLE.lng + east / 94.3, MIDDLE.lat + north / 111.2)


def demand(number=1, **more):
    usual = {
        "id": number,
        "recipient_id": number,
        "item_id": 1,
        "point": MIDDLE,
        "district_code": "320602",
        "windows": (window(1, 5),),
        "minutes": 120,
        "highest_fen": 8000,
    }
    return Demand(**usual | more)


def caregiver(number=1, **more):
    usual = {
        "id": number,
        "point": MIDDLE,
        "free": (free(0, 10),),
        "prices": dict.fromkeys(ITEMS, 7000),
        "radius_km": 15,
        "rating": 4.5,
        "week_minutes": 44 * 60,
    }
    return Caregiver(**usual | more)


def problem(demands, caregivers, **more):
    return Problem(NOW, tuple(demands), tuple(caregivers), **more)


def without(problem, caregiver_id):
    """The problem with a caregiver who has no time."""
    people = [
        replace(one, free=()) if one.id == caregiver_id else one for one in problem.caregivers
    ]
    return replace(problem, caregivers=tuple(people))


def moved(before, now):
    """The demands that somebody else comes to than before, or nobody."""
    return {one for one, who in before.items() if now.get(one) != who}


def town(seed, demands, caregivers, *, spread_km=6.0, **more):
    """A town in which about a third of all pairs are feasible."""
    chance = Random(seed)
    return problem(
        [random_demand(chance, 1000 + n, caregivers, spread_km) for n in range(demands)],
        [random_caregiver(chance, 1 + n, demands, spread_km) for n in range(caregivers)],
        **more,
    )


def random_demand(chance, number, caregivers, spread_km):
    opens, minutes = chance.randint(0, 16) / 2, chance.choice((60, 120, 180))
    windows = [window(opens, opens + minutes / 60 + chance.choice((0, 0.5, 2)))]
    if chance.random() < 0.2:
        windows.append(window(opens + 5, opens + 5 + minutes / 60))
    return demand(
        number,
        recipient_id=chance.randint(1, 50),
        item_id=chance.choice(ITEMS),
        point=random_point(chance, spread_km),
        windows=tuple(windows),
        minutes=minutes,
        lowest_fen=5500,
        highest_fen=chance.randint(6500, 9000),
        certificates=some(chance, CERTIFICATES, 0.2),
        skills=some(chance, SKILLS, 0.15),
        sex=chance.choice((None, None, None, "female")),
        language=chance.choice(("", *LANGUAGES)),
        conditions=some(chance, CONDITIONS, 0.3),
        refused=frozenset({chance.randint(1, caregivers)} if chance.random() < 0.1 else ()),
        visits_by={chance.randint(1, caregivers): chance.randint(1, 9) for _ in range(2)},
        strangers=chance.random() < 0.95,
        offers=random_offers(chance, caregivers),
    )


def random_offers(chance, caregivers):
    """Now and then a few offered themselves, at prices that may be others than their usual ones."""
    return {
        chance.randint(1, caregivers): chance.randint(5500, 9000)
        for _ in range(chance.choice((0, 0, 1, 3)))
    }


def random_caregiver(chance, number, demands, spread_km):
    return caregiver(
        number,
        point=random_point(chance, spread_km),
        free=tuple(random_free(chance, spread_km)),
        prices={item: chance.randint(5000, 8000) for item in ITEMS if chance.random() < 0.85},
        radius_km=chance.uniform(5, 20),
        rating=chance.uniform(3, 5),
        weeks={MONDAY: Week(chance.randint(0, 2600), chance.choice((1200, 2400)))},
        verified=chance.random() < 0.97,
        sex=chance.choice(("female", "female", "male")),
        certificates=some(chance, CERTIFICATES, 0.8),
        skills=some(chance, SKILLS, 0.8),
        languages=some(chance, LANGUAGES, 0.7),
        experience=some(chance, CONDITIONS, 0.5),
        refuses=frozenset({chance.randint(1, 50)} if chance.random() < 0.2 else ()),
        worked_minutes=chance.uniform(0, 9000),
        earned_fen=chance.uniform(0, 800_000),
        weeks_present=chance.choice((0, 1, 8)),
    )


def random_free(chance, spread_km):
    """The whole day, or what a visit at noon or a late one the day before leave of it."""
    kind = chance.random()
    if kind < 0.4:
        yield free(0, 12)
    elif kind < 0.7:
        there = random_point(chance, spread_km)
        yield free(0, 4, goes_to=there)
        yield free(6, 12, comes_from=there)
    else:
        yield free(0, 12, rested_from=MORNING + hours(3), rested_until=MORNING + hours(10))


def random_point(chance, spread_km):
    return near(chance.gauss(0, spread_km), chance.gauss(0, spread_km))


def some(chance, words, share):
    return frozenset(word for word in words if chance.random() < share)
