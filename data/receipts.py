"""Receipts: that a family paid, and how; the money itself is never ours."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class ReceiptMethod(StrEnum):
    CASH = "cash"
    BANK = "bank"
    WECHAT = "wechat"
    SPLIT = "split"


class Receipt(Numbered, Base):
    """An amount in fen that staff saw come in; one recorded by mistake is reversed, never changed.

    The reference is the payment's number where it came from, so that none is recorded twice.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("recorded_by_id", "request_key"),
        CheckConstraint("amount_fen BETWEEN 1 AND 10000000", name="amount_in_range"),
        CheckConstraint("(reversed_at IS NULL) = (reversed_by_id IS NULL)", name="reversed_by"),
        Index(None, "customer_id", "received_on"),
        Index(None, "city_code", "received_on"),
        Index(
            "uq_receipts_method_reference",
            "method",
            "reference",
            unique=True,
            sqlite_where=text("reversed_at IS NULL AND reference <> ''"),
            postgresql_where=text("reversed_at IS NULL AND reference <> ''"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    method: Mapped[ReceiptMethod] = mapped_column(text_enum(ReceiptMethod))
    amount_fen: Mapped[int]
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(String(60), default="")
    words: Mapped[str] = mapped_column(String(200), default="")
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_key: Mapped[str] = mapped_column(String(32))
    reversed_at: Mapped[datetime | None]
    reversed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reversal_words: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
