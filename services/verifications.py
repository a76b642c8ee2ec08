"""Verification: who somebody is and what they may do, handed in as a case and reviewed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver, CaregiverStatus, WeeklyHours
from data.catalogue import CertificateKind
from data.cities import City, CityStatus
from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.policies import Policy
from data.verifications import CaseKind, CaseStatus, DocumentKind, VerificationCase
from services import (
    cases,
    clock,
    consents,
    documents,
    lifecycles,
    notices,
    resident_ids,
    standings,
    wording,
)
from services.access import SYSTEM, Actor, Permission
from services.cases import Needed, RejectReason, needed
from services.documents import DocumentView
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.recipients import Sex
from services.reviewing import (
    LEASE,
    CaseReview,
    Decided,
    Line,
    Queue,
    decide,
    expire,
    hold,
    id_number,
    let_go,
    queue,
    review,
    take,
    waiting,
    waiting_of,
)

# What operators do is in services.reviewing, and called by the same name.
__all__ = [
    "LEASE",
    "CaseKind",
    "CaseReview",
    "CaseStatus",
    "Decided",
    "DocumentKind",
    "Line",
    "Needed",
    "Queue",
    "RejectReason",
    "decide",
    "expire",
    "hold",
    "id_number",
    "let_go",
    "needed",
    "queue",
    "review",
    "take",
    "waiting",
    "waiting_of",
]

NEWCOMER = (CaregiverStatus.DRAFT, CaregiverStatus.REJECTED)


@dataclass(frozen=True, slots=True)
class IdentityForm:
    """Who somebody says they are; an empty field leaves what is stored."""

    legal_name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its owner sees it; name and number masked, empty while they are missing."""

    id: int
    kind: CaseKind
    status: CaseStatus
    city_code: str
    masked_name: str
    masked_number: str
    area_known: bool
    submitted_at: datetime | None
    decided_at: datetime | None
    reasons: tuple[RejectReason, ...]
    words: str
    documents: tuple[DocumentView, ...]
    needed: tuple[Needed, ...]
    missing: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a person's cases; `words` are the operator's of a case's last step."""

    at: datetime
    status: CaseStatus
    reasons: tuple[RejectReason, ...]
    words: str


def mine(session: Session, actor: Actor, kind: CaseKind) -> CaseView | None:
    """The actor's newest case of this kind, or None before the first."""
    actor.require(Permission.HAND_IN_CASE)
    case = _newest(session, actor.id or 0, kind)
    if case is None:
        return None
    wanted = cases.needed(kind, {one.kind for one in cases.claims_of(session, case)})
    pages = documents.of_case(session, case.id)
    return CaseView(
        id=case.id,
        kind=case.kind,
        status=case.status,
        city_code=case.city_code,
        masked_name=cases.masked_name(case.legal_name),
        masked_number=resident_ids.masked(case.id_number),
        area_known=case.area_known,
        submitted_at=case.submitted_at,
        decided_at=case.decided_at,
        reasons=tuple(RejectReason(one) for one in case.reasons),
        words=case.decision_words,
        documents=pages,
        needed=wanted,
        missing=cases.missing(wanted, pages),
    )


def history(session: Session, actor: Actor, kind: CaseKind) -> list[Step]:
    """Every step of the actor's cases of this kind, oldest first."""
    actor.require(Permission.HAND_IN_CASE)
    rows = session.execute(
        select(StatusChange.created_at, StatusChange.new_status, VerificationCase)
        .join(VerificationCase, VerificationCase.id == StatusChange.subject_id)
        .where(StatusChange.noun == Noun.VERIFICATION, cases.is_of(actor.id or 0, kind))
        .order_by(StatusChange.id)
    )
    return [
        Step(
            at,
            CaseStatus(status),
            tuple(RejectReason(one) for one in case.reasons if status == CaseStatus.REJECTED),
            case.decision_words if status == case.status else "",
        )
        for at, status, case in rows
    ]


def save(session: Session, actor: Actor, kind: CaseKind, form: IdentityForm) -> int:
    """Keep the actor's draft; after a decision a new one, with the documents handed in before.

    Returns the case's id.
    """
    actor.require(Permission.HAND_IN_CASE)
    legal_name = wording.words(form.legal_name, "legal_name", 40, required=False)
    read = resident_ids.read(form.id_number) if form.id_number.strip() else None
    _check_kind(actor, kind)
    case = _draft(session, actor, kind)
    if legal_name:
        case.legal_name = legal_name
    if read:
        case.id_number, case.area_known = read.number, read.area_known
        case.id_number_hash = resident_ids.whole_hash(read.number)
    session.flush()
    return case.id


def submit(session: Session, actor: Actor, case_id: int) -> None:
    """Hand a draft in for review, if nothing is missing; a newcomer's profile goes with it."""
    actor.require(Permission.HAND_IN_CASE)
    case = _own(session, actor, case_id)
    _check_kind(actor, case.kind)
    lifecycles.target(Noun.VERIFICATION, "submit", case.status, actor)
    if not consents.given(session, case.account_id, Policy.SENSITIVE_DATA):
        raise Conflict("error.sensitive_consent_first")
    for field in ("legal_name", "id_number"):
        if not getattr(case, field):
            raise Invalid("error.missing", field=field)
    caregiver = cases.caregiver_of(session, case)
    if caregiver is not None:
        _check_profile(session, case, caregiver)
    wanted = cases.needed(case.kind, {one.kind for one in cases.claims_of(session, case)})
    for kind, _ in cases.missing(wanted, documents.of_case(session, case.id)):
        raise Invalid("error.document_missing", field=kind)
    if cases.is_anothers(session, case, CaseStatus.SUBMITTED, CaseStatus.APPROVED):
        raise Conflict("error.id_number_in_use")
    lifecycles.take(session, actor, Noun.VERIFICATION, case, "submit")
    case.submitted_at, case.city_code = clock.now(), _city(session, case.account_id, case.kind)
    if caregiver is not None and caregiver.status in NEWCOMER:
        standings.step(session, actor, caregiver, "submit")
    else:
        notices.tell_operators(
            session, NoticeKind.VERIFICATION_SUBMITTED, case.city_code, f"case-{case.id}",
            case_id=case.id,
        )  # fmt: skip


def submit_own(session: Session, actor: Actor) -> None:
    """Hand in the actor's caregiver case as it is."""
    actor.require(Permission.HAND_IN_CASE)
    case_id = save(session, actor, CaseKind.CAREGIVER, IdentityForm("", ""))
    submit(session, actor, case_id)


def renew(session: Session, actor: Actor, kinds: Collection[CertificateKind]) -> None:
    """Have a draft ready in which somebody approved already proves new certificates.

    What showed the old ones of these kinds is left out, so that it is missed.
    """
    actor.require(Permission.HAND_IN_CASE)
    case = _draft(session, actor, CaseKind.CAREGIVER)
    documents.drop_of(session, case.id, kinds)


def check_agrees(session: Session, account_id: int, birth_date: date, sex: Sex) -> None:
    """Refuse a profile that differs from the id number handed in for it or approved with it."""
    for case in session.scalars(
        select(VerificationCase).where(
            cases.is_of(account_id, CaseKind.CAREGIVER),
            VerificationCase.status.in_((CaseStatus.SUBMITTED, CaseStatus.APPROVED)),
            VerificationCase.id_number_sealed.is_not(None),
        )
    ):
        cases.refuse_differing(case, birth_date, sex)


def is_verified(session: Session, account_id: int, kind: CaseKind) -> bool:
    """Whether an operator has approved a case of this person and kind that still holds."""
    return _has(session, account_id, kind, CaseStatus.APPROVED)


def is_waiting(session: Session, account_id: int, kind: CaseKind) -> bool:
    """Whether a case of this person and kind waits for an operator."""
    return _has(session, account_id, kind, CaseStatus.SUBMITTED)


def before_booking(session: Session, actor: Actor) -> CaseStatus | None:
    """How far the actor's verification is where their city asks for it; None: they may book."""
    actor.require(Permission.ORDER_CARE)
    if is_verified(session, actor.id or 0, CaseKind.CUSTOMER):
        return None
    account = session.get_one(Account, actor.id)
    asks = select(City.id).where(City.verify_customers, City.status == CityStatus.OPEN)
    if account.city_code:
        asks = asks.where(City.code == account.city_code)
    if session.scalar(asks.limit(1)) is None:
        return None
    newest = _newest(session, account.id, CaseKind.CUSTOMER)
    return newest.status if newest else CaseStatus.DRAFT


def erase_of(session: Session, account_id: int) -> None:
    """Forget a person's name, number and pictures; that there was a case, and its end, stay."""
    documents.shred_of(session, SYSTEM, account_id)
    for case in session.scalars(
        select(VerificationCase).where(VerificationCase.account_id == account_id).with_for_update()
    ):
        case.legal_name = case.id_number = case.decision_words = ""
        case.id_number_hash, case.erased_at = None, clock.now()
        case.reviewer_id = case.reviewing_until = None


def _check_kind(actor: Actor, kind: CaseKind) -> None:
    """A customer hands in as a customer, a caregiver as a caregiver."""
    if kind != actor.role:
        raise NotAllowed("error.not_allowed")


def _check_profile(session: Session, case: VerificationCase, caregiver: Caregiver) -> None:
    """What a caregiver's profile must hold before it is reviewed."""
    hours = exists().where(WeeklyHours.caregiver_id == caregiver.id)
    if not cases.claims_of(session, case):
        raise Invalid("error.no_certificate")
    if not session.scalar(select(hours)):
        raise Invalid("error.no_weekly_hours")
    cases.refuse_differing(case, caregiver.birth_date, caregiver.sex)


def _draft(session: Session, actor: Actor, kind: CaseKind) -> VerificationCase:
    """The actor's draft, made from the newest case if there is none."""
    # Two tabs at once make one draft.
    session.get_one(Account, actor.id, with_for_update=True)
    newest = _newest(session, actor.id or 0, kind)
    if newest is not None and newest.status is CaseStatus.DRAFT:
        return newest
    if newest is not None and newest.status is CaseStatus.SUBMITTED:
        raise Conflict("error.case_under_review")
    approved = newest is not None and newest.status is CaseStatus.APPROVED
    if approved and kind is CaseKind.CUSTOMER:
        raise Conflict("error.already_verified")
    case = VerificationCase(
        created_at=clock.now(),
        account_id=actor.id,
        kind=kind,
        status=CaseStatus.DRAFT,
        city_code=_city(session, actor.id or 0, kind),
    )
    session.add(case)
    if newest is not None:
        case.legal_name, case.id_number = newest.legal_name, newest.id_number
        case.id_number_hash, case.area_known = newest.id_number_hash, newest.area_known
    session.flush()
    if newest is not None:
        new = {
            one.kind for one in cases.claims_of(session, case) if approved and not one.approved_at
        }
        documents.carry_over(session, newest.id, case, but=new)
    return case


def _city(session: Session, account_id: int, kind: CaseKind) -> str:
    """The city whose operators review: a caregiver's of her profile, else of the account."""
    chosen = select(Account.city_code).where(Account.id == account_id)
    works = select(Caregiver.city_code).where(Caregiver.id == account_id)
    code = (kind is CaseKind.CAREGIVER and session.scalar(works)) or session.scalar(chosen)
    if code is None or session.scalar(select(City.id).where(City.code == code)) is None:
        raise Conflict("error.choose_city_first")
    return code


def _newest(session: Session, account_id: int, kind: CaseKind) -> VerificationCase | None:
    return session.scalar(
        select(VerificationCase)
        .where(cases.is_of(account_id, kind))
        .order_by(VerificationCase.id.desc())
        .limit(1)
    )


def _own(session: Session, actor: Actor, case_id: int) -> VerificationCase:
    case = session.scalar(
        select(VerificationCase)
        .where(VerificationCase.id == case_id, VerificationCase.account_id == actor.id)
        .with_for_update()
    )
    if case is None:
        raise NotFound("error.case_not_found")
    return case


def _has(session: Session, account_id: int, kind: CaseKind, status: CaseStatus) -> bool:
    asked = {"account": account_id, "kind": kind, "status": status}
    return bool(session.scalar(_HAS, asked))


# Asked at every run of a page on which families book.
_HAS = select(
    exists().where(
        VerificationCase.account_id == bindparam("account"),
        VerificationCase.kind == bindparam("kind"),
        VerificationCase.status == bindparam("status"),
    )
)
