"""What of time keeps many caregivers from one visit, each as if she alone were asked."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import BindParameter, Float, Select, and_, bindparam, exists, extract, func, select
from sqlalchemy.orm import Session

from data.calendars import Closure, DayHours, Leave
from data.caregivers import Caregiver, WeeklyHours
from data.orders import Visit
from services import availability, calendars, clock, gate
from services.availability import Calendar, Obstacle, Pace, Taken

# No way between two visits of a caregiver is longer.
_FURTHEST_KM = 200
_MINUTE = timedelta(minutes=1)


def of(
    session: Session, ids: Sequence[int], visit: Taken, rules: Pace
) -> dict[int, Obstacle | None]:
    """What first stands in each one's way; None where nothing does.

    The database knows of most that nothing does, or another visit; the others are looked at
    closely, their plans only where the database cannot tell that they suit.
    """
    everybodys = availability.obstacle(Calendar(()), rules, (), visit)
    if everybodys in (Obstacle.TOO_SOON, Obstacle.TOO_FAR_AHEAD):
        return dict.fromkeys(ids, everybodys)
    met: dict[int, Obstacle | None] = dict.fromkeys(ids)
    suits, busy = _doubtful(session, ids, visit, rules)
    met |= dict.fromkeys(busy, Obstacle.BUSY)
    unclear = [one for one, suited in suits.items() if not suited]
    if unclear:
        plans = calendars.around(session, unclear, visit.starts_at, visit.ends_at)
        met |= by_plan(plans, rules, visit)
    suited = [one for one in suits if met[one] in (None, Obstacle.WEEK_FULL)]
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


def _doubtful(
    session: Session, ids: Sequence[int], visit: Taken, rules: Pace
) -> tuple[dict[int, bool], list[int]]:
    """Those of whom the database cannot tell, and whether her plan suits; and those surely busy.

    It can where one stretch of a week that nothing changes holds the visit, and either another
    one meets it, or none is near enough for the way or for rest to matter and the week has room.
    """
    start, end = clock.in_city(visit.starts_at), clock.in_city(visit.ends_at)
    if start.date() != end.date():
        return dict.fromkeys(ids, False), []
    midnight = datetime.combine(start, time(), clock.CITY_TIME)
    monday, next_monday = availability.week_of(start)
    around = max(rules.rest, timedelta(hours=_FURTHEST_KM * availability.DETOUR / rules.travel_kmh))
    rows = session.execute(
        _NOT_PLAIN,
        {
            "ids": ids,
            "day": start.date(),
            "weekday": start.weekday(),
            "first_minute": (start - midnight) // _MINUTE,
            "last_minute": -((midnight - end) // _MINUTE),
            "start": start,
            "end": end,
            "since": start - around,
            "until": end + around,
            "monday": monday,
            "next_monday": next_monday,
            "left": (rules.week - (end - start)).total_seconds(),
        },
    ).all()
    busy = [one for one, suits, meets in rows if suits and meets]
    return {one: suits for one, suits, meets in rows if not (suits and meets)}, busy


def _not_plain() -> Select[*tuple[Any, ...]]:
    """The caregivers of whom it is not plain that they can come, with what is known of them."""
    start: BindParameter[datetime] = bindparam("start")
    end: BindParameter[datetime] = bindparam("end")
    since: BindParameter[datetime] = bindparam("since")
    until: BindParameter[datetime] = bindparam("until")
    monday: BindParameter[datetime] = bindparam("monday")
    next_monday: BindParameter[datetime] = bindparam("next_monday")
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
    meets = exists().where(gate.busy(Caregiver.id, start, end))
    near = exists().where(gate.busy(Caregiver.id, since, until))
    seconds = func.sum(extract("epoch", Visit.ends_at) - extract("epoch", Visit.starts_at))
    worked = (
        select(func.coalesce(seconds, 0))
        .where(gate.busy(Caregiver.id, monday, next_monday))
        .correlate(Caregiver)
        .scalar_subquery()
    )
    plain = and_(suits, ~near, worked <= bindparam("left", type_=Float))
    return select(Caregiver.id, suits, meets).where(
        Caregiver.id.in_(bindparam("ids", expanding=True)), ~plain
    )


# Written once: that takes a third as long as to answer it for hundreds.
_NOT_PLAIN = _not_plain()
