"""Charts as plain Plotly dictionaries, their colours the theme's, nothing to drag on a phone."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from plotly.graph_objects import Figure

from components import formats
from components.figures import measures, panels, views
from components.figures.measures import Measure
from components.figures.views import View
from components.formats import WEEKDAYS
from components.i18n import t
from services.analytics import combining
from services.analytics.figures import Frame
from services.analytics.terms import Daypart, Dimension

FLATTEST = 240  # Lower, an axis would not fit, and the chart would scroll in itself.
_A_BAR, _BESIDE_BARS, _FEW = 30, 90, 5
# Every shade is read against one colour of numbers.
HEAT = {
    "light": [[0, "#F4F1EA"], [0.5, "#B5D8D5"], [1, "#5FB0B3"]],
    "dark": [[0, "#1A2327"], [0.5, "#23535A"], [1, "#2E7F87"]],
}
NUMBERS = {"light": "#1E2B2F", "dark": "#FFFFFF"}
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
LEGEND = {
    "orientation": "h",
    "y": 1.02,
    "yanchor": "bottom",
    "x": 0,
    "xanchor": "left",
    "traceorder": "normal",
}


def colours() -> list[str]:
    """The theme's colours of series."""
    return st.get_option("theme.chartCategoricalColors")


def bars(
    series: Mapping[str, Sequence[float]],
    names: Sequence[str],
    *,
    stacked: bool,
    prefix: str = "",
    number: str = "",
) -> dict:
    """Bars to the right, one row a name, the first on top; a colour for each series."""
    most = max((one for values in series.values() for one in values), default=0)
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": label,
                "x": list(values),
                "y": list(names),
                "marker": {"color": colour, "cornerradius": 3},
            }
            for (label, values), colour in zip(series.items(), colours(), strict=False)
        ],
        "layout": {
            "barmode": "stack" if stacked else "group",
            "bargap": 0.3,
            "showlegend": len(series) > 1,
            "legend": LEGEND,
            "margin": MARGIN,
            "xaxis": {
                "fixedrange": True,
                "rangemode": "tozero",
                "tickprefix": prefix,
                "tickformat": number,
                # Between so few there is nothing to count.
                "dtick": 1 if number == "d" and most <= _FEW else None,
            },
            "yaxis": {"fixedrange": True, "autorange": "reversed", "automargin": True},
        },
    }


def heat(
    values: Sequence[Sequence[float]],
    across: Sequence[str],
    down: Sequence[str],
    what: str,
) -> dict:
    """A grid of shades, darker for more (lighter in the dark), with its numbers written in.

    What is None is left empty.
    """
    theme = st.context.theme.type or "light"
    return {
        "data": [
            {
                "type": "heatmap",
                "z": [[None if pd.isna(one) else float(one) for one in row] for row in values],
                "x": list(across),
                "y": list(down),
                "colorscale": HEAT[theme],
                "zmin": 0,
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
                "hoverongaps": False,
                "texttemplate": "%{z:,.0f}",
                "textfont": {"color": NUMBERS[theme]},
                "hovertemplate": f"%{{y}} %{{x}}<br>{what} %{{z:,.0f}}<extra></extra>",
            }
        ],
        "layout": {
            "margin": MARGIN,
            "xaxis": {"type": "category", "fixedrange": True, "side": "top", "showgrid": False},
            "yaxis": {
                "type": "category",
                "fixedrange": True,
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
            },
        },
    }


def draw(figure: dict[str, Any], *, key: str, alt: str, rows: int = 0) -> None:
    """The chart, as high as its rows of bars need."""
    st.plotly_chart(
        _checked(json.dumps(figure)),
        key=key,
        height=max(FLATTEST, _BESIDE_BARS + _A_BAR * rows),
        config={"displayModeBar": False},
        alt=alt,
    )


# Plotly looks at every word of a figure, which takes longer than all the rest of drawing it.
@st.cache_resource(max_entries=500, show_spinner=False)
def _checked(figure: str) -> Figure:
    return Figure(json.loads(figure))


def hours_of_week(view: View) -> None:
    """When care is wanted: weekdays down, parts of the day across."""
    title = t("figures.hours_of_week")
    st.markdown(f"**{title}**")
    told = by_bucket(view, Dimension.HOUR)
    if told.empty:
        nothing(view)
        return
    needs = dict(zip(told["bucket"], told["needs"], strict=True))
    grid = [
        [needs.get(f"{weekday}_{part}", 0) for part in Daypart] for weekday in range(len(WEEKDAYS))
    ]
    draw(
        heat(
            grid,
            [t(f"daypart.{part}").replace(" ", "<br>", 1) for part in Daypart],
            [t(f"weekday.{weekday}") for weekday in WEEKDAYS],
            measures.word(Measure.NEEDS),
        ),
        key="figures_hours_chart",
        alt=title,
        rows=len(WEEKDAYS),
    )
    if told["merged"].any():
        st.caption(t("figures.merged"))


def by_bucket(view: View, dimension: Dimension) -> pd.DataFrame:
    """The needs of a view by a dimension; all dimensions are made at once of the same cells."""

    def every() -> dict[Dimension, pd.DataFrame]:
        cells = views.frame(view, Frame.GROUPS)
        return {one: combining.by_bucket(cells, one) for one in Dimension}

    return views.made(
        view, f"by_{dimension}", lambda: views.made(view, "by_bucket", every)[dimension]
    )


def dayparts(view: View) -> None:
    """Hours wanted and hours caregivers offer, by part of the day."""
    title = t("figures.dayparts")
    st.markdown(f"**{title}**")
    sums = views.made(
        view, "dayparts", lambda: combining.by_daypart(views.frame(view, Frame.DAYPARTS))
    )
    if sums.empty:
        nothing(view)
        return
    draw(
        bars(
            {
                measures.word(one): sums[str(one)].round().tolist()
                for one in (Measure.WANTED, Measure.OFFERED)
            },
            [formats.listed(t(f"daypart.{one}") for one in parts) for parts in sums["parts"]],
            stacked=False,
        ),
        key="figures_dayparts_chart",
        alt=title,
        rows=len(sums),
    )


def obstacles(view: View) -> None:
    """Why searches, demands and calls found nobody."""
    title = t("figures.obstacles")
    st.markdown(f"**{title}**")
    counts = views.made(view, "obstacles", lambda: _counts(view))
    if counts.empty:
        nothing(view)
        return
    draw(
        bars(
            {measures.word(Measure.LOST): counts.tolist()},
            [reason(one) for one in counts.index],
            stacked=False,
        ),
        key="figures_obstacles_chart",
        alt=title,
        rows=len(counts),
    )


def _counts(view: View) -> pd.Series:
    """How often each obstacle was met, most often first."""
    cells = views.frame(view, Frame.OBSTACLES)
    counts = cells.groupby("obstacle", dropna=False)["count"].sum().sort_values(ascending=False)
    return counts[counts > 0]


def reason(obstacle: Any) -> str:  # noqa: ANN401 - NaN where there is none
    """Why nobody came, in words; without an obstacle somebody could have come."""
    return t("unmet.left") if pd.isna(obstacle) else t(f"unmet_reason.{obstacle}")


def nothing(view: View) -> None:
    """Why a chart has nothing to show: most sheets come once a month is over."""
    if not view.standing.published:
        st.info(t("figures.nothing"), icon=":material/inbox:")
    elif not panels.closed_months(view, view.window):
        st.info(t("figures.month_not_over"), icon=":material/hourglass_top:")
    else:
        st.info(t("figures.withheld"), icon=":material/shield_person:")
