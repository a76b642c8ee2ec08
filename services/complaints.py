"""Complaints of a visit: lodged by one side, taken back, or closed with words by an operator."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.complaints import (
    UNDECIDED,
    Complaint,
    ComplaintCategory,
    ComplaintEvidence,
    ComplaintStatus,
)
from data.history import Noun
from data.notices import NoticeKind
from data.orders import EndReason, Order, Party, Visit, VisitStatus
from services import (
    agreements,
    audit,
    calls,
    clock,
    complaint_rules,
    held_pay,
    lifecycles,
    notices,
    visits,
    working_hours,
)
from services.access import Actor, Permission, Role
from services.calls import Outcome
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.scans import Page
from services.wording import words

__all__ = ["ComplaintCategory"]

# What lies further back is for a phone call, not for a button.
WITHIN = timedelta(days=30)
MOST_PAGES = 10
_BEGUN = (
    VisitStatus.IN_PROGRESS,
    VisitStatus.FINISHED,
    VisitStatus.REDEEMED,
    VisitStatus.MISSED,
)


def opens_for(status: VisitStatus, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether something can have gone wrong with a visit by now, and not too long ago."""
    now = clock.now()
    begun = status in _BEGUN or (status is VisitStatus.PLANNED and starts_at <= now)
    return begun and now <= ends_at + WITHIN


def side_of(actor: Actor) -> Party:
    """For whom somebody speaks in a complaint: the desk for the family that calls."""
    match actor.role:
        case Role.CAREGIVER:
            return Party.CAREGIVER
        case Role.OPERATOR:
            return Party.PLATFORM
        case _:
            return Party.CUSTOMER


def opened_by(complaint: Complaint, visit: Visit) -> Party:
    """The side that complains."""
    hers = complaint.opened_by_id == visit.caregiver_id
    return Party.CAREGIVER if hers else Party.CUSTOMER


def categories(
    actor: Actor, end_reason: EndReason | None, ended_by: Party | None
) -> list[ComplaintCategory]:
    """What this actor can complain of; a no-show is contested by whom it is held against."""
    contested = end_reason is EndReason.NO_SHOW and ended_by is side_of(actor)
    kinds = [kind for kind in ComplaintCategory if kind is not ComplaintCategory.NO_SHOW]
    return [ComplaintCategory.NO_SHOW, *kinds] if contested else kinds


def lodge(
    session: Session,
    actor: Actor,
    visit_id: int,
    category: ComplaintCategory,
    said: str,
    pages: Sequence[Page] = (),
) -> int:
    """Complain of a visit; its pay rests until an operator has closed it. Return its number.

    What the desk writes down is the complaint of the caller.
    """
    actor.require(Permission.COMPLAIN)
    said = words(said, "complaint_words", 500)
    visit = visits.reach(session, actor, visit_id, lock=True)
    if not opens_for(visit.status, visit.starts_at, visit.ends_at):
        raise Conflict("error.complaint_not_now", days=WITHIN.days)
    if category not in categories(actor, visit.end_reason, visit.ended_by):
        raise Conflict("error.no_show_not_yours")
    order = session.get_one(Order, visit.order_id)
    by_id = visit.caregiver_id if actor.role is Role.CAREGIVER else order.customer_id
    open_already = select(Complaint.id).where(
        Complaint.visit_id == visit.id,
        Complaint.opened_by_id == by_id,
        Complaint.status.in_(UNDECIDED),
    )
    if session.scalar(open_already.limit(1)) is not None:
        raise Conflict("error.complaint_open_already")
    complaint = Complaint(
        created_at=clock.now(),
        visit_id=visit.id,
        city_code=order.city_code,
        opened_by_id=by_id,
        category=category,
        words=said,
    )
    set_deadline(session, complaint)
    session.add(complaint)
    session.flush()
    keep_pages(session, complaint, side_of(actor), pages)
    lifecycles.begin(session, actor, Noun.COMPLAINT, complaint, "open")
    held_pay.hold_back(session, visit)
    audit.record(session, actor, "open_complaint", "visit", visit.id, complaint_id=complaint.id)
    named, about = agreements.facts(order, visit.id), f"complaint-{complaint.id}"
    other_id = ({order.customer_id, visit.caregiver_id} - {by_id}).pop()
    notices.tell(session, NoticeKind.COMPLAINT_OPENED, other_id, about, **named)
    notices.tell_operators(session, NoticeKind.COMPLAINT_OPENED, order.city_code, about, **named)
    calls.mark(
        session, actor, Outcome.COMPLAINED, order.customer_id, order.city_code,
        order_id=order.id, visit_id=visit.id,
    )  # fmt: skip
    return complaint.id


def take_back(session: Session, actor: Actor, complaint_id: int) -> None:
    """Let one's own complaint rest; the desk does it for the caller whose it is."""
    actor.require(Permission.COMPLAIN)
    complaint, visit, order = reach(session, actor, complaint_id, lock=True)
    if opened_by(complaint, visit) is not side_of(actor):
        raise NotAllowed("error.not_your_complaint")
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "take_back")
    end(session, actor, complaint, visit, order, "take_back_complaint")


def close(session: Session, actor: Actor, complaint_id: int, outcome_words: str) -> Complaint:
    """Say what came of a complaint; nobody decides on one of their own visits.

    What else comes of it (services/rulings.py) is done by whoever calls.
    """
    actor.require(Permission.DECIDE_COMPLAINT)
    outcome_words = words(outcome_words, "outcome_words", 500)
    complaint, visit, order = reach(session, actor, complaint_id, lock=True)
    visits.check_not_concerned(actor, visit, order)
    lifecycles.take(session, actor, Noun.COMPLAINT, complaint, "close")
    complaint.outcome_words, complaint.decided_by_id = outcome_words, actor.id
    end(session, actor, complaint, visit, order, "close_complaint")
    return complaint


def set_deadline(session: Session, complaint: Complaint, *, appeal: bool = False) -> None:
    """From now on it is due in as many working hours as its kind, or an appeal, may take."""
    rules = complaint_rules.of(session, complaint.city_code)
    hours = rules.appeal_hours if appeal else rules.hours[complaint.category]
    now = clock.now()
    desk = working_hours.of_city(session, complaint.city_code, now)
    complaint.due_at = working_hours.after(now, timedelta(hours=hours), desk)
    soon = timedelta(hours=hours - rules.due_soon_hours)
    complaint.due_soon_at = working_hours.after(now, soon, desk)
    complaint.escalated_at = None


def keep_pages(session: Session, complaint: Complaint, side: Party, pages: Sequence[Page]) -> None:
    """Seal pages that a side hands in; each side has so many and no more."""
    if not pages:
        return
    its = ComplaintEvidence.complaint_id == complaint.id
    last = session.scalar(select(func.coalesce(func.max(ComplaintEvidence.number), 0)).where(its))
    there = select(func.count(ComplaintEvidence.id)).where(
        its, ComplaintEvidence.handed_in_by == side
    )
    if (session.scalar(there) or 0) + len(pages) > MOST_PAGES:
        raise Invalid("error.evidence_full", most=MOST_PAGES)
    for number, page in enumerate(pages, (last or 0) + 1):
        session.add(
            ComplaintEvidence(
                created_at=clock.now(),
                complaint_id=complaint.id,
                handed_in_by=side,
                number=number,
                width=page.width,
                height=page.height,
                content=page.image,
            )
        )


def contests(session: Session, visit_id: int) -> Sequence[int]:
    """The open complaints that contest a visit's no-show."""
    return session.scalars(
        select(Complaint.id).where(
            Complaint.visit_id == visit_id,
            Complaint.category == ComplaintCategory.NO_SHOW,
            Complaint.status == ComplaintStatus.OPEN,
        )
    ).all()


def let_go_if_settled(session: Session, visit: Visit) -> None:
    """Once nothing is amiss with a visit any more, what was held back of it is due again."""
    session.flush()
    if not held_pay.resting(session, [visit.id]):
        held_pay.let_go(session, visit)


def end(
    session: Session, actor: Actor, complaint: Complaint, visit: Visit, order: Order, deed: str
) -> None:
    """It is decided, or taken back: what was held back is due again, and both sides are told."""
    complaint.closed_at = clock.now()
    let_go_if_settled(session, visit)
    audit.record(session, actor, deed, "visit", visit.id, complaint_id=complaint.id)
    again = "" if complaint.appealed_by is None else "-appeal"
    sides = sorted({order.customer_id, visit.caregiver_id} - {actor.id})
    notices.tell_all(
        session,
        NoticeKind.COMPLAINT_CLOSED,
        sides,
        f"complaint-{complaint.id}{again}",
        **agreements.facts(order, visit.id),
    )


def reach(
    session: Session, actor: Actor, complaint_id: int, *, lock: bool = False
) -> tuple[Complaint, Visit, Order]:
    """A complaint this actor has to do with, locked if asked, its visit and order."""
    query = visible_to(actor).where(Complaint.id == complaint_id)
    complaint = session.scalar(query.with_for_update(of=Complaint) if lock else query)
    if complaint is None:
        raise NotFound("error.complaint_not_found")
    visit = session.get_one(Visit, complaint.visit_id)
    return complaint, visit, session.get_one(Order, visit.order_id)


def visible_to(actor: Actor) -> Select[Complaint]:
    """Both sides' of their own visits, and the staff's of their cities'."""
    return (
        select(Complaint)
        .join(Visit, Visit.id == Complaint.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(visits.are_visible_to(actor))
    )
