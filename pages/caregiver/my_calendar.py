"""A caregiver's calendar: what is planned, what is free, other hours for a day, and leave."""

import streamlit as st

from components import calendars, layout, leaves, navigation
from components.i18n import t
from components.session import actor, fetch
from services import caregivers

layout.page_head("my_calendar", subtitle=t("calendar.subtitle"))
mine = actor().id
if mine is None or fetch(caregivers.standing) is None:
    layout.empty("my_calendar", icon=":material/calendar_month:")
    navigation.button("my_profile", t("page.my_profile"), icon=":material/badge:")
else:
    left, right = st.columns([3, 2], gap="large")
    with left:
        day = calendars.calendar(mine)[1]
        navigation.link("my_profile", t("calendar.to_week"), icon=":material/edit_calendar:")
    with right:
        calendars.day_panel(mine, day)
        leaves.leave_section(mine)
