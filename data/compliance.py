"""Compliance: what looks like a breach of the rules, until an operator has decided."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class FindingKind(StrEnum):
    PRICE = "price"
    LATE_CANCELLATIONS = "late_cancellations"
    CONTACTS = "contacts"
    TRADED_REVIEWS = "traded_reviews"
    FAR_CHECK_IN = "far_check_in"
    EXPIRED_PAPERS = "expired_papers"
    IDLE_COMPLAINT = "idle_complaint"


class FindingStatus(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


# An operator has yet to decide.
UNDECIDED = FindingStatus.OPEN, FindingStatus.TAKEN


class ComplianceFinding(Numbered, Base):
    """What a detector found, once for each key; its facts are numbers, never what people wrote."""

    __tablename__ = "compliance_findings"
    __table_args__ = (
        UniqueConstraint("city_code", "kind", "key"),
        Index(None, "city_code", "status", "created_at"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    kind: Mapped[FindingKind] = mapped_column(text_enum(FindingKind))
    key: Mapped[str] = mapped_column(String(60))
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    demand_id: Mapped[int | None] = mapped_column(ForeignKey("demands.id"))
    facts: Mapped[dict[str, Any]]
    seen_at: Mapped[datetime]
    status: Mapped[FindingStatus] = mapped_column(
        text_enum(FindingStatus), default=FindingStatus.OPEN
    )
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decision_words: Mapped[str] = mapped_column(String(500), default="")
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
