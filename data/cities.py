"""Opened cities with their settings, and the places their operators keep."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class CityStatus(StrEnum):
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class PlaceKind(StrEnum):
    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    ESTATE = "estate"


class City(Numbered, Base):
    """A city the platform has opened; its numbers are settings. A synthetic one is a demo's."""

    __tablename__ = "cities"
    __table_args__ = (
        CheckConstraint("commission_bp BETWEEN 0 AND 10000", name="commission_is_a_share"),
        CheckConstraint("smallest_cell >= 5", name="smallest_cell_at_least_5"),
        CheckConstraint("hold_hours > 0", name="hold_hours_positive"),
        CheckConstraint("release_days >= 0", name="release_days_not_negative"),
        CheckConstraint("notice_hours >= 0 AND horizon_days > 0", name="booking_window"),
        CheckConstraint("rest_hours BETWEEN 0 AND 24", name="rest_hours_in_a_day"),
        CheckConstraint("week_hours > 0 AND travel_kmh > 0", name="working_pace"),
        CheckConstraint("auto_confirm_days > 0 AND plan_ahead_days > 0", name="days_positive"),
        CheckConstraint(
            "rejected_document_days > 0 AND document_days > 0", name="document_days_positive"
        ),
        CheckConstraint("reoffer_hours > 0 AND photo_days > 0", name="idle_and_photos"),
        CheckConstraint(
            "0 <= desk_from_minute AND desk_from_minute < desk_until_minute"
            " AND desk_until_minute <= 1440",
            name="desk_hours",
        ),
        CheckConstraint("answer_minutes > 0", name="answer_minutes_positive"),
        CheckConstraint("redeem_reminder_hours > 0 AND expiry_days > 0", name="reminders_positive"),
    )

    code: Mapped[str] = mapped_column(String(6), unique=True)
    status: Mapped[CityStatus] = mapped_column(text_enum(CityStatus), default=CityStatus.OPEN)
    synthetic: Mapped[bool] = mapped_column(default=False)
    hotline: Mapped[str] = mapped_column(String(20))
    commission_bp: Mapped[int] = mapped_column(default=1500)
    decline_hours: Mapped[int] = mapped_column(default=2)
    redeem_lock_minutes: Mapped[int] = mapped_column(default=15)
    smallest_cell: Mapped[int] = mapped_column(default=5)
    hold_hours: Mapped[int] = mapped_column(default=2)
    operator_approves: Mapped[bool] = mapped_column(default=False)
    release_days: Mapped[int] = mapped_column(default=7)
    verify_customers: Mapped[bool] = mapped_column(default=True)
    rejected_document_days: Mapped[int] = mapped_column(default=90)
    document_days: Mapped[int] = mapped_column(default=1095)
    notice_hours: Mapped[int] = mapped_column(default=3)
    horizon_days: Mapped[int] = mapped_column(default=60)
    rest_hours: Mapped[int] = mapped_column(default=10)
    week_hours: Mapped[int] = mapped_column(default=60)
    travel_kmh: Mapped[int] = mapped_column(default=20)
    plan_ahead_days: Mapped[int] = mapped_column(default=35)
    auto_confirm_days: Mapped[int] = mapped_column(default=3)
    reoffer_hours: Mapped[int] = mapped_column(default=12)
    photo_days: Mapped[int] = mapped_column(default=90)
    reminder_hours: Mapped[list[int]] = mapped_column(default=lambda: [24, 2])
    redeem_reminder_hours: Mapped[int] = mapped_column(default=24)
    expiry_days: Mapped[int] = mapped_column(default=30)
    desk_from_minute: Mapped[int] = mapped_column(default=8 * 60)
    desk_until_minute: Mapped[int] = mapped_column(default=20 * 60)
    answer_minutes: Mapped[int] = mapped_column(default=10)


class Place(Numbered, Base):
    """A hospital, care home or estate everybody knows; its position is public."""

    __tablename__ = "places"
    __table_args__ = (UniqueConstraint("city_code", "name_zh"),)

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    kind: Mapped[PlaceKind] = mapped_column(text_enum(PlaceKind))
    name_zh: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(80))
    lng: Mapped[float]
    lat: Mapped[float]
    cell: Mapped[str] = mapped_column(String(16))
    retired_at: Mapped[datetime | None]
