"""A family finds a caregiver and asks her for a visit."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Rate
from data.database import reading, writing
from data.demands import Demand
from data.orders import Order, OrderStatus
from data.unmet_needs import Obstacle, UnmetNeed
from services import bookings, caregivers
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DRAFT,
    LI,
    NAMES,
    NASTY,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    make_booking,
    make_visit,
)
from tests.pages import screen
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    questions,
    said,
    speak_english,
    successes,
    words,
)

FIND, BOOK = "pages/customer/find_caregivers.py", "pages/customer/book.py"


def companionship(app):
    """The page with the care chosen that the cast's caregivers do."""
    app.segmented_control(key="find_group").set_value("elderly").run()
    return app.selectbox(key="find_item_elderly").set_value(COMPANIONSHIP).run()


def linked(open_app, page, actor, **query):
    """The page as a link with this query opens it."""
    app = open_app(page, actor)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def booking_of(open_app, caregiver=LI):
    return linked(
        open_app, BOOK, ZHOU, caregiver=str(caregiver.id), item=str(COMPANIONSHIP), units="2"
    )


def needs():
    with reading() as session:
        return session.scalars(select(UnmetNeed.obstacle)).all()


def orders_of(customer):
    with reading() as session:
        query = select(Order.status).where(Order.customer_id == customer.id)
        return session.scalars(query).all()


class TestFinding:
    def test_those_who_can_come_stand_as_cards(self, open_app):
        page = said(companionship(open_app(FIND, ZHOU)))
        assert words("find.near", count=2) in page
        assert NAMES[LI] in page
        assert NAMES[ZHAO] in page
        assert "¥40/" in page
        assert "最近有空" in page

    def test_nobody_is_no_dead_end(self, open_app, opened):
        app = open_app(FIND, ZHOU)
        assert words("empty.find_caregivers") in said(app)
        app.button(key="open_post_demand").click().run()
        assert opened[-1] == "post_demand"

    def test_a_wanted_time_leaves_out_who_is_busy(self, open_app, clock):
        with writing() as session:
            make_visit(session, caregiver=LI, starts_at=clock() + timedelta(days=1))
        app = companionship(open_app(FIND, ZHOU))
        tomorrow = (clock() + timedelta(days=1)).date()
        app.selectbox(key="find_day").set_value(tomorrow).run()
        assert NAMES[LI] not in said(app)
        assert NAMES[ZHAO] in said(app)

    def test_the_profile_opens_above_the_page(self, open_app):
        app = companionship(open_app(FIND, ZHOU))
        app.button(key=f"profile_{LI.id}").click().run()
        assert not app.exception
        assert words("caregiver.visits_done") in [metric.label for metric in app.metric]

    def test_booking_opens_with_what_was_looked_for(self, open_app, opened):
        app = companionship(open_app(FIND, ZHOU))
        app.button(key=f"book_{LI.id}").click().run()
        assert opened[-1] == "book"
        assert app.selectbox(key="booking_item").value == COMPANIONSHIP

    def test_the_highest_price_leaves_out_who_asks_more_and_says_so(self, open_app):
        with writing() as session:
            rate = session.scalars(select(Rate).where(Rate.caregiver_id == LI.id)).one()
            rate.price_fen = PRICE_FEN + 500
        app = companionship(open_app(FIND, ZHOU))
        assert words("find.others", count=1) not in said(app)
        most = screen.opened(app, "find_narrower").number_input(key=f"find_most_{COMPANIONSHIP}")
        most.set_value(PRICE_FEN // 100).run()
        assert NAMES[LI] not in said(app)
        app.session_state["find_narrower"] = False
        assert words("find.at_most", price=f"¥{PRICE_FEN // 100}/小时") in said(app.run())
        app.session_state["find_others"] = True
        app.run()
        why = words("find.hindered", count=1, what=words("obstacle.price"))
        assert why in said(app)
        assert words("advice.price") in said(app)

    def test_who_finds_nobody_reads_why_and_it_is_noted_once(self, open_app):
        app = open_app(FIND, ZHOU)
        why = words("find.hindered", count=2, what=words("obstacle.not_offered"))
        assert why in said(app)
        assert needs() == []  # The page as it opens is nobody's search.
        app.number_input[0].set_value(3).run()
        app.run()
        assert needs() == [Obstacle.NOT_OFFERED]

    def test_it_speaks_english(self, open_app):
        app = speak_english(companionship(open_app(FIND, ZHOU)))
        assert app.title[0].value == "Find a caregiver"
        assert "2 caregivers near you do this" in said(app)


class TestBooking:
    def test_a_request_is_made_of_free_time_person_and_place(self, open_app, opened):
        app = booking_of(open_app)
        app.text_input(key="booking_address").set_value(NASTY)
        app.text_area(key="booking_words").set_value(NASTY)
        app.button(key="booking_request").click().run()
        assert successes(app) == [words("book.requested")]
        assert opened[-1] == "my_orders"
        assert orders_of(ZHOU) == [OrderStatus.REQUESTED]
        assert words("order_status.requested") in said(app)
        with reading() as session:
            demand = session.scalars(select(Demand)).one()
            assert (demand.address, demand.words) == (NASTY, NASTY)
            assert demand.highest_fen == PRICE_FEN

    def test_a_missing_address_is_said_and_nothing_is_kept(self, open_app):
        app = booking_of(open_app)
        app.button(key="booking_request").click().run()
        assert errors(app) == [words("error.missing", field=words("field.address"))]
        assert orders_of(ZHOU) == []

    def test_a_time_taken_meanwhile_is_refused_and_the_form_stays(self, open_app, monkeypatch):
        app = booking_of(open_app)
        app.text_input(key="booking_address").set_value("濠河花园 3 幢")
        request = bookings.request

        def later(session, actor, form, *args, **kwargs):
            theirs = replace(form, recipient_id=STRANGERS_FATHER_ID)
            request(session, STRANGER, theirs, "theirs")
            return request(session, actor, form, *args, **kwargs)

        monkeypatch.setattr(bookings, "request", later)
        app.button(key="booking_request").click().run()
        assert errors(app) == [words("error.obstacle_busy")]
        assert app.text_input(key="booking_address").value == "濠河花园 3 幢"
        assert orders_of(ZHOU) == []

    def test_a_price_changed_meanwhile_is_refused(self, open_app, monkeypatch):
        app = booking_of(open_app)
        app.text_input(key="booking_address").set_value("濠河花园 3 幢")
        request = bookings.request

        def dearer(session, *args, **kwargs):
            rate = session.scalars(select(Rate).where(Rate.caregiver_id == LI.id)).one()
            rate.price_fen += 500
            session.flush()
            return request(session, *args, **kwargs)

        monkeypatch.setattr(bookings, "request", dearer)
        app.button(key="booking_request").click().run()
        assert errors(app) == [words("error.price_changed")]
        assert orders_of(ZHOU) == []

    def test_without_a_caregiver_it_leads_to_the_search(self, open_app, opened):
        app = open_app(BOOK, ZHOU)
        assert words("empty.book") in said(app)
        app.button(key="open_find_caregivers").click().run()
        assert opened[-1] == "find_caregivers"

    @pytest.mark.parametrize("number", ["0", "999999", "-1", "abc", "9" * 40])
    def test_nonsense_in_the_address_is_answered_in_words(self, open_app, number):
        app = linked(open_app, BOOK, ZHOU, caregiver=number, item="x", units="-3", start="nonsense")
        assert not app.exception
        assert errors(app) or words("empty.book") in said(app)

    def test_who_cannot_be_booked_is_not_shown(self, open_app):
        app = booking_of(open_app, DRAFT)
        assert errors(app) == [words("error.caregiver_not_found")]
        with writing() as session:
            caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
        assert errors(booking_of(open_app)) == [words("error.caregiver_not_found")]

    def test_links_of_the_search_are_taken_over(self, open_app, clock):
        day = (clock() + timedelta(days=2)).date().isoformat()
        app = linked(
            open_app,
            BOOK,
            ZHOU,
            caregiver=str(LI.id),
            item=str(COMPANIONSHIP),
            units="3",
            district=CHONGCHUAN,
            start=f"{day}T10:30",
        )
        assert app.number_input(key=f"booking_units_{COMPANIONSHIP}").value == 3
        assert app.pills(key=f"booking_day_{COMPANIONSHIP}_3").value == day
        assert app.pills(key=f"booking_start_{COMPANIONSHIP}_3_{day}").value == "10:30"
        assert app.selectbox(key="booking_district_320600").value == CHONGCHUAN


class TestAfterwards:
    def test_the_family_reads_how_far_it_is_and_takes_it_back(self, open_app):
        with writing() as session:
            order_id = make_booking(session)
        app = open_app("pages/customer/my_orders.py", ZHOU)
        assert "答复" in said(app)
        assert f"call_off_{order_id}" in questions(app)
        assert f"cancel_{order_id}" not in questions(app)
        confirm(app, f"call_off_{order_id}")
        assert successes(app) == [words("order.called_off")]
        assert orders_of(ZHOU) == [OrderStatus.CANCELLED]

    def test_the_operator_stops_it_and_the_family_reads_why(self, open_app):
        with writing() as session:
            order_id = make_booking(session)
        app = open_app("pages/operator/orders.py", OPERATOR)
        app.text_input(key="order_number").set_value(str(order_id)).run()
        app.session_state[f"block_{order_id}_ask"] = True
        app.run()
        app.text_area(key=f"block_reason_{order_id}").set_value(NASTY)
        app.session_state[f"block_{order_id}_ask"] = True
        app.button(key=f"block_{order_id}").click().run()
        assert orders_of(ZHOU) == [OrderStatus.BLOCKED]
        family = open_app("pages/customer/my_orders.py", ZHOU)
        assert NASTY in [text.value for text in family.text]

    def test_a_strangers_requests_are_nowhere(self, open_app):
        with writing() as session:
            order_id = make_booking(session)
        app = open_app("pages/customer/my_orders.py", STRANGER)
        assert not [key for key in keys(app) | questions(app) if str(key).endswith(f"_{order_id}")]
