"""Reviewing verifications: the queue, one case at a time, and what an operator decides."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus, Certificate
from data.history import Noun
from data.notices import NoticeKind
from data.verifications import CaseKind, CaseStatus, VerificationCase
from services import (
    audit,
    cases,
    certificates,
    clock,
    documents,
    leases,
    levels,
    lifecycles,
    notices,
    recipients,
    resident_ids,
    standings,
    wording,
)
from services.access import Actor, Permission
from services.cases import Needed, RejectReason
from services.certificates import Claim
from services.documents import DocumentView
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.leases import LEASE
from services.recipients import Sex

_TOLD = {
    "approve": NoticeKind.VERIFICATION_APPROVED,
    "reject": NoticeKind.VERIFICATION_REJECTED,
    "expire": NoticeKind.VERIFICATION_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A case in the queue."""

    id: int
    kind: CaseKind
    masked_name: str
    city_code: str
    submitted_at: datetime
    taken_by_other: bool
    resubmitted: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """How many cases wait, since when the oldest does, and one page of them, oldest first."""

    count: int
    oldest_at: datetime | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """An earlier case of the same person and what became of it."""

    id: int
    status: CaseStatus
    submitted_at: datetime | None
    decided_at: datetime | None
    reasons: tuple[RejectReason, ...]
    words: str


@dataclass(frozen=True, slots=True)
class CaseReview:
    """A case as the operator who has taken it sees it; `account_name` was chosen by the person."""

    id: int
    kind: CaseKind
    account_id: int
    account_name: str
    city_code: str
    submitted_at: datetime
    reviewing_until: datetime
    legal_name: str
    masked_number: str
    birth_date: date
    sex: Sex
    age: int
    area_known: bool
    same_number: int
    level: CaregiverLevel | None
    certificates: tuple[Claim, ...]
    documents: tuple[DocumentView, ...]
    needed: tuple[Needed, ...]
    earlier: tuple[Decided, ...]


def waiting_of(session: Session, actor: Actor, account_id: int, kind: CaseKind) -> int | None:
    """The case of a person of the actor's cities that waits for review."""
    actor.require(Permission.DECIDE_CASE)
    return session.scalar(
        select(VerificationCase.id).where(*waiting(actor), cases.is_of(account_id, kind))
    )


def waiting(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """What waits for this operator: nobody sees their own."""
    return (
        VerificationCase.status == CaseStatus.SUBMITTED,
        VerificationCase.city_code.in_(actor.cities),
        VerificationCase.account_id != actor.id,
        VerificationCase.erased_at.is_(None),
    )


def queue(
    session: Session, actor: Actor, limit: int, offset: int = 0, kind: CaseKind | None = None
) -> Queue:
    """The cases of the actor's cities that wait for review, oldest first."""
    actor.require(Permission.DECIDE_CASE)
    wanted = (*waiting(actor), *([VerificationCase.kind == kind] if kind else ()))
    count = session.scalar(select(func.count(VerificationCase.id)).where(*wanted)) or 0
    # Asked alone it is the first entry of the index; beside the count all are read for it.
    oldest_at = session.scalar(select(func.min(VerificationCase.submitted_at)).where(*wanted))
    numbers = session.scalars(
        select(VerificationCase.id)
        .where(*wanted)
        .order_by(VerificationCase.submitted_at, VerificationCase.id)
        .limit(limit)
        .offset(offset)
    ).all()
    before = aliased(VerificationCase)
    resubmitted = exists().where(
        before.account_id == VerificationCase.account_id,
        before.kind == VerificationCase.kind,
        before.id < VerificationCase.id,
        before.status == CaseStatus.REJECTED,
    )
    rows = session.execute(
        select(VerificationCase, resubmitted).where(VerificationCase.id.in_(numbers))
    )
    lines = {
        case.id: Line(
            id=case.id,
            kind=case.kind,
            masked_name=cases.masked_name(case.legal_name),
            city_code=case.city_code,
            submitted_at=case.submitted_at or case.created_at,
            taken_by_other=leases.is_anothers(case, actor),
            resubmitted=again,
        )
        for case, again in rows
    }
    return Queue(count, oldest_at, tuple(lines[number] for number in numbers))


def take(session: Session, actor: Actor, case_id: int | None = None) -> int:
    """Take a case, or the oldest free one, for ten minutes; nobody else can take it meanwhile.

    What the actor does with it prolongs them. After that it stays the actor's until somebody else
    takes it.
    """
    actor.require(Permission.DECIDE_CASE)
    case = _oldest_free(session, actor) if case_id is None else _reach(session, actor, case_id)
    if case.status is not CaseStatus.SUBMITTED:
        raise Conflict("error.verification_moved_on")
    if leases.is_anothers(case, actor):
        raise Conflict("error.case_taken")
    if case.reviewer_id != actor.id:
        audit.record(session, actor, "take_case", "verification", case.id)
    case.reviewer_id, case.reviewing_until = actor.id, clock.now() + LEASE
    session.flush()
    return case.id


def hold(session: Session, actor: Actor, case_id: int) -> None:
    """Keep a case the actor has taken for ten minutes from now on."""
    actor.require(Permission.DECIDE_CASE)
    _taken(session, actor, case_id)
    leases.prolong(session, actor, VerificationCase.id == case_id)


def let_go(session: Session, actor: Actor, case_id: int) -> None:
    """Leave a case the actor has taken to somebody else."""
    actor.require(Permission.DECIDE_CASE)
    case = _taken(session, actor, case_id)
    case.reviewer_id = case.reviewing_until = None


def review(session: Session, actor: Actor, case_id: int) -> CaseReview:
    """A case the actor has taken, with everything the decision needs."""
    actor.require(Permission.DECIDE_CASE)
    case = _taken(session, actor, case_id, lock=False)
    read = resident_ids.read(case.id_number)
    claims = cases.claims_of(session, case)
    earlier = session.scalars(
        select(VerificationCase)
        .where(
            cases.is_of(case.account_id, case.kind),
            VerificationCase.id != case.id,
            VerificationCase.status != CaseStatus.DRAFT,
        )
        .order_by(VerificationCase.id.desc())
    )
    return CaseReview(
        id=case.id,
        kind=case.kind,
        account_id=case.account_id,
        account_name=session.get_one(Account, case.account_id).name,
        city_code=case.city_code,
        submitted_at=case.submitted_at or case.created_at,
        reviewing_until=case.reviewing_until or clock.now(),
        legal_name=case.legal_name,
        masked_number=resident_ids.masked(read.number),
        birth_date=read.birth_date,
        sex=read.sex,
        age=recipients.age(read.birth_date),
        area_known=read.area_known,
        same_number=cases.others_with(session, case),
        level=cases.level_of(session, case),
        certificates=tuple(certificates.claim(one) for one in claims),
        documents=documents.of_case(session, case.id),
        needed=cases.needed(case.kind, {one.kind for one in claims}),
        earlier=tuple(
            Decided(
                one.id,
                one.status,
                one.submitted_at,
                one.decided_at,
                tuple(RejectReason(reason) for reason in one.reasons),
                one.decision_words,
            )
            for one in earlier
        ),
    )


def id_number(session: Session, actor: Actor, case_id: int) -> str:
    """The whole number of a case the actor has taken; every look leaves an audit row."""
    actor.require(Permission.DECIDE_CASE)
    case = _taken(session, actor, case_id)
    leases.prolong(session, actor, VerificationCase.id == case_id)
    audit.record(
        session, actor, "open_id_number", "verification", case.id,
        purpose="review", owner_id=case.account_id,
    )  # fmt: skip
    return case.id_number


def decide(
    session: Session,
    actor: Actor,
    case_id: int,
    move: str,
    reasons: tuple[RejectReason, ...] = (),
    words: str = "",
    level: CaregiverLevel | None = None,
) -> None:
    """Approve or reject a case the actor has taken; profile and level move with a caregiver's.

    A no takes a reason from the list; OTHER takes words.
    """
    actor.require(Permission.DECIDE_CASE)
    if move not in ("approve", "reject"):
        raise Conflict("error.verification_moved_on")
    words = wording.words(words, "reason", 300, required=RejectReason.OTHER in reasons)
    if move == "reject" and not reasons:
        raise Invalid("error.missing", field="reasons")
    case = _taken(session, actor, case_id)
    caregiver = cases.caregiver_of(session, case)
    if move == "approve":
        _approve(session, actor, case, caregiver)
        if caregiver and level:
            levels.take_down(session, actor, caregiver, level)
    else:
        lifecycles.take(session, actor, Noun.VERIFICATION, case, move)
        case.reasons = [str(one) for one in dict.fromkeys(reasons)]
    case.decided_at, case.decided_by_id, case.decision_words = clock.now(), actor.id, words
    case.reviewer_id = case.reviewing_until = None
    audit.record(session, actor, f"{move}_case", "verification", case.id)
    if caregiver is not None and caregiver.status is CaregiverStatus.SUBMITTED:
        standings.step(session, actor, caregiver, move, words)
    else:
        _tell(session, case, move)


def decide_and_take(
    session: Session,
    actor: Actor,
    case_id: int,
    move: str,
    reasons: tuple[RejectReason, ...] = (),
    words: str = "",
    level: CaregiverLevel | None = None,
) -> int | None:
    """Decide, and take the oldest free case at once; None when no other waits."""
    actor.require(Permission.DECIDE_CASE)
    decide(session, actor, case_id, move, reasons, words, level)
    session.flush()
    with suppress(NotFound):
        return take(session, actor)


def expire(session: Session, actor: Actor, case_id: int, because: str) -> None:
    """End an approval and say why; a caregiver is suspended with it, and can hand in anew."""
    actor.require(Permission.DECIDE_CASE)
    because = wording.words(because, "reason", 300)
    case = _reach(session, actor, case_id)
    lifecycles.take(session, actor, Noun.VERIFICATION, case, "expire")
    case.decision_words = because
    audit.record(session, actor, "expire_case", "verification", case.id)
    caregiver = cases.caregiver_of(session, case)
    if caregiver is not None and caregiver.status is CaregiverStatus.APPROVED:
        standings.step(session, actor, caregiver, "suspend", because)
    _tell(session, case, "expire")


def _approve(
    session: Session, actor: Actor, case: VerificationCase, caregiver: Caregiver | None
) -> None:
    """The new case takes the place of the one that held before; claimed certificates count now."""
    if cases.is_anothers(session, case, CaseStatus.APPROVED):
        raise Conflict("error.id_number_in_use")
    held = cases.is_of(case.account_id, case.kind) & (
        VerificationCase.status == CaseStatus.APPROVED
    )
    for before in session.scalars(select(VerificationCase).where(held).with_for_update()).all():
        lifecycles.take(session, actor, Noun.VERIFICATION, before, "expire")
    session.flush()
    try:
        with session.begin_nested():
            lifecycles.take(session, actor, Noun.VERIFICATION, case, "approve")
    except IntegrityError:  # Two operators approve the same number at this moment.
        raise Conflict("error.id_number_in_use") from None
    if caregiver is not None:
        session.execute(
            update(Certificate)
            .where(Certificate.caregiver_id == caregiver.id, Certificate.approved_at.is_(None))
            .values(approved_at=clock.now())
        )


def _tell(session: Session, case: VerificationCase, move: str) -> None:
    notices.tell(session, _TOLD[move], case.account_id, f"case-{case.id}-{move}", case_id=case.id)


def _oldest_free(session: Session, actor: Actor) -> VerificationCase:
    free = (
        VerificationCase.reviewing_until.is_(None)
        | (VerificationCase.reviewing_until <= clock.now())
        | (VerificationCase.reviewer_id == actor.id)
    )
    case = session.scalar(
        select(VerificationCase)
        .where(*waiting(actor), free)
        .order_by(VerificationCase.submitted_at, VerificationCase.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if case is None:
        raise NotFound("error.no_case_waits")
    return case


def _taken(session: Session, actor: Actor, case_id: int, *, lock: bool = True) -> VerificationCase:
    """A waiting case the actor has taken and nobody else since."""
    case = _reach(session, actor, case_id, lock=lock)
    if case.status is not CaseStatus.SUBMITTED:
        raise Conflict("error.verification_moved_on")
    if case.reviewer_id != actor.id:
        taken = leases.is_anothers(case, actor)
        raise Conflict("error.case_taken" if taken else "error.case_not_taken")
    return case


def _reach(session: Session, actor: Actor, case_id: int, *, lock: bool = True) -> VerificationCase:
    """A case of the actor's cities; nobody reaches their own."""
    query = _visible_to(actor).where(VerificationCase.id == case_id)
    case = session.scalar(query.with_for_update() if lock else query)
    if case is None:
        raise NotFound("error.case_not_found")
    if case.account_id == actor.id:
        raise NotAllowed("error.own_case")
    return case


def _visible_to(actor: Actor) -> Select[VerificationCase]:
    """What was handed in belongs to the city's operators; a draft to its owner alone."""
    return select(VerificationCase).where(
        VerificationCase.city_code.in_(actor.cities),
        VerificationCase.status != CaseStatus.DRAFT,
        VerificationCase.erased_at.is_(None),
    )
