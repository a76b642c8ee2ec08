"""Erasure: asked by a person, done by a job after a week; what others need stays without them.

Orders, visits, ledger, status history and audit stay: they hold ids, amounts and times. What
tells who it was goes: names, phone, addresses, notes, papers, ways to sign in.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account, AccountRole, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus
from data.cities import City
from data.consents import ErasureRequest
from data.demands import HOPING, Application, Demand, DemandStatus
from data.history import Noun
from data.ledger import LedgerAccount
from data.notices import NoticeKind
from data.orders import Order, Visit
from data.policies import Policy
from data.verifications import CaseStatus, VerificationCase
from services import (
    agreements,
    audit,
    clock,
    complaint_evidence,
    consents,
    drafts,
    forgetting,
    held_pay,
    invoices,
    ledger,
    lifecycles,
    notices,
    report_photos,
    saved_views,
)
from services.access import SYSTEM, Actor, Permission, Role
from services.errors import Conflict, NotFound

WAIT = timedelta(days=7)
AT_ONCE = 20
STAFF = (Role.DESK, Role.OPERATOR, Role.ANALYST)


@dataclass(frozen=True, slots=True)
class Open:
    """What keeps a person from being erased: how many of each, and pay not yet paid in fen."""

    works_here: int
    orders: int
    demands: int
    applications: int
    complaints: int
    cases: int
    invoices: int
    pay_fen: int

    @property
    def anything(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Standing:
    """When the actor will be erased (None: nothing is asked), and what is still open.

    The days say how long pictures of papers are kept after they were decided on.
    """

    due_at: datetime | None
    open: Open
    rejected_days: int
    approved_days: int


def standing(session: Session, actor: Actor) -> Standing:
    """How the actor's own wish to be erased stands."""
    actor.require(Permission.KEEP_ACCOUNT)
    asked = _asked(session, actor.id or 0)
    return Standing(
        asked.due_at if asked else None,
        _open(session, actor.id or 0),
        *_days_kept(session, actor.id or 0),
    )


def ask(session: Session, actor: Actor) -> None:
    """Wish to be erased: done in a week, unless withdrawn; refused while anything is open."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id, with_for_update=True)
    if _asked(session, account.id) is not None:
        raise Conflict("error.erasure_asked_already")
    _refuse_while_open(_open(session, account.id))
    due_at = clock.now() + WAIT
    asked = ErasureRequest(created_at=clock.now(), account_id=account.id, due_at=due_at)
    session.add(asked)
    session.flush()
    notices.tell(
        session, NoticeKind.ERASURE_ASKED, account.id, f"erasure-{asked.id}",
        due_at=due_at.isoformat(),
    )  # fmt: skip
    audit.record(session, actor, "ask_erasure", "account", account.id)


def withdraw(session: Session, actor: Actor) -> None:
    """Take the wish back while it is not done."""
    actor.require(Permission.KEEP_ACCOUNT)
    asked = _asked(session, actor.id or 0)
    if asked is None:
        raise NotFound("error.erasure_not_asked")
    asked.withdrawn_at = clock.now()
    audit.record(session, actor, "withdraw_erasure", "account", actor.id or 0)


def forget_sensitive(session: Session, actor: Actor) -> None:
    """Withdraw the consent to sensitive data; what rests on it goes.

    Papers, numbers, health notes, and photos of visits but for those in dispute.
    """
    actor.require(Permission.KEEP_ACCOUNT)
    consents.withdraw(session, actor, Policy.SENSITIVE_DATA)
    forgetting.papers(session, actor.id or 0)
    caregiver = session.get(Caregiver, actor.id)
    if caregiver is not None and caregiver.status is CaregiverStatus.APPROVED:
        lifecycles.take(session, SYSTEM, Noun.CAREGIVER, caregiver, "leave")
    for recipient in forgetting.recipients_of(session, [actor.id or 0]):
        recipient.conditions = recipient.ward = ""
    report_photos.shred_of(session, SYSTEM, [actor.id or 0], disputed=False)
    complaint_evidence.shred_of(session, SYSTEM, [actor.id or 0], disputed=False)


def erase_due(session: Session, actor: Actor) -> int:
    """Erase whose week is over; who has something open again is erased when it is done."""
    actor.require(Permission.RUN_JOBS)
    due = session.scalars(
        select(ErasureRequest)
        .join(Account, Account.id == ErasureRequest.account_id)
        .where(
            ErasureRequest.due_at <= clock.now(),
            ErasureRequest.withdrawn_at.is_(None),
            ErasureRequest.done_at.is_(None),
            Account.status.in_((AccountStatus.ACTIVE, AccountStatus.SUSPENDED)),
        )
        .order_by(ErasureRequest.due_at)
        .with_for_update(skip_locked=True, of=ErasureRequest)
    ).all()
    done = 0
    for asked in due:
        if done == AT_ONCE:
            break
        if not _open(session, asked.account_id).anything:
            _erase(session, actor, asked.account_id)
            asked.done_at = clock.now()
            done += 1
    return done


def _days_kept(session: Session, account_id: int) -> tuple[int, int]:
    """Of rejected and of approved papers, where this person lives; else the longest anywhere."""
    home = select(Account.city_code).where(Account.id == account_id).scalar_subquery()
    days = select(City.rejected_document_days, City.document_days)
    row = session.execute(
        days.order_by((City.code == home).desc(), City.document_days.desc()).limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else (0, 0)


def _asked(session: Session, account_id: int) -> ErasureRequest | None:
    return session.scalar(
        select(ErasureRequest).where(
            ErasureRequest.account_id == account_id,
            ErasureRequest.withdrawn_at.is_(None),
            ErasureRequest.done_at.is_(None),
        )
    )


def _open(session: Session, account_id: int) -> Open:
    def count(number: InstrumentedAttribute[int], *where: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count(number)).where(*where)) or 0

    unpaid = (
        LedgerAccount.CAREGIVER_FROZEN,
        LedgerAccount.CAREGIVER_PAYABLE,
        LedgerAccount.PAYOUT_SENT,
    )
    return Open(
        works_here=count(
            AccountRole.id, AccountRole.account_id == account_id, AccountRole.role.in_(STAFF)
        ),
        orders=count(Order.id, agreements.binds(account_id)),
        demands=count(
            Demand.id, Demand.customer_id == account_id, Demand.status == DemandStatus.OPEN
        ),
        applications=count(
            Application.id,
            Application.caregiver_id == account_id,
            Application.status.in_(HOPING),
        ),
        complaints=count(
            Visit.id,
            Visit.order_id == Order.id,
            or_(Order.customer_id == account_id, Visit.caregiver_id == account_id),
            held_pay.rests(),
        ),
        cases=count(
            VerificationCase.id,
            VerificationCase.account_id == account_id,
            VerificationCase.status == CaseStatus.SUBMITTED,
        ),
        invoices=invoices.waiting(session, [account_id]),
        pay_fen=sum(abs(ledger.balance(session, kind, account_id)) for kind in unpaid),
    )


def _refuse_while_open(found: Open) -> None:
    if found.works_here:
        raise Conflict("error.erasure_works_here")
    if found.orders:
        raise Conflict("error.erasure_orders", count=found.orders)
    if found.demands:
        raise Conflict("error.erasure_demands", count=found.demands)
    if found.applications:
        raise Conflict("error.erasure_applications", count=found.applications)
    if found.complaints:
        raise Conflict("error.erasure_complaints", count=found.complaints)
    if found.cases:
        raise Conflict("error.erasure_cases")
    if found.invoices:
        raise Conflict("error.erasure_invoices", count=found.invoices)
    if found.pay_fen:
        raise Conflict("error.erasure_pay", pay_fen=found.pay_fen)


def _erase(session: Session, actor: Actor, account_id: int) -> None:
    account = session.get_one(Account, account_id, with_for_update=True)
    merged = select(Account).where(Account.merged_into_id == account_id).with_for_update()
    everybody = [account, *session.scalars(merged)]
    ids = [one.id for one in everybody]
    forgetting.calls(session, ids)
    forgetting.ways_in(session, everybody)
    forgetting.papers(session, account_id)
    forgetting.family(session, ids)
    drafts.forget_of(session, ids)
    saved_views.forget_of(session, ids)
    forgetting.follow_ups(session, ids)
    forgetting.troubles(session, ids)
    forgetting.receipts(session, ids)
    forgetting.invoices(session, ids)
    if (caregiver := session.get(Caregiver, account_id)) is not None:
        forgetting.caregiver(session, actor, caregiver)
    for one in everybody:
        forgetting.person(one)
    lifecycles.take(session, actor, Noun.ACCOUNT, account, "erase")
    audit.record(session, actor, "erase", "account", account_id)
