"""The phone desk: who is calling, what they want, and the words to read back to them."""

from datetime import datetime
from enum import StrEnum

import streamlit as st
from streamlit.components.v2 import component

from components import (
    bookings,
    catalogue,
    formats,
    layout,
    navigation,
    recipients,
    search,
    session,
)
from components.demands import demand_form, demand_section
from components.i18n import chinese, t
from components.orders import history, move_buttons, order_head
from components.redemption import redeem_form
from services import callers, clock, demands, orders, phones, redemption
from services import recipients as recipient_services
from services.callers import Caller
from services.catalogue import ItemView
from services.demands import DemandView
from services.orders import OrderStatus, OrderView
from services.search import Wanted

_NOW, _NEW, _ORDER, _DEMAND = "desk_caller", "desk_new", "desk_order", "desk_demand"
_ASKED = "booking_asked"  # Among the booking form's keys: forgotten with it.
_OF_ONE_CALLER = ("booking", "caller", "demand", "desk", "find", "recipient", "redeem")
_MOST_ORDERS, _SHOWN_AT_ONCE = 10, 4
_STANDS = (OrderStatus.REQUESTED, OrderStatus.ACCEPTED, OrderStatus.CONFIRMED)
_DAY_PARTS = {6: "dawn", 12: "morning", 13: "noon", 18: "afternoon", 24: "evening"}

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
    done = st.session_state.get(_ORDER), st.session_state.get(_DEMAND)
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
            demand_form(customer_id=caller.id, district_code=caller.district_code, keep=_DEMAND)
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
        search.results(wanted, items, then=lambda query: _pick(wanted, query))
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
    bookings.booking_form(items, asked, customer_id=caller.id, keep=_ORDER)


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
    if st.button(
        t("desk.whole_phone"),
        type="tertiary",
        icon=":material/contact_phone:",
        key="caller_phone",
        help=t("orders_page.contact_help"),
    ) and (phone := session.disclose(callers.phone, caller.id)):
        layout.field(t("field.phone"), phone)
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
    demand_section(posted, items)
    st.subheader(t("account.recipients"), anchor=False)
    known = session.fetch(recipient_services.listing, customer_id=caller.id)
    recipients.recipient_cards(known, "desk_recipient", customer_id=caller.id)


def read_back(caller: Caller, items: dict[int, ItemView]) -> None:
    """What was just agreed, as one says it on the phone."""
    texts = []
    if number := st.session_state.get(_ORDER):
        order = session.fetch(orders.one, number)
        if order.status in _STANDS:
            texts.append(_order_in_words(order, items))
    if number := st.session_state.get(_DEMAND):
        posted = session.fetch(demands.mine, customer_id=caller.id)
        texts += [_demand_in_words(one, items) for one in posted if one.id == number]
    if not texts:
        return
    with st.container(border=True, key="read_back"):
        st.caption(f":material/record_voice_over: {t('desk.read_back')}")
        for text in texts:
            st.markdown(f"**{text}**")
        st.button(t("desk.was_read"), icon=":material/check:", key="was_read", on_click=_was_read)


def _was_read() -> None:
    for key in (_ORDER, _DEMAND):
        st.session_state.pop(key, None)


def _order_in_words(order: OrderView, items: dict[int, ItemView]) -> str:
    caregiver = formats.plain(order.caregiver_name)
    answer = t("desk.says_yes", caregiver=caregiver)
    if order.status is not OrderStatus.CONFIRMED and order.answer_until is not None:
        until = _near(order.answer_until)
        answer = t("desk.will_answer", caregiver=caregiver, until=until)
    agreed = t(
        "desk.booked",
        recipient=formats.plain(order.recipient_name),
        item=catalogue.item_name(items, order.item_id),
        caregiver=caregiver,
        when=_when(order.starts_at, order.ends_at),
        district=formats.district(order.district_code),
        total=t("desk.yuan", amount=_yuan(order.total_fen)),
    )
    return agreed + answer


def _demand_in_words(demand: DemandView, items: dict[int, ItemView]) -> str:
    total = t("desk.yuan", amount=_yuan(demand.highest_fen * demand.units))
    return t(
        "desk.posted",
        recipient=formats.plain(demand.recipient_name),
        item=catalogue.item_name(items, demand.item_id),
        when=_when(demand.starts_at, demand.ends_at),
        district=formats.district(demand.district_code),
        total=total,
    )


def _yuan(fen: int) -> str:
    return formats.money(fen).removeprefix("¥")


def _when(starts_at: datetime, ends_at: datetime) -> str:
    """明天，11月23日 周一，上午9点到11点半."""
    ends = _hour(ends_at)
    if clock.in_city(starts_at).date() != clock.in_city(ends_at).date():
        ends = _near(ends_at)
    day = formats.day(starts_at).replace(" · ", "，" if chinese() else ", ")
    return t("desk.when", day=day, starts=_hour(starts_at), ends=ends)


def _near(at: datetime) -> str:
    """今天下午5点."""
    day, _, _ = formats.day(at).partition(" · ")
    return ("" if chinese() else ", ").join((day, _hour(at)))


def _hour(at: datetime) -> str:
    """上午9点半."""
    local = clock.in_city(at)
    part = next(name for until, name in _DAY_PARTS.items() if local.hour < until)
    words = {0: "desk.full_hour", 30: "desk.half_hour"}
    hour = (local.hour - 1) % 12 + 1
    if local.minute in words:
        said = t(words[local.minute], hour=hour)
    else:
        said = t("desk.odd_minutes", hour=hour, minute=local.minute)
    return t(f"desk.{part}", said=said)
