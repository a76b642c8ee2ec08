"""Where care is wanted, found and missing: the map, its table, and what lies behind a place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TypeVar

import pandas as pd
import streamlit as st

from components import formats, layout
from components.figures import charts, choices, maps, measures, views
from components.figures.maps import Area, Flow, Hexagon, Picture, Scale
from components.figures.measures import Measure
from components.figures.views import View
from components.i18n import t
from services import regions
from services.analytics import combining
from services.analytics.combining import Total
from services.analytics.figures import Frame
from services.analytics.terms import Dimension
from services.regions import RegionLevel

_IN_TOOLTIP = (Measure.WANTED, Measure.GAP, Measure.FILL_RATE)
_IN_TABLE = (
    Measure.GAP, Measure.FILL_RATE, Measure.NEEDS, Measure.WANTED, Measure.OFFERED,
    Measure.LOST, Measure.WAIT, Measure.PRICE,
)  # fmt: skip
_MOST_FLOWS = 40
_Option = TypeVar("_Option", bound=str)


class Kind(StrEnum):
    """How the map tells: coloured areas, columns on them, hexagons, or who came from where."""

    AREAS = "areas"
    COLUMNS = "columns"
    HEXAGONS = "hexagons"
    FLOWS = "flows"


class Beside(StrEnum):
    """What stands beside the map: its table, or the map of the weeks before."""

    TABLE = "table"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Look:
    """How the map is drawn, and what stands beside it: a `Beside`, or another city's code."""

    measure: Measure
    kind: Kind
    beside: str


def choose(view: View) -> Look:
    """What the map shows and how, and what stands beside it; hexagons are for operators."""
    kinds = [one for one in Kind if one is not Kind.HEXAGONS or not view.standing.published]
    others = sorted(view.cities - view.inside) if view.city else []
    with layout.row():
        measure = choices.kept("measure", list(Measure), Measure.GAP, partial(_box, measures.word))
        with st.popover(t("figures.map_options"), icon=":material/tune:", key="figures_options"):
            kind = choices.kept("map", kinds, Kind.AREAS, partial(_box, _kind))
            beside = choices.kept(
                "beside", [*Beside, *others], Beside.TABLE, partial(_box, _beside)
            )
    return Look(Measure(measure), Kind(kind), beside)


def _box(named: Callable[[str], str], options: Sequence[_Option], *, key: str) -> _Option | None:
    return st.selectbox(
        named("choice"),
        options,
        format_func=named,
        key=key,
        label_visibility="collapsed" if named is measures.word else "visible",
        width=220,
        persist_state="session",
    )


def _kind(one: str) -> str:
    return t(f"map_kind.{one}")


def _beside(one: str) -> str:
    if one.isdigit():
        return t("beside.place", place=views.place_name(one))
    return t(f"beside.{one}")


def headline(view: View) -> None:
    """The view's needs in five figures: so far, week by week, and against the weeks before."""
    now, before, weekly = views.made(view, "headline", lambda: _totals(view))
    with st.grid(5, min_column_width=150):
        for measure in (
            Measure.NEEDS,
            Measure.WANTED,
            Measure.GAP,
            Measure.FILL_RATE,
            Measure.WAIT,
        ):
            measures.metric(measure, now, before, weekly)


def _totals(view: View) -> tuple[Total, Total, pd.DataFrame]:
    """The view's needs all together, those of the weeks before, and week by week."""
    cells = views.frame(view, Frame.NEEDS)
    before = combining.total(views.frame(view, Frame.NEEDS, view.window.before))
    return combining.total(cells), before, combining.together(cells, ["day"])


def finding(view: View) -> None:
    """Where most care is missing, in one sentence."""
    rows = _rows(view)
    rows = rows[rows["place"].notna() & (rows["gap_hours"] > 0)]
    if rows.empty:
        said = t("figures.no_gap")
    else:
        worst = rows.iloc[0]
        hours = round(worst["gap_hours"])
        said = t("figures.largest_gap", place=views.place_name(worst["place"]), hours=hours)
    with st.container(key="figures_finding"):
        st.markdown(f":material/target: {said}")


def show(view: View, look: Look) -> None:
    """The map, and beside it its table or another map on the same scale."""
    rows = _rows(view)
    other = _other(view, look)
    other_rows = None if other is None else _rows(other)
    scale = _scale(look.measure, [rows] if other_rows is None else [rows, other_rows])
    left, right = st.columns([5, 6] if other is None else 2, gap="medium")
    with left, st.container(border=True, key="figures_map"):
        _map(view, look, rows, scale, clickable=True)
    with right, st.container(border=True, key="figures_beside"):
        if other is None or other_rows is None:
            st.markdown(f"**{t('figures.table')}**")
            _table(view, rows)
        else:
            _map(other, look, other_rows, scale, clickable=False)
    if other is not None:
        with st.expander(t("figures.table"), icon=":material/table:", key="figures_twin"):
            _table(view, rows)


def _other(view: View, look: Look) -> View | None:
    """What the second map shows."""
    if look.beside == Beside.TABLE:
        return None
    if look.beside == Beside.BEFORE:
        return replace(view, window=view.window.before)
    return views.elsewhere(view, look.beside)


def _rows(view: View) -> pd.DataFrame:
    """What is known of the places below the view's city, province or nation."""
    whole = views.elsewhere(view, view.city or view.place)
    return views.made(whole, "places", lambda: _at_places(whole))


def _at_places(whole: View) -> pd.DataFrame:
    needs, dayparts, obstacles = (
        views.frame(whole, one) for one in (Frame.NEEDS, Frame.DAYPARTS, Frame.OBSTACLES)
    )
    if whole.below is RegionLevel.PROVINCE:
        needs, dayparts, obstacles = (
            cells.assign(province=[regions.path(city)[0].code for city in cells["city"]])
            for cells in (needs, dayparts, obstacles)
        )
    return combining.at_places(needs, dayparts, obstacles, str(whole.below))


def _codes(view: View) -> list[str]:
    """The places the map is made of."""
    if view.city:
        return [district.code for district in regions.districts_of(view.city)]
    if view.below is RegionLevel.CITY:
        return sorted(view.inside)
    return sorted({regions.path(city)[0].code for city in view.inside})


def _scale(measure: Measure, tables: Sequence[pd.DataFrame]) -> Scale:
    values = [value for rows in tables for value in rows[rows["place"].notna()][measure]]
    return maps.scale(
        values,
        measures.number(measure),
        measures.unit(measure),
        worse=measure in measures.WORSE,
        share=measure is Measure.FILL_RATE,
    )


def _map(view: View, look: Look, rows: pd.DataFrame, scale: Scale, *, clickable: bool) -> None:
    title = t(
        "figures.map_title",
        measure=_kind(look.kind) if look.kind is Kind.FLOWS else measures.word(look.measure),
        place=views.place_name(view.city or view.place),
        first=view.window.first,
        last=min(view.window.last, view.standing.last_day or view.window.last),
    )
    st.markdown(f"**{title}**")
    key = views.picker_key(f"map_{look.kind}_{look.measure}", view) + ("" if clickable else "_2")
    picture = Picture(
        areas=list(_areas(view, look.measure, rows)),
        scale=scale,
        columns=look.kind is Kind.COLUMNS,
        chosen=frozenset({view.district} if view.district else ()),
    )
    if look.kind is Kind.HEXAGONS:
        picture = _with_hexagons(view, look.measure, picture)
    if look.kind is Kind.FLOWS:
        picture = replace(picture, flows=tuple(_flows(view)))
        if not picture.flows:
            st.caption(t("figures.no_flows"))
    maps.draw(
        picture,
        key=key,
        alt=t("figures.map_alt", title=title),
        on_select=partial(_picked_on_map, key, view.city or view.place) if clickable else None,
    )


def _areas(view: View, measure: Measure, rows: pd.DataFrame) -> Iterator[Area]:
    known = {row["place"]: row for row in rows.to_dict("records")}
    told = dict.fromkeys((measure, *_IN_TOOLTIP))
    for code in _codes(view):
        if (geometry := regions.boundary(code)) is None:
            continue
        region, row = regions.region(code), known.get(code, {})
        at = (region.lng, region.lat) if region.lng is not None and region.lat is not None else None
        said = [f"{measures.word(one)} {measures.written(one, row.get(one))}" for one in told]
        yield Area(code, formats.district(code), geometry, at, row.get(measure), said)


def _with_hexagons(view: View, measure: Measure, picture: Picture) -> Picture:
    """The needs of each neighbourhood; other measures are not known so closely."""
    told = measure if measure in (Measure.NEEDS, Measure.WANTED) else Measure.WANTED
    cells = views.frame(views.elsewhere(view, view.city or view.place), Frame.CELLS)
    if cells.empty:
        st.caption(t("figures.no_cells"))
        return picture
    sums = cells.groupby("cell")[str(told)].sum()
    scale = maps.scale(list(sums), measures.number(told), measures.unit(told))
    hexagons = [
        Hexagon(str(cell), value, [f"{measures.word(told)} {measures.written(told, value)}"])
        for cell, value in sums.items()
    ]
    return replace(picture, hexagons=hexagons, scale=scale)


def _flows(view: View) -> Iterator[Flow]:
    """From which district caregivers came to which, the busiest ways first."""
    whole = views.elsewhere(view, view.city or view.place)
    for home, district, count in views.made(whole, "ways", lambda: _ways(whole)):
        start, end = _middle(home), _middle(district)
        if start is None or end is None or start == end:
            continue
        way = t("figures.way", home=formats.district(home), district=formats.district(district))
        yield Flow(start, end, count, [way, measures.written(Measure.NEEDS, count)])


def _ways(whole: View) -> list[tuple[str, str, float]]:
    """From which district, to which, how often; the busiest first."""
    groups = views.frame(whole, Frame.GROUPS)
    homes = groups[(groups["dimension"] == Dimension.HOME) & groups["district"].notna()]
    ways = homes.groupby(["bucket", "district"])["needs"].sum().sort_values(ascending=False)
    return list(ways.reset_index().itertuples(index=False, name=None))[:_MOST_FLOWS]


def _middle(code: str) -> tuple[float, float] | None:
    known = regions.path(code)
    if not known or known[-1].lng is None or known[-1].lat is None:
        return None
    return known[-1].lng, known[-1].lat


def _table(view: View, rows: pd.DataFrame) -> None:
    """The same figures in numbers; a row that is clicked is the place looked at."""
    several = t("figures.several")
    named = [several if pd.isna(code) else views.place_name(code) for code in rows["place"]]
    widest = float(rows[Measure.GAP].max())
    key = views.picker_key("table", view)
    st.dataframe(
        rows.assign(name=named),
        hide_index=True,
        height="content",
        column_order=("name", *map(str, _IN_TABLE)),
        column_config={
            "name": st.column_config.TextColumn(t("figures.place"), pinned=True),
            **{
                str(one): measures.column(one, widest if one is Measure.GAP else None)
                for one in _IN_TABLE
            },
        },
        on_select=partial(_picked_in_table, key, view.city or view.place, tuple(rows["place"])),
        selection_mode="single-row",
        placeholder="–",
        key=key,
        alt=t("figures.table"),
    )


def _picked_on_map(key: str, around: str) -> None:
    choices.go(maps.picked(key) or around, by="map")


def _picked_in_table(key: str, around: str, codes: tuple[str | None, ...]) -> None:
    rows = st.session_state[key].selection.rows
    code = codes[rows[0]] if rows else None
    choices.go(code if isinstance(code, str) else around, by="table")


def behind(view: View) -> None:
    """What lies behind the place: when care is wanted, which hours lack hands, why it fails."""
    with layout.row():
        st.subheader(
            t("figures.behind", place=views.place_name(view.place)), anchor=False, width="content"
        )
        if view.district:
            st.button(
                t("figures.back"),
                icon=":material/arrow_back:",
                key="figures_back",
                on_click=choices.go,
                args=(view.city,),
            )
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, key="figures_hours"):
        charts.hours_of_week(view)
    with right, st.container(border=True, key="figures_dayparts"):
        charts.dayparts(view)
    with st.container(border=True, key="figures_obstacles"):
        charts.obstacles(view)
