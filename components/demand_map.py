"""A city's districts coloured by what was wanted, planned or missing in them, without internet."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from math import ceil, cos, floor, log2, log10, radians
from typing import Any

import pydeck as pdk
import streamlit as st
from pydeck.types import String

from components import formats
from components.i18n import chinese, t
from services import regions

CLASSES = 5
_HIGH, _WIDE = 320, 330  # Pixels: a phone's width, so that all of the city fits there too.
_LETTER, _LINE = 13, 16
_ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
# One hue from near the background to far from it: told apart by lightness alone.
_TEAL = {
    "light": ("#D5E8E6", "#A3CCCB", "#6BAEB2", "#348A92", "#0F5560"),
    "dark": ("#1F464B", "#2A666C", "#3D8B92", "#66B6BB", "#B4E8E6"),
}
_AMBER = {
    "light": ("#FBE3CC", "#F2BE8C", "#DF9152", "#BC632F", "#7A3813"),
    "dark": ("#4A2D1A", "#774423", "#AA6631", "#D99351", "#FBD3A6"),
}
_WITHHELD = {"light": "#D9D6CF", "dark": "#3A4145"}
_LINES = {"light": "#FBFAF7", "dark": "#12191C"}
_WORDS = {"light": "#0C161C", "dark": "#F2F6F5"}


class Measure(StrEnum):
    """What the map shows, in hours."""

    DEMAND = "demand"
    SUPPLY = "supply"
    GAP = "gap"


_COLUMNS = {
    Measure.DEMAND: "wanted_hours",
    Measure.SUPPLY: "supply_hours",
    Measure.GAP: "gap_hours",
}


def draw(
    city_code: str,
    rows: Sequence[dict[str, Any]],
    measure: Measure,
    *,
    chosen: str | None,
    key: str,
    on_select: Callable[[], None],
) -> None:
    """The map of the districts' rows and its legend; a click tells its session state."""
    theme = st.context.theme.type or "light"
    scale = (_AMBER if measure is Measure.GAP else _TEAL)[theme]
    by_code = {row["district"]: row for row in rows}
    hours = {code: row[_COLUMNS[measure]] for code, row in by_code.items()}
    step = _step(max((value for value in hours.values() if value), default=0))
    shapes = [
        {
            "type": "Feature",
            "geometry": geometry,
            "properties": {
                "code": district.code,
                "colour": _rgb(_colour(hours.get(district.code), step, scale, theme)),
                **_said(district.code, by_code.get(district.code, {})),
            },
        }
        for district in regions.districts_of(city_code)
        if (geometry := regions.boundary(district.code)) is not None
    ]
    if not shapes:
        st.caption(t("overview.no_map"))
        return
    longitude, latitude, zoom = _fitted(shapes)
    chosen_ones = [shape for shape in shapes if shape["properties"]["code"] == chosen]
    deck = pdk.Deck(
        [_areas(shapes, theme), _outline(chosen_ones, theme), _names(shapes, zoom, theme)],
        initial_view_state=pdk.ViewState(longitude, latitude, zoom),
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
        tooltip=_tooltip(),  # pyright: ignore[reportArgumentType] - may be a dictionary
    )
    st.pydeck_chart(
        deck,
        on_select=on_select,
        selection_mode="single-object",
        key=key,
        height=_HIGH,
        alt=t("overview.map_alt"),
    )
    st.html(_legend(step, scale, theme))


def _areas(shapes: list[dict[str, Any]], theme: str) -> pdk.Layer:
    return pdk.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": shapes},
        id="districts",
        get_fill_color="properties.colour",
        get_line_color=_rgb(_LINES[theme]),
        line_width_min_pixels=1.5,
        pickable=True,
        auto_highlight=True,
        highlight_color=[*_rgb(_WORDS[theme]), 60],
    )


def _outline(shapes: list[dict[str, Any]], theme: str) -> pdk.Layer:
    """A line around the chosen district."""
    return pdk.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": shapes},
        id="chosen",
        filled=False,
        get_line_color=_rgb(_WORDS[theme]),
        line_width_min_pixels=3,
    )


def _names(shapes: list[dict[str, Any]], zoom: float, theme: str) -> pdk.Layer:
    """The districts' names, as far as none lies on another."""
    return pdk.Layer(
        "TextLayer",
        list(_apart(shapes, zoom)),
        get_position="at",
        get_text="name",
        get_color=_rgb(_WORDS[theme]),
        get_size=_LETTER,
        background=True,
        get_background_color=[*_rgb(_LINES[theme]), 190],
        background_padding=[4, 2],
        background_border_radius=4,
        font_family=String("sans-serif"),
        font_weight=600,
        font_settings={"sdf": True, "fontSize": 64, "buffer": 8},
        character_set=String("auto"),
    )


def _apart(shapes: list[dict[str, Any]], zoom: float) -> Iterator[dict[str, Any]]:
    """Names where they are drawn, without those that would touch one before."""
    taken: list[tuple[float, float, float]] = []
    pixels = 512 * 2**zoom / 360  # a degree's
    for shape in shapes:
        region = regions.region(shape["properties"]["code"])
        name = shape["properties"]["name"]
        if region.lng is None or region.lat is None:
            continue
        x, y = region.lng * pixels, region.lat * pixels / cos(radians(region.lat))
        half = len(name) * _LETTER * (0.5 if chinese() else 0.3)
        if all(abs(x - a) > half + b or abs(y - c) > _LINE for a, b, c in taken):
            taken.append((x, half, y))
            yield {"name": name, "at": [region.lng, region.lat]}


def _said(code: str, row: dict[str, Any]) -> dict[str, str]:
    """What the tooltip says of a district."""
    figures = {column: row.get(column) for column in _COLUMNS.values()}
    return {"name": formats.district(code)} | {
        column: t("overview.too_few") if hours is None else t("overview.hours", hours=hours)
        for column, hours in figures.items()
    }


def _tooltip() -> dict[str, Any]:
    lines = (f"{t(f'overview.{one}')} {{{column}}}" for one, column in _COLUMNS.items())
    return {
        "html": "<br>".join(("<b>{name}</b>", *lines)),
        "style": {"backgroundColor": "#17343A", "color": "#FFFFFF", "borderRadius": "8px"},
    }


def _legend(step: int, scale: Sequence[str], theme: str) -> str:
    """Each class's colour and range, and the colour of what is not told."""
    ranges = [f"{number * step:,}–{(number + 1) * step:,}" for number in range(CLASSES)]
    entries = [*zip(scale, ranges, strict=True), (_WITHHELD[theme], t("overview.too_few"))]
    squares = (
        '<span style="white-space:nowrap"><span style="display:inline-block;width:.9em;height:.9em;'
        f'border-radius:3px;vertical-align:-.1em;background:{colour}"></span> {words}</span>'
        for colour, words in entries
    )
    unit = t("overview.hours_unit")
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.85rem">'
        f"<span>{unit}</span>{''.join(squares)}</div>"
    )


def _step(most: float) -> int:
    """The width of a class, a round number, so that together they reach just over the largest."""
    least = max(most / CLASSES, 1)
    power = 10 ** floor(log10(least))
    return next(ceil(size * power) for size in _ROUND if size * power >= least)


def _colour(hours: int | None, step: int, scale: Sequence[str], theme: str) -> str:
    if hours is None:
        return _WITHHELD[theme]
    return scale[max(ceil(hours / step) - 1, 0)]


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour.removeprefix("#")))


def _fitted(shapes: list[dict[str, Any]]) -> tuple[float, float, float]:
    """The middle (degrees) and the zoom at which all shapes fit.

    At zoom 0 deck.gl's world is 512 pixels wide.
    """
    points = [point for shape in shapes for point in _points(shape["geometry"]["coordinates"])]
    lngs, lats = [lng for lng, _ in points], [lat for _, lat in points]
    latitude = (min(lats) + max(lats)) / 2
    wide = max(lngs) - min(lngs)
    high = (max(lats) - min(lats)) / cos(radians(latitude))
    degrees = max(wide / _WIDE, high / _HIGH) * 1.06
    return (min(lngs) + max(lngs)) / 2, latitude, log2(360 / 512 / degrees)


def _points(coordinates: Any) -> Iterator[Sequence[float]]:  # noqa: ANN401 - however deep
    """Every point of a Polygon's or MultiPolygon's coordinates."""
    if isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for inner in coordinates:
            yield from _points(inner)
