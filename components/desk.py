"""The phone desk: who is calling, and what they want."""

from enum import StrEnum

import streamlit as st
from streamlit.components.v2 import component

from components import (
    bookings,
    formats,
    layout,
    navigation,
    people,
    read_back,
    recipients,
    search,
    session,
)
from components.demands import demand_form, demand_section
from components.i18n import t
from components.orders import history, move_buttons, order_head
from components.redemption import redeem_form
from services import callers, demands, orders, phones, redemption
from services import recipients as recipient_services
from services.callers import Caller
from services.catalogue import ItemView
from services.search import Wanted

_NOW, _NEW = "desk_caller", "desk_new"
_ASKED = "booking_asked"  # Among the booking form's keys: forgotten with it.
_OF_ONE_CALLER = ("booking", "caller", "demand", "desk", "find", "recipient", "redeem")
_MOST_ORDERS, _SHOWN_AT_ONCE = 10, 4

# Streamlit has no field that is ready for typing when it appears.
_FOCUS = component(
    "focus",
    js="""
export default function ({ parentElement }) {
  if (parentElement.focusGiven) return
  parentElement.focusGiven = true
  document.querySelector(".st-key-caller input")?.focus()
}
""",
)


class Wish(StrEnum):
    BOOK = "book"
    POST = "post"
    REDEEM = "redeem"
    ORDERS = "orders"


_ICONS = {
    Wish.BOOK: ":material/event:",
    Wish.POST: ":material/campaign:",
    Wish.REDEEM: ":material/qr_code_scanner:",
    Wish.ORDERS: ":material/receipt_long:",
}


def chosen() -> int | None:
    """The caller the address names; nothing typed for one is ever shown with another."""
    if (entered := st.session_state.pop(_NEW, None)) is not None:
        st.query_params["caller"] = str(entered)
    number = navigation.asked_number("caller")
    if st.session_state.get(_NOW) != number:
        for key in [key for key in st.session_state if str(key).startswith(_OF_ONE_CALLER)]:
            del st.session_state[key]
        st.session_state[_NOW] = number
    return number


def find_caller() -> None:
    """One field for phone, last four digits or name; who has the whole phone is chosen at once."""
    typed = st.text_input(
        t("desk.find"),
        key="caller",
        max_chars=40,
        placeholder=t("desk.find_hint"),
        icon=":material/search:",
        autocomplete="off",
    ).strip()
    _FOCUS(key="caller_focus", height="content")
    if not typed:
        return
    found = session.fetch(callers.find, typed)
    phone = phones.whole(typed)
    if len(found) == 1 and phone is not None:
        _choose(found[0].id)
    for one in found:
        if st.button(
            formats.plain(" · ".join((one.name, *_facts(one)))),
            icon=":material/person:",
            key=f"caller_{one.id}",
            width="stretch",
        ):
            _choose(one.id)
    if len(found) == callers.MOST_FOUND:
        st.caption(t("desk.more_found", count=callers.MOST_FOUND))
    if not found and phone is not None:
        _first_call(phone)
    elif not found:
        layout.empty("callers", icon=":material/person_search:")


def _choose(number: int) -> None:
    st.query_params["caller"] = str(number)
    st.rerun()


def _facts(caller: Caller) -> list[str]:
    """What tells two people of the same name apart."""
    facts = [caller.masked_phone]
    if caller.district_code:
        facts.append(formats.district(caller.district_code))
    if caller.recipients:
        facts.append(t("desk.recipients", count=caller.recipients))
    if caller.last_wish_at is not None:
        facts.append(t("desk.last_wish", day=formats.day(caller.last_wish_at).partition(" · ")[0]))
    return facts


def _first_call(phone: str) -> None:
    """Enter somebody whose number nobody knows."""
    st.info(t("desk.first_call"), icon=":material/person_add:")
    codes = sorted(session.actor().cities)
    with st.form("first_call"):
        name = st.text_input(t("field.name"), key="first_call_name", max_chars=40)
        number = st.text_input(
            t("field.phone"),
            phone.removeprefix("+86"),
            key=f"first_call_phone_{phone}",
            max_chars=20,
        )
        city_code = codes[0] if codes else ""
        if len(codes) > 1:
            city_code = st.selectbox(
                t("field.city"), codes, format_func=formats.city, key="first_call_city"
            )
        if st.form_submit_button(
            t("desk.register"), type="primary", icon=":material/person_add:", key="first_call_save"
        ):
            session.perform(
                "desk.registered",
                callers.register,
                name,
                number,
                city_code,
                forget=("first_call",),
                keep=_NEW,
            )


def caller_head(number: int) -> Caller:
    """Who is on the line, and the way to the next one; a caller out of reach ends the page."""
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key="caller_head",
    ):
        who = st.container(width="content", gap=None)
        if st.button(
            t("desk.another"),
            icon=":material/phone_callback:",
            key="another_caller",
            shortcut="Alt+N",
        ):
            st.query_params.clear()
            st.rerun()
    caller = session.fetch(callers.one, number)
    with who:
        st.subheader(formats.plain(caller.name), anchor=False)
        st.caption(formats.plain(" · ".join(_facts(caller))))
    return caller


def serve(caller: Caller, items: dict[int, ItemView]) -> None:
    """What the caller wants, and the form for it; after a deed nothing is open."""
    done = st.session_state.get(read_back.ORDER), st.session_state.get(read_back.DEMAND)
    wish = st.segmented_control(
        t("desk.what"),
        list(Wish),
        format_func=lambda one: f"{_ICONS[one]} {t(f'desk.{one}')}",
        default=None if any(done) else Wish.BOOK,
        key=f"desk_wish_{done}",
    )
    match wish:
        case Wish.BOOK:
            _book(caller, items)
        case Wish.POST:
            demand_form(
                customer_id=caller.id,
                district_code=caller.district_code,
                keep=read_back.DEMAND,
            )
        case Wish.REDEEM:
            _redeem(caller)
        case Wish.ORDERS:
            _follow(caller, items)


def _book(caller: Caller, items: dict[int, ItemView]) -> None:
    """Search, then the form for the one who was picked; a changed search leads back to it."""
    picked_for, asked = st.session_state.get(_ASKED, (None, None))
    with st.expander(t("desk.change_search"), icon=":material/tune:") if asked else st.container():
        wanted = search.wish(items, district_code=caller.district_code)
    if wanted is None:
        return
    if asked is None:
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
    bookings.booking_form(items, asked, customer_id=caller.id, keep=read_back.ORDER)


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
    people.whole_phone(t("desk.whole_phone"), callers.phone, caller.id, "caller_phone")
    redeem_form(waiting, then=None)


def _follow(caller: Caller, items: dict[int, ItemView]) -> None:
    """The caller's last orders, open demands and recipients."""
    last = session.fetch(orders.listing, customer_id=caller.id, limit=_MOST_ORDERS)
    posted = session.fetch(demands.mine, customer_id=caller.id)
    if not last and not posted:
        layout.empty("caller_orders", icon=":material/receipt_long:")
    for order in layout.first_of(last, "desk_orders", _SHOWN_AT_ONCE):
        with st.container(border=True, key=f"order_{order.id}"):
            order_head(order, items)
            with layout.row():
                move_buttons(order)
                history(order.id)
    layout.more_button(last, "desk_orders", _SHOWN_AT_ONCE)
    demand_section(posted, items, customer_id=caller.id)
    st.subheader(t("account.recipients"), anchor=False)
    known = session.fetch(recipient_services.listing, customer_id=caller.id)
    recipients.recipient_cards(known, "desk_recipient", customer_id=caller.id)
