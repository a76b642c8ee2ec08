"""Erasure: asked by a person, done by a job after a week; what others need stays without them.

Orders, visits, ledger, status history and audit stay: they hold ids, amounts and times. What
tells who it was goes: names, phone, addresses, notes, papers, ways to sign in.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account, AccountRole, AccountStatus
from data.calls import Call
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Photo, Rate, WeeklyHours
from data.cities import City
from data.complaints import Complaint, Incident
from data.consents import Consent, ErasureRequest, Policy
from data.demands import HOPING, Application, Demand, DemandStatus
from data.follow_ups import FollowUp
from data.history import Noun
from data.identities import Identity, ProviderFlow
from data.ledger import LedgerAccount
from data.notices import ConsoleText, Notice, NoticeKind, NoticePreference, OutboxMessage
from data.orders import WAITING, Order, OrderStatus, Visit
from data.recipients import Recipient
from data.reviews import Review
from data.sessions import OneTimeCode, SecondFactor, SignInSession
from data.verifications import CaseStatus, DocumentTicket, VerificationCase
from services import (
    attempts,
    audit,
    clock,
    complaints,
    consents,
    drafts,
    ledger,
    lifecycles,
    notices,
    phones,
    places,
    report_photos,
    to_do,
    verifications,
)
from services.access import SYSTEM, Actor, Permission, Role
from services.errors import Conflict, NotFound
from services.to_do import ToDoKind

WAIT = timedelta(days=7)
AT_ONCE = 20
STAFF = (Role.DESK, Role.OPERATOR, Role.ANALYST)
# In place of a name or an address: it reads as "nobody" in every language.
NOBODY = "—"
NOBODYS_PHONE = "0" * 11
_OF_VISITS = (
    *to_do.CONTESTED,
    ToDoKind.MISSING,
    ToDoKind.LATE,
    ToDoKind.OVERLONG,
    ToDoKind.LOCKED,
    ToDoKind.EARLY,
    ToDoKind.UNREDEEMED,
    ToDoKind.UNQUALIFIED,
)
_OF_ORDERS = (ToDoKind.REQUESTS, ToDoKind.APPROVALS)
_OF_DEMANDS = (ToDoKind.APPLICATIONS, ToDoKind.UNANSWERED)
_OF_CASES = (ToDoKind.CASES,)
_OF_PEOPLE = ("caregivers",)  # Noted before cases were reviewed.


@dataclass(frozen=True, slots=True)
class Open:
    """What keeps a person from being erased: how many of each, and pay not yet paid in fen."""

    works_here: int
    orders: int
    demands: int
    applications: int
    complaints: int
    cases: int
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
    """Withdraw the consent to sensitive data; papers, numbers and health notes go with it."""
    actor.require(Permission.KEEP_ACCOUNT)
    consents.withdraw(session, actor, Policy.SENSITIVE_DATA)
    _forget_papers(session, actor.id or 0)
    caregiver = session.get(Caregiver, actor.id)
    if caregiver is not None and caregiver.status is CaregiverStatus.APPROVED:
        lifecycles.take(session, SYSTEM, Noun.CAREGIVER, caregiver, "leave")
    for recipient in _recipients(session, [actor.id or 0]):
        recipient.conditions = recipient.ward = ""


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

    unpaid = (LedgerAccount.CAREGIVER_FROZEN, LedgerAccount.CAREGIVER_PAYABLE)
    return Open(
        works_here=count(
            AccountRole.id, AccountRole.account_id == account_id, AccountRole.role.in_(STAFF)
        ),
        orders=count(
            Order.id,
            or_(Order.customer_id == account_id, Order.caregiver_id == account_id),
            Order.status.in_((*WAITING, OrderStatus.CONFIRMED)),
        ),
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
            complaints.rests(),
        ),
        cases=count(
            VerificationCase.id,
            VerificationCase.account_id == account_id,
            VerificationCase.status == CaseStatus.SUBMITTED,
        ),
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
    if found.pay_fen:
        raise Conflict("error.erasure_pay", pay_fen=found.pay_fen)


def _erase(session: Session, actor: Actor, account_id: int) -> None:
    account = session.get_one(Account, account_id, with_for_update=True)
    merged = select(Account).where(Account.merged_into_id == account_id).with_for_update()
    everybody = [account, *session.scalars(merged)]
    ids = [one.id for one in everybody]
    _lock_out(session, everybody)
    _forget_papers(session, account_id)
    _forget_family(session, ids)
    drafts.forget_of(session, ids)
    _forget_follow_ups(session, ids)
    _forget_troubles(session, ids)
    if (caregiver := session.get(Caregiver, account_id)) is not None:
        _forget_caregiver(session, actor, caregiver)
    for one in everybody:
        _forget_person(one)
    lifecycles.take(session, actor, Noun.ACCOUNT, account, "erase")
    audit.record(session, actor, "erase", "account", account_id)


def _forget_papers(session: Session, account_id: int) -> None:
    """Papers and numbers; what was approved on their ground holds no more."""
    verifications.erase_of(session, account_id)
    approved = select(VerificationCase).where(
        VerificationCase.account_id == account_id, VerificationCase.status == CaseStatus.APPROVED
    )
    for case in session.scalars(approved):
        lifecycles.take(session, SYSTEM, Noun.VERIFICATION, case, "expire")


def _lock_out(session: Session, everybody: Sequence[Account]) -> None:
    """Nothing opens these accounts any more, and no message waits for them."""
    ids = [one.id for one in everybody]
    said = select(OutboxMessage.id).where(OutboxMessage.account_id.in_(ids))
    session.execute(update(Call).where(Call.message_id.in_(said)).values(message_id=None))
    for table in (
        SignInSession, SecondFactor, Identity, ProviderFlow, DocumentTicket, Notice, OutboxMessage,
        NoticePreference,
    ):  # fmt: skip
        session.execute(delete(table).where(table.account_id.in_(ids)))
    hashes = [one.phone_hash for one in everybody]
    for table in (OneTimeCode, ConsoleText):
        session.execute(delete(table).where(table.phone_hash.in_(hashes)))
    for phone_hash in hashes:
        attempts.forget(session, phone_hash, *attempts.Kind)
    session.execute(
        update(Consent)
        .where(Consent.account_id.in_(ids), Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )


def _forget_person(account: Account) -> None:
    """The number is free for a new account; in its place stands one that nobody has."""
    account.name, account.phone = NOBODY, NOBODYS_PHONE
    account.phone_hash, account.phone_tail_hash = (
        phones.whole_hash(secrets.token_hex()), phones.tail_hash(secrets.token_hex())
    )  # fmt: skip
    account.password_hash = account.city_code = account.district_code = None
    account.decision_words = ""


def _recipients(session: Session, ids: Sequence[int]) -> Sequence[Recipient]:
    return session.scalars(select(Recipient).where(Recipient.customer_id.in_(ids))).all()


def _forget_family(session: Session, ids: Sequence[int]) -> None:
    """Whom they cared for and where, and every word that was written about it; scores stay."""
    for recipient in _recipients(session, ids):
        recipient.name, recipient.language = NOBODY, ""
        recipient.birth_date = _year_of(recipient.birth_date)
        recipient.conditions = recipient.ward = recipient.emergency_contact = ""
    for demand in session.scalars(select(Demand).where(Demand.customer_id.in_(ids))):
        demand.address, demand.words, demand.place_id = NOBODY, "", None
        demand.cell = places.cell_of_district(demand.district_code)
    for order in session.scalars(select(Order).where(Order.customer_id.in_(ids))):
        order.decision_words = ""
    orders = select(Order.id).where(Order.customer_id.in_(ids))
    for visit in session.scalars(select(Visit).where(Visit.order_id.in_(orders))):
        visit.report_words = ""
    report_photos.shred_of(session, SYSTEM, ids)
    session.execute(update(Review).where(Review.customer_id.in_(ids)).values(words=""))
    answered = update(Review).where(Review.caregiver_id.in_(ids))
    session.execute(answered.values(reply_words="", report_words=""))


def _forget_follow_ups(session: Session, ids: Sequence[int]) -> None:
    """What operators noted while they saw to something of theirs."""
    orders = select(Order.id).where(Order.customer_id.in_(ids))
    demands = select(Demand.id).where(Demand.customer_id.in_(ids))
    cases = select(VerificationCase.id).where(VerificationCase.account_id.in_(ids))
    for kinds, subjects in (
        (_OF_VISITS, select(Visit.id).where(Visit.order_id.in_(orders))),
        (_OF_ORDERS, orders),
        (_OF_DEMANDS, demands),
        (_OF_CASES, cases),
        (_OF_PEOPLE, ids),
    ):
        session.execute(
            update(FollowUp)
            .where(FollowUp.kind.in_(kinds), FollowUp.subject_id.in_(subjects))
            .values(words="")
        )


def _forget_troubles(session: Session, ids: Sequence[int]) -> None:
    """What both sides wrote of their visits, for it is about them; that it was written stays."""
    visits = (
        select(Visit.id)
        .join(Order, Order.id == Visit.order_id)
        .where(or_(Order.customer_id.in_(ids), Visit.caregiver_id.in_(ids)))
    )
    for table in (Complaint, Incident):
        for one in session.scalars(select(table).where(table.visit_id.in_(visits))):
            one.words = NOBODY
            one.outcome_words = NOBODY if one.outcome_words else ""
    session.execute(
        update(Visit)
        .where(Visit.id.in_(visits), Visit.checked_in_cell.is_not(None))
        .values(checked_in_cell=None, version=Visit.version + 1)
    )


def _forget_caregiver(session: Session, actor: Actor, caregiver: Caregiver) -> None:
    """What she offered and said of herself; without prices and hours nobody finds her."""
    for table in (Photo, Certificate, Rate, WeeklyHours):
        session.execute(delete(table).where(table.caregiver_id == caregiver.id))
    session.execute(
        update(Application)
        .where(Application.caregiver_id == caregiver.id)
        .values(words="", version=Application.version + 1)
    )
    caregiver.about = caregiver.training = caregiver.decision_words = ""
    caregiver.skills, caregiver.birth_date = [], _year_of(caregiver.birth_date)
    caregiver.cell = places.cell_of_district(caregiver.district_code)
    if caregiver.status is not CaregiverStatus.SUSPENDED:
        lifecycles.take(session, actor, Noun.CAREGIVER, caregiver, "leave")


def _year_of(birth_date: date) -> date:
    return birth_date.replace(month=1, day=1)
