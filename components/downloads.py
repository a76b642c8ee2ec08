"""Files that leave the app by a one-time ticket: the browser fetches each once, by itself.

Never by st.download_button: what lies at /media is open to anyone who has the address.
"""

from streamlit.components.v2 import component

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
