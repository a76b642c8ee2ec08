"""Waiting lists: whoever applied for a demand that somebody else got, in case it opens again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem
from data.demands import Application, ApplicationStatus, Demand
from data.history import Noun
from data.notices import NoticeKind
from services import calendars, certificates, clock, demands, gate, lifecycles, notices, open_plans
from services.access import Actor, Permission


@dataclass(frozen=True, slots=True)
class Waited:
    """A demand for which a caregiver is on the waiting list, and what she offered."""

    demand_id: int
    item_id: int
    district_code: str
    starts_at: datetime
    ends_at: datetime
    price_fen: int


def mine(session: Session, actor: Actor) -> list[Waited]:
    """The demands on whose waiting list the actor is, soonest first."""
    actor.require(Permission.APPLY)
    rows = session.execute(
        select(
            Demand.id,
            Demand.item_id,
            Demand.district_code,
            Demand.starts_at,
            Demand.ends_at,
            Application.price_fen,
        )
        .join(Application, Application.demand_id == Demand.id)
        .where(
            Application.caregiver_id == actor.id,
            Application.status == ApplicationStatus.WAITLISTED,
            Demand.starts_at > clock.now(),
        )
        .order_by(Demand.starts_at, Demand.id)
    )
    return [Waited(*row) for row in rows]


def put(session: Session, actor: Actor, demand: Demand, chosen_id: int | None = None) -> None:
    """Have everybody wait who applied for a demand, but the one who was chosen; they are told."""
    rivals = _applications(session, demand, ApplicationStatus.SUBMITTED)
    for rival in (one for one in rivals if one.id != chosen_id):
        lifecycles.take(session, actor, Noun.APPLICATION, rival, "wait")
        _tell(session, NoticeKind.APPLICATION_WAITLISTED, rival, demand)


def reopen(session: Session, actor: Actor, demand_id: int, left: str) -> None:
    """Open a matched demand again; its waiting list moves up, and the one chosen leaves it so.

    Who waits and can still come is an applicant as before, told like the operators; the others'
    applications close.
    """
    demand = session.get_one(Demand, demand_id, with_for_update=True)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "reopen")
    for chosen in _applications(session, demand, ApplicationStatus.APPROVED):
        lifecycles.take(session, actor, Noun.APPLICATION, chosen, left)
    session.flush()  # The time of who leaves is nobody's concern here.
    waiting = _applications(session, demand, ApplicationStatus.WAITLISTED)
    for application in waiting:
        if not _can_come(session, application, demand):
            _close(session, actor, application, demand)
            continue
        lifecycles.take(session, actor, Noun.APPLICATION, application, "move_up")
        _tell(session, NoticeKind.APPLICATION_RETURNED, application, demand)
        notices.tell_operators(
            session,
            NoticeKind.APPLICATION_RECEIVED,
            demand.city_code,
            _about(application),
            demand_id=demand.id,
            item_id=demand.item_id,
        )
    demands.announce(session, actor, demand)


def close(session: Session, actor: Actor, demand_id: int) -> None:
    """Nobody waits any more for a demand that the family gave up."""
    demand = session.get_one(Demand, demand_id)
    for application in _applications(session, demand, ApplicationStatus.WAITLISTED):
        _close(session, actor, application, demand)


def close_due(session: Session, actor: Actor) -> int:
    """Close the applications that wait for a visit whose time has come; return how many."""
    actor.require(Permission.RUN_JOBS)
    due = session.execute(
        select(Application, Demand)
        .join(Demand, Demand.id == Application.demand_id)
        .where(Application.status == ApplicationStatus.WAITLISTED, Demand.starts_at <= clock.now())
        .with_for_update(of=Application, skip_locked=True)
    ).all()
    for application, demand in due:
        _close(session, actor, application, demand)
    return len(due)


def _can_come(session: Session, application: Application, demand: Demand) -> bool:
    """Whether she could apply for it now, and is not on leave."""
    caregiver = session.get_one(Caregiver, application.caregiver_id)
    item = session.get_one(CareItem, demand.item_id)
    if caregiver.status is not CaregiverStatus.APPROVED:
        return False
    if not certificates.holds_all(session, caregiver.id, item.required_certificates):
        return False
    if demand.rule is not None:
        return (
            open_plans.fit(
                open_plans.laid(session, caregiver, demand, application.price_fen)
            ).fitting
            > 0
        )
    span = demand.starts_at, demand.ends_at
    if not gate.is_free(session, caregiver.id, *span):
        return False
    leaves = calendars.around(session, [caregiver.id], *span)[caregiver.id].leaves
    return not any(begins < demand.ends_at and ends > demand.starts_at for begins, ends in leaves)


def _applications(
    session: Session, demand: Demand, status: ApplicationStatus
) -> Sequence[Application]:
    its = select(Application).where(
        Application.demand_id == demand.id, Application.status == status
    )
    return session.scalars(its.order_by(Application.id).with_for_update()).all()


def _close(session: Session, actor: Actor, application: Application, demand: Demand) -> None:
    lifecycles.take(session, actor, Noun.APPLICATION, application, "close")
    _tell(session, NoticeKind.APPLICATION_CLOSED, application, demand)


def _tell(session: Session, kind: NoticeKind, application: Application, demand: Demand) -> None:
    named = {"demand_id": demand.id, "item_id": demand.item_id}
    notices.tell(session, kind, application.caregiver_id, _about(application), **named)


def _about(application: Application) -> str:
    return f"application-{application.id}-{application.version}"
