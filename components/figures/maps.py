"""Maps without internet: areas, hexagons, columns and flows, coloured in five steps, with a legend.

Scales differ by lightness alone, so that they are told apart however colours are seen.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, cos, floor, isnan, log2, log10, radians
from typing import Any

import pydeck as pdk
import streamlit as st
from pydeck.bindings import json_tools
from pydeck.types import String

from components.figures import rulers
from components.i18n import chinese, t

CLASSES = 5
HIGH = 380
_LETTER, _LINE = 13, 16
_ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_TEAL = {
    "light": ("#D5E8E6", "#A3CCCB", "#6BAEB2", "#348A92", "#0F5560"),
    "dark": ("#1F464B", "#2A666C", "#3D8B92", "#66B6BB", "#B4E8E6"),
}
_AMBER = {
    "light": ("#FBE3CC", "#F2BE8C", "#DF9152", "#BC632F", "#7A3813"),
    "dark": ("#4A2D1A", "#774423", "#AA6631", "#D99351", "#FBD3A6"),
}
_UNTOLD = {"light": "#D9D6CF", "dark": "#3A4145"}
_LINES = {"light": "#FBFAF7", "dark": "#12191C"}
_WORDS = {"light": "#0C161C", "dark": "#F2F6F5"}


@dataclass(frozen=True, slots=True)
class Area:
    """A region: its code, name, GeoJSON geometry, where its name stands, and its value.

    `said` are the lines of its tooltip; a value of None is drawn as not told.
    """

    code: str
    name: str
    geometry: dict[str, Any]
    at: tuple[float, float] | None
    value: float | None
    said: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Hexagon:
    """An H3 cell and its value."""

    cell: str
    value: float
    said: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """How much went from one point to another (longitude, latitude in degrees)."""

    start: tuple[float, float]
    end: tuple[float, float]
    value: float
    said: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Steps of a round width from `least` on, how a bound is written, and whether more is worse."""

    step: float
    write: Callable[[float], str]
    unit: str
    least: float = 0
    worse: bool = False

    def place(self, value: float | None) -> int | None:
        """Which of the steps a value lies in, from 0 on; None where it is not told."""
        if value is None or isnan(value):
            return None
        return min(max(ceil((value - self.least) / self.step) - 1, 0), CLASSES - 1)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a map shows; what is empty is not drawn. Tall ones stand on the areas as columns."""

    areas: Sequence[Area]
    scale: Scale
    hexagons: Sequence[Hexagon] = ()
    flows: Sequence[Flow] = ()
    columns: bool = False
    chosen: frozenset[str] = field(default_factory=frozenset)


class Deck(pdk.Deck):
    """A map that is written without blanks, which takes a fifth of the time."""

    def to_json(self) -> str:
        return json.dumps(
            self, sort_keys=True, default=json_tools.default_serialize, separators=(",", ":")
        )


def scale(
    values: Sequence[float | None],
    write: Callable[[float], str],
    unit: str,
    *,
    worse: bool = False,
    share: bool = False,
) -> Scale:
    """Five round steps that reach just over the largest value; a share's are of a fifth each."""
    if share:
        return Scale(1 / CLASSES, write, unit, worse=worse)
    most = max((value for value in values if value is not None and not isnan(value)), default=0)
    return Scale(_step(most), write, unit, worse=worse)


def draw(picture: Picture, *, key: str, alt: str, on_select: Callable[[], None] | None) -> None:
    """The map with its legend; a click on an area tells its session state."""
    if not picture.areas:
        st.caption(t("figures.no_map"))
        return
    theme = st.context.theme.type or "light"
    wide = rulers.pixels(key)
    longitude, latitude, zoom = _fitted([area.geometry for area in picture.areas], wide)
    deck = Deck(
        list(_layers(picture, theme, zoom)),
        initial_view_state=pdk.ViewState(
            longitude, latitude, zoom, pitch=40 if picture.columns else 0
        ),
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
        tooltip=TOOLTIP,  # pyright: ignore[reportArgumentType] - may be a dictionary
    )
    st.pydeck_chart(
        deck,
        on_select=on_select or "ignore",
        selection_mode="single-object",
        key=key,
        height=HIGH,
        alt=alt,
    )
    if not picture.flows:
        st.html(_legend(picture.scale, theme))


TOOLTIP = {
    "html": "{said}",
    "style": {"backgroundColor": "#17343A", "color": "#FFFFFF", "borderRadius": "8px"},
}


def picked(key: str) -> str | None:
    """The code of the area that was clicked last."""
    areas = st.session_state[key].selection.objects.get("areas", [])
    return areas[0]["properties"]["code"] if areas else None


def _layers(picture: Picture, theme: str, zoom: float) -> Iterator[pdk.Layer]:
    bare = bool(picture.hexagons or picture.flows or picture.columns)
    shades = (_AMBER if picture.scale.worse else _TEAL)[theme]
    yield _areas(picture, shades, theme, bare=bare)
    if picture.hexagons:
        yield _hexagons(picture, shades)
    if picture.columns:
        yield _columns(picture, shades)
    if picture.flows:
        yield _flows(picture.flows, theme)
    outlined = [area for area in picture.areas if area.code in picture.chosen]
    yield _outline(outlined, theme)
    yield _names(picture.areas, zoom, theme)


def _areas(picture: Picture, shades: Sequence[str], theme: str, *, bare: bool) -> pdk.Layer:
    features = [
        {
            "type": "Feature",
            "geometry": area.geometry,
            "properties": {
                "code": area.code,
                "colour": _rgb(
                    _UNTOLD[theme]
                    if bare
                    else _shade(picture.scale.place(area.value), shades, theme)
                ),
                "said": _told(area.name, area.said),
            },
        }
        for area in picture.areas
    ]
    return pdk.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": features},
        id="areas",
        get_fill_color="properties.colour",
        opacity=0.45 if bare else 1,
        get_line_color=_rgb(_LINES[theme]),
        line_width_min_pixels=1.5,
        pickable=True,
        auto_highlight=True,
        highlight_color=[*_rgb(_WORDS[theme]), 60],
    )


def _hexagons(picture: Picture, shades: Sequence[str]) -> pdk.Layer:
    return pdk.Layer(
        "H3HexagonLayer",
        [
            {
                "cell": one.cell,
                "colour": [*_rgb(shades[picture.scale.place(one.value) or 0]), 215],
                "said": _told("", one.said),
            }
            for one in picture.hexagons
        ],
        id="hexagons",
        get_hexagon="cell",
        get_fill_color="colour",
        extruded=False,
        stroked=False,
        pickable=True,
    )


def _columns(picture: Picture, shades: Sequence[str]) -> pdk.Layer:
    """Columns of the areas' values, the tallest a fifth as high as all of them are wide."""
    standing = [area for area in picture.areas if area.value and area.at]
    highest = max((area.value or 0 for area in standing), default=1)
    longitudes = [point[0] for area in picture.areas for point in points(area.geometry)]
    wide = (max(longitudes) - min(longitudes)) * 111_000
    return pdk.Layer(
        "ColumnLayer",
        [
            {
                "at": area.at,
                "high": (area.value or 0) / highest * wide / 5,
                "colour": _rgb(shades[picture.scale.place(area.value) or 0]),
                "said": _told(area.name, area.said),
            }
            for area in standing
        ],
        id="columns",
        get_position="at",
        get_elevation="high",
        get_fill_color="colour",
        radius=wide / 60,
        pickable=True,
    )


def _flows(flows: Sequence[Flow], theme: str) -> pdk.Layer:
    """Arcs from teal, where somebody set out, to amber, where she was needed; by their weight."""
    most = max(flow.value for flow in flows)
    return pdk.Layer(
        "ArcLayer",
        [
            {
                "start": flow.start,
                "end": flow.end,
                "wide": 1.5 + 8 * flow.value / most,
                "said": _told("", flow.said),
            }
            for flow in flows
        ],
        id="flows",
        get_source_position="start",
        get_target_position="end",
        get_width="wide",
        get_source_color=_rgb(_TEAL[theme][3]),
        get_target_color=_rgb(_AMBER[theme][3]),
        pickable=True,
    )


def _outline(areas: Sequence[Area], theme: str) -> pdk.Layer:
    """A line around the chosen area."""
    features = [{"type": "Feature", "geometry": area.geometry, "properties": {}} for area in areas]
    return pdk.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": features},
        id="chosen",
        filled=False,
        get_line_color=_rgb(_WORDS[theme]),
        line_width_min_pixels=3,
    )


def _names(areas: Sequence[Area], zoom: float, theme: str) -> pdk.Layer:
    """The areas' names, as far as none lies on another."""
    return pdk.Layer(
        "TextLayer",
        list(_apart(areas, zoom)),
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


def _apart(areas: Sequence[Area], zoom: float) -> Iterator[dict[str, Any]]:
    """Names where they are drawn, without those that would touch one before."""
    taken: list[tuple[float, float, float]] = []
    pixels = 512 * 2**zoom / 360  # a degree's
    for area in areas:
        if area.at is None:
            continue
        x, y = area.at[0] * pixels, area.at[1] * pixels / cos(radians(area.at[1]))
        half = len(area.name) * _LETTER * (0.5 if chinese() else 0.3)
        if all(abs(x - a) > half + b or abs(y - c) > _LINE for a, b, c in taken):
            taken.append((x, half, y))
            yield {"name": area.name, "at": list(area.at)}


def _told(name: str, said: Sequence[str]) -> str:
    """A tooltip; names are ours, so nothing in them is people's."""
    return "<br>".join((f"<b>{name}</b>", *said) if name else said)


def _legend(steps: Scale, theme: str) -> str:
    """Each step's colour and bounds, and the colour of what is not told."""
    shades = (_AMBER if steps.worse else _TEAL)[theme]
    bounds = [steps.write(steps.least + number * steps.step) for number in range(CLASSES + 1)]
    ranges = [f"{bounds[number]}–{bounds[number + 1]}" for number in range(CLASSES)]
    entries = [*zip(shades, ranges, strict=True), (_UNTOLD[theme], t("figures.untold"))]
    squares = (
        '<span style="white-space:nowrap"><span style="display:inline-block;width:.9em;height:.9em;'
        f'border-radius:3px;vertical-align:-.1em;background:{colour}"></span> {words}</span>'
        for colour, words in entries
    )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:.2rem .9rem;font-size:.85rem">'
        f"<span>{steps.unit}</span>{''.join(squares)}</div>"
    )


def _step(most: float) -> float:
    """The width of a step, a round number, so that five of them reach just over the largest."""
    least = max(most / CLASSES, 1)
    power = 10 ** floor(log10(least))
    return next(ceil(size * power) for size in _ROUND if size * power >= least)


def _shade(place: int | None, shades: Sequence[str], theme: str) -> str:
    return _UNTOLD[theme] if place is None else shades[place]


def _rgb(colour: str) -> list[int]:
    return list(bytes.fromhex(colour.removeprefix("#")))


def _fitted(geometries: Sequence[dict[str, Any]], pixels: int) -> tuple[float, float, float]:
    """The middle (degrees) and the zoom at which all shapes fit into so many pixels.

    At zoom 0 deck.gl's world is 512 pixels wide.
    """
    found = [point for geometry in geometries for point in points(geometry)]
    lngs, lats = [lng for lng, _ in found], [lat for _, lat in found]
    latitude = (min(lats) + max(lats)) / 2
    wide = max(lngs) - min(lngs)
    high = (max(lats) - min(lats)) / cos(radians(latitude))
    degrees = max(wide / pixels, high / HIGH) * 1.08
    return (min(lngs) + max(lngs)) / 2, latitude, log2(360 / 512 / degrees)


def points(geometry: dict[str, Any]) -> Iterator[Sequence[float]]:
    """Every point of a Polygon or MultiPolygon."""
    return _points(geometry["coordinates"])


def _points(coordinates: Any) -> Iterator[Sequence[float]]:  # noqa: ANN401 - however deep
    if isinstance(coordinates[0], int | float):
        yield coordinates
    else:
        for inner in coordinates:
            yield from _points(inner)
