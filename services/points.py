"""Penalty points: given with a reason, counted for some months, contested once by the caregiver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.complaints import Complaint
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit
from data.points import PenaltyPoints, PointsStatus
from services import audit, clock, complaint_rules, lifecycles, notices, second_eyes
from services.access import Actor, Permission, Role
from services.complaint_rules import ComplaintRules
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

__all__ = ["PointsStatus"]

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class PointsView:
    """Points given once: why, for which visit, what she said to it and what came of that."""

    id: int
    caregiver_id: int
    name: str
    points: int
    words: str
    given_at: datetime
    complaint_id: int | None
    visit_at: datetime | None
    status: PointsStatus
    counts: bool
    contest_words: str
    decision_words: str
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caregiver has within the months that count, and what she was ever given."""

    total: int
    limit: int
    months: int
    given: tuple[PointsView, ...]


def give(
    session: Session,
    actor: Actor,
    caregiver_id: int,
    points: int,
    reason: str,
    *,
    complaint_id: int | None = None,
    finding_id: int | None = None,
) -> int:
    """Give a caregiver of the actor's city points; she is told, and may contest them once."""
    actor.require(Permission.DECIDE_COMPLAINT)
    reason = words(reason, "reason", 500)
    caregiver = session.get(Caregiver, caregiver_id)
    if caregiver is None or caregiver.city_code not in actor.cities:
        raise NotFound("error.caregiver_not_found")
    if actor.id == caregiver_id:
        raise NotAllowed("error.own_dispute")
    most = complaint_rules.of(session, caregiver.city_code).most_points
    if not 1 <= points <= most:
        raise Invalid("error.points_out_of_range", most=most)
    if complaint_id is not None:
        _check_her_side(session, caregiver_id, complaint_id)
    row = PenaltyPoints(
        created_at=clock.now(),
        caregiver_id=caregiver_id,
        city_code=caregiver.city_code,
        points=points,
        words=reason,
        given_by_id=actor.id,
        complaint_id=complaint_id,
        finding_id=finding_id,
    )
    session.add(row)
    session.flush()
    lifecycles.begin(session, actor, Noun.POINTS, row, "give")
    audit.record(session, actor, "give_points", "account", caregiver_id, points_id=row.id)
    kind = NoticeKind.POINTS_GIVEN
    notices.tell(session, kind, caregiver_id, f"points-{row.id}", count=points)
    return row.id


def _check_her_side(session: Session, caregiver_id: int, complaint_id: int) -> None:
    """Only whose visit it was can be at fault."""
    hers = (
        select(Complaint.id)
        .join(Visit, Visit.id == Complaint.visit_id)
        .where(Complaint.id == complaint_id, Visit.caregiver_id == caregiver_id)
    )
    if session.scalar(hers) is None:
        raise Invalid("error.points_not_hers")


def total(session: Session, caregiver_id: int, rules: ComplaintRules) -> int:
    """The points of a caregiver that count at this moment."""
    counted = select(func.coalesce(func.sum(PenaltyPoints.points), 0)).where(
        PenaltyPoints.caregiver_id == caregiver_id, _counts(rules)
    )
    return int(session.scalar(counted) or 0)


def mine(session: Session, actor: Actor) -> Standing:
    """The actor's own points."""
    actor.require(Permission.CONTEST_POINTS)
    caregiver = session.get(Caregiver, actor.id)
    if caregiver is None:
        rules = complaint_rules.ComplaintRules()
        return Standing(0, rules.limit_points, rules.points_months, ())
    return _standing(session, actor, caregiver)


def of_caregiver(session: Session, actor: Actor, caregiver_id: int) -> Standing:
    """The points of a caregiver of the operator's city."""
    actor.require(Permission.DECIDE_COMPLAINT)
    caregiver = session.get(Caregiver, caregiver_id)
    if caregiver is None or caregiver.city_code not in actor.cities:
        raise NotFound("error.caregiver_not_found")
    return _standing(session, actor, caregiver)


def _standing(session: Session, actor: Actor, caregiver: Caregiver) -> Standing:
    rules = complaint_rules.of(session, caregiver.city_code)
    hers = _visible_to(actor).where(PenaltyPoints.caregiver_id == caregiver.id)
    return Standing(
        total(session, caregiver.id, rules),
        rules.limit_points,
        rules.points_months,
        tuple(_views(session, actor, hers.order_by(PenaltyPoints.id.desc()))),
    )


def contested(session: Session, actor: Actor) -> list[PointsView]:
    """The points of the operator's cities that were contested, longest first."""
    actor.require(Permission.DECIDE_COMPLAINT)
    waiting = _visible_to(actor).where(PenaltyPoints.status == PointsStatus.CONTESTED)
    return _views(session, actor, waiting.order_by(PenaltyPoints.contested_at))


def contest(session: Session, actor: Actor, points_id: int, said: str) -> None:
    """Say once why points are not deserved; they count until an operator has lifted them."""
    actor.require(Permission.CONTEST_POINTS)
    said = words(said, "contest_words", 500)
    row = _reach(session, actor, points_id)
    lifecycles.take(session, actor, Noun.POINTS, row, "contest")
    row.contest_words, row.contested_at = said, clock.now()
    audit.record(session, actor, "contest_points", "account", row.caregiver_id, points_id=row.id)
    kind = NoticeKind.POINTS_CONTESTED
    notices.tell_operators(session, kind, row.city_code, f"points-{row.id}", count=row.points)


def decide(session: Session, actor: Actor, points_id: int, move: str, said: str) -> None:
    """Uphold or lift contested points; whoever gave them does it only where nobody else can."""
    actor.require(Permission.DECIDE_COMPLAINT)
    said = words(said, "reason", 500)
    row = _reach(session, actor, points_id)
    if actor.id == row.caregiver_id:
        raise NotAllowed("error.own_dispute")
    if row.status is not PointsStatus.CONTESTED:
        raise Conflict("error.points_moved_on")
    second_eyes.check(session, actor, row.given_by_id, row.city_code, [row.caregiver_id])
    _settle(session, actor, row, move, said)


def lift_of(session: Session, actor: Actor, complaint_id: int, said: str) -> int:
    """Lift all points given for a complaint, for its outcome is changed; return how many."""
    given = session.scalars(
        select(PenaltyPoints)
        .where(
            PenaltyPoints.complaint_id == complaint_id,
            PenaltyPoints.status != PointsStatus.LIFTED,
        )
        .with_for_update()
    ).all()
    for row in given:
        _settle(session, actor, row, "lift", said)
    return sum(row.points for row in given)


def forget_of(session: Session, account_ids: Sequence[int]) -> None:
    """What was written of points goes with who had them, or complained; the numbers stay."""
    of_family = (
        select(Complaint.id)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(Order.customer_id.in_(account_ids))
    )
    session.execute(
        update(PenaltyPoints)
        .where(
            or_(
                PenaltyPoints.caregiver_id.in_(account_ids),
                PenaltyPoints.complaint_id.in_(of_family),
            )
        )
        .values(words="", contest_words="", decision_words="", version=PenaltyPoints.version + 1)
    )


def _settle(session: Session, actor: Actor, row: PenaltyPoints, move: str, said: str) -> None:
    lifecycles.take(session, actor, Noun.POINTS, row, move)
    row.decision_words, row.decided_at, row.decided_by_id = said, clock.now(), actor.id
    audit.record(session, actor, f"{move}_points", "account", row.caregiver_id, points_id=row.id)
    about = f"points-{row.id}-{row.status}"
    notices.tell(session, NoticeKind.POINTS_DECIDED, row.caregiver_id, about, count=row.points)


def _views(session: Session, actor: Actor, query: Select[PenaltyPoints]) -> list[PointsView]:
    rows = session.execute(
        query.add_columns(Account.name, Visit.starts_at)
        .join(Account, Account.id == PenaltyPoints.caregiver_id)
        .outerjoin(Complaint, Complaint.id == PenaltyPoints.complaint_id)
        .outerjoin(Visit, Visit.id == Complaint.visit_id)
        .limit(MOST_LISTED)
    )
    found = rows.all()
    rules = {
        code: complaint_rules.of(session, code) for code in {row.city_code for row, *_ in found}
    }
    return [
        _view(actor, row, rules[row.city_code], name, visit_at) for row, name, visit_at in found
    ]


def _view(
    actor: Actor, row: PenaltyPoints, rules: ComplaintRules, name: str, visit_at: datetime | None
) -> PointsView:
    counts = row.status is not PointsStatus.LIFTED and row.created_at >= _since(rules)
    moves: Sequence[str] = lifecycles.open_moves(Noun.POINTS, row.status, actor)
    if actor.role is Role.OPERATOR and row.status is not PointsStatus.CONTESTED:
        moves = ()
    return PointsView(
        id=row.id,
        caregiver_id=row.caregiver_id,
        name=name,
        points=row.points,
        words=row.words,
        given_at=row.created_at,
        complaint_id=row.complaint_id,
        visit_at=visit_at,
        status=row.status,
        counts=counts,
        contest_words=row.contest_words,
        decision_words=row.decision_words,
        moves=tuple(moves),
    )


def _counts(rules: ComplaintRules) -> ColumnElement[bool]:
    return (PenaltyPoints.created_at >= _since(rules)) & (
        PenaltyPoints.status != PointsStatus.LIFTED
    )


def _since(rules: ComplaintRules) -> datetime:
    """From when on points count."""
    return clock.now() - relativedelta(months=rules.points_months)


def _reach(session: Session, actor: Actor, points_id: int) -> PenaltyPoints:
    row = session.scalar(_visible_to(actor).where(PenaltyPoints.id == points_id).with_for_update())
    if row is None:
        raise NotFound("error.points_not_found")
    return row


def _visible_to(actor: Actor) -> Select[PenaltyPoints]:
    """A caregiver's own, and those of the operator's cities."""
    if actor.role is Role.CAREGIVER:
        return select(PenaltyPoints).where(PenaltyPoints.caregiver_id == actor.id)
    return select(PenaltyPoints).where(PenaltyPoints.city_code.in_(actor.cities))
