from dataclasses import replace

import pytest
from sqlalchemy import select

from data.accounts import Account, AccountStatus, Channel
from data.demands import Demand
from data.history import AuditEvent, Noun, StatusChange
from data.orders import Order
from data.sessions import CodePurpose
from services import (
    accounts,
    attempts,
    bookings,
    callers,
    calls,
    demands,
    notices,
    orders,
    redemption,
    sessions,
)
from services.access import Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    BROWSER,
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    LI,
    LUZHOU,
    MOTHER_ID,
    NAMES,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHOU,
    code_of,
    demand_form,
    make_application,
    make_finished_visit,
    make_order,
    make_recipient,
    phone_of,
)

ON_PHONE = replace(DESK, channel=Channel.PHONE)
FAR_DESK = replace(DESK, cities=frozenset({LUZHOU}))
NEW_PHONE = "139 1234 5678"
BAD_PHONES = ["", " ", "abc", "1391234567", "139123456789", "12345678901", "+1 23", "一三九", NASTY]


def booking_form(session, **changes):
    """A valid request: two hours of companionship by LI at this time tomorrow."""
    wish = demand_form()
    values = {
        "caregiver_id": LI.id,
        "recipient_id": MOTHER_ID,
        "item_id": COMPANIONSHIP,
        "district_code": CHONGCHUAN,
        "address": wish.address,
        "starts_at": wish.starts_at,
        "units": 2,
        "price_fen": PRICE_FEN,
    }
    return bookings.BookingForm(**(values | changes))


def move_away(session, customer, city_code):
    """Give a customer a region."""
    session.get_one(Account, customer.id).city_code = city_code
    session.flush()


def found(session, typed, actor=DESK):
    return [one.id for one in callers.find(session, actor, typed)]


class TestFinding:
    @pytest.mark.parametrize(
        "typed", ["13800000001", "+86 138 0000 0001", "138-0000-0001", " 0001 ", "周晓燕", "晓"]
    )
    def test_a_caller_is_found_by_phone_last_digits_or_name(self, session, typed):
        assert found(session, typed) == [ZHOU.id]

    @pytest.mark.parametrize("typed", ["", "  ", "13911112222", "9999", "%", "_", "没有这人"])
    def test_nobody_else_is(self, session, typed):
        assert found(session, typed) == []

    @pytest.mark.parametrize("typed", ["123", "1380000000", "138000000011", "9" * 80, "١٢٣"])
    def test_digits_that_are_no_phone_find_nobody(self, session, typed):
        assert found(session, typed) == []

    def test_a_pasted_book_is_refused_in_words(self, session):
        with pytest.raises(Invalid, match="too_long"):
            callers.find(session, DESK, "长" * 200_000)

    def test_what_tells_callers_apart_is_shown_and_the_phone_stays_masked(self, session, clock):
        make_application(session)
        [one] = callers.find(session, DESK, "周晓燕")

        assert (one.name, one.masked_phone) == (NAMES[ZHOU], "138****0001")
        assert (one.recipients, one.last_wish_at) == (1, clock())
        assert callers.one(session, DESK, one.id) == one

    def test_people_who_are_no_customers_are_not_callers(self, session):
        assert found(session, NAMES[LI]) == found(session, NAMES[OPERATOR]) == []

    def test_a_customer_of_another_city_is_not_found(self, session):
        move_away(session, ZHOU, LUZHOU)

        assert found(session, "13800000001") == []
        assert found(session, "13800000001", FAR_DESK) == [ZHOU.id]
        for ask in (callers.one, callers.numbers, callers.reach):
            with pytest.raises(NotFound, match="customer_not_found"):
                ask(session, DESK, ZHOU.id)

    def test_one_who_wished_for_care_here_is_found_wherever_they_live(self, session):
        make_application(session)
        move_away(session, ZHOU, LUZHOU)

        assert found(session, "13800000001") == [ZHOU.id]

    def test_the_whole_phone_is_shown_for_a_call_back_and_noted(self, session):
        [number] = callers.numbers(session, DESK, ZHOU.id)
        assert (number.phone, number.words) == (phone_of(ZHOU), "")
        session.flush()
        [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "open_phone"))
        assert (event.subject, event.subject_id, event.actor_id) == ("account", ZHOU.id, DESK.id)


class TestRegistering:
    def test_a_new_caller_becomes_a_customer_without_a_password(self, session):
        number = callers.register(session, DESK, "顾阿姨", NEW_PHONE, NANTONG)

        account = session.get_one(Account, number)
        assert (account.phone, account.password_hash, account.agreed_at) == (
            "+8613912345678",
            None,
            None,
        )
        assert found(session, "5678") == [number]
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.subject_id, event.actor_id, event.detail) == (
            "register_caller",
            number,
            DESK.id,
            {},
        )

    def test_it_opens_by_a_one_time_code_only(self, session):
        number = callers.register(session, DESK, "顾阿姨", NEW_PHONE, NANTONG)

        attempt = attempts.begin(session, NEW_PHONE, BROWSER)
        assert attempt.password_hash is None
        accounts.request_code(session, NEW_PHONE, CodePurpose.SIGN_IN)
        session.flush()
        notices.deliver(session)
        session.flush()
        code = accounts.console_inbox(session, NEW_PHONE) or ""
        opened = accounts.sign_in_by_code(session, NEW_PHONE, code, BROWSER)
        assert isinstance(opened, sessions.Opened)
        visitor = sessions.resume(session, opened.token)
        assert visitor is not None
        assert (visitor.actor.id, visitor.actor.role) == (number, Role.CUSTOMER)

    @pytest.mark.parametrize("actor", [ZHOU, LI, OPERATOR])
    def test_a_known_phone_is_refused_and_its_account_untouched(self, session, actor):
        before = session.get_one(Account, actor.id)
        kept = (before.name, before.phone, before.city_code, before.version)
        with pytest.raises(Conflict, match="phone_known"):
            callers.register(session, DESK, "冒名者", phone_of(actor), NANTONG)

        session.expire_all()
        after = session.get_one(Account, actor.id)
        assert (after.name, after.phone, after.city_code, after.version) == kept
        assert not session.scalars(select(AuditEvent)).all()
        callers.register(session, DESK, "顾阿姨", NEW_PHONE, NANTONG)

    def test_a_phone_known_in_another_city_is_refused_too(self, session):
        move_away(session, STRANGER, LUZHOU)

        with pytest.raises(Conflict, match="phone_known"):
            callers.register(session, DESK, "生面人", phone_of(STRANGER), NANTONG)

    @pytest.mark.parametrize("phone", BAD_PHONES)
    def test_what_is_no_phone_is_refused(self, session, phone):
        with pytest.raises(Invalid, match="phone_invalid"):
            callers.register(session, DESK, "顾阿姨", phone, NANTONG)

    @pytest.mark.parametrize(
        ("name", "key"), [("", "missing"), (" \t", "missing"), ("长" * 41, "too_long")]
    )
    def test_a_name_is_needed_and_not_too_long(self, session, name, key):
        with pytest.raises(Invalid, match=key):
            callers.register(session, DESK, name, NEW_PHONE, NANTONG)

    def test_a_name_is_kept_as_typed(self, session):
        number = callers.register(session, DESK, NASTY[:40], NEW_PHONE, NANTONG)

        assert callers.one(session, DESK, number).name == NASTY[:40].strip()
        assert found(session, "**粗体**") == [number]

    def test_only_into_a_city_of_the_desks(self, session):
        for city_code in (LUZHOU, "110100", ""):
            with pytest.raises((Conflict, Invalid), match="city_not_open"):
                callers.register(session, DESK, "顾阿姨", NEW_PHONE, city_code)


class TestActing:
    def test_a_demand_keeps_who_placed_it_and_that_it_came_by_phone(self, session):
        number = demands.post(session, ON_PHONE, demand_form(), "k", customer_id=ZHOU.id)

        demand = session.get_one(Demand, number)
        assert (demand.customer_id, demand.placed_by_id) == (ZHOU.id, DESK.id)
        assert demand.channel is Channel.PHONE
        [step] = session.scalars(select(StatusChange).where(StatusChange.subject_id == number))
        assert (step.actor_id, step.role, step.channel) == (DESK.id, Role.DESK, Channel.PHONE)
        [mine] = demands.mine(session, ON_PHONE, customer_id=ZHOU.id)
        assert mine.id == number
        assert demands.mine(session, ON_PHONE, customer_id=STRANGER.id) == []

    def test_so_does_an_order(self, session):
        number = bookings.request(
            session, ON_PHONE, booking_form(session), "k", customer_id=ZHOU.id
        )

        order = session.get_one(Order, number)
        demand = session.get_one(Demand, order.demand_id)
        assert (order.customer_id, order.channel) == (ZHOU.id, Channel.PHONE)
        assert (demand.placed_by_id, demand.channel) == (DESK.id, Channel.PHONE)
        steps = session.scalars(select(StatusChange).where(StatusChange.noun == Noun.ORDER)).all()
        assert [(one.actor_id, one.channel) for one in steps] == [(DESK.id, Channel.PHONE)]
        # What waits for an answer is an order, not a demand to be shown beside it.
        assert demands.mine(session, ON_PHONE, customer_id=ZHOU.id) == []

    def test_the_same_request_asks_once(self, session):
        form = booking_form(session)
        first = bookings.request(session, ON_PHONE, form, "k", customer_id=ZHOU.id)

        assert bookings.request(session, ON_PHONE, form, "k", customer_id=ZHOU.id) == first

    def test_a_strangers_recipient_cannot_be_booked_for(self, session):
        with pytest.raises(NotFound, match="recipient_not_found"):
            demands.post(
                session,
                DESK,
                demand_form(recipient_id=STRANGERS_FATHER_ID),
                "k",
                customer_id=ZHOU.id,
            )
        with pytest.raises(NotFound, match="recipient_not_found"):
            bookings.request(
                session,
                DESK,
                booking_form(session, recipient_id=STRANGERS_FATHER_ID),
                "k",
                customer_id=ZHOU.id,
            )

    def test_a_suspended_customer_is_refused(self, session):
        session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED
        session.flush()

        for ask in (
            lambda: callers.one(session, DESK, ZHOU.id),
            lambda: callers.numbers(session, DESK, ZHOU.id),
            lambda: demands.post(session, DESK, demand_form(), "k", customer_id=ZHOU.id),
            lambda: bookings.request(
                session, DESK, booking_form(session), "k", customer_id=ZHOU.id
            ),
        ):
            with pytest.raises(Conflict, match="customer_suspended"):
                ask()

    @pytest.mark.parametrize("customer_id", [LI.id, OPERATOR.id, NOBODY_ID])
    def test_only_customers_can_be_acted_for(self, session, customer_id):
        with pytest.raises(NotFound, match="customer_not_found"):
            demands.post(session, DESK, demand_form(), "k", customer_id=customer_id)

    def test_a_customer_of_another_city_cannot_be_acted_for(self, session):
        move_away(session, ZHOU, LUZHOU)

        for ask in (
            lambda: demands.post(session, DESK, demand_form(), "k", customer_id=ZHOU.id),
            lambda: bookings.request(
                session, DESK, booking_form(session), "k", customer_id=ZHOU.id
            ),
        ):
            with pytest.raises(NotFound, match="customer_not_found"):
                ask()

    @pytest.mark.parametrize("actor", [ZHOU, LI, OPERATOR])
    def test_nobody_but_the_desk_acts_for_others(self, session, actor):
        with pytest.raises(NotAllowed):
            callers.acted_for(session, actor, STRANGER.id)

    def test_the_desk_has_no_wishes_of_its_own(self, session):
        with pytest.raises(NotAllowed):
            demands.post(session, DESK, demand_form(), "k")

    def test_the_desk_posts_in_its_own_cities_only(self, session):
        with pytest.raises(Conflict, match="city_not_open"):
            demands.post(session, FAR_DESK, demand_form(), "k", customer_id=ZHOU.id)


class TestFollowing:
    def test_the_orders_are_one_customers_only_and_newest_first(self, session, clock):
        first = make_order(session)
        clock.move(minutes=5)
        second = make_order(session, starts_at=clock().replace(hour=15))
        father = make_recipient(session, STRANGER)
        make_order(
            session, customer=STRANGER, recipient_id=father, starts_at=clock().replace(hour=18)
        )

        listed = orders.listing(session, DESK, customer_id=ZHOU.id, limit=10)
        assert [order.id for order in listed] == [second, first]
        assert orders.listing(session, FAR_DESK, customer_id=ZHOU.id) == []
        assert orders.listing(session, STRANGER, customer_id=ZHOU.id) == []

    def test_the_visits_to_redeem_are_one_customers_only(self, session):
        visit_id = make_finished_visit(session)

        for customer, ids in ((ZHOU, [visit_id]), (STRANGER, [])):
            waiting = redemption.waiting(session, ON_PHONE, customer_id=customer.id)
            assert [one.visit_id for one in waiting] == ids
        assert redemption.waiting(session, FAR_DESK, customer_id=ZHOU.id) == []

    def test_redeeming_after_a_call_back_keeps_who_did_it_by_phone(self, session):
        visit_id = make_finished_visit(session)

        code = code_of(session, visit_id)
        assert calls.redeem(session, ON_PHONE, visit_id, code, "周女士", "做得很好") is None
        [step] = session.scalars(select(StatusChange).where(StatusChange.move == "redeem"))
        assert (step.actor_id, step.channel) == (DESK.id, Channel.PHONE)
