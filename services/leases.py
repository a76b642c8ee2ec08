"""The hold an operator has on a case: ten minutes from the last thing they did with it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from data.verifications import CaseStatus, VerificationCase
from services import clock
from services.access import Actor

LEASE = timedelta(minutes=10)
# A page is drawn at every click: a hold this fresh is left as it is.
FRESH = timedelta(minutes=1)


def is_anothers(case: VerificationCase, actor: Actor) -> bool:
    """Whether another operator has the case at this moment."""
    if case.reviewer_id in (None, actor.id) or case.reviewing_until is None:
        return False
    return case.reviewing_until > clock.now()


def runs_down(until: datetime) -> bool:
    """Whether it is time to hold a case anew."""
    return until < clock.now() + LEASE - FRESH


def prolong(session: Session, actor: Actor, which: ColumnElement[bool]) -> None:
    """Hold what the actor still has of these cases for ten minutes more."""
    session.execute(
        update(VerificationCase)
        .where(
            which,
            VerificationCase.status == CaseStatus.SUBMITTED,
            VerificationCase.reviewer_id == actor.id,
        )
        .values(reviewing_until=clock.now() + LEASE)
    )
