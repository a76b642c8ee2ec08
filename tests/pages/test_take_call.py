"""The desk takes a call: finds or enters the caller, books, posts, redeems and follows for them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from components import desk
from data.accounts import Account, AccountStatus, Channel
from data.calls import Call, NoteKind, Outcome
from data.consents import Consent
from data.database import reading, writing
from data.demands import Demand, DemandStatus, Draft
from data.history import AuditEvent
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.policies import Policy
from data.recipients import Recipient
from services import bookings, callers, calls, consents, demands, notes, redemption, repeat_bookings
from services.access import Actor, Role
from tests.factories import (
    DESK,
    LI,
    LUZHOU,
    MOTHER_ID,
    NAMES,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_booking,
    make_demand,
    make_family,
    make_finished_visit,
    make_order,
)
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    opened,
    questions,
    said,
    speak_english,
    successes,
    words,
)
from tests.policies import publish

PAGE = "pages/desk/take_call.py"
NEW_PHONE = "13912345678"


def search(app, typed):
    """As the field does it that sends what is typed; AppTest cannot type in it."""
    app.session_state["desk_typed"] = typed
    return app.run()


def with_caller(open_app, typed="13800000001", wish=desk.Wish.BOOK):
    """Find somebody, choose the first found, and say what they want."""
    app = search(open_app(PAGE, DESK), typed)
    if first := [b for b in app.button if re.fullmatch(r"caller_\d+", str(b.key))]:
        first[0].click().run()
        if f"desk_wish_{wish}" in keys(app):
            ask_for(app, wish)
    return app


def ask_for(app, wish):
    return app.button(key=f"desk_wish_{wish}").click().run()


def caller_of(app):
    return app.query_params.get("caller")


def books(app, caregiver=LI):
    """Choose companionship, a caregiver and an address, and ask her."""
    app.segmented_control(key="find_group").set_value("elderly").run()
    app.button(key=f"book_{caregiver.id}").click().run()
    app.text_input(key="booking_address").set_value("濠河花园 3 幢").run()
    app.button(key="booking_request").click().run()
    return app


def rows(model):
    with reading() as session:
        return session.scalars(select(model).order_by(model.id)).all()


def actions():
    return [event.action for event in rows(AuditEvent)]


def changed(customer, **values):
    with writing() as session:
        for name, value in values.items():
            setattr(session.get_one(Account, customer.id), name, value)


class TestFinding:
    def test_the_page_is_the_desks_landing_and_begins_with_one_field(self, open_app, menu):
        app = open_app(PAGE, DESK)
        assert not app.exception
        assert menu[0] == words("page.take_call")
        assert "unknown_caller" in keys(app)

    def test_choosing_somebody_begins_their_call(self, open_app):
        app = with_caller(open_app, " 138 0000 0001 ")
        [call] = rows(Call)
        assert (call.customer_id, call.taken_by_id, call.ended_at) == (ZHOU.id, DESK.id, None)
        assert caller_of(app) == str(ZHOU.id)
        assert NAMES[ZHOU] in said(app)
        assert "138\\*\\*\\*\\*0001" in said(app)
        assert not app.get("exception")

    @pytest.mark.parametrize("typed", ["0001", "周晓燕", "晓", "zxy", "zhou x", "13800000001"])
    def test_anything_else_asks_for_a_press(self, open_app, typed):
        app = search(open_app(PAGE, DESK), typed)
        assert caller_of(app) is None
        button = app.button(key=f"caller_{ZHOU.id}")
        assert NAMES[ZHOU] in button.label
        button.click().run()
        assert caller_of(app) == str(ZHOU.id)

    def test_nobody_found_says_what_to_do(self, open_app):
        assert words("empty.callers") in said(with_caller(open_app, "没有这人"))

    @pytest.mark.parametrize("typed", ["123", "138000000", "0513"])
    def test_no_whole_phone_offers_no_form(self, open_app, typed):
        app = with_caller(open_app, typed)
        assert "first_call_save" not in keys(app)
        assert not app.exception

    def test_another_citys_customer_is_neither_found_nor_reached_by_address(self, open_app):
        changed(ZHOU, city_code=LUZHOU)
        assert f"caller_{ZHOU.id}" not in keys(with_caller(open_app, "周晓燕"))
        app = open_app(PAGE, DESK)
        app.query_params["caller"] = str(ZHOU.id)
        app.run()
        assert errors(app) == [words("error.customer_not_found")]
        assert NAMES[ZHOU] not in said(app)

    def test_a_suspended_customer_is_refused_and_the_next_call_can_come(self, open_app):
        changed(ZHOU, status=AccountStatus.SUSPENDED)
        app = with_caller(open_app)
        assert errors(app) == [words("error.customer_suspended")]
        app.button(key="another_caller").click().run()
        assert "unknown_caller" in keys(app)

    @pytest.mark.parametrize("typed", ["abc", "-1", "0", "9" * 30, "١٢"])
    def test_a_mistyped_address_opens_nobody(self, open_app, typed):
        app = open_app(PAGE, DESK)
        app.query_params["caller"] = typed
        app.run()
        assert not app.exception
        assert "caller_phone" not in keys(app)


class TestFirstCall:
    def test_an_unknown_phone_is_entered_and_its_caller_chosen(self, open_app):
        app = with_caller(open_app, NEW_PHONE)
        number = app.text_input(key=f"first_call_phone_+86{NEW_PHONE}")
        assert number.value == NEW_PHONE
        app.text_input(key="first_call_name").set_value(NASTY[:40])
        app.button(key="first_call_save").click().run()

        assert not app.exception
        assert successes(app) == [words("desk.registered")]
        entered = rows(Account)[-1]
        assert (entered.name, entered.password_hash) == (NASTY[:40].strip(), None)
        assert entered.city_code == NANTONG
        assert caller_of(app) == str(entered.id)
        assert actions() == ["register_caller"]
        assert rows(Call)[0].customer_id == entered.id

    def test_without_a_name_nobody_is_entered(self, open_app):
        app = with_caller(open_app, NEW_PHONE)
        app.button(key="first_call_save").click().run()
        assert errors(app) == [words("error.missing", field=words("field.name"))]
        assert app.text_input(key="first_call_name").value == ""

    def test_a_phone_of_another_citys_customer_is_refused_in_words(self, open_app):
        changed(ZHOU, city_code=LUZHOU)
        app = with_caller(open_app)
        app.text_input(key="first_call_name").set_value("冒名者")
        app.button(key="first_call_save").click().run()
        assert errors(app) == [words("error.phone_known")]
        assert rows(Account)[ZHOU.id - 1].name == NAMES[ZHOU]


class TestBooking:
    def test_a_caregiver_is_asked_for_the_caller_and_the_words_are_read_back(self, open_app):
        app = books(with_caller(open_app))

        assert not app.exception
        assert successes(app) == [words("book.requested")]
        [order], [demand] = rows(Order), rows(Demand)
        assert (order.customer_id, order.caregiver_id) == (ZHOU.id, LI.id)
        assert (order.channel, demand.channel) == (Channel.PHONE, Channel.PHONE)
        assert (demand.placed_by_id, demand.recipient_id) == (DESK.id, MOTHER_ID)
        assert caller_of(app) == str(ZHOU.id)
        text = said(app)
        assert "为周奶奶预约老人陪伴，由陪护员李桂兰上门" in text
        assert "今天，1月7日 周一，中午12点到下午2点" in text
        assert "一共96元" in text  # Today at noon is urgent.
        assert "李桂兰会在今天上午11点之前答复" in text
        # Nothing is open any more: the next deed begins anew.
        assert "booking_request" not in keys(app)

    def test_once_she_said_yes_the_words_say_so(self, open_app):
        app = books(with_caller(open_app))
        with writing() as session:
            bookings.accept(session, LI, 1)
        assert words("desk.says_yes", caregiver=NAMES[LI]) in said(app.run())

    def test_what_was_read_back_goes_away(self, open_app):
        app = books(with_caller(open_app))
        app.button(key="was_read").click().run()
        assert "跟您核对" not in said(app)
        assert "desk_repeat_book" in keys(app)

    def test_an_order_refused_meanwhile_is_not_read_back(self, open_app):
        app = books(with_caller(open_app))
        with writing() as session:
            bookings.refuse(session, LI, 1)
        assert "跟您核对" not in said(app.run())

    def test_one_called_off_is_read_back_as_that(self, open_app):
        app = books(with_caller(open_app))
        with writing() as session:
            bookings.call_off(session, DESK, 1)
        assert "已经取消" in said(app.run())

    def test_another_caregiver_can_be_picked_for_the_same_search(self, open_app):
        app = with_caller(open_app)
        app.segmented_control(key="find_group").set_value("elderly").run()
        app.button(key=f"book_{LI.id}").click().run()
        app.button(key="other_caregiver").click().run()
        assert app.segmented_control(key="find_group").value == "elderly"
        app.button(key=f"book_{ZHAO.id}").click().run()
        assert words("book.request", name=NAMES[ZHAO]) in {b.label for b in app.button}

    def test_a_changed_search_leads_back_to_who_can_come(self, open_app):
        app = with_caller(open_app)
        app.segmented_control(key="find_group").set_value("elderly").run()
        app.button(key=f"book_{LI.id}").click().run()
        opened(app, "find_narrower").selectbox(key="find_sex").set_value("female").run()
        assert "booking_request" not in keys(app)
        assert f"book_{LI.id}" in keys(app)

    def test_the_first_recipient_is_added_for_the_caller(self, open_app):
        with writing() as session:
            number = callers.register(session, DESK, "顾阿姨", NEW_PHONE, NANTONG)
        app = with_caller(open_app, NEW_PHONE)
        app.segmented_control(key="find_group").set_value("elderly").run()
        app.button(key=f"book_{LI.id}").click().run()
        assert app.button(key="booking_request").disabled
        app.text_input(key="booking_new_name").set_value("顾奶奶")
        app.button(key="booking_new_save").click().run()
        assert rows(Recipient)[-1].customer_id == number
        assert not app.button(key="booking_request").disabled

    def test_what_was_typed_for_one_caller_is_not_shown_to_the_next(self, open_app):
        with writing() as session:
            other, _ = make_family(session, 20)
        app = with_caller(open_app)
        app.segmented_control(key="find_group").set_value("elderly").run()
        app.button(key=f"book_{LI.id}").click().run()
        app.text_input(key="booking_address").set_value("濠河花园 3 幢").run()
        app.query_params["caller"] = str(other.id)
        app.run()
        assert "booking_request" not in keys(app)
        app.segmented_control(key="find_group").set_value("elderly").run()
        app.button(key=f"book_{LI.id}").click().run()
        assert app.text_input(key="booking_address").value == ""


class TestPosting:
    def test_what_was_begun_for_a_caller_is_there_when_they_call_again(self, open_app):
        app = ask_for(with_caller(open_app), desk.Wish.POST)
        app.text_input(key="demand_address").set_value("濠河花园 3 幢").run()
        app = ask_for(with_caller(open_app), desk.Wish.POST)
        assert app.text_input(key="demand_address").value == "濠河花园 3 幢"
        assert "discard_draft" in keys(app)
        app.text_area(key="demand_words").set_value("请会说本地话的").run()
        app.button(key="demand_submit").click().run()
        assert not app.exception
        assert rows(Demand)[0].address == "濠河花园 3 幢"
        assert rows(Draft) == []

    def test_nothing_begun_for_one_caller_is_shown_with_another(self, open_app):
        app = ask_for(with_caller(open_app), desk.Wish.POST)
        app.text_input(key="demand_address").set_value("濠河花园 3 幢").run()
        app = ask_for(with_caller(open_app, "13800000002"), desk.Wish.POST)
        assert app.text_input(key="demand_address").value == ""

    def test_a_former_demand_is_filled_in_for_the_caller(self, open_app):
        with writing() as session:
            demand_id = make_demand(session, words="父亲走路慢")
            demands.withdraw(session, ZHOU, demand_id)
        app = ask_for(with_caller(open_app), desk.Wish.ORDERS)
        app.session_state["ended_demands"] = True
        app.run()
        app.button(key=f"again_demand_{demand_id}").click().run()
        assert successes(app) == [words("draft.ready_for_caller")]
        app = ask_for(app, desk.Wish.POST)
        assert app.text_area(key="demand_words").value == "父亲走路慢"
        assert app.text_input(key="demand_address").value == ""

    def test_a_demand_is_posted_for_the_caller_and_read_back(self, open_app):
        app = ask_for(with_caller(open_app), desk.Wish.POST)
        app.text_input(key="demand_address").set_value("濠河花园 3 幢").run()
        app.button(key="demand_submit").click().run()

        assert not app.exception
        assert successes(app) == [words("demand.posted")]
        [demand] = rows(Demand)
        assert (demand.customer_id, demand.placed_by_id) == (ZHOU.id, DESK.id)
        assert (demand.channel, demand.status) == (Channel.PHONE, DemandStatus.OPEN)
        assert "为周奶奶找人做" in said(app)
        assert caller_of(app) == str(ZHOU.id)

    def test_a_missing_address_is_refused_in_words(self, open_app):
        app = ask_for(with_caller(open_app), desk.Wish.POST)
        app.button(key="demand_submit").click().run()
        assert errors(app) == [words("error.missing", field=words("field.address"))]
        assert not rows(Demand)


class TestRedeeming:
    def test_after_a_call_back_the_code_closes_the_visit(self, open_app):
        with writing() as session:
            visit_id = make_finished_visit(session)
        app = ask_for(with_caller(open_app), desk.Wish.REDEEM)
        assert words("desk.call_back") in said(app)
        app.button(key="caller_phone").click().run()
        assert "+8613800000001" in said(app)
        assert actions()[-1] == "open_phone"

        with reading() as session:
            code = redemption.grouped(code_of(session, visit_id))
        app.text_input(key=f"redeem_spoke_{visit_id}").set_value("周女士")
        app.text_input(key=f"redeem_words_{visit_id}").set_value("做得很好")
        app.text_input(key=f"redeem_code_{visit_id}").set_value(code)
        app.button(key="redeem_submit").click().run()

        assert not app.exception
        assert successes(app) == [words("redeem.done")]
        assert rows(Visit)[0].status is VisitStatus.REDEEMED
        assert caller_of(app) == str(ZHOU.id)
        assert "已经核销" in said(app)
        assert rows(Call)[0].words == "做得很好"

    def test_without_words_of_the_family_nothing_is_redeemed(self, open_app):
        with writing() as session:
            visit_id = make_finished_visit(session)
        app = ask_for(with_caller(open_app), desk.Wish.REDEEM)
        app.text_input(key=f"redeem_code_{visit_id}").set_value("3333-3333")
        app.button(key="redeem_submit").click().run()
        assert errors(app) == [words("error.missing", field=words("field.spoke_with"))]

    def test_a_wrong_code_is_counted(self, open_app):
        with writing() as session:
            visit_id = make_finished_visit(session)
        app = ask_for(with_caller(open_app), desk.Wish.REDEEM)
        app.text_input(key=f"redeem_spoke_{visit_id}").set_value("周女士")
        app.text_input(key=f"redeem_words_{visit_id}").set_value("来过")
        app.text_input(key=f"redeem_code_{visit_id}").set_value("3333-3333")
        app.button(key="redeem_submit").click().run()
        assert errors(app) == [words("error.redemption_wrong", left=4)]

    def test_another_customers_visits_are_not_offered(self, open_app):
        with writing() as session:
            make_finished_visit(session)
        app = ask_for(with_caller(open_app, "13800000002"), desk.Wish.REDEEM)
        assert caller_of(app) == str(STRANGER.id)
        assert words("empty.redeem") in said(app)


class TestRepeating:
    def test_the_last_order_is_booked_again_with_one_press(self, open_app):
        with writing() as session:
            make_order(session)
        app = with_caller(open_app, wish=desk.Wish.REPEAT)
        assert "濠河花园" not in said(app)
        app.button(key="desk_repeat_book").click().run()
        assert successes(app) == [words("book.requested")]
        first, again = rows(Order)
        assert (again.caregiver_id, again.channel) == (LI.id, Channel.PHONE)
        assert rows(Demand)[1].address == rows(Demand)[0].address
        assert "为周奶奶预约老人陪伴" in said(app)
        assert first.id != again.id

    def test_why_the_usual_caregiver_cannot_come_is_said_with_who_else_can(self, open_app):
        with writing() as session:
            make_order(session)
            wanted = repeat_bookings.propose(session, DESK, ZHOU.id).wanted_at
            make_booking(session, customer=STRANGER, starts_at=wanted)
        app = with_caller(open_app, wish=desk.Wish.REPEAT)

        assert words("error.obstacle_busy") in said(app)
        assert any(NAMES[ZHAO] in option for option in app.radio[0].options)

    def test_without_an_order_there_is_nothing_to_repeat(self, open_app):
        app = with_caller(open_app, wish=desk.Wish.REPEAT)
        assert words("empty.repeat") in said(app)


class TestCalls:
    def test_a_call_ends_with_an_outcome_and_the_next_caller_can_come(self, open_app):
        app = with_caller(open_app)
        app.button(key="end_call_ask").click().run()
        app.text_area(key="desk_end_words_1").set_value("问了价格")
        app.button(key="desk_end_save").click().run()
        assert successes(app) == [words("calls.ended")]
        assert (rows(Call)[0].words, caller_of(app)) == ("问了价格", None)

    def test_whom_to_call_today_is_called_from_the_list(self, open_app, clock):
        with writing() as session:
            call_id = calls.begin(session, DESK, ZHOU.id)
            later = clock() + timedelta(hours=1)
            calls.end(session, DESK, call_id, calls.Outcome.CALL_AGAIN, "回电", later)
        app = open_app(PAGE, DESK)
        assert words("calls.due", count=1) in said(app)
        app.button(key=f"due_open_{call_id}").click().run()
        assert caller_of(app) == str(ZHOU.id)
        assert rows(Call)[-1].direction is calls.Direction.OUT

    def test_a_colleague_on_the_same_caller_is_named(self, open_app):
        with writing() as session:
            calls.begin(session, replace(DESK, id=OPERATOR.id), ZHOU.id)
        app = with_caller(open_app)
        assert any(NAMES[OPERATOR] in one.value for one in app.warning)

    def test_an_unknown_caller_has_a_call_too(self, open_app):
        app = open_app(PAGE, DESK)
        app.button(key="unknown_caller").click().run()
        assert words("calls.with_unknown") in said(app)
        assert rows(Call)[0].customer_id is None

    def test_a_colleague_on_the_same_caller_is_named_with_what_was_done(self, open_app):
        app = with_caller(open_app)
        assert not app.warning
        with writing() as session:
            colleague = Actor(OPERATOR.id, Role.DESK, DESK.cities, Channel.PHONE)
            calls.begin(session, colleague, ZHOU.id)
            calls.mark(session, colleague, Outcome.CANCELLED, ZHOU.id, NANTONG)
        app.run()

        [warning] = app.warning
        assert NAMES[OPERATOR] in warning.value
        done = words("calls.other_did", outcome=words("outcome.cancelled"))
        assert done in warning.value


class TestCard:
    def test_promises_and_troubles_stand_on_it_and_are_ticked_off(self, open_app, clock):
        with writing() as session:
            day = clock().date()
            notes.add(session, DESK, ZHOU.id, NoteKind.PROMISE, "**寄** <b>发票</b>", day)
        app = with_caller(open_app)
        assert "**寄** <b>发票</b>" in said(app)
        app.button(key="note_done_1").click().run()
        assert successes(app) == [words("notes.ticked")]
        assert "发票" not in said(app)

    def test_somebody_else_at_a_known_number_gets_an_account_nothing_opens(self, open_app):
        app = search(open_app(PAGE, DESK), "13800000001")
        opened(app, "somebody_else")
        app.text_input(key="first_call_name").set_value("周大爷")
        app.button(key="first_call_save").click().run()
        assert not errors(app)
        assert words("desk.no_own_phone") in said(app).replace("\\", "")
        assert "周晓燕" in said(app)


class TestFollowing:
    def test_an_order_is_cancelled_for_the_caller_after_asking(self, open_app):
        with writing() as session:
            order_id = make_order(session)
        app = ask_for(with_caller(open_app), desk.Wish.ORDERS)
        assert {f"cancel_{order_id}", f"decline_{order_id}"} <= questions(app)
        confirm(app, f"cancel_{order_id}").run()
        assert rows(Order)[0].status is OrderStatus.CANCELLED

    def test_another_customers_orders_are_not_shown(self, open_app):
        with writing() as session:
            make_order(session)
        app = ask_for(with_caller(open_app, "13800000002"), desk.Wish.ORDERS)
        assert words("empty.caller_orders") in said(app)

    def test_a_recipient_is_changed_and_the_look_noted(self, open_app):
        app = ask_for(with_caller(open_app), desk.Wish.ORDERS)
        assert "open_recipient" not in actions()
        opened(app, f"recipient_{MOTHER_ID}").run()
        assert app.text_area(key=f"desk_recipient_{MOTHER_ID}_conditions").value
        assert "open_recipient" in actions()
        app.session_state[f"recipient_{MOTHER_ID}"] = True
        app.text_input(key=f"desk_recipient_{MOTHER_ID}_name").set_value("周老太")
        app.button(key=f"desk_recipient_{MOTHER_ID}_save").click().run()
        assert successes(app) == [words("recipient.saved")]
        assert rows(Recipient)[0].name == "周老太"


def test_the_desk_takes_down_a_callers_consent_before_health_notes(open_app):
    with writing() as session:
        session.execute(delete(Consent).where(Consent.policy == Policy.SENSITIVE_DATA))
    app = ask_for(with_caller(open_app), desk.Wish.ORDERS)
    new = "desk_recipient_new"
    assert app.checkbox(key=f"{new}_agreed").label == words("recipient.caller_agrees")
    app.text_input(key=f"{new}_name").set_value("周爷爷")
    app.text_area(key=f"{new}_conditions").set_value("糖尿病")
    app.button(key=f"{new}_save").click().run()
    assert errors(app) == [words("error.health_notes_consent")]
    app.checkbox(key=f"{new}_agreed").check()
    app.button(key=f"{new}_save").click().run()
    assert successes(app) == [words("recipient.saved")]
    assert "give_consent" in actions()


def test_a_caller_is_asked_for_what_changed_since_their_yes(open_app, clock):
    assert words("consents.caller") not in said(with_caller(open_app))
    with writing() as session:
        publish(session, Policy.SENSITIVE_DATA, clock().date(), changes_zh="只存一年")
    app = with_caller(open_app)
    assert words("consents.changed", number=2, changes="只存一年") in said(app)
    app.button(key="renew_sensitive_data").click().run()
    assert successes(app) == [words("consents.caller_agreed")]
    assert "renew_sensitive_data" not in keys(app)
    with reading() as session:
        assert consents.given(session, ZHOU.id, Policy.SENSITIVE_DATA)


def test_the_page_speaks_english(open_app):
    app = speak_english(books(with_caller(open_app)))
    assert "Let me read that back" in said(app)
    assert "from 12 o'clock at noon to 2 o'clock in the afternoon" in said(app)


def test_a_name_is_shown_as_typed(open_app):
    with writing() as session:
        callers.register(session, DESK, "**粗** <b>{name}</b>", NEW_PHONE, NANTONG)
    app = with_caller(open_app, NEW_PHONE)
    assert not app.exception
    assert "\\*\\*粗\\*\\* \\<b\\>\\{name\\}\\<\\/b\\>" in said(app)


def test_of_a_caller_nobody_has_talked_to_the_desk_reads_just_that(open_app):
    app = opened(with_caller(open_app), "caller_calls")
    assert words("calls.none_before") in said(app)
