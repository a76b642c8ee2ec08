"""What goes wrong with a visit: complaints, incidents, and time beyond what was ordered."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.orders import Party
from data.sealing import SealedBytes, SealedRow, sealed_bytes


class ComplaintStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    APPEALED = "appealed"


# Somebody has still to decide, and until then the visit's pay rests.
UNDECIDED = ComplaintStatus.OPEN, ComplaintStatus.APPEALED


class Audience(StrEnum):
    """Who reads a message of a complaint, besides those who decide it."""

    CUSTOMER = "customer"
    CAREGIVER = "caregiver"
    BOTH = "both"
    STAFF = "staff"


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
    """One side's complaint of a visit; until it is decided its pay rests and nothing confirms it.

    Who decided is empty where it was taken back; an appeal is made and decided once.
    """

    __tablename__ = "complaints"
    __table_args__ = (
        Index(None, "visit_id", "status"),
        Index(None, "status", "due_at"),
        Index(None, "city_code", "status", "due_at"),
        CheckConstraint("due_soon_at <= due_at", name="soon_before_due"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"))
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    category: Mapped[ComplaintCategory] = mapped_column(text_enum(ComplaintCategory))
    words: Mapped[str] = mapped_column(String(500))
    status: Mapped[ComplaintStatus] = mapped_column(
        text_enum(ComplaintStatus), default=ComplaintStatus.OPEN
    )
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    due_at: Mapped[datetime]
    due_soon_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    outcome_words: Mapped[str] = mapped_column(String(500), default="")
    apology: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]
    appealed_by: Mapped[Party | None] = mapped_column(text_enum(Party))
    appeal_words: Mapped[str] = mapped_column(String(500), default="")
    appeal_decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    appeal_upheld: Mapped[bool | None]
    appeal_outcome_words: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ComplaintMessage(Numbered, Base):
    """What a side or the platform wrote about a complaint, and who reads it; sent once per key."""

    __tablename__ = "complaint_messages"
    __table_args__ = (UniqueConstraint("complaint_id", "request_key"),)

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    written_by: Mapped[Party] = mapped_column(text_enum(Party))
    audience: Mapped[Audience] = mapped_column(text_enum(Audience))
    words: Mapped[str] = mapped_column(String(500))
    request_key: Mapped[str] = mapped_column(String(32))


class ComplaintEvidence(Numbered, SealedRow, Base):
    """A page that a side handed in with a complaint; the other side sees it once it is shared."""

    __tablename__ = "complaint_evidence"
    __table_args__ = (
        UniqueConstraint("complaint_id", "number"),
        CheckConstraint("number >= 1", name="number_from_1"),
    )

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaints.id"))
    handed_in_by: Mapped[Party] = mapped_column(text_enum(Party))
    number: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    shared_at: Mapped[datetime | None]
    content_sealed: Mapped[bytes | None] = sealed_bytes()
    shredded_at: Mapped[datetime | None]

    content = SealedBytes()


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
