"""Refunds: what a family is given back of a visit that was charged, and who pays for it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class RefundStatus(StrEnum):
    GRANTED = "granted"
    TAKEN_BACK = "taken_back"


class Refund(Numbered, Base):
    """An amount in fen off what a visit cost; of it the caregiver pays her part, we the rest."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("granted_by_id", "request_key"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("caregiver_fen BETWEEN 0 AND amount_fen", name="caregivers_part"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), index=True)
    complaint_id: Mapped[int | None] = mapped_column(ForeignKey("complaints.id"), index=True)
    amount_fen: Mapped[int]
    caregiver_fen: Mapped[int]
    words: Mapped[str] = mapped_column(String(300))
    granted_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_key: Mapped[str] = mapped_column(String(32))
    status: Mapped[RefundStatus] = mapped_column(
        text_enum(RefundStatus), default=RefundStatus.GRANTED
    )
    taken_back_at: Mapped[datetime | None]
    reversal_words: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
