"""Invoices as families ask for them, and as operators see to them."""

import pytest

from data.accounts import Account
from data.database import reading, writing
from services import invoices, repayments
from services.invoices import BuyerKind, InvoiceForm, InvoiceStatus
from tests.factories import DESK, NANTONG, NASTY, OPERATOR, ZHOU, make_receipt, receipt_form
from tests.pages.screen import confirm, errors, opened, questions, said, successes, words

PAGE, BILL, RECEIPTS = (
    "pages/operator/invoices.py", "pages/customer/my_bill.py", "pages/operator/receipts.py",
)  # fmt: skip
NUMBER = "30320000000000000001"


@pytest.fixture
def receipt_id(database):
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        return make_receipt(session)


@pytest.fixture
def invoice_id(receipt_id):
    with writing() as session:
        asked = InvoiceForm((receipt_id,), BuyerKind.PERSONAL, NASTY)
        return invoices.ask(session, ZHOU, asked, "one click")


def kept():
    with reading() as session:
        return invoices.of_customer(session, ZHOU)


def test_a_family_asks_and_withdraws(open_app, receipt_id):
    app = opened(open_app(BILL, ZHOU), "ask_invoice_me_open")
    app.segmented_control(key="ask_invoice_me_buyer").set_value(BuyerKind.COMPANY).run()
    opened(app, "ask_invoice_me_open")
    app.multiselect(key="ask_invoice_me_receipts_None").set_value([receipt_id])
    app.text_input(key="ask_invoice_me_title").set_value("演示公司")
    app.text_input(key="ask_invoice_me_tax").set_value("91320600MA00000003")
    app.button(key="ask_invoice_me").click().run()
    assert errors(app) == [words("error.tax_number_mistyped")]
    assert app.text_input(key="ask_invoice_me_title").value == "演示公司"
    opened(app, "ask_invoice_me_open")
    app.text_input(key="ask_invoice_me_tax").set_value("91320600MA00000002")
    app.button(key="ask_invoice_me").click().run()
    assert successes(app) == [words("invoices.asked")]
    [one] = kept()
    assert (one.amount_fen, one.buyer) == (8000, BuyerKind.COMPANY)

    app = confirm(open_app(BILL, ZHOU), f"withdraw_invoice_{one.id}")
    assert successes(app) == [words("invoices.withdrawn")]
    assert kept()[0].status is InvoiceStatus.WITHDRAWN


def test_what_has_gone_back_is_said_and_not_invoiced(open_app, receipt_id):
    with writing() as session:
        repayments.record(session, OPERATOR, receipt_form(amount="30", reference="back"), "back")
    app = opened(open_app(BILL, ZHOU), "ask_invoice_me_open")
    assert words("invoices.most", most="¥50") in said(app)
    app.multiselect(key="ask_invoice_me_receipts_None").set_value([receipt_id])
    app.text_input(key="ask_invoice_me_title").set_value("周晓燕")
    app.button(key="ask_invoice_me").click().run()
    [one] = kept()
    assert one.amount_fen == 5000
    app = opened(open_app(BILL, ZHOU), f"invoice_{one.id}_buyer_open")
    assert words("invoices.part", amount="¥50") in said(app)
    app = opened(open_app(BILL, ZHOU), "ask_invoice_me_open")
    assert words("invoices.nothing_free") in said(app)


def test_a_month_chooses_all_its_payments(open_app, receipt_id):
    app = opened(open_app(BILL, ZHOU), "ask_invoice_me_open")
    [_, month] = app.selectbox(key="ask_invoice_me_month").options
    app.selectbox(key="ask_invoice_me_month").select(month).run()
    opened(app, "ask_invoice_me_open")
    [chosen] = [one for one in app.multiselect if one.key.startswith("ask_invoice_me_receipts")]
    assert chosen.value == [receipt_id]


def test_the_desk_asks_for_a_caller(open_app, receipt_id):
    key = f"ask_invoice_{ZHOU.id}"
    app = open_app(RECEIPTS, DESK)
    app.query_params["customer"] = str(ZHOU.id)
    app = opened(app.run(), f"{key}_open")
    app.multiselect(key=f"{key}_receipts_None").set_value([receipt_id])
    app.text_input(key=f"{key}_title").set_value("周晓燕")
    app.button(key=key).click().run()
    assert successes(app) == [words("invoices.asked")]


def test_an_operator_opens_issues_and_cancels(open_app, invoice_id):
    app = open_app(PAGE, OPERATOR)
    assert NASTY not in said(app)
    assert f"withdraw_invoice_{invoice_id}" not in questions(app)
    app = opened(app, f"invoice_{invoice_id}_buyer_open")
    assert NASTY in said(app)

    key = f"issue_invoice_{invoice_id}"
    app = opened(open_app(PAGE, OPERATOR), f"{key}_ask")
    app.text_input(key=f"{key}_number").set_value("123")
    app.button(key=key).click().run()
    assert errors(app) == [words("error.invoice_number")]
    opened(app, f"{key}_ask")
    app.text_input(key=f"{key}_number").set_value(NUMBER)
    app.button(key=key).click().run()
    assert successes(app) == [words("invoices.issued")]
    assert words("empty.invoices") in said(app)

    key = f"cancel_invoice_{invoice_id}"
    app = open_app(PAGE, OPERATOR)
    app.segmented_control(key="invoice_status").set_value(InvoiceStatus.ISSUED).run()
    app = opened(app, f"{key}_ask")
    app.text_input(key=f"{key}_number").set_value(NUMBER[:-1] + "2")
    app.text_area(key=f"reason_{key}").set_value("抬头开错")
    app.button(key=key).click().run()
    assert successes(app) == [words("invoices.cancelled")]
    assert kept()[0].status is InvoiceStatus.CANCELLED


def test_an_operator_refuses_with_a_reason_that_the_family_reads(open_app, invoice_id):
    key = f"refuse_invoice_{invoice_id}"
    app = opened(open_app(PAGE, OPERATOR), f"{key}_ask")
    app.text_area(key=f"reason_{key}").set_value("抬头和税号对不上")
    app.button(key=key).click().run()

    assert successes(app) == [words("invoices.refused")]
    assert "抬头和税号对不上" in said(open_app(BILL, ZHOU))
