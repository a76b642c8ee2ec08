"""Verification: cases of who somebody is and may do, their documents, and who may open those."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from data.base import Base, Numbered, text_enum
from data.catalogue import CertificateKind
from data.sealing import Sealed, SealedBytes, SealedRow, sealed_bytes


class CaseKind(StrEnum):
    CUSTOMER = "customer"
    CAREGIVER = "caregiver"


class CaseStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class DocumentKind(StrEnum):
    ID_FRONT = "id_front"
    ID_BACK = "id_back"
    PORTRAIT = "portrait"
    CERTIFICATE = "certificate"
    HEALTH_REPORT = "health_report"
    BACKGROUND_STATEMENT = "background_statement"


class VerificationCase(Numbered, SealedRow, Base):
    """One submission of one person; a new try after a rejection is a new case."""

    __tablename__ = "verification_cases"
    __table_args__ = (
        Index(None, "account_id", "kind"),
        # All that the queue counts and orders by, so that it reads no sealed row.
        Index(
            "ix_verification_cases_waiting",
            "status",
            "city_code",
            "erased_at",
            "submitted_at",
            "account_id",
            "kind",
        ),
        # One number, one person.
        Index(
            "uq_verification_cases_approved_number",
            "kind",
            "id_number_hash",
            unique=True,
            sqlite_where=text("status = 'approved'"),
            postgresql_where=text("status = 'approved'"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[CaseKind] = mapped_column(text_enum(CaseKind))
    status: Mapped[CaseStatus] = mapped_column(text_enum(CaseStatus), default=CaseStatus.DRAFT)
    city_code: Mapped[str] = mapped_column(ForeignKey("cities.code"))
    legal_name_sealed: Mapped[bytes | None] = sealed_bytes()
    id_number_sealed: Mapped[bytes | None] = sealed_bytes()
    id_number_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    area_known: Mapped[bool] = mapped_column(default=True)
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reasons: Mapped[list[str]] = mapped_column(default=list)
    decision_words: Mapped[str] = mapped_column(String(300), default="")
    reviewer_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reviewing_until: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    legal_name = Sealed()
    id_number = Sealed()

    __mapper_args__ = {"version_id_col": version}


class Document(Numbered, SealedRow, Base):
    """One page of a document as an image of our own making; its bytes are sealed."""

    __tablename__ = "documents"
    __table_args__ = (
        Index(None, "case_id", "kind", "page"),
        CheckConstraint("page >= 1", name="page_from_1"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("verification_cases.id"))
    kind: Mapped[DocumentKind] = mapped_column(text_enum(DocumentKind))
    certificate_kind: Mapped[CertificateKind | None] = mapped_column(text_enum(CertificateKind))
    page: Mapped[int] = mapped_column(default=1)
    width: Mapped[int]
    height: Mapped[int]
    content_sealed: Mapped[bytes | None] = sealed_bytes()
    shredded_at: Mapped[datetime | None]

    content = SealedBytes()


class DocumentTicket(Numbered, Base):
    """Lets one person see one picture that is kept sealed once, within a minute."""

    __tablename__ = "document_tickets"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN document_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN report_photo_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN attachment_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN evidence_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN proof_id IS NULL THEN 0 ELSE 1 END = 1",
            name="one_picture",
        ),
    )

    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    report_photo_id: Mapped[int | None] = mapped_column(ForeignKey("report_photos.id"))
    attachment_id: Mapped[int | None] = mapped_column(ForeignKey("attachments.id"))
    evidence_id: Mapped[int | None] = mapped_column(ForeignKey("complaint_evidence.id"))
    proof_id: Mapped[int | None] = mapped_column(ForeignKey("proofs.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    purpose: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
