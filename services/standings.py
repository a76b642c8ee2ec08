"""How far a caregiver's approval is: every step of it, and who is told."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.demands import HOPING, Application
from data.history import Noun
from data.notices import NoticeKind
from services import audit, lifecycles, notices
from services.access import Actor

_TOLD = {
    "approve": NoticeKind.CAREGIVER_APPROVED,
    "reject": NoticeKind.CAREGIVER_REJECTED,
    "suspend": NoticeKind.CAREGIVER_SUSPENDED,
    "restore": NoticeKind.CAREGIVER_RESTORED,
}


def step(
    session: Session, actor: Actor, caregiver: Caregiver, name: str, because: str = ""
) -> None:
    """Move a caregiver on, keep the operator's words, tell whom it concerns.

    Who is suspended takes no new work: her open applications close, her visits stay hers.
    """
    lifecycles.take(session, actor, Noun.CAREGIVER, caregiver, name)
    about = f"caregiver-{caregiver.id}-{caregiver.version}"
    if name == "submit":
        notices.tell_operators(
            session, NoticeKind.CAREGIVER_SUBMITTED, caregiver.city_code, about,
            caregiver_id=caregiver.id,
        )  # fmt: skip
        return
    caregiver.decision_words = because
    if name == "suspend":
        _close_applications(session, actor, caregiver)
    audit.record(session, actor, f"caregiver_{name}", "caregiver", caregiver.id)
    notices.tell(session, _TOLD[name], caregiver.id, about)


def _close_applications(session: Session, actor: Actor, caregiver: Caregiver) -> None:
    for application in session.scalars(
        select(Application).where(
            Application.caregiver_id == caregiver.id,
            Application.status.in_(HOPING),
        )
    ):
        lifecycles.take(session, actor, Noun.APPLICATION, application, "close")
