"""Invoices asked for while the money is taken or given back: never more than what a family paid."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account
from data.invoices import Invoice
from data.receipts import Receipt
from data.repayments import Repayment
from services import invoices, receipts, repayments
from services.errors import Conflict
from services.invoices import BuyerKind, InvoiceForm
from tests.factories import DESK, NANTONG, OPERATOR, ZHOU, make_receipt, receipt_form
from tests.races.rush import rush

pytestmark = pytest.mark.race


@pytest.fixture
def paid(database):
    """What Zhou, who lives in Nantong, paid: twice 80 yuan."""
    with engines.writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        return [make_receipt(session, reference=reference) for reference in ("one", "two")]


def ask(receipt_id, actor=ZHOU):
    whose = None if actor is ZHOU else ZHOU.id
    form = InvoiceForm((receipt_id,), BuyerKind.PERSONAL, "周晓燕", customer_id=whose)
    with engines.writing() as session:
        return invoices.ask(session, actor, form, f"invoice {receipt_id}")


def reverse(receipt_id):
    with engines.writing() as session:
        receipts.reverse(session, OPERATOR, receipt_id, "记错了")


def repay(key):
    form = receipt_form(amount="80", reference=key)
    with engines.writing() as session:
        return repayments.record(session, OPERATOR, form, key)


def sums():
    """What the family paid, got back, and what invoices hold, in fen."""
    with engines.reading() as session:
        standing = select(func.sum(Receipt.amount_fen)).where(Receipt.reversed_at.is_(None))
        others = (select(func.sum(one.amount_fen)) for one in (Repayment, Invoice))
        return tuple(session.scalar(one) or 0 for one in (standing, *others))


def refusals(outcomes):
    return sorted(one.key for one in outcomes if isinstance(one, Conflict))


def test_a_receipt_is_invoiced_or_taken_back_and_never_both(paid):
    deeds = [ask, reverse, lambda one: ask(one, DESK), reverse]
    outcomes = rush(lambda number: deeds[number](paid[0]), threads=4)

    received, repaid, held = sums()
    assert (received, repaid, held) in {(16000, 0, 8000), (8000, 0, 0)}
    taken_back = received == 8000
    assert refusals(outcomes) == (
        ["error.receipt_in_invoice"] * 2 + ["error.receipt_reversed_already"]
        if taken_back
        else ["error.receipt_in_invoice"] + ["error.receipt_to_be_invoiced"] * 2
    )


def test_invoices_and_money_given_back_share_what_was_paid(paid):
    deeds = [lambda: ask(paid[0]), lambda: ask(paid[1]), lambda: repay("a"), lambda: repay("b")]
    outcomes = rush(lambda number: deeds[number](), threads=4)

    received, repaid, held = sums()
    assert received == repaid + held == 16000
    assert set(refusals(outcomes)) <= {
        "error.nothing_to_invoice", "error.money_invoiced", "error.repays_too_much",
    }  # fmt: skip
    assert len(refusals(outcomes)) == 2


def test_taking_one_payment_back_leaves_what_an_invoice_of_another_holds(paid):
    repay("a")
    outcomes = rush(lambda number: (ask, reverse)[number](paid[number]), threads=2)

    received, repaid, held = sums()
    assert received - repaid - held >= 0
    assert len(refusals(outcomes)) == 1
