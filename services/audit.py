"""The audit trail of sensitive acts and reads."""

from sqlalchemy.orm import Session

from data.history import AuditEvent
from services import clock
from services.access import Actor


def record(
    session: Session, actor: Actor, action: str, subject: str, subject_id: int, **detail: object
) -> None:
    """Leave one row; `detail` holds ids and codes, never a personal detail."""
    session.add(
        AuditEvent(
            created_at=clock.now(),
            action=action,
            subject=subject,
            subject_id=subject_id,
            actor_id=actor.id,
            role=actor.role,
            detail=detail,
        )
    )
