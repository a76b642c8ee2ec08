"""The staff of a city follow every order from request to redemption."""

import streamlit as st

from components import catalogue, layout, operator_orders
from components.i18n import t
from components.session import fetch
from services import orders

layout.page_head("orders", subtitle=t("orders_page.subtitle"))
items = catalogue.items()
choice = operator_orders.choice(fetch(orders.counts), fetch(orders.alerts))
in_full = st.container()
if choice.number is not None:
    order = fetch(orders.one, choice.number)
else:
    order = operator_orders.order_list(choice, items)
if order is not None:
    with in_full:
        operator_orders.order_in_full(order, items)
