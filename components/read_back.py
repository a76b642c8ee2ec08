"""What was agreed on the phone, in the words in which it is read back to the caller."""

from datetime import datetime

import streamlit as st

from components import catalogue, formats, session
from components.i18n import chinese, t
from services import clock, demands, orders
from services.callers import Caller
from services.catalogue import ItemView
from services.demands import DemandView
from services.orders import OrderStatus, OrderView

# Where the next run finds what was just booked or posted.
ORDER, DEMAND = "desk_order", "desk_demand"
_STANDS = (OrderStatus.REQUESTED, OrderStatus.ACCEPTED, OrderStatus.CONFIRMED)
_DAY_PARTS = {6: "dawn", 12: "morning", 13: "noon", 18: "afternoon", 24: "evening"}


def agreed(caller: Caller, items: dict[int, ItemView]) -> None:
    """What was just agreed, as one says it on the phone."""
    texts = []
    if number := st.session_state.get(ORDER):
        order = session.fetch(orders.one, number)
        if order.status in _STANDS:
            texts.append(_order_in_words(order, items))
    if number := st.session_state.get(DEMAND):
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
    for key in (ORDER, DEMAND):
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
