"""Pay in the ledger: what a caregiver is owed of her visits, what is due to her, what she owes.

Nothing due is ever below nothing: what exceeds it she owes, and what would be due pays that off
first. So that two who book at once see one another, each holds her row first: after the orders,
visits, complaints and batches it needs, several caregivers in the order of their numbers, and it
waits for nothing more. Hence nobody waits in a circle.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit
from data.payouts import Payout
from data.refunds import Refund
from services import ledger
from services.ledger import Line
from services.pricing import share


def hold(session: Session, *caregiver_ids: int) -> None:
    """Let nobody else book what is due to these caregivers until the transaction ends."""
    theirs = select(Caregiver.id).where(Caregiver.id.in_(caregiver_ids)).order_by(Caregiver.id)
    session.execute(theirs.with_for_update(key_share=True)).all()


def book_released(session: Session, visit: Visit, pay_fen: int) -> None:
    """What is frozen of a visit has waited long enough: it can be paid out."""
    _book(
        session,
        LedgerEvent.RELEASED,
        f"visit:{visit.id}",
        visit,
        Line(LedgerAccount.CAREGIVER_FROZEN, pay_fen, visit.caregiver_id),
        *_due(session, visit.caregiver_id, pay_fen),
    )


def book_cancelled(session: Session, order: Order, visit: Visit) -> None:
    """The customer owes no more of a visit than its fee, which is earned like a price.

    A caregiver's penalty comes off what is due to her.
    """
    commission_fen = share(visit.fee_fen, order.commission_bp)
    earned_fen = visit.fee_fen - commission_fen
    _book(
        session,
        LedgerEvent.CANCELLED,
        f"visit:{visit.id}",
        visit,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, visit.fee_fen - visit.total_fen, order.customer_id),
        Line(LedgerAccount.ORDERS_COMMITTED, visit.total_fen),
        Line(LedgerAccount.CAREGIVER_FROZEN, -earned_fen, visit.caregiver_id),
        Line(LedgerAccount.PLATFORM_FEE, -commission_fen),
        *_due(session, visit.caregiver_id, -visit.penalty_fen),
        Line(LedgerAccount.PENALTY, -visit.penalty_fen),
    )


def book_fee_reversed(session: Session, order: Order, visit: Visit) -> None:
    """What a visit's fee or penalty was booked for is not owed after all; once per visit."""
    commission_fen = share(visit.fee_fen, order.commission_bp)
    taken = _taken(session, visit, visit.fee_fen - commission_fen)
    _book(
        session,
        LedgerEvent.FEE_REVERSED,
        f"visit:{visit.id}",
        visit,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, -visit.fee_fen, order.customer_id),
        *taken,
        Line(LedgerAccount.PLATFORM_FEE, commission_fen),
        *_due(session, visit.caregiver_id, visit.penalty_fen),
        Line(LedgerAccount.PENALTY, visit.penalty_fen),
    )


def book_refunded(session: Session, order: Order, visit: Visit, refund: Refund) -> None:
    """The family owes so much less: the caregiver's part comes off her pay, the rest is ours."""
    taken = _taken(session, visit, refund.caregiver_fen)
    _book(
        session,
        LedgerEvent.REFUNDED,
        f"refund:{refund.id}",
        visit,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, -refund.amount_fen, order.customer_id),
        *taken,
        Line(LedgerAccount.REFUND, refund.amount_fen - refund.caregiver_fen),
    )


def book_refund_reversed(
    session: Session, order: Order, visit: Visit, refund: Refund, *, frozen: bool
) -> None:
    """The family owes it again, and the caregiver's part is hers: frozen still, or due."""
    whose, hers_fen = visit.caregiver_id, refund.caregiver_fen
    back = (
        (Line(LedgerAccount.CAREGIVER_FROZEN, -hers_fen, whose),)
        if frozen
        else _due(session, whose, hers_fen)
    )
    _book(
        session,
        LedgerEvent.REFUND_REVERSED,
        f"refund:{refund.id}",
        visit,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, refund.amount_fen, order.customer_id),
        *back,
        Line(LedgerAccount.REFUND, hers_fen - refund.amount_fen),
    )


def book_held_back(session: Session, visit: Visit, amount_fen: int, before: int) -> None:
    """Pay that was due is frozen again; `before` counts how often that changed already."""
    _book(
        session,
        LedgerEvent.HELD_BACK,
        f"visit:{visit.id}:{before}",
        visit,
        Line(LedgerAccount.CAREGIVER_PAYABLE, amount_fen, visit.caregiver_id),
        Line(LedgerAccount.CAREGIVER_FROZEN, -amount_fen, visit.caregiver_id),
    )


def book_let_go(session: Session, visit: Visit, amount_fen: int, before: int) -> None:
    """What was held back is due again; `before` counts how often that changed already."""
    _book(
        session,
        LedgerEvent.LET_GO,
        f"visit:{visit.id}:{before}",
        visit,
        Line(LedgerAccount.CAREGIVER_FROZEN, amount_fen, visit.caregiver_id),
        *_due(session, visit.caregiver_id, amount_fen),
    )


def book_payout_sent(session: Session, payout: Payout) -> None:
    """Pay that was due is told to the bank, and due no more."""
    whose, amount_fen = payout.caregiver_id, payout.amount_fen
    _book(
        session,
        LedgerEvent.PAYOUT_SENT,
        f"payout:{payout.id}",
        None,
        Line(LedgerAccount.CAREGIVER_PAYABLE, amount_fen, whose),
        Line(LedgerAccount.PAYOUT_SENT, -amount_fen, whose),
    )


def book_paid_out(session: Session, payout: Payout) -> None:
    """The bank says that it has arrived."""
    whose, amount_fen = payout.caregiver_id, payout.amount_fen
    _book(
        session,
        LedgerEvent.PAID_OUT,
        f"payout:{payout.id}",
        None,
        Line(LedgerAccount.PAYOUT_SENT, amount_fen, whose),
        Line(LedgerAccount.PAID_OUT, -amount_fen, whose),
    )


def book_payout_failed(session: Session, payout: Payout) -> None:
    """It did not arrive, or was never told to the bank: it is due again."""
    _book(
        session,
        LedgerEvent.PAYOUT_FAILED,
        f"payout:{payout.id}",
        None,
        Line(LedgerAccount.PAYOUT_SENT, payout.amount_fen, payout.caregiver_id),
        *_due(session, payout.caregiver_id, payout.amount_fen),
    )


def frozen(session: Session, visit_ids: Collection[int]) -> dict[int, int]:
    """What is frozen of these visits, in fen; of the others nothing is."""
    return _of(session, LedgerAccount.CAREGIVER_FROZEN, visit_ids)


def payable(session: Session, visit: Visit) -> int:
    """What became due of a visit in fen, whatever was paid out since."""
    return _of(session, LedgerAccount.CAREGIVER_PAYABLE, [visit.id]).get(visit.id, 0)


def released() -> ColumnElement[bool]:
    """The condition under which a visit's pay has waited long enough."""
    return exists().where(
        LedgerEntry.visit_id == Visit.id, LedgerEntry.event == LedgerEvent.RELEASED
    )


def is_released(session: Session, visit: Visit) -> bool:
    """Whether a visit's pay has waited long enough."""
    return bool(session.scalar(select(Visit.id).where(Visit.id == visit.id, released())))


def _of(session: Session, account: LedgerAccount, visit_ids: Collection[int]) -> dict[int, int]:
    if not visit_ids:  # SQLite would read the whole ledger to find none.
        return {}
    rows = session.execute(
        select(LedgerEntry.visit_id, func.sum(LedgerPosting.amount_fen))
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .where(LedgerEntry.visit_id.in_(visit_ids), LedgerPosting.account == account)
        .group_by(LedgerEntry.visit_id)
    )
    return {visit_id: -int(total) for visit_id, total in rows if visit_id}


def _due(session: Session, caregiver_id: int, amount_fen: int) -> tuple[Line, ...]:
    """What becomes due to a caregiver, her debt paid off first; or comes off it, if negative."""
    if not amount_fen:
        return ()
    hold(session, caregiver_id)
    debt, due = LedgerAccount.CAREGIVER_DEBT, LedgerAccount.CAREGIVER_PAYABLE
    if amount_fen > 0:
        on_debt_fen = min(amount_fen, ledger.balance(session, debt, caregiver_id))
    else:
        on_debt_fen = min(amount_fen - ledger.balance(session, due, caregiver_id), 0)
    return (
        Line(debt, -on_debt_fen, caregiver_id),
        Line(due, on_debt_fen - amount_fen, caregiver_id),
    )


def _taken(session: Session, visit: Visit, amount_fen: int) -> tuple[Line, ...]:
    """An amount off what a visit brought: what is frozen of it first, then what is due."""
    hold(session, visit.caregiver_id)
    frozen_fen = min(amount_fen, frozen(session, [visit.id]).get(visit.id, 0))
    return (
        Line(LedgerAccount.CAREGIVER_FROZEN, frozen_fen, visit.caregiver_id),
        *_due(session, visit.caregiver_id, frozen_fen - amount_fen),
    )


def _book(
    session: Session, event: LedgerEvent, about: str, visit: Visit | None, *lines: Line
) -> None:
    order_id, visit_id = (visit.order_id, visit.id) if visit else (None, None)
    ledger.book(session, event, about, order_id, visit_id, *lines)
