"""One of each part the app draws, for tests/test_look.py."""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pydeck as pdk
import streamlit as st

st.set_page_config(page_title="Showcase", page_icon="🤝", layout="wide")
st.html(Path(".streamlit/look.css"))
st.title("样张 Showcase")
st.caption("a caption in small print")
st.plotly_chart(go.Figure(go.Bar(x=["a", "b"], y=[3, 1])), key="plotly")
st.pydeck_chart(
    pdk.Deck(
        map_provider=None,
        initial_view_state=pdk.ViewState(latitude=30, longitude=105, zoom=6),
        layers=[
            pdk.Layer("H3HexagonLayer", [{"hex": "8740b4c6cffffff"}], get_hexagon="hex"),
            pdk.Layer(
                "TextLayer",
                [{"at": [105, 30], "words": "南通"}],
                get_position="at",
                get_text="words",
                character_set=pdk.types.String("auto"),
            ),
        ],
    ),
    key="map",
)
st.dataframe(pd.DataFrame({"share": [0.2, 0.8], "name": ["one", "two"]}), key="table")
st.file_uploader("A file", key="uploader")
component = st.components.v2.component(
    "showcase",
    html="<p id='words'>not run</p>",
    js="""
export default function ({ parentElement }) {
  parentElement.querySelector("#words").textContent = "component ran"
}
""",
)
component(key="component")

with st.form("form"):
    st.text_input("Name", placeholder="a placeholder", key="name")
    st.form_submit_button("Send it", type="primary", key="send")
st.button("Primary button", type="primary", key="primary")
st.button("Secondary button", key="secondary")
st.button("Tertiary button", type="tertiary", key="tertiary")
st.link_button("Link button", "/elsewhere", type="primary")
st.multiselect("Several", ["apples", "pears"], ["apples"], key="several")
st.pills("Pills", ["apples", "pears"], default="apples", key="pills")
st.segmented_control("Segments", ["apples", "pears"], default="apples", key="segments")
st.selectbox("One", ["apples", "pears"], key="one")
st.slider("Slider", 0, 1000, 300, key="slider")
st.checkbox("Check", key="check")
st.tabs(["First tab", "Second tab"])
for colour in ("blue", "green", "orange", "red", "violet", "gray", "primary"):
    st.badge(f"{colour} badge", color=colour)
for show in (st.success, st.info, st.warning, st.error):
    show("a message in words")
st.metric("A metric", 12, 3)
st.markdown("Words, a [link](/elsewhere), `code` and :red[red], :green[green], :orange[orange].")

with st.sidebar:
    st.caption("a caption in the sidebar")
    st.selectbox("Language", ["中文", "English"], key="language")
    st.button("Primary in the sidebar", type="primary", key="side_primary")
    st.button("Secondary in the sidebar", key="side_secondary")
    st.badge("demo data", color="orange")
    st.markdown("A [link](/elsewhere) in the sidebar")
