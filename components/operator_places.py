"""A city's places as its operators keep them: on a map, in a table that says the same, in full."""

from collections.abc import Iterator, Sequence
from typing import Any

import pydeck as pdk
import streamlit as st
from pydeck.types import String

from components import formats, layout, places, session, tables
from components.i18n import name, t
from services import places as services
from services import regions
from services.places import Datum, PlaceForm, PlaceKind, PlaceView

_NEW = "new_place"
_MAP_PIXELS = 380
_TEXT_PIXELS = 13
_LAND = {
    "light": ([31, 111, 120, 28], [31, 111, 120, 150]),
    "dark": ([95, 184, 191, 34], [95, 184, 191, 150]),
}
_TEXT = {"light": [12, 22, 28], "dark": [230, 236, 235]}
_DOTS = {
    PlaceKind.HOSPITAL: [214, 69, 65],
    PlaceKind.CARE_HOME: [230, 145, 30],
    PlaceKind.ESTATE: [64, 120, 214],
}
_RETIRED_DOT = [140, 140, 140]


def city_choice() -> str:
    """The operator's only city, or the one chosen of several."""
    codes = sorted(session.actor().cities)
    if not codes:
        layout.empty("cities", icon=":material/location_city:")
        st.stop()
    if len(codes) == 1:
        return codes[0]
    return st.selectbox(
        t("field.city"), codes, format_func=places.city_path, key="places_city", width=320
    )


def place_map(city_code: str, known: Sequence[PlaceView]) -> None:
    """The city's districts and the places in them; the table below says the same."""
    shapes = [
        {"type": "Feature", "properties": {}, "geometry": shape}
        for district in regions.districts_of(city_code)
        if (shape := regions.boundary(district.code)) is not None
    ]
    corners = [corner for feature in shapes for corner in _corners(feature["geometry"])]
    points = [*corners, *((place.lng, place.lat) for place in known)]
    if not points:
        return
    view = places.fitted(points)
    theme = st.context.theme.type or "light"
    fill, line = _LAND[theme]
    dots = [
        {
            "at": [place.lng, place.lat],
            "name": name(place),
            "label": name(place).partition(",")[0],  # The map itself says which district.
            "colour": _RETIRED_DOT if place.retired else _DOTS[place.kind],
        }
        for place in known
    ]
    layers = [
        pdk.Layer(
            "GeoJsonLayer",
            {"type": "FeatureCollection", "features": shapes},
            get_fill_color=fill,
            get_line_color=line,
            line_width_min_pixels=1,
        ),
        pdk.Layer(
            "ScatterplotLayer",
            dots,
            get_position="at",
            get_fill_color="colour",
            get_radius=1,
            radius_min_pixels=6,
            radius_max_pixels=6,
            pickable=True,
        ),
        pdk.Layer(
            "TextLayer",
            _apart(dots, view.zoom or 0),
            get_position="at",
            get_text="label",
            get_color=_TEXT[theme],
            get_size=_TEXT_PIXELS,
            get_pixel_offset=[0, -15],
            font_family=String("sans-serif"),
            font_settings={"sdf": True, "fontSize": 64, "buffer": 8},
            character_set=String("auto"),
        ),
    ]
    deck = pdk.Deck(
        layers,
        initial_view_state=view,
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
        tooltip={"text": "{name}"},  # pyright: ignore[reportArgumentType] - it takes more than bool
    )
    st.pydeck_chart(deck, key="places_map", height=_MAP_PIXELS, alt=t("places_page.map"))
    colours = {PlaceKind.HOSPITAL: "red", PlaceKind.CARE_HOME: "orange", PlaceKind.ESTATE: "blue"}
    kinds = (f":{colours[kind]}[●] {t(f'place_kind.{kind}')}" for kind in PlaceKind)
    legend = " · ".join((*kinds, f":gray[●] {t('places_page.retired')}"))
    st.markdown(f":small[{legend}]")


def _apart(dots: Sequence[dict[str, Any]], zoom: float) -> list[dict[str, Any]]:
    """Those whose names do not cover each other when the map opens; a pointer shows the rest."""
    pixels = 512 * 2**zoom / 360  # To a degree of longitude; of latitude it is more.
    kept: list[dict[str, Any]] = []
    for dot in dots:
        lng, lat = dot["at"]
        if all(
            abs(lat - other["at"][1]) * pixels > _TEXT_PIXELS
            or abs(lng - other["at"][0]) * pixels > (_width(dot) + _width(other)) / 2
            for other in kept
        ):
            kept.append(dot)
    return kept


def _width(dot: dict[str, Any]) -> float:
    """The pixels a name takes; Latin letters are half as wide as Chinese ones."""
    return sum(_TEXT_PIXELS * (0.6 if sign.isascii() else 1) for sign in dot["label"])


def _corners(geometry: dict[str, Any]) -> Iterator[tuple[float, float]]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    for polygon in polygons:
        yield from polygon[0]


def place_table(known: Sequence[PlaceView]) -> PlaceView | None:
    """All places; the one that was clicked is returned."""
    if not known:
        layout.empty("places", icon=":material/pin_drop:")
        return None
    column = st.column_config
    return tables.chosen(
        known,
        {
            "name": [name(place) for place in known],
            "kind": [t(f"place_kind.{place.kind}") for place in known],
            "district": [formats.district(place.district_code) for place in known],
            "status": [_status(place) for place in known],
            "lng": [place.lng for place in known],
            "lat": [place.lat for place in known],
        },
        {
            "name": column.TextColumn(t("field.place"), width="medium"),
            "kind": column.TextColumn(t("field.kind")),
            "district": column.TextColumn(t("field.district")),
            "status": column.TextColumn(t("places_page.status")),
            "lng": column.NumberColumn(t("field.lng"), format="%.5f"),
            "lat": column.NumberColumn(t("field.lat"), format="%.5f"),
        },
        key="places",
        alt=t("places_page.table"),
        height="content" if len(known) <= 12 else 460,
    )


def _status(place: PlaceView) -> str:
    return t("places_page.retired") if place.retired else t("places_page.offered")


def place_in_full(place: PlaceView, known: Sequence[PlaceView]) -> None:
    """One place: offered or not, and all that may change about it."""
    key = f"place_{place.id}_"
    with st.container(border=True, key=f"place_{place.id}"):
        with layout.row():
            st.subheader(
                f"{places.PLACE_ICONS[place.kind]} {formats.plain(name(place))}",
                anchor=False,
                width="content",
            )
            st.badge(
                _status(place),
                icon=":material/block:" if place.retired else ":material/check_circle:",
                color="gray" if place.retired else "green",
            )
            _retire_or_restore(place)
        form = _fields(place.city_code, known, key, place)
        if st.button(t("places_page.save"), type="primary", key=f"{key}save"):
            session.perform("places_page.saved", services.save, form, place.id, forget=(key,))


def _retire_or_restore(place: PlaceView) -> None:
    if place.retired:
        if st.button(
            t("places_page.restore"), icon=":material/undo:", key=f"restore_place_{place.id}"
        ):
            session.perform("places_page.restored", services.restore, place.id)
        return
    if layout.confirmed(
        t("places_page.retire"),
        t("places_page.retire_warning"),
        f"retire_place_{place.id}",
        icon=":material/block:",
    ):
        session.perform("places_page.taken_back", services.retire, place.id)


def new_place(city_code: str, known: Sequence[PlaceView]) -> None:
    """Another place of the city."""
    with st.expander(
        t("places_page.new"), icon=":material/add_location_alt:", key=_NEW, on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        form = _fields(city_code, known, f"{_NEW}_", None)
        if st.button(t("places_page.add"), type="primary", key=f"{_NEW}_save"):
            session.perform("places_page.added", services.save, form, forget=(_NEW,))


def _fields(
    city_code: str, known: Sequence[PlaceView], key: str, place: PlaceView | None
) -> PlaceForm:
    """Names, kind, district and position; the position typed with its datum or tapped."""
    with st.grid(2, min_column_width=260):
        name_zh = st.text_input(
            t("field.name_zh"), place.name_zh if place else "", key=f"{key}name_zh", max_chars=60
        )
        name_en = st.text_input(
            t("field.name_en"), place.name_en if place else "", key=f"{key}name_en", max_chars=80
        )
        kinds = list(PlaceKind)
        kind = st.selectbox(
            t("field.kind"),
            kinds,
            index=kinds.index(place.kind) if place else 0,
            format_func=lambda one: f"{places.PLACE_ICONS[one]} {t(f'place_kind.{one}')}",
            key=f"{key}kind",
        )
        district_code = places.district_choice(
            city_code, f"{key}in", chosen=place.district_code if place else None
        )
    way = st.segmented_control(
        t("places_page.way"),
        ("typed", "tapped"),
        default="typed",
        required=True,
        format_func=lambda one: t(f"places_page.{one}"),
        key=f"{key}way",
    )
    cell, lng, lat, datum = None, None, None, Datum.WGS84
    if way == "tapped":
        offered = [one for one in known if not one.retired]
        cell = places.cell_map(district_code, f"{key}tap", offered)
    else:
        lng, lat, datum = _typed_point(key, place)
    return PlaceForm(
        city_code=city_code,
        district_code=district_code,
        kind=kind,
        name_zh=name_zh,
        name_en=name_en,
        lng=lng,
        lat=lat,
        datum=datum,
        cell=cell,
    )


def _typed_point(key: str, place: PlaceView | None) -> tuple[float | None, float | None, Datum]:
    with st.grid(3, min_column_width=200):
        lng = _degrees(t("field.lng"), place and place.lng, "120.894000", f"{key}lng")
        lat = _degrees(t("field.lat"), place and place.lat, "31.980000", f"{key}lat")
        datum = st.selectbox(
            t("field.datum"),
            list(Datum),
            format_func=lambda one: t(f"datum.{one}"),
            key=f"{key}datum",
            help=t("places_page.datum_help"),
        )
    return lng, lat, datum


def _degrees(label: str, now: float | None, example: str, key: str) -> float | None:
    return st.number_input(
        label, value=now, step=0.001, format="%.6f", placeholder=example, key=key
    )
