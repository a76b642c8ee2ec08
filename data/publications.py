"""What analysts may read: sheets of figures that were cut and rounded once, and never change."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import SealedBytes, SealedRow, sealed_bytes


class Span(StrEnum):
    """A closed week, Monday to Sunday; or a month of weeks: those whose Thursday lies in it."""

    WEEK = "week"
    MONTH = "month"


class SheetName(StrEnum):
    """What a sheet's rows are about."""

    NEEDS = "needs"
    GROUPS_OF_PEOPLE = "groups_of_people"
    SUPPLY = "supply"
    OBSTACLES = "obstacles"
    FAMILIES = "families"
    CAREGIVERS = "caregivers"
    FUNNEL = "funnel"


class Publication(Numbered, Base):
    """One closed span of one city, published; triggers refuse every change."""

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("city_code", "span", "first_day"),
        CheckConstraint("last_day > first_day", name="last_after_first"),
        CheckConstraint("smallest_cell >= 5", name="smallest_cell_at_least_5"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    span: Mapped[Span] = mapped_column(text_enum(Span))
    first_day: Mapped[date]
    last_day: Mapped[date]
    smallest_cell: Mapped[int]


class Sheet(Base):
    """One table of a publication: its columns, each a list of as many values."""

    __tablename__ = "published_sheets"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"))
    name: Mapped[SheetName] = mapped_column(text_enum(SheetName))
    columns: Mapped[dict[str, Any]]


class HeldWeek(Base):
    """The needs a published week told, without persons, until its month is made of the same ones.

    Nobody reads them but the job that publishes; they are gone with the month's publication.
    """

    __tablename__ = "held_weeks"

    publication_id: Mapped[int] = mapped_column(ForeignKey("publications.id"), primary_key=True)
    needs: Mapped[dict[str, Any]]


class SavedView(Numbered, Base):
    """A page with its filters, kept by one person under a name of theirs."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    page: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[dict[str, Any]]


class Extract(Numbered, SealedRow, Base):
    """A file of figures made for one person, who takes it once within a minute: then it goes."""

    __tablename__ = "extracts"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    page: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]]
    content_sealed: Mapped[bytes] = sealed_bytes()
    expires_at: Mapped[datetime]

    content = SealedBytes()
