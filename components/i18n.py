"""Every word on screen: t("booking.title") in the visitor's language."""

from typing import Protocol

import streamlit as st

from components import catalogues


class Named(Protocol):
    """Anything of ours with a name in both languages."""

    @property
    def name_zh(self) -> str: ...
    @property
    def name_en(self) -> str: ...


def language() -> str:
    """The language chosen, or the browser's if it is not Chinese."""
    chosen = st.session_state.get("language")
    if chosen:
        return chosen
    browser = st.context.locale or ""
    return "en" if browser and not browser.lower().startswith("zh") else catalogues.DEFAULT


def chinese() -> bool:
    return language() == "zh_CN"


def t(key: str, **values: object) -> str:
    """The message in the visitor's language, its blanks filled."""
    return catalogues.say(language(), key, **values)


def name(thing: Named) -> str:
    """Its name in the visitor's language."""
    return thing.name_zh if chinese() else thing.name_en


def language_choice() -> None:
    """The switch in the sidebar; it keeps what is typed, because every field has a key."""
    st.segmented_control(
        t("frame.language"),
        list(catalogues.LANGUAGES),
        format_func=lambda code: catalogues.LANGUAGES[code],
        key="language",
        default=None if "language" in st.session_state else language(),
        required=True,
        label_visibility="collapsed",
        width="stretch",
    )
