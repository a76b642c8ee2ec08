"""The month's end on screen, and a caregiver's month: tied, opened on record, taken along."""

import pytest
from sqlalchemy import func, select

from data.accounts import Account
from data.database import reading, writing
from data.history import AuditEvent
from tests.factories import LI, NANTONG, OPERATOR, ZHOU, make_receipt, make_redeemed_visit
from tests.pages.screen import said, speak_english, words

PAGE, INCOME, BILL = (
    "pages/operator/month_end.py", "pages/caregiver/income.py", "pages/customer/my_bill.py",
)  # fmt: skip


@pytest.fixture
def worked(database):
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        make_redeemed_visit(session)
        make_receipt(session, amount="30")


def looks():
    with reading() as session:
        asked = select(func.count(AuditEvent.id)).where(AuditEvent.action == "open_income")
        return session.scalar(asked)


def metrics(app):
    return {one.label: one.value for one in app.metric}


def test_a_month_ties_and_says_so(open_app, worked):
    app = open_app(PAGE, OPERATOR)

    assert not app.exception
    assert words("month_end.ties") in [one.value for one in app.success]
    shown = metrics(app)
    assert shown[words("month_end.earned")] == "¥80"
    assert shown[words("month_end.received")] == "¥30"
    assert shown[words("month_end.receivable")] == "¥50"
    figures, accounts, caregivers = (one.value for one in app.dataframe)
    assert set(figures["tied"]) == set(accounts["tied"]) == {"✓"}
    assert list(caregivers["earned"]) == ["¥68"]
    assert looks() == 0
    assert "Month end" in [one.value for one in speak_english(app).title]


def test_a_caregivers_month_is_opened_on_record(open_app, worked, pick_row):
    pick_row(0)
    app = open_app(PAGE, OPERATOR)

    assert not app.exception
    assert looks() == 1
    assert metrics(app)[words("statement.earned")] == "¥68"


def test_a_month_without_anything_says_what_to_do(open_app, database):
    assert words("empty.month_end") in said(open_app(PAGE, OPERATOR))


@pytest.mark.parametrize(
    ("page", "actor", "about"),
    [
        (PAGE, OPERATOR, "month_end"),
        (INCOME, LI, "income_statement"),
        (BILL, ZHOU, "bill"),
    ],
)
def test_papers_are_made_for_who_asks(open_app, worked, monkeypatch, page, actor, about):
    monkeypatch.setattr("components.session.without_routes", lambda: False)
    app = open_app(page, actor)
    [button] = [one for one in app.button if str(one.key).startswith(f"take_{about}")]
    app = button.click().run()

    assert not app.exception
    assert words("extracts.ready") in said(app)


def test_her_month_tells_tax_and_ties(open_app, worked):
    app = open_app(INCOME, LI)

    assert not app.exception
    assert metrics(app)[words("statement.closing")] == "¥68"
    told = words("statement.withheld_about", amount="¥0")
    assert told in [one.value for one in app.info]
