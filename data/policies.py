"""Policies: the documents of the rule book, version by version, in both languages."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class Policy(StrEnum):
    AGREEMENT = "agreement"
    PRIVACY = "privacy"
    SENSITIVE_DATA = "sensitive_data"
    ONBOARDING = "onboarding"
    COMPLAINT_HANDLING = "complaint_handling"


class PolicyStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class PolicyVersion(Numbered, Base):
    """One version of a document, Markdown; only a draft ever changes, and none is ever deleted.

    In force is the newest published one whose day has come. A draft has neither number nor day;
    who wrote and published those that CarePilot came with is nobody.
    """

    __tablename__ = "policy_versions"
    __table_args__ = (
        UniqueConstraint("policy", "number"),
        CheckConstraint(
            "status <> 'published' OR (number IS NOT NULL AND effective_on IS NOT NULL"
            " AND published_at IS NOT NULL)",
            name="published_whole",
        ),
        Index(
            "uq_policy_versions_policy_draft",
            "policy",
            unique=True,
            sqlite_where=text("status = 'draft'"),
            postgresql_where=text("status = 'draft'"),
        ),
        Index(
            "uq_policy_versions_policy_effective_on",
            "policy",
            "effective_on",
            unique=True,
            sqlite_where=text("status = 'published'"),
            postgresql_where=text("status = 'published'"),
        ),
    )

    policy: Mapped[Policy] = mapped_column(text_enum(Policy))
    status: Mapped[PolicyStatus] = mapped_column(
        text_enum(PolicyStatus), default=PolicyStatus.DRAFT
    )
    number: Mapped[int | None]
    words_zh: Mapped[str] = mapped_column(Text)
    words_en: Mapped[str] = mapped_column(Text)
    changes_zh: Mapped[str] = mapped_column(String(200))
    changes_en: Mapped[str] = mapped_column(String(200))
    effective_on: Mapped[date | None]
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
