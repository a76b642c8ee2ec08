"""Customers as their operators keep them: all of them in a table, one of them in full."""

import streamlit as st

from components import catalogue, formats, icons, layout, navigation, people, session, tables
from components.i18n import chinese, t
from services import customers
from services.customers import AccountStatus, Customer, CustomerLine

_NONE = "–"
_TEXTS = ("name", "phone", "region", "last_order")


def customer_list(typed: str, count: int) -> int | None:
    """One page of those found; the number of the one that was clicked, or that a link names."""
    above = st.container()
    offset = tables.offset(count, f"customers_page_{typed}")
    shown = session.fetch(customers.listing, typed, limit=tables.A_PAGE, offset=offset)
    linked = navigation.asked_number("customer")
    with above:
        if not shown:
            layout.empty("customers", icon=":material/person_search:")
            return linked
        st.caption(t("customers.found", count=count))
        return _table(shown) or linked


def _table(shown: list[CustomerLine]) -> int | None:
    statuses = {status: t(f"account_status.{status}") for status in AccountStatus}
    column = st.column_config
    chosen = tables.chosen(
        shown,
        {
            "name": [one.name for one in shown],
            "phone": [one.masked_phone for one in shown],
            "region": [_region(one) for one in shown],
            "orders": [one.orders for one in shown],
            "last_order": [
                formats.day(one.last_order_at) if one.last_order_at else _NONE for one in shown
            ],
            "owed": [formats.money(one.owed_fen) for one in shown],
            "status": [[statuses[one.status]] for one in shown],
        },
        {
            **{name: column.TextColumn(t(f"customers.{name}")) for name in _TEXTS},
            "orders": column.NumberColumn(t("customers.orders"), format="%d", width="small"),
            "owed": column.TextColumn(t("customers.owed"), alignment="right"),
            "status": column.MultiselectColumn(
                t("customers.status"),
                options=list(statuses.values()),
                color=[icons.ACCOUNT[status][1] for status in statuses],
            ),
        },
        key="customers",
        alt=t("customers.table"),
    )
    return chosen.id if chosen else None


def _region(one: CustomerLine) -> str:
    codes = (
        formats.city(one.city_code) if one.city_code else "",
        formats.district(one.district_code) if one.district_code else "",
    )
    return " · ".join(filter(None, codes)) or _NONE


def customer_in_full(customer: Customer) -> None:
    """One customer: whom they book for, what they ordered, and what may be done."""
    number = customer.line.id
    with st.container(border=True, key=f"customer_{number}"):
        with layout.row():
            st.subheader(formats.plain(customer.line.name), anchor=False, width="content")
            _status(customer)
        if customer.decision_words:
            layout.field(t("order.operator_said"), customer.decision_words)
        _facts(customer)
        _last_orders(customer)
        navigation.link(
            "receipts", t("receipts.open"), icon=":material/receipt:", customer=str(number)
        )
        people.whole_phone(
            t("customers.whole_phone"), customers.phone, number, f"customer_phone_{number}"
        )
        if "suspend" in customer.open_moves:
            _suspending(customer)
        if "restore" in customer.open_moves:
            _restoring(number)
        if "merge" in customer.open_moves:
            _merging(customer)


def _status(customer: Customer) -> None:
    status = customer.line.status
    layout.badge(icons.ACCOUNT[status], t(f"account_status.{status}"))


def _facts(customer: Customer) -> None:
    line = customer.line
    cared_for = [
        f"{name}{'，' if chinese() else ', '}{t('recipient.years', years=years)}"
        for name, years in customer.recipients
    ]
    with st.container(horizontal=True, gap="medium"):
        layout.field(t("field.phone"), line.masked_phone or t("desk.no_own_phone"))
        layout.field(t("customers.region"), _region(line))
        layout.field(t("customers.joined"), formats.day(customer.joined_at))
        layout.field(t("customers.orders"), str(line.orders))
        layout.field(t("customers.owed"), formats.money(line.owed_fen))
        layout.field(
            t("customers.recipients"), ("；" if chinese() else "; ").join(cared_for) or _NONE
        )


def _last_orders(customer: Customer) -> None:
    if not customer.last_orders:
        return
    st.caption(t("customers.last_orders"))
    items = catalogue.items()
    with st.container(gap=None):
        for order in customer.last_orders:
            said = (
                t("order.number", number=order.id),
                formats.moment(order.starts_at),
                catalogue.item_name(items, order.item_id),
                t(f"visit_status.{order.visit_status}"),
            )
            navigation.link(
                "orders", " · ".join(said), icon=icons.VISIT[order.visit_status][0],
                order=str(order.id),
            )  # fmt: skip


def _suspending(customer: Customer) -> None:
    number = customer.line.id
    with st.expander(
        t("customers.suspend"),
        icon=":material/block:",
        key=f"suspend_customer_{number}_ask",
        on_change="rerun",
    ) as opened:
        if not opened.open:
            return
        st.markdown(
            t(
                "customers.suspend_means",
                orders=customer.open_orders,
                requests=customer.waiting_requests,
                demands=customer.open_demands,
            )
        )
        people.move_with_reason(
            "customer",
            number,
            "suspend",
            t("customers.suspend"),
            t("customers.reason_hint"),
            "customers.suspended",
            customers.move,
        )


def _restoring(number: int) -> None:
    if layout.confirmed(
        t("customers.restore"),
        t("customers.restore_means"),
        f"restore_customer_{number}",
        icon=":material/undo:",
    ):
        session.perform("customers.restored", customers.move, number, "restore")


def _merging(kept: Customer) -> None:
    number = kept.line.id
    with st.expander(
        t("customers.merge"), icon=":material/merge:", key=f"merge_{number}_ask", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("customers.merge_about"))
        typed = st.text_input(t("customers.merge_phone"), key=f"merge_phone_{number}", max_chars=20)
        if not typed.strip():
            return
        gone = session.fetch(customers.other, number, typed)
        with st.grid(2, min_column_width=240):
            _side(t("customers.kept"), kept)
            _side(t("customers.gone"), gone)
        st.markdown(t("customers.merge_moves"))
        if layout.confirmed(
            t("customers.merge_now"),
            t(
                "customers.merge_warning",
                gone=formats.plain(f"{gone.line.name} {gone.line.masked_phone}"),
                kept=formats.plain(f"{kept.line.name} {kept.line.masked_phone}"),
            ),
            f"merge_now_{number}",
            icon=":material/merge:",
            main=True,
        ):
            session.perform(
                "customers.merged", customers.merge, number, gone.line.id, forget=("merge_phone_",)
            )


def _side(label: str, customer: Customer) -> None:
    with st.container(border=True):
        st.caption(label)
        st.markdown(f"**{formats.plain(customer.line.name)}**")
        _status(customer)
        _facts(customer)
