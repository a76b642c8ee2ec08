"""Statements of a caregiver's month: what she earned and was paid, as the ledger has it.

A balance is what she is owed, whether it is frozen, due or on its way, less what she owes: only
what arrived is paid.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit
from data.payouts import Payout, PayoutAccount
from services import audit, clock, recurrence, withholding
from services.access import Actor, Permission
from services.errors import NotFound
from services.withholding import TaxMode

__all__ = ["IncomeStatement", "LineKind", "StatementLine"]

# What a caregiver is owed, and what she owes, stands on these.
OWED = (
    LedgerAccount.CAREGIVER_FROZEN,
    LedgerAccount.CAREGIVER_PAYABLE,
    LedgerAccount.CAREGIVER_DEBT,
    LedgerAccount.PAYOUT_SENT,
)


class LineKind(StrEnum):
    """What a line is for."""

    VISIT = "visit"
    EXTRA_TIME = "extra_time"
    FEE = "fee"
    PENALTY = "penalty"
    FEE_REVERSED = "fee_reversed"
    REFUNDED = "refunded"
    REFUND_REVERSED = "refund_reversed"
    PAYOUT = "payout"
    OTHER = "other"


_KINDS = {
    LedgerEvent.REDEEMED: LineKind.VISIT,
    LedgerEvent.EXTRA_TIME: LineKind.EXTRA_TIME,
    LedgerEvent.CANCELLED: LineKind.FEE,
    LedgerEvent.FEE_REVERSED: LineKind.FEE_REVERSED,
    LedgerEvent.REFUNDED: LineKind.REFUNDED,
    LedgerEvent.REFUND_REVERSED: LineKind.REFUND_REVERSED,
    LedgerEvent.PAID_OUT: LineKind.PAYOUT,
}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What came to what she is owed in fen, or off it (negative), and the balance then."""

    kind: LineKind
    at: datetime
    amount_fen: int
    balance_fen: int = 0
    order_id: int | None = None
    item_id: int | None = None
    starts_at: datetime | None = None
    bank: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class IncomeStatement:
    """A month of a caregiver's in fen; balances are what she is owed before and after it.

    `withheld_fen` is what the payer should withhold of what was earned (None: not told here).
    """

    caregiver_id: int
    name: str
    city_code: str
    month: date
    opening_fen: int
    earned_fen: int
    paid_fen: int
    closing_fen: int
    withheld_fen: int | None
    lines: tuple[StatementLine, ...]


def months(session: Session, actor: Actor) -> list[date]:
    """The months there are statements of for the actor, the last first."""
    actor.require(Permission.READ_INCOME)
    return _months(session, actor.id or 0)


def mine(session: Session, actor: Actor, month: date) -> IncomeStatement:
    """The actor's own month."""
    actor.require(Permission.READ_INCOME)
    return _of(session, session.get_one(Caregiver, actor.id), month)


def of_caregiver(session: Session, actor: Actor, caregiver_id: int, month: date) -> IncomeStatement:
    """A caregiver's month for the operators of her city; every look leaves an audit row."""
    actor.require(Permission.SETTLE_PAY)
    caregiver = session.scalar(
        select(Caregiver).where(Caregiver.id == caregiver_id, Caregiver.city_code.in_(actor.cities))
    )
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    audit.record(session, actor, "open_income", "account", caregiver_id, month=f"{month:%Y-%m}")
    return _of(session, caregiver, month)


def _months(session: Session, caregiver_id: int) -> list[date]:
    first = session.scalar(
        select(func.min(LedgerEntry.created_at))
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .where(LedgerPosting.party_id == caregiver_id, LedgerPosting.account.in_(OWED))
    )
    last = clock.today().replace(day=1)
    found = [clock.in_city(first).date().replace(day=1) if first else last]
    while found[0] < last:
        found.insert(0, recurrence.next_month(found[0]))
    return found


def _of(session: Session, caregiver: Caregiver, month: date) -> IncomeStatement:
    since, until = recurrence.month_span(month)
    opening_fen = -(session.scalar(_sum_before(caregiver.id, since)) or 0)
    balance_fen, lines = opening_fen, list[StatementLine]()
    for line in _lines(session, session.execute(_posted(caregiver.id, since, until)).all()):
        balance_fen += line.amount_fen
        lines.append(replace(line, balance_fen=balance_fen))
    paid_fen = -sum(one.amount_fen for one in lines if one.kind is LineKind.PAYOUT)
    earned_fen = balance_fen - opening_fen + paid_fen
    rule = withholding.of(session, caregiver.city_code)
    told = rule.mode is not TaxMode.OFF
    return IncomeStatement(
        caregiver_id=caregiver.id,
        name=session.get_one(Account, caregiver.id).name,
        city_code=caregiver.city_code,
        month=month,
        opening_fen=opening_fen,
        earned_fen=earned_fen,
        paid_fen=paid_fen,
        closing_fen=balance_fen,
        withheld_fen=withholding.withheld_fen(earned_fen, rule) if told else None,
        lines=tuple(lines),
    )


def _sum_before(caregiver_id: int, moment: datetime) -> Select[int]:
    return (
        select(func.sum(LedgerPosting.amount_fen))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerPosting.party_id == caregiver_id,
            LedgerPosting.account.in_(OWED),
            LedgerEntry.created_at < moment,
        )
    )


def _posted(
    caregiver_id: int, since: datetime, until: datetime
) -> Select[int, datetime, LedgerEvent, str, int | None, LedgerAccount, int]:
    return (
        select(
            LedgerEntry.id,
            LedgerEntry.created_at,
            LedgerEntry.event,
            LedgerEntry.event_key,
            LedgerEntry.visit_id,
            LedgerPosting.account,
            LedgerPosting.amount_fen,
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerPosting.party_id == caregiver_id,
            LedgerPosting.account.in_(OWED),
            LedgerEntry.created_at >= since,
            LedgerEntry.created_at < until,
        )
        .order_by(LedgerEntry.created_at, LedgerEntry.id, LedgerPosting.number)
    )


def _lines(session: Session, rows: Sequence[Row]) -> Iterator[StatementLine]:
    """A line for each entry that changed what she is owed, two where a fee met a penalty.

    What only went from frozen to due, or on its way, changed nothing.
    """
    entries = defaultdict[int, list[Row]](list)
    for row in rows:
        entries[row.id].append(row)
    visits = _visits(session, {row.visit_id for row in rows if row.visit_id is not None})
    payouts = _payouts(session, {_number(row) for row in rows if row.event is LedgerEvent.PAID_OUT})
    for postings in entries.values():
        first = postings[0]
        line = StatementLine(_KINDS.get(first.event, LineKind.OTHER), first.created_at, 0)
        if (visit := visits.get(first.visit_id)) is not None:
            line = replace(
                line, order_id=visit.order_id, item_id=visit.item_id, starts_at=visit.starts_at
            )
        if first.event is LedgerEvent.PAID_OUT:
            account = payouts[_number(first)]
            line = replace(line, bank=account.bank, tail=account.tail)
        if first.event is LedgerEvent.CANCELLED:
            yield from _cancelled(line, postings)
        elif amount_fen := -sum(one.amount_fen for one in postings):
            yield replace(line, amount_fen=amount_fen)


def _cancelled(line: StatementLine, postings: Sequence[Row]) -> Iterator[StatementLine]:
    """Her part of the family's fee, and her penalty."""
    frozen = LedgerAccount.CAREGIVER_FROZEN
    fee_fen = -sum(one.amount_fen for one in postings if one.account is frozen)
    penalty_fen = -sum(one.amount_fen for one in postings if one.account is not frozen)
    for kind, amount_fen in ((LineKind.FEE, fee_fen), (LineKind.PENALTY, penalty_fen)):
        if amount_fen:
            yield replace(line, kind=kind, amount_fen=amount_fen)


def _visits(session: Session, ids: set[int]) -> dict[int, Row[int, int, datetime, int]]:
    rows = session.execute(
        select(Visit.id, Visit.order_id, Visit.starts_at, Order.item_id)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _payouts(session: Session, ids: set[int]) -> dict[int, Row[int, str, str]]:
    rows = session.execute(
        select(Payout.id, PayoutAccount.bank, PayoutAccount.tail)
        .join(PayoutAccount, PayoutAccount.id == Payout.account_id)
        .where(Payout.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _number(row: Row) -> int:
    """The payout that an entry was booked for, which its key names."""
    return int(row.event_key.rpartition(":")[2])
