"""Held pay: what was due of a visit already is frozen again while something is amiss with it.

What was told to the bank before stays told: a payout is not called back.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Visit
from services import ledger

_ABOUT_PAY = LedgerEvent.RELEASED, LedgerEvent.HELD_BACK, LedgerEvent.LET_GO


def hold_back(session: Session, visit: Visit) -> None:
    """Freeze what is due of a visit, as far as it is not told to the bank."""
    hers = select(Caregiver.id).where(Caregiver.id == visit.caregiver_id)
    session.scalar(hers.with_for_update(key_share=True))  # No batch is locked meanwhile.
    due_fen = -ledger.balance(session, LedgerAccount.CAREGIVER_PAYABLE, visit.caregiver_id)
    amount_fen = min(_due_of(session, visit), due_fen)
    if amount_fen > 0:
        ledger.book_held_back(session, visit, amount_fen, _times(session, visit))


def let_go(session: Session, visit: Visit) -> None:
    """Make due again what was held back of a visit: nothing is amiss with it any more."""
    if (held_fen := _held_of(session, visit)) > 0:
        ledger.book_let_go(session, visit, held_fen, _times(session, visit))


def _due_of(session: Session, visit: Visit) -> int:
    """What was made due of a visit and not held back again."""
    return -_sum(session, visit, LedgerAccount.CAREGIVER_PAYABLE, *_ABOUT_PAY)


def _held_of(session: Session, visit: Visit) -> int:
    events = LedgerEvent.HELD_BACK, LedgerEvent.LET_GO
    return -_sum(session, visit, LedgerAccount.CAREGIVER_FROZEN, *events)


def _sum(session: Session, visit: Visit, account: LedgerAccount, *events: LedgerEvent) -> int:
    total = (
        select(func.coalesce(func.sum(LedgerPosting.amount_fen), 0))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerEntry.visit_id == visit.id,
            LedgerEntry.event.in_(events),
            LedgerPosting.account == account,
        )
    )
    return int(session.scalar(total) or 0)


def _times(session: Session, visit: Visit) -> int:
    """How often its pay was held back or let go, for the key of the next time."""
    told = select(func.count(LedgerEntry.id)).where(
        LedgerEntry.visit_id == visit.id,
        LedgerEntry.event.in_((LedgerEvent.HELD_BACK, LedgerEvent.LET_GO)),
    )
    return session.scalar(told) or 0
