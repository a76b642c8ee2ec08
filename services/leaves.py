"""Leave: when a caregiver does not work, and which visits somebody else must make then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.calendars import Leave, LeaveReason
from data.notices import NoticeKind
from data.orders import Visit, VisitStatus
from services import audit, calendars, clock, notices
from services.access import Actor, Permission
from services.calendars import Appointment
from services.errors import Conflict, NotFound

__all__ = ["LeaveReason"]


@dataclass(frozen=True, slots=True)
class LeaveView:
    """A leave that is not over, and the visits that still stand in it."""

    id: int
    starts_at: datetime
    ends_at: datetime
    reason: LeaveReason
    hits: tuple[Appointment, ...]


def ahead(session: Session, actor: Actor, caregiver_id: int) -> list[LeaveView]:
    """A caregiver's leave that is not over yet, soonest first."""
    actor.require(Permission.KEEP_CALENDAR)
    calendars.reach(session, actor, caregiver_id)
    taken = session.scalars(
        select(Leave)
        .where(
            Leave.caregiver_id == caregiver_id,
            Leave.withdrawn_at.is_(None),
            Leave.ends_at > clock.now(),
        )
        .order_by(Leave.starts_at)
    ).all()
    if not taken:
        return []
    last = max(leave.ends_at for leave in taken)
    standing = calendars.appointments(
        session, caregiver_id, taken[0].starts_at, last, calendars.TO_MAKE
    )
    return [
        LeaveView(
            leave.id,
            leave.starts_at,
            leave.ends_at,
            leave.reason,
            tuple(
                one
                for one in standing
                if one.starts_at < leave.ends_at and one.ends_at > leave.starts_at
            ),
        )
        for leave in taken
    ]


def hits(
    session: Session, actor: Actor, caregiver_id: int, starts_at: datetime, ends_at: datetime
) -> list[Appointment]:
    """The visits a leave would hit, soonest first: to be read before it is taken."""
    actor.require(Permission.KEEP_CALENDAR)
    calendars.reach(session, actor, caregiver_id)
    return calendars.appointments(session, caregiver_id, starts_at, ends_at, calendars.TO_MAKE)


def take(
    session: Session,
    actor: Actor,
    caregiver_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: LeaveReason,
    seen: Sequence[int],
) -> int:
    """Take leave; the visits it hits stay and wait for somebody else. Return its number.

    `seen` are the visits the actor was shown to be hit; if others are by now, nothing is done.
    """
    actor.require(Permission.KEEP_CALENDAR)
    caregiver = calendars.reach(session, actor, caregiver_id, lock=True)
    calendars.check_span(starts_at, ends_at)
    if session.scalar(
        select(Leave.id).where(
            Leave.caregiver_id == caregiver_id,
            Leave.withdrawn_at.is_(None),
            Leave.ends_at > starts_at,
            Leave.starts_at < ends_at,
        )
    ):
        raise Conflict("error.leave_overlaps")
    if _works(session, caregiver_id, starts_at, ends_at):
        raise Conflict("error.leave_over_visit")
    hit = calendars.appointments(session, caregiver_id, starts_at, ends_at, calendars.TO_MAKE)
    if {one.visit_id for one in hit} != set(seen):
        raise Conflict("error.hits_changed")
    leave = Leave(
        created_at=clock.now(),
        caregiver_id=caregiver_id,
        taken_by_id=actor.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
    )
    session.add(leave)
    session.flush()
    audit.record(session, actor, "take_leave", "leave", leave.id, visits=sorted(seen))
    _tell_her(session, actor, NoticeKind.LEAVE_ENTERED, leave)
    if hit:
        notices.tell_operators(
            session,
            NoticeKind.LEAVE_TAKEN,
            caregiver.city_code,
            f"leave-{leave.id}",
            caregiver_id=caregiver_id,
            due_at=starts_at.isoformat(),
        )
    return leave.id


def withdraw(session: Session, actor: Actor, leave_id: int) -> None:
    """Take a leave back; one that has begun ends now."""
    actor.require(Permission.KEEP_CALENDAR)
    leave = session.get(Leave, leave_id)
    if leave is None:
        raise NotFound("error.leave_not_found")
    try:
        calendars.reach(session, actor, leave.caregiver_id, lock=True)
    except NotFound:  # Somebody else's leave and none are the same.
        raise NotFound("error.leave_not_found") from None
    session.refresh(leave)
    if leave.withdrawn_at is not None or leave.ends_at <= clock.now():
        raise Conflict("error.leave_over")
    if leave.starts_at < clock.now():
        leave.ends_at = clock.now()
    else:
        leave.withdrawn_at = clock.now()
    audit.record(session, actor, "withdraw_leave", "leave", leave.id)
    _tell_her(session, actor, NoticeKind.LEAVE_WITHDRAWN, leave)


def _tell_her(session: Session, actor: Actor, kind: NoticeKind, leave: Leave) -> None:
    """What an operator does to her leave the caregiver learns at once."""
    if actor.id != leave.caregiver_id:
        due_at = leave.starts_at.isoformat()
        notices.tell(session, kind, leave.caregiver_id, f"leave-{leave.id}", due_at=due_at)


def _works(
    session: Session, caregiver_id: int, starts_at: datetime, ends_at: datetime
) -> int | None:
    """A visit that is going on at a time; one that lasts longer than planned goes on till now."""
    lasts = (Visit.ends_at > starts_at) | (starts_at <= clock.now())
    return session.scalar(
        select(Visit.id).where(
            Visit.caregiver_id == caregiver_id,
            Visit.status == VisitStatus.IN_PROGRESS,
            Visit.starts_at < ends_at,
            lasts,
        )
    )
