"""The best five: on the page of applications and at the desk."""

from data.database import reading, writing
from data.orders import Order, OrderStatus
from tests.factories import LI, NAMES, OPERATOR, ZHAO, make_application, make_demand
from tests.pages.screen import opened, said, successes, words

PAGE = "pages/operator/applications.py"


def test_a_demand_is_given_to_one_of_the_best_at_once(open_app, database):
    with writing() as session:
        demand_id = make_demand(session)
        make_application(session, demand_id, caregiver=ZHAO)
    app = opened(open_app(PAGE, OPERATOR), f"recommended_{demand_id}")
    shown = said(app.run())
    assert NAMES[LI] in shown
    assert NAMES[ZHAO] in shown
    assert words("recommended.applied") in shown
    app = opened(app, f"recommended_{demand_id}")
    app.button(key=f"recommended_{demand_id}_take_{ZHAO.id}").click().run()
    assert successes(app) == [words("recommended.sent")]
    with reading() as session:
        [order] = session.query(Order).all()
        assert (order.caregiver_id, order.status) == (ZHAO.id, OrderStatus.CONFIRMED)
