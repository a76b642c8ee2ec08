"""Substitutes: whom the staff asks to make one visit, and how she answers."""

from datetime import timedelta

import streamlit as st

from components import catalogue, formats, icons, layout, session
from components.i18n import t
from components.stand_ins import named
from services import orders, stand_ins, substitutes
from services.access import Permission
from services.catalogue import ItemView
from services.orders import OrderStatus, OrderView, VisitStatus


def substitute_button(visit: OrderView) -> None:
    """Ask somebody else to make a coming visit, at the price agreed with the family."""
    if not session.actor().may(Permission.FOLLOW_CITY_ORDERS):
        return
    wanting = VisitStatus.PLANNED, VisitStatus.UNFILLED
    if visit.visit_status not in wanting or visit.status is not OrderStatus.CONFIRMED:
        return
    key = f"substitute_{visit.visit_id}"
    with st.popover(
        t("substitutes.find"), icon=":material/swap_horiz:", key=f"{key}_ask", on_change="rerun"
    ) as asked:
        if not asked.open:
            return
        found = session.fetch(stand_ins.for_visit, visit.visit_id)
        if not found:
            st.markdown(t("substitutes.nobody"))
            return
        st.markdown(t("substitutes.about"))
        chosen = st.selectbox(
            t("orders_page.caregiver"), found, format_func=named, key=f"{key}_who"
        )
        if st.button(t("substitutes.ask"), type="primary", key=key):
            session.perform("substitutes.asked", substitutes.ask, visit.visit_id, chosen.id)


def sought(visit: OrderView) -> None:
    """Say of an unfilled visit that somebody is sought, and let the family do without."""
    if visit.visit_status is not VisitStatus.UNFILLED:
        return
    hours = int(substitutes.GIVES_UP_BEFORE / timedelta(hours=1))
    st.info(t("substitutes.sought", hours=hours), icon=icons.VISIT[VisitStatus.UNFILLED][0])
    if session.actor().may(Permission.CANCEL_ORDER) and layout.confirmed(
        t("substitutes.forgo"), t("substitutes.forgo_warning"), f"forgo_{visit.visit_id}"
    ):
        session.perform("substitutes.forgone", substitutes.forgo, visit.visit_id)


def offers(items: dict[int, ItemView]) -> None:
    """The visits this caregiver is asked to take over."""
    asked = session.fetch(orders.visits_of, (VisitStatus.OFFERED,))
    if not asked:
        return
    st.subheader(t("substitutes.title", count=len(asked)), anchor=False)
    for visit in asked:
        _offer(visit, items)


def _offer(visit: OrderView, items: dict[int, ItemView]) -> None:
    with st.container(border=True, gap="small", key=f"offer_{visit.visit_id}"):
        pay = t("visits.pay", pay=formats.money(visit.pay_fen))
        lines = (
            f"**{catalogue.item_name(items, visit.item_id)}**",
            f":material/schedule: {formats.span(visit.starts_at, visit.ends_at)}",
            f":material/location_on: {formats.district(visit.district_code)}",
            f":material/payments: {pay}",
        )
        st.markdown("  \n".join(lines))
        with layout.row():
            if st.button(
                t("substitutes.accept"),
                type="primary",
                icon=":material/check:",
                key=f"take_over_{visit.visit_id}",
            ):
                session.perform("substitutes.accepted", substitutes.accept, visit.visit_id)
            if layout.confirmed(
                t("move.refuse"), t("substitutes.refuse_warning"), f"turn_down_{visit.visit_id}"
            ):
                session.perform("substitutes.refused", substitutes.refuse, visit.visit_id)
