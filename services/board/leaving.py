"""Signs that a caregiver may be about to leave: each a plain comparison with its two figures."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from services.board.leaving_limits import Limits
from services.board.workforce import PastWork
from services.pricing import BASIS_POINTS

_TENTHS = 10


class Sign(StrEnum):
    """What may tell that somebody is about to leave."""

    HOURS_FALLEN = "hours_fallen"
    PAY_LOW = "pay_low"
    SAYS_NO = "says_no"
    RATING_FALLS = "rating_falls"
    NO_VISIT = "no_visit"
    LONG_WAYS = "long_ways"


@dataclass(frozen=True, slots=True)
class Stars:
    """How many reviews, and their mean from 1 to 5."""

    reviews: int = 0
    mean: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a caregiver: her last weeks, those before, and how she is asked and rated.

    `unwilling` counts, of the times she was `asked`, the noes and the silences; `open_hours` are
    those of her calendar in the last idle days; ways are those from home, in minutes.
    """

    lately: PastWork
    before: PastWork
    middle_pay_fen: float
    asked: int
    unwilling: int
    stars_lately: Stars
    stars_before: Stars
    idle_days: int
    open_hours: float
    ways: int
    way_minutes: float


@dataclass(frozen=True, slots=True)
class Reason:
    """A sign, her figure, and the one it is compared with."""

    sign: Sign
    now: float
    other: float


def reasons(record: Record, limits: Limits) -> tuple[Reason, ...]:
    """All signs of a record, each from its limit on."""
    return tuple(found for look in _LOOKS if (found := look(record, limits)) is not None)


def settled(lately: PastWork, before: PastWork, limits: Limits) -> bool:
    """Whether she was there long enough for her weeks to be compared."""
    return all(
        BASIS_POINTS * was.weeks >= limits.there_bp * weeks
        for was, weeks in ((lately, limits.lately_weeks), (before, limits.before_weeks))
    )


def hours_fallen(record: Record, limits: Limits) -> Reason | None:
    """Her hours fell to a part of what they were."""
    now, other = record.lately.hours_a_week, record.before.hours_a_week
    if not settled(record.lately, record.before, limits) or other < limits.hours_before:
        return None
    fallen = BASIS_POINTS * now <= limits.fallen_bp * other
    return Reason(Sign.HOURS_FALLEN, now, other) if fallen else None


def pay_low(record: Record, limits: Limits) -> Reason | None:
    """She earns far less than the one in the middle."""
    now, other = record.lately.pay_a_week, record.middle_pay_fen
    if not settled(record.lately, record.before, limits):
        return None
    return Reason(Sign.PAY_LOW, now, other) if BASIS_POINTS * now < limits.pay_bp * other else None


def says_no(record: Record, limits: Limits) -> Reason | None:
    """She was asked and said no, or nothing, again and again."""
    now, other = record.unwilling, record.asked
    if now < limits.unwilling or BASIS_POINTS * now < limits.unwilling_bp * other:
        return None
    return Reason(Sign.SAYS_NO, now, other)


def rating_falls(record: Record, limits: Limits) -> Reason | None:
    """Families like her less than before."""
    now, other = record.stars_lately, record.stars_before
    falls = now.mean <= other.mean - limits.stars_tenths / _TENTHS
    if min(now.reviews, other.reviews) < limits.reviews or not falls:
        return None
    return Reason(Sign.RATING_FALLS, now.mean, other.mean)


def no_visit(record: Record, limits: Limits) -> Reason | None:
    """She has not been with anybody, though her calendar was open."""
    if record.idle_days < limits.idle_days or record.open_hours < limits.open_hours:
        return None
    return Reason(Sign.NO_VISIT, record.idle_days, record.open_hours)


def long_ways(record: Record, limits: Limits) -> Reason | None:
    """Her ways to families are long."""
    if record.ways < limits.ways or record.way_minutes < limits.way_minutes:
        return None
    return Reason(Sign.LONG_WAYS, record.way_minutes, record.ways)


_LOOKS: tuple[Callable[[Record, Limits], Reason | None], ...] = (
    hours_fallen,
    pay_low,
    says_no,
    rating_falls,
    no_visit,
    long_ways,
)
