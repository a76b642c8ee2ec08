"""Choices that a page's address names and that stay from page to page.

Whatever an address names that is not to be chosen is passed over; what is as it would be anyway is
not named in it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

_PICKERS = "map", "table"
Choice = TypeVar("Choice")


def kept(
    name: str,
    options: Sequence[Choice],
    default: Choice,
    draw: Callable[..., Choice | None],
    **how: Any,  # noqa: ANN401 - passed on
) -> Choice:
    """A choice that the address names and that stays from page to page."""
    state, linked = key(name), st.query_params.get(name)
    written = f"{state}_written"
    by_address = {str(one): one for one in options}
    if linked is not None and linked != st.session_state.get(written) and linked in by_address:
        st.session_state[state] = by_address[linked]
    if st.session_state.get(state) not in options:
        st.session_state[state] = default
    chosen = draw(options, key=state, **how)
    chosen = default if chosen is None else chosen
    told = None if chosen == default else str(chosen)
    if told != linked:
        if told is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = told
    st.session_state[written] = told
    return chosen


def go(place: str, by: str = "") -> None:
    """Look at another place from the next run on, told `by` a picker; for callbacks."""
    st.session_state[key("place")] = place
    clear_pickers(by)


def clear_pickers(but: str = "") -> None:
    """Make every map and table that picks places another widget, but the one that picked."""
    for picker in _PICKERS:
        if picker != but:
            st.session_state[key(f"{picker}_cleared")] = cleared(picker) + 1


def cleared(picker: str) -> int:
    """How often a picker was made another widget."""
    return st.session_state.get(key(f"{picker}_cleared"), 0)


def key(name: str) -> str:
    """Where a choice is kept in the session."""
    return f"view_{name}"


def segments(named: Callable[[str], str], options: Sequence[str], *, key: str) -> str | None:
    """A choice of few, side by side."""
    return st.segmented_control(
        named("choice"),
        options,
        required=True,
        format_func=named,
        key=key,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
    )
