"""Rulings: what comes of a complaint, and of an appeal against it.

Several things may come together: a refund, an apology, penalty points, an exclusion. An appeal is
made once, by either side, within the days the rules give; somebody else decides it where the city
has another operator. Until then the pay rests again.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from data.complaints import Complaint
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit
from services import (
    agreements,
    audit,
    clock,
    complaint_rules,
    complaints,
    exclusions,
    held_pay,
    lifecycles,
    notices,
    points,
    refunds,
    second_eyes,
    visits,
)
from services.access import Actor, Permission
from services.errors import Conflict
from services.exclusions import Excluding
from services.refunds import Refundable
from services.wording import words


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an operator decides: words that both sides read, and what else comes of it.

    A refund in fen, and how much of it the caregiver pays.
    """

    words: str
    refund_fen: int = 0
    caregiver_fen: int = 0
    apology: bool = False
    points: int = 0
    excluding: Excluding | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a ruling is weighed against: her points that count, and how many may be given.

    Visits that are agreed stay agreed, whoever is kept apart. What can be given back is in fen.
    """

    points: int
    limit_points: int
    most_points: int
    agreed_visits: int
    refundable: Refundable


def outlook(session: Session, actor: Actor, complaint_id: int) -> Outlook:
    """What an operator should know before deciding."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id)
    rules = complaint_rules.of(session, complaint.city_code)
    return Outlook(
        points.total(session, visit.caregiver_id, rules),
        rules.limit_points,
        rules.most_points,
        exclusions.agreed_visits(session, order.customer_id, visit.caregiver_id),
        refunds.left(session, actor, visit.id),
    )


def decide(session: Session, actor: Actor, complaint_id: int, ruling: Ruling) -> None:
    """Close a complaint with all that comes of it."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.target(Noun.COMPLAINT, "close", complaint.status, actor)
    _refund(session, actor, complaint, ruling)
    complaints.close(session, actor, complaint_id, ruling.words)
    _carry_out(session, actor, complaint, ruling)


def appeal(session: Session, actor: Actor, complaint_id: int, said: str) -> None:
    """Do not accept an outcome: it is looked at once more, and the pay rests again."""
    actor.require(Permission.COMPLAIN)
    said = words(said, "appeal_words", 500)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    if complaint.appealed_by is not None:
        raise Conflict("error.appealed_already")
    if complaint.decided_by_id is None or complaint.closed_at is None:
        raise Conflict("error.nothing_to_appeal")
    rules = complaint_rules.of(session, complaint.city_code)
    if clock.now() > complaint.closed_at + rules.appeal_within:
        raise Conflict("error.appeal_too_late", days=rules.appeal_days)
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "appeal")
    complaint.appealed_by, complaint.appeal_words = complaints.side_of(actor), said
    complaint.closed_at = complaint.owner_id = None
    complaints.set_deadline(session, complaint, appeal=True)
    session.flush()
    held_pay.hold_back(session, visit)
    audit.record(session, actor, "appeal", "visit", visit.id, complaint_id=complaint.id)
    named, about = agreements.facts(order, visit.id), f"complaint-{complaint.id}"
    kind = NoticeKind.COMPLAINT_APPEALED
    notices.tell_all(
        session, kind, sorted({order.customer_id, visit.caregiver_id} - {actor.id}), about, **named
    )
    notices.tell_operators(session, kind, complaint.city_code, about, **named)


def uphold(session: Session, actor: Actor, complaint_id: int, said: str) -> None:
    """Leave an outcome as it is."""
    actor.require(Permission.DECIDE_COMPLAINT)
    _decide_appeal(session, actor, complaint_id, "uphold", Ruling(said))


def amend(session: Session, actor: Actor, complaint_id: int, ruling: Ruling, *, lift: bool) -> None:
    """Decide anew: what was given before is lifted if wanted, what is decided now comes to it."""
    actor.require(Permission.DECIDE_COMPLAINT)
    complaint = _decide_appeal(session, actor, complaint_id, "amend", ruling)
    if lift:
        points.lift_of(session, actor, complaint.id, complaint.appeal_outcome_words)
        exclusions.lift_of(session, actor, complaint.id, complaint.appeal_outcome_words)
    _carry_out(session, actor, complaint, ruling)


def _decide_appeal(
    session: Session, actor: Actor, complaint_id: int, move: str, ruling: Ruling
) -> Complaint:
    said = words(ruling.words, "outcome_words", 500)
    complaint, visit, order = complaints.reach(session, actor, complaint_id, lock=True)
    visits.check_not_concerned(actor, visit, order)
    sides = [visit.caregiver_id, order.customer_id]
    second_eyes.check(session, actor, complaint.decided_by_id, complaint.city_code, sides)
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, move)
    _refund(session, actor, complaint, ruling)
    complaint.appeal_upheld = move == "uphold"
    complaint.appeal_outcome_words, complaint.appeal_decided_by_id = said, actor.id
    complaints.end(session, actor, complaint, visit, order, "decide_appeal")
    return complaint


def _refund(session: Session, actor: Actor, complaint: Complaint, ruling: Ruling) -> None:
    """Give back what is decided, while the pay rests yet: once for the complaint, once more after.

    What is refused, for it is more than was paid, refuses the whole ruling.
    """
    if ruling.refund_fen or ruling.caregiver_fen:
        again = "" if complaint.appealed_by is None else "-appeal"
        refunds.grant(
            session, actor, complaint.visit_id, ruling.refund_fen, ruling.caregiver_fen,
            ruling.words[: refunds.MOST_WORDS], complaint_id=complaint.id,
            request_key=f"complaint-{complaint.id}{again}",
        )  # fmt: skip


def _carry_out(session: Session, actor: Actor, complaint: Complaint, ruling: Ruling) -> None:
    """What comes of a complaint besides words."""
    visit = session.get_one(Visit, complaint.visit_id)
    order = session.get_one(Order, visit.order_id)
    complaint.apology = complaint.apology or ruling.apology
    if ruling.points:
        points.give(
            session, actor, visit.caregiver_id, ruling.points, ruling.words,
            complaint_id=complaint.id,
        )  # fmt: skip
    if ruling.excluding is not None:
        exclusions.decide(
            session, actor, ruling.excluding, order.customer_id, visit.caregiver_id,
            complaint.city_code, complaint_id=complaint.id,
        )  # fmt: skip
