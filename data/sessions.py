"""Sign-in: sessions, one-time tickets and codes, failed attempts."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.accounts import Role
from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class CodePurpose(StrEnum):
    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    RESET = "reset"
    JOIN = "join"
    MERGE = "merge"


class SignInSession(Numbered, Base):
    """One signed-in browser; the cookie holds the token, this row only its hash."""

    __tablename__ = "sign_in_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    device: Mapped[str] = mapped_column(String(200), default="")
    address_prefix: Mapped[str] = mapped_column(String(40), default="")
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    second_factor_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignInTicket(Numbered, Base):
    """Lets one POST set the cookie of one session, once, within a minute.

    The session's token is derived from the ticket, so that neither is stored.
    """

    __tablename__ = "sign_in_tickets"

    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Numbered, Base):
    """A failed sign-in; the more of them, the longer phone and address wait for the next."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index(None, "phone_hash", "created_at"),
        Index(None, "address_hash", "created_at"),
    )

    phone_hash: Mapped[str] = mapped_column(String(64))
    address_hash: Mapped[str] = mapped_column(String(64), default="")


class SecondFactor(SealedRow, Base):
    """A person's authenticator app (TOTP, RFC 6238), and one-time codes for when it is lost."""

    __tablename__ = "second_factors"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    created_at: Mapped[datetime]
    secret_sealed: Mapped[bytes] = sealed_bytes()
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)
    wrong_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    recovery_hashes: Mapped[list[str]] = mapped_column(default=list)

    secret = Sealed()


class OneTimeCode(Numbered, Base):
    """A six-digit code sent to a phone; only its keyed hash is stored."""

    __tablename__ = "one_time_codes"
    __table_args__ = (Index(None, "phone_hash", "created_at"),)

    phone_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[CodePurpose] = mapped_column(text_enum(CodePurpose))
    code_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
