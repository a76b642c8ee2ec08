"""Payments as staff keep them, and the bill as the family reads it."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from data.accounts import Account
from data.database import reading, writing
from data.history import AuditEvent
from data.ledger import LedgerAccount
from services import clock as service_clock
from services import ledger, receipts
from services.receipts import ReceiptMethod
from tests.factories import (
    DESK,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHOU,
    empty_page,
    make_order,
    make_receipt,
    phone_of,
    receipt_form,
)
from tests.pages.screen import errors, opened, said, speak_english, successes, table, words

PAGE, BILL = "pages/operator/receipts.py", "pages/customer/my_bill.py"
KEY = f"receipt_{ZHOU.id}"


@pytest.fixture
def order_id(database):
    with writing() as session:
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).city_code = NANTONG
        return make_order(session)


@pytest.fixture
def receipt_id(order_id):
    with writing() as session:
        return make_receipt(session, order_id=order_id, amount="30", words=NASTY)


def kept():
    with reading() as session:
        return receipts.listing(session, OPERATOR)


def owed():
    with reading() as session:
        return ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, ZHOU.id)


def looks():
    with reading() as session:
        asked = select(func.count(AuditEvent.id)).where(AuditEvent.action == "open_statement")
        return session.scalar(asked)


def slip():
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(written, "PNG")
    return written.getvalue()


def metric(app):
    return app.metric[0].label, app.metric[0].value


def linked(open_app, actor, customer):
    app = open_app(PAGE, actor)
    app.query_params["customer"] = str(customer.id)
    return app.run()


def found(open_app, actor):
    app = open_app(PAGE, actor)
    return app.text_input(key="payer_search").set_value(phone_of(ZHOU)[-4:]).run()


class TestStaff:
    @pytest.mark.parametrize("actor", [DESK, OPERATOR])
    def test_a_payment_is_recorded_with_what_is_likely_filled_in(self, open_app, order_id, actor):
        app = found(open_app, actor)
        assert metric(app) == (words("bill.owed"), "¥80")
        assert app.text_input(key=f"{KEY}_amount").value == "80"
        assert app.date_input(key=f"{KEY}_day").value == service_clock.today()
        app.text_input(key=f"{KEY}_reference").set_value("TX-1")
        app.selectbox(key=f"{KEY}_order").set_value(order_id)
        app.button(key=f"{KEY}_record").click().run()

        assert successes(app) == [words("receipts.recorded")]
        [one] = kept()
        assert (one.amount_fen, one.method, one.reference) == (8000, ReceiptMethod.BANK, "TX-1")
        assert (one.order_id, one.received_on) == (order_id, service_clock.today())
        assert metric(app) == (words("bill.settled"), "¥0")
        assert app.text_input(key=f"{KEY}_amount").value == ""
        assert list(table(app)["reference"]) == ["TX-1"]

    def test_bad_input_is_answered_in_words_and_nothing_is_lost(self, open_app, order_id):
        app = found(open_app, DESK)
        app.text_input(key=f"{KEY}_amount").set_value("80.001")
        app.button(key=f"{KEY}_record").click().run()

        assert errors(app) == [words("error.amount_below_a_fen")]
        assert app.text_input(key=f"{KEY}_amount").value == "80.001"
        app.text_input(key=f"{KEY}_amount").set_value("80")
        app.button(key=f"{KEY}_record").click().run()
        assert errors(app) == [words("error.missing", field=words("field.reference"))]
        assert (kept(), owed()) == ([], 8000)

    def test_an_operator_takes_a_mistake_back(self, open_app, receipt_id, pick_row):
        key = f"reverse_receipt_{receipt_id}"
        pick_row(0)
        app = opened(open_app(PAGE, OPERATOR), f"{key}_ask")
        app.button(key=key).click().run()
        assert errors(app) == [words("error.missing", field=words("field.reason"))]
        opened(app, f"{key}_ask")
        app.text_area(key=f"reason_{key}").set_value("记错了家庭")
        app.button(key=key).click().run()

        assert successes(app) == [words("receipts.taken_back")]
        [one] = kept()
        assert (one.reversal_words, owed()) == ("记错了家庭", 8000)
        assert "记错了家庭" in said(app)
        assert key not in {button.key for button in app.button}

    def test_the_desk_does_not(self, open_app, receipt_id, pick_row):
        pick_row(0)
        app = open_app(PAGE, DESK)

        assert NASTY in said(app)
        folded = {block.label for block in app.expander}
        assert words("receipts.reverse") not in folded

    def test_a_statement_is_opened_on_record(self, open_app, receipt_id):
        app = linked(open_app, DESK, ZHOU)
        assert looks() == 0
        app = opened(app, f"statement_{ZHOU.id}_open")

        assert looks() == 1
        assert words("bill.received") in said(app)
        assert words("bill.balance", balance="¥50") in said(app)

    def test_of_several_families_one_is_picked(self, open_app, order_id):
        with writing() as session:
            session.get_one(Account, STRANGER.id).name = "周生面"
        app = open_app(PAGE, OPERATOR)
        app.text_input(key="payer_search").set_value("周").run()
        app.pills(key="payers_of_周").set_value(ZHOU.id).run()

        assert metric(app) == (words("bill.owed"), "¥80")
        app.text_input(key="payer_search").set_value("没有的人").run()
        assert words("empty.payers") in said(app)

    def test_the_list_is_of_the_chosen_days(self, open_app, receipt_id):
        app = open_app(PAGE, OPERATOR)
        assert list(table(app)["amount"]) == ["¥30"]
        long_ago = service_clock.today() - timedelta(days=60)
        app.date_input(key="receipt_days").set_value((long_ago, long_ago)).run()
        assert words("empty.receipts") in said(app)

    def test_a_proof_goes_along_and_staff_open_it_on_record(self, open_app, order_id, pick_row):
        app = found(open_app, DESK)
        app.text_input(key=f"{KEY}_reference").set_value("TX-1")
        app.file_uploader(key=f"{KEY}_proof").upload("a.png", b"nonsense", "image/png")
        app.button(key=f"{KEY}_record").click().run()
        assert errors(app) == [words("error.document_unreadable")]
        assert kept() == []

        app = found(open_app, DESK)
        app.text_input(key=f"{KEY}_reference").set_value("TX-1")
        app.file_uploader(key=f"{KEY}_proof").upload("a.png", slip(), "image/png")
        app.button(key=f"{KEY}_record").click().run()
        assert successes(app) == [words("receipts.recorded")]
        [one] = kept()
        pick_row(0)
        app = opened(open_app(PAGE, OPERATOR), f"receipt_{one.id}_proofs_open")
        assert words("receipts.proofs_audited") in said(app)

    def test_another_citys_family_is_none(self, open_app, order_id):
        with writing() as session:
            session.get_one(Account, STRANGER.id).city_code = "510500"
        app = linked(open_app, OPERATOR, STRANGER)
        assert errors(app) == [words("error.customer_not_found")]


class TestFamily:
    def test_it_reads_what_it_owes_newest_first(self, open_app, receipt_id):
        app = open_app(BILL, ZHOU)

        assert metric(app) == (words("bill.owed"), "¥50")
        shown = said(app)
        assert shown.index(words("bill.received")) < shown.index(words("bill.ordered"))
        assert "20300107" in shown
        assert NASTY not in shown

    def test_it_finds_the_proof_beside_its_payment(self, open_app, order_id):
        with writing() as session:
            receipts.record(session, DESK, receipt_form(amount="30"), "proven", [empty_page()])
        app = open_app(BILL, ZHOU)
        labels = [one.label for one in app.expander]
        assert words("receipts.proofs", count=1) in labels
        app = opened(app, f"my_bill_{kept()[0].id}_proofs_open")
        assert words("receipts.proofs_audited") not in said(app)

    def test_what_was_paid_ahead_is_said_as_such(self, open_app, order_id):
        with writing() as session:
            make_receipt(session, amount="100.50")
        assert metric(open_app(BILL, ZHOU)) == (words("bill.ahead"), "¥20.50")

    def test_a_long_bill_shows_more_on_demand(self, open_app, order_id):
        with writing() as session:
            for number in range(25):
                make_receipt(session, amount="1", reference=str(number))
        app = open_app(BILL, ZHOU)
        assert said(app).count(words("bill.received")) == 20
        app.button(key="my_bill_more").click().run()
        assert said(app).count(words("bill.received")) == 25

    def test_nothing_yet_is_said_in_both_languages(self, open_app, database):
        app = open_app(BILL, STRANGER)
        assert metric(app) == (words("bill.settled"), "¥0")
        assert words("empty.my_bill") in said(app)
        assert "Nothing on your account yet" in said(speak_english(app))
