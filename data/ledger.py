"""The ledger: double entry in integer fen, appended and never changed."""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class LedgerAccount(StrEnum):
    CUSTOMER_RECEIVABLE = "customer_receivable"
    ORDERS_COMMITTED = "orders_committed"
    CAREGIVER_FROZEN = "caregiver_frozen"
    CAREGIVER_PAYABLE = "caregiver_payable"
    PLATFORM_FEE = "platform_fee"
    PENALTY = "penalty"


class LedgerEvent(StrEnum):
    CONFIRMED = "confirmed"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    MERGED = "merged"
    EXTENDED = "extended"
    EXTRA_TIME = "extra_time"
    FEE_REVERSED = "fee_reversed"


class LedgerEntry(Numbered, Base):
    """One business event, an order's or a visit's; its key makes booking it twice impossible."""

    __tablename__ = "ledger_entries"

    event_key: Mapped[str] = mapped_column(String(60), unique=True)
    event: Mapped[LedgerEvent] = mapped_column(text_enum(LedgerEvent))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"), index=True)


class LedgerPosting(Base):
    """One line of an entry: debit positive, credit negative; an entry sums to zero."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_not_zero"),
        Index(None, "account", "party_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"), index=True)
    account: Mapped[LedgerAccount] = mapped_column(text_enum(LedgerAccount))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    amount_fen: Mapped[int]
