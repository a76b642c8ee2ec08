"""Direct bookings: asked, held, answered, and what becomes of them."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Channel
from data.cities import City
from data.demands import Demand, DemandStatus
from data.history import AuditEvent, Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.tasks import Task
from services import applications, bookings, caregivers, gate, ledger, orders
from services.access import SYSTEM
from services.bookings import BookingForm
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.ledger import LedgerAccount
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    DRAFT,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    LI,
    MOTHER_ID,
    NASTY,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    make_application,
    make_booking,
    make_visit,
    price_of,
    visit_of,
)


def form(clock, **changes):
    values = {
        "caregiver_id": LI.id,
        "recipient_id": MOTHER_ID,
        "item_id": COMPANIONSHIP,
        "district_code": CHONGCHUAN,
        "address": "濠河花园 3 幢 502 室",
        "starts_at": clock.moment + timedelta(days=1),
        "units": 2,
        "price_fen": PRICE_FEN,
    }
    return BookingForm(**(values | changes))


def told(session, kind):
    return sorted(
        session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind))
    )


def parts(session, order_id):
    session.flush()
    order = session.get_one(Order, order_id)
    visit = session.get_one(Visit, visit_of(session, order_id))
    return order.status, visit.status, session.get_one(Demand, order.demand_id).status


def steps(session, noun, subject_id):
    session.flush()
    return session.scalars(
        select(StatusChange.move)
        .where(StatusChange.noun == noun, StatusChange.subject_id == subject_id)
        .order_by(StatusChange.id)
    ).all()


@pytest.fixture
def order_id(session):
    """Zhou has asked Li."""
    return make_booking(session)


class TestRequest:
    def test_holds_the_time_and_tells_caregiver_and_operators(self, session, clock):
        order_id = bookings.request(session, ZHOU, form(clock), "a")
        assert parts(session, order_id) == ("requested", "held", "directed")
        order = session.get_one(Order, order_id)
        assert price_of(session, order.id)[0] == 2 * PRICE_FEN
        assert order.answer_until == clock.moment + timedelta(hours=2)
        tomorrow = clock.moment + timedelta(days=1)
        assert not gate.is_free(session, LI.id, tomorrow, tomorrow + timedelta(hours=1))
        assert told(session, NoticeKind.REQUEST_RECEIVED) == [LI.id]
        assert told(session, NoticeKind.REQUEST_PLACED) == [OPERATOR.id]
        assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == 0

    def test_twice_with_the_same_key_asks_once(self, session, clock):
        first = bookings.request(session, ZHOU, form(clock), "a")
        assert bookings.request(session, ZHOU, form(clock), "a") == first

    def test_a_time_that_is_held_cannot_be_asked_for_again(self, session, clock):
        bookings.request(session, ZHOU, form(clock), "a")
        theirs = form(clock, recipient_id=STRANGERS_FATHER_ID)
        with pytest.raises(Conflict, match="obstacle_busy"):
            bookings.request(session, STRANGER, theirs, "b")

    def test_the_desk_asks_for_a_caller_and_both_are_kept(self, session, clock):
        order_id = bookings.request(session, DESK, form(clock), "a", customer_id=ZHOU.id)
        order = session.get_one(Order, order_id)
        demand = session.get_one(Demand, order.demand_id)
        assert (order.customer_id, order.channel) == (ZHOU.id, Channel.PHONE)
        assert (demand.placed_by_id, demand.channel) == (DESK.id, Channel.PHONE)

    def test_only_for_ones_own_recipients(self, session, clock):
        with pytest.raises(NotFound, match="recipient_not_found"):
            bookings.request(session, ZHOU, form(clock, recipient_id=STRANGERS_FATHER_ID), "a")

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"price_fen": PRICE_FEN - 100}, "price_changed"),
            ({"item_id": HOSPITAL_COMPANION}, "price_changed"),
            ({"item_id": 999}, "item_not_found"),
            ({"caregiver_id": 999}, "caregiver_not_found"),
            ({"caregiver_id": DRAFT.id}, "caregiver_not_approved"),
            ({"district_code": "510502"}, "district_of_another_city"),
            ({"address": " "}, "missing"),
            ({"address": "长" * 201}, "too_long"),
            ({"units": 99}, "units_out_of_range"),
            ({"place_id": 999}, "place_not_found"),
        ],
    )
    def test_refuses_what_cannot_be(self, session, clock, changes, refusal):
        with pytest.raises((Invalid, Conflict, NotFound), match=refusal):
            bookings.request(session, ZHOU, form(clock, **changes), "a")

    def test_needs_time_to_be_answered(self, session, clock):
        soon = form(clock, starts_at=clock.moment + timedelta(hours=2))
        with pytest.raises(Conflict, match="obstacle_too_soon"):
            bookings.request(session, ZHOU, soon, "a")

    def test_only_within_her_hours(self, session, clock):
        night = form(clock, starts_at=clock.moment + timedelta(hours=14))
        with pytest.raises(Conflict, match="obstacle_off_hours"):
            bookings.request(session, ZHOU, night, "a")

    def test_a_suspended_caregiver_is_not_booked(self, session, clock):
        caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
        with pytest.raises(Conflict, match="caregiver_not_approved"):
            bookings.request(session, ZHOU, form(clock), "a")


class TestAnswer:
    def test_yes_makes_the_order_stand_and_gives_the_code(self, session, order_id):
        bookings.accept(session, LI, order_id)
        assert parts(session, order_id) == ("confirmed", "planned", "matched")
        assert told(session, NoticeKind.ORDER_CONFIRMED) == [ZHOU.id]
        assert told(session, NoticeKind.CODE_ISSUED) == [LI.id]
        assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == -2 * PRICE_FEN
        assert steps(session, Noun.ORDER, order_id) == ["request", "accept"]

    def test_no_frees_the_time_and_offers_the_demand_to_everybody(self, session, clock, order_id):
        bookings.refuse(session, LI, order_id)
        assert parts(session, order_id) == ("refused", "cancelled", "open")
        tomorrow = clock.moment + timedelta(days=1)
        assert gate.is_free(session, LI.id, tomorrow, tomorrow + timedelta(hours=1))
        assert told(session, NoticeKind.REQUEST_REFUSED) == [ZHOU.id]
        assert "announce_demand" in session.scalars(select(Task.kind)).all()
        assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == 0

    def test_the_offered_demand_finds_another_caregiver(self, session, order_id):
        bookings.refuse(session, LI, order_id)
        demand_id = session.get_one(Order, order_id).demand_id
        again = applications.approve(
            session, OPERATOR, make_application(session, demand_id, caregiver=ZHAO)
        )
        assert session.get_one(Order, again).caregiver_id == ZHAO.id
        assert parts(session, order_id)[0] is OrderStatus.REFUSED

    def test_nobody_answers_for_her(self, session, order_id):
        with pytest.raises(NotFound):
            bookings.accept(session, ZHAO, order_id)
        with pytest.raises(NotAllowed):
            bookings.accept(session, ZHOU, order_id)

    def test_an_answer_counts_once(self, session, order_id):
        bookings.accept(session, LI, order_id)
        for answer in (bookings.accept, bookings.refuse):
            with pytest.raises(Conflict, match="order_moved_on"):
                answer(session, LI, order_id)

    def test_too_late_is_too_late(self, session, clock, order_id):
        clock.move(hours=2)
        with pytest.raises(Conflict, match="request_expired"):
            bookings.accept(session, LI, order_id)

    def test_suspended_since_she_cannot_say_yes_but_no(self, session, order_id):
        caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
        with pytest.raises(Conflict, match="caregiver_not_approved"), session.begin_nested():
            bookings.accept(session, LI, order_id)
        session.expire_all()
        assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == 0
        bookings.refuse(session, LI, order_id)
        assert parts(session, order_id)[0] is OrderStatus.REFUSED

    def test_the_family_may_still_ask_for_somebody_else(self, session, order_id):
        bookings.accept(session, LI, order_id)
        session.flush()
        orders.decline(session, ZHOU, order_id)
        assert parts(session, order_id) == ("cancelled", "cancelled", "open")


class TestTheOperatorsWord:
    @pytest.fixture(autouse=True)
    def last_word(self, session):
        session.scalars(select(City).where(City.code == "320600")).one().operator_approves = True

    def test_is_asked_for_where_the_city_wants_it(self, session, order_id):
        bookings.accept(session, LI, order_id)
        assert parts(session, order_id) == ("accepted", "held", "directed")
        assert told(session, NoticeKind.REQUEST_TO_APPROVE) == [OPERATOR.id]
        bookings.confirm(session, OPERATOR, order_id)
        assert parts(session, order_id)[:2] == (OrderStatus.CONFIRMED, VisitStatus.PLANNED)

    def test_suspended_she_can_neither_agree_nor_be_confirmed(self, session, order_id):
        caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
        with pytest.raises(Conflict, match="caregiver_not_approved"), session.begin_nested():
            bookings.accept(session, LI, order_id)
        session.expire_all()
        caregivers.move(session, OPERATOR, LI.id, "restore")
        bookings.accept(session, LI, order_id)
        caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
        with pytest.raises(Conflict, match="caregiver_not_approved"), session.begin_nested():
            bookings.confirm(session, OPERATOR, order_id)
        session.expire_all()
        assert parts(session, order_id)[:2] == (OrderStatus.ACCEPTED, VisitStatus.HELD)

    def test_is_not_given_in_time_and_both_sides_learn_whose_silence_it_was(
        self, session, clock, order_id
    ):
        bookings.accept(session, LI, order_id)
        clock.move(hours=2)
        assert bookings.expire_due(session, SYSTEM) == 1
        assert parts(session, order_id) == ("lapsed", "cancelled", "open")
        assert told(session, NoticeKind.REQUEST_LAPSED) == [ZHOU.id]
        assert told(session, NoticeKind.YES_LAPSED) == [LI.id]
        assert told(session, NoticeKind.REQUEST_EXPIRED) == []
        with pytest.raises(Conflict, match="order_moved_on"):
            bookings.confirm(session, OPERATOR, order_id)

    def test_is_not_anothers(self, session, order_id):
        bookings.accept(session, LI, order_id)
        with pytest.raises(NotFound):
            bookings.confirm(session, FAR_OPERATOR, order_id)


class TestEnds:
    def test_the_operator_stops_a_request_and_says_why(self, session, order_id):
        bookings.block(session, OPERATOR, order_id, NASTY)
        assert parts(session, order_id) == ("blocked", "cancelled", "withdrawn")
        assert session.get_one(Order, order_id).decision_words == NASTY
        assert told(session, NoticeKind.REQUEST_BLOCKED) == sorted([ZHOU.id, LI.id])
        assert "block_request" in session.scalars(select(AuditEvent.action)).all()

    def test_stopping_needs_a_reason(self, session, order_id):
        with pytest.raises(Invalid, match="missing"):
            bookings.block(session, OPERATOR, order_id, " ")

    def test_the_family_takes_it_back(self, session, order_id):
        bookings.call_off(session, ZHOU, order_id)
        assert parts(session, order_id) == ("cancelled", "cancelled", "withdrawn")
        assert told(session, NoticeKind.ORDER_CANCELLED) == [LI.id]
        assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == 0

    def test_a_stranger_does_not(self, session, order_id):
        with pytest.raises(NotFound):
            bookings.call_off(session, STRANGER, order_id)

    def test_an_agreed_one_is_cancelled_instead(self, session, order_id):
        bookings.accept(session, LI, order_id)
        with pytest.raises(Conflict, match="order_moved_on"):
            bookings.call_off(session, ZHOU, order_id)

    def test_unanswered_it_expires_into_a_demand(self, session, clock, order_id):
        assert bookings.expire_due(session, SYSTEM) == 0
        clock.move(hours=2)
        assert bookings.expire_due(session, SYSTEM) == 1
        assert bookings.expire_due(session, SYSTEM) == 0
        assert parts(session, order_id) == ("expired", "cancelled", "open")
        assert told(session, NoticeKind.REQUEST_EXPIRED) == [ZHOU.id]

    def test_found_long_after_its_time_the_demand_expires_too(self, session, clock, order_id):
        clock.move(days=2)
        bookings.expire_due(session, SYSTEM)
        assert parts(session, order_id)[2] is DemandStatus.EXPIRED
        assert told(session, NoticeKind.REQUEST_EXPIRED) == []
        assert told(session, NoticeKind.DEMAND_EXPIRED) == [ZHOU.id]

    def test_a_held_visit_is_neither_late_nor_redeemable(self, session, order_id):
        assert orders.listing(session, LI)[0].visit_moves == ()

    def test_counts_and_lists_tell_requests_apart(self, session, clock, order_id):
        make_visit(session, starts_at=clock.moment + timedelta(days=2))
        session.flush()
        assert orders.counts(session, OPERATOR)[VisitStatus.HELD] == 1
        [held] = orders.listing(session, OPERATOR, visit_statuses=(VisitStatus.HELD,))
        assert held.status is OrderStatus.REQUESTED
        assert "block" in held.open_moves
        assert "agree" not in held.open_moves
