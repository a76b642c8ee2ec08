"""What was agreed on the phone, in the words in which it is read back to the caller."""

from datetime import datetime

import streamlit as st

from components import catalogue, formats, session
from components import plans as plan_parts
from components.i18n import chinese, t
from services import clock, demands, orders, plans
from services.callers import Caller
from services.calls import CallView, Outcome
from services.catalogue import ItemView
from services.demands import DemandView
from services.orders import OrderKind, OrderStatus, OrderView, VisitStatus

# Where the next run finds what was just posted.
DEMAND = "desk_demand"
READ = "desk_was_read"
_STANDS = (OrderStatus.REQUESTED, OrderStatus.ACCEPTED, OrderStatus.CONFIRMED)
_DAY_PARTS = {6: "dawn", 12: "morning", 13: "noon", 18: "afternoon", 24: "evening"}
Deed = tuple[int, Outcome, int | None, int | None, int | None]


def deed(call: CallView | None) -> Deed | None:
    """What was just done on this call and not yet read back; None if nothing was."""
    if call is None or call.outcome is None or call.ended_at is not None:
        return None
    posted = st.session_state.get(DEMAND)
    done = (call.id, call.outcome, call.order_id, call.visit_id, posted)
    return None if st.session_state.get(READ) == done else done


def agreed(caller: Caller, call: CallView | None, items: dict[int, ItemView]) -> None:
    """What was just agreed, as one says it on the phone."""
    done = deed(call)
    if done is None or call is None:
        return
    text = _in_words(caller, call, items)
    if not text:
        return
    with st.container(border=True, key="read_back"):
        st.caption(f":material/record_voice_over: {t('desk.read_back')}")
        st.markdown(f"**{text}**")
        st.button(
            t("desk.was_read"),
            icon=":material/check:",
            key="was_read",
            shortcut="F4",
            on_click=_was_read,
            args=(done,),
        )


def _was_read(done: Deed) -> None:
    st.session_state[READ] = done


def _in_words(caller: Caller, call: CallView, items: dict[int, ItemView]) -> str:
    if call.outcome is Outcome.POSTED:
        posted = session.fetch(demands.mine, customer_id=caller.id)
        wanted = st.session_state.get(DEMAND)
        return "".join(_demand_in_words(one, items) for one in posted if one.id == wanted)
    if call.order_id is None:
        return ""
    order = session.fetch(orders.one, call.order_id)
    recipient, item, caregiver = _named(order, items)
    match call.outcome:
        case Outcome.BOOKED if order.status in _STANDS:
            return _order_in_words(order, items)
        case Outcome.CHANGED:
            moved = _its_visit(order, call, VisitStatus.PLANNED)
            when = _when(moved.starts_at, moved.ends_at)
            return t("desk.moved", recipient=recipient, item=item, caregiver=caregiver, when=when)
        case Outcome.CANCELLED:
            return _cancelled_in_words(order, call, items)
        case Outcome.REDEEMED:
            total = t("desk.yuan", amount=_yuan(order.total_fen))
            return t(
                "desk.redeemed", recipient=recipient, item=item, caregiver=caregiver, total=total
            )
        case Outcome.COMPLAINED:
            return t("desk.complained", item=item, caregiver=caregiver)
        case _:
            return ""


def _named(order: OrderView, items: dict[int, ItemView]) -> tuple[str, str, str]:
    """For whom, what, and by whom."""
    return (
        formats.plain(order.recipient_name),
        catalogue.item_name(items, order.item_id),
        formats.plain(order.caregiver_name),
    )


def _its_visit(order: OrderView, call: CallView, status: VisitStatus) -> OrderView:
    """The order with the visit the call was about, else with the one it shows by itself."""
    its = session.fetch(orders.visits_of, (status,), order_id=order.id)
    return next((one for one in its if one.visit_id == call.visit_id), order)


def _cancelled_in_words(order: OrderView, call: CallView, items: dict[int, ItemView]) -> str:
    """What was called off, and what that costs."""
    one = _its_visit(order, call, VisitStatus.CANCELLED)
    recipient, item, caregiver = _named(one, items)
    fee = t("desk.no_fee")
    if one.fee_fen:
        fee = t("desk.fee", fee=t("desk.yuan", amount=_yuan(one.fee_fen)))
    said = t(
        "desk.cancelled",
        recipient=recipient,
        item=item,
        caregiver=caregiver,
        when=_when(one.starts_at, one.ends_at),
    )
    return said + fee


def _order_in_words(order: OrderView, items: dict[int, ItemView]) -> str:
    recipient, item, caregiver = _named(order, items)
    answer = t("desk.says_yes", caregiver=caregiver)
    if order.status is not OrderStatus.CONFIRMED and order.answer_until is not None:
        until = _near(order.answer_until)
        answer = t("desk.will_answer", caregiver=caregiver, until=until)
    when = _when(order.starts_at, order.ends_at)
    district = formats.district(order.district_code)
    if order.kind is OrderKind.MONTHLY:
        [segment, *_] = session.fetch(plans.segments, order.id)
        rule = plan_parts.in_words(segment, items.get(order.item_id))
        return (
            t(
                "desk.booked_plan",
                recipient=recipient,
                item=item,
                caregiver=caregiver,
                rule=rule,
                lasts=plan_parts.lasts(segment),
                when=when,
                district=district,
            )
            + answer
        )
    total = t("desk.yuan", amount=_yuan(order.total_fen))
    booked = t(
        "desk.booked",
        recipient=recipient,
        item=item,
        caregiver=caregiver,
        when=when,
        district=district,
        total=total,
    )
    return booked + answer


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
