"""Orders as customers and staff follow them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from components import (
    catalogue,
    changes,
    formats,
    icons,
    layout,
    navigation,
    plans,
    prices,
    session,
    troubles,
)
from components.caregivers import profile_dialog
from components.chat import order_talk_button, unread_about
from components.complaints import complaint_button
from components.drafts import again_button
from components.exclusions import apart_button
from components.i18n import t
from components.report_photos import photos_in_report, photos_of
from components.reviews import month_reviews, visit_review
from components.substitutes import sought
from services import bookings, histories, orders, reviews
from services.catalogue import ItemView
from services.orders import OrderKind, OrderView, VisitStatus
from services.report_photos import PhotoView

COMING = (
    VisitStatus.FINISHED,
    VisitStatus.IN_PROGRESS,
    VisitStatus.PLANNED,
    VisitStatus.HELD,
)
PAST = (VisitStatus.REDEEMED, VisitStatus.MISSED, VisitStatus.CANCELLED)
_SHOWN_AT_ONCE = 4
MOST_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Beside:
    """What is told beside orders: what is amiss, photos by visit, new messages by order."""

    troubles: troubles.Troubles
    photos: Mapping[int, list[PhotoView]]
    unread: Mapping[int | None, int]


def beside(**lists: list[OrderView]) -> Beside:
    """What is told beside the orders these lists show so far, asked once for all of them."""
    shown = [
        order
        for name, orders in lists.items()
        for order in layout.first_of(orders, name, _SHOWN_AT_ONCE)
    ]
    known = troubles.troubles([order.id for order in shown])
    return Beside(known, photos_of(shown), unread_about() if shown else {})


def order_section(
    name: str, shown: list[OrderView], items: dict[int, ItemView], told: Beside
) -> None:
    """A headed list of orders, a few at once and the others on demand."""
    if not shown:
        return
    st.subheader(t(f"my_orders.{name}"), anchor=False)
    for order in layout.first_of(shown, name, _SHOWN_AT_ONCE):
        order_card(order, items, told)
    layout.more_button(shown, name, _SHOWN_AT_ONCE)


def plan_section(shown: list[OrderView], items: dict[int, ItemView], told: Beside) -> None:
    """The family's plans, each with its rule; its visits and changes behind a click."""
    if not shown:
        return
    st.subheader(t("my_orders.plans"), anchor=False)
    shown_now = layout.first_of(shown, "plans", _SHOWN_AT_ONCE)
    to_review = session.fetch(reviews.months, [order.id for order in shown_now])
    for order in shown_now:
        with st.container(border=True, key=f"plan_{order.id}"):
            order_head(order, items)
            month_reviews([one for one in to_review if one.order_id == order.id])
            with st.expander(
                t("plan.visits"), icon=":material/event_repeat:", key=f"plan_{order.id}_open",
                on_change="rerun",
            ) as opened:  # fmt: skip
                picked = plans.plan_card(order, items) if opened.open else None
            if picked is None:
                _next_step(order, told.unread)
        if picked is not None:
            order_card(picked, items, replace(told, photos=photos_of([picked])))
    layout.more_button(shown, "plans", _SHOWN_AT_ONCE)


def order_card(order: OrderView, items: dict[int, ItemView], told: Beside) -> None:
    """One order of the family's: who comes when, what it costs, what to do next."""
    with st.container(border=True, key=f"order_{order.id}"):
        order_head(order, items)
        if order.report_words or order.done_tasks:
            report(order, items)
        photos_in_report(told.photos.get(order.visit_id, []))
        troubles.trouble_cards(told.troubles, order.id)
        _next_step(order, told.unread)


def order_head(order: OrderView, items: dict[int, ItemView]) -> None:
    """What, when, where, for whom, by whom and for how much; one element, for many are drawn."""
    item = items.get(order.item_id)
    price = formats.money(order.total_fen)
    if item is not None:
        each = formats.unit_price(order.unit_price_fen, item.unit)
        amount = formats.amount(order.units, item.unit)
        price = t("order.price", total=price, amount=amount, each=each)
    title = (
        f"**{catalogue.item_name(items, order.item_id)}**",
        status_badge(order),
        f":small[{t('order.number', number=order.id)}]",
    )
    when = formats.span(order.starts_at, order.ends_at)
    people = (
        t("recipient.for", name=formats.plain(order.recipient_name)),
        t("plan.nobody_yet")
        if order.visit_status is VisitStatus.UNFILLED
        else t("order.caregiver", name=formats.plain(order.caregiver_name)),
    )
    lines = (
        " ".join(title),
        f":material/schedule: {when} · {formats.district(order.district_code)}",
        " · ".join(people),
        f":material/payments: {price}",
    )
    if surcharges := prices.in_short(order.price_parts):
        lines = (*lines, f":gray[:small[{surcharges}]]")
    if ended := changes.outcome(order):
        lines = (*lines, f":material/event_busy: {ended}")
    st.markdown("  \n".join(lines))
    if order.decision_words:
        layout.field(t("order.operator_said"), order.decision_words)
    if order.end_words:
        layout.field(t("changes.said"), order.end_words)


def status_badge(order: OrderView) -> str:
    """How far the order is: a request by its own status, anything else by its visit's."""
    if order.status in icons.REQUEST:
        icon, colour = icons.REQUEST[order.status]
        return f":{colour}-badge[{icon} {t(f'order_status.{order.status}')}]"
    icon, colour = icons.VISIT[order.visit_status]
    return f":{colour}-badge[{icon} {t(f'visit_status.{order.visit_status}')}]"


def caregiver_button(order: OrderView) -> None:
    """The chosen caregiver's profile, above the page."""
    if st.button(
        t("order.see_caregiver"),
        key=f"see_caregiver_{order.id}",
        type="tertiary",
        icon=":material/badge:",
    ):
        profile_dialog(order.caregiver_id, order.caregiver_name)


def history(order_id: int) -> None:
    """Every step of the order, behind a click."""
    with st.popover(
        t("order.history"),
        icon=":material/history:",
        key=f"history_{order_id}",
        on_change="rerun",
        type="tertiary",
    ) as opened:
        if opened.open:
            for step in session.fetch(histories.of_order, order_id):
                who = t(f"role.{step.role}") if step.role else t("order.by_itself")
                st.caption(
                    f"{formats.moment(step.at)} · {t(f'step.{step.noun}_{step.move}')} · {who}"
                )


def report(order: OrderView, items: dict[int, ItemView]) -> None:
    """What the caregiver did and said."""
    item = items.get(order.item_id)
    names = formats.tasks(item) if item is not None else ()
    ticks = (f":green-badge[:material/check: {names[int(n)]}]" for n in order.done_tasks if names)
    st.markdown(f":small[{t('order.report')}]  \n" + " ".join(ticks))
    if order.report_words:
        st.text(order.report_words)


def _next_step(order: OrderView, unread: Mapping[int | None, int]) -> None:
    if order.visit_status is VisitStatus.HELD and order.answer_until is not None:
        until = formats.moment(order.answer_until)
        st.caption(f":material/timer: {t('order.answer_until', until=until)}")
    single = order.kind is OrderKind.SINGLE
    if single and order.visit_status is VisitStatus.REDEEMED and not order.reviewed:
        visit_review(order.visit_id)
    with layout.deeds(f"order_{order.id}"):
        if order.visit_status is VisitStatus.FINISHED:
            navigation.button(
                "redeem", t("order.redeem_now"), icon=":material/qr_code_scanner:", of=order.id
            )
        move_buttons(order)
    with layout.deeds(f"order_{order.id}_more"):
        caregiver_button(order)
        prices.details(order.price_parts, str(order.id))
        if order.kind is OrderKind.SINGLE and order.status not in icons.REQUEST:
            again_button(order.demand_id, f"order_{order.id}")
        order_talk_button(order, unread)
        complaint_button(order)
        apart_button(order)
        history(order.id)


def move_buttons(order: OrderView) -> None:
    """What may still be done to an order, each asked once more before it happens."""
    sought(order)
    until = formats.moment(order.decline_until)
    plan = order.kind is OrderKind.MONTHLY
    if "decline" in order.open_moves and layout.confirmed(
        t("plan.decline" if plan else "move.decline_caregiver"),
        t("plan.decline_warning" if plan else "order.decline_warning", until=until),
        f"decline_{order.id}",
        icon=":material/swap_horiz:",
    ):
        session.perform("order.declined", orders.decline, order.id)
    if "call_off" in order.open_moves and layout.confirmed(
        t("move.call_off"),
        t("order.call_off_warning"),
        f"call_off_{order.id}",
        icon=":material/undo:",
    ):
        session.perform("order.called_off", bookings.call_off, order.id)
    changes.change_buttons(order)
