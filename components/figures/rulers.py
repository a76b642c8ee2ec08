"""How many pixels a picture really has in the window of who looks at it."""

import streamlit as st
from streamlit.components.v2 import component

_NARROW, _WIDE = 310, 420  # Pixels that a map surely has, on a phone and elsewhere.
_LEAST, _MOST = 100, 4000  # What a browser says beyond these is no width.
_MEASURED = "map_width"
# Tells how many pixels a map really has, where it is not about as many as it was drawn for.
_RULER = component(
    "map_ruler",
    html="<div></div>",
    js="""
export default function ({ parentElement, data, setStateValue }) {
  const wide = Math.round(parentElement.querySelector("div").getBoundingClientRect().width)
  if (wide && Math.abs(wide - data) > data / 10) setStateValue("wide", wide)
}
""",
)


def pixels(key: str) -> int:
    """How wide a map is; the first in a window is drawn for a width that it surely has."""
    before = st.session_state.get(_MEASURED, _NARROW if _on_phone() else _WIDE)
    ruler = f"{key}_ruler"
    told = (st.session_state.get(ruler) or {}).get("wide")
    wide = min(max(told, _LEAST), _MOST) if isinstance(told, int) else before
    _RULER(data=wide, key=ruler, on_wide_change=lambda: None)
    st.session_state[_MEASURED] = wide
    return wide


def _on_phone() -> bool:
    """Whether the browser says it is a phone's."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
