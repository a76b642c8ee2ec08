"""Findings of compliance: found by a job, taken by an operator, upheld with points or dismissed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.chat import Message
from data.cities import City
from data.compliance import UNDECIDED, ComplianceFinding, FindingKind, FindingStatus
from data.demands import Demand
from data.history import Noun
from data.notices import NoticeKind
from services import audit, clock, lifecycles, notices, points, rules
from services.access import Actor, Permission
from services.compliance.detectors import DETECTORS, Found
from services.errors import Invalid, NotAllowed, NotFound
from services.wording import words

__all__ = ["FindingKind", "FindingStatus", "FindingView"]

A_PAGE = 20


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with its evidence in numbers, who sees to it, and what was decided.

    `suggested` are the points the rule book suggests for its kind; none where nobody is at fault.
    """

    id: int
    kind: FindingKind
    status: FindingStatus
    city_code: str
    caregiver_id: int | None
    caregiver_name: str
    order_id: int | None
    demand_id: int | None
    facts: dict[str, Any]
    found_at: datetime
    seen_at: datetime
    owner_id: int | None
    owner_name: str
    decision_words: str
    decided_at: datetime | None
    suggested: int
    moves: tuple[str, ...]


def detect(session: Session, actor: Actor) -> int:
    """Let every detector look at every city; return how many findings are new.

    What was found before is the same finding: while nobody has decided, its facts are renewed.
    """
    actor.require(Permission.RUN_JOBS)
    new = 0
    for city_code in session.scalars(select(City.code).order_by(City.code)).all():
        values = rules.now(session, city_code)
        for kind, detector in DETECTORS.items():
            new += _keep(
                session, actor, city_code, kind, list(detector(session, city_code, values))
            )
    return new


def counts(session: Session, actor: Actor, *, decided: bool = False) -> dict[FindingKind, int]:
    """How many findings of each kind the actor's cities have, undecided or decided."""
    actor.require(Permission.DECIDE_COMPLAINT)
    found = _matching(actor, None, decided=decided).subquery()
    counted = select(found.c.kind, func.count()).group_by(found.c.kind)
    return dict(session.execute(counted).all())


def listing(
    session: Session,
    actor: Actor,
    *,
    kind: FindingKind | None = None,
    decided: bool = False,
    offset: int = 0,
) -> list[FindingView]:
    """A page of findings: undecided ones longest first, or decided ones newest first."""
    actor.require(Permission.DECIDE_COMPLAINT)
    found = _matching(actor, kind, decided=decided)
    newest = ComplianceFinding.decided_at.desc(), ComplianceFinding.id.desc()
    oldest = ComplianceFinding.created_at, ComplianceFinding.id
    found = found.order_by(*(newest if decided else oldest))
    return _views(session, actor, found.offset(offset).limit(A_PAGE))


def written(session: Session, actor: Actor, finding_id: int) -> str:
    """The words in which somebody told a way to be reached; each look is audited."""
    actor.require(Permission.DECIDE_COMPLAINT)
    finding = _reach(session, actor, finding_id)
    place, _, number = finding.key.partition(":")
    said = {"demand": (Demand, Demand.words), "message": (Message, Message.words)}.get(place)
    if said is None:
        raise NotFound("error.finding_not_found")
    row, column = said
    audit.record(session, actor, "read_evidence", "compliance_finding", finding.id)
    return session.scalar(select(column).where(row.id == int(number))) or ""


def take(session: Session, actor: Actor, finding_id: int) -> None:
    """See to a finding."""
    actor.require(Permission.DECIDE_COMPLAINT)
    finding = _reach(session, actor, finding_id)
    _check_not_own(actor, finding)
    lifecycles.take(session, actor, Noun.FINDING, finding, "take")
    finding.owner_id = actor.id


def uphold(session: Session, actor: Actor, finding_id: int, said: str, given: int = 0) -> None:
    """Decide that it was a breach, and give the caregiver points for it, if any."""
    actor.require(Permission.DECIDE_COMPLAINT)
    said = words(said, "reason", 500)
    finding = _decide(session, actor, finding_id, "uphold", said)
    if given == 0:
        return
    if finding.caregiver_id is None:
        raise Invalid("error.finding_of_nobody")
    points.give(session, actor, finding.caregiver_id, given, said, finding_id=finding.id)


def dismiss(session: Session, actor: Actor, finding_id: int, said: str) -> None:
    """Decide that it was none."""
    actor.require(Permission.DECIDE_COMPLAINT)
    _decide(session, actor, finding_id, "dismiss", words(said, "reason", 500))


def _decide(
    session: Session, actor: Actor, finding_id: int, move: str, said: str
) -> ComplianceFinding:
    finding = _reach(session, actor, finding_id)
    _check_not_own(actor, finding)
    lifecycles.take(session, actor, Noun.FINDING, finding, move)
    finding.decision_words, finding.decided_at = said, clock.now()
    finding.owner_id = actor.id
    session.flush()
    audit.record(session, actor, f"{move}_finding", "compliance_finding", finding.id)
    return finding


def _keep(
    session: Session, actor: Actor, city_code: str, kind: FindingKind, found: Sequence[Found]
) -> int:
    known = {
        row.key: row
        for row in session.scalars(
            select(ComplianceFinding).where(
                ComplianceFinding.city_code == city_code,
                ComplianceFinding.kind == kind,
                ComplianceFinding.key.in_([one.key for one in found]),
            )
        )
    }
    new = [one for one in found if one.key not in known]
    for one in found:
        row = known.get(one.key)
        if row is not None and row.status in UNDECIDED and row.facts != one.facts:
            row.facts, row.seen_at = one.facts, clock.now()
    for one in new:
        row = ComplianceFinding(
            created_at=clock.now(),
            seen_at=clock.now(),
            city_code=city_code,
            kind=kind,
            key=one.key,
            caregiver_id=one.caregiver_id,
            order_id=one.order_id,
            demand_id=one.demand_id,
            facts=one.facts,
        )
        session.add(row)
        session.flush()
        lifecycles.begin(session, actor, Noun.FINDING, row, "find")
    if new:
        about = f"findings-{city_code}-{kind}-{clock.today():%Y%m%d}"
        told = NoticeKind.BREACHES_FOUND
        notices.tell_operators(session, told, city_code, about, count=len(new))
    return len(new)


def _check_not_own(actor: Actor, finding: ComplianceFinding) -> None:
    if actor.id == finding.caregiver_id:
        raise NotAllowed("error.own_dispute")


def _matching(
    actor: Actor, kind: FindingKind | None, *, decided: bool
) -> Select[ComplianceFinding]:
    """Those of a kind, or of all, that are decided or not."""
    found = _visible_to(actor).where(~_undecided() if decided else _undecided())
    return found if kind is None else found.where(ComplianceFinding.kind == kind)


def _undecided() -> ColumnElement[bool]:
    return ComplianceFinding.status.in_(UNDECIDED)


def _views(session: Session, actor: Actor, query: Select[ComplianceFinding]) -> list[FindingView]:
    hers, owner = aliased(Account), aliased(Account)
    rows = session.execute(
        query.add_columns(hers.name, owner.name)
        .outerjoin(hers, hers.id == ComplianceFinding.caregiver_id)
        .outerjoin(owner, owner.id == ComplianceFinding.owner_id)
    ).all()
    suggested = {
        city_code: rules.now(session, city_code) for city_code in {row[0].city_code for row in rows}
    }
    return [
        FindingView(
            id=row.id,
            kind=row.kind,
            status=row.status,
            city_code=row.city_code,
            caregiver_id=row.caregiver_id,
            caregiver_name=name or "",
            order_id=row.order_id,
            demand_id=row.demand_id,
            facts=row.facts,
            found_at=row.created_at,
            seen_at=row.seen_at,
            owner_id=row.owner_id,
            owner_name=by or "",
            decision_words=row.decision_words,
            decided_at=row.decided_at,
            suggested=suggested[row.city_code][f"{row.kind}_points"] if row.caregiver_id else 0,
            moves=lifecycles.open_moves(Noun.FINDING, row.status, actor),
        )
        for row, name, by in rows
    ]


def _reach(session: Session, actor: Actor, finding_id: int) -> ComplianceFinding:
    finding = session.scalar(
        _visible_to(actor).where(ComplianceFinding.id == finding_id).with_for_update()
    )
    if finding is None:
        raise NotFound("error.finding_not_found")
    return finding


def _visible_to(actor: Actor) -> Select[ComplianceFinding]:
    """A city's findings are its operators'."""
    return select(ComplianceFinding).where(ComplianceFinding.city_code.in_(actor.cities))
