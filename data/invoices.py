"""Invoices (发票) that families ask for, and pictures that prove receipts and show invoices."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedBytes, SealedRow, sealed_bytes


class BuyerKind(StrEnum):
    PERSONAL = "personal"
    COMPANY = "company"


class InvoiceStatus(StrEnum):
    """Asked for; issued; refused; withdrawn by who asked; cancelled by a red-letter one (红冲)."""

    ASKED = "asked"
    ISSUED = "issued"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


# These hold the money they are for.
LIVE = InvoiceStatus.ASKED, InvoiceStatus.ISSUED


class Invoice(Numbered, SealedRow, Base):
    """What a family wants an invoice for, in fen; whose it is to be is sealed."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("asked_by_id", "request_key"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("(issued_number = '') = (issued_on IS NULL)", name="number_and_day"),
        Index(None, "city_code", "status"),
        Index(
            "uq_invoices_issued_number",
            "issued_number",
            unique=True,
            sqlite_where=text("issued_number <> ''"),
            postgresql_where=text("issued_number <> ''"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    request_key: Mapped[str] = mapped_column(String(32))
    buyer: Mapped[BuyerKind] = mapped_column(text_enum(BuyerKind))
    title_sealed: Mapped[bytes] = sealed_bytes()
    tax_number_sealed: Mapped[bytes | None] = sealed_bytes()
    amount_fen: Mapped[int]
    status: Mapped[InvoiceStatus] = mapped_column(
        text_enum(InvoiceStatus), default=InvoiceStatus.ASKED
    )
    issued_number: Mapped[str] = mapped_column(String(20), default="")
    issued_on: Mapped[date | None]
    red_number: Mapped[str] = mapped_column(String(20), default="")
    words: Mapped[str] = mapped_column(String(200), default="")
    version: Mapped[int] = mapped_column(default=1)

    title = Sealed()
    tax_number = Sealed()

    __mapper_args__ = {"version_id_col": version}


class InvoicedReceipt(Numbered, Base):
    """A receipt in an invoice, until it is let go; it is in one at a time."""

    __tablename__ = "invoiced_receipts"
    __table_args__ = (
        Index(None, "invoice_id"),
        Index(
            "uq_invoiced_receipts_receipt_id",
            "receipt_id",
            unique=True,
            sqlite_where=text("let_go_at IS NULL"),
            postgresql_where=text("let_go_at IS NULL"),
        ),
    )

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipts.id"))
    let_go_at: Mapped[datetime | None]


class Proof(Numbered, SealedRow, Base):
    """A picture of what proves a receipt, or of an invoice, of our own making; sealed."""

    __tablename__ = "proofs"
    __table_args__ = (
        Index(None, "receipt_id", "page"),
        Index(None, "invoice_id", "page"),
        CheckConstraint("page >= 1", name="page_from_1"),
        CheckConstraint("(receipt_id IS NULL) <> (invoice_id IS NULL)", name="one_subject"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    receipt_id: Mapped[int | None] = mapped_column(ForeignKey("receipts.id"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"))
    page: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    content_sealed: Mapped[bytes | None] = sealed_bytes()
    shredded_at: Mapped[datetime | None]

    content = SealedBytes()
