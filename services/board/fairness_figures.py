"""Fairness: how hours and pay are spread among a city's caregivers, over weeks and week by week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from services import calendars, clock
from services.access import Actor, Permission
from services.board import workforce
from services.board.workforce import PastWork
from services.dispatch import fairness
from services.dispatch.fairness import Spread
from services.errors import Invalid, NotFound

PERIODS = 4, 8, 12
# Whoever was there less of the time is a returner; less of a week, and it does not count for her.
_MOSTLY, _HALF = 0.75, 0.5


class Presence(StrEnum):
    """There all the time, away for a part of it, or come since it began."""

    SETTLED = "settled"
    RETURNER = "returner"
    NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True)
class Share:
    """What a caregiver worked and earned (fen) in a week on which she was there."""

    caregiver_id: int
    name: str
    presence: Presence
    weeks: float
    hours: float
    pay_fen: float


@dataclass(frozen=True, slots=True)
class Week:
    """How unevenly the hours of one week were spread, and among how many."""

    first_on: date
    gini: float
    caregivers: int


@dataclass(frozen=True, slots=True)
class Evenness:
    """Everybody's share, most hours first, how they are spread, and how hours were by week."""

    shares: tuple[Share, ...]
    hours: Spread
    pay: Spread
    by_week: tuple[Week, ...]


def evenness(session: Session, actor: Actor, city_code: str, weeks: int) -> Evenness:
    """How the work of so many weeks was spread among those who may work in a city now.

    Whoever was not there at all is left out.
    """
    actor.require(Permission.DISPATCH)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    if weeks not in PERIODS:
        fewest, most = PERIODS[0], PERIODS[-1]
        raise Invalid("error.number_out_of_range", field="weeks", fewest=fewest, most=most)
    people = workforce.working(session, city_code)
    shares = _shares(session, people, weeks)
    return Evenness(
        shares=tuple(sorted(shares, key=lambda one: (-one.hours, one.name))),
        hours=fairness.spread([one.hours for one in shares]),
        pay=fairness.spread([one.pay_fen for one in shares]),
        by_week=tuple(_week(session, people, ago) for ago in reversed(range(weeks))),
    )


def _shares(session: Session, people: Sequence[Caregiver], weeks: int) -> list[Share]:
    length = weeks * calendars.A_WEEK
    began_at = clock.now() - length
    past = workforce.past_work(session, people, length.days)
    approved = workforce.approved_since(session, people)
    names = dict(
        session.execute(select(Account.id, Account.name).where(Account.id.in_(past))).all()
    )
    return [
        Share(
            caregiver_id=one,
            name=names[one],
            presence=_presence(work, approved[one], began_at, weeks),
            weeks=work.weeks,
            hours=work.hours_a_week,
            pay_fen=work.pay_a_week,
        )
        for one, work in past.items()
        if work.weeks
    ]


def _presence(work: PastWork, approved_at: datetime, began_at: datetime, weeks: int) -> Presence:
    if approved_at > began_at:
        return Presence.NEWCOMER
    return Presence.RETURNER if work.weeks < _MOSTLY * weeks else Presence.SETTLED


def _week(session: Session, people: Sequence[Caregiver], ago: int) -> Week:
    """The seven days that ended so many weeks ago."""
    until = clock.now() - ago * calendars.A_WEEK
    with clock.at(until):
        past = workforce.past_work(session, people, calendars.A_WEEK.days)
    hours = [one.hours_a_week for one in past.values() if one.weeks >= _HALF]
    first_on = clock.in_city(until - calendars.A_WEEK + timedelta(days=1)).date()
    return Week(first_on, fairness.gini(hours) if hours else 0.0, len(hours))
