"""A family asks one caregiver for a visit."""

import streamlit as st

from components import catalogue, layout, verification
from components.bookings import booking_form
from components.i18n import t

layout.page_head("book", subtitle=t("book.subtitle"))
verification.asked_for()
booking_form(catalogue.items(), st.query_params)
