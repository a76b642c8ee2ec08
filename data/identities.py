"""Who comes in through a provider: linked identities, and sign-ins under way."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class FlowKind(StrEnum):
    """Why somebody was sent to a provider."""

    SIGN_IN = "sign_in"
    LINK = "link"


class Identity(Numbered, SealedRow, Base):
    """A provider's identity of a person as a keyed hash.

    Where the provider can be written to (a WeChat service account), the address is kept sealed.
    """

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("provider", "subject_hash"),
        UniqueConstraint("account_id", "provider"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    provider: Mapped[str] = mapped_column(String(32))
    subject_hash: Mapped[str] = mapped_column(String(64))
    last_used_at: Mapped[datetime]
    address_sealed: Mapped[bytes | None] = sealed_bytes()

    address = Sealed()


class ProviderFlow(Numbered, SealedRow, Base):
    """One trip to a provider and back, bound to one browser; nonce and verifier are derived."""

    __tablename__ = "provider_flows"

    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64), index=True)
    provider: Mapped[str] = mapped_column(String(32))
    kind: Mapped[FlowKind] = mapped_column(text_enum(FlowKind))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    back_to: Mapped[str] = mapped_column(String(500), default="/")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    subject_hash: Mapped[str | None] = mapped_column(String(64))
    given_name: Mapped[str] = mapped_column(String(40), default="")
    finished_at: Mapped[datetime | None]
    address_sealed: Mapped[bytes | None] = sealed_bytes()

    address = Sealed()
