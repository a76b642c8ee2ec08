"""The workbook of a city's month, its words as data/reference/month_workbook.toml has them."""

import io
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

import data
from data.accounts import Account
from data.payouts import Payout, PayoutAccount, PayoutBatch, PayoutStatus
from data.receipts import Receipt
from services import clock, month_end, prepared_files, recurrence
from services.month_end import MonthEnd
from services.wording import harmless

KIND = "month_end"
Row = Sequence[Any]


def make(session: Session, facts: dict[str, Any]) -> dict[str, Any]:
    """What the worker does: the workbook waits for whoever asked for it."""
    month = date.fromisoformat(facts["month"])
    name, content = made(session, facts["city_code"], month, facts["language"])
    prepared_files.keep(session, facts["account_id"], facts["about"], name, content)
    return {"bytes": len(content)}


def written(session: Session, told: MonthEnd, language: str) -> bytes:
    """The workbook: totals, balances, entries, receipts, payouts and caregivers, a sheet each."""
    said = _words()[language]
    book = Workbook(write_only=True)
    for sheet, rows in (
        ("figures", _figures(told, said)),
        ("accounts", _accounts(told, said)),
        ("events", _events(told, said)),
        ("receipts", _receipts(session, told, said)),
        ("payouts", _payouts(session, told, said)),
        ("caregivers", _caregivers(told, said)),
    ):
        page = book.create_sheet(said["sheets"][sheet])
        page.freeze_panes = "A2"
        for letter in "ABCDEFGHI":
            page.column_dimensions[letter].width = 20
        for row in rows:
            page.append([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    filled = io.BytesIO()
    book.save(filled)
    return filled.getvalue()


def made(session: Session, city_code: str, month: date, language: str) -> tuple[str, bytes]:
    """The name and the bytes of a month's workbook."""
    told = month_end.reckoned(session, city_code, month)
    name = f"carepilot-{KIND}-{city_code}-{month:%Y-%m}.xlsx"
    return name, written(session, told, language)


def of_month(city_code: str, month: date) -> Select[Receipt]:
    """The receipts that a month of a city recorded, or took back."""
    since, until = recurrence.month_span(month)
    recorded = (Receipt.created_at >= since) & (Receipt.created_at < until)
    reversed_ = (Receipt.reversed_at >= since) & (Receipt.reversed_at < until)
    return select(Receipt).where(Receipt.city_code == city_code, or_(recorded, reversed_))


def _figures(told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    column, named = said["columns"], said["figures"]
    yield [column[one] for one in ("figure", "amount", "ledger", "difference", "tied")]
    for line in told.lines:
        difference = line.difference_fen
        yield [
            named[line.figure], _yuan(line.amount_fen), _yuan(line.ledger_fen), _yuan(difference),
            "" if difference else said["yes"],
        ]  # fmt: skip
    yield [named["orders"], told.orders]
    yield [named["visits"], told.visits]
    yield [said["over" if told.over else "running"]]


def _accounts(told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    column = said["columns"]
    yield [column[one] for one in ("account", "opening", "moved", "closing", "difference", "tied")]
    for line in told.accounts:
        yield [
            said["accounts"][line.account], _yuan(line.opening_fen),
            _yuan(sum(line.moved_fen.values())), _yuan(line.closing_fen),
            _yuan(line.difference_fen), "" if line.difference_fen else said["yes"],
        ]  # fmt: skip


def _events(told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    yield [said["columns"][one] for one in ("account", "event", "yuan")]
    for line in told.accounts:
        for event, moved_fen in sorted(line.moved_fen.items()):
            yield [said["accounts"][line.account], said["events"][event], _yuan(moved_fen)]


def _receipts(session: Session, told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    column = said["columns"]
    yield [
        column[one] for one in ("number", "booked", "day", "method", "reference", "yuan",
                                "family", "order", "reversed")
    ]  # fmt: skip
    rows = of_month(told.city_code, told.month).order_by(Receipt.method, Receipt.id)
    for one in session.scalars(rows):
        yield [
            one.id, _moment(one.created_at), one.received_on, said["methods"][one.method],
            one.reference, _yuan(one.amount_fen), one.customer_id, one.order_id,
            _moment(one.reversed_at),
        ]  # fmt: skip


def _payouts(session: Session, told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    column = said["columns"]
    yield [column[one] for one in ("number", "settled", "caregiver", "bank", "tail", "yuan")]
    since, until = recurrence.month_span(told.month)
    rows = session.execute(
        select(Payout, Account.name, PayoutAccount.bank, PayoutAccount.tail)
        .join(PayoutBatch, PayoutBatch.id == Payout.batch_id)
        .join(Account, Account.id == Payout.caregiver_id)
        .join(PayoutAccount, PayoutAccount.id == Payout.account_id)
        .where(
            PayoutBatch.city_code == told.city_code,
            Payout.status == PayoutStatus.PAID,
            Payout.settled_at >= since,
            Payout.settled_at < until,
        )
        .order_by(Payout.id)
    )
    for payout, name, bank, tail in rows:
        settled = _moment(payout.settled_at)
        yield [payout.id, settled, name, bank, tail, _yuan(payout.amount_fen)]


def _caregivers(told: MonthEnd, said: dict[str, Any]) -> Iterable[Row]:
    column = said["columns"]
    yield [column[one] for one in ("number", "caregiver", "earned", "paid", "withheld")]
    for one in told.caregivers:
        withheld = None if one.withheld_fen is None else _yuan(one.withheld_fen)
        yield [one.id, one.name, _yuan(one.earned_fen), _yuan(one.paid_fen), withheld]


def _yuan(fen: int) -> float:
    return fen / 100


def _moment(at: datetime | None) -> datetime | None:
    """A moment by the clocks of the city; Excel knows no others."""
    return clock.in_city(at).replace(tzinfo=None) if at else None


@cache
def _words() -> dict[str, Any]:
    file = Path(data.__file__).parent / "reference" / "month_workbook.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
