"""Signs that a caregiver may be about to leave: each a plain comparison with its two figures."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from services.board.workforce import PastWork

LATELY_WEEKS, BEFORE_WEEKS = 4, 8
# Hours and pay are told of whoever was there so many weeks of each stretch of time.
FEWEST_WEEKS_LATELY, FEWEST_WEEKS_BEFORE = 2, 4
FALLEN_TO = 0.5
FEWEST_HOURS_BEFORE = 4.0
PAY_BELOW = 0.5
FEWEST_UNWILLING, UNWILLING_SHARE = 3, 0.5
FEWEST_REVIEWS, STARS_LOST = 3, 0.5
IDLE_DAYS, OPEN_HOURS = 21, 20.0
FEWEST_WAYS, WAY_MINUTES = 3, 60.0


class Sign(StrEnum):
    """What may tell that somebody is about to leave."""

    HOURS_HALVED = "hours_halved"
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
    those of her calendar in the last IDLE_DAYS; ways are those from home, in minutes.
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


def reasons(record: Record) -> tuple[Reason, ...]:
    """All signs of a record."""
    return tuple(found for look in _LOOKS if (found := look(record)) is not None)


def settled(lately: PastWork, before: PastWork) -> bool:
    """Whether she was there long enough for her weeks to be compared."""
    return lately.weeks >= FEWEST_WEEKS_LATELY and before.weeks >= FEWEST_WEEKS_BEFORE


def hours_halved(record: Record) -> Reason | None:
    """Her hours fell to a half or less."""
    now, other = record.lately.hours_a_week, record.before.hours_a_week
    if not settled(record.lately, record.before) or other < FEWEST_HOURS_BEFORE:
        return None
    return Reason(Sign.HOURS_HALVED, now, other) if now <= FALLEN_TO * other else None


def pay_low(record: Record) -> Reason | None:
    """She earns far less than the one in the middle."""
    now, other = record.lately.pay_a_week, record.middle_pay_fen
    if not settled(record.lately, record.before) or now >= PAY_BELOW * other:
        return None
    return Reason(Sign.PAY_LOW, now, other)


def says_no(record: Record) -> Reason | None:
    """She was asked and said no, or nothing, again and again."""
    now, other = record.unwilling, record.asked
    if now < FEWEST_UNWILLING or now < UNWILLING_SHARE * other:
        return None
    return Reason(Sign.SAYS_NO, now, other)


def rating_falls(record: Record) -> Reason | None:
    """Families like her less than before."""
    now, other = record.stars_lately, record.stars_before
    if min(now.reviews, other.reviews) < FEWEST_REVIEWS or now.mean > other.mean - STARS_LOST:
        return None
    return Reason(Sign.RATING_FALLS, now.mean, other.mean)


def no_visit(record: Record) -> Reason | None:
    """She has not been with anybody, though her calendar was open."""
    if record.idle_days < IDLE_DAYS or record.open_hours < OPEN_HOURS:
        return None
    return Reason(Sign.NO_VISIT, record.idle_days, record.open_hours)


def long_ways(record: Record) -> Reason | None:
    """Her ways to families are long."""
    if record.ways < FEWEST_WAYS or record.way_minutes < WAY_MINUTES:
        return None
    return Reason(Sign.LONG_WAYS, record.way_minutes, record.ways)


_LOOKS: tuple[Callable[[Record], Reason | None], ...] = (
    hours_halved,
    pay_low,
    says_no,
    rating_falls,
    no_visit,
    long_ways,
)
