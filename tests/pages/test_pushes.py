"""Pushes as operators begin and follow them, and as caregivers take what they are told of."""

import pytest
from sqlalchemy import select, update

from components.board import View
from data.caregivers import Rate
from data.database import reading, writing
from data.orders import Order, OrderStatus
from data.pushes import DemandPush, PushedCaregiver, PushStatus
from services import bookings, pushes
from tests.factories import LI, NAMES, OPERATOR, ZHAO, ZHOU, make_demand
from tests.pages.screen import confirm, errors, opened, said, speak_english, successes, words

HALL, APPLICATIONS = "pages/caregiver/task_hall.py", "pages/operator/applications.py"
BOARD, ORDERS = "pages/operator/dispatch.py", "pages/customer/my_orders.py"


@pytest.fixture
def demand_id(database):
    with writing() as session:
        return make_demand(session)


@pytest.fixture
def push_id(demand_id):
    with writing() as session:
        return pushes.begin(session, OPERATOR, demand_id)


def one(column):
    with reading() as session:
        return session.scalars(select(column)).one()


def test_a_demand_nobody_applied_for_is_pushed_with_one_click(open_app, demand_id):
    app = opened(open_app(APPLICATIONS, OPERATOR), "unanswered")
    app.button(key=f"push_{demand_id}").click().run()
    assert not app.exception
    assert successes(app) == [words("pushes.begun")]
    assert one(DemandPush.status) is PushStatus.UNDER_WAY
    app = opened(open_app(APPLICATIONS, OPERATOR), "unanswered")
    assert words("pushes.told", count=2) in said(app)


def test_she_takes_it_at_her_own_price_and_the_operator_decides(open_app, push_id):
    app = open_app(HALL, LI)
    button = app.button(key=f"take_{push_id}")
    assert "¥40/小时" in button.label
    button.click().run()
    assert not app.exception
    assert successes(app) == [words("pushes.taken")]
    order_id = one(Order.id)
    with writing() as session:
        bookings.confirm(session, OPERATOR, order_id)
    assert one(Order.status) is OrderStatus.CONFIRMED


def test_who_comes_too_late_is_told_so(open_app, push_id):
    app = open_app(HALL, ZHAO)
    with writing() as session:
        pushes.take(session, LI, push_id, 4000)
    app.button(key=f"take_{push_id}").click().run()
    assert errors(app) == [words("error.push_taken")]
    assert words("empty.task_hall") in said(app)


def test_a_price_that_moved_since_is_shown_before_she_takes_it(open_app, push_id):
    app = open_app(HALL, LI)
    with writing() as session:
        session.execute(update(Rate).where(Rate.caregiver_id == LI.id).values(price_fen=4200))
    app.button(key=f"take_{push_id}").click().run()
    assert errors(app) == [words("error.price_changed")]
    assert "¥42/小时" in app.button(key=f"take_{push_id}").label


def test_her_no_leaves_it_among_the_others(open_app, demand_id, push_id):
    app = open_app(HALL, LI)
    app.button(key=f"say_no_{push_id}").click().run()
    assert successes(app) == [words("pushes.said_no")]
    assert f"apply_{demand_id}" in {button.key for button in app.button}
    with reading() as session:
        hers = select(PushedCaregiver).where(PushedCaregiver.caregiver_id == LI.id)
        assert session.scalars(hers).one().said_no_at is not None


def board(open_app):
    """The board with the pushes in view."""
    app = open_app(BOARD, OPERATOR)
    return app.segmented_control(key="board_view_proposal").set_value(View.PUSHES).run()


def test_the_board_shows_whom_each_wave_told_and_stops_it(open_app, push_id):
    app = board(open_app)
    assert NAMES[LI] in said(app)
    assert NAMES[ZHAO] in said(app)
    confirm(app, f"stop_push_{push_id}")
    assert successes(app) == [words("pushes.stopped")]
    assert one(DemandPush.status) is PushStatus.STOPPED


def test_the_board_pushes_too(open_app, demand_id):
    app = opened(board(open_app), "pushable")
    app.button(key=f"push_{demand_id}").click().run()
    assert successes(app) == [words("pushes.begun")]


def test_the_family_sees_that_others_are_asked(open_app, push_id):
    assert words("demand.pushed", count=2) in said(open_app(ORDERS, ZHOU))


def test_it_is_said_in_english_too(open_app, push_id):
    app = speak_english(open_app(HALL, LI))
    assert "Take it" in app.button(key=f"take_{push_id}").label
