"""Orders: agreements between a customer and a caregiver; and the visits they consist of."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.accounts import Channel
from data.base import Base, Numbered, text_enum


class OrderStatus(StrEnum):
    """Asked of a caregiver (requested, then perhaps accepted), agreed (confirmed), or ended."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    EXPIRED = "expired"
    BLOCKED = "blocked"


# Not agreed yet: the visit is held while the answer is awaited.
WAITING = OrderStatus.REQUESTED, OrderStatus.ACCEPTED


class VisitStatus(StrEnum):
    HELD = "held"
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"


# Still to be made, or being made.
AHEAD = VisitStatus.HELD, VisitStatus.PLANNED, VisitStatus.IN_PROGRESS


class Order(Numbered, Base):
    """The price in fen per unit, the total and the commission are frozen when it is made."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_fen = unit_price_fen * units", name="total_is_units_times_price"),
        CheckConstraint("0 <= commission_fen AND commission_fen <= total_fen", name="commission"),
        Index(None, "city_code", "created_at"),
        Index(None, "city_code", "status", "created_at"),
        # All that the analysts' release reads, so that it never touches the table.
        Index(None, "city_code", "district_code", "item_id", "status", "customer_id"),
        Index(None, "customer_id", "status"),
        Index(None, "status", "answer_until"),
    )

    demand_id: Mapped[int] = mapped_column(ForeignKey("demands.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("recipients.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    district_code: Mapped[str] = mapped_column(String(6))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))
    units: Mapped[int]
    unit_price_fen: Mapped[int]
    total_fen: Mapped[int]
    commission_fen: Mapped[int]
    answer_until: Mapped[datetime | None]
    decline_until: Mapped[datetime]
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    status: Mapped[OrderStatus] = mapped_column(
        text_enum(OrderStatus), default=OrderStatus.CONFIRMED
    )
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Visit(Numbered, Base):
    """One planned presence of a caregiver. On PostgreSQL two that overlap cannot be stored."""

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        # A one-number range instead of "=" needs no btree_gist extension.
        ExcludeConstraint(
            (text("int4range(caregiver_id, caregiver_id, '[]')"), "&&"),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            where=text("status <> 'cancelled'"),
            using="gist",
            name="ex_visits_one_at_a_time",
        ).ddl_if(dialect="postgresql"),
        # By its end: what still lies ahead of a caregiver is little, what lies behind is not.
        Index(None, "caregiver_id", "ends_at"),
        Index(None, "order_id", "status"),
        Index(None, "redeemed_at"),
        Index(None, "status", "starts_at"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[VisitStatus] = mapped_column(text_enum(VisitStatus), default=VisitStatus.PLANNED)
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    done_tasks: Mapped[list[str]]
    report_words: Mapped[str] = mapped_column(String(500), default="")
    code_issue: Mapped[int] = mapped_column(default=1)
    wrong_codes: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
