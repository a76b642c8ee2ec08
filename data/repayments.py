"""Repayments: that money was given back to a family that had paid more than it owes."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.receipts import ReceiptMethod


class RepaymentStatus(StrEnum):
    RECORDED = "recorded"
    TAKEN_BACK = "taken_back"


class Repayment(Numbered, Base):
    """An amount in fen that staff saw go back to a family; by mistake, it is taken back."""

    __tablename__ = "repayments"
    __table_args__ = (
        UniqueConstraint("recorded_by_id", "request_key"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index(None, "customer_id", "repaid_on"),
        Index(None, "city_code", "repaid_on"),
        Index(
            "uq_repayments_method_reference",
            "method",
            "reference",
            unique=True,
            sqlite_where=text("status = 'recorded' AND reference <> ''"),
            postgresql_where=text("status = 'recorded' AND reference <> ''"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    method: Mapped[ReceiptMethod] = mapped_column(text_enum(ReceiptMethod, "repaymentmethod"))
    amount_fen: Mapped[int]
    repaid_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(60), default="")
    words: Mapped[str] = mapped_column(String(200), default="")
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_key: Mapped[str] = mapped_column(String(32))
    status: Mapped[RepaymentStatus] = mapped_column(
        text_enum(RepaymentStatus), default=RepaymentStatus.RECORDED
    )
    taken_back_at: Mapped[datetime | None]
    reversal_words: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
