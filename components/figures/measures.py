"""How figures are written: each measure's word, unit and number."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pandas as pd
import streamlit as st

from components import formats
from components.figures import panels
from components.i18n import t
from services.analytics.combining import Total


class Measure(StrEnum):
    """What is known of a place; each is a column of `combining.at_places`."""

    GAP = "gap_hours"
    WANTED = "wanted_hours"
    SERVED = "served_hours"
    NEEDS = "needs"
    FILL_RATE = "fill_rate"
    OFFERED = "offered_hours"
    SHORT = "short_hours"
    LOST = "lost"
    WAIT = "wait_hours"
    PRICE = "price_fen"


WORSE = {Measure.GAP, Measure.SHORT, Measure.LOST, Measure.WAIT}
_COUNTED = {Measure.NEEDS, Measure.LOST}


def word(measure: str) -> str:
    """A measure in words, or what is asked of whoever chooses one."""
    return t(f"measure.{measure}")


def help_of(measure: Measure) -> str:
    return t(f"measure_help.{measure}")


def unit(measure: Measure) -> str:
    """What a number of it is of; nothing for shares and counts."""
    if measure is Measure.FILL_RATE or measure in _COUNTED:
        return ""
    return t("figures.unit_price" if measure is Measure.PRICE else "figures.unit_hours")


def number(measure: Measure) -> Callable[[float], str]:
    """How a value of it is written without its unit."""
    if measure is Measure.FILL_RATE:
        return lambda value: f"{value:.0%}"
    if measure is Measure.PRICE:
        return lambda value: formats.money(round(value))
    return lambda value: f"{value:,.0f}"


def written(measure: Measure, value: float | None) -> str:
    """A value with its unit, or that it is not told."""
    if value is None or pd.isna(value):
        return t("figures.untold")
    return f"{number(measure)(value)} {unit(measure)}".strip()


def column(measure: Measure, most: float | None = None) -> Any:  # noqa: ANN401 - Streamlit's own
    """A table's column of it; a bar where the largest value is given."""
    label, about = word(measure), help_of(measure)
    if measure is Measure.FILL_RATE:
        return st.column_config.NumberColumn(label, format="percent", help=about)
    if measure is Measure.PRICE:
        return st.column_config.NumberColumn(label, format="¥%d", help=about)
    if most:
        return st.column_config.ProgressColumn(
            label, min_value=0, max_value=most, format="localized", help=about
        )
    return st.column_config.NumberColumn(label, format="localized", help=about)


def metric(measure: Measure, now: Total, before: Total, weekly: pd.DataFrame) -> None:
    """A figure with its weeks as a line, and how it differs from the weeks before."""
    panels.metric(
        word(measure),
        getattr(now, measure),
        getattr(before, measure) if before.needs else None,
        "percent" if measure is Measure.FILL_RATE else "localized",
        about=help_of(measure),
        worse=measure in WORSE,
        line=list(weekly[measure].astype(float).fillna(0)) if len(weekly) > 1 else None,
    )
