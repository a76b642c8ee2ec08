"""The operators of a city work through its complaints, the most pressing first."""

import streamlit as st

from components import catalogue, complaint_cases, exclusions, layout, points
from components.i18n import t

layout.page_head("complaints", subtitle=t("cases.subtitle"))
items = catalogue.items()
in_full = st.container()
number = complaint_cases.case_list(items)
if number is not None:
    with in_full:
        complaint_cases.case_in_full(number, items)
points.contested()
exclusions.decided()
