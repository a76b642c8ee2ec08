"""Families in credit as staff see them, and that their money went back."""

import pytest

from data.accounts import Account
from data.database import reading, writing
from services import repayments
from tests.books import owed_by
from tests.factories import DESK, NANTONG, OPERATOR, ZHOU, make_receipt, receipt_form
from tests.pages.screen import errors, opened, said, successes, words

PAGE, BILL = "pages/operator/receipts.py", "pages/customer/my_bill.py"
KEY = f"repayment_{ZHOU.id}"


@pytest.fixture
def credit(database):
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        make_receipt(session, amount="30")


def owed():
    with reading() as session:
        return owed_by(session, ZHOU)


def card(open_app, actor=OPERATOR):
    app = open_app(PAGE, actor)
    return app.text_input(key="payer_search").input("晓燕").run()


def record(app, **changes):
    app = opened(app, f"{KEY}_open").run()
    for field, value in changes.items():
        app.text_input(key=f"{KEY}_{field}").set_value(value)
    app.session_state[f"{KEY}_open"] = app.session_state[f"{KEY}_record_ask"] = True
    app.run()
    app.session_state[f"{KEY}_open"] = app.session_state[f"{KEY}_record_ask"] = True
    return app.button(key=f"{KEY}_record").click().run()


@pytest.mark.usefixtures("credit")
def test_who_is_in_credit_stands_in_the_queue(open_app):
    told = said(open_app(PAGE, DESK))
    assert words("repayments.queue") in told
    assert "¥30" in told


def test_an_empty_queue_says_what_comes_here(open_app):
    assert words("empty.repayments") in said(open_app(PAGE, OPERATOR))


@pytest.mark.usefixtures("credit")
def test_what_went_back_is_recorded_with_the_credit_already_there(open_app):
    app = record(card(open_app), reference="B-1")
    assert successes(app) == [words("repayments.recorded")]
    assert owed() == 0
    assert words("repayments.went_back") in said(card(open_app, DESK))


@pytest.mark.usefixtures("credit")
def test_too_much_is_refused_in_words_and_nothing_lost(open_app):
    app = record(card(open_app), amount="30.01", reference="B-1")
    assert errors(app) == [words("error.repays_too_much", credit_fen="¥30")]
    assert owed() == -3000


@pytest.mark.usefixtures("credit")
def test_an_operator_takes_a_mistake_back(open_app):
    with writing() as session:
        form = receipt_form(amount="30", reference="B-1")
        number = repayments.record(session, OPERATOR, form, "one")
    key = f"take_back_repayment_{number}"
    app = opened(card(open_app), f"{key}_ask")
    app.text_area(key=f"reason_{key}").set_value("记错了")
    assert successes(app.button(key=key).click().run()) == [words("repayments.taken_back")]
    assert owed() == -3000


@pytest.mark.usefixtures("credit")
def test_the_family_reads_that_it_paid_ahead(open_app):
    assert words("bill.ahead_means") in said(open_app(BILL, ZHOU))
