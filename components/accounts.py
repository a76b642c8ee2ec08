"""The account page's cards."""

import streamlit as st

from components import icons, places, recipients, session
from components.i18n import t
from services import accounts
from services import recipients as recipient_services
from services.access import Permission


def identity_card() -> None:
    """Name and phone; the phone is the identity and stays."""
    mine = session.fetch(accounts.view)
    with st.form("rename", border=True):
        name = st.text_input(t("field.name"), mine.name, key="rename_name", max_chars=40)
        st.caption(t("account.phone", phone=mine.masked_phone))
        if st.form_submit_button(t("account.save"), key="rename_save"):
            session.perform("account.saved", accounts.rename, name)


def region_card() -> None:
    """Where this person wants care or works; every form starts from it."""
    with st.container(border=True):
        region_fields()


def region_fields() -> None:
    """City and district, and the button that keeps them."""
    mine = session.fetch(accounts.view)
    st.markdown(f"**{t('account.region')}**")
    city = places.city_choice("account")
    if city is None:
        return
    district = places.district_choice(city.code, "account", chosen=mine.district_code)
    if st.button(t("account.save"), key="region_save"):
        session.perform("account.saved", accounts.choose_region, city.code, district)


def recipients_card() -> None:
    """The people this customer books care for."""
    if not session.actor().may(Permission.ORDER_CARE):
        return
    with st.container(border=True):
        st.markdown(f"**{t('account.recipients')}**")
        recipients.recipient_cards(session.fetch(recipient_services.listing))


def roles_card() -> None:
    """What this person can be besides."""
    mine = session.fetch(accounts.view)
    missing = [role for role in accounts.SELF_SERVICE if role not in mine.roles]
    if not missing:
        return
    with st.container(border=True):
        st.markdown(f"**{t('account.more_roles')}**")
        for role in missing:
            if st.button(t(f"account.become_{role}"), key=f"become_{role}", icon=icons.ROLE[role]):
                session.perform("account.role_added", accounts.take_up_role, role)
