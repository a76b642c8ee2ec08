"""Unmet needs: searches, demands and calls that found nobody; no person in them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class Obstacle(StrEnum):
    """Why somebody cannot come, in the order in which it is looked at."""

    NOBODY = "nobody"
    NOT_OFFERED = "not_offered"
    CERTIFICATE = "certificate"
    TOO_FAR = "too_far"
    PRICE = "price"
    TOO_SOON = "too_soon"
    TOO_FAR_AHEAD = "too_far_ahead"
    CITY_CLOSED = "city_closed"
    OFF_HOURS = "off_hours"
    ON_LEAVE = "on_leave"
    BUSY = "busy"
    TRAVEL = "travel"
    REST = "rest"
    WEEK_FULL = "week_full"


class NeedSource(StrEnum):
    SEARCH = "search"
    DEMAND = "demand"
    CALL = "call"


class OpenSearch(Numbered, Base):
    """A search that found somebody and is not followed up yet; it lives for less than a day.

    The customer is known only to see whether a request follows.
    """

    __tablename__ = "open_searches"
    __table_args__ = (
        UniqueConstraint("customer_id", "item_id", "city_code"),
        Index(None, "created_at"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    source: Mapped[NeedSource] = mapped_column(text_enum(NeedSource, "needsource_open"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    wanted_at: Mapped[datetime]


class UnmetNeed(Numbered, Base):
    """Somebody looked for care and did not get it: where, what, when, and what first stood in
    the way; without an obstacle, somebody could have come and was not taken."""

    __tablename__ = "unmet_needs"
    __table_args__ = (Index(None, "city_code", "created_at"),)

    source: Mapped[NeedSource] = mapped_column(text_enum(NeedSource))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    wanted_at: Mapped[datetime | None]
    obstacle: Mapped[Obstacle | None] = mapped_column(text_enum(Obstacle))
