"""Statements of account: all that a family owed and paid, line by line as the ledger has it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row, Select, exists, func, literal, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit, VisitStatus
from data.receipts import Receipt, ReceiptMethod
from data.repayments import Repayment
from services import audit, customers
from services.access import Actor, Permission, Role
from services.errors import NotFound

__all__ = ["Statement", "StatementKind", "StatementLine"]


class StatementKind(StrEnum):
    """What a line is for."""

    ORDERED = "ordered"
    CANCELLED = "cancelled"
    FEE = "fee"
    FEE_REVERSED = "fee_reversed"
    EXTRA_TIME = "extra_time"
    RECEIVED = "received"
    RECEIPT_REVERSED = "receipt_reversed"
    REFUNDED = "refunded"
    REFUND_REVERSED = "refund_reversed"
    REPAID = "repaid"
    REPAYMENT_REVERSED = "repayment_reversed"
    MERGED = "merged"


_KINDS = {
    LedgerEvent.CONFIRMED: StatementKind.ORDERED,
    LedgerEvent.EXTENDED: StatementKind.ORDERED,
    LedgerEvent.CANCELLED: StatementKind.CANCELLED,
    LedgerEvent.FEE_REVERSED: StatementKind.FEE_REVERSED,
    LedgerEvent.EXTRA_TIME: StatementKind.EXTRA_TIME,
    LedgerEvent.RECEIVED: StatementKind.RECEIVED,
    LedgerEvent.RECEIPT_REVERSED: StatementKind.RECEIPT_REVERSED,
    LedgerEvent.REFUNDED: StatementKind.REFUNDED,
    LedgerEvent.REFUND_REVERSED: StatementKind.REFUND_REVERSED,
    LedgerEvent.REPAID: StatementKind.REPAID,
    LedgerEvent.REPAYMENT_REVERSED: StatementKind.REPAYMENT_REVERSED,
    LedgerEvent.MERGED: StatementKind.MERGED,
}
_OF_RECEIPTS = LedgerEvent.RECEIVED, LedgerEvent.RECEIPT_REVERSED
_OF_REPAYMENTS = LedgerEvent.REPAID, LedgerEvent.REPAYMENT_REVERSED


_Money = TypeVar("_Money", Receipt, Repayment)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What was added to what a family owes, or came off it (negative), and the balance then.

    Of an order or a payment in a city that is not the reader's it tells the amount alone.
    """

    kind: StatementKind
    at: datetime
    amount_fen: int
    balance_fen: int = 0
    order_id: int | None = None
    item_id: int | None = None
    starts_at: datetime | None = None
    method: ReceiptMethod | None = None
    reference: str = ""
    received_on: date | None = None
    receipt_id: int | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """What a family owes now in fen (less than nothing: it has paid ahead), oldest line first.

    What is owed is for visits to come, too: how much of it, `coming_fen` says.
    """

    owed_fen: int
    coming_fen: int
    lines: tuple[StatementLine, ...]
    customer_id: int
    name: str


def mine(session: Session, actor: Actor) -> Statement:
    """The actor's own statement."""
    actor.require(Permission.READ_BILL)
    return _of(session, actor, actor.id or 0)


def of_customer(session: Session, actor: Actor, customer_id: int) -> Statement:
    """A family's statement for the staff of its cities; every look leaves an audit row."""
    actor.require(Permission.RECORD_RECEIPT)
    known = customers.ids(actor).where(Account.id == customer_id)
    if session.scalar(known) is None:
        raise NotFound("error.customer_not_found")
    audit.record(session, actor, "open_statement", "account", customer_id)
    return _of(session, actor, customer_id)


def coming(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """What these families owe, in fen, for visits that were not begun yet; none, no entry."""
    rows = session.execute(
        select(Order.customer_id, func.sum(Visit.total_fen))
        .join(Visit, Visit.order_id == Order.id)
        .where(Order.customer_id.in_(customer_ids), Visit.status == VisitStatus.PLANNED)
        .group_by(Order.customer_id)
    )
    return {customer_id: int(total) for customer_id, total in rows}


@dataclass(frozen=True, slots=True)
class _Told:
    """All that is told beside the postings of one family, asked once for all of them."""

    orders: Mapping[int, Row[int, int, str]]
    visits: Mapping[int, Sequence[Row[int, int, datetime, int]]]
    receipts: Mapping[int, Receipt]
    repayments: Mapping[int, Repayment]


def _of(session: Session, actor: Actor, customer_id: int) -> Statement:
    posted = session.execute(_posted(customer_id)).all()
    order_ids = {row.order_id for row in posted if row.order_id is not None}
    unchanged = session.execute(_without_change(order_ids)).all()
    told = _told(session, order_ids, posted)
    lines, balance_fen = list[StatementLine](), 0
    for row in sorted((*posted, *unchanged), key=lambda one: (one.created_at, one.id)):
        for line in _lines(told, row, actor):
            balance_fen += line.amount_fen
            lines.append(replace(line, balance_fen=balance_fen))
    coming_fen = coming(session, [customer_id]).get(customer_id, 0)
    name = session.get_one(Account, customer_id).name
    return Statement(balance_fen, coming_fen, tuple(lines), customer_id, name)


_ENTRY = (
    LedgerEntry.id,
    LedgerEntry.created_at,
    LedgerEntry.event,
    LedgerEntry.event_key,
    LedgerEntry.order_id,
    LedgerEntry.visit_id,
)


def _posted(customer_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(LedgerPosting.amount_fen, *_ENTRY)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerPosting.account == LedgerAccount.CUSTOMER_RECEIVABLE,
            LedgerPosting.party_id == customer_id,
        )
    )


def _without_change(order_ids: Collection[int]) -> Select[*tuple[Any, ...]]:
    """Cancelled visits of these orders whose fee is their price: nothing was posted of them."""
    owing = exists().where(
        LedgerPosting.entry_id == LedgerEntry.id,
        LedgerPosting.account == LedgerAccount.CUSTOMER_RECEIVABLE,
    )
    return select(literal(0).label("amount_fen"), *_ENTRY).where(
        LedgerEntry.event == LedgerEvent.CANCELLED, LedgerEntry.order_id.in_(order_ids), ~owing
    )


def _told(session: Session, order_ids: Collection[int], posted: Sequence[Row]) -> _Told:
    orders = session.execute(
        select(Order.id, Order.item_id, Order.city_code).where(Order.id.in_(order_ids))
    )
    visits = defaultdict[int, list[Row[int, int, datetime, int]]](list)
    for visit in session.execute(
        select(Visit.id, Visit.order_id, Visit.starts_at, Visit.total_fen)
        .where(Visit.order_id.in_(order_ids))
        .order_by(Visit.id)
    ):
        visits[visit.order_id].append(visit)
    return _Told(
        {one.id: one for one in orders},
        visits,
        _of_money(session, Receipt, posted, _OF_RECEIPTS),
        _of_money(session, Repayment, posted, _OF_REPAYMENTS),
    )


def _of_money(
    session: Session, table: type[_Money], posted: Sequence[Row], events: Collection[LedgerEvent]
) -> dict[int, _Money]:
    """The receipts, or the repayments, that these entries were booked for."""
    ids = {_money_id(row) for row in posted if row.event in events}
    return {one.id: one for one in session.scalars(select(table).where(table.id.in_(ids)))}


def _lines(told: _Told, row: Row, actor: Actor) -> Iterable[StatementLine]:
    """What one posting consists of; all its lines together come to its amount."""
    line = StatementLine(_KINDS[row.event], row.created_at, row.amount_fen)
    receipt = told.receipts.get(_money_id(row)) if row.event in _OF_RECEIPTS else None
    repaid = told.repayments.get(_money_id(row)) if row.event in _OF_REPAYMENTS else None
    money = receipt or repaid
    order = told.orders.get(row.order_id)
    city_code = money.city_code if money else order.city_code if order else None
    if actor.role is not Role.CUSTOMER and city_code and city_code not in actor.cities:
        return [replace(line, elsewhere=True)] if line.amount_fen else []
    line = replace(line, order_id=row.order_id, item_id=order.item_id if order else None)
    if money is not None:
        on = receipt.received_on if receipt else repaid.repaid_on if repaid else None
        line = replace(line, receipt_id=receipt.id if receipt else None)
        return [replace(line, method=money.method, reference=money.reference, received_on=on)]
    return _of_visits(line, row, told.visits.get(row.order_id, ()))


def _of_visits(line: StatementLine, row: Row, visits: Sequence[Row]) -> Iterator[StatementLine]:
    """One line for each visit that was ordered, two for one that was cancelled at a fee."""
    if line.kind is StatementKind.ORDERED:
        together = _ordered(visits, row.visit_id or 0, row.amount_fen)
        for one in together:
            yield replace(line, amount_fen=one.total_fen, starts_at=one.starts_at)
        if not together:
            yield line
        return
    visit = next((one for one in visits if one.id == row.visit_id), None)
    if visit is None:
        yield line
        return
    line = replace(line, starts_at=visit.starts_at)
    if line.kind is not StatementKind.CANCELLED:
        yield line
        return
    if visit.total_fen:
        yield replace(line, amount_fen=-visit.total_fen)
    if fee_fen := row.amount_fen + visit.total_fen:
        yield replace(line, kind=StatementKind.FEE, amount_fen=fee_fen)


def _ordered(visits: Iterable[Row], first_id: int, amount_fen: int) -> Sequence[Row]:
    """The visits booked together: from the first on, as many as come to the amount exactly.

    None if no number of them does: then the amount is told without its visits.
    """
    found, left_fen = list[Row](), amount_fen
    for visit in visits:
        if visit.id < first_id or not visit.total_fen:
            continue
        found.append(visit)
        left_fen -= visit.total_fen
        if left_fen <= 0:
            break
    return found if left_fen == 0 else ()


def _money_id(row: Row) -> int:
    """The receipt or repayment that an entry was booked for, which its key names."""
    return int(row.event_key.rpartition(":")[2])
