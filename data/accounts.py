"""Accounts: the people, the roles they hold and where."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedRow, sealed_bytes


class Role(StrEnum):
    CUSTOMER = "customer"
    CAREGIVER = "caregiver"
    DESK = "desk"
    OPERATOR = "operator"
    ANALYST = "analyst"


class AccountStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    MERGED = "merged"
    ERASED = "erased"


class Channel(StrEnum):
    """How a wish reached us."""

    APP = "app"
    PHONE = "phone"


class Account(Numbered, SealedRow, Base):
    """A person; the phone number is the identity."""

    __tablename__ = "accounts"
    __table_args__ = (Index(None, "phone_tail_hash"),)

    name: Mapped[str] = mapped_column(String(40))
    phone_sealed: Mapped[bytes] = sealed_bytes()
    phone_hash: Mapped[str] = mapped_column(String(64), unique=True)
    phone_tail_hash: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[AccountStatus] = mapped_column(
        text_enum(AccountStatus), default=AccountStatus.ACTIVE
    )
    city_code: Mapped[str | None] = mapped_column(String(6))
    district_code: Mapped[str | None] = mapped_column(String(6))
    agreed_at: Mapped[datetime | None]
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    version: Mapped[int] = mapped_column()

    phone = Sealed()
    roles: Mapped[list["AccountRole"]] = relationship(
        back_populates="account", lazy="raise", order_by="AccountRole.id"
    )

    __mapper_args__ = {"version_id_col": version}


class AccountRole(Numbered, Base):
    """One role a person holds; staff roles hold for one city, the others everywhere ("")."""

    __tablename__ = "account_roles"
    __table_args__ = (UniqueConstraint("account_id", "role", "city_code"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    role: Mapped[Role] = mapped_column(text_enum(Role))
    city_code: Mapped[str] = mapped_column(String(6), default="")

    account: Mapped[Account] = relationship(back_populates="roles", lazy="raise")


class ContactPhone(Numbered, SealedRow, Base):
    """A number somebody can be reached at that is not theirs alone: a family's, a neighbour's."""

    __tablename__ = "contact_phones"
    __table_args__ = (
        UniqueConstraint("account_id", "phone_hash"),
        Index(None, "phone_hash"),
        Index(None, "phone_tail_hash"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    phone_sealed: Mapped[bytes] = sealed_bytes()
    phone_hash: Mapped[str] = mapped_column(String(64))
    phone_tail_hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(String(40), default="")

    phone = Sealed()


class NameKey(Numbered, Base):
    """One way somebody types a customer's name, or a recipient's of theirs, from its beginning.

    Characters, pinyin or initials, in lower case; compared byte by byte, so that an index finds
    whatever begins with what was typed.
    """

    __tablename__ = "name_keys"
    __table_args__ = (Index(None, "key", "account_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    recipient_id: Mapped[int | None] = mapped_column(ForeignKey("recipients.id"), index=True)
    key: Mapped[str] = mapped_column(
        String(80).with_variant(String(80, collation="C"), "postgresql")
    )
