"""No-shows: what is known of a visit that is said to have been missed, and taking that back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.orders import EndReason, Order, Party
from services import agreements, audit, complaints, notices, pay, places, refunds, visits
from services.access import Actor, Permission
from services.errors import Conflict
from services.places import DistanceBand
from services.wording import words


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a visit was planned, how it went, and what was held against whom, in fen."""

    starts_at: datetime
    ends_at: datetime
    checked_in_at: datetime | None
    checked_in_near: DistanceBand | None
    checked_out_at: datetime | None
    missed_at: datetime | None
    missed_by: Party | None
    words: str
    owed_fen: int


def evidence(session: Session, actor: Actor, visit_id: int) -> Evidence:
    """What is known of how a visit went: to be read before anybody decides about it."""
    actor.require(Permission.DECIDE_COMPLAINT)
    visit = visits.reach(session, actor, visit_id)
    recorded = select(StatusChange.created_at).where(
        StatusChange.noun == Noun.VISIT,
        StatusChange.subject_id == visit.id,
        StatusChange.move == "miss",
    )
    return Evidence(
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        checked_in_at=visit.checked_in_at,
        checked_in_near=places.near(visit.checked_in_cell, visit.cell),
        checked_out_at=visit.checked_out_at,
        missed_at=session.scalar(recorded),
        missed_by=visit.ended_by if visit.end_reason is EndReason.NO_SHOW else None,
        words=visit.end_words,
        owed_fen=visit.fee_fen + visit.penalty_fen,
    )


def take_back(session: Session, actor: Actor, visit_id: int, said: str) -> None:
    """Hold a no-show against nobody any more: its fee is reversed, the visit stays missed.

    Who contested it has been heard: their complaint closes with the same words.
    """
    actor.require(Permission.DECIDE_COMPLAINT)
    said = words(said, "reason", 300)
    visit = visits.reach(session, actor, visit_id, lock=True)
    order = session.get_one(Order, visit.order_id)
    visits.check_not_concerned(actor, visit, order)
    if visit.end_reason is not EndReason.NO_SHOW:
        raise Conflict("error.no_show_not_recorded")
    if refunds.stand_of(session, visit.id):
        raise Conflict("error.no_show_refunded")
    audit.record(
        session,
        actor,
        "take_back_no_show",
        "visit",
        visit.id,
        party=visit.ended_by,
        fee=visit.fee_fen,
        penalty=visit.penalty_fen,
    )
    for complaint_id in complaints.contests(session, visit.id):
        complaints.close(session, actor, complaint_id, said)
    pay.book_fee_reversed(session, order, visit)
    visit.fee_fen = visit.penalty_fen = 0
    visit.ended_by, visit.end_reason, visit.end_words = Party.PLATFORM, EndReason.OTHER, said
    named, about = agreements.facts(order, visit.id), f"visit-{visit.id}"
    sides = sorted({order.customer_id, visit.caregiver_id})
    notices.tell_all(session, NoticeKind.NO_SHOW_TAKEN_BACK, sides, about, **named)
