"""What goes wrong with a visit: complaints, incidents, and time beyond what was ordered."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum


class ComplaintStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class ComplaintCategory(StrEnum):
    QUALITY = "quality"
    ATTITUDE = "attitude"
    PUNCTUALITY = "punctuality"
    PRICE = "price"
    SAFETY = "safety"
    NO_SHOW = "no_show"
    OTHER = "other"


class IncidentKind(StrEnum):
    FALL = "fall"
    INJURY = "injury"
    ILLNESS = "illness"
    LOSS = "loss"
    OTHER = "other"


class IncidentStatus(StrEnum):
    REPORTED = "reported"
    CLOSED = "closed"


class ExtraTimeStatus(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"


class Complaint(Numbered, Base):
    """One side's complaint of a visit; while it is open its pay rests and nothing confirms it."""

    __tablename__ = "complaints"
    __table_args__ = (Index(None, "visit_id", "status"), Index(None, "status", "created_at"))

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    category: Mapped[ComplaintCategory] = mapped_column(text_enum(ComplaintCategory))
    words: Mapped[str] = mapped_column(String(500))
    status: Mapped[ComplaintStatus] = mapped_column(
        text_enum(ComplaintStatus), default=ComplaintStatus.OPEN
    )
    outcome_words: Mapped[str] = mapped_column(String(500), default="")
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Incident(Numbered, Base):
    """What happened to somebody or something during a visit, until an operator closes it."""

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "visit_id", "status"), Index(None, "status", "created_at"))

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"))
    reported_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[IncidentKind] = mapped_column(text_enum(IncidentKind))
    words: Mapped[str] = mapped_column(String(500))
    status: Mapped[IncidentStatus] = mapped_column(
        text_enum(IncidentStatus), default=IncidentStatus.REPORTED
    )
    outcome_words: Mapped[str] = mapped_column(String(500), default="")
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ExtraTime(Numbered, Base):
    """Minutes worked beyond the planned end and their price in fen; owed once the family agrees."""

    __tablename__ = "extra_times"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes_positive"),
        CheckConstraint("0 <= commission_fen AND commission_fen <= total_fen", name="commission"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"), unique=True)
    minutes: Mapped[int]
    total_fen: Mapped[int]
    commission_fen: Mapped[int]
    status: Mapped[ExtraTimeStatus] = mapped_column(
        text_enum(ExtraTimeStatus), default=ExtraTimeStatus.ASKED
    )
    answered_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
