"""The operators of a city review its caregivers, follow them, suspend and restore."""

import streamlit as st

from components import layout, operator_caregivers, people, reviews
from components.i18n import t
from components.session import fetch
from services import rosters

layout.page_head("caregivers", subtitle=t("caregivers_page.subtitle"))
typed = people.search("caregiver_search")
choice = operator_caregivers.choice(typed, fetch(rosters.counts, typed))
in_full = st.container()
chosen = operator_caregivers.caregiver_list(choice)
if chosen is not None:
    with in_full:
        operator_caregivers.caregiver_in_full(chosen)
operator_caregivers.expiring()
reviews.reported_ones()
