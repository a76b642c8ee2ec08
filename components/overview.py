"""What analysts read of a city: where care was wanted, found and missing, in released figures."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from components import catalogue, demand_map, formats, layout, session
from components.demand_map import Measure
from components.i18n import t
from services import clock, releases
from services.catalogue import ItemView
from services.releases import Period, Release

_FLATTEST_BARS = 240  # Lower, the axis would not fit, and the chart would scroll in itself.
_PICKERS = ("map", "table")


@dataclass(frozen=True, slots=True)
class View:
    """What the analyst wants to see."""

    city_code: str
    period: Period
    measure: Measure


def as_of() -> str:
    """Up to which day the figures go, and that they are nobody's."""
    return t("overview.as_of", on=releases.last_closed_day())


def choice() -> View:
    """The city, if there are several, the period, and what the map shows."""
    codes = sorted(session.actor().cities)
    if not codes:
        layout.empty("overview", icon=":material/insights:")
        st.stop()
    with layout.row():
        city_code = codes[0]
        if len(codes) > 1:
            city_code = st.selectbox(
                t("field.city"),
                codes,
                format_func=formats.city,
                key="overview_city",
                label_visibility="collapsed",
                width=160,
            )
        period = st.segmented_control(
            t("overview.period"),
            list(Period),
            format_func=lambda one: t(f"overview.{one}"),
            default=Period.WEEKS_8,
            required=True,
            key="overview_period",
            label_visibility="collapsed",
        )
        measure = st.segmented_control(
            t("overview.measure"),
            list(Measure),
            format_func=lambda one: t(f"overview.{one}"),
            default=Measure.GAP,
            required=True,
            key="overview_measure",
            label_visibility="collapsed",
        )
    return View(city_code, Period(period), Measure(measure))


def by_district(view: View) -> Release:
    """What may be known of the city's districts."""
    return _by_district(session.actor().cities, clock.today(), view.city_code, view.period)


# What is kept is shared by all: whose it may be and of which day it is are arguments.
@st.cache_data(ttl="5m", max_entries=100, show_spinner=False)
def _by_district(cities: frozenset[str], day: date, city_code: str, period: Period) -> Release:
    return session.fetch(releases.by_district, city_code, period)


@st.cache_data(ttl="5m", max_entries=500, show_spinner=False)
def _by_item(
    cities: frozenset[str], day: date, city_code: str, period: Period, district_code: str | None
) -> Release:
    return session.fetch(releases.by_item, city_code, period, district_code)


def figures(release: Release) -> None:
    """The released cells together in four numbers."""
    total = release.total
    with st.grid(4, min_column_width=150):
        _metric("demands", total.demands, format="localized")
        _metric("fill_rate", total.fill_rate, format="percent")
        _metric("median_hours", total.median_hours)
        _metric("gap_hours", total.gap_hours, format="localized")


def _metric(name: str, value: float | str | None, **options: Any) -> None:  # noqa: ANN401 - passed on
    about = t(f"overview.{name}_help")
    st.metric(t(f"overview.{name}"), value, border=True, help=about, **options)


def finding(release: Release) -> None:
    """Where most care is missing, in one sentence."""
    first = release.table.iloc[0]
    if first["gap_hours"]:
        named = formats.district(first["district"])
        said = t("overview.finding", district=named, hours=first["gap_hours"])
    else:
        said = t("overview.no_gap")
    with st.container(key="overview_finding"):
        st.markdown(f":material/target: {said}")


def districts(view: View, release: Release) -> str | None:
    """The map and the same figures as a table; the district that was clicked in either."""
    chosen: str | None = st.session_state.get(_chosen_key(view))
    rows = release.table.to_dict("records")
    left, right = st.columns([5, 6], gap="medium")
    with left, st.container(border=True, key="overview_map"):
        st.markdown(f"**{t(f'overview.map_{view.measure}')}**")
        demand_map.draw(
            view.city_code,
            rows,
            view.measure,
            chosen=chosen,
            key=_picker_key(view, "map"),
            on_select=partial(_picked_on_map, view),
        )
    with right, st.container(border=True, key="overview_table"):
        st.markdown(f"**{t('overview.table')}**")
        _district_table(view, release)
    return chosen


def _district_table(view: View, release: Release) -> None:
    table = release.table.assign(
        name=[formats.district(code) for code in release.table["district"]]
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_order=(
            "name", "gap_hours", "fill_rate", "demands", "wanted_hours", "supply_hours",
            "median_hours", "people", "caregivers", "weeks",
        ),
        column_config={
            "name": st.column_config.TextColumn(t("overview.district"), pinned=True),
            "gap_hours": _bar("gap_hours", release),
            "fill_rate": number(t("overview.fill_rate"), format="percent"),
            **{
                name: number(t(f"overview.{name}"), format="localized")
                for name in ("demands", "median_hours", "wanted_hours", "supply_hours")
            },
            **{
                name: number(
                    t(f"overview.{name}"), format="localized", help=t(f"overview.{name}_help")
                )
                for name in ("people", "caregivers", "weeks")
            },
        },
        on_select=partial(_picked_in_table, view, tuple(release.table["district"])),
        selection_mode="single-row",
        placeholder="–",
        key=_picker_key(view, "table"),
        alt=t("overview.table"),
    )  # fmt: skip


def _bar(name: str, release: Release) -> Any:  # noqa: ANN401 - Streamlit's own kind of column
    most = max((value for value in release.table[name] if value), default=1)
    return st.column_config.ProgressColumn(
        t(f"overview.{name}"), min_value=0, max_value=most, format="localized"
    )


def care(view: View, district_code: str | None) -> None:
    """What was wanted and what was missing by care item, in the district or in all of the city."""
    place = formats.district(district_code) if district_code else formats.city(view.city_code)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.subheader(t("overview.care", place=place), anchor=False, width="content")
        if district_code:
            st.button(
                t("overview.back"),
                icon=":material/arrow_back:",
                key="overview_back",
                on_click=_choose,
                args=(view, None),
            )
    cities, today = session.actor().cities, clock.today()
    release = _by_item(cities, today, view.city_code, view.period, district_code)
    if not release.total.demands:
        st.info(t("overview.district_withheld"), icon=":material/shield_person:")
        return
    items = catalogue.items()
    named = [_care_name(row, items) for row in release.table.to_dict("records")]
    left, right = st.columns([5, 6], gap="medium")
    with left, st.container(border=True, key="overview_bars"):
        st.markdown(f"**{t('overview.bars')}**")
        st.plotly_chart(
            _bars(named, release),
            key="overview_care_bars",
            height=max(_FLATTEST_BARS, 90 + 30 * len(named)),
            config={"displayModeBar": False},
            alt=t("overview.bars"),
        )
    with right, st.container(border=True, key="overview_care"):
        st.markdown(f"**{t('overview.care_table')}**")
        _care_table(named, release)


def _care_name(row: dict[str, Any], items: dict[int, ItemView]) -> str:
    """The item's name, or of which group several are that stand together."""
    if row["item"] is not None:
        return catalogue.item_name(items, row["item"])
    if row["group"] is not None:
        return t("overview.rest_of_group", group=t(f"group.{row['group']}"))
    return t("overview.rest")


def _bars(named: list[str], release: Release) -> dict[str, Any]:
    """Plain Plotly, its colours the theme's: plotly.express costs more than the page."""
    colours = st.get_option("theme.chartCategoricalColors")
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": t(f"overview.{series}"),
                "x": release.table[series].tolist(),
                "y": named,
                "marker": {"color": colour, "cornerradius": 3},
            }
            for series, colour in zip(("served_hours", "gap_hours"), colours, strict=False)
        ],
        "layout": {
            "barmode": "stack",
            "bargap": 0.3,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": {"fixedrange": True, "rangemode": "tozero"},
            "yaxis": {"fixedrange": True, "autorange": "reversed", "automargin": True},
        },
    }


def _care_table(named: list[str], release: Release) -> None:
    number = st.column_config.NumberColumn
    st.dataframe(
        release.table.assign(name=named),
        hide_index=True,
        height="content",
        column_order=("name", "gap_hours", "fill_rate", "demands", "median_hours", "wanted_hours"),
        column_config={
            "name": st.column_config.TextColumn(t("overview.item"), pinned=True),
            "gap_hours": _bar("gap_hours", release),
            "fill_rate": number(t("overview.fill_rate"), format="percent"),
            **{
                name: number(t(f"overview.{name}"), format="localized")
                for name in ("demands", "median_hours", "wanted_hours")
            },
        },
        placeholder="–",
        key="overview_care_figures",
        alt=t("overview.care_table"),
    )


def withheld_words(release: Release) -> None:
    """What the reader does not see, and why."""
    said = t("overview.privacy", smallest=release.smallest_cell)
    if release.withheld:
        said += t("overview.withheld", count=release.withheld)
    st.caption(f":material/shield_person: {said}")


def _chosen_key(view: View) -> str:
    return f"overview_district_{view.city_code}"


def _picker_key(view: View, picker: str) -> str:
    """A picker of another view, or one that was cleared, is another widget: nothing is selected."""
    shown = view.measure if picker == "map" else ""
    cleared = st.session_state.get(f"overview_{picker}_cleared", 0)
    return f"overview_{picker}_{view.city_code}_{view.period}{shown}_{cleared}"


def _picked_on_map(view: View) -> None:
    objects = st.session_state[_picker_key(view, "map")].selection.objects.get("districts", [])
    _choose(view, objects[0]["properties"]["code"] if objects else None, by="map")


def _picked_in_table(view: View, codes: tuple[str, ...]) -> None:
    rows = st.session_state[_picker_key(view, "table")].selection.rows
    _choose(view, codes[rows[0]] if rows else None, by="table")


def _choose(view: View, district_code: str | None, *, by: str = "") -> None:
    """Choose a district, or none; where it was not chosen, nothing stays selected."""
    st.session_state[_chosen_key(view)] = district_code
    for picker in _PICKERS:
        selection = st.session_state.get(_picker_key(view, picker), {}).get("selection", {})
        if picker != by and (selection.get("rows") or selection.get("objects")):
            cleared = f"overview_{picker}_cleared"
            st.session_state[cleared] = st.session_state.get(cleared, 0) + 1
