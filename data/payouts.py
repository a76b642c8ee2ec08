"""Payouts: where caregivers want their pay, and the batches in which it is told to the bank."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class BatchStatus(StrEnum):
    """Locked: its amounts are set aside; sent: its file was taken to the bank; closed: answered."""

    LOCKED = "locked"
    SENT = "sent"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class PayoutStatus(StrEnum):
    """Waiting for the bank's answer, arrived, sent back, or withdrawn with its batch."""

    WAITING = "waiting"
    PAID = "paid"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class FileKind(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


class PayoutAccount(Numbered, SealedRow, Base):
    """A caregiver's bank account: whose it is and its number are sealed; one at a time."""

    __tablename__ = "payout_accounts"
    __table_args__ = (
        Index(
            "uq_payout_accounts_caregiver_id",
            "caregiver_id",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    bank: Mapped[str] = mapped_column(String(60))
    holder_sealed: Mapped[bytes] = sealed_bytes()
    number_sealed: Mapped[bytes] = sealed_bytes()
    # The last four digits, to tell accounts apart without opening them.
    tail: Mapped[str] = mapped_column(String(4))
    replaced_at: Mapped[datetime | None]

    holder = Sealed()
    number = Sealed()


class PayoutBatch(Numbered, Base):
    """What a city owes its caregivers at a moment, told to the bank together."""

    __tablename__ = "payout_batches"
    __table_args__ = (Index(None, "city_code", "status"),)

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    locked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[BatchStatus] = mapped_column(text_enum(BatchStatus), default=BatchStatus.LOCKED)
    sent_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Payout(Numbered, Base):
    """One caregiver's part of a batch in fen; nobody is in two batches that wait for the bank."""

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        Index(None, "batch_id", "status"),
        Index(
            "uq_payouts_caregiver_id_waiting",
            "caregiver_id",
            unique=True,
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    batch_id: Mapped[int] = mapped_column(ForeignKey("payout_batches.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("payout_accounts.id"))
    amount_fen: Mapped[int]
    status: Mapped[PayoutStatus] = mapped_column(
        text_enum(PayoutStatus), default=PayoutStatus.WAITING
    )
    settled_at: Mapped[datetime | None]
    failure_words: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class PayoutTicket(Numbered, Base):
    """Lets one operator take the bank file of a batch once, within a minute."""

    __tablename__ = "payout_tickets"

    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("payout_batches.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[FileKind] = mapped_column(text_enum(FileKind))
    expires_at: Mapped[datetime]
