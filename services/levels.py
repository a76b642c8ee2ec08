"""Levels: how far along a caregiver is, as her operators see it; her prices keep within them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverLevel
from data.notices import NoticeKind
from services import audit, notices
from services.access import Actor, Permission
from services.errors import NotAllowed, NotFound


def give(session: Session, actor: Actor, caregiver_id: int, level: CaregiverLevel) -> None:
    """Give a caregiver of the actor's cities a level."""
    actor.require(Permission.DECIDE_CAREGIVER)
    caregiver = session.scalar(
        select(Caregiver)
        .where(Caregiver.id == caregiver_id, Caregiver.city_code.in_(actor.cities))
        .with_for_update()
    )
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    if caregiver.id == actor.id:
        raise NotAllowed("error.own_case")
    take_down(session, actor, caregiver, level)


def take_down(session: Session, actor: Actor, caregiver: Caregiver, level: CaregiverLevel) -> None:
    """Write a caregiver's level down and tell her; the one she has already changes nothing."""
    before = caregiver.level
    if level is before:
        return
    caregiver.level = level
    session.flush()
    audit.record(
        session, actor, "set_level", "caregiver", caregiver.id,
        before=str(before), after=str(level),
    )  # fmt: skip
    about = f"caregiver-{caregiver.id}-{caregiver.version}"
    notices.tell(session, NoticeKind.LEVEL_CHANGED, caregiver.id, about, level=str(level))
