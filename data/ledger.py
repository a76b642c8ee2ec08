"""The ledger: double entry in integer fen, appended and never changed."""

from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class LedgerAccount(StrEnum):
    CUSTOMER_RECEIVABLE = "customer_receivable"
    ORDERS_COMMITTED = "orders_committed"
    CAREGIVER_FROZEN = "caregiver_frozen"
    CAREGIVER_PAYABLE = "caregiver_payable"
    # What she owes, to come off what would be payable next.
    CAREGIVER_DEBT = "caregiver_debt"
    PLATFORM_FEE = "platform_fee"
    PENALTY = "penalty"
    # Money that families paid, by the way it came; it is the bank's, not ours.
    RECEIVED_CASH = "received_cash"
    RECEIVED_BANK = "received_bank"
    RECEIVED_WECHAT = "received_wechat"
    RECEIVED_SPLIT = "received_split"
    REFUND = "refund"
    # Pay that was told to the bank, until it says that it has arrived.
    PAYOUT_SENT = "payout_sent"
    PAID_OUT = "paid_out"


class LedgerEvent(StrEnum):
    CONFIRMED = "confirmed"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    RELEASED = "released"
    MERGED = "merged"
    EXTENDED = "extended"
    EXTRA_TIME = "extra_time"
    FEE_REVERSED = "fee_reversed"
    RECEIVED = "received"
    RECEIPT_REVERSED = "receipt_reversed"
    REFUNDED = "refunded"
    REFUND_REVERSED = "refund_reversed"
    REPAID = "repaid"
    REPAYMENT_REVERSED = "repayment_reversed"
    PAYOUT_SENT = "payout_sent"
    PAID_OUT = "paid_out"
    PAYOUT_FAILED = "payout_failed"
    HELD_BACK = "held_back"
    LET_GO = "let_go"
    # By the migration that brought the account: what was payable below nothing before.
    DEBT_NOTED = "debt_noted"


class LedgerEntry(Numbered, Base):
    """One business event, an order's or a visit's; its key makes booking it twice impossible.

    It names its last line, and how much all lines come to: nothing. No transaction ends before
    that line is there. One without lines, of what cost nothing, names none.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        ForeignKeyConstraint(
            ("id", "lines", "sum_fen"),
            ("ledger_postings.entry_id", "ledger_postings.number", "ledger_postings.running_fen"),
            name="fk_ledger_entries_lines",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        CheckConstraint("sum_fen = 0", name="sums_to_zero"),
    )

    # It counts by itself, although it is part of a reference.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_key: Mapped[str] = mapped_column(String(60), unique=True)
    event: Mapped[LedgerEvent] = mapped_column(text_enum(LedgerEvent))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"), index=True)
    lines: Mapped[int | None]
    sum_fen: Mapped[int] = mapped_column(default=0)


class LedgerPosting(Base):
    """One line of an entry: debit positive, credit negative; and the sum of the lines so far."""

    __tablename__ = "ledger_postings"
    __table_args__ = (
        UniqueConstraint("entry_id", "number", "running_fen"),
        CheckConstraint("amount_fen <> 0", name="amount_not_zero"),
        CheckConstraint("number > 1 OR running_fen = amount_fen", name="first_line_is_the_sum"),
        # With all that a balance asks for.
        Index(None, "account", "party_id", "id", "amount_fen"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"))
    number: Mapped[int]
    account: Mapped[LedgerAccount] = mapped_column(text_enum(LedgerAccount))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    amount_fen: Mapped[int]
    running_fen: Mapped[int]


class LedgerBalance(Base):
    """What an account, or one party's part in it, came to when it was counted last.

    All postings up to a number are in it, the same one for all balances.
    """

    __tablename__ = "ledger_balances"
    __table_args__ = (
        UniqueConstraint("account", "party_id"),
        # With all that a balance asks for.
        Index(None, "account", "party_id", "total_fen"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[LedgerAccount] = mapped_column(text_enum(LedgerAccount, "ledgeraccount_kept"))
    party_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    counted_to: Mapped[int]
    total_fen: Mapped[int]
