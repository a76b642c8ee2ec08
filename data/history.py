"""What happened: every status change, and the audit of sensitive acts."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.accounts import Channel, Role
from data.base import Base, Numbered, text_enum


class Noun(StrEnum):
    """What has a status that moves."""

    ACCOUNT = "account"
    CITY = "city"
    CAREGIVER = "caregiver"
    DEMAND = "demand"
    APPLICATION = "application"
    ORDER = "order"
    VISIT = "visit"
    VERIFICATION = "verification"
    COMPLAINT = "complaint"
    INCIDENT = "incident"
    EXTRA_TIME = "extra_time"
    TALK = "talk"
    PAYOUT_BATCH = "payout_batch"
    PAYOUT = "payout"
    REFUND = "refund"
    RULE_VERSION = "rule_version"
    REPAYMENT = "repayment"
    POLICY_VERSION = "policy_version"
    FINDING = "finding"
    POINTS = "points"
    INVOICE = "invoice"
    DISPATCH_RUN = "dispatch_run"
    PUSH = "push"


class StatusChange(Numbered, Base):
    """One step: who moved what, by which move, from where to where."""

    __tablename__ = "status_changes"
    __table_args__ = (Index(None, "noun", "subject_id"),)

    noun: Mapped[Noun] = mapped_column(text_enum(Noun))
    subject_id: Mapped[int]
    move: Mapped[str] = mapped_column(String(32))
    old_status: Mapped[str] = mapped_column(String(32))
    new_status: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    role: Mapped[Role | None] = mapped_column(text_enum(Role))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel))


class AuditEvent(Numbered, Base):
    """A sensitive act or read; ids only, never a personal detail.

    Rows are only ever added. A job gives them position and hash in one chain; triggers refuse
    every other change.
    """

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "subject", "subject_id"),)

    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    role: Mapped[Role | None] = mapped_column(text_enum(Role))
    detail: Mapped[dict[str, Any]]
    position: Mapped[int | None] = mapped_column(unique=True)
    hash: Mapped[str | None] = mapped_column(String(64))
