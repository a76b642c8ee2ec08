"""Caregivers: who they are, what they may do and when they work."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.base import Base, Numbered, text_enum
from data.catalogue import CertificateKind
from data.recipients import Sex
from data.sealing import Sealed, SealedRow, sealed_bytes


class CaregiverStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


class CaregiverLevel(StrEnum):
    """How far along she is; the operators say, and prices may hang on it."""

    JUNIOR = "junior"
    INTERMEDIATE = "intermediate"
    SENIOR = "senior"


class TrackRecord:
    """What redeemed visits and their reviews add up to; written by services.track_records only.

    A review of a plan's month weighs as much as several: sums are weighted, means go by the weight.
    """

    visits_done: Mapped[int] = mapped_column(default=0)
    seconds_done: Mapped[int] = mapped_column(default=0)
    reviews: Mapped[int] = mapped_column(default=0)
    review_weight: Mapped[int] = mapped_column(default=0)
    skill_sum: Mapped[int] = mapped_column(default=0)
    attitude_sum: Mapped[int] = mapped_column(default=0)
    communication_sum: Mapped[int] = mapped_column(default=0)
    overall_sum: Mapped[int] = mapped_column(default=0)


class Caregiver(Numbered, TrackRecord, Base):
    """The working side of an account; its id is the account's id."""

    __tablename__ = "caregivers"
    __table_args__ = (
        CheckConstraint("radius_km BETWEEN 1 AND 100", name="radius_in_range"),
        Index(None, "city_code", "status"),
    )

    id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    cell: Mapped[str] = mapped_column(String(16))
    sex: Mapped[Sex] = mapped_column(text_enum(Sex))
    birth_date: Mapped[date]
    worked_since: Mapped[int]
    radius_km: Mapped[int] = mapped_column(default=15)
    about: Mapped[str] = mapped_column(String(500), default="")
    training: Mapped[str] = mapped_column(String(500), default="")
    skills: Mapped[list[str]]
    status: Mapped[CaregiverStatus] = mapped_column(
        text_enum(CaregiverStatus), default=CaregiverStatus.DRAFT
    )
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    level: Mapped[CaregiverLevel] = mapped_column(
        text_enum(CaregiverLevel), default=CaregiverLevel.INTERMEDIATE
    )
    version: Mapped[int] = mapped_column()

    certificates: Mapped[list["Certificate"]] = relationship(
        lazy="raise", order_by="Certificate.id", cascade="all, delete-orphan"
    )
    weekly_hours: Mapped[list["WeeklyHours"]] = relationship(
        lazy="raise",
        order_by="WeeklyHours.weekday, WeeklyHours.starts_minute",
        cascade="all, delete-orphan",
    )
    rates: Mapped[list["Rate"]] = relationship(
        lazy="raise", order_by="Rate.item_id", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}


class Certificate(Numbered, SealedRow, Base):
    """A training proof or licence; trainings of 陪诊 are never called a state licence."""

    __tablename__ = "certificates"
    # All that a search asks of hundreds at once is in the index, and so below.
    __table_args__ = (Index(None, "caregiver_id", "kind", "approved_at", "expires_on"),)

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    kind: Mapped[CertificateKind] = mapped_column(text_enum(CertificateKind))
    issuer: Mapped[str] = mapped_column(String(80))
    level: Mapped[str] = mapped_column(String(20), default="")
    number_sealed: Mapped[bytes | None] = sealed_bytes()
    issued_on: Mapped[date]
    expires_on: Mapped[date | None]
    approved_at: Mapped[datetime | None]

    number = Sealed()


class Rate(Numbered, Base):
    """A caregiver's price for an item, in fen per unit; without one she is not found for it."""

    __tablename__ = "rates"
    __table_args__ = (
        UniqueConstraint("caregiver_id", "item_id"),
        CheckConstraint("price_fen > 0", name="price_positive"),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"), index=True)
    price_fen: Mapped[int]


class Photo(Base):
    """A caregiver's portrait as families see it: a small square WebP image."""

    __tablename__ = "photos"

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), primary_key=True)
    image: Mapped[bytes]


class WeeklyHours(Numbered, Base):
    """A stretch of one weekday (0 = Monday) in city time, minutes from midnight."""

    __tablename__ = "weekly_hours"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_exists"),
        CheckConstraint(
            "0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440",
            name="ends_after_start",
        ),
        Index(None, "caregiver_id", "weekday", "starts_minute", "ends_minute"),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    weekday: Mapped[int]
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]
