"""The caregivers of a city as its operator keeps them: found, and what hangs on each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Certificate
from data.catalogue import CertificateKind
from data.demands import HOPING, Application
from data.ledger import LedgerAccount
from data.orders import AHEAD, WAITING, Order, Visit, VisitStatus
from services import accounts, audit, certificates, clock, ledger, phones, track_records
from services.access import Actor, Permission
from services.errors import NotFound
from services.track_records import Score

__all__ = [
    "CaregiverLine",
    "CaregiverStatus",
    "Commitments",
    "Engagement",
    "Expiring",
    "VisitStatus",
]

MOST_EXPIRING = 200


@dataclass(frozen=True, slots=True)
class CaregiverLine:
    """A caregiver in one line; `expires_on` is the first end of a certificate within a month."""

    id: int
    name: str
    masked_phone: str
    district_code: str
    status: CaregiverStatus
    score: Score
    visits_done: int
    visits_ahead: int
    frozen_fen: int
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Expiring:
    """A certificate that ends soon, or has: its number, whose it is, and the days until its end."""

    id: int
    caregiver_id: int
    name: str
    kind: CertificateKind
    expires_on: date
    days_left: int


@dataclass(frozen=True, slots=True)
class Engagement:
    """A visit that lies ahead, and the family that expects it."""

    order_id: int
    item_id: int
    family_name: str
    starts_at: datetime
    ends_at: datetime
    status: VisitStatus


@dataclass(frozen=True, slots=True)
class Commitments:
    """Everything others count on a caregiver for, and what she has earned and not been paid."""

    masked_phone: str
    visits: tuple[Engagement, ...]
    requests: tuple[Engagement, ...]
    open_applications: int
    frozen_fen: int


def counts(session: Session, actor: Actor, typed: str = "") -> dict[CaregiverStatus, int]:
    """How many of the matching caregivers stand in each status."""
    actor.require(Permission.DECIDE_CAREGIVER)
    by_status = session.execute(
        _found(actor, typed)
        .with_only_columns(Caregiver.status, func.count(Caregiver.id))
        .group_by(Caregiver.status)
    )
    return dict(by_status.all())


def listing(
    session: Session,
    actor: Actor,
    typed: str = "",
    status: CaregiverStatus | None = None,
    *,
    limit: int = 25,
    offset: int = 0,
) -> list[CaregiverLine]:
    """Caregivers by a part of the name, the whole phone or its last four digits, newest first."""
    actor.require(Permission.DECIDE_CAREGIVER)
    page = _found(actor, typed).with_only_columns(Caregiver.id).order_by(Caregiver.id.desc())
    if status is not None:
        page = page.where(Caregiver.status == status)
    return _lines(session, session.scalars(page.limit(limit).offset(offset)).all())


def expiring(session: Session, actor: Actor) -> list[Expiring]:
    """Certificates of working caregivers that end within a month or have ended, oldest first.

    One that is renewed already is left out.
    """
    actor.require(Permission.DECIDE_CAREGIVER)
    mine = _visible_to(actor).where(Caregiver.status == CaregiverStatus.APPROVED)
    rows = session.execute(
        mine.join(Certificate, Certificate.caregiver_id == Caregiver.id)
        .with_only_columns(
            Certificate.id, Caregiver.id, Account.name, Certificate.kind, Certificate.expires_on
        )
        .where(
            Certificate.approved_at.is_not(None),
            Certificate.expires_on <= clock.today() + certificates.EXPIRES_SOON,
            ~certificates.renewed(),
        )
        .order_by(Certificate.expires_on, Certificate.id)
        .limit(MOST_EXPIRING)
    )
    return [
        Expiring(number, caregiver_id, name, kind, ends_on, (ends_on - clock.today()).days)
        for number, caregiver_id, name, kind, ends_on in rows
        if ends_on is not None
    ]


def commitments(session: Session, actor: Actor, caregiver_id: int) -> Commitments:
    """What hangs on a caregiver: to be read before she is suspended."""
    actor.require(Permission.DECIDE_CAREGIVER)
    account = _reach(session, actor, caregiver_id)
    rows = session.execute(
        select(
            Order.id, Order.item_id, Account.name, Visit.starts_at, Visit.ends_at, Visit.status,
            Order.status,
        )
        .join(Visit, Visit.order_id == Order.id)
        .join(Account, Account.id == Order.customer_id)
        .where(
            Visit.caregiver_id == caregiver_id,
            Visit.ends_at > clock.now(),
            Visit.status.in_(AHEAD),
        )
        .order_by(Visit.starts_at)
    ).all()  # fmt: skip
    open_applications = select(func.count(Application.id)).where(
        Application.caregiver_id == caregiver_id,
        Application.status.in_(HOPING),
    )
    return Commitments(
        masked_phone=phones.masked(account.phone),
        visits=tuple(Engagement(*row[:-1]) for row in rows if row[-1] not in WAITING),
        requests=tuple(Engagement(*row[:-1]) for row in rows if row[-1] in WAITING),
        open_applications=session.scalar(open_applications) or 0,
        frozen_fen=-ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, caregiver_id),
    )


def phone(session: Session, actor: Actor, caregiver_id: int) -> str:
    """The whole phone number; every look leaves an audit row."""
    actor.require(Permission.DECIDE_CAREGIVER)
    account = _reach(session, actor, caregiver_id)
    audit.record(session, actor, "open_phone", "account", account.id)
    return account.phone


def _lines(session: Session, ids: Sequence[int]) -> list[CaregiverLine]:
    """Everything about the few caregivers of one page, in the order of their ids."""
    # As filters, not conditions: SQLite would read every redeemed visit there is.
    is_ahead = and_(Visit.ends_at > clock.now(), Visit.status.in_(AHEAD))
    visits = dict(
        session.execute(
            select(Visit.caregiver_id, func.count(Visit.id).filter(is_ahead))
            .where(Visit.caregiver_id.in_(ids))
            .group_by(Visit.caregiver_id)
        ).all()
    )
    frozen = ledger.balances(session, LedgerAccount.CAREGIVER_FROZEN, ids)
    expiring = session.execute(
        select(Certificate.caregiver_id, func.min(Certificate.expires_on))
        .where(
            Certificate.caregiver_id.in_(ids),
            Certificate.expires_on <= clock.today() + certificates.EXPIRES_SOON,
        )
        .group_by(Certificate.caregiver_id)
    )
    first_end = dict(expiring.all())
    rows = session.execute(
        select(Caregiver, Account)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_(ids))
    )
    found = {caregiver.id: (caregiver, account) for caregiver, account in rows}
    return [
        CaregiverLine(
            id=caregiver.id,
            name=account.name,
            masked_phone=phones.masked(account.phone),
            district_code=caregiver.district_code,
            status=caregiver.status,
            score=track_records.score(caregiver),
            visits_done=caregiver.visits_done,
            visits_ahead=visits.get(caregiver.id, 0),
            frozen_fen=-frozen.get(caregiver.id, 0),
            expires_on=first_end.get(caregiver.id),
        )
        for caregiver, account in map(found.__getitem__, ids)
    ]


def _reach(session: Session, actor: Actor, caregiver_id: int) -> Account:
    mine = _visible_to(actor).where(Caregiver.id == caregiver_id).with_only_columns(Account)
    account = session.scalar(mine)
    if account is None:
        raise NotFound("error.caregiver_not_found")
    return account


def _found(actor: Actor, typed: str) -> Select[Caregiver]:
    found = _visible_to(actor)
    return found.where(accounts.matching(typed)) if typed.strip() else found


def _visible_to(actor: Actor) -> Select[Caregiver]:
    """The caregivers of the operator's cities."""
    return (
        select(Caregiver)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.city_code.in_(actor.cities), Account.status != AccountStatus.ERASED)
    )
