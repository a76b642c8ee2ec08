"""Every word on screen: t("booking.title") in the visitor's language."""

from contextvars import ContextVar
from typing import Protocol

import streamlit as st

from components import catalogues


class Named(Protocol):
    """Anything of ours with a name in both languages."""

    @property
    def name_zh(self) -> str: ...
    @property
    def name_en(self) -> str: ...


# A thread of Streamlit's serves one visitor; reading session_state for every word costs a tenth
# of a page.
_of_this_run: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """The language of this run."""
    return _of_this_run.get() or settle_language()


def settle_language() -> str:
    """At the start of a run: the language chosen, or the browser's if it is not Chinese."""
    settled = st.session_state.get("language") or _of_the_browser()
    _of_this_run.set(settled)
    return settled


def _of_the_browser() -> str:
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
