"""The rules of complaints: how long they may take, how late an appeal, how many points."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from data.complaints import ComplaintCategory

MOST_HOURS = 400
LONGEST_APPEAL = timedelta(days=60)
_HOURS = {
    ComplaintCategory.SAFETY: 12,
    ComplaintCategory.NO_SHOW: 24,
    ComplaintCategory.PUNCTUALITY: 36,
    ComplaintCategory.ATTITUDE: 36,
    ComplaintCategory.QUALITY: 36,
    ComplaintCategory.PRICE: 36,
    ComplaintCategory.OTHER: 60,
}


@dataclass(frozen=True, slots=True)
class ComplaintRules:
    """Hours are working hours of the city's desk; points count within the last months."""

    hours: Mapping[ComplaintCategory, int] = field(default_factory=lambda: dict(_HOURS))
    appeal_hours: int = 36
    due_soon_hours: int = 4
    appeal_days: int = 7
    most_points: int = 12
    limit_points: int = 12
    points_months: int = 12

    def __post_init__(self) -> None:
        if set(self.hours) != set(ComplaintCategory):
            raise ValueError("Every category has its hours")
        limits = (*self.hours.values(), self.appeal_hours)
        if not all(1 <= one <= MOST_HOURS for one in limits):
            raise ValueError(f"Deadlines are 1 to {MOST_HOURS} working hours")
        if not 0 <= self.due_soon_hours < min(limits):
            raise ValueError("A deadline is near only within itself")
        if not timedelta(days=1) <= self.appeal_within <= LONGEST_APPEAL:
            raise ValueError(f"Appeals are open for 1 to {LONGEST_APPEAL.days} days")
        if not (1 <= self.most_points <= 100 and 1 <= self.limit_points <= 1000):
            raise ValueError("Points are given in ones, up to a hundred at once")
        if not 1 <= self.points_months <= 60:
            raise ValueError("Points count for 1 to 60 months")

    @property
    def appeal_within(self) -> timedelta:
        return timedelta(days=self.appeal_days)
