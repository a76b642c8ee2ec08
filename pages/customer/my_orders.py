"""A family follows its demands and orders."""

import streamlit as st

from components import catalogue, layout, navigation
from components.demands import demand_card
from components.i18n import t
from components.orders import order_card
from components.session import fetch
from services import demands, orders

layout.page_head("my_orders")
items = catalogue.items()
posted = fetch(demands.mine)
followed = fetch(orders.listing)
if not posted and not followed:
    layout.empty("my_orders", icon=":material/receipt_long:")
navigation.link("post_demand", t("demand.post_another"), icon=":material/add_circle:")
if posted:
    st.subheader(t("my_orders.demands"), anchor=False)
for demand in posted:
    demand_card(demand, items)
if followed:
    st.subheader(t("my_orders.orders"), anchor=False)
for order in followed:
    order_card(order, items)
