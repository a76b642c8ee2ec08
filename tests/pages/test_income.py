"""A caregiver's income: what waits, what can be paid, visit by visit."""

from data.database import writing
from services import complaints, income
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from tests.factories import LI, NASTY, ZHAO, ZHOU, make_redeemed_visit
from tests.pages.screen import said, speak_english, words

PAGE = "pages/caregiver/income.py"


def metrics(app):
    return {metric.label: metric.value for metric in app.main.metric}


def test_pay_waits_then_can_be_paid_then_rests_for_a_complaint(open_app, clock):
    with writing() as session:
        visit_id = make_redeemed_visit(session, words=NASTY)
    app = open_app(PAGE, LI)
    assert metrics(app)[words("income.frozen")] == "¥68"
    assert metrics(app)[words("income.payable")] == "¥0"
    [row] = app.dataframe[0].value.to_dict("records")
    assert row["pay"] == "¥68"
    assert "解冻" in row["state"]

    clock.move(days=8)
    with writing() as session:
        income.release_due(session, SYSTEM)
    app = open_app(PAGE, LI)
    assert metrics(app)[words("income.payable")] == "¥68"
    assert app.dataframe[0].value["state"].tolist() == [words("income.is_payable")]

    with writing() as session:
        complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.ATTITUDE, NASTY)
    app = open_app(PAGE, LI)
    assert metrics(app)[words("income.frozen")] == "¥68"
    assert app.dataframe[0].value["state"].tolist() == [words("income.rests")]


def test_months_are_told_in_charts_and_in_a_table(open_app, clock):
    for _ in range(2):
        with writing() as session:
            make_redeemed_visit(session)
        clock.move(days=31)
    app = open_app(PAGE, LI)
    app.session_state["income_months_twin"] = True
    app.run()

    assert len(app.get("plotly_chart")) == 4
    assert all(chart.proto.alt for chart in app.get("plotly_chart"))
    months = app.dataframe[0].value
    assert months["visits"].sum() == 2
    assert months["pay"][0] == "¥68"


def test_one_month_is_no_trend(open_app):
    with writing() as session:
        make_redeemed_visit(session)
    assert not open_app(PAGE, LI).get("plotly_chart")


def test_without_any_it_says_what_to_do(open_app, opened):
    app = open_app(PAGE, ZHAO)
    assert words("empty.income") in said(app)
    app.button(key="open_task_hall").click().run()
    assert opened[-1] == "task_hall"


def test_anothers_income_is_not_shown(open_app):
    with writing() as session:
        make_redeemed_visit(session)
    assert not open_app(PAGE, ZHAO).dataframe


def test_it_speaks_english(open_app):
    with writing() as session:
        make_redeemed_visit(session)
    app = speak_english(open_app(PAGE, LI))
    assert app.title[0].value == "My income"
    assert "Payable" in metrics(app)
