"""Certificates: training proofs and licences, as entered and as shown."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.caregivers import Certificate
from data.catalogue import CertificateKind
from services import clock
from services.errors import Invalid
from services.wording import words

__all__ = ["CertificateForm", "CertificateKind", "CertificateView"]

EARLIEST_YEAR = 1970


@dataclass(frozen=True, slots=True)
class CertificateForm:
    kind: CertificateKind
    issuer: str
    issued_on: date
    expires_on: date | None
    number: str = ""


@dataclass(frozen=True, slots=True)
class CertificateView:
    kind: CertificateKind
    issuer: str
    issued_on: date
    expires_on: date | None
    expired: bool


def check(session: Session, given: CertificateForm) -> None:
    """Refuse an incomplete certificate before it joins the others; public, nothing is stored."""
    row(given)


def row(given: CertificateForm) -> Certificate:
    """The certificate to store, or a refusal that says what is wrong with it."""
    issuer = words(given.issuer, "issuer", 80)
    number = words(given.number, "certificate_number", 40, required=False)
    if given.issued_on > clock.today():
        raise Invalid("error.issued_in_future")
    if given.expires_on is not None and given.expires_on <= given.issued_on:
        raise Invalid("error.end_before_start")
    return Certificate(
        created_at=clock.now(),
        kind=given.kind,
        issuer=issuer,
        number=number,
        issued_on=given.issued_on,
        expires_on=given.expires_on,
    )


def view(row: Certificate) -> CertificateView:
    """The certificate as pages see it: without its number."""
    return CertificateView(
        row.kind,
        row.issuer,
        row.issued_on,
        row.expires_on,
        row.expires_on is not None and row.expires_on < clock.today(),
    )


def keys(certificates: Sequence[Certificate]) -> set[tuple[object, ...]]:
    """What tells certificates apart, to see whether a form changes them."""
    return {(c.kind, c.issuer, c.number, c.issued_on, c.expires_on) for c in certificates}


def held(session: Session, caregiver_ids: Collection[int]) -> dict[int, set[str]]:
    """The kinds of unexpired certificates of several caregivers at once."""
    rows = session.execute(
        select(Certificate.caregiver_id, Certificate.kind).where(
            Certificate.caregiver_id.in_(caregiver_ids), _unexpired()
        )
    )
    kinds: dict[int, set[str]] = {}
    for caregiver_id, kind in rows:
        kinds.setdefault(caregiver_id, set()).add(kind)
    return kinds


def holds(caregiver_id: InstrumentedAttribute[int], kind: str) -> ColumnElement[bool]:
    """The condition under which a caregiver holds an unexpired certificate of a kind."""
    return exists().where(
        Certificate.caregiver_id == caregiver_id, Certificate.kind == kind, _unexpired()
    )


def _unexpired() -> ColumnElement[bool]:
    return Certificate.expires_on.is_(None) | (Certificate.expires_on >= clock.today())
