"""Refunds on the order's card: what is left, who pays what, and who reads it."""

from datetime import timedelta

import pytest

from data.database import reading, writing
from data.orders import Party
from services import changes, refunds
from tests import factories
from tests.books import balances_of, owed_by
from tests.factories import DESK, LI, NASTY, OPERATOR, ZHOU
from tests.pages.screen import errors, said, successes, words

PAGE = "pages/operator/orders.py"


@pytest.fixture
def visit_id(database, clock):
    with writing() as session:
        return factories.make_redeemed_visit(session, starts_at=clock() - timedelta(hours=2))


def order_of(visit_id):
    with reading() as session:
        return factories.order_of(session, visit_id)


def grant(visit_id, amount_fen=3000, caregiver_fen=1000, because="早退半小时"):
    with writing() as session:
        return refunds.grant(
            session, OPERATOR, visit_id, amount_fen, caregiver_fen, because, request_key="one"
        )


def desk(app, visit_id, *opened):
    """The order with its refund desk open; AppTest closes it with every run."""
    for key in (f"refund_{visit_id}_open", *opened):
        app.session_state[key] = True
    return app


@pytest.fixture
def open_desk(open_app, visit_id):
    app = open_app(PAGE, OPERATOR)
    app = app.text_input(key="order_number").input(str(order_of(visit_id))).run()
    return desk(app, visit_id).run()


def test_an_operator_splits_a_refund_and_sees_the_parts_before_the_click(open_desk, visit_id):
    key = f"refund_{visit_id}"
    app = desk(open_desk, visit_id)
    app.number_input(key=f"{key}_amount").set_value(30.0)
    app = desk(app.segmented_control(key=f"{key}_payer").set_value("split").run(), visit_id)
    app = desk(app.slider(key=f"{key}_share").set_value(25).run(), visit_id)
    assert [one.value for one in app.metric] == ["¥30", "¥22.50", "¥7.50"]

    app.text_area(key=f"{key}_reason").set_value(NASTY)
    app = desk(app.run(), visit_id, f"{key}_grant_ask").run()
    app = desk(app, visit_id, f"{key}_grant_ask").button(key=f"{key}_grant").click().run()

    assert successes(app) == [words("refund.granted")]
    with reading() as session:
        assert owed_by(session, ZHOU) == 8000 - 3000
        assert balances_of(session, LI)[0] == 6800 - 750


def test_without_a_reason_nothing_is_lost_and_nothing_booked(open_desk, visit_id):
    key = f"refund_{visit_id}"
    app = desk(open_desk, visit_id, f"{key}_grant_ask").run()
    app = desk(app, visit_id, f"{key}_grant_ask").button(key=f"{key}_grant").click().run()
    assert len(errors(app)) == 1
    with reading() as session:
        assert owed_by(session, ZHOU) == 8000


def test_an_operator_takes_it_back(open_app, visit_id):
    refund_id = grant(visit_id)
    app = open_app(PAGE, OPERATOR)
    app = app.text_input(key="order_number").input(str(order_of(visit_id))).run()
    key = f"take_back_refund_{refund_id}"
    app.session_state[f"{key}_ask"] = True
    app.run()
    app.session_state[f"{key}_ask"] = True
    app.text_area(key=f"reason_{key}").set_value("记错了订单")
    app.button(key=key).click().run()
    assert successes(app) == [words("refund.taken_back")]
    with reading() as session:
        assert owed_by(session, ZHOU) == 8000


def test_the_desk_reads_it_and_has_no_form(open_app, visit_id):
    grant(visit_id)
    app = open_app(PAGE, DESK)
    app = app.text_input(key="order_number").input(str(order_of(visit_id))).run()
    assert "早退半小时" in said(app)
    assert words("refund.title") not in {one.label for one in app.expander}


@pytest.mark.parametrize(
    ("actor", "page", "read", "unread"),
    [
        (ZHOU, "pages/customer/my_orders.py", "¥30", "¥10"),
        (LI, "pages/caregiver/my_visits.py", "¥10", "¥30"),
    ],
)
def test_each_side_reads_its_own_part(open_app, visit_id, actor, page, read, unread):
    grant(visit_id)
    told = said(open_app(page, actor))
    assert "早退半小时" in told
    assert read in told
    assert unread not in told


def test_a_caregiver_reads_what_she_owes(open_app, visit_id, clock):
    with writing() as session:
        starts_at = clock() + timedelta(hours=3)
        missed = factories.make_visit(session, starts_at=starts_at)
    clock.move(to=starts_at)
    with writing() as session:
        changes.miss(session, OPERATOR, missed, Party.CAREGIVER, "没有来")
    app = open_app("pages/caregiver/income.py", LI)
    assert words("income.debt", debt="¥48") in [one.value for one in app.warning]
