from datetime import timedelta

import pytest
from sqlalchemy import select

from data.database import reading, writing
from data.history import AuditEvent
from data.orders import Order, OrderStatus, Visit
from services import orders
from tests import factories
from tests.factories import DESK, FAR_OPERATOR, NAMES, OPERATOR, ZHOU
from tests.pages.screen import confirm, keys, opened, questions, said, table, words

PAGE = "pages/operator/orders.py"


def look_for(app, number):
    return app.text_input(key="order_number").input(str(number)).run()


@pytest.fixture
def order_id(database):
    with writing() as session:
        return factories.make_order(session)


@pytest.mark.parametrize("actor", [OPERATOR, DESK])
def test_the_staff_follow_every_order_of_their_city(open_app, actor, clock):
    with writing() as session:
        factories.make_order(session)
        factories.make_redeemed_visit(session, starts_at=clock() - timedelta(days=2))
    app = open_app(PAGE, actor)
    assert len(table(app)) == 2
    assert NAMES[ZHOU] in set(table(app)["customer"])


def test_a_filter_shows_one_status_with_its_number(open_app, clock):
    with writing() as session:
        factories.make_order(session)
        visit_id = factories.make_redeemed_visit(session, starts_at=clock() - timedelta(days=2))
        redeemed = factories.order_of(session, visit_id)
    app = open_app(PAGE, OPERATOR)
    choice = app.segmented_control(key="orders_filter_all")
    assert f"{words('visit_status.redeemed')} 1" in choice.options
    choice.set_value("redeemed").run()
    assert list(table(app)["number"]) == [redeemed]


def test_a_link_brings_the_orders_something_is_wrong_with(open_app, clock):
    with writing() as session:
        late = factories.make_order(session, starts_at=clock() + timedelta(hours=1))
        factories.make_order(session, starts_at=clock() + timedelta(days=1))
    clock.move(hours=2)
    app = open_app(PAGE, OPERATOR)
    app.query_params["show"] = "late"
    app.run()
    assert list(table(app)["number"]) == [late]


def test_many_orders_come_in_pages(open_app, clock):
    with writing() as session:
        for day in range(1, 28):
            factories.make_order(session, starts_at=clock() + timedelta(days=day))
    with reading() as session:
        newest = [order.id for order in orders.listing(session, OPERATOR, limit=25)]
        oldest = [order.id for order in orders.listing(session, OPERATOR, limit=25, offset=25)]
    assert list(table(open_app(PAGE, OPERATOR))["number"]) == newest
    assert len(newest) == 25
    assert len(oldest) == 2
    assert not set(newest) & set(oldest)


def test_one_order_is_found_by_its_number_and_cancelled(open_app, order_id):
    with reading() as session:
        visit_id = factories.visit_of(session, order_id)
    app = look_for(open_app(PAGE, OPERATOR), order_id)
    words_field = f"cancel_{visit_id}_words"
    opened(app, f"cancel_{visit_id}_ask").text_area(key=words_field).set_value("家属来电")
    confirm(app, f"cancel_{visit_id}")
    with reading() as session:
        assert session.get_one(Order, order_id).status is OrderStatus.CANCELLED
    assert f"cancel_{visit_id}" not in questions(app)


def test_a_new_code_makes_the_old_one_worthless(open_app, order_id):
    with reading() as session:
        visit_id = factories.visit_of(session, order_id)
    app = look_for(open_app(PAGE, OPERATOR), order_id)
    confirm(app, f"reissue_{visit_id}")
    with reading() as session:
        assert session.get_one(Visit, visit_id).code_issue == 2


def test_opening_the_contact_shows_it_and_is_recorded(open_app, order_id):
    with reading() as session:
        visit_id = factories.visit_of(session, order_id)
    app = look_for(open_app(PAGE, OPERATOR), order_id)
    assert "濠河花园" not in said(app)
    app.button(key=f"contact_{visit_id}").click().run()
    assert "濠河花园 3 幢 502 室" in said(app)
    with reading() as session:
        opened = select(AuditEvent).where(AuditEvent.action == "open_contact")
        assert [event.actor_id for event in session.scalars(opened)] == [OPERATOR.id]


def test_the_desk_neither_reissues_codes_nor_opens_contacts(open_app, order_id):
    app = look_for(open_app(PAGE, DESK), order_id)
    assert f"cancel_{order_id}" in questions(app)
    buttons = questions(app) | keys(app)
    assert not [key for key in buttons if str(key).startswith(("reissue_", "contact_"))]


@pytest.mark.parametrize("number", ["999999", "😀", "-1", "0"])
def test_an_unknown_number_is_refused_in_words(open_app, order_id, number):
    app = look_for(open_app(PAGE, OPERATOR), number)
    assert [error.value for error in app.error] == [words("error.order_not_found")]


def test_a_city_without_orders_says_so(open_app):
    assert words("empty.orders") in said(open_app(PAGE, OPERATOR))


def test_an_operator_of_another_city_sees_nothing(open_app, order_id):
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("empty.orders") in said(app)
    look_for(app, order_id)
    assert [error.value for error in app.error] == [words("error.order_not_found")]
