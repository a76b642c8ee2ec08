"""What stands in the way of a weekly plan: other hours on a day, leave, and closed times."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class LeaveReason(StrEnum):
    ILLNESS = "illness"
    FAMILY = "family"
    HOLIDAY = "holiday"
    TRAINING = "training"
    OTHER = "other"


class DayKind(StrEnum):
    """What a date is, whatever its weekday: prices follow it."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"
    ORDINARY = "ordinary"


class DayHours(Numbered, Base):
    """A stretch of one date that stands for its weekday's; without minutes, a day off.

    Minutes from midnight in city time.
    """

    __tablename__ = "day_hours"
    __table_args__ = (
        CheckConstraint(
            "(starts_minute IS NULL AND ends_minute IS NULL) OR (0 <= starts_minute"
            " AND starts_minute < ends_minute AND ends_minute <= 1440)",
            name="ends_after_start",
        ),
        Index(None, "caregiver_id", "on_day"),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    on_day: Mapped[date]
    starts_minute: Mapped[int | None]
    ends_minute: Mapped[int | None]


class Leave(Numbered, Base):
    """A time in which a caregiver does not work, unless she took it back."""

    __tablename__ = "leaves"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index(None, "caregiver_id", "ends_at"),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    taken_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[LeaveReason] = mapped_column(text_enum(LeaveReason))
    withdrawn_at: Mapped[datetime | None]


class Closure(Numbered, Base):
    """A time in which nobody in a city is booked, and why."""

    __tablename__ = "closures"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index(None, "city_code", "ends_at"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(String(100))


class SpecialDay(Numbered, Base):
    """What the operators say a date is, over what the calendar of holidays says."""

    __tablename__ = "special_days"
    __table_args__ = (UniqueConstraint("city_code", "on_day"),)

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    on_day: Mapped[date]
    kind: Mapped[DayKind] = mapped_column(text_enum(DayKind))
    words: Mapped[str] = mapped_column(String(40), default="")
