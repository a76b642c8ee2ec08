"""Long work and scheduled jobs, both done by the worker."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class TaskStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Task(Numbered, Base):
    """One piece of long work; whoever holds the lease does it."""

    __tablename__ = "tasks"
    __table_args__ = (Index(None, "status", "id"),)

    kind: Mapped[str] = mapped_column(String(40))
    facts: Mapped[dict[str, Any]]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[TaskStatus] = mapped_column(text_enum(TaskStatus), default=TaskStatus.QUEUED)
    tries: Mapped[int] = mapped_column(default=0)
    leased_by: Mapped[str | None] = mapped_column(String(60))
    leased_until: Mapped[datetime | None]
    progress: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None]


class Job(Base):
    """The lamp of one scheduled job: its lease and how the last run went."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    leased_by: Mapped[str | None] = mapped_column(String(60))
    leased_until: Mapped[datetime | None]
    next_run_at: Mapped[datetime]
    last_started_at: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_result: Mapped[dict[str, Any] | None]
    last_error: Mapped[str | None] = mapped_column(String(80))
