"""A demand nobody applies for, made better: more pay, or another time."""

from datetime import datetime, timedelta

import streamlit as st

from components import session
from components.i18n import t
from services import clock, idle_demands
from services.catalogue import ItemView
from services.demands import DemandView, Terms


def improve_button(demand: DemandView, item: ItemView, horizon: timedelta) -> None:
    """Opens the form; offering the demand anew is said before the click."""
    key = f"improve_{demand.id}"
    with st.popover(
        t("idle.improve"), icon=":material/trending_up:", key=f"{key}_open", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        st.caption(t("idle.improve_about"))
        with st.form(key, border=False):
            wanted = _terms(demand, item, horizon, key)
            if st.form_submit_button(t("idle.save"), type="primary", key=f"{key}_save"):
                session.perform(
                    "idle.improved", idle_demands.improve, demand.id, wanted, forget=(key,)
                )


def _terms(demand: DemandView, item: ItemView, horizon: timedelta, key: str) -> Terms:
    starts_at = clock.in_city(demand.starts_at)
    latest = max(clock.today() + horizon, starts_at.date())
    day = st.date_input(
        t("field.day"),
        starts_at.date(),
        min_value=clock.today(),
        max_value=latest,
        key=f"{key}_day",
    )
    at = st.time_input(t("field.start"), starts_at.time(), step=900, key=f"{key}_start")
    lowest_fen, highest_fen = demand.lowest_fen, demand.highest_fen
    if lowest_fen < item.highest_fen:
        lowest, highest = st.slider(
            t("field.price_range", unit=t(f"unit.{item.unit}")),
            lowest_fen // 100,
            item.highest_fen // 100,
            (lowest_fen // 100, min(highest_fen, item.highest_fen) // 100),
            format="¥%d",
            key=f"{key}_price",
        )
        lowest_fen, highest_fen = lowest * 100, highest * 100
    return Terms(datetime.combine(day, at, clock.CITY_TIME), demand.units, lowest_fen, highest_fen)
