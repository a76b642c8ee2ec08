"""The phone desk's book: calls and their outcome, and what was noted of or promised to callers."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class Direction(StrEnum):
    """Who called whom."""

    IN = "in"
    OUT = "out"


class Outcome(StrEnum):
    BOOKED = "booked"
    POSTED = "posted"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    REDEEMED = "redeemed"
    COMPLAINED = "complained"
    INFORMED = "informed"
    NOBODY_FREE = "nobody_free"
    CALL_AGAIN = "call_again"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    OTHER = "other"


class NoteKind(StrEnum):
    NOTE = "note"
    PROMISE = "promise"


class Call(Numbered, Base):
    """One call: who of the desk, with whom, how it ended, what was said, and when to call next.

    `order_id` and `visit_id` say what it was about, `message_id` which notice was read out.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "customer_id", "created_at"),
        Index(None, "city_code", "next_call_at"),
        CheckConstraint("ended_at IS NULL OR ended_at >= created_at", name="ends_after_start"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    taken_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    direction: Mapped[Direction] = mapped_column(text_enum(Direction))
    outcome: Mapped[Outcome | None] = mapped_column(text_enum(Outcome))
    words: Mapped[str] = mapped_column(String(500), default="")
    spoke_with: Mapped[str] = mapped_column(String(40), default="")
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("outbox_messages.id"))
    next_call_at: Mapped[datetime | None]
    next_call_done_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Note(Numbered, Base):
    """What the staff should know of a customer, or promised to them by a day."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "customer_id", "kind"),)

    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    written_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[NoteKind] = mapped_column(text_enum(NoteKind))
    words: Mapped[str] = mapped_column(String(300))
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
