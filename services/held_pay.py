"""Held pay: what was due of a visit already is frozen again while something is amiss with it.

What was told to the bank before stays told: a payout is not called back.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from data.complaints import UNDECIDED, Complaint, Incident, IncidentStatus
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent
from data.orders import Visit
from services import ledger, pay


def rests() -> ColumnElement[bool]:
    """The condition under which a visit's pay rests: a complaint undecided, or an open incident."""
    return or_(Visit.id.in_(open_visits()), Visit.id.in_(troubled_visits()))


def open_visits() -> Select[int]:
    """The visits with a complaint, or an appeal, that nobody has decided yet."""
    return select(Complaint.visit_id).where(Complaint.status.in_(UNDECIDED))


def troubled_visits() -> Select[int]:
    """The visits with an open incident."""
    return select(Incident.visit_id).where(Incident.status == IncidentStatus.REPORTED)


def resting(session: Session, visit_ids: Sequence[int]) -> set[int]:
    """Whose pay rests, asked once more when they are locked: a complaint may just have come."""
    asked = select(Visit.id).where(Visit.id.in_(visit_ids), rests())
    return set(session.scalars(asked))


def hold_back(session: Session, visit: Visit) -> None:
    """Freeze what is due of a visit, as far as it is not told to the bank."""
    pay.hold(session, visit.caregiver_id)
    due_fen = -ledger.balance(session, LedgerAccount.CAREGIVER_PAYABLE, visit.caregiver_id)
    amount_fen = min(pay.payable(session, visit), due_fen)
    if amount_fen > 0:
        pay.book_held_back(session, visit, amount_fen, _times(session, visit))


def let_go(session: Session, visit: Visit) -> None:
    """Make due again what was held back of a visit: nothing is amiss with it any more."""
    pay.hold(session, visit.caregiver_id)
    held_fen = pay.frozen(session, [visit.id]).get(visit.id, 0)
    if held_fen > 0 and pay.is_released(session, visit):
        pay.book_let_go(session, visit, held_fen, _times(session, visit))


def _times(session: Session, visit: Visit) -> int:
    """How often its pay was held back or let go, for the key of the next time."""
    told = select(func.count(LedgerEntry.id)).where(
        LedgerEntry.visit_id == visit.id,
        LedgerEntry.event.in_((LedgerEvent.HELD_BACK, LedgerEvent.LET_GO)),
    )
    return session.scalar(told) or 0
