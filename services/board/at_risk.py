"""At risk: who of a city's caregivers may be about to leave, and by which signs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean, median

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.history import Noun, StatusChange
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from services import availability, calendars, clock, rule_book, rules
from services.access import Actor, Permission, Role
from services.board import leaving, workforce
from services.board.leaving import Reason, Record, Stars
from services.board.leaving_limits import Limits
from services.board.workforce import DONE, PastWork
from services.errors import NotFound

_AN_HOUR, _A_MINUTE = timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A caregiver and the signs that she may be about to leave."""

    caregiver_id: int
    name: str
    district_code: str
    reasons: tuple[Reason, ...]


def listing(session: Session, actor: Actor, city_code: str) -> list[AtRisk]:
    """Those of a city of the actor's of whom some sign tells, those with most signs first."""
    actor.require(Permission.DISPATCH)
    limits = in_force(session, actor, city_code)
    people = workforce.working(session, city_code)
    names = dict(
        session.execute(
            select(Account.id, Account.name).where(Account.id.in_([one.id for one in people]))
        ).all()
    )
    found = [
        AtRisk(one.id, names[one.id], one.district_code, leaving.reasons(record, limits))
        for one, record in _records(session, city_code, people, limits)
    ]
    told = [one for one in found if one.reasons]
    return sorted(told, key=lambda one: (-len(one.reasons), one.name))


def in_force(session: Session, actor: Actor, city_code: str) -> Limits:
    """From which figure on each sign is told in a city of the actor's today."""
    actor.require(Permission.DISPATCH)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    return rule_book.leaving(rules.now(session, city_code))


def _records(
    session: Session, city_code: str, people: Sequence[Caregiver], limits: Limits
) -> list[tuple[Caregiver, Record]]:
    now, ids = clock.now(), [one.id for one in people]
    latest = timedelta(weeks=limits.lately_weeks)
    throughout = latest + timedelta(weeks=limits.before_weeks)
    reviewed_since = now - timedelta(weeks=limits.review_weeks)
    lately = workforce.past_work(session, people, latest.days)
    whole = workforce.past_work(session, people, throughout.days)
    before = {one: _less(whole[one], lately[one]) for one in ids}
    pay = [
        lately[one].pay_a_week for one in ids if leaving.settled(lately[one], before[one], limits)
    ]
    answers = _answers(session, ids, now - throughout)
    stars_lately = _stars(session, ids, Review.created_at >= reviewed_since)
    stars_before = _stars(session, ids, Review.created_at < reviewed_since)
    idle_since = _idle_since(session, people)
    open_hours = _open_hours(session, ids, now - timedelta(days=limits.idle_days), now)
    ways = _ways(session, city_code, people, now - latest)
    return [
        (
            one,
            Record(
                lately=lately[one.id],
                before=before[one.id],
                middle_pay_fen=median(pay) if pay else 0.0,
                asked=len(answers[one.id]),
                unwilling=sum(answers[one.id]),
                stars_lately=stars_lately.get(one.id, Stars()),
                stars_before=stars_before.get(one.id, Stars()),
                idle_days=(now - idle_since[one.id]).days,
                open_hours=open_hours[one.id],
                ways=len(ways[one.id]),
                way_minutes=mean(ways[one.id]) if ways[one.id] else 0.0,
            ),
        )
        for one in people
    ]


def _less(whole: PastWork, part: PastWork) -> PastWork:
    return PastWork(
        whole.minutes - part.minutes,
        whole.earned_fen - part.earned_fen,
        whole.weeks - part.weeks,
    )


def _answers(session: Session, ids: Sequence[int], since: datetime) -> defaultdict[int, list[bool]]:
    """Of each time somebody was asked for a visit whether she said no, or nothing."""
    of_order = select(Order.caregiver_id, StatusChange.move).where(
        StatusChange.noun == Noun.ORDER,
        StatusChange.subject_id == Order.id,
        StatusChange.old_status == OrderStatus.REQUESTED,
        StatusChange.move.in_(("accept", "agree", "refuse", "expire")),
        Order.caregiver_id.in_(ids),
        StatusChange.created_at >= since,
    )
    # An offer that others took back is no answer of hers.
    of_offer = select(Visit.caregiver_id, StatusChange.move).where(
        StatusChange.noun == Noun.VISIT,
        StatusChange.subject_id == Visit.id,
        StatusChange.old_status == VisitStatus.OFFERED,
        or_(StatusChange.role == Role.CAREGIVER, StatusChange.role.is_(None)),
        Visit.caregiver_id.in_(ids),
        StatusChange.created_at >= since,
    )
    found = defaultdict[int, list[bool]](list)
    for one, move in (*session.execute(of_order), *session.execute(of_offer)):
        found[one].append(move in ("refuse", "expire", "turn_down"))
    return found


def _stars(session: Session, ids: Sequence[int], when: ColumnElement[bool]) -> dict[int, Stars]:
    """What families said of each at a time, each review by its weight."""
    said = func.sum(Review.overall * Review.weight)
    rows = session.execute(
        select(
            Review.caregiver_id,
            func.count(),
            said * 1.0 / func.sum(Review.weight),
        )
        .where(Review.caregiver_id.in_(ids), Review.hidden_at.is_(None), when)
        .group_by(Review.caregiver_id)
    )
    return {one: Stars(count, float(overall)) for one, count, overall in rows}


def _idle_since(session: Session, people: Sequence[Caregiver]) -> Mapping[int, datetime]:
    """When each one's last visit began; of whoever had none, since when she may work."""
    last = session.execute(
        select(Visit.caregiver_id, func.max(Visit.starts_at))
        .where(Visit.caregiver_id.in_([one.id for one in people]), Visit.status.in_(DONE))
        .group_by(Visit.caregiver_id)
    ).all()
    return workforce.approved_since(session, people) | dict(last)


def _open_hours(
    session: Session, ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, float]:
    """The hours of a time that each one's calendar had."""
    return {
        one: sum(
            (ends - begins) / _AN_HOUR for begins, ends in availability.free(plan, (), since, until)
        )
        for one, plan in calendars.around(session, ids, since, until).items()
    }


def _ways(
    session: Session, city_code: str, people: Sequence[Caregiver], since: datetime
) -> defaultdict[int, list[float]]:
    """How many minutes each needed from home to each of her visits."""
    kmh = calendars.rules(session, city_code).travel_kmh
    homes = {one.id: one.cell for one in people}
    found = defaultdict[int, list[float]](list)
    for one, cell in session.execute(
        select(Visit.caregiver_id, Visit.cell).where(
            Visit.caregiver_id.in_(homes), Visit.status.in_(DONE), Visit.starts_at >= since
        )
    ):
        found[one].append(availability.travel(homes[one], cell, kmh) / _A_MINUTE)
    return found
