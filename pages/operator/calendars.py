"""The operator keeps the calendar of a caregiver who cannot do it herself just now."""

import streamlit as st

from components import calendars, layout, leaves, navigation, stand_ins
from components.i18n import t

layout.page_head("calendars", subtitle=t("calendar.operator_subtitle"))
caregiver_id = navigation.asked_number("caregiver")
if caregiver_id is None:
    layout.empty("calendars", icon=":material/calendar_month:")
    navigation.button("caregivers", t("page.caregivers"), icon=":material/badge:")
else:
    whose = st.container()
    left, right = st.columns([3, 2], gap="large")
    with left:
        shown, day = calendars.calendar(caregiver_id)
    with whose:
        calendars.owner(shown)
        stand_ins.stand_in_section(caregiver_id)
    with right:
        calendars.day_panel(caregiver_id, day)
        leaves.leave_section(caregiver_id)
