"""What waits for the operator: counts and ages, most urgent first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account
from data.calendars import Leave
from data.caregivers import Caregiver, CaregiverStatus
from data.complaints import UNDECIDED, Complaint, Incident, IncidentStatus
from data.compliance import UNDECIDED as UNDECIDED_FINDING
from data.compliance import ComplianceFinding, FindingKind
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.follow_ups import FollowUp
from data.notices import NoticeKind
from data.orders import STANDING, Order, OrderStatus, Visit, VisitStatus
from data.points import PenaltyPoints, PointsStatus
from data.pushes import DemandPush, PushStatus
from data.verifications import VerificationCase
from services import certificates, clock, held_pay, notices, verifications, visits
from services.access import Actor, Permission
from services.errors import Invalid, NotFound
from services.wording import words

LATE_AFTER = timedelta(minutes=15)
OVERLONG_AFTER = timedelta(minutes=30)
EARLY_BY = timedelta(minutes=30)
UNREDEEMED_AFTER = timedelta(days=1)
FURTHEST_AHEAD = timedelta(days=14)
MOST_LISTED = 30


class ToDoKind(StrEnum):
    """What can wait for an operator, most urgent first."""

    INCIDENTS = "incidents"
    MISSING = "missing"
    LATE = "late"
    OVERLONG = "overlong"
    LOCKED = "locked"
    COMPLAINTS = "complaints"
    POINTS = "points"
    FINDINGS = "findings"
    EARLY = "early"
    APPLICATIONS = "applications"
    APPROVALS = "approvals"
    LEAVES = "leaves"
    UNQUALIFIED = "unqualified"
    REQUESTS = "requests"
    CASES = "cases"
    UNANSWERED = "unanswered"
    UNREDEEMED = "unredeemed"


# What somebody has to decide about a visit, whatever became of it since.
CONTESTED = ToDoKind.INCIDENTS, ToDoKind.COMPLAINTS
REQUEST_STATUS = {
    ToDoKind.REQUESTS: OrderStatus.REQUESTED,
    ToDoKind.APPROVALS: OrderStatus.ACCEPTED,
}


@dataclass(frozen=True, slots=True)
class ToDo:
    """How many things of a kind wait, and since when the oldest does (None: none waits)."""

    kind: ToDoKind
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Thing:
    """One waiting thing: whose number it is depends on its kind; the name is a caregiver's.

    Of a case it is what the person calls themselves. Complaints and requests have a deadline,
    findings of compliance their own kind.
    """

    kind: ToDoKind
    subject_id: int
    since: datetime
    order_id: int | None
    item_id: int | None
    starts_at: datetime | None
    name: str | None
    due_at: datetime | None = None
    finding: FindingKind | None = None


def today(session: Session, actor: Actor) -> list[ToDo]:
    """Everything that waits for this operator and that nobody sees to already."""
    actor.require(Permission.SEE_TO_DO)
    counted = union_all(
        *(
            select(literal(number), func.count(), func.min(waiting.c.since))
            for number, kind in enumerate(ToDoKind)
            for waiting in [_waiting(actor, kind).subquery()]
        )
    )
    kinds = list(ToDoKind)
    found = {kinds[number]: (count, since) for number, count, since in session.execute(counted)}
    return [ToDo(kind, *found[kind]) for kind in kinds]


def things(session: Session, actor: Actor, kind: ToDoKind) -> list[Thing]:
    """What waits of one kind, longest first, one by one."""
    actor.require(Permission.SEE_TO_DO)
    waiting = _waiting(actor, kind).subquery()
    match kind:
        case ToDoKind.CASES:
            query = (
                select(waiting.c.id, waiting.c.since, null(), null(), null(), Account.name)
                .join_from(waiting, VerificationCase, VerificationCase.id == waiting.c.id)
                .join(Account, Account.id == VerificationCase.account_id)
            )
        case ToDoKind.POINTS:
            query = (
                select(waiting.c.id, waiting.c.since, null(), null(), null(), Account.name)
                .join_from(waiting, PenaltyPoints, PenaltyPoints.id == waiting.c.id)
                .join(Account, Account.id == PenaltyPoints.caregiver_id)
            )
        case ToDoKind.FINDINGS:
            found = null(), null(), null(), Account.name, null(), ComplianceFinding.kind
            query = (
                select(waiting.c.id, waiting.c.since, *found)
                .join_from(waiting, ComplianceFinding, ComplianceFinding.id == waiting.c.id)
                .outerjoin(Account, Account.id == ComplianceFinding.caregiver_id)
            )
        case ToDoKind.APPLICATIONS | ToDoKind.UNANSWERED:
            query = select(
                waiting.c.id, waiting.c.since, null(), Demand.item_id, Demand.starts_at, null()
            ).join_from(waiting, Demand, Demand.id == waiting.c.id)
        case _:
            of_order = and_(waiting.c.id == Order.id, Visit.id == visits.FOREMOST)
            about = of_order if kind in REQUEST_STATUS else waiting.c.id == Visit.id
            named = Order.id, Order.item_id, Visit.starts_at, Account.name
            query = (
                select(waiting.c.id, waiting.c.since, *named)
                .join_from(Visit, Order, Order.id == Visit.order_id)
                .join(waiting, about)
                .join(Account, Account.id == Visit.caregiver_id)
            )
    if kind is ToDoKind.COMPLAINTS:
        due = select(Complaint.visit_id, func.min(Complaint.due_at).label("due_at"))
        due = due.where(Complaint.status.in_(UNDECIDED)).group_by(Complaint.visit_id).subquery()
        query = query.add_columns(due.c.due_at).join(due, due.c.visit_id == waiting.c.id)
        query = query.order_by(due.c.due_at)
    if kind in REQUEST_STATUS:
        query = query.add_columns(Order.answer_until).order_by(Order.answer_until)
    rows = session.execute(query.order_by(waiting.c.since).limit(MOST_LISTED))
    return [Thing(kind, *row) for row in rows]


def see_to(
    session: Session, actor: Actor, kind: ToDoKind, subject_id: int, said: str, until: datetime
) -> None:
    """Note that somebody sees to a waiting thing; it waits again from `until` on."""
    actor.require(Permission.SEE_TO_DO)
    said = words(said, "words", 200, required=False)
    if not clock.now() < until <= clock.now() + FURTHEST_AHEAD:
        raise Invalid("error.start_in_past")
    waiting = _waiting(actor, kind).subquery()
    if session.scalar(select(waiting.c.id).where(waiting.c.id == subject_id)) is None:
        raise NotFound("error.nothing_waits")
    session.add(
        FollowUp(
            created_at=clock.now(),
            kind=kind,
            subject_id=subject_id,
            actor_id=actor.id,
            words=said,
            until=until,
        )
    )


def remind_family(session: Session, actor: Actor, visit_id: int) -> None:
    """Ask the family once more to redeem a finished visit, at most once a day."""
    actor.require(Permission.SEE_TO_DO)
    see_to(session, actor, ToDoKind.UNREDEEMED, visit_id, "", clock.now() + timedelta(days=1))
    visit = session.get_one(Visit, visit_id)
    order = session.get_one(Order, visit.order_id)
    notices.tell(
        session,
        NoticeKind.REDEEM_REMINDER,
        order.customer_id,
        f"visit-{visit_id}-{clock.today():%Y%m%d}",
        order_id=order.id,
        visit_id=visit_id,
        item_id=order.item_id,
    )


def _waiting(actor: Actor, kind: ToDoKind) -> Select[int, Any]:
    """Number (id) and age (since) of what waits of a kind."""
    match kind:
        case ToDoKind.APPLICATIONS:
            waiting = (
                select(Demand.id.label("id"), func.min(Application.created_at).label("since"))
                .join(Application, Application.demand_id == Demand.id)
                .where(Application.status == ApplicationStatus.SUBMITTED, *_open_demands(actor))
                .group_by(Demand.id)
            )
        case ToDoKind.UNANSWERED:
            waiting = select(Demand.id.label("id"), Demand.created_at.label("since")).where(
                *_open_demands(actor), nobody_to_choose(), ~is_pushed()
            )
        case ToDoKind.CASES:
            waiting = select(
                VerificationCase.id.label("id"), VerificationCase.submitted_at.label("since")
            ).where(*verifications.waiting(actor))
        case ToDoKind.LEAVES:
            waiting = (
                select(
                    Visit.id.label("id"),
                    func.coalesce(func.min(Leave.created_at), Visit.created_at).label("since"),
                )
                .join(Order, Order.id == Visit.order_id)
                .outerjoin(Leave, in_leave())
                .where(Order.city_code.in_(actor.cities), visit_waits(kind))
                .group_by(Visit.id)
            )
        case ToDoKind.REQUESTS | ToDoKind.APPROVALS:
            waiting = select(Order.id.label("id"), Order.created_at.label("since")).where(
                Order.city_code.in_(actor.cities), Order.status == REQUEST_STATUS[kind]
            )
        case ToDoKind.POINTS:
            waiting = select(
                PenaltyPoints.id.label("id"), PenaltyPoints.contested_at.label("since")
            ).where(
                PenaltyPoints.city_code.in_(actor.cities),
                PenaltyPoints.status == PointsStatus.CONTESTED,
            )
        case ToDoKind.FINDINGS:
            waiting = select(
                ComplianceFinding.id.label("id"), ComplianceFinding.created_at.label("since")
            ).where(
                ComplianceFinding.city_code.in_(actor.cities),
                ComplianceFinding.status.in_(UNDECIDED_FINDING),
            )
        case ToDoKind.INCIDENTS:
            waiting = (
                select(Visit.id.label("id"), func.min(Incident.created_at).label("since"))
                .join(Incident, Incident.visit_id == Visit.id)
                .join(Order, Order.id == Visit.order_id)
                .where(
                    Order.city_code.in_(actor.cities), Incident.status == IncidentStatus.REPORTED
                )
                .group_by(Visit.id)
            )
        case ToDoKind.COMPLAINTS:
            waiting = (
                select(
                    Complaint.visit_id.label("id"), func.min(Complaint.created_at).label("since")
                )
                .where(Complaint.city_code.in_(actor.cities), Complaint.status.in_(UNDECIDED))
                .group_by(Complaint.visit_id)
            )
        case _:
            waiting = (
                select(Visit.id.label("id"), _since(kind).label("since"))
                .join(Order, Order.id == Visit.order_id)
                .where(Order.city_code.in_(actor.cities), visit_waits(kind))
            )
    subject = waiting.selected_columns.id
    seen_to = exists().where(
        FollowUp.kind == kind, FollowUp.subject_id == subject, FollowUp.until > clock.now()
    )
    return waiting.where(~seen_to)


def _open_demands(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        Demand.city_code.in_(actor.cities),
        Demand.status == DemandStatus.OPEN,
        Demand.starts_at > clock.now(),
    )


def nobody_to_choose() -> ColumnElement[bool]:
    """The condition under which no caregiver offers themselves for a demand."""
    return (
        ~select(Application.id)
        .where(
            Application.demand_id == Demand.id, Application.status == ApplicationStatus.SUBMITTED
        )
        .exists()
    )


def is_pushed() -> ColumnElement[bool]:
    """The condition under which caregivers are told of a demand in waves: somebody sees to it."""
    return (
        select(DemandPush.id)
        .where(DemandPush.demand_id == Demand.id, DemandPush.status == PushStatus.UNDER_WAY)
        .exists()
    )


def in_leave() -> ColumnElement[bool]:
    """The condition under which a visit stands in a leave of its caregiver."""
    return and_(
        Leave.caregiver_id == Visit.caregiver_id,
        Leave.withdrawn_at.is_(None),
        Leave.ends_at > Visit.starts_at,
        Leave.starts_at < Visit.ends_at,
    )


def _since(kind: ToDoKind) -> InstrumentedAttribute[datetime] | InstrumentedAttribute[Any]:
    match kind:
        case ToDoKind.MISSING | ToDoKind.OVERLONG:
            return Visit.ends_at
        case ToDoKind.EARLY:
            return Visit.checked_out_at
        case _:
            return Visit.starts_at


def visit_waits(kind: ToDoKind) -> ColumnElement[bool]:
    """The condition under which a visit needs somebody, by what is wrong with it."""
    now = clock.now()
    match kind:
        case ToDoKind.INCIDENTS:
            return Visit.id.in_(held_pay.troubled_visits())
        case ToDoKind.COMPLAINTS:
            return Visit.id.in_(held_pay.open_visits())
        case ToDoKind.MISSING:
            return and_(Visit.status == VisitStatus.PLANNED, Visit.ends_at <= now)
        case ToDoKind.LATE:
            begun = Visit.starts_at < now - LATE_AFTER
            return and_(Visit.status == VisitStatus.PLANNED, begun, Visit.ends_at > now)
        case ToDoKind.OVERLONG:
            over = Visit.ends_at < now - OVERLONG_AFTER
            return and_(Visit.status == VisitStatus.IN_PROGRESS, over)
        case ToDoKind.EARLY:
            seconds = func.extract("epoch", Visit.ends_at) - func.extract(
                "epoch", Visit.checked_out_at
            )
            early = seconds > EARLY_BY.total_seconds()
            return and_(Visit.status == VisitStatus.FINISHED, early)
        case ToDoKind.LEAVES:
            on_leave = select(Leave.id).where(in_leave()).correlate(Visit).exists()
            return and_(
                Visit.status.in_((VisitStatus.PLANNED, VisitStatus.UNFILLED)),
                Visit.starts_at > now,
                or_(
                    and_(Visit.status == VisitStatus.PLANNED, on_leave),
                    and_(Visit.status == VisitStatus.UNFILLED, Order.status.in_(STANDING)),
                ),
            )
        case ToDoKind.UNQUALIFIED:
            ahead = and_(Visit.status == VisitStatus.PLANNED, Visit.starts_at > now)
            return and_(
                ahead,
                or_(
                    certificates.lacks_any(Visit.caregiver_id, Order.item_id),
                    exists().where(
                        Caregiver.id == Visit.caregiver_id,
                        Caregiver.status != CaregiverStatus.APPROVED,
                    ),
                ),
            )
        case ToDoKind.LOCKED:
            return and_(Visit.status == VisitStatus.FINISHED, Visit.locked_until > now)
        case ToDoKind.UNREDEEMED:
            done = Visit.checked_out_at < now - UNREDEEMED_AFTER
            return and_(Visit.status == VisitStatus.FINISHED, done)
        case _:
            return false()
