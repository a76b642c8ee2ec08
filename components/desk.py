"""The phone desk: who is calling, and what they want."""

from enum import StrEnum

import streamlit as st

from components import (
    bookings,
    caller_search,
    formats,
    layout,
    live,
    navigation,
    read_back,
    recipients,
    recommended,
    search,
    session,
    troubles,
)
from components.calls import ENDED, call_bar, due_list, end_form, unknown_caller
from components.complaints import complaint_button
from components.demands import demand_form, demand_section
from components.exclusions import apart_button
from components.i18n import t
from components.keyboard import focus
from components.orders import history, move_buttons, order_head
from components.redemption import call_back_form
from components.repeats import repeat_card
from services import callers, calls, demands, orders, redemption, repeat_bookings
from services import recipients as recipient_services
from services.callers import Caller
from services.calls import CallView
from services.catalogue import ItemView
from services.news import Topic
from services.orders import OrderKind
from services.search import Wanted

_NOW = "desk_caller"
_ASKED = "booking_asked"  # Among the booking form's keys: forgotten with it.
_OF_ONE_CALLER = ("booking", "caller", "demand", "desk", "find", "recipient", "redeem")
_MOST_ORDERS, _SHOWN_AT_ONCE = 10, 4


class Wish(StrEnum):
    REPEAT = "repeat"
    BOOK = "book"
    PLAN = "plan"
    POST = "post"
    REDEEM = "redeem"
    ORDERS = "orders"


_LOOKS = {
    Wish.REPEAT: (":material/replay:", "Alt+A"),
    Wish.BOOK: (":material/event:", "Alt+B"),
    Wish.PLAN: (":material/event_repeat:", "Alt+M"),
    Wish.POST: (":material/campaign:", "Alt+P"),
    Wish.REDEEM: (":material/qr_code_scanner:", "Alt+H"),
    Wish.ORDERS: (":material/receipt_long:", "Alt+O"),
}


def chosen() -> int | None:
    """The caller the address names; nothing typed for one is ever shown with another."""
    if (entered := st.session_state.pop(caller_search.ENTERED, None)) is not None:
        st.query_params["caller"] = str(entered)
        session.disclose(calls.begin, entered)
    if ENDED in st.session_state:
        del st.session_state[ENDED]
        st.query_params.clear()
    number = navigation.asked_number("caller")
    if st.session_state.get(_NOW) != number:
        for key in [key for key in st.session_state if str(key).startswith(_OF_ONE_CALLER)]:
            del st.session_state[key]
        st.session_state[_NOW] = number
    return number


def waiting_for_calls() -> None:
    """The field to find somebody with, a caller nobody knows, and whom to call today."""
    caller_search.search_field()
    unknown_caller()
    due_list()


def caller_head(number: int) -> tuple[Caller, CallView | None]:
    """Who is on the line since when; a caller out of reach ends the page, not the desk's work."""
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key="caller_head",
    ):
        who = st.container(width="content", gap=None)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if st.button(
                t("desk.another"),
                icon=":material/phone_callback:",
                key="another_caller",
                shortcut="Alt+N",
            ):
                st.query_params.clear()
                st.rerun()
            caller = session.fetch(callers.one, number)
            call = session.fetch(calls.current, number)
            call_bar(call, number)
    with who:
        st.subheader(formats.plain(caller.name), anchor=False)
        st.caption(formats.plain(" · ".join(caller_search.facts(caller))))
    _others_on(number)
    if call is not None:
        end_form(call)
    return caller, call


@live.part(Topic.CALLS)
def _others_on(number: int) -> None:
    """Colleagues who take care of the same caller, as of this moment."""
    for other in session.fetch(calls.others_on, number):
        since = formats.time_of_day(other.began_at)
        said = t("calls.other_on", name=formats.plain(other.taken_by), since=since)
        if other.outcome is not None:
            said = f"{said} {t('calls.other_did', outcome=t(f'outcome.{other.outcome}'))}"
        st.warning(said, icon=":material/group:")


def serve(caller: Caller, call: CallView | None, items: dict[int, ItemView]) -> None:
    """What the caller wants, and the form for it; after a deed nothing is open."""
    done = read_back.deed(call)
    proposal = None if done else session.fetch(repeat_bookings.propose, caller.id)
    key = f"desk_wish_{done}_{st.session_state.get(read_back.READ)}"
    first = None if done else Wish.REPEAT if proposal else Wish.BOOK
    wish: Wish | None = st.session_state.get(key, first)
    with layout.deeds("desk_wishes"):
        for one, (icon, shortcut) in _LOOKS.items():
            st.button(
                t(f"desk.{one}"),
                icon=icon,
                type="primary" if one is wish else "secondary",
                key=f"desk_wish_{one}",
                shortcut=shortcut,
                on_click=_wish_for,
                args=(key, one),
            )
    match wish:
        case Wish.REPEAT:
            _repeat(caller, items)
        case Wish.BOOK:
            _book(caller, items, OrderKind.SINGLE)
        case Wish.PLAN:
            _book(caller, items, OrderKind.MONTHLY)
        case Wish.POST:
            with st.container(key="desk_form_post"):
                demand_form(
                    customer_id=caller.id,
                    district_code=caller.district_code,
                    keep=read_back.DEMAND,
                )
        case Wish.REDEEM:
            _redeem(caller)
        case Wish.ORDERS:
            _follow(caller, items)
    if wish not in (None, Wish.REPEAT) and _ASKED not in st.session_state:
        focus("[class*=st-key-desk_form] :is(input, button, [tabindex='0'])", f"{caller.id}-{wish}")


def _wish_for(key: str, wish: Wish) -> None:
    st.session_state[key] = wish


def _repeat(caller: Caller, items: dict[int, ItemView]) -> None:
    proposal = session.fetch(repeat_bookings.propose, caller.id)
    if proposal is None:
        layout.empty("repeat", icon=":material/replay:")
        return
    repeat_card(caller.id, proposal, items)


def _book(caller: Caller, items: dict[int, ItemView], kind: OrderKind) -> None:
    """Search, then the form for the one who was picked; a changed search leads back to it."""
    picked_for, asked = st.session_state.get(_ASKED, (None, None))
    box = st.expander(t("desk.change_search"), icon=":material/tune:") if asked else st.container()
    with box, st.container(key="desk_form_search"):
        wanted = search.wish(items, district_code=caller.district_code)
    if wanted is None:
        return
    if asked is None:
        recommended.for_wish(
            caller.id,
            wanted,
            items[wanted.item_id],
            lambda one: _pick(wanted, search.booking_query(one, wanted)),
        )
        search.results(
            wanted, items, then=lambda query: _pick(wanted, query), customer_id=caller.id
        )
        return
    if picked_for != wanted:
        del st.session_state[_ASKED]
        st.rerun()
    st.button(
        t("desk.other_caregiver"),
        type="tertiary",
        icon=":material/arrow_back:",
        key="other_caregiver",
        on_click=lambda: st.session_state.pop(_ASKED),
    )
    bookings.booking_form(items, asked, customer_id=caller.id, kind=kind)
    focus(
        "[class*=st-key-booked_for] input",
        f"{caller.id}-{asked['caregiver']}",
    )


def _pick(wanted: Wanted, query: dict[str, str]) -> None:
    st.session_state[_ASKED] = wanted, query
    st.rerun()


def _redeem(caller: Caller) -> None:
    """The code the family reads out, on a call the desk made itself."""
    waiting = session.fetch(redemption.waiting, customer_id=caller.id)
    if not waiting:
        layout.empty("redeem", icon=":material/qr_code_scanner:")
        return
    st.info(t("desk.call_back"), icon=":material/phone_callback:")
    with st.container(key="desk_form_redeem"):
        call_back_form(waiting)


def _follow(caller: Caller, items: dict[int, ItemView]) -> None:
    """The caller's last orders with all that can be done, open demands and recipients."""
    last = session.fetch(orders.listing, customer_id=caller.id, limit=_MOST_ORDERS)
    posted = session.fetch(demands.mine, customer_id=caller.id)
    if not last and not posted:
        layout.empty("caller_orders", icon=":material/receipt_long:")
    shown = layout.first_of(last, "desk_orders", _SHOWN_AT_ONCE)
    known = troubles.troubles([order.id for order in shown])
    with st.container(key="desk_form_orders"):
        for order in shown:
            with st.container(border=True, key=f"order_{order.id}"):
                order_head(order, items)
                troubles.trouble_cards(known, order.id)
                with layout.deeds(f"order_{order.id}"):
                    move_buttons(order)
                with layout.deeds(f"order_{order.id}_more"):
                    complaint_button(order)
                    apart_button(order)
                    history(order.id)
    layout.more_button(last, "desk_orders", _SHOWN_AT_ONCE)
    demand_section(posted, items, customer_id=caller.id)
    st.subheader(t("account.recipients"), anchor=False)
    family = session.fetch(recipient_services.listing, customer_id=caller.id)
    recipients.recipient_cards(family, "desk_recipient", customer_id=caller.id)
