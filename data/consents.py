"""Consent to versioned documents, and the wish to be forgotten."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.policies import Policy


class Consent(Numbered, Base):
    """One person's yes to one version of one document, from created_at until it is withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (Index(None, "account_id", "policy"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    policy: Mapped[Policy] = mapped_column(text_enum(Policy))
    policy_version: Mapped[int]
    withdrawn_at: Mapped[datetime | None]


class ErasureRequest(Numbered, Base):
    """A person's wish to be forgotten; done by a job once it is due, unless withdrawn before."""

    __tablename__ = "erasure_requests"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    due_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
