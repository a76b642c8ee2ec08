"""The ledger: every business event books once, and what it books sums to zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from data.complaints import ExtraTime
from data.ledger import LedgerAccount, LedgerBalance, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit
from data.payouts import Payout
from data.receipts import Receipt, ReceiptMethod
from services import clock
from services.access import Actor, Permission
from services.pricing import share

# Core, and written once: the ORM's way takes three times as long.
_entries: Table = LedgerEntry.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
_postings: Table = LedgerPosting.__table__  # pyright: ignore[reportAssignmentType]
_INSERT_ENTRY = insert(_entries).returning(_entries.c.id)
_INSERT_POSTINGS = insert(_postings)
# Where the money of each way of paying came in.
_RECEIVED = {
    ReceiptMethod.CASH: LedgerAccount.RECEIVED_CASH,
    ReceiptMethod.BANK: LedgerAccount.RECEIVED_BANK,
    ReceiptMethod.WECHAT: LedgerAccount.RECEIVED_WECHAT,
    ReceiptMethod.SPLIT: LedgerAccount.RECEIVED_SPLIT,
}
# No transaction takes as long: nothing older than this is still to come.
SETTLED_AFTER = timedelta(hours=1)


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


def book_received(session: Session, receipt: Receipt) -> None:
    """A family paid: it owes so much less."""
    _book_receipt(session, LedgerEvent.RECEIVED, receipt, receipt.amount_fen)


def book_receipt_reversed(session: Session, receipt: Receipt) -> None:
    """A family did not pay after all: whoever the receipt is of now owes as much again."""
    _book_receipt(session, LedgerEvent.RECEIPT_REVERSED, receipt, -receipt.amount_fen)


def _book_receipt(session: Session, event: LedgerEvent, receipt: Receipt, amount_fen: int) -> None:
    _book(
        session,
        event,
        f"receipt:{receipt.id}",
        receipt.order_id,
        None,
        Line(_RECEIVED[receipt.method], amount_fen),
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, -amount_fen, receipt.customer_id),
    )


def book_held_back(session: Session, visit: Visit, amount_fen: int, before: int) -> None:
    """Pay that was due is frozen again; `before` counts how often that changed already."""
    _book(
        session,
        LedgerEvent.HELD_BACK,
        f"visit:{visit.id}:{before}",
        visit.order_id,
        visit.id,
        Line(LedgerAccount.CAREGIVER_PAYABLE, amount_fen, visit.caregiver_id),
        Line(LedgerAccount.CAREGIVER_FROZEN, -amount_fen, visit.caregiver_id),
    )


def book_let_go(session: Session, visit: Visit, amount_fen: int, before: int) -> None:
    """What was held back is due again; `before` counts how often that changed already."""
    _book(
        session,
        LedgerEvent.LET_GO,
        f"visit:{visit.id}:{before}",
        visit.order_id,
        visit.id,
        Line(LedgerAccount.CAREGIVER_FROZEN, amount_fen, visit.caregiver_id),
        Line(LedgerAccount.CAREGIVER_PAYABLE, -amount_fen, visit.caregiver_id),
    )


def book_payout_sent(session: Session, payout: Payout) -> None:
    """Pay that was due is told to the bank, and due no more."""
    _book_payout(
        session, LedgerEvent.PAYOUT_SENT, payout,
        LedgerAccount.CAREGIVER_PAYABLE, LedgerAccount.PAYOUT_SENT,
    )  # fmt: skip


def book_paid_out(session: Session, payout: Payout) -> None:
    """The bank says that it has arrived."""
    _book_payout(
        session, LedgerEvent.PAID_OUT, payout,
        LedgerAccount.PAYOUT_SENT, LedgerAccount.PAID_OUT,
    )  # fmt: skip


def book_payout_failed(session: Session, payout: Payout) -> None:
    """It did not arrive, or was never told to the bank: it is due again."""
    _book_payout(
        session, LedgerEvent.PAYOUT_FAILED, payout,
        LedgerAccount.PAYOUT_SENT, LedgerAccount.CAREGIVER_PAYABLE,
    )  # fmt: skip


def _book_payout(
    session: Session,
    event: LedgerEvent,
    payout: Payout,
    debit: LedgerAccount,
    credit: LedgerAccount,
) -> None:
    whose = payout.caregiver_id
    lines = Line(debit, payout.amount_fen, whose), Line(credit, -payout.amount_fen, whose)
    _book(session, event, f"payout:{payout.id}", None, None, *lines)


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
    parties = None if party_id is None else (party_id,)
    return sum(total for _, total in session.execute(_totals(account, parties)))


def balances(
    session: Session, account: LedgerAccount, party_ids: Sequence[int]
) -> dict[int | None, int]:
    """The balances in fen of several parties at once; who has none is not in it."""
    return {party: int(total) for party, total in session.execute(_totals(account, party_ids))}


def owed(session: Session, account: LedgerAccount) -> dict[int, int]:
    """What everybody is owed on an account in fen, by their numbers."""
    rows = session.execute(_totals(account, None))
    return {party: -int(total) for party, total in rows if party is not None}


def keep_balances(session: Session, actor: Actor) -> int:
    """Count all balances up to an hour ago, and keep them; return how many postings came to them.

    What they came to once is counted no more: postings are only ever added.
    """
    actor.require(Permission.RUN_JOBS)
    newest = session.scalar(
        select(func.max(LedgerPosting.id))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.created_at < clock.now() - SETTLED_AFTER)
    )
    more = select(func.count(LedgerPosting.id)).where(
        LedgerPosting.id > _counted_to(), LedgerPosting.id <= (newest or 0)
    )
    if not (counted := session.scalar(more)):
        return 0
    kept = select(LedgerBalance.account, LedgerBalance.party_id, LedgerBalance.total_fen)
    since = select(LedgerPosting.account, LedgerPosting.party_id, LedgerPosting.amount_fen)
    since = since.where(LedgerPosting.id > _counted_to(), LedgerPosting.id <= newest)
    account, party_id, amount_fen = union_all(kept, since).subquery().c
    rows = session.execute(
        select(account, party_id, func.sum(amount_fen)).group_by(account, party_id)
    ).all()
    session.execute(delete(LedgerBalance))
    totals = [
        {"account": one, "party_id": party, "counted_to": newest, "total_fen": int(total)}
        for one, party, total in rows
    ]
    session.execute(insert(LedgerBalance), totals)
    return counted


def _totals(account: LedgerAccount, parties: Sequence[int] | None) -> Select[int | None, int]:
    """By party what an account comes to: what was kept, and all since."""
    kept = select(LedgerBalance.party_id, LedgerBalance.total_fen)
    since = select(LedgerPosting.party_id, LedgerPosting.amount_fen)
    kept = kept.where(LedgerBalance.account == account)
    since = since.where(LedgerPosting.account == account, LedgerPosting.id > _counted_to())
    if parties is not None:
        kept = kept.where(LedgerBalance.party_id.in_(parties))
        since = since.where(LedgerPosting.party_id.in_(parties))
    party_id, amount_fen = union_all(kept, since).subquery().c
    return select(party_id, func.sum(amount_fen)).group_by(party_id)


def _counted_to() -> ColumnElement[int]:
    """Up to which posting balances were counted."""
    newest = select(func.max(LedgerBalance.counted_to)).scalar_subquery()
    return func.coalesce(newest, 0)


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
    told = [line for line in lines if line.amount_fen]
    entry = {
        "created_at": clock.now(),
        "event_key": f"{event}:{about}",
        "event": event,
        "order_id": order_id,
        "visit_id": visit_id,
        "lines": len(told) or None,  # A visit may cost nothing, and its cancelling be free.
        "sum_fen": 0,
    }
    entry_id = session.scalar(_INSERT_ENTRY, entry)
    running = accumulate(line.amount_fen for line in told)
    postings = [
        {
            "entry_id": entry_id,
            "number": number,
            "account": line.account,
            "party_id": line.party_id,
            "amount_fen": line.amount_fen,
            "running_fen": running_fen,
        }
        for number, (line, running_fen) in enumerate(zip(told, running, strict=True), 1)
    ]
    if postings:
        session.execute(_INSERT_POSTINGS, postings)
