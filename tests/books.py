"""What the ledger says of somebody."""

from sqlalchemy.orm import Session

from data.ledger import LedgerAccount
from services import ledger
from services.access import Actor


def owed_by(session: Session, customer: Actor) -> int:
    """What a family owes in fen; less than nothing if it is in credit."""
    return ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, customer.id)


def balances_of(session: Session, caregiver: Actor) -> tuple[int, int, int, int, int]:
    """Frozen, due, with the bank and paid out to a caregiver in fen; and what she owes."""

    def credit(account: LedgerAccount) -> int:
        return -ledger.balance(session, account, caregiver.id)

    return (
        credit(LedgerAccount.CAREGIVER_FROZEN),
        credit(LedgerAccount.CAREGIVER_PAYABLE),
        credit(LedgerAccount.PAYOUT_SENT),
        credit(LedgerAccount.PAID_OUT),
        -credit(LedgerAccount.CAREGIVER_DEBT),
    )
