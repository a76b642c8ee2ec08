"""The rule book: a city's numbers, all in one version, in force from a day on."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class RuleStatus(StrEnum):
    """Written, before a second operator, before its delay ends, decided, or taken back."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    WAITING = "waiting"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class RuleVersion(Numbered, Base):
    """All numbers of a city's rules, in force from midnight of its day until the next one's.

    One that its only operator publishes alone waits until `publish_at`. Once applied, the city's
    own columns say the same.
    """

    __tablename__ = "rule_versions"
    __table_args__ = (
        UniqueConstraint("city_code", "number"),
        CheckConstraint("number >= 1", name="number_from_1"),
        CheckConstraint("(status = 'waiting') <= (publish_at IS NOT NULL)", name="waits_until"),
        CheckConstraint("(status = 'published') <= (published_at IS NOT NULL)", name="published"),
        Index(None, "city_code", "status", "valid_from"),
        Index(
            "uq_rule_versions_city_code_valid_from",
            "city_code",
            "valid_from",
            unique=True,
            sqlite_where=text("status = 'published'"),
            postgresql_where=text("status = 'published'"),
        ),
    )

    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    number: Mapped[int]
    status: Mapped[RuleStatus] = mapped_column(text_enum(RuleStatus), default=RuleStatus.DRAFT)
    valid_from: Mapped[date]
    values: Mapped[dict[str, Any]]
    words: Mapped[str] = mapped_column(String(500), default="")
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    based_on_id: Mapped[int | None] = mapped_column(ForeignKey("rule_versions.id"))
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    publish_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    published_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
