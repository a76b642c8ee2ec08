"""Moving, calling off and missing a visit, on the pages of everybody who may."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.database import reading, writing
from data.demands import Demand, DemandStatus
from data.orders import Order, OrderStatus, Party, Visit, VisitStatus
from services import changes
from services import clock as clock_of_city
from tests.factories import DESK, LI, NAMES, NASTY, OPERATOR, ZHAO, ZHOU, make_order, visit_of
from tests.pages.screen import confirm, errors, opened, questions, said, speak_english, words
from tests.pages.screen import successes as told

MY_ORDERS = "pages/customer/my_orders.py"


@pytest.fixture
def visit_id(database, clock):
    """A visit in two days, after the time in which the family may choose again."""
    with writing() as session:
        order_id = make_order(session, starts_at=clock.moment + timedelta(days=2))
        session.flush()
        found = visit_of(session, order_id)
    clock.move(hours=3)
    return found


def visit(visit_id):
    with reading() as session:
        return session.get_one(Visit, visit_id)


def order_status(visit_id):
    with reading() as session:
        return session.get_one(Order, session.get_one(Visit, visit_id).order_id).status


def until_start(clock, visit_id, **before):
    clock.move(to=visit(visit_id).starts_at - timedelta(**before))


def of_order(open_app, actor, visit_id):
    app = open_app("pages/operator/orders.py", actor)
    app.text_input(key="order_number").set_value(str(visit(visit_id).order_id)).run()
    return app


class TestCancelling:
    def test_late_shows_the_fee_before_the_click_and_then_what_is_owed(
        self, open_app, clock, visit_id
    ):
        until_start(clock, visit_id, hours=23)
        app = opened(open_app(MY_ORDERS, ZHOU), f"cancel_{visit_id}_ask")
        assert words("changes.costs_customer", fee="¥16", total="¥80") in said(app)
        assert app.button(key=f"cancel_{visit_id}").label == words("changes.cancel_for", fee="¥16")
        app.text_area(key=f"cancel_{visit_id}_words").set_value(NASTY)
        confirm(app, f"cancel_{visit_id}")
        assert told(app) == [words("order.cancelled")]
        assert (visit(visit_id).fee_fen, visit(visit_id).end_words) == (1600, NASTY)
        assert words("changes.fee_owed", fee="¥16") in said(app)

    def test_a_fee_that_rose_since_it_was_shown_is_refused_in_words(
        self, open_app, clock, visit_id
    ):
        until_start(clock, visit_id, hours=24)
        app = opened(open_app(MY_ORDERS, ZHOU), f"cancel_{visit_id}_ask")
        assert app.button(key=f"cancel_{visit_id}").label == words("changes.cancel_free")
        app.run()
        app.session_state[f"cancel_{visit_id}_ask"] = True
        clock.move(minutes=1)
        app.button(key=f"cancel_{visit_id}").click().run()
        assert errors(app) == [words("error.fee_changed", now_fen="¥16")]
        assert visit(visit_id).status is VisitStatus.PLANNED

    def test_the_caregiver_is_shown_what_it_costs_her(self, open_app, clock, visit_id):
        until_start(clock, visit_id, hours=23)
        app = open_app("pages/caregiver/my_visits.py", LI)
        app.pills[0].set_value(_day(visit_id)).run()
        opened(app, f"cancel_{visit_id}_ask")
        assert words("changes.costs_caregiver", fee="¥8", total="¥80") in said(app)
        assert f"move_{visit_id}" not in questions(app)
        confirm(app, f"cancel_{visit_id}")
        assert visit(visit_id).penalty_fen == 800

    def test_an_operator_says_by_whose_doing_and_why(self, open_app, clock, visit_id):
        until_start(clock, visit_id, hours=1)
        app = opened(of_order(open_app, OPERATOR, visit_id), f"cancel_{visit_id}_ask")
        app.radio(key=f"cancel_{visit_id}_fault").set_value(Party.CUSTOMER).run()
        confirm(app, f"cancel_{visit_id}")
        assert errors(app) == [words("error.missing", field=words("field.reason"))]
        app.session_state[f"cancel_{visit_id}_ask"] = True
        app.text_area(key=f"cancel_{visit_id}_words").set_value("家属来电").run()
        confirm(app, f"cancel_{visit_id}")
        assert visit(visit_id).fee_fen == 4000
        assert order_status(visit_id) is OrderStatus.CANCELLED


class TestMoving:
    @pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR])
    def test_is_offered_with_free_times_and_the_price(self, open_app, visit_id, actor):
        mine = actor is ZHOU
        page = open_app(MY_ORDERS, ZHOU) if mine else of_order(open_app, actor, visit_id)
        app = opened(page, f"move_{visit_id}_ask")
        assert words("changes.price_stays", after="¥80") in said(app)
        confirm(app, f"move_{visit_id}")
        assert told(app) == [words("changes.moved")]
        assert visit(visit_id).status is VisitStatus.DROPPED

    def test_is_told_to_be_too_late(self, open_app, clock, visit_id):
        until_start(clock, visit_id, hours=23)
        app = opened(open_app(MY_ORDERS, ZHOU), f"move_{visit_id}_ask")

        assert words("changes.too_late_to_move") in said(app)
        assert f"move_{visit_id}" not in {button.key for button in app.button}


class TestMissing:
    def test_is_recorded_by_the_operator_once_its_time_has_come(self, open_app, clock, visit_id):
        assert f"miss_{visit_id}" not in questions(of_order(open_app, OPERATOR, visit_id))
        until_start(clock, visit_id, minutes=-20)
        app = of_order(open_app, OPERATOR, visit_id)
        opened(app, f"miss_{visit_id}_ask")
        app.radio(key=f"miss_{visit_id}_party").set_value(Party.CAREGIVER).run()
        opened(app, f"miss_{visit_id}_ask")
        app.text_area(key=f"reason_miss_{visit_id}").set_value("打了两次电话")
        app.button(key=f"miss_{visit_id}").click().run()
        assert told(app) == [words("changes.missed")]
        assert visit(visit_id).penalty_fen == 4000
        assert order_status(visit_id) is OrderStatus.MISSED

    def test_the_desk_cannot(self, open_app, clock, visit_id):
        until_start(clock, visit_id, minutes=-20)

        assert f"miss_{visit_id}" not in questions(of_order(open_app, DESK, visit_id))


def test_the_price_is_explained_in_both_languages(open_app, visit_id):
    app = opened(open_app(MY_ORDERS, ZHOU), f"price_{visit(visit_id).order_id}")
    assert words("prices.total", total="¥80") in said(app)
    assert "Base price" in said(opened(speak_english(app), f"price_{visit(visit_id).order_id}"))


def test_what_another_tab_cancelled_is_said_and_not_a_bug(open_app, visit_id):
    app = opened(open_app(MY_ORDERS, ZHOU), f"cancel_{visit_id}_ask")
    with writing() as session:
        seen = changes.quote(session, ZHOU, visit_id).fee_fen
        changes.cancel_visit(session, ZHOU, visit_id, changes.EndReason.OTHER, "", seen)
    app.button(key=f"cancel_{visit_id}").click().run()
    assert not app.exception
    assert words("visit_status.cancelled") in said(app)


def _day(visit_id):
    return f"{visit(visit_id).starts_at:%Y-%m-%d}"


class TestSubstitutes:
    def test_the_operator_asks_and_she_comes(self, open_app, visit_id):
        app = opened(of_order(open_app, OPERATOR, visit_id), f"substitute_{visit_id}_ask")
        app.button(key=f"substitute_{visit_id}").click().run()
        assert told(app) == [words("substitutes.asked")]
        with reading() as session:
            asked = select(Visit.id).where(Visit.replaces_id == visit_id)
            offer_id = session.scalars(asked).one()
        app = open_app("pages/caregiver/my_visits.py", ZHAO)
        assert words("substitutes.title", count=1) in [one.value for one in app.subheader]
        app.button(key=f"take_over_{offer_id}").click().run()
        assert told(app) == [words("substitutes.accepted")]
        assert visit(offer_id).status is VisitStatus.PLANNED

    def test_nobody_who_can_come_is_said(self, open_app, clock, visit_id):
        with writing() as session:
            make_order(session, caregiver=ZHAO, starts_at=visit(visit_id).starts_at)
        app = opened(of_order(open_app, DESK, visit_id), f"substitute_{visit_id}_ask")
        assert words("substitutes.nobody") in said(app)


class TestALetDown:
    def missed(self, open_app, clock, visit_id):
        until_start(clock, visit_id, hours=-1)
        with writing() as session:
            changes.miss(session, OPERATOR, visit_id, Party.CAREGIVER, "没有来，电话无人接听")
        return of_order(open_app, OPERATOR, visit_id)

    def test_somebody_else_is_sought_for_later_that_day(self, open_app, clock, visit_id):
        app = self.missed(open_app, clock, visit_id)
        key = f"let_down_start_{visit_id}"
        start = app.selectbox(key=key).options[1]
        app.selectbox(key=key).set_value(start).run()
        app.button(key=f"{key}_seek").click().run()
        assert told(app) == [words("let_downs.posted")]
        assert words("let_downs.sought") in said(app)
        with reading() as session:
            posted = session.scalars(select(Demand).where(Demand.status == DemandStatus.OPEN)).one()
            posted_id = posted.id
        assert f"{clock_of_city.in_city(posted.starts_at):%H:%M}" == start

        for status, said_of_it in (("matched", "found"), ("expired", "not_found")):
            with writing() as session:
                session.get_one(Demand, posted_id).status = DemandStatus(status)
            assert words(f"let_downs.{said_of_it}") in said(of_order(open_app, OPERATOR, visit_id))

    def test_her_other_visits_that_day_wait_for_others(self, open_app, clock, visit_id):
        with writing() as session:
            begins = session.get_one(Visit, visit_id).starts_at + timedelta(hours=4)
            make_order(session, starts_at=begins)
        app = self.missed(open_app, clock, visit_id)
        assert words("let_downs.at_risk", name=NAMES[LI], count=1) in [
            one.value for one in app.warning
        ]
        app.button(key=f"let_down_others_{visit_id}").click().run()
        assert told(app) == [words("let_downs.away")]
        links = [one.proto.label for one in app.get("page_link")]
        assert words("stand_ins.go", name=NAMES[LI], count=1) in links

    def test_the_desk_arranges_nothing(self, open_app, clock, visit_id):
        self.missed(open_app, clock, visit_id)
        app = of_order(open_app, DESK, visit_id)
        assert words("let_downs.title") not in said(app)
