"""The workforce: a city's caregivers as dispatch sees them, read at once whatever their number."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.calendars import Leave
from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.catalogue import Skill
from data.history import Noun, StatusChange
from data.orders import GONE, Order, Visit, VisitStatus
from data.recipients import Mobility, Recipient
from services import (
    availability,
    calendars,
    certificates,
    clock,
    loads,
    places,
    price_bounds,
    track_records,
)
from services.availability import A_DAY, Calendar, Pace, Span, Taken
from services.board.open_work import Work
from services.dispatch import problem as engine
from services.dispatch.problem import Free, Point, Week

DIALECT = "dialect"
# A visit that ended so shortly before a free time is one she comes from.
_SHORTLY = timedelta(hours=1)
_A_MINUTE = timedelta(minutes=1)
_AN_HOUR = 60
DONE = VisitStatus.FINISHED, VisitStatus.REDEEMED


@dataclass(frozen=True, slots=True)
class PastWork:
    """What a caregiver worked (minutes) and earned (fen), and how many weeks she was there."""

    minutes: float
    earned_fen: int
    weeks: float

    @property
    def hours_a_week(self) -> float:
        """Of a week on which she was there; less than one counts as one."""
        return self.minutes / _AN_HOUR / max(self.weeks, 1.0)

    @property
    def pay_a_week(self) -> float:
        """Of such a week, in fen."""
        return self.earned_fen / max(self.weeks, 1.0)


def find(
    session: Session,
    city_code: str,
    works: Sequence[Work],
    span: Span,
    pace: Pace,
    days: int,
    asked: Mapping[int, Mapping[int, int]],
    *,
    narrowly: bool = False,
) -> list[engine.Caregiver]:
    """Everybody who may work in a city, with her time in a span less what is taken.

    Visits among the works take nobody's time: they are what is given out. Hours and pay are those
    of so many days gone by. What somebody asks (fen by item) for one of the works is her price for
    that item where she has no other. Narrowly, those who offer none of the works in their reach
    have no time, which need not be read then; they only count for how even hours and pay are.
    """
    people = working(session, city_code)
    offered = _prices(session, city_code, people, {one.item_id for one in works})
    prices = {one.id: {**asked.get(one.id, {}), **offered.get(one.id, {})} for one in people}
    held = certificates.held(session, [one.id for one in people])
    ids = [
        one.id
        for one in people
        if not narrowly
        or one.id in asked
        or _may_come(one, prices[one.id], held.get(one.id, set()), works)
    ]
    monday, next_monday = availability.week_of(span[0])[0], availability.week_of(span[1])[1]
    plans = calendars.around(session, ids, monday, next_monday)
    given_out = {one.visit_id for one in works if one.visit_id is not None}
    taken = _taken(session, ids, (monday - A_DAY, next_monday + A_DAY), given_out)
    mean = track_records.city_means(session, [city_code])[city_code]
    known = _experience(session, ids)
    past = past_work(session, people, days)
    whole_days = sorted(
        {(one.starts_at, one.ends_at) for one in works if one.ends_at - one.starts_at >= A_DAY}
    )
    found = []
    for one in people:
        free, weeks = (), {}
        if (plan := plans.get(one.id)) is not None:
            hers = taken.get(one.id, [])
            free = (*_free(plan, hers, span, pace), *_free_whole(plan, hers, whole_days))
            weeks = dict(_weeks(plan, hers, monday, next_monday))
        found.append(
            engine.Caregiver(
                id=one.id,
                point=Point(*places.middle(one.cell)),
                free=free,
                prices=prices[one.id],
                radius_km=float(one.radius_km),
                rating=track_records.liked(track_records.score(one), mean),
                week_minutes=pace.week // _A_MINUTE,
                weeks=weeks,
                sex=str(one.sex),
                certificates=frozenset(held.get(one.id, ())),
                skills=frozenset(one.skills),
                languages=frozenset({DIALECT} if Skill.DIALECT in one.skills else ()),
                experience=frozenset(known.get(one.id, ())),
                worked_minutes=past[one.id].minutes,
                earned_fen=past[one.id].earned_fen,
                weeks_present=past[one.id].weeks,
            )
        )
    return found


def working(session: Session, city_code: str) -> Sequence[Caregiver]:
    """The caregivers who may work in a city now."""
    return session.scalars(
        select(Caregiver)
        .join(Account, Account.id == Caregiver.id)
        .where(
            Caregiver.city_code == city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
        )
        .order_by(Caregiver.id)
    ).all()


def past_work(session: Session, people: Sequence[Caregiver], days: int) -> dict[int, PastWork]:
    """What each did in so many days gone by; live-in care counts as pay alone.

    Days before she was approved and days of leave are none on which she was there.
    """
    now = clock.now()
    since = now - timedelta(days=days)
    minutes, earned = defaultdict[int, float](float), defaultdict[int, int](int)
    for one, starts_at, ends_at, fen in session.execute(
        select(
            Visit.caregiver_id,
            Visit.starts_at,
            Visit.ends_at,
            Visit.total_fen - Visit.commission_fen,
        ).where(
            Visit.caregiver_id.in_([one.id for one in people]),
            Visit.status.in_(DONE),
            Visit.starts_at >= since,
            Visit.starts_at < now,
        )
    ):
        earned[one] += fen
        if ends_at - starts_at < A_DAY:
            minutes[one] += (ends_at - starts_at) / _A_MINUTE
    there = _there(session, people, (since, now))
    return {
        one.id: PastWork(minutes[one.id], earned[one.id], there[one.id] / calendars.A_WEEK)
        for one in people
    }


def approved_since(session: Session, people: Sequence[Caregiver]) -> dict[int, datetime]:
    """Since when each may work."""
    ids = [one.id for one in people]
    approved = dict(
        session.execute(
            select(StatusChange.subject_id, func.min(StatusChange.created_at))
            .where(
                StatusChange.noun == Noun.CAREGIVER,
                StatusChange.move == "approve",
                StatusChange.subject_id.in_(ids),
            )
            .group_by(StatusChange.subject_id)
        ).all()
    )
    return {one.id: approved.get(one.id, one.created_at) for one in people}


def _there(session: Session, people: Sequence[Caregiver], span: Span) -> dict[int, timedelta]:
    """How much of a span each was there."""
    since, until = span
    there = {
        one: max(until - max(since, approved_at), timedelta())
        for one, approved_at in approved_since(session, people).items()
    }
    for caregiver_id, starts_at, ends_at in session.execute(
        select(Leave.caregiver_id, Leave.starts_at, Leave.ends_at).where(
            Leave.caregiver_id.in_(there),
            Leave.withdrawn_at.is_(None),
            Leave.ends_at > since,
            Leave.starts_at < until,
        )
    ):
        away = min(ends_at, until) - max(starts_at, since)
        there[caregiver_id] = max(there[caregiver_id] - away, timedelta())
    return there


def _taken(
    session: Session, ids: Sequence[int], span: Span, but: Collection[int]
) -> dict[int, list[Taken]]:
    """The visits that take somebody's time in a span, but for some, soonest first."""
    found = defaultdict[int, list[Taken]](list)
    for visit_id, caregiver_id, starts_at, ends_at, cell in session.execute(
        select(Visit.id, Visit.caregiver_id, Visit.starts_at, Visit.ends_at, Visit.cell)
        .where(
            Visit.caregiver_id.in_(ids),
            Visit.ends_at > span[0],
            Visit.starts_at < span[1],
            Visit.status.not_in(GONE),
        )
        .order_by(Visit.starts_at)
    ):
        if visit_id not in but:
            found[caregiver_id].append(Taken(starts_at, ends_at, cell))
    return found


def _may_come(
    caregiver: Caregiver, prices: Mapping[int, int], held: Set[str], works: Sequence[Work]
) -> bool:
    """Whether she offers some of the works for what it may cost, has its papers and is in reach."""
    return any(
        prices.get(one.item_id, one.highest_fen + 1) <= one.highest_fen
        and set(one.required_certificates) <= held
        and places.distance_km(caregiver.cell, one.cell) <= caregiver.radius_km
        for one in works
    )


def _prices(
    session: Session, city_code: str, people: Sequence[Caregiver], item_ids: Collection[int]
) -> dict[int, dict[int, int]]:
    """What each asks for a unit of these items today, in fen."""
    bounds = price_bounds.in_force(session, city_code, clock.today())
    levels = {one.id: one.level for one in people}
    found = defaultdict[int, dict[int, int]](dict)
    for caregiver_id, item_id, price_fen in session.execute(
        select(Rate.caregiver_id, Rate.item_id, Rate.price_fen).where(
            Rate.caregiver_id.in_(levels), Rate.item_id.in_(item_ids)
        )
    ):
        clamp = bounds[item_id, levels[caregiver_id]].clamp
        found[caregiver_id][item_id] = clamp(price_fen)
    return found


def _experience(session: Session, ids: Sequence[int]) -> dict[int, set[str]]:
    """How those walk, or do not, whom each has cared for already."""
    rows = session.execute(
        select(Visit.caregiver_id, Recipient.mobility)
        .join(Order, Order.id == Visit.order_id)
        .join(Recipient, Recipient.id == Order.recipient_id)
        .where(Visit.caregiver_id.in_(ids), Visit.status.in_(DONE))
        .distinct()
    )
    found = defaultdict[int, set[str]](set)
    for caregiver_id, mobility in rows:
        found[caregiver_id].add(str(Mobility(mobility)))
    return found


def _weeks(
    plan: Calendar, taken: Sequence[Taken], monday: datetime, until: datetime
) -> Iterator[tuple[date, Week]]:
    """Of each week what is booked, live-in care aside, and what her calendar has."""
    hourly = [one for one in taken if one.ends_at - one.starts_at < A_DAY]
    while monday < until:
        load = loads.load(plan, hourly, monday)
        yield monday.date(), Week(load.booked // _A_MINUTE, load.works // _A_MINUTE)
        monday += calendars.A_WEEK


def _free(plan: Calendar, taken: Sequence[Taken], span: Span, pace: Pace) -> Iterator[Free]:
    """Her free times in a span, each with the visits and the nights around it.

    Where two working days lie nearer than the rest between them, the first ends earlier, so that
    she can rest whatever is given to her on both.
    """
    times = [
        _between(begins, ends, taken, pace)
        for begins, ends in availability.free(plan, taken, *span)
    ]
    for one, after in pairwise(times):
        latest = after.starts_at - pace.rest
        if _day(one.ends_at - _A_MINUTE) != _day(after.starts_at) and latest < one.ends_at:
            yield replace(one, rested_until=min(one.rested_until or latest, latest))
        else:
            yield one
    yield from times[-1:]


def _between(begins: datetime, ends: datetime, taken: Sequence[Taken], pace: Pace) -> Free:
    before = taken[: bisect_right(taken, begins, key=attrgetter("ends_at"))]
    after = taken[bisect_left(taken, ends, key=attrgetter("starts_at")) :]
    last, first = (before or (None,))[-1], (after or (None,))[0]
    comes = last is not None and begins - last.ends_at <= _SHORTLY
    goes = first is not None and first.starts_at - ends <= _SHORTLY
    slept = last is not None and _hourly(last) and _day(last.ends_at) != _day(begins)
    sleeps = first is not None and _hourly(first) and _day(first.starts_at) != _day(ends)
    return Free(
        starts_at=begins,
        ends_at=ends,
        comes_from=Point(*places.middle(last.cell)) if last and comes else None,
        goes_to=Point(*places.middle(first.cell)) if first and goes else None,
        rested_from=last.ends_at + pace.rest if last and slept else None,
        rested_until=first.starts_at - pace.rest if first and sleeps else None,
    )


def _free_whole(plan: Calendar, taken: Sequence[Taken], spans: Sequence[Span]) -> Iterator[Free]:
    """Of the times of live-in care those that she works, and in which she has nothing else."""
    for begins, ends in spans:
        away = (*plan.leaves, *plan.closures, *((one.starts_at, one.ends_at) for one in taken))
        if availability.in_hours(plan, begins, ends) and not any(
            since < ends and until > begins for since, until in away
        ):
            yield Free(begins, ends, live_in=True)


def _hourly(visit: Taken) -> bool:
    return visit.ends_at - visit.starts_at < A_DAY


def _day(at: datetime) -> date:
    return clock.in_city(at).date()
