"""The ledger: every business event books once, and what it books sums to zero."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table, exists, func, insert, select
from sqlalchemy.orm import Session

from data.complaints import ExtraTime
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit
from services import clock
from services.pricing import share

# Core, and written once: the ORM's way takes three times as long.
_entries: Table = LedgerEntry.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
_postings: Table = LedgerPosting.__table__  # pyright: ignore[reportAssignmentType]
_INSERT_ENTRY = insert(_entries).returning(_entries.c.id)
_INSERT_POSTINGS = insert(_postings)


class Unbalanced(Exception):
    """A bug: the lines of an entry do not sum to zero."""


@dataclass(frozen=True, slots=True)
class Line:
    """Debit positive, credit negative, in fen."""

    account: LedgerAccount
    amount_fen: int
    party_id: int | None = None


def book_confirmed(session: Session, order: Order, total_fen: int) -> None:
    """The customer owes the price of the order's visits; nobody has earned it yet."""
    _book(
        session,
        LedgerEvent.CONFIRMED,
        f"order:{order.id}",
        order.id,
        None,
        *_owed(order, total_fen),
    )


def book_extended(session: Session, order: Order, visit_ids: Sequence[int], total_fen: int) -> None:
    """The customer owes the price of visits that came to an order that stands already."""
    _book(
        session,
        LedgerEvent.EXTENDED,
        f"visit:{visit_ids[0]}",
        order.id,
        visit_ids[0],
        *_owed(order, total_fen),
    )


def book_redeemed(session: Session, order: Order, visit: Visit) -> None:
    """A visit's price is earned: the caregiver's share (frozen until released), the platform's."""
    _book(
        session,
        LedgerEvent.REDEEMED,
        f"visit:{visit.id}",
        order.id,
        visit.id,
        Line(LedgerAccount.ORDERS_COMMITTED, visit.total_fen),
        Line(LedgerAccount.CAREGIVER_FROZEN, -visit.pay_fen, visit.caregiver_id),
        Line(LedgerAccount.PLATFORM_FEE, -visit.commission_fen),
    )


def book_extra_time(session: Session, order: Order, visit: Visit, extra: ExtraTime) -> None:
    """The customer owes agreed extra time, and it is earned at once; once per visit."""
    _book(
        session,
        LedgerEvent.EXTRA_TIME,
        f"visit:{visit.id}",
        order.id,
        visit.id,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, extra.total_fen, order.customer_id),
        Line(
            LedgerAccount.CAREGIVER_FROZEN,
            extra.commission_fen - extra.total_fen,
            visit.caregiver_id,
        ),
        Line(LedgerAccount.PLATFORM_FEE, -extra.commission_fen),
    )


def book_released(session: Session, visit: Visit, pay_fen: int) -> None:
    """The caregiver's share, extra time and all, has waited long enough: it can be paid out."""
    _book(
        session,
        LedgerEvent.RELEASED,
        f"visit:{visit.id}",
        visit.order_id,
        visit.id,
        Line(LedgerAccount.CAREGIVER_FROZEN, pay_fen, visit.caregiver_id),
        Line(LedgerAccount.CAREGIVER_PAYABLE, -pay_fen, visit.caregiver_id),
    )


def book_cancelled(session: Session, order: Order, visit: Visit) -> None:
    """The customer owes no more of a visit than its fee, which is earned like a price.

    A caregiver's penalty comes off what would be paid out to her.
    """
    commission_fen = share(visit.fee_fen, order.commission_bp)
    earned_fen = visit.fee_fen - commission_fen
    _book(
        session,
        LedgerEvent.CANCELLED,
        f"visit:{visit.id}",
        order.id,
        visit.id,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, visit.fee_fen - visit.total_fen, order.customer_id),
        Line(LedgerAccount.ORDERS_COMMITTED, visit.total_fen),
        Line(LedgerAccount.CAREGIVER_FROZEN, -earned_fen, visit.caregiver_id),
        Line(LedgerAccount.PLATFORM_FEE, -commission_fen),
        Line(LedgerAccount.CAREGIVER_PAYABLE, visit.penalty_fen, visit.caregiver_id),
        Line(LedgerAccount.PENALTY, -visit.penalty_fen),
    )


def book_fee_reversed(session: Session, order: Order, visit: Visit) -> None:
    """What a visit's fee or penalty was booked for is not owed after all; once per visit.

    A fee that was released already comes off what would be paid out to her.
    """
    commission_fen = share(visit.fee_fen, order.commission_bp)
    released = exists().where(
        LedgerEntry.visit_id == visit.id, LedgerEntry.event == LedgerEvent.RELEASED
    )
    payable, frozen = LedgerAccount.CAREGIVER_PAYABLE, LedgerAccount.CAREGIVER_FROZEN
    held = payable if session.scalar(select(released)) else frozen
    _book(
        session,
        LedgerEvent.FEE_REVERSED,
        f"visit:{visit.id}",
        order.id,
        visit.id,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, -visit.fee_fen, order.customer_id),
        Line(held, visit.fee_fen - commission_fen, visit.caregiver_id),
        Line(LedgerAccount.PLATFORM_FEE, commission_fen),
        Line(LedgerAccount.CAREGIVER_PAYABLE, -visit.penalty_fen, visit.caregiver_id),
        Line(LedgerAccount.PENALTY, visit.penalty_fen),
    )


def _owed(order: Order, amount_fen: int) -> tuple[Line, Line]:
    return (
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, amount_fen, order.customer_id),
        Line(LedgerAccount.ORDERS_COMMITTED, -amount_fen),
    )


def book_merged(session: Session, kept_id: int, gone_id: int) -> None:
    """What the gone account owes, the kept one owes; nothing is booked where nothing is owed."""
    owed_fen = balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, gone_id)
    if owed_fen:
        _book(
            session,
            LedgerEvent.MERGED,
            f"account:{gone_id}",
            None,
            None,
            Line(LedgerAccount.CUSTOMER_RECEIVABLE, -owed_fen, gone_id),
            Line(LedgerAccount.CUSTOMER_RECEIVABLE, owed_fen, kept_id),
        )


def balance(session: Session, account: LedgerAccount, party_id: int | None = None) -> int:
    """The balance in fen of an account, or of one party's part in it."""
    total = select(func.coalesce(func.sum(LedgerPosting.amount_fen), 0)).where(
        LedgerPosting.account == account
    )
    if party_id is not None:
        total = total.where(LedgerPosting.party_id == party_id)
    return session.scalar(total) or 0


def balances(
    session: Session, account: LedgerAccount, party_ids: Sequence[int]
) -> dict[int | None, int]:
    """The balances in fen of several parties at once; who has none is not in it."""
    rows = session.execute(
        select(LedgerPosting.party_id, func.sum(LedgerPosting.amount_fen))
        .where(LedgerPosting.account == account, LedgerPosting.party_id.in_(party_ids))
        .group_by(LedgerPosting.party_id)
    )
    return {party_id: int(total) for party_id, total in rows}


def _book(
    session: Session,
    event: LedgerEvent,
    about: str,
    order_id: int | None,
    visit_id: int | None,
    *lines: Line,
) -> None:
    if sum(line.amount_fen for line in lines) != 0:
        raise Unbalanced(f"{event} of {about}")
    entry = {
        "created_at": clock.now(),
        "event_key": f"{event}:{about}",
        "event": event,
        "order_id": order_id,
        "visit_id": visit_id,
    }
    entry_id = session.scalar(_INSERT_ENTRY, entry)
    postings = [
        {
            "entry_id": entry_id,
            "account": line.account,
            "party_id": line.party_id,
            "amount_fen": line.amount_fen,
        }
        for line in lines
        if line.amount_fen
    ]
    if postings:  # A visit may cost nothing, and its cancelling be free.
        session.execute(_INSERT_POSTINGS, postings)
