"""Unmet needs of the last 30 days: what stood in the way, where, and the list itself."""

from collections import Counter
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from components import catalogue, formats, layout, session, unmet_changes
from components.figures import charts
from components.i18n import t
from services import unmet_needs
from services.availability import Obstacle
from services.catalogue import ItemView
from services.unmet_needs import Unmet

_COLUMNS = ("noted", "source", "item", "district", "wanted", "obstacle")
_ROW_HEIGHT = 34
_BLOCK = 2  # Hours in a row of the heat.


def item_filter(unmet: Unmet, items: dict[int, ItemView]) -> int | None:
    """One item, or all of them; those with most unmet needs first."""
    by_count = sorted(((count, item_id) for item_id, count in unmet.by_item.items()), reverse=True)
    return st.selectbox(
        t("unmet.item"),
        [None, *(item_id for _, item_id in by_count)],
        format_func=lambda one: (
            f"{catalogue.item_name(items, one)} · {unmet.by_item.get(one, 0)}"
            if one
            else t("unmet.every_item", count=sum(unmet.by_item.values()))
        ),
        key="unmet_item",
        width=360,
    )


def last_month(items: dict[int, ItemView]) -> None:
    """Bars by reason and by district, and the table they are drawn from."""
    everything = session.fetch(unmet_needs.of_month)
    if not everything.count:
        layout.empty("unmet", icon=":material/sentiment_satisfied:")
        return
    item_id = item_filter(everything, items)
    unmet = session.fetch(unmet_needs.of_month, item_id) if item_id else everything
    unmet_changes.best(item_id, items)
    left, right = st.columns(2, gap="large")
    with left:
        named = {_reason(what): count for what, count in unmet.by_obstacle.items()}
        _bars(named, "unmet.by_reason", "unmet_reasons")
    with right:
        named = {formats.district(code): count for code, count in unmet.by_district.items()}
        _bars(named, "unmet.by_district", "unmet_districts")
    _hours(unmet)
    _table(unmet, items)


def _reason(what: Obstacle | None) -> str:
    return t(f"unmet_reason.{what}") if what else t("unmet.left")


def _bars(counts: Mapping[str, int], heading: str, key: str) -> None:
    """The longest bar on top."""
    st.subheader(t(heading), anchor=False)
    rising = sorted(counts, key=lambda name: counts[name])
    st.plotly_chart(
        {
            "data": [
                {
                    "type": "bar",
                    "orientation": "h",
                    "y": rising,
                    "x": [counts[name] for name in rising],
                    "text": [str(counts[name]) for name in rising],
                    "textposition": "auto",
                    "marker": {
                        "color": st.get_option("theme.chartCategoricalColors")[0],
                        "cornerradius": 4,
                    },
                }
            ],
            "layout": {
                "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
                "bargap": 0.4,
                "xaxis": {"visible": False, "fixedrange": True, "rangemode": "tozero"},
                "yaxis": {"type": "category", "fixedrange": True, "automargin": True},
            },
        },
        key=key,
        height=60 + _ROW_HEIGHT * len(rising),
        config={"displayModeBar": False},
        alt=t(heading),
    )


def _hours(unmet: Unmet) -> None:
    """When care was to begin: hours down, weekdays across."""
    st.subheader(t("unmet.by_hour"), anchor=False)
    if not unmet.by_hour:
        st.caption(t("unmet.no_hours"))
        return
    counts = Counter[tuple[int, int]]()
    for (weekday, hour), count in unmet.by_hour.items():
        counts[weekday, hour // _BLOCK] += count
    blocks = range(min(block for _, block in counts), max(block for _, block in counts) + 1)
    charts.draw(
        charts.heat(
            [[counts[day, block] for day in range(len(formats.WEEKDAYS))] for block in blocks],
            [t(f"weekday.{day}") for day in formats.WEEKDAYS],
            [
                t("unmet.hours", since=_BLOCK * block, until=_BLOCK * (block + 1))
                for block in blocks
            ],
            t("unmet.needs"),
        ),
        key="unmet_hours",
        alt=t("unmet.by_hour"),
        rows=len(blocks),
    )


def _table(unmet: Unmet, items: dict[int, ItemView]) -> None:
    st.subheader(t("unmet.list", count=unmet.count), anchor=False)
    latest = unmet.latest
    st.dataframe(
        pd.DataFrame(
            {
                "noted": [formats.moment(one.noted_at) for one in latest],
                "source": [t(f"need_source.{one.source}") for one in latest],
                "item": [catalogue.item_name(items, one.item_id) for one in latest],
                "district": [formats.district(one.district_code) for one in latest],
                "wanted": [
                    formats.moment(one.wanted_at) if one.wanted_at else t("find.any_time")
                    for one in latest
                ],
                "obstacle": [_reason(one.obstacle) for one in latest],
            }
        ),
        hide_index=True,
        height="content" if len(latest) < 15 else 560,
        column_config={
            name: st.column_config.TextColumn(t(f"unmet.column_{name}")) for name in _COLUMNS
        },
        key="unmet_table",
        alt=t("page.unmet"),
    )
    st.caption(t("unmet.no_person"))
