"""The desk takes a call: finds or enters the caller, and does what they ask for."""

import streamlit as st

from components import caller_card, catalogue, desk, layout, read_back
from components.i18n import t

layout.page_head("take_call", subtitle=t("desk.subtitle"))
number = desk.chosen()
if number is None:
    desk.waiting_for_calls()
else:
    items = catalogue.items()
    caller, call = desk.caller_head(number)
    at_a_glance, deeds = st.columns([2, 3])
    with deeds:
        read_back.agreed(caller, call, items)
        desk.serve(caller, call, items)
    with at_a_glance:
        caller_card.card(caller, items)
