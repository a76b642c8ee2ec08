"""The month's end: every figure ties to the ledger, and what is over does not change."""

import io
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import lists, sampled_from
from openpyxl import load_workbook

from data.accounts import Account
from data.receipts import Receipt
from data.tasks import Task
from services import (
    income_statements,
    ledger,
    month_end,
    month_packs,
    payout_accounts,
    prepared_files,
    receipts,
    refunds,
    repayments,
    tasks,
)
from services.errors import NotAllowed, NotFound
from services.month_end import Figure, LedgerAccount
from services.month_packs import Stage
from services.payout_accounts import AccountForm
from services.receipts import ReceiptMethod
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    cancel_order,
    make_order,
    make_receipt,
    make_redeemed_visit,
    receipt_form,
)
from tests.services.test_income_statements import do, pay_out

JANUARY, FEBRUARY = date(2030, 1, 1), date(2030, 2, 1)


@pytest.fixture(autouse=True)
def at_home(session):
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    payout_accounts.keep(session, LI, AccountForm("工商银行", "李桂兰", "6222021234567890128"))


def told(session, month=JANUARY):
    session.flush()
    seen = month_end.of(session, OPERATOR, NANTONG, month)
    assert seen.ties
    return {one.figure: one.amount_fen for one in seen.lines if one.amount_fen}


def test_a_month_with_all_that_can_come(session, clock):
    visit_id = make_redeemed_visit(session)
    refunds.grant(session, OPERATOR, visit_id, 3000, 1000, "迟到", request_key="1")
    late = make_order(session, starts_at=clock() + timedelta(hours=10))
    clock.move(hours=8)
    cancel_order(session, ZHOU, late)
    cancel_order(session, LI, make_order(session, starts_at=clock() + timedelta(hours=5)))
    make_receipt(session, method=ReceiptMethod.CASH, amount="10", reference="")
    mistake = make_receipt(session, amount="80")
    receipts.reverse(session, OPERATOR, mistake, "记错了")
    make_receipt(session, method=ReceiptMethod.WECHAT, amount="20")
    clock.move(days=10)
    pay_out(session)

    seen = told(session)
    assert set(seen) == {
        Figure.EARNED, Figure.COMMISSION, Figure.FEES, Figure.PENALTIES, Figure.REFUNDS,
        Figure.RECEIVED_CASH, Figure.RECEIVED_WECHAT, Figure.PAID_OUT,
    }  # fmt: skip
    assert (seen[Figure.EARNED], seen[Figure.REFUNDS]) == (8000, 3000)
    assert (seen[Figure.RECEIVED_CASH], seen[Figure.RECEIVED_WECHAT]) == (1000, 2000)
    full = month_end.of(session, OPERATOR, NANTONG, JANUARY)
    owed_fen = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE)
    assert full.balance_fen(LedgerAccount.CUSTOMER_RECEIVABLE) == owed_fen
    assert (full.orders, full.visits) == (3, 1)
    [hers] = full.caregivers
    statement = income_statements.mine(session, LI, JANUARY)
    assert (hers.earned_fen, hers.paid_fen) == (statement.earned_fen, statement.paid_fen)


def test_what_is_over_does_not_change(session, clock):
    visit_id = make_redeemed_visit(session)
    receipt_id = make_receipt(session)
    clock.move(days=31)
    session.flush()
    before = month_end.of(session, OPERATOR, NANTONG, JANUARY)
    assert before.over
    receipts.reverse(session, OPERATOR, receipt_id, "记错了")
    refunds.grant(session, OPERATOR, visit_id, 3000, 1000, "迟到", request_key="1")
    pay_out(session)

    session.flush()
    assert month_end.of(session, OPERATOR, NANTONG, JANUARY) == before
    assert told(session, FEBRUARY)[Figure.RECEIVED_BANK] == -8000
    after = month_end.of(session, OPERATOR, NANTONG, FEBRUARY)
    closing = {one.account: one.closing_fen for one in before.accounts}
    assert {one.account: one.opening_fen for one in after.accounts if one.opening_fen} == {
        account: fen for account, fen in closing.items() if fen
    }


def test_a_figure_that_differs_is_told(session):
    make_redeemed_visit(session)
    session.flush()
    receipt_id = make_receipt(session, amount="80")
    session.get_one(Receipt, receipt_id).amount_fen = 7900
    session.flush()

    seen = month_end.of(session, OPERATOR, NANTONG, JANUARY)
    wrong = {one.figure: one.difference_fen for one in seen.lines if one.difference_fen}
    assert (seen.ties, wrong) == (False, {Figure.RECEIVED_BANK: -100})


def test_another_city_has_none_of_it(session):
    make_redeemed_visit(session)
    session.flush()
    with pytest.raises(NotFound, match="city_not_found"):
        month_end.of(session, FAR_OPERATOR, NANTONG, JANUARY)
    with pytest.raises(NotAllowed):
        month_end.of(session, DESK, NANTONG, JANUARY)
    [code] = FAR_OPERATOR.cities
    assert month_end.of(session, FAR_OPERATOR, code, JANUARY).accounts == ()


def test_the_workbook_says_the_same_and_no_cell_is_a_formula(session):
    make_redeemed_visit(session)
    make_receipt(session, reference="=1+1", words="@x")
    session.get_one(Account, LI.id).name = "=HYPERLINK(1)"
    session.flush()
    ticket = month_packs.prepare(session, OPERATOR, NANTONG, JANUARY, "zh_CN")
    name, content = prepared_files.take(session, OPERATOR, ticket)

    assert name == "carepilot-month_end-320600-2030-01.xlsx"
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["总览", "账户余额", "账务明细", "收款核对", "打款", "陪护员"]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    earned = [cell.value for cell in book["总览"][2]]
    assert earned == ["服务收入", 80, 80, 0, "✓"]
    assert book["收款核对"][2][4].value == "'=1+1"
    english = month_packs.prepare(session, OPERATOR, NANTONG, JANUARY, "en")
    _, content = prepared_files.take(session, OPERATOR, english)
    assert load_workbook(io.BytesIO(content)).sheetnames[0] == "Totals"


def test_a_large_month_is_made_by_the_worker_once(session, monkeypatch):
    monkeypatch.setattr(month_packs, "MOST_AT_ONCE", 0)
    make_order(session)
    make_receipt(session)
    session.flush()
    asked = NANTONG, JANUARY, "zh_CN"
    assert month_packs.stage(session, OPERATOR, *asked) is Stage.NONE
    for _ in range(2):
        assert month_packs.prepare(session, OPERATOR, *asked) is None
    assert month_packs.stage(session, OPERATOR, *asked) is Stage.BEING_MADE
    done = []
    while (task_id := tasks.lease_next(session, "worker")) is not None:
        tasks.do(session, task_id)
        session.flush()
        done.append(session.get_one(Task, task_id).kind)
    assert done.count("month_end") == 1
    assert month_packs.stage(session, OPERATOR, *asked) is Stage.READY
    name, content = prepared_files.take(
        session, OPERATOR, month_packs.prepare(session, OPERATOR, *asked)
    )
    assert name.endswith(".xlsx")
    assert content.startswith(b"PK")
    assert month_packs.stage(session, OPERATOR, *asked) is Stage.NONE


def test_what_nobody_comes_for_is_dropped(session, clock):
    prepared_files.keep(session, OPERATOR.id, "x", "x.xlsx", b"x")
    session.flush()
    clock.move(days=2)
    assert not prepared_files.waits(session, OPERATOR, "x")
    with pytest.raises(NotFound):
        prepared_files.claim(session, OPERATOR, "x")


DEEDS = (
    "visit", "refund", "late cancelling", "her cancelling", "release", "pay out", "came back",
    "a week", "receipt", "receipt for no order", "repayment",
)  # fmt: skip


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=lists(sampled_from(DEEDS), min_size=4, max_size=8))
def test_whatever_happened_every_month_ties(session, clock, deeds):
    with session.begin_nested() as undone:
        for number, deed in enumerate(deeds):
            if deed == "repayment":
                make_receipt(session, reference=f"{number}", amount="1000")
                paid_back = receipt_form(amount="1", reference=f"back {number}")
                made = repayments.record(session, OPERATOR, paid_back, f"{number}")
                if number % 2:
                    repayments.take_back(session, OPERATOR, made, "记错了")
            elif deed.startswith("receipt"):
                order_id = None
                if deed == "receipt":
                    order_id = make_order(
                        session, caregiver=ZHAO, starts_at=clock() + timedelta(days=2 + 2 * number)
                    )
                made = make_receipt(session, reference=f"{number}", order_id=order_id)
                if number % 2:
                    receipts.reverse(session, OPERATOR, made, "记错了")
            else:
                do(session, clock, deed)
        session.flush()
        for month in month_end.months(session, OPERATOR, NANTONG):
            told(session, month)
        last = month_end.of(
            session, OPERATOR, NANTONG, month_end.months(session, OPERATOR, NANTONG)[0]
        )
        for account in LedgerAccount:
            assert last.balance_fen(account) == ledger.balance(session, account)
        undone.rollback()
