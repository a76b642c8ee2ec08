"""The bell on every page: how much is unread, as of this moment."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from components import live, session
from components.i18n import t
from services.news import Topic


@live.part(Topic.INBOX)
def bell(inbox: StreamlitPage) -> None:
    """A link to the inbox, with the number of unread notices."""
    visitor = session.visitor()
    unread = visitor.unread if visitor else 0
    with st.container(key="bell_ringing" if unread else "bell_silent", width="content"):
        st.page_link(
            inbox,
            label=t("bell.unread", count=unread) if unread else t("bell.nothing"),
            icon=":material/notifications_unread:" if unread else ":material/notifications:",
        )
