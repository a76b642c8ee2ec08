"""Openings: the next free times of many caregivers for a visit, found with few looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from heapq import heapify, heappop, heappush

from sqlalchemy.orm import Session

from services import availability, calendars, clock, gate
from services.availability import Calendar, Pace, Taken

# Looked at so many days ahead first, then further: most have a free time soon.
FIRST_DAYS = (2, 9)
GROWTH = 8


@dataclass(frozen=True, slots=True)
class Visit:
    """What room is looked for: so long, in this cell, under a city's rules."""

    length: timedelta
    cell: str
    rules: Pace


def times(
    session: Session, ids: Sequence[int], first: datetime, last: datetime
) -> tuple[dict[int, Calendar], dict[int, list[Taken]]]:
    """Plans between two moments, and what is taken a week around them."""
    week = calendars.A_WEEK
    plans = calendars.around(session, ids, first, last)
    return plans, gate.taken_by(session, ids, first - week, last + week)


def of_first(
    session: Session, ids: Sequence[int], visit: Visit, enough: int
) -> dict[int, datetime | None]:
    """The next start of each one looked at, until enough of the first have one."""
    found: dict[int, datetime | None] = {}
    at_once, now = enough, clock.now()
    while len(found) < len(ids) and sum(1 for start in found.values() if start) < enough:
        these = ids[len(found) : len(found) + at_once]
        at_once *= GROWTH
        plans, taken = times(session, these, now, now + visit.rules.horizon + visit.length)
        for one in these:
            found[one] = availability.next_start(
                plans[one], visit.rules, taken.get(one, ()), visit.length, visit.cell
            )
    return found


def soonest(
    session: Session, away: Mapping[int, float], visit: Visit, enough: int
) -> tuple[dict[int, datetime], int]:
    """Those who can begin soonest, the near ones first, and how many surely never can.

    Bitmaps say how early each one could begin at best; only who may be among the first is looked
    at closely.
    """
    found: dict[int, datetime] = {}
    left, since, today = list(away), 0, clock.today()
    for until in (*FIRST_DAYS, visit.rules.horizon.days):
        days = [today + timedelta(days=number) for number in range(since, until)]
        if not days or not left:
            continue
        at = datetime.combine(days[0], time(), clock.CITY_TIME)
        plans, taken = times(session, left, at, at + timedelta(days=len(days)) + visit.length)
        bounds = {one: _earliest(plans[one], taken.get(one, ()), visit, days) for one in left}
        waiting = [(bound, away[one], one, False) for one, bound in bounds.items() if bound]
        later = {one for one, bound in bounds.items() if bound is None}
        heapify(waiting)
        while waiting and len(found) < enough:
            start, _, one, sure = heappop(waiting)
            if sure:
                found[one] = start
                continue
            exact = availability.next_start(
                plans[one], visit.rules, taken.get(one, ()), visit.length, visit.cell, days
            )
            if exact is None:
                later.add(one)
            else:
                heappush(waiting, (exact, away[one], one, True))
        if len(found) == enough:
            return found, 0
        left, since = [one for one in left if one in later], until
    return found, len(left)


def _earliest(
    plan: Calendar, taken: Sequence[Taken], visit: Visit, days: Sequence[date]
) -> datetime | None:
    """No visit of this length begins before this moment on these days; None if none does.

    Visits begin at half hours from the start of a stretch. Where that is not a half hour itself,
    a quarter to either side makes up for what the bitmap rounds away.
    """
    midnight = datetime.combine(days[0], time(), clock.CITY_TIME)
    soonest = max(midnight, clock.now() + visit.rules.notice)
    if visit.length >= availability.A_DAY:
        return soonest
    spans = [(visit.starts_at, visit.ends_at) for visit in taken]
    bits = availability.free_slots(plan, spans, days[0], len(days) + 1)
    slot, early = availability.SLOT, 0
    if _by_half_hours(plan):
        bits = availability.room(bits, visit.length) & _half_hours(len(days))
    else:
        early = 1
        bits = availability.room(bits, max(slot, visit.length - 2 * slot))
    skip = -((midnight - soonest) // slot) - early
    bits = bits >> max(0, skip) << max(0, skip) & ((1 << len(days) * availability.SLOTS_A_DAY) - 1)
    if not bits:
        return None
    return midnight + slot * ((bits & -bits).bit_length() - 1 - early)


def _by_half_hours(plan: Calendar) -> bool:
    """Whether every stretch of a plan begins and ends at a half hour."""
    return not any(hours.starts_minute % 30 or hours.ends_minute % 30 for hours in plan.week) and (
        not any(minute % 30 for day in plan.days.values() for hours in day for minute in hours)
    )


@cache
def _half_hours(days: int) -> int:
    """Every second quarter hour of so many days."""
    return sum(1 << 2 * number for number in range(days * availability.SLOTS_A_DAY // 2))
