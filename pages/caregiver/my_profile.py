"""A caregiver's own profile: entered, submitted for review, and seen as families see it."""

import streamlit as st

from components import layout
from components.caregivers import profile_card
from components.i18n import t
from components.profile_form import profile_form, status_line
from components.reviews import review_list
from components.session import fetch
from services import caregivers, reviews

layout.page_head("my_profile", subtitle=t("my_profile.subtitle"))
mine = fetch(caregivers.own_profile)
status_line(mine)
left, right = st.columns([3, 2], gap="large")
with left:
    profile_form(fetch(caregivers.own_form), mine)
with right:
    st.subheader(t("my_profile.preview"), anchor=False)
    if mine is None:
        st.caption(t("my_profile.no_preview"))
    else:
        with st.container(border=True):
            profile_card(mine)
        st.subheader(t("my_profile.reviews"), anchor=False)
        review_list(fetch(reviews.of_caregiver, mine.id))
