"""The operators of a city find its customers, look at one, suspend and merge."""

import streamlit as st

from components import customers, layout, people
from components.i18n import t
from components.session import fetch
from services import customers as services

layout.page_head("customers", subtitle=t("customers.subtitle"))
typed = people.search("customer_search")
in_full = st.container()
chosen = customers.customer_list(typed, fetch(services.count, typed))
if chosen is not None:
    with in_full:
        customers.customer_in_full(fetch(services.one, chosen))
