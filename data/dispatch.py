"""Dispatch: runs and what they propose, what operators lay down, and what goes by itself."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.sealing import SealedBytes, SealedRow, sealed_bytes


class RunStatus(StrEnum):
    """Being worked out, proposed, stopped by somebody, or come to grief."""

    ASKED = "asked"
    PROPOSED = "proposed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RunShape(StrEnum):
    """One visit a caregiver, proven cheapest; or whole days of several visits each."""

    SINGLE = "single"
    DAYS = "days"


class OverrideKind(StrEnum):
    PIN = "pin"
    FORBID = "forbid"


class OverrideReason(StrEnum):
    """Why an operator knows better than the run."""

    FAMILY_WISH = "family_wish"
    CAREGIVER_WISH = "caregiver_wish"
    KNOWS_THE_CASE = "knows_the_case"
    SAFETY = "safety"
    QUALITY = "quality"
    TRAINING = "training"
    OTHER = "other"


class AutoMode(StrEnum):
    """What happens without anybody asking: nothing, a proposal, or assignments within limits."""

    OFF = "off"
    SUGGEST = "suggest"
    ASSIGN = "assign"


class DispatchRun(Numbered, SealedRow, Base):
    """What was asked for, with all the run depended on, sealed; and what it came to.

    Nobody asked for an automatic one; its mark says what it was about, and `acted_at` when its
    proposal was seen to. `movable`: visits agreed already may be proposed to others. The outcome is
    in minutes, hours and shares.
    """

    __tablename__ = "dispatch_runs"
    __table_args__ = (
        CheckConstraint("first_on <= last_on", name="days_in_order"),
        CheckConstraint("budget_seconds BETWEEN 1 AND 60", name="budget_in_range"),
        CheckConstraint("(status = 'proposed') <= (problem_sealed IS NOT NULL)", name="replayable"),
        Index(None, "city_code", "created_at"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))
    replays_id: Mapped[int | None] = mapped_column(ForeignKey("dispatch_runs.id"))
    rule_version_id: Mapped[int | None] = mapped_column(ForeignKey("rule_versions.id"))
    shape: Mapped[RunShape] = mapped_column(text_enum(RunShape))
    first_on: Mapped[date]
    last_on: Mapped[date]
    district_codes: Mapped[list[str]]
    item_ids: Mapped[list[int]]
    movable: Mapped[bool] = mapped_column(default=False)
    seed: Mapped[int] = mapped_column(default=0)
    budget_seconds: Mapped[int]
    weights: Mapped[dict[str, Any]]
    problem_sealed: Mapped[bytes | None] = sealed_bytes()
    status: Mapped[RunStatus] = mapped_column(text_enum(RunStatus), default=RunStatus.ASKED)
    quality: Mapped[str] = mapped_column(String(32), default="")
    outcome: Mapped[dict[str, Any]]
    finished_at: Mapped[datetime | None]
    mark: Mapped[str] = mapped_column(String(64), default="")
    acted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    problem = SealedBytes()

    __mapper_args__ = {"version_id_col": version}


class DispatchLine(Numbered, Base):
    """A demand, or a visit somebody else must make, and whom a run proposes; or nobody, and why.

    `before_id` is who was to come when the run began. The explanation has terms in minutes. A line
    is accepted as an order or as the offer of a visit, or refused by the gate.
    """

    __tablename__ = "dispatch_lines"
    __table_args__ = (
        UniqueConstraint("run_id", "number"),
        CheckConstraint("(demand_id IS NULL) <> (visit_id IS NULL)", name="of_one_kind"),
        CheckConstraint("(caregiver_id IS NULL) = (rule <> '')", name="somebody_or_why_not"),
        CheckConstraint("(accepted_at IS NULL) OR (refusal = '')", name="accepted_or_refused"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("dispatch_runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    demand_id: Mapped[int | None] = mapped_column(ForeignKey("demands.id"), index=True)
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"), index=True)
    before_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"))
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"), index=True)
    rule: Mapped[str] = mapped_column(String(32), default="")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    price_fen: Mapped[int]
    cost: Mapped[float]
    explanation: Mapped[dict[str, Any]]
    accepted_at: Mapped[datetime | None]
    accepted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"))
    refusal: Mapped[str] = mapped_column(String(60), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class DispatchOverride(Numbered, Base):
    """An operator lays down who comes, or who does not, until it is lifted."""

    __tablename__ = "dispatch_overrides"
    __table_args__ = (
        CheckConstraint("(demand_id IS NULL) <> (visit_id IS NULL)", name="of_one_kind"),
        *(
            Index(
                f"uq_dispatch_overrides_{subject}_{kind}",
                subject,
                *(() if kind == "pin" else ("caregiver_id",)),
                unique=True,
                sqlite_where=text(f"kind = '{kind}' AND lifted_at IS NULL"),
                postgresql_where=text(f"kind = '{kind}' AND lifted_at IS NULL"),
            )
            for subject in ("demand_id", "visit_id")
            for kind in ("pin", "forbid")
        ),
    )

    demand_id: Mapped[int | None] = mapped_column(ForeignKey("demands.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visits.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    kind: Mapped[OverrideKind] = mapped_column(text_enum(OverrideKind))
    reason: Mapped[OverrideReason] = mapped_column(text_enum(OverrideReason))
    words: Mapped[str] = mapped_column(String(300), default="")
    made_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))


class DispatchMode(Numbered, Base):
    """What goes by itself for one item in one city, and within which limits.

    `most_a_day` assignments, none dearer than `most_fen` a unit; `only_offered`: only of those who
    offered themselves.
    """

    __tablename__ = "dispatch_modes"
    __table_args__ = (
        UniqueConstraint("city_code", "item_id"),
        CheckConstraint("most_a_day BETWEEN 1 AND 1000", name="most_a_day_in_range"),
        CheckConstraint("most_fen > 0", name="price_positive"),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    item_id: Mapped[int] = mapped_column(ForeignKey("care_items.id"))
    mode: Mapped[AutoMode] = mapped_column(text_enum(AutoMode))
    most_a_day: Mapped[int]
    most_fen: Mapped[int | None]
    only_offered: Mapped[bool]
    changed_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class DispatchStop(Numbered, Base):
    """Somebody stopped everything that goes by itself in a city, until it is lifted."""

    __tablename__ = "dispatch_stops"
    __table_args__ = (
        Index(
            "uq_dispatch_stops_city_code",
            "city_code",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    stopped_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    words: Mapped[str] = mapped_column(String(300))
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
