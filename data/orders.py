"""Orders: agreements between a customer and a caregiver; and the visits they consist of."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.accounts import Channel
from data.base import Base, Numbered, text_enum
from data.sealing import SealedBytes, SealedRow, sealed_bytes


class OrderKind(StrEnum):
    """One visit, or a plan that goes on."""

    SINGLE = "single"
    MONTHLY = "monthly"


class OrderStatus(StrEnum):
    """Asked of a caregiver (requested, then perhaps accepted), agreed (confirmed), or ended.

    It expires if the caregiver does not answer in time, and lapses if the operator does not.
    """

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    MISSED = "missed"
    REFUSED = "refused"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    BLOCKED = "blocked"


# Agreed, and not over.
STANDING = OrderStatus.CONFIRMED, OrderStatus.PAUSED
# Not agreed yet: the visit is held while the answer is awaited.
WAITING = OrderStatus.REQUESTED, OrderStatus.ACCEPTED


class VisitStatus(StrEnum):
    """An offered one waits to take another's place; a dropped one gave its own up, or got none.

    An unfilled one is a day of a plan on which its caregiver cannot come, and somebody is sought.
    """

    HELD = "held"
    OFFERED = "offered"
    UNFILLED = "unfilled"
    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    FINISHED = "finished"
    REDEEMED = "redeemed"
    MISSED = "missed"
    CANCELLED = "cancelled"
    DROPPED = "dropped"


# Still to be made, or being made.
AHEAD = VisitStatus.HELD, VisitStatus.PLANNED, VisitStatus.IN_PROGRESS
# Agreed and not settled: something may be wrong with it.
OPEN = VisitStatus.UNFILLED, VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED
# Takes nobody's time.
GONE = VisitStatus.CANCELLED, VisitStatus.DROPPED, VisitStatus.UNFILLED
# Nothing happens with it any more.
ENDED = (
    VisitStatus.CANCELLED,
    VisitStatus.DROPPED,
    VisitStatus.REDEEMED,
    VisitStatus.MISSED,
)
# No part of what the order promises: not yet, or not any more.
ASIDE = VisitStatus.OFFERED, VisitStatus.UNFILLED, VisitStatus.DROPPED


class Party(StrEnum):
    CUSTOMER = "customer"
    CAREGIVER = "caregiver"
    PLATFORM = "platform"


class EndReason(StrEnum):
    """Why a visit did not take place as planned."""

    PLANS_CHANGED = "plans_changed"
    ILLNESS = "illness"
    HOSPITAL = "hospital"
    EMERGENCY = "emergency"
    WEATHER = "weather"
    NO_SHOW = "no_show"
    PLAN_CHANGED = "plan_changed"
    OTHER = "other"


class Order(Numbered, Base):
    """Price in fen per unit, commission and terms (its tariff's) are frozen when it is made."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("commission_bp BETWEEN 0 AND 10000", name="commission_is_a_share"),
        Index(None, "city_code", "created_at"),
        Index(None, "city_code", "kind", "status", "created_at"),
        # All that the analysts' release reads, so that it never touches the table.
        Index(None, "city_code", "district_code", "item_id", "status", "customer_id"),
        Index(None, "customer_id", "status"),
        Index(None, "status", "answer_until"),
    )

    kind: Mapped[OrderKind] = mapped_column(text_enum(OrderKind), default=OrderKind.SINGLE)
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
    commission_bp: Mapped[int]
    terms: Mapped[dict[str, Any]]
    # The rules it was made under; none: the usual ones.
    rule_version_id: Mapped[int | None] = mapped_column(ForeignKey("rule_versions.id"), index=True)
    answer_until: Mapped[datetime | None]
    decline_until: Mapped[datetime]
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    status: Mapped[OrderStatus] = mapped_column(
        text_enum(OrderStatus), default=OrderStatus.CONFIRMED
    )
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Segment(Numbered, Base):
    """A stretch of a monthly plan: who comes, when, and at what price in fen per unit.

    The rule is an RFC 5545 recurrence in city time; visits are made for the days before
    `made_until`. One that ends before it begins was changed before it came.
    """

    __tablename__ = "segments"
    __table_args__ = (
        CheckConstraint("starts_minute BETWEEN 0 AND 1439", name="start_within_day"),
        Index(None, "order_id", "from_on"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    rule: Mapped[str] = mapped_column(String(300))
    starts_minute: Mapped[int]
    units: Mapped[int]
    unit_price_fen: Mapped[int]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    made_until: Mapped[date]
    skipped: Mapped[list[str]]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Visit(Numbered, Base):
    """One planned presence of a caregiver. On PostgreSQL two that overlap cannot be stored.

    It keeps its caregiver and its time: whoever or whenever comes instead is another visit, which
    replaces it. Fen: the price with its named parts, the commission in it, what the family owes
    for cancelling it (fee) and what the caregiver does (penalty).
    """

    __tablename__ = "visits"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("0 <= commission_fen AND commission_fen <= total_fen", name="commission"),
        CheckConstraint("fee_fen >= 0 AND penalty_fen >= 0", name="fees_not_negative"),
        # A one-number range instead of "=" needs no btree_gist extension.
        ExcludeConstraint(
            (text("int4range(caregiver_id, caregiver_id, '[]')"), "&&"),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            where=text("status NOT IN ('cancelled', 'dropped', 'unfilled')"),
            using="gist",
            name="ex_visits_one_at_a_time",
        ).ddl_if(dialect="postgresql"),
        # By its end: what still lies ahead of a caregiver is little, what lies behind is not. With
        # all that a search asks of hundreds at once.
        Index(None, "caregiver_id", "ends_at", "starts_at", "status", "cell"),
        Index(None, "order_id", "status"),
        Index(None, "redeemed_at"),
        Index(None, "status", "starts_at"),
        # A day of a plan has one visit, and those that came to replace it.
        Index(
            "uq_visits_segment_id_occurs_on",
            "segment_id",
            "occurs_on",
            unique=True,
            sqlite_where=text("replaces_id IS NULL"),
            postgresql_where=text("replaces_id IS NULL"),
        ),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id"))
    occurs_on: Mapped[date | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"), index=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    cell: Mapped[str] = mapped_column(String(16))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    total_fen: Mapped[int]
    commission_fen: Mapped[int]
    price_parts: Mapped[dict[str, Any]]
    fee_fen: Mapped[int] = mapped_column(default=0)
    penalty_fen: Mapped[int] = mapped_column(default=0)
    status: Mapped[VisitStatus] = mapped_column(text_enum(VisitStatus), default=VisitStatus.PLANNED)
    answer_until: Mapped[datetime | None]
    ended_by: Mapped[Party | None] = mapped_column(text_enum(Party))
    end_reason: Mapped[EndReason | None] = mapped_column(text_enum(EndReason))
    end_words: Mapped[str] = mapped_column(String(300), default="")
    checked_in_at: Mapped[datetime | None]
    checked_in_cell: Mapped[str | None] = mapped_column(String(16))
    checked_out_at: Mapped[datetime | None]
    redeemed_at: Mapped[datetime | None]
    done_tasks: Mapped[list[str]]
    report_words: Mapped[str] = mapped_column(String(500), default="")
    code_issue: Mapped[int] = mapped_column(default=1)
    wrong_codes: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @property
    def pay_fen(self) -> int:
        """What the caregiver earns."""
        return self.total_fen - self.commission_fen


class ReportPhoto(Numbered, SealedRow, Base):
    """A picture in a visit's report, for its family only; shredded after the city's days."""

    __tablename__ = "report_photos"
    __table_args__ = (
        UniqueConstraint("visit_id", "number"),
        CheckConstraint("number >= 1", name="number_from_1"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"))
    number: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    content_sealed: Mapped[bytes | None] = sealed_bytes()
    shredded_at: Mapped[datetime | None]

    content = SealedBytes()
