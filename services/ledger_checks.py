"""The nightly look at the ledger: whether it still says of itself what it should."""

from dataclasses import astuple, dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from data.ledger import LedgerAccount, LedgerBalance, LedgerEntry, LedgerPosting
from services.access import Actor, Permission

_NEVER_BELOW = (
    LedgerAccount.CAREGIVER_DEBT,
    LedgerAccount.CAREGIVER_FROZEN,
    LedgerAccount.CAREGIVER_PAYABLE,
    LedgerAccount.PAYOUT_SENT,
    LedgerAccount.PAID_OUT,
)
# What is owed is credit, and negative; what she owes is debit.
_SIGN = case((LedgerPosting.account == LedgerAccount.CAREGIVER_DEBT, 1), else_=-1)


class Broken(Exception):
    """The ledger is not as it must be; nobody knows any more who is owed what."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How many entries do not sum to zero or lack lines, and how many balances cannot be.

    Kept ones that are not what was posted; and what caregivers are owed, or owe, below nothing.
    """

    unbalanced: int
    incomplete: int
    miscounted: int
    below_nothing: int


def check(session: Session, actor: Actor) -> int:
    """Look at every entry and every balance; Broken if one is not as it must be, else nothing."""
    actor.require(Permission.RUN_JOBS)
    found = faults(session)
    if any(astuple(found)):
        raise Broken(f"{found}")
    return 0


def faults(session: Session) -> Faults:
    """What is wrong with the ledger, counted."""
    lines = (
        select(
            LedgerEntry.lines.label("told"),
            func.count(LedgerPosting.id).label("found"),
            func.coalesce(func.sum(LedgerPosting.amount_fen), 0).label("total"),
        )
        .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .group_by(LedgerEntry.id, LedgerEntry.lines)
        .subquery()
    )
    unbalanced, incomplete = session.execute(
        select(
            func.count().filter(lines.c.total != 0),
            func.count().filter(lines.c.found != func.coalesce(lines.c.told, 0)),
        )
    ).one()
    plain = (
        select(func.coalesce(func.sum(LedgerPosting.amount_fen), 0))
        .where(
            LedgerPosting.account == LedgerBalance.account,
            LedgerPosting.party_id.is_not_distinct_from(LedgerBalance.party_id),
            LedgerPosting.id <= LedgerBalance.counted_to,
        )
        .correlate(LedgerBalance)
        .scalar_subquery()
    )
    miscounted = session.scalar(
        select(func.count(LedgerBalance.id)).where(LedgerBalance.total_fen != plain)
    )
    owed = (
        select((func.sum(LedgerPosting.amount_fen) * _SIGN).label("fen"))
        .where(LedgerPosting.account.in_(_NEVER_BELOW))
        .group_by(LedgerPosting.account, LedgerPosting.party_id)
        .subquery()
    )
    below = session.scalar(select(func.count()).where(owed.c.fen < 0))
    return Faults(unbalanced, incomplete, miscounted or 0, below or 0)
