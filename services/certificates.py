"""Certificates: training proofs and licences, as entered and as shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import BindParameter, ColumnElement, String, bindparam, cast, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from data.caregivers import Caregiver, Certificate
from data.catalogue import CareItem, CertificateKind
from data.cities import City
from data.notices import NoticeKind
from services import clock, notices
from services.access import Actor, Permission
from services.errors import Invalid
from services.wording import words

__all__ = ["CertificateForm", "CertificateKind", "CertificateView", "Claim"]

EARLIEST_YEAR = 1970
EXPIRES_SOON = timedelta(days=30)
TOLD_AFTER = timedelta(days=60)  # A worker that stood still that long still tells.


@dataclass(frozen=True, slots=True)
class CertificateForm:
    kind: CertificateKind
    issuer: str
    issued_on: date
    expires_on: date | None
    number: str = ""
    level: str = ""


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One as pages show it; it counts only once an operator has approved it."""

    kind: CertificateKind
    issuer: str
    issued_on: date
    expires_on: date | None
    expired: bool
    level: str = ""
    approved: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """A certificate as its reviewer sees it, number included."""

    kind: CertificateKind
    issuer: str
    level: str
    number: str
    issued_on: date
    expires_on: date | None
    expired: bool
    approved: bool


def check(session: Session, given: CertificateForm) -> None:
    """Refuse an incomplete certificate before it joins the others; public, nothing is stored."""
    row(given)


def row(given: CertificateForm) -> Certificate:
    """The certificate to store, or a refusal that says what is wrong with it."""
    issuer = words(given.issuer, "issuer", 80)
    number = words(given.number, "certificate_number", 40, required=False)
    level = words(given.level, "certificate_level", 20, required=False)
    if given.issued_on > clock.today():
        raise Invalid("error.issued_in_future")
    if given.expires_on is not None and given.expires_on <= given.issued_on:
        raise Invalid("error.end_before_start")
    return Certificate(
        created_at=clock.now(),
        kind=given.kind,
        issuer=issuer,
        level=level,
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
        has_expired(row),
        row.level,
        row.approved_at is not None,
    )


def claim(row: Certificate) -> Claim:
    """The certificate as its reviewer sees it."""
    return Claim(
        row.kind,
        row.issuer,
        row.level,
        row.number,
        row.issued_on,
        row.expires_on,
        has_expired(row),
        row.approved_at is not None,
    )


def has_expired(row: Certificate) -> bool:
    """Whether its last day lies behind."""
    return row.expires_on is not None and row.expires_on < clock.today()


def key(row: Certificate) -> tuple[object, ...]:
    """What tells certificates apart, to see whether a form changes them."""
    return (row.kind, row.issuer, row.level, row.number, row.issued_on, row.expires_on)


def held(session: Session, caregiver_ids: Collection[int]) -> dict[int, set[str]]:
    """The kinds of approved, unexpired certificates of several caregivers at once."""
    rows = session.execute(
        select(Certificate.caregiver_id, Certificate.kind).where(
            Certificate.caregiver_id.in_(caregiver_ids), counts()
        )
    )
    kinds: dict[int, set[str]] = {}
    for caregiver_id, kind in rows:
        kinds.setdefault(caregiver_id, set()).add(kind)
    return kinds


def hold_until(session: Session, caregiver_ids: Collection[int]) -> dict[tuple[int, str], date]:
    """Until which day approved certificates hold, by caregiver and kind; the latest of several."""
    found = dict[tuple[int, str], date]()
    for caregiver_id, kind, expires_on in session.execute(
        select(Certificate.caregiver_id, Certificate.kind, Certificate.expires_on).where(
            Certificate.caregiver_id.in_(caregiver_ids), Certificate.approved_at.is_not(None)
        )
    ):
        key = caregiver_id, kind
        found[key] = max(found.get(key, date.min), expires_on or date.max)
    return found


def holds(
    caregiver_id: InstrumentedAttribute[int], kind: str | BindParameter[str]
) -> ColumnElement[bool]:
    """The condition under which a caregiver holds an approved, unexpired certificate of a kind."""
    return exists().where(
        Certificate.caregiver_id == caregiver_id, Certificate.kind == kind, counts()
    )


def lacks_any(
    caregiver_id: InstrumentedAttribute[int], item_id: InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """The condition under which a caregiver lacks a certificate that an item asks for."""
    asked = cast(CareItem.required_certificates, String)
    missing = (asked.contains(f'"{kind}"') & ~holds(caregiver_id, kind) for kind in CertificateKind)
    return exists().where(CareItem.id == item_id, or_(*missing))


def holds_all(session: Session, caregiver_id: int, kinds: Collection[str]) -> bool:
    """Whether a caregiver lacks no certificate of these kinds, and none has expired."""
    return set(kinds) <= held(session, [caregiver_id]).get(caregiver_id, set())


def tell_expiring(session: Session, actor: Actor) -> int:
    """Tell each caregiver once of a certificate that ends soon, and once that it has.

    Returns how many were told. One that is renewed already is passed over.
    """
    actor.require(Permission.RUN_JOBS)
    return sum(_tell_expiring(session, city) for city in session.scalars(select(City)).all())


def _tell_expiring(session: Session, city: City) -> int:
    today = clock.today()
    ending = session.execute(
        select(Certificate.id, Certificate.caregiver_id, Certificate.kind, Certificate.expires_on)
        .join(Caregiver, Caregiver.id == Certificate.caregiver_id)
        .where(
            Caregiver.city_code == city.code,
            Certificate.expires_on.between(
                today - TOLD_AFTER, today + timedelta(days=city.expiry_days)
            ),
            Certificate.approved_at.is_not(None),
            ~renewed(),
        )
    ).all()
    told = 0
    for number, caregiver_id, kind, expires_on in ending:
        days = ((expires_on or today) - today).days
        notice = NoticeKind.CERTIFICATE_EXPIRED if days < 0 else NoticeKind.CERTIFICATE_EXPIRING
        about = f"certificate-{number}"
        told += notices.tell_all(
            session, notice, [caregiver_id], about, certificate=kind, days=max(days, 0)
        )
    return told


def renewed() -> ColumnElement[bool]:
    """Whether an approved one of the same kind is valid for longer."""
    renewal = aliased(Certificate)
    return exists().where(
        renewal.caregiver_id == Certificate.caregiver_id,
        renewal.kind == Certificate.kind,
        renewal.approved_at.is_not(None),
        renewal.expires_on.is_(None) | (renewal.expires_on > Certificate.expires_on),
    )


def counts() -> ColumnElement[bool]:
    # The day on which a statement runs, not the one on which it was written.
    today: BindParameter[date] = bindparam(None, callable_=clock.today)
    unexpired = Certificate.expires_on.is_(None) | (Certificate.expires_on >= today)
    return Certificate.approved_at.is_not(None) & unexpired
