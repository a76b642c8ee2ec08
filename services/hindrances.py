"""What of time keeps many caregivers from one visit, each as if she alone were asked."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Float,
    and_,
    bindparam,
    case,
    exists,
    extract,
    func,
    select,
)
from sqlalchemy.orm import Session

from data.calendars import Closure, DayHours, Leave
from data.caregivers import Caregiver, WeeklyHours
from data.orders import Visit
from services import availability, calendars, clock, gate
from services.availability import Calendar, Obstacle, Pace, Taken

# No way between two visits of a caregiver is longer.
_FURTHEST_KM = 200
_MINUTE = timedelta(minutes=1)


class Told(StrEnum):
    """What the database can tell of a caregiver and a visit: the two first are sure."""

    FREE = "free"
    BUSY = "busy"
    SUITS = "suits"  # Her plan does; her other visits may not.
    UNCLEAR = "unclear"


def of(
    session: Session, ids: Sequence[int], visit: Taken, rules: Pace
) -> dict[int, Obstacle | None]:
    """What first stands in each one's way; None where nothing does."""
    if (met := everybodys(visit, rules)) is not None:
        return dict.fromkeys(ids, met)
    told = session.execute(_TOLD_OF, {"ids": ids} | parameters(visit, rules))
    return closely(session, dict(told.all()), visit, rules)


def everybodys(visit: Taken, rules: Pace) -> Obstacle | None:
    """What stands in everybody's way: the visit is too soon or too far ahead."""
    met = availability.obstacle(Calendar(()), rules, (), visit)
    return met if met in (Obstacle.TOO_SOON, Obstacle.TOO_FAR_AHEAD) else None


def closely(
    session: Session, told: Mapping[int, str], visit: Taken, rules: Pace
) -> dict[int, Obstacle | None]:
    """What first stands in each one's way, looked at where the database could not tell."""
    met: dict[int, Obstacle | None] = {
        one: Obstacle.BUSY if said == Told.BUSY else None for one, said in told.items()
    }
    if unclear := [one for one, said in told.items() if said == Told.UNCLEAR]:
        plans = calendars.around(session, unclear, visit.starts_at, visit.ends_at)
        met |= by_plan(plans, rules, visit)
    suited = [
        one
        for one, said in told.items()
        if said == Told.SUITS or (said == Told.UNCLEAR and met[one] in (None, Obstacle.WEEK_FULL))
    ]
    # Her week's hours, and who comes the day before and after.
    monday, next_monday = availability.week_of(visit.starts_at)
    until = max(next_monday, visit.ends_at) + availability.A_DAY
    taken = gate.taken_by(session, suited, monday - availability.A_DAY, until)
    for one in suited:
        met[one] = next(availability.of_visits(rules, taken.get(one, ()), visit), None)
    return met


def by_plan(
    plans: Mapping[int, Calendar], rules: Pace, wanted: Taken
) -> dict[int, Obstacle | None]:
    """What first stands in the way of a visit for each of many as long as nothing is taken.

    Plans that are alike are looked at once.
    """
    found: dict[int, Obstacle | None] = {}
    known: dict[Hashable, Obstacle | None] = {}
    for one, plan in plans.items():
        hours = tuple((each.weekday, each.starts_minute, each.ends_minute) for each in plan.week)
        alike = hours, tuple(plan.days.items()), plan.leaves, plan.closures
        if alike not in known:
            known[alike] = availability.obstacle(plan, rules, (), wanted)
        found[one] = known[alike]
    return found


def by_hours_alone(session: Session, ids: Sequence[int], visit: Taken, rules: Pace) -> list[int]:
    """Those whose weekly hours are all that keeps them from a visit."""
    if not ids:
        return []
    plans = calendars.around(session, ids, visit.starts_at, visit.ends_at)
    monday, next_monday = availability.week_of(visit.starts_at)
    until = max(next_monday, visit.ends_at) + availability.A_DAY
    taken = gate.taken_by(session, ids, monday - availability.A_DAY, until)
    return [
        one
        for one in ids
        if availability.obstacles(plans[one], rules, taken.get(one, ()), visit)
        == (Obstacle.OFF_HOURS,)
    ]


def parameters(visit: Taken, rules: Pace) -> dict[str, Any]:
    """What TOLD has to know of a visit."""
    start, end = clock.in_city(visit.starts_at), clock.in_city(visit.ends_at)
    midnight = datetime.combine(start, time(), clock.CITY_TIME)
    monday, next_monday = availability.week_of(start)
    around = max(rules.rest, timedelta(hours=_FURTHEST_KM * availability.DETOUR / rules.travel_kmh))
    return {
        "day": start.date(),
        "weekday": start.weekday(),
        "first_minute": (start - midnight) // _MINUTE,
        "last_minute": -((midnight - end) // _MINUTE),
        "start": start,
        "end": end,
        "near_since": start - around,
        "near_until": end + around,
        "monday": monday,
        "next_monday": next_monday,
        "since": min(monday, start - around),
        "until": max(next_monday, end + around),
        "left": (rules.week - (end - start)).total_seconds(),
    }


def _told() -> ColumnElement[str]:
    """Of each caregiver, whether it is plain that she can come.

    It is where one stretch of a week that nothing changes holds the visit, none of her others is
    near enough for the way or for rest to matter, and the week has room.
    """
    start: BindParameter[datetime] = bindparam("start")
    end: BindParameter[datetime] = bindparam("end")
    of_week = exists().where(
        WeeklyHours.caregiver_id == Caregiver.id,
        WeeklyHours.weekday == bindparam("weekday"),
        WeeklyHours.starts_minute <= bindparam("first_minute"),
        WeeklyHours.ends_minute >= bindparam("last_minute"),
    )
    of_day = exists().where(
        DayHours.caregiver_id == Caregiver.id, DayHours.on_day == bindparam("day")
    )
    away = exists().where(
        Leave.caregiver_id == Caregiver.id,
        Leave.withdrawn_at.is_(None),
        Leave.ends_at > start,
        Leave.starts_at < end,
    )
    closed = exists().where(
        Closure.city_code == Caregiver.city_code, Closure.ends_at > start, Closure.starts_at < end
    )
    suits = and_(of_week, ~of_day, ~away, ~closed)
    return case(
        (~suits, Told.UNCLEAR),
        (_burden() <= bindparam("left", type_=Float), Told.FREE),
        (exists().where(gate.busy(Caregiver.id, start, end)), Told.BUSY),
        else_=Told.SUITS,
    )


def _burden() -> ColumnElement[float]:
    """The seconds a caregiver works in the week of a visit; near it, more than a week can hold.

    One look at her visits for both: it is what takes longest.
    """
    seconds = extract("epoch", Visit.ends_at) - extract("epoch", Visit.starts_at)

    def touches(since: str, until: str) -> ColumnElement[bool]:
        return and_(Visit.ends_at > bindparam(since), Visit.starts_at < bindparam(until))

    counted = case(
        (touches("near_since", "near_until"), 2 * calendars.A_WEEK.total_seconds()),
        (touches("monday", "next_monday"), seconds),
        else_=0,
    )
    since: BindParameter[datetime] = bindparam("since")
    until: BindParameter[datetime] = bindparam("until")
    return (
        select(func.coalesce(func.sum(counted), 0.0))
        .where(gate.busy(Caregiver.id, since, until))
        .correlate(Caregiver)
        .scalar_subquery()
    )


# Written once: that takes a third as long as to answer it for hundreds.
TOLD = _told()
_TOLD_OF = select(Caregiver.id, TOLD).where(Caregiver.id.in_(bindparam("ids", expanding=True)))
