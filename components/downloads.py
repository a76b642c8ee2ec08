"""Files that leave the app by a one-time ticket: the browser fetches each once, by itself.

Never by st.download_button: what lies at /media is open to anyone who has the address.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from components import session
from components.i18n import t
from services import prepared_files

_FETCH = component(
    "fetch_file",
    js="""
export default function ({ data, parentElement }) {
  if (parentElement.fetched === data.source) return
  parentElement.fetched = data.source
  const link = document.createElement("a")
  link.href = new URL(data.source, document.baseURI).href
  link.download = ""
  link.click()
}
""",
)


def fetch(source: str, key: str) -> None:
    """Let the browser fetch what lies at an address of ours."""
    _FETCH(data={"source": source}, key=key, height=1)


def button(label: str, key: str, make: Callable[[], tuple[str, str, bytes]]) -> None:
    """A button that makes a file (what it tells of, its name, its bytes) and hands it out."""
    if session.without_routes():
        st.info(t("extracts.without_routes"))
        return
    if st.button(label, icon=":material/download:", key=f"take_{key}"):
        hand_out(session.disclose(prepared_files.prepare, *make()), key)


def hand_out(ticket: str | None, key: str) -> None:
    """Let the browser fetch a prepared file by its ticket, if there is one."""
    if ticket is not None:
        fetch(f"documents/files/{ticket}", f"fetch_{key}")
        st.caption(t("extracts.ready"))
