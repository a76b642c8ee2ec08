"""What analysts read: released figures only, as numbers, a chart and the same table."""

import pandas as pd
import streamlit as st

from components import formats, layout
from components.i18n import t
from services.releases import Release

DIMENSIONS = ("district", "group")


def dimension_choice() -> str:
    """By district or by kind of care."""
    return st.segmented_control(
        t("overview.by"),
        DIMENSIONS,
        format_func=lambda one: t(f"overview.by_{one}"),
        default=DIMENSIONS[0],
        required=True,
        key="overview_by",
        label_visibility="collapsed",
    )


def withheld_words(release: Release) -> None:
    """What the reader does not see, and why."""
    if release.withheld:
        said = t("overview.withheld", count=release.withheld, smallest=release.smallest_cell)
    else:
        said = t("overview.complete", smallest=release.smallest_cell)
    st.caption(f":material/shield_person: {said}")


def figures(release: Release) -> None:
    """The released cells together; people are not added up, for one may be in several."""
    ordered = sum(release.table["orders"].tolist())
    redeemed = sum(release.table["redeemed"].tolist())
    with st.grid(4, min_column_width=150):
        st.metric(t("overview.orders"), ordered, border=True, format="localized")
        st.metric(t("overview.redeemed"), redeemed, border=True, format="localized")
        st.metric(t("overview.share"), round(redeemed / ordered, 2), border=True, format="percent")
        st.metric(t("overview.cells"), len(release.table), border=True)


def charts(release: Release, dimension: str) -> None:
    """Orders and redeemed ones by cell, as bars and as a table that says the same."""
    if release.table.empty:
        layout.empty("overview", icon=":material/insights:")
        return
    figures(release)
    named = release.table.assign(
        cell=[_cell_name(dimension, one) for one in release.table[dimension]]
    )
    left, right = st.columns([5, 4], gap="medium")
    with left, st.container(border=True, key="overview_chart"):
        st.markdown(f"**{t(f'overview.chart_by_{dimension}')}**")
        st.plotly_chart(
            _bars(named),
            key=f"overview_bars_{dimension}",
            height=360,
            config={"displayModeBar": False},
            alt=t(f"overview.chart_by_{dimension}"),
        )
    with right, st.container(border=True, key="overview_table"):
        st.markdown(f"**{t('overview.table')}**")
        _table(named)


def _cell_name(dimension: str, cell: str) -> str:
    return formats.district(cell) if dimension == "district" else t(f"group.{cell}")


def _bars(named: pd.DataFrame) -> dict[str, object]:
    """Plain Plotly, its colours the theme's: plotly.express costs more than the page."""
    colours = st.get_option("theme.chartCategoricalColors")
    return {
        "data": [
            {
                "type": "bar",
                "name": t(f"overview.{series}"),
                "x": named["cell"].tolist(),
                "y": named[series].tolist(),
                "marker": {"color": colour, "cornerradius": 4},
            }
            for series, colour in zip(("orders", "redeemed"), colours, strict=False)
        ],
        "layout": {
            "barmode": "group",
            "bargap": 0.35,
            "legend": {"orientation": "h", "y": 1.12, "x": 0},
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {"fixedrange": True},
            "yaxis": {"fixedrange": True, "rangemode": "tozero"},
        },
    }


def _table(named: pd.DataFrame) -> None:
    column = st.column_config
    most = max(named["orders"].tolist())
    st.dataframe(
        named[["cell", "orders", "redeemed", "people"]],
        hide_index=True,
        height="content",
        column_config={
            "cell": column.TextColumn(t("overview.cell")),
            "orders": column.ProgressColumn(
                t("overview.orders"), min_value=0, max_value=most, format="%d"
            ),
            "redeemed": column.NumberColumn(t("overview.redeemed")),
            "people": column.NumberColumn(t("overview.people")),
        },
        key="overview_cells",
        alt=t("overview.table"),
    )
