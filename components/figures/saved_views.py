"""The views somebody keeps, beside the filters: keep this one, open one, send a link."""

from urllib.parse import urlencode

import streamlit as st

from components import formats, navigation, session
from components.figures import choices
from components.i18n import t
from services import saved_views
from services.saved_views import View


def popover(page: str) -> None:
    """My views."""
    with st.popover(
        t("saved_views.mine"), icon=":material/bookmarks:", key="saved_views", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        for one in session.fetch(saved_views.mine):
            _row(one)
        query = {key: st.query_params[key] for key in st.query_params if key in saved_views.KEYS}
        _form(page, query)
        st.caption(t("saved_views.link"))
        address = (st.context.url or "").partition("?")[0]
        st.code(f"{address}?{urlencode(query)}" if query else address, language=None)


def _row(one: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            f"{formats.plain(one.name)} · {t(f'page.{one.page}')}",
            icon=":material/bookmark:",
            key=f"open_view_{one.id}",
            type="tertiary",
            on_click=_leave_filters,
        ):
            navigation.go(one.page, **one.query)
        if st.button(
            "",
            icon=":material/delete:",
            help=t("saved_views.remove", name=formats.plain(one.name)),
            key=f"remove_view_{one.id}",
            type="tertiary",
        ):
            session.perform("saved_views.removed", saved_views.remove, one.id)


def _form(page: str, query: dict[str, str]) -> None:
    with st.form("save_view_form", border=False, clear_on_submit=True):
        name = st.text_input(
            t("saved_views.name"),
            max_chars=saved_views.LONGEST_NAME,
            placeholder=t("saved_views.hint"),
            help=t("saved_views.about"),
            key="saved_view_name",
        )
        if st.form_submit_button(
            t("saved_views.save"), icon=":material/bookmark_add:", key="save_view"
        ):
            session.perform("saved_views.saved", saved_views.save, page, name or "", query)


def _leave_filters() -> None:
    """What a kept view does not name is as it would be anyway, not as it was chosen last."""
    st.query_params.clear()  # Else this run would choose anew what the address names.
    for key in [key for key in st.session_state if str(key).startswith(choices.key(""))]:
        del st.session_state[key]
