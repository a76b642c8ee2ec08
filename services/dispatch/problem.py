"""What is dispatched: demands, caregivers and all that bears on who comes to whom.

Words that others choose (certificates, skills, languages, conditions, districts) are ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services import clock
from services.dispatch.travel import StraightLine, Travel
from services.dispatch.weights import Weights

A_DAY_MINUTES = 24 * 60
_NOBODY: frozenset[int] = frozenset()
_NONE: frozenset[str] = frozenset()


class Point(NamedTuple):
    """A WGS84 point in degrees."""

    lng: float
    lat: float


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a whole visit must lie."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Demand:
    """A visit that nobody makes yet; prices are fen per unit of its item.

    `visits_by` says how often each caregiver has been there, `refused` whom the family will not
    have, and `strangers` whether somebody may come who has never been there. `offers` has what
    those ask who offered themselves for it.
    """

    id: int
    recipient_id: int
    item_id: int
    point: Point
    district_code: str
    windows: tuple[Window, ...]
    minutes: int
    highest_fen: int
    lowest_fen: int = 0
    units: int = 1
    certificates: frozenset[str] = _NONE
    skills: frozenset[str] = _NONE
    sex: str | None = None
    language: str = ""
    conditions: frozenset[str] = _NONE
    refused: frozenset[int] = _NOBODY
    visits_by: Mapping[int, int] = field(default_factory=dict)
    strangers: bool = True
    offers: Mapping[int, int] = field(default_factory=dict)

    @property
    def live_in(self) -> bool:
        """Care of a day or longer arranges its own rest and is in nobody's weekly hours."""
        return self.minutes >= A_DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Free:
    """A time in which a caregiver can make visits, and the visits she makes before and after it.

    `comes_from` and `goes_to` are where those are: the way counts. Without them she comes from
    home and goes there, outside this time. She has rested only after `rested_from`, and must end
    by `rested_until` to rest before the next day. Live-in care is made in times of its own.
    """

    starts_at: datetime
    ends_at: datetime
    comes_from: Point | None = None
    goes_to: Point | None = None
    rested_from: datetime | None = None
    rested_until: datetime | None = None
    live_in: bool = False


@dataclass(frozen=True, slots=True)
class Break:
    """A pause of so many minutes that begins between two moments, wherever she is then."""

    earliest: datetime
    latest: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Week:
    """What of a caregiver's week is booked, and what her calendar has, in minutes."""

    booked: int
    available: int


@dataclass(frozen=True, slots=True)
class Caregiver:
    """Somebody who can be sent; prices are fen per unit, by item.

    `rating` is her score from 1 to 5, drawn to the city's mean the fewer reviews it rests on.
    `weeks` goes by Monday. What she worked and earned is that of a rolling window, of which she was
    there for `weeks_present`; she will not go to the recipients whom she `refuses`.
    """

    id: int
    point: Point
    free: tuple[Free, ...]
    prices: Mapping[int, int]
    radius_km: float
    rating: float
    week_minutes: int
    weeks: Mapping[date, Week] = field(default_factory=dict)
    verified: bool = True
    sex: str = ""
    certificates: frozenset[str] = _NONE
    skills: frozenset[str] = _NONE
    languages: frozenset[str] = _NONE
    experience: frozenset[str] = _NONE
    refuses: frozenset[int] = _NOBODY
    breaks: tuple[Break, ...] = ()
    worked_minutes: float = 0
    earned_fen: float = 0
    weeks_present: float = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Everything a run depends on: the same problem has the same answer.

    `pins` says who must come to a demand, `forbidden` who must not, `before` who was to come when
    something changed: sending somebody else then has its price.
    """

    now: datetime
    demands: tuple[Demand, ...]
    caregivers: tuple[Caregiver, ...]
    weights: Weights = field(default_factory=Weights)
    travel: Travel = field(default_factory=StraightLine)
    pins: Mapping[int, int] = field(default_factory=dict)
    forbidden: frozenset[tuple[int, int]] = frozenset()
    before: Mapping[int, int] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for whose in (self.demands, self.caregivers):
            if len({one.id for one in whose}) < len(whose):
                raise ValueError("Two demands or two caregivers of one problem have the same id")


def monday_of(moment: datetime) -> date:
    """The Monday of the city's week of a moment."""
    day = clock.in_city(moment).date()
    return day - timedelta(days=day.weekday())
