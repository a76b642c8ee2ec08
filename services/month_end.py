"""The month's end of a city: what the ledger says of a month, tied to what was done.

Entries belong to the month they were booked in and are only ever added: what is told of a month
that is over does not change. Every figure is reckoned twice, from the deeds and from the ledger.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    String,
    Subquery,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order
from data.payouts import Payout, PayoutBatch
from data.receipts import Receipt, ReceiptMethod
from data.repayments import Repayment
from services import clock, month_deeds, recurrence, withholding
from services.access import Actor, Permission
from services.errors import NotFound
from services.withholding import TaxMode

__all__ = ["LedgerAccount", "LedgerEvent"]

RECEIVED = {
    ReceiptMethod.CASH: LedgerAccount.RECEIVED_CASH,
    ReceiptMethod.BANK: LedgerAccount.RECEIVED_BANK,
    ReceiptMethod.WECHAT: LedgerAccount.RECEIVED_WECHAT,
    ReceiptMethod.SPLIT: LedgerAccount.RECEIVED_SPLIT,
}
HERS = (
    LedgerAccount.CAREGIVER_FROZEN,
    LedgerAccount.CAREGIVER_PAYABLE,
    LedgerAccount.CAREGIVER_DEBT,
)
_OF_RECEIPTS = LedgerEvent.RECEIVED, LedgerEvent.RECEIPT_REVERSED
_OF_REPAYMENTS = LedgerEvent.REPAID, LedgerEvent.REPAYMENT_REVERSED
_OF_PAYOUTS = LedgerEvent.PAYOUT_SENT, LedgerEvent.PAID_OUT, LedgerEvent.PAYOUT_FAILED
_OF_REFUNDS = LedgerEvent.REFUNDED, LedgerEvent.REFUND_REVERSED

_OF_FEES = LedgerEvent.CANCELLED, LedgerEvent.FEE_REVERSED
_SUM = dict[tuple[LedgerAccount, LedgerEvent], int]


class Figure(StrEnum):
    """What is told of a month."""

    EARNED = "earned"
    EXTRA_TIME = "extra_time"
    COMMISSION = "commission"
    FEES = "fees"
    PENALTIES = "penalties"
    REFUNDS = "refunds"
    RECEIVED_CASH = "received_cash"
    RECEIVED_BANK = "received_bank"
    RECEIVED_WECHAT = "received_wechat"
    RECEIVED_SPLIT = "received_split"
    REPAID = "repaid"
    PAID_OUT = "paid_out"


@dataclass(frozen=True, slots=True)
class MonthLine:
    """A figure in fen from what was done, and from the ledger."""

    figure: Figure
    amount_fen: int
    ledger_fen: int

    @property
    def difference_fen(self) -> int:
        return self.amount_fen - self.ledger_fen


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account at the month's begin, by event within it, and at its end; debit positive."""

    account: LedgerAccount
    opening_fen: int
    moved_fen: dict[LedgerEvent, int]
    closing_fen: int

    @property
    def difference_fen(self) -> int:
        return self.opening_fen + sum(self.moved_fen.values()) - self.closing_fen


@dataclass(frozen=True, slots=True)
class CaregiverLine:
    """What a caregiver earned and was paid in the month, and what should be withheld of it."""

    id: int
    name: str
    earned_fen: int
    paid_fen: int
    withheld_fen: int | None


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """A month of a city; `over` says that nothing more comes to it."""

    city_code: str
    month: date
    over: bool
    orders: int
    visits: int
    lines: tuple[MonthLine, ...]
    accounts: tuple[AccountLine, ...]
    caregivers: tuple[CaregiverLine, ...]

    @property
    def ties(self) -> bool:
        """Whether every figure agrees with the ledger, and the ledger with itself."""
        told = (*self.lines, *self.accounts)
        return not any(one.difference_fen for one in told) and not sum(
            one.closing_fen for one in self.accounts
        )

    def balance_fen(self, account: LedgerAccount) -> int:
        return next((one.closing_fen for one in self.accounts if one.account is account), 0)

    def figure_fen(self, figure: Figure) -> int:
        return next(one.amount_fen for one in self.lines if one.figure is figure)


def months(session: Session, actor: Actor, city_code: str) -> list[date]:
    """The months of a city there is something to tell of, the last first."""
    actor.require(Permission.CLOSE_MONTH)
    check_city(actor, city_code)
    first = session.scalar(select(func.min(Order.created_at)).where(Order.city_code == city_code))
    found = [clock.in_city(first or clock.now()).date().replace(day=1)]
    while found[0] < clock.today().replace(day=1):
        found.insert(0, recurrence.next_month(found[0]))
    return found


def of(session: Session, actor: Actor, city_code: str, month: date) -> MonthEnd:
    """A month of a city of the actor's."""
    actor.require(Permission.CLOSE_MONTH)
    check_city(actor, city_code)
    return reckoned(session, city_code, month)


def check_city(actor: Actor, city_code: str) -> None:
    """Refuse what is no city of the actor's."""
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")


def reckoned(session: Session, city_code: str, month: date) -> MonthEnd:
    """The month as the ledger and the deeds have it; who calls has asked who may see it."""
    since, until = recurrence.month_span(month)
    accounts, booked = _booked(session, city_code, since, until)
    orders, visits = _counts(session, city_code, since, until)
    return MonthEnd(
        city_code=city_code,
        month=month.replace(day=1),
        over=until <= clock.now(),
        orders=orders,
        visits=visits,
        lines=tuple(_lines(session, city_code, since, until, booked)),
        accounts=accounts,
        caregivers=tuple(_caregivers(session, city_code, since, until)),
    )


def _entries(city_code: str, until: datetime) -> Subquery:
    """The entries of a city: of its orders, receipts, repayments and payouts, each once."""
    within = LedgerEntry.created_at < until
    columns = LedgerEntry.id, LedgerEntry.event, LedgerEntry.created_at
    of_orders = (
        select(*columns)
        .join(Order, Order.id == LedgerEntry.order_id)
        .where(Order.city_code == city_code, within)
    )
    of_receipts = (
        select(*columns)
        .join(Receipt, _names(_OF_RECEIPTS, "receipt", Receipt.id))
        .where(Receipt.city_code == city_code, Receipt.order_id.is_(None), within)
    )
    of_repayments = (
        select(*columns)
        .join(Repayment, _names(_OF_REPAYMENTS, "repayment", Repayment.id))
        .where(Repayment.city_code == city_code, within)
    )
    of_payouts = (
        select(*columns)
        .join(Payout, _names(_OF_PAYOUTS, "payout", Payout.id))
        .join(PayoutBatch, PayoutBatch.id == Payout.batch_id)
        .where(PayoutBatch.city_code == city_code, within)
    )
    return union_all(of_orders, of_receipts, of_repayments, of_payouts).subquery()


def _names(events: Iterable[LedgerEvent], noun: str, number: InstrumentedAttribute[int]):  # noqa: ANN202
    """The condition under which an entry's key names a row."""
    return or_(
        *(
            LedgerEntry.event_key == literal(f"{event}:{noun}:") + cast(number, String)
            for event in events
        )
    )


def _booked(
    session: Session, city_code: str, since: datetime, until: datetime
) -> tuple[tuple[AccountLine, ...], _SUM]:
    """The accounts from the month's begin to its end, and what was booked in it, in one look."""
    entries = _entries(city_code, until)
    amount = LedgerPosting.amount_fen
    rows = session.execute(
        select(
            LedgerPosting.account,
            entries.c.event,
            func.sum(amount).filter(entries.c.created_at < since),
            func.sum(amount).filter(entries.c.created_at >= since),
            func.sum(amount),
        )
        .join(entries, entries.c.id == LedgerPosting.entry_id)
        .group_by(LedgerPosting.account, entries.c.event)
    )
    opening, closing, booked = Counter[LedgerAccount](), Counter[LedgerAccount](), _SUM()
    for account, event, before, within, after in rows:
        opening[account] += int(before or 0)
        closing[account] += int(after)
        if within is not None:
            booked[account, event] = int(within)
    return tuple(_accounts(opening, booked, closing)), booked


def _accounts(
    opening: Counter[LedgerAccount], booked: _SUM, closing: Counter[LedgerAccount]
) -> Iterable[AccountLine]:
    for account in LedgerAccount:
        if account in closing:
            moved = {event: fen for (one, event), fen in booked.items() if one is account}
            yield AccountLine(account, opening[account], moved, closing[account])


def _counts(session: Session, city_code: str, since: datetime, until: datetime) -> tuple[int, int]:
    """How many orders were confirmed, and how many visits redeemed."""
    counted = (
        select(
            func.count().filter(LedgerEntry.event == LedgerEvent.CONFIRMED),
            func.count().filter(LedgerEntry.event == LedgerEvent.REDEEMED),
        )
        .join(Order, Order.id == LedgerEntry.order_id)
        .where(
            Order.city_code == city_code,
            LedgerEntry.event.in_((LedgerEvent.CONFIRMED, LedgerEvent.REDEEMED)),
            LedgerEntry.created_at >= since,
            LedgerEntry.created_at < until,
        )
    )
    orders, visits = session.execute(counted).one()
    return orders, visits


def _lines(
    session: Session, city_code: str, since: datetime, until: datetime, booked: _SUM
) -> Iterable[MonthLine]:
    def ledger(accounts: Iterable[LedgerAccount], events: Iterable[LedgerEvent]) -> int:
        wanted, of_events = set(accounts), set(events)
        return sum(
            fen for (account, event), fen in booked.items()
            if account in wanted and event in of_events
        )  # fmt: skip

    owed, committed = LedgerAccount.CUSTOMER_RECEIVABLE, LedgerAccount.ORDERS_COMMITTED
    ours, penalty = LedgerAccount.PLATFORM_FEE, LedgerAccount.PENALTY
    redeemed = LedgerEvent.REDEEMED, LedgerEvent.EXTRA_TIME
    total, commission = month_deeds.redeemed(session, city_code, since, until)
    extra, on_extra = month_deeds.extra(session, city_code, since, until)
    yield MonthLine(Figure.EARNED, total, ledger([committed], redeemed[:1]))
    yield MonthLine(Figure.EXTRA_TIME, extra, ledger([owed], redeemed[1:]))
    yield MonthLine(Figure.COMMISSION, commission + on_extra, -ledger([ours], redeemed))
    # Of what was called off the two sides of the ledger are told: debit and credit.
    fees = ledger([owed, committed], _OF_FEES)
    penalties = -ledger([penalty], _OF_FEES)
    yield MonthLine(Figure.FEES, fees, -ledger([*HERS, ours, penalty], _OF_FEES))
    yield MonthLine(Figure.PENALTIES, penalties, ledger([owed, committed, *HERS, ours], _OF_FEES))
    refunds = month_deeds.refunded(session, city_code, since, until)
    yield MonthLine(Figure.REFUNDS, refunds, -ledger([owed], _OF_REFUNDS))
    received = month_deeds.received(session, city_code, since, until)
    for method, account in RECEIVED.items():
        yield MonthLine(Figure(account), received[method], ledger([account], _OF_RECEIPTS))
    repaid = month_deeds.repaid(session, city_code, since, until)
    yield MonthLine(Figure.REPAID, repaid, -ledger(RECEIVED.values(), _OF_REPAYMENTS))
    paid = month_deeds.paid_out(session, city_code, since, until)
    paid_in_ledger = -ledger([LedgerAccount.PAID_OUT], [LedgerEvent.PAID_OUT])
    yield MonthLine(Figure.PAID_OUT, paid, paid_in_ledger)


def _caregivers(
    session: Session, city_code: str, since: datetime, until: datetime
) -> Iterable[CaregiverLine]:
    """What each caregiver of the city earned, wherever, and was paid; by name."""
    rule = withholding.of(session, city_code)
    paid = func.sum(LedgerPosting.amount_fen).filter(
        LedgerPosting.account == LedgerAccount.PAID_OUT
    )
    every = func.sum(LedgerPosting.amount_fen)
    accounts = (*HERS, LedgerAccount.PAYOUT_SENT, LedgerAccount.PAID_OUT)
    rows = session.execute(
        select(Caregiver.id, Account.name, every, paid)
        .join(Account, Account.id == Caregiver.id)
        .join(LedgerPosting, LedgerPosting.party_id == Caregiver.id)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            Caregiver.city_code == city_code,
            LedgerPosting.account.in_(accounts),
            LedgerEntry.created_at >= since,
            LedgerEntry.created_at < until,
        )
        .group_by(Caregiver.id, Account.name)
        .order_by(Account.name, Caregiver.id)
    )
    for caregiver_id, name, total, paid_fen in rows:
        earned_fen, told = -int(total), rule.mode is not TaxMode.OFF
        withheld_fen = withholding.withheld_fen(earned_fen, rule) if told else None
        if earned_fen or paid_fen:
            yield CaregiverLine(caregiver_id, name, earned_fen, -int(paid_fen or 0), withheld_fen)
