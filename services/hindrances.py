"""What of time keeps many caregivers from one visit, each as if she alone were asked."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import and_, exists, extract, func, select
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

    The database knows of most that nothing does; the others are looked at closely.
    """
    everybodys = availability.obstacle(Calendar(()), rules, (), visit)
    if everybodys in (Obstacle.TOO_SOON, Obstacle.TOO_FAR_AHEAD):
        return dict.fromkeys(ids, everybodys)
    met: dict[int, Obstacle | None] = dict.fromkeys(ids)
    doubtful = _doubtful(session, ids, visit, rules)
    plans = calendars.around(session, doubtful, visit.starts_at, visit.ends_at)
    met |= by_plan(plans, rules, visit)
    suited = [one for one in doubtful if met[one] in (None, Obstacle.WEEK_FULL)]
    # Her week's hours, and who comes the day before and after.
    monday, next_monday = availability.week_of(visit.starts_at)
    until = max(next_monday, visit.ends_at) + availability.A_DAY
    taken = gate.taken_by(session, suited, monday - availability.A_DAY, until)
    for one, visits in taken.items():
        met[one] = availability.obstacle(plans[one], rules, visits, visit)
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


def _doubtful(session: Session, ids: Sequence[int], visit: Taken, rules: Pace) -> Sequence[int]:
    """Those of whom the database cannot tell that nothing stands in the way of a visit.

    It can where one stretch of a week that nothing changes holds the visit, no other one is near
    enough for the way or for rest to matter, and the week has room for it.
    """
    start, end = clock.in_city(visit.starts_at), clock.in_city(visit.ends_at)
    if start.date() != end.date():
        return ids
    midnight = datetime.combine(start, time(), clock.CITY_TIME)
    monday, next_monday = availability.week_of(start)
    around = max(rules.rest, timedelta(hours=_FURTHEST_KM * availability.DETOUR / rules.travel_kmh))
    of_week = exists().where(
        WeeklyHours.caregiver_id == Caregiver.id,
        WeeklyHours.weekday == start.weekday(),
        WeeklyHours.starts_minute <= (start - midnight) // _MINUTE,
        WeeklyHours.ends_minute >= -((midnight - end) // _MINUTE),
    )
    of_day = exists().where(DayHours.caregiver_id == Caregiver.id, DayHours.on_day == start.date())
    away = exists().where(
        Leave.caregiver_id == Caregiver.id,
        Leave.withdrawn_at.is_(None),
        Leave.ends_at > start,
        Leave.starts_at < end,
    )
    closed = exists().where(
        Closure.city_code == Caregiver.city_code, Closure.ends_at > start, Closure.starts_at < end
    )
    busy = exists().where(gate.busy(Caregiver.id, start - around, end + around))
    seconds = func.sum(extract("epoch", Visit.ends_at) - extract("epoch", Visit.starts_at))
    worked = (
        select(func.coalesce(seconds, 0))
        .where(gate.busy(Caregiver.id, monday, next_monday))
        .correlate(Caregiver)
        .scalar_subquery()
    )
    left = (rules.week - (end - start)).total_seconds()
    plain = and_(of_week, ~of_day, ~away, ~closed, ~busy, worked <= left)
    return session.scalars(select(Caregiver.id).where(Caregiver.id.in_(ids), ~plain)).all()
