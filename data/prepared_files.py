"""Prepared files: papers made for one person, kept for the moment it takes to fetch them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered
from data.sealing import SealedBytes, SealedRow, sealed_bytes


class PreparedFile(Numbered, SealedRow, Base):
    """A file, what it tells of (for the audit) and who may fetch it with a ticket, once.

    One that the worker made waits without a ticket until whoever asked for it comes.
    """

    __tablename__ = "prepared_files"
    __table_args__ = (Index(None, "account_id", "about"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    ticket_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    about: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))
    content_sealed: Mapped[bytes] = sealed_bytes()
    expires_at: Mapped[datetime] = mapped_column(index=True)

    content = SealedBytes()
