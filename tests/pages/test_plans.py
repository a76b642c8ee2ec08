"""A plan is asked for on the booking page, answered by the caregiver, and changed afterwards."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.database import reading, writing
from data.orders import Order, OrderKind, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from services import bookings, plan_requests, recurrence
from services.courses import Course
from services.plan_requests import PlanForm
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    LI,
    MOTHER_ID,
    NAMES,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_visit,
)
from tests.pages.screen import errors, keys, said, successes, table, words

BOOK, MINE = "pages/customer/book.py", "pages/customer/my_orders.py"
VISITS, ORDERS = "pages/caregiver/my_visits.py", "pages/operator/orders.py"


def linked(open_app, page, actor, **query):
    """The page as a link with this query opens it."""
    app = open_app(page, actor)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


@pytest.fixture
def plan_form(open_app):
    """The booking page, turned to plans: workdays at nine for a month from Thursday on."""

    def filled():
        app = linked(open_app, BOOK, ZHOU, caregiver=str(LI.id), item=str(COMPANIONSHIP), units="2")
        app.segmented_control(key="booking_kind_single").set_value(OrderKind.MONTHLY).run()
        return app

    return filled


def asked(app):
    app.text_input(key="booking_address").set_value("濠河花园 3 幢")
    return app.button(key="booking_request_plan").click().run()


def make_plan(session, clock, *, accepted=True):
    first = (clock() + timedelta(days=4)).date()
    course = Course(
        rule=recurrence.weekly(range(7), 1, first),
        starts_minute=9 * 60,
        units=2,
        unit_price_fen=PRICE_FEN,
        first_on=first,
        last_on=first + timedelta(days=9),
    )
    form = PlanForm(LI.id, MOTHER_ID, COMPANIONSHIP, CHONGCHUAN, "濠河花园 3 幢", course)
    order_id = plan_requests.request(session, ZHOU, form, "plan")
    if accepted:
        bookings.accept(session, LI, order_id)
    return order_id


@pytest.fixture
def plan_id(database, clock):
    with writing() as session:
        return make_plan(session, clock)


def unfolded(app, *names):
    """Keep these expanders and popovers open in the next run; AppTest forgets them."""
    for name in names:
        app.session_state[name] = True
    return app.run()


def statuses():
    with reading() as session:
        return Counter(session.scalars(select(Visit.status)))


class TestAsking:
    def test_the_whole_plan_is_told_before_it_is_asked_for(self, plan_form, opened):
        app = plan_form()
        assert words("plan.total", count=22, total="¥") in said(app)
        asked(app)
        assert successes(app) == [words("book.requested")]
        assert opened[-1] == "my_orders"
        assert statuses() == {VisitStatus.HELD: 22}

    def test_a_clash_is_moved_to_another_time_of_the_day(self, plan_form, clock):
        taken = clock() + timedelta(days=4)
        with writing() as session:
            make_visit(session, starts_at=taken)
        app = plan_form()
        assert any("22" in warning.value for warning in app.warning)
        [clash] = [one for one in app.selectbox if "_clash_" in one.key]
        clash.set_value(14 * 60).run()
        asked(app)
        assert statuses() == {VisitStatus.HELD: 22, VisitStatus.PLANNED: 1}
        with reading() as session:
            moved = session.scalars(select(Visit).where(Visit.occurs_on == taken.date())).one()
            assert moved.starts_at == recurrence.moment(taken.date(), 14 * 60)

    def test_somebody_else_comes_on_a_day_she_cannot_until_the_family_does_without(
        self, plan_form, open_app, clock
    ):
        with writing() as session:
            make_visit(session, starts_at=clock() + timedelta(days=4))
        app = plan_form()
        [clash] = [one for one in app.selectbox if "_clash_" in one.key]
        clash.set_value("stand_in").run()
        assert words("plan.by_stand_ins", count=1, total="¥72") in [
            info.value.replace("\\", "") for info in app.info
        ]
        asked(app)
        assert statuses() == {
            VisitStatus.HELD: 21,
            VisitStatus.UNFILLED: 1,
            VisitStatus.PLANNED: 1,
        }
        with reading() as session:
            unfilled = session.scalars(
                select(Visit).where(Visit.status == VisitStatus.UNFILLED)
            ).one()
        with writing() as session:
            bookings.accept(session, LI, unfilled.order_id)
        mine = unfolded(open_app(MINE, ZHOU), f"plan_{unfilled.order_id}_open")
        assert words("plan.nobody_yet") in list(table(mine)["caregiver"])

    def test_without_a_weekday_there_is_nothing_to_ask_for(self, plan_form):
        app = plan_form()
        app.pills(key="booking_plan_weekdays").set_value([]).run()
        assert words("error.plan_without_days") in said(app)
        assert app.button(key="booking_request_plan").disabled

    def test_a_missing_address_keeps_the_form(self, plan_form):
        app = plan_form()
        app.button(key="booking_request_plan").click().run()
        assert errors(app) == [words("error.missing", field=words("field.address"))]
        assert statuses() == {}


class TestAnswering:
    def test_she_sees_one_request_for_all_visits(self, open_app, database, clock):
        with writing() as session:
            order_id = make_plan(session, clock, accepted=False)
        app = open_app(VISITS, LI)
        assert words("request.title", count=1) in [head.value for head in app.subheader]
        assert words("plan.daily") in said(app)
        app.button(key=f"accept_{order_id}").click().run()
        assert statuses() == {VisitStatus.PLANNED: 10}


class TestFollowing:
    def test_the_family_sees_the_rule_and_every_visit_to_come(self, open_app, plan_id):
        app = unfolded(open_app(MINE, ZHOU), f"plan_{plan_id}_open")
        assert words("plan.daily") in said(app)
        assert len(table(app)) == 10

    def test_it_can_be_paused(self, open_app, plan_id, clock):
        folds = (f"plan_{plan_id}_open", f"pause_{plan_id}")
        app = unfolded(open_app(MINE, ZHOU), *folds)
        day = (clock() + timedelta(days=6)).date()
        app.date_input(key=f"pause_{plan_id}_day").set_value(day)
        unfolded(app, *folds)
        app.button(key=f"pause_{plan_id}_yes").click()
        unfolded(app, *folds)
        assert successes(app) == [words("plan.paused")]
        assert statuses() == {VisitStatus.PLANNED: 2, VisitStatus.DROPPED: 8}
        with reading() as session:
            assert session.get_one(Order, plan_id).status is OrderStatus.PAUSED

    def test_the_operator_hands_it_over_once_agreed_by_phone(self, open_app, plan_id):
        key = f"plan_swap_{plan_id}"
        app = open_app(ORDERS, OPERATOR)
        app.text_input(key="order_number").set_value(str(plan_id)).run()
        unfolded(app, f"{key}_open")
        assert app.button(key=key).disabled
        app.checkbox(key=f"{key}_sure").check()
        unfolded(app, f"{key}_open")
        app.button(key=key).click()
        unfolded(app, f"{key}_open")
        assert successes(app) == [words("plan.swapped")]
        with reading() as session:
            assert session.get_one(Order, plan_id).caregiver_id == ZHAO.id
        assert NAMES[ZHAO] in said(app)

    def test_nobody_but_the_operator_hands_it_over(self, open_app, plan_id):
        app = unfolded(open_app(MINE, ZHOU), f"plan_{plan_id}_open")
        assert f"end_{plan_id}_yes" not in keys(app)
        assert not [fold for fold in app.get("expander") if "swap" in fold.proto.id]


def test_a_month_of_a_plan_is_reviewed_on_the_order(open_app, clock):
    with writing() as session:
        order_id = make_plan(session, clock)
        for visit in session.scalars(select(Visit).where(Visit.order_id == order_id)):
            if visit.starts_at.month == 1:
                visit.status, visit.redeemed_at = VisitStatus.REDEEMED, visit.ends_at
        session.flush()
    clock.move(days=26)
    key = f"{order_id}_{LI.id}_203001"
    app = open_app(MINE, ZHOU)
    app.session_state[f"review_{key}"] = True
    app.run()
    for score in ("skill", "attitude", "communication", "overall"):
        app.feedback(key=f"review_{key}_{score}").set_value(4)
    app.session_state[f"review_{key}"] = True
    app.button(key=f"review_{key}_submit").click().run()
    assert not app.exception
    assert successes(app) == [words("review.written")]
    with reading() as session:
        kept = session.scalars(select(Review)).one()
    assert (kept.month.isoformat(), kept.weight, kept.overall) == ("2030-01-01", 4, 5)
    assert f"review_{key}_submit" not in keys(app)
