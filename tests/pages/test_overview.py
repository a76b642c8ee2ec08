from datetime import timedelta

from sqlalchemy import update

from data.accounts import AccountRole
from data.database import writing
from data.orders import Order
from services.access import Actor, Role
from tests import factories
from tests.factories import ANALYST, CHONGCHUAN, LUZHOU, TONGZHOU
from tests.pages.test_today import shown, words

PAGE = "pages/analyst/overview.py"
FIRST_CUSTOMER_ID = 1


def order_for(session, customers, district, clock):
    """One order in a district for each of so many families; the cast has one of each kind."""
    for number in range(customers):
        starts_at = clock() + timedelta(days=1 + number + (30 if district == TONGZHOU else 0))
        order_id = factories.make_order(session, district_code=district, starts_at=starts_at)
        _give_to_another_family(session, order_id, number)


def _give_to_another_family(session, order_id, number):
    session.get_one(Order, order_id).customer_id = FIRST_CUSTOMER_ID + number


def test_districts_with_enough_families_are_shown(open_app, clock):
    with writing() as session:
        order_for(session, 6, CHONGCHUAN, clock)
        order_for(session, 5, TONGZHOU, clock)
    app = open_app(PAGE, ANALYST)
    table = app.dataframe[0].value
    assert dict(zip(table["cell"], table["orders"], strict=True)) == {"崇川区": 6, "通州区": 5}
    assert words("overview.complete", smallest=5) in shown(app)


def test_a_small_district_is_withheld_with_another_that_would_give_it_away(open_app, clock):
    with writing() as session:
        order_for(session, 6, CHONGCHUAN, clock)
        order_for(session, 2, TONGZHOU, clock)
    app = open_app(PAGE, ANALYST)
    assert words("overview.withheld", count=2, smallest=5) in shown(app)
    assert words("empty.overview") in shown(app)
    assert not app.dataframe


def test_the_same_orders_by_kind_of_care(open_app, clock):
    with writing() as session:
        order_for(session, 6, CHONGCHUAN, clock)
    app = open_app(PAGE, ANALYST)
    app.segmented_control(key="overview_by").set_value("group").run()
    assert list(app.dataframe[0].value["cell"]) == [words("group.elderly")]


def test_without_orders_the_page_says_so(open_app):
    assert words("empty.overview") in shown(open_app(PAGE, ANALYST))


def test_an_analyst_of_another_city_sees_nothing(open_app, clock):
    with writing() as session:
        order_for(session, 6, CHONGCHUAN, clock)
    far = Actor(ANALYST.id, Role.ANALYST, frozenset({LUZHOU}))
    with writing() as session:
        session.execute(
            update(AccountRole).where(AccountRole.account_id == ANALYST.id).values(city_code=LUZHOU)
        )
    assert words("empty.overview") in shown(open_app(PAGE, far))
