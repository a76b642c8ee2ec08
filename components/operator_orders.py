"""Orders as the staff of a city follow them: all of them in a table, one of them in full."""

from dataclasses import dataclass

import streamlit as st

from components import catalogue, formats, icons, layout, plans, prices, session, tables, troubles
from components.chat import dispute_talk
from components.complaints import complaint_button
from components.i18n import t
from components.let_downs import let_down
from components.orders import caregiver_button, history, move_buttons, order_head, report
from components.refunds import refund_desk
from components.report_photos import photos_in_report, photos_of
from components.substitutes import substitute_button
from services import bookings, orders, redemption, visits
from services.access import Permission
from services.catalogue import ItemView
from services.orders import OrderKind, OrderStatus, OrderView, VisitStatus
from services.to_do import ToDoKind

_OPEN = (VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which orders to show and how many they are, or the number of the one looked for."""

    shown: str
    count: int
    number: int | None


def choice(counts: dict[VisitStatus, int], alerts: dict[ToDoKind, int]) -> Choice:
    """All orders, those of one status, those something is wrong with, or one by its number."""
    numbers: dict[str, int] = {tables.ALL: sum(counts.values())}
    linked = st.query_params.get("show")
    numbers |= {kind: count for kind, count in alerts.items() if count or kind == linked}
    numbers |= {status: counts.get(status, 0) for status in VisitStatus}
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        shown = tables.kind_choice(t("orders_page.filter"), numbers, _filter_name, "orders_filter")
        typed = st.text_input(
            t("orders_page.find"),
            st.query_params.get("order", "")[:9],
            key="order_number",
            max_chars=9,
            placeholder=t("orders_page.find"),
            icon=":material/search:",
            label_visibility="collapsed",
            width=200,
        ).strip()
    number = int(typed) if typed.isascii() and typed.isdigit() else 0
    return Choice(shown, numbers.get(shown, 0), number if typed else None)


def _filter_name(one: str) -> str:
    if one in list(VisitStatus):
        return t(f"visit_status.{one}")
    return f"{icons.TO_DO[ToDoKind(one)]} {t(f'orders_page.{one}')}"


def order_list(choice: Choice, items: dict[int, ItemView]) -> OrderView | None:
    """One page of the chosen orders as a table; the one that was clicked is returned."""
    above = st.container()
    offset = tables.offset(choice.count, f"orders_page_{choice.shown}")
    shown = session.fetch(
        orders.listing,
        visit_statuses=tuple(status for status in VisitStatus if status == choice.shown),
        alert=next((kind for kind in orders.ALERTS if kind == choice.shown), None),
        limit=tables.A_PAGE,
        offset=offset,
    )
    with above:
        if not shown:
            layout.empty("orders", icon=":material/list_alt:")
            return None
        return _table(shown, items)


def _table(shown: list[OrderView], items: dict[int, ItemView]) -> OrderView | None:
    statuses = {t(f"visit_status.{one}"): icons.VISIT[one][1] for one in VisitStatus}
    statuses |= {t(f"order_status.{one}"): colour for one, (_, colour) in icons.REQUEST.items()}
    column = st.column_config
    return tables.chosen(
        shown,
        {
            "number": [order.id for order in shown],
            "status": [[_status(order)] for order in shown],
            "item": [catalogue.item_name(items, order.item_id) for order in shown],
            "time": [formats.moment(order.starts_at) for order in shown],
            "amount": [_amount(order, items) for order in shown],
            "customer": [order.customer_name for order in shown],
            "caregiver": [order.caregiver_name for order in shown],
            "total": [formats.money(order.total_fen) for order in shown],
            "district": [formats.district(order.district_code) for order in shown],
        },
        {
            "number": column.NumberColumn(t("orders_page.number"), format="%d", width="small"),
            "status": column.MultiselectColumn(
                t("orders_page.status"),
                options=list(statuses),
                color=list(statuses.values()),
            ),
            "total": column.TextColumn(t("orders_page.total"), alignment="right"),
            **{
                name: column.TextColumn(t(f"orders_page.{name}"))
                for name in ("item", "time", "amount", "customer", "caregiver", "district")
            },
        },
        key="orders",
        alt=t("orders_page.table"),
    )


def _status(order: OrderView) -> str:
    if order.status in icons.REQUEST:
        return t(f"order_status.{order.status}")
    return t(f"visit_status.{order.visit_status}")


def _amount(order: OrderView, items: dict[int, ItemView]) -> str:
    item = items.get(order.item_id)
    return formats.amount(order.units, item.unit) if item else str(order.units)


def order_in_full(order: OrderView, items: dict[int, ItemView]) -> None:
    """One order with all that happened, and what this person may do about it.

    Of a plan its rule and coming visits stand above the visit that was clicked, or the next.
    """
    if order.kind is OrderKind.MONTHLY:
        with st.container(border=True, key=f"plan_{order.id}"):
            order = plans.plan_card(order, items) or order
    with st.container(border=True, key=f"order_{order.id}"):
        order_head(order, items)
        with st.container(horizontal=True, gap="medium"):
            layout.field(t("orders_page.customer"), order.customer_name)
            layout.field(t("orders_page.caregiver"), order.caregiver_name)
            layout.field(t("orders_page.channel"), t(f"channel.{order.channel}"))
            layout.field(t("orders_page.commission"), formats.money(order.commission_fen))
        _times(order)
        if order.report_words or order.done_tasks:
            report(order, items)
        photos_in_report(photos_of([order]).get(order.visit_id, []))
        known = troubles.troubles([order.id])
        troubles.trouble_cards(known, order.id)
        if known.open and session.actor().may(Permission.DECIDE_COMPLAINT):
            dispute_talk(order.id)
        with layout.row():
            _moves(order)
            asked = _looks(order)
        let_down(order)
        refund_desk(order)
        if asked:
            _contact(order)


def _times(order: OrderView) -> None:
    happened = (
        ("checked_in", order.checked_in_at),
        ("checked_out", order.checked_out_at),
        ("redeemed", order.redeemed_at),
        ("locked_until", order.locked_until),
    )
    said = [t(f"orders_page.{name}", at=formats.moment(at)) for name, at in happened if at]
    if order.checked_in_near:
        near = t(f"distance.{order.checked_in_near}")
        said.append(t("orders_page.checked_in_near", near=near))
    if said:
        st.caption(" · ".join(said))


def _moves(order: OrderView) -> None:
    move_buttons(order)
    substitute_button(order)
    if "confirm" in order.open_moves and st.button(
        t("move.confirm"), type="primary", icon=":material/check:", key=f"confirm_{order.id}"
    ):
        session.perform("orders_page.confirmed", bookings.confirm, order.id)
    if "block" in order.open_moves:
        _block(order)
    if (
        _goes_on(order)
        and session.actor().may(Permission.REISSUE_CODE)
        and layout.confirmed(
            t("move.reissue"),
            t("orders_page.reissue_warning"),
            f"reissue_{order.visit_id}",
            icon=":material/autorenew:",
        )
    ):
        session.perform("orders_page.reissued", redemption.reissue, order.visit_id)


def _block(order: OrderView) -> None:
    """Stop a request; the family reads why."""
    with st.popover(
        t("move.block"), icon=":material/block:", key=f"block_{order.id}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        st.markdown(t("orders_page.block_warning"))
        because = st.text_area(t("field.reason"), key=f"block_reason_{order.id}", max_chars=300)
        if st.button(t("move.block"), type="primary", key=f"block_{order.id}"):
            session.perform(
                "orders_page.blocked",
                bookings.block,
                order.id,
                because or "",
                forget=("block_reason_",),
            )


def _looks(order: OrderView) -> bool:
    """What can be looked at; whether the contact is asked for."""
    caregiver_button(order)
    complaint_button(order)
    prices.details(order.price_parts, str(order.id))
    history(order.id)
    if not _goes_on(order) or not session.actor().may(Permission.SEE_ADDRESS):
        return False
    return st.button(
        t("orders_page.contact"),
        key=f"contact_{order.visit_id}",
        type="tertiary",
        icon=":material/contact_phone:",
        help=t("orders_page.contact_help"),
    )


def _goes_on(order: OrderView) -> bool:
    return order.visit_status in _OPEN and order.status is OrderStatus.CONFIRMED


def _contact(order: OrderView) -> None:
    contact = session.disclose(visits.contact, order.visit_id)
    if contact is None:
        return
    with st.container(border=True, horizontal=True, gap="large", key="contact"):
        layout.field(t("orders_page.customer"), contact.customer_name)
        layout.field(t("field.phone"), contact.phone)
        layout.field(t("field.address"), contact.address)
        if contact.ward:
            layout.field(t("field.ward"), contact.ward)
        if contact.emergency_contact:
            layout.field(t("field.emergency_contact"), contact.emergency_contact)
