"""Penalty points: given to caregivers with a reason, and contested once."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class PointsStatus(StrEnum):
    STANDING = "standing"
    CONTESTED = "contested"
    UPHELD = "upheld"
    LIFTED = "lifted"


class PenaltyPoints(Numbered, Base):
    """Points given once, for a complaint, for a finding, or for neither; they count until lifted.

    Who gave them is empty for what a rule gave by itself.
    """

    __tablename__ = "penalty_points"
    __table_args__ = (
        Index(None, "caregiver_id", "created_at"),
        Index(None, "city_code", "status"),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("complaint_id IS NULL OR finding_id IS NULL", name="one_source"),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    points: Mapped[int]
    words: Mapped[str] = mapped_column(String(500))
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    finding_id: Mapped[int | None] = mapped_column(ForeignKey("compliance_findings.id"), index=True)
    status: Mapped[PointsStatus] = mapped_column(
        text_enum(PointsStatus), default=PointsStatus.STANDING
    )
    contest_words: Mapped[str] = mapped_column(String(500), default="")
    contested_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    decision_words: Mapped[str] = mapped_column(String(500), default="")
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
