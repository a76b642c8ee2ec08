"""What every page is made of: its head, status badges, empty states and confirmations."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.i18n import t
from services import settings


def page_head(page: str, *, subtitle: str = "") -> None:
    """The page's title, with the demo badge at its right."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.title(t(f"page.{page}"), width="content")
        demo_badge()
    if subtitle:
        st.caption(subtitle)


def demo_badge() -> None:
    """Says on every page that nobody here is real."""
    if settings.settings().demo:
        st.badge(t("frame.demo"), icon=":material/science:", color="orange")


def badge(icon: tuple[str, str], word: str) -> None:
    """A status with its colour, its icon and its word."""
    symbol, colour = icon
    st.badge(word, icon=symbol, color=colour)  # pyright: ignore[reportArgumentType]


def row() -> DeltaGenerator:
    """Things side by side that wrap on a phone."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def empty(key: str, *, icon: str = ":material/inbox:") -> None:
    """Nothing here yet, and what to do next."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"### {icon}", width="content")
        st.markdown(f"**{t(f'empty.{key}')}**", text_alignment="center")
        st.caption(t(f"empty.{key}_next"), text_alignment="center")


def confirmed(label: str, warning: str, key: str, *, icon: str | None = None) -> bool:
    """A button that asks once more before what cannot be undone."""
    with st.popover(label, icon=icon, key=f"{key}_ask"):
        st.markdown(warning)
        return st.button(t("frame.confirm"), type="primary", key=key)


def field(label: str, value: str) -> None:
    """A label above a value people typed; shown as plain text, whatever it holds."""
    with st.container(gap=None, width="content"):
        st.caption(label)
        st.text(value)
