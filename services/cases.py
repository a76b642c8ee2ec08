"""Cases of verification: what both sides of one need to know of it."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverLevel, Certificate
from data.catalogue import CertificateKind
from data.verifications import CaseKind, CaseStatus, DocumentKind, VerificationCase
from services import documents, resident_ids
from services.documents import DocumentView
from services.errors import Invalid, NotFound
from services.recipients import Sex

Needed = tuple[DocumentKind, CertificateKind | None]


class RejectReason(StrEnum):
    """What a reviewer can name; OTHER takes words."""

    BLURRED = "blurred"
    WRONG_PERSON = "wrong_person"
    EXPIRED = "expired"
    INCOMPLETE = "incomplete"
    NUMBER_MISMATCH = "number_mismatch"
    NOT_READABLE = "not_readable"
    OTHER = "other"


def needed(kind: CaseKind, claimed: Collection[CertificateKind] = ()) -> tuple[Needed, ...]:
    """The documents a case of this kind must have, given the certificates that are claimed."""
    shown = [
        (DocumentKind.CERTIFICATE, one)
        for one in CertificateKind
        if one in claimed and one in documents.TRAININGS
    ]
    return tuple(
        one
        for asked in documents.ASKED[kind]
        for one in (shown if asked is DocumentKind.CERTIFICATE else [(asked, None)])
    )


def masked_name(name: str) -> str:
    """As shown to those who need not know it: 李**."""
    return name[:1] + "*" * len(name[1:])


def missing(wanted: tuple[Needed, ...], pages: tuple[DocumentView, ...]) -> tuple[Needed, ...]:
    """What of it is not there, or not any more."""
    there = {(page.kind, page.certificate_kind) for page in pages if not page.shredded}
    return tuple(one for one in wanted if one not in there)


def claims_of(session: Session, case: VerificationCase) -> list[Certificate]:
    """The certificates of the person's profile; none for a customer's case."""
    if case.kind is not CaseKind.CAREGIVER:
        return []
    claimed = select(Certificate).where(Certificate.caregiver_id == case.account_id)
    return list(session.scalars(claimed.order_by(Certificate.id)))


def caregiver_of(session: Session, case: VerificationCase) -> Caregiver | None:
    """The profile a caregiver's case is about, locked; None for a customer's."""
    if case.kind is not CaseKind.CAREGIVER:
        return None
    caregiver = session.get(Caregiver, case.account_id, with_for_update=True)
    if caregiver is None:
        raise NotFound("error.profile_first")
    return caregiver


def level_of(session: Session, case: VerificationCase) -> CaregiverLevel | None:
    """The level of the caregiver a case is about; None for a customer's."""
    if case.kind is not CaseKind.CAREGIVER:
        return None
    return session.scalar(select(Caregiver.level).where(Caregiver.id == case.account_id))


def is_anothers(session: Session, case: VerificationCase, *statuses: CaseStatus) -> bool:
    """Whether the number stands in somebody else's case; whose is told to nobody."""
    found = exists().where(
        VerificationCase.id_number_hash == case.id_number_hash,
        VerificationCase.account_id != case.account_id,
        VerificationCase.status.in_(statuses),
    )
    return bool(session.scalar(select(found)))


def others_with(session: Session, case: VerificationCase) -> int:
    """How many other people ever handed in this number."""
    found = select(func.count(VerificationCase.account_id.distinct())).where(
        VerificationCase.id_number_hash == case.id_number_hash,
        VerificationCase.account_id != case.account_id,
    )
    return session.scalar(found) or 0


def refuse_differing(case: VerificationCase, birth_date: date, sex: Sex) -> None:
    """Refuse birth date and sex that differ from those in the number."""
    read = resident_ids.read(case.id_number)
    if (read.birth_date, read.sex) != (birth_date, sex):
        raise Invalid("error.id_number_differs_from_profile")


def is_of(account_id: int, kind: CaseKind) -> ColumnElement[bool]:
    """The cases of one person and kind."""
    return (VerificationCase.account_id == account_id) & (VerificationCase.kind == kind)
