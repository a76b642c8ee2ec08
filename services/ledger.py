"""The ledger: every business event books once, and what it books sums to zero."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from data.complaints import ExtraTime
from data.ledger import LedgerAccount, LedgerBalance, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit
from data.receipts import Receipt, ReceiptMethod
from data.repayments import Repayment
from services import clock
from services.access import Actor, Permission

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
    book(
        session,
        LedgerEvent.CONFIRMED,
        f"order:{order.id}",
        order.id,
        None,
        *_owed(order, total_fen),
    )


def book_extended(session: Session, order: Order, visit_ids: Sequence[int], total_fen: int) -> None:
    """The customer owes the price of visits that came to an order that stands already."""
    book(
        session,
        LedgerEvent.EXTENDED,
        f"visit:{visit_ids[0]}",
        order.id,
        visit_ids[0],
        *_owed(order, total_fen),
    )


def book_redeemed(session: Session, order: Order, visit: Visit) -> None:
    """A visit's price is earned: the caregiver's share (frozen until released), the platform's."""
    book(
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
    book(
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


def book_received(session: Session, receipt: Receipt) -> None:
    """A family paid: it owes so much less."""
    _book_receipt(session, LedgerEvent.RECEIVED, receipt, receipt.amount_fen)


def book_receipt_reversed(session: Session, receipt: Receipt) -> None:
    """A family did not pay after all: whoever the receipt is of now owes as much again."""
    _book_receipt(session, LedgerEvent.RECEIPT_REVERSED, receipt, -receipt.amount_fen)


def book_repaid(session: Session, repayment: Repayment) -> None:
    """A family got money back: it is in credit so much less."""
    _book_repayment(session, LedgerEvent.REPAID, repayment, repayment.amount_fen)


def book_repayment_reversed(session: Session, repayment: Repayment) -> None:
    """A family did not get it back after all."""
    _book_repayment(session, LedgerEvent.REPAYMENT_REVERSED, repayment, -repayment.amount_fen)


def _book_receipt(session: Session, event: LedgerEvent, receipt: Receipt, amount_fen: int) -> None:
    book(
        session,
        event,
        f"receipt:{receipt.id}",
        receipt.order_id,
        None,
        Line(_RECEIVED[receipt.method], amount_fen),
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, -amount_fen, receipt.customer_id),
    )


def _book_repayment(
    session: Session, event: LedgerEvent, repayment: Repayment, amount_fen: int
) -> None:
    book(
        session,
        event,
        f"repayment:{repayment.id}",
        None,
        None,
        Line(LedgerAccount.CUSTOMER_RECEIVABLE, amount_fen, repayment.customer_id),
        Line(_RECEIVED[repayment.method], -amount_fen),
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
        book(
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
    if party_id is None:
        return sum(_everybodys(session, account).values())
    return sum(total for _, total in session.execute(_totals(account, (party_id,))))


def balances(
    session: Session, account: LedgerAccount, party_ids: Sequence[int]
) -> dict[int | None, int]:
    """The balances in fen of several parties at once; who has none is not in it."""
    return {party: int(total) for party, total in session.execute(_totals(account, party_ids))}


def owed(session: Session, account: LedgerAccount) -> dict[int, int]:
    """What everybody is owed on an account in fen, by their numbers."""
    totals = _everybodys(session, account)
    return {party: -total for party, total in totals.items() if party is not None}


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


def _everybodys(session: Session, account: LedgerAccount) -> dict[int | None, int]:
    """By party what an account comes to, of all parties there are."""
    totals = defaultdict[int | None, int](int)
    known = session.scalar(_KNOWN)
    rows = session.execute(_EVERYBODYS, {"account": account, "known": known}).all()
    for party_id, total in rows:
        totals[party_id] += int(total)
    return totals


def _totals(account: LedgerAccount, parties: Sequence[int]) -> Select[int | None, int]:
    """By party what an account comes to: what was kept, and all since."""
    kept = select(LedgerBalance.party_id, LedgerBalance.total_fen)
    since = select(LedgerPosting.party_id, LedgerPosting.amount_fen)
    kept = kept.where(LedgerBalance.account == account)
    since = since.where(LedgerPosting.account == account, LedgerPosting.id > _counted_to())
    kept = kept.where(LedgerBalance.party_id.in_(parties))
    since = since.where(LedgerPosting.party_id.in_(parties))
    party_id, amount_fen = union_all(kept, since).subquery().c
    return select(party_id, func.sum(amount_fen)).group_by(party_id)


def _counted_to() -> ColumnElement[int]:
    """Up to which posting balances were counted."""
    newest = select(func.max(LedgerBalance.counted_to)).scalar_subquery()
    return func.coalesce(newest, 0)


_KNOWN = select(_counted_to())
# What was kept, and all since: read on from a number known beforehand, however many were counted
# meanwhile, and not by the account's index, or all there ever was of it is looked through.
_EVERYBODYS = union_all(
    select(LedgerBalance.party_id, LedgerBalance.total_fen).where(
        LedgerBalance.account == bindparam("account")
    ),
    select(LedgerPosting.party_id, func.sum(LedgerPosting.amount_fen))
    .where(
        func.trim(LedgerPosting.account) == bindparam("account"),
        LedgerPosting.id > _counted_to(),
        LedgerPosting.id > bindparam("known"),
    )
    .group_by(LedgerPosting.party_id),
)


def book(
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
