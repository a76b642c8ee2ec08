"""Demands posted by families, and the applications caregivers make for them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.accounts import Channel
from data.base import Base, Numbered, text_enum
from data.recipients import Sex
from data.sealing import Sealed, SealedRow, sealed_bytes


class DemandStatus(StrEnum):
    DIRECTED = "directed"
    OPEN = "open"
    MATCHED = "matched"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ApplicationStatus(StrEnum):
    SUBMITTED = "submitted"
    APPROVED = "approved"
    DECLINED = "declined"
    WAITLISTED = "waitlisted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


# Whose caregiver may still be chosen.
HOPING = ApplicationStatus.SUBMITTED, ApplicationStatus.WAITLISTED


class Demand(Numbered, SealedRow, Base):
    """A need with no caregiver yet; prices are fen per unit of its item.

    With a rule (RFC 5545, city time) it is a plan's, and its time that of the plan's first visit.
    A directed one waits for the answer of the one caregiver who was asked, and is in no hall. One
    that stays idle is offered to caregivers again; `offers` counts how often, `offered_at` says
    when last.
    """

    __tablename__ = "demands"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("0 < lowest_fen AND lowest_fen <= highest_fen", name="price_range"),
        UniqueConstraint("customer_id", "request_key"),
        Index(None, "city_code", "created_at"),
        Index(None, "city_code", "status", "starts_at"),
        Index(None, "status", "starts_at"),
        Index(None, "status", "offered_at"),
        CheckConstraint("offers >= 0", name="offers_not_negative"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))
    request_key: Mapped[str] = mapped_column(String(32))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("recipients.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("places.id"))
    cell: Mapped[str] = mapped_column(String(16))
    address_sealed: Mapped[bytes] = sealed_bytes()
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    units: Mapped[int]
    rule: Mapped[str | None] = mapped_column(String(300))
    until_on: Mapped[date | None]
    lowest_fen: Mapped[int]
    highest_fen: Mapped[int]
    skills: Mapped[list[str]]
    # For intimate care a family may wish for a woman, or a man.
    wished_sex: Mapped[Sex | None] = mapped_column(text_enum(Sex, "sex_wished"))
    words: Mapped[str] = mapped_column(String(500), default="")
    status: Mapped[DemandStatus] = mapped_column(text_enum(DemandStatus), default=DemandStatus.OPEN)
    offered_at: Mapped[datetime | None]
    offers: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column()

    address = Sealed()

    __mapper_args__ = {"version_id_col": version}


class Application(Numbered, Base):
    """A caregiver's offer for a demand, at a price in fen per unit."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("demand_id", "caregiver_id"),
        CheckConstraint("price_fen > 0", name="price_positive"),
        Index(None, "caregiver_id", "status"),
    )

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    price_fen: Mapped[int]
    words: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[ApplicationStatus] = mapped_column(
        text_enum(ApplicationStatus), default=ApplicationStatus.SUBMITTED
    )
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Draft(Numbered, SealedRow, Base):
    """A demand that is being written, by whom and for whom; its fields are sealed JSON."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("author_id", "customer_id"),)

    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    saved_at: Mapped[datetime] = mapped_column(index=True)
    body_sealed: Mapped[bytes] = sealed_bytes()

    body = Sealed()


class Invitation(Numbered, Base):
    """Somebody asked one caregiver by name to look at a demand."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("demand_id", "caregiver_id"),)

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
