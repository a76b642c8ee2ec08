"""Chat: talks with customer service or about one order, their messages, pictures and readers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import Sealed, SealedBytes, SealedRow, sealed_bytes


class TalkKind(StrEnum):
    """With customer service, or between family and caregiver about one order."""

    SERVICE = "service"
    ORDER = "order"


class TalkStatus(StrEnum):
    """A service talk waits in the queue, is somebody's, or is settled; an order's is just open."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    SETTLED = "settled"
    OPEN = "open"
    CLOSED = "closed"


class Side(StrEnum):
    """Who speaks."""

    CUSTOMER = "customer"
    CAREGIVER = "caregiver"
    GUEST = "guest"
    STAFF = "staff"
    PLATFORM = "platform"


class Guest(Numbered, SealedRow, Base):
    """A visitor without account who gave a phone; the cookie holds the token, the row its hash."""

    __tablename__ = "guests"
    __table_args__ = (Index(None, "phone_hash"),)

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(40), default="")
    phone_sealed: Mapped[bytes] = sealed_bytes()
    phone_hash: Mapped[str] = mapped_column(String(64))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    expires_at: Mapped[datetime]

    phone = Sealed()


class Talk(Numbered, Base):
    """A conversation. A service talk is a person's or a guest's, an order's talk its family's.

    `waiting_since` is when the other side last began to wait for an answer of the staff; the first
    answer and the settlement keep their moments for good. `last_message_id` orders the lists.
    """

    __tablename__ = "talks"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'order') = (order_id IS NOT NULL)", name="an_orders_talk_has_an_order"
        ),
        CheckConstraint("(account_id IS NULL) <> (guest_id IS NULL)", name="of_somebody"),
        CheckConstraint("score IS NULL OR score BETWEEN 1 AND 5", name="score_1_to_5"),
        # One open talk with customer service a person.
        Index(
            "uq_talks_open_of_account",
            "account_id",
            unique=True,
            sqlite_where=text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=text("kind = 'service' AND status <> 'settled'"),
        ),
        Index(
            "uq_talks_open_of_guest",
            "guest_id",
            unique=True,
            sqlite_where=text("kind = 'service' AND status <> 'settled'"),
            postgresql_where=text("kind = 'service' AND status <> 'settled'"),
        ),
        Index(None, "city_code", "status", "waiting_since"),
        Index(None, "assigned_to_id", "status"),
        Index(None, "account_id", "last_message_id"),
    )

    kind: Mapped[TalkKind] = mapped_column(text_enum(TalkKind))
    status: Mapped[TalkStatus] = mapped_column(text_enum(TalkStatus))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    guest_id: Mapped[int | None] = mapped_column(ForeignKey("guests.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), unique=True)
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    assigned_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    first_answered_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    score: Mapped[int | None]
    score_words: Mapped[str] = mapped_column(String(300), default="")
    last_message_id: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Message(Numbered, Base):
    """What one side said; a private one is for the staff's eyes. A key is said once in a talk."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("talk_id", "said_key"), Index(None, "talk_id", "id"))

    talk_id: Mapped[int] = mapped_column(ForeignKey("talks.id"))
    side: Mapped[Side] = mapped_column(text_enum(Side))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    private: Mapped[bool] = mapped_column(default=False)
    words: Mapped[str] = mapped_column(Text, default="")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    said_key: Mapped[str] = mapped_column(String(32))


class Attachment(Numbered, SealedRow, Base):
    """A picture in a message, made anew by us; its bytes are sealed, and shredded in time."""

    __tablename__ = "attachments"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), index=True)
    width: Mapped[int]
    height: Mapped[int]
    content_sealed: Mapped[bytes | None] = sealed_bytes()
    shredded_at: Mapped[datetime | None]

    content = SealedBytes()


class Reading(Numbered, Base):
    """Up to which message somebody has read a talk; without an account it is the guest."""

    __tablename__ = "readings"
    __table_args__ = (UniqueConstraint("talk_id", "account_id"),)

    talk_id: Mapped[int] = mapped_column(ForeignKey("talks.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    message_id: Mapped[int]


class CannedReply(Numbered, Base):
    """Words the staff of a city say often; {blanks} are filled from the talk."""

    __tablename__ = "canned_replies"
    __table_args__ = (UniqueConstraint("city_code", "shortcut"),)

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    shortcut: Mapped[str] = mapped_column(String(20))
    words_zh: Mapped[str] = mapped_column(String(500))
    words_en: Mapped[str] = mapped_column(String(500), default="")
    retired_at: Mapped[datetime | None]
