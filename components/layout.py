"""What every page is made of: its head, status badges, empty states and confirmations."""

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.i18n import t
from services import settings

Thing = TypeVar("Thing")


def page_head(page: str, *, title: str = "", subtitle: str = "") -> None:
    """The page's title, or a warmer one, with the demo badge at its right."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.title(title or t(f"page.{page}"), width="content")
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


def deeds(key: str) -> DeltaGenerator:
    """What can be done about one thing, side by side; on a phone in even columns."""
    return st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"deeds_{key}"
    )


def empty(key: str, *, icon: str = ":material/inbox:") -> None:
    """Nothing here yet, and what to do next."""
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown(f"### {icon}", width="content")
        st.markdown(f"**{t(f'empty.{key}')}**", text_alignment="center")
        st.caption(t(f"empty.{key}_next"), text_alignment="center")


def confirmed(
    label: str,
    warning: str,
    key: str,
    *,
    icon: str | None = None,
    main: bool = False,
) -> bool:
    """A button that, opened, asks once more before what cannot be undone."""
    with st.popover(
        label,
        icon=icon,
        key=f"{key}_ask",
        type="primary" if main else "secondary",
        on_change="rerun",
    ) as asked:
        if not asked.open:
            return False
        st.markdown(warning)
        return st.button(t("frame.confirm"), type="primary", key=key)


def reason_form(key: str, label: str, hint: str) -> str | None:
    """Why, and the button that sends it; what was written (perhaps nothing) once it is sent."""
    with st.form(f"{key}_form", border=False):
        because = st.text_area(
            t("field.reason"), key=f"reason_{key}", max_chars=300, placeholder=hint
        )
        sent = st.form_submit_button(label, type="primary", key=key)
    return (because or "") if sent else None


def field(label: str, value: str) -> None:
    """A label above a value people typed; shown as plain text, whatever it holds."""
    with st.container(gap=None, width="content"):
        st.caption(label)
        st.text(value)


def first_of(things: Sequence[Thing], key: str, size: int = 20) -> Sequence[Thing]:
    """As many of them as are shown so far; `more_button` under them shows more."""
    return things[: shown_so_far(key, size)]


def shown_so_far(key: str, size: int = 20) -> int:
    """How many things of a list are shown so far."""
    return st.session_state.setdefault(f"{key}_shown", size)


def more_button(things: Sequence[Thing], key: str, size: int = 20) -> None:
    """A button that shows as many more, while there are any."""
    if (left := len(things) - st.session_state[f"{key}_shown"]) > 0:
        st.button(
            t("frame.more", count=left),
            icon=":material/expand_more:",
            key=f"{key}_more",
            width="stretch",
            on_click=_show_more,
            args=(f"{key}_shown", size),
        )


def _show_more(key: str, size: int) -> None:
    st.session_state[key] += size
