"""How somebody wants to be told, beside the inbox."""

from datetime import time

import streamlit as st

from components import catalogues, session
from components.i18n import t
from services import preferences
from services.preferences import Preference

_SWITCHES = ("by_text", "by_wechat", "by_call")


def preference_card() -> None:
    """The channels, the language of what is sent, and the hours in which nothing comes."""
    mine = session.fetch(preferences.mine)
    with st.form("preferences", border=True):
        st.markdown(f"**{t('preferences.title')}**")
        st.caption(t("preferences.about"))
        wanted = preference_fields(mine, "preferences")
        if st.form_submit_button(t("account.save"), key="preferences_save"):
            session.perform("preferences.saved", preferences.keep, wanted)


def preference_of_caller(customer_id: int) -> None:
    """How a caller wants to be told, for the desk's card: one without a smartphone is called."""
    now = session.fetch(preferences.of_caller, customer_id)
    key = f"caller_preferences_{customer_id}"
    with st.popover(
        t("preferences.called" if now.by_call else "preferences.title"),
        icon=":material/call:" if now.by_call else ":material/notifications:",
        type="tertiary",
        key=f"{key}_ask",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return
        wanted = preference_fields(now, key)
        if st.button(t("account.save"), key=key, type="primary"):
            session.perform(
                "preferences.saved",
                preferences.keep,
                wanted,
                customer_id=customer_id,
                forget=(f"{key}_",),
            )


def preference_fields(now: Preference, key: str) -> Preference:
    """The fields, filled with what holds now."""
    chosen = {
        name: st.toggle(
            t(f"preferences.{name}"),
            getattr(now, name),
            key=f"{key}_{name}",
            help=t("preferences.by_call_help") if name == "by_call" else None,
        )
        for name in _SWITCHES
    }
    left, middle, right = st.columns(3)
    language = left.selectbox(
        t("preferences.language"),
        list(catalogues.LANGUAGES),
        index=list(catalogues.LANGUAGES).index(now.language),
        format_func=lambda code: catalogues.LANGUAGES[code],
        key=f"{key}_language",
    )
    first = middle.time_input(
        t("preferences.quiet_from"), _time(now.quiet_from_minute), step=1800, key=f"{key}_from"
    )
    until = right.time_input(
        t("preferences.quiet_until"), _time(now.quiet_until_minute), step=1800, key=f"{key}_until"
    )
    st.caption(t("preferences.urgent"))
    return Preference(
        language=language,
        quiet_from_minute=first.hour * 60 + first.minute,
        quiet_until_minute=until.hour * 60 + until.minute,
        **chosen,
    )


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)
