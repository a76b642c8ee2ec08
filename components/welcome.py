"""The parts of the front door."""

import streamlit as st

from components import navigation, places, policies, session
from components.i18n import t
from components.layout import demo_badge
from services import cities, footfalls
from services import policies as services
from services.cities import CityStatus
from services.policies import Policy

_STEPS = (
    ("post", ":material/campaign:"),
    ("choose", ":material/how_to_reg:"),
    ("visit", ":material/volunteer_activism:"),
    ("redeem", ":material/verified:"),
)


def hero() -> None:
    """The promise, and the way in."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.title(t("welcome.title"), anchor=False, width="content")
        demo_badge()
    st.markdown(t("welcome.promise"))
    if session.visitor() is None:
        navigation.button("sign_in", t("welcome.come_in"), icon=":material/login:")
    else:
        navigation.button("landing", t("welcome.go_on"), icon=":material/arrow_forward:")


def how_it_works() -> None:
    """The order's life in four pictures."""
    with st.grid(4, min_column_width=150):
        for number, (step, icon) in enumerate(_STEPS, 1):
            with st.container(border=True, height="stretch", gap="small"):
                st.markdown(f"### {icon}")
                st.markdown(f"**{number}. {t(f'welcome.{step}')}**")
                st.caption(t(f"welcome.{step}_about"))


def opened_cities() -> None:
    """Where CarePilot works, and the number to call."""
    st.subheader(t("welcome.cities"), anchor=False)
    for city in session.public(cities.opened):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**:material/location_city: {places.city_path(city.code)}**", width="content"
            )
            open_now = city.status is CityStatus.OPEN
            st.badge(
                t(f"city_status.{city.status}"),
                icon=":material/check_circle:" if open_now else ":material/pause_circle:",
                color="green" if open_now else "orange",
            )
            st.markdown(f":material/call: {t('welcome.call', phone=city.hotline)}", width="content")


def documents() -> None:
    """The agreement and the privacy notice, whole, and the way to all others."""
    shown = (Policy.AGREEMENT, Policy.PRIVACY)
    found = session.public(services.in_force, *shown)
    for document in shown:
        with st.expander(
            t(f"welcome.{document}"), icon=":material/description:", key=f"document_{document}"
        ):
            st.markdown(policies.words_of(found[document]))
    navigation.link("policy", t("welcome.more_documents"), icon=":material/menu_book:")


def count_opening() -> None:
    """Count this tab, of somebody who has not come in yet, for the city it came for.

    A link may name the city (`/welcome?city=320600`); where only one is opened it is that one, and
    else nobody knows.
    """
    if session.visitor() is not None:
        return
    opened = [city.code for city in session.public(cities.opened)]
    linked = st.query_params.get("city", "")
    if linked in opened or len(opened) == 1:
        session.once("footfall", footfalls.note, linked if linked in opened else opened[0])
