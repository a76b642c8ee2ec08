"""The map of a proposal: where care is wanted, from where somebody sets out, and who is left over.

Places are the middles of neighbourhoods; what lies in the same one is drawn side by side.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import cos, pi, radians, sin, sqrt
from typing import Any

import pydeck as pdk
import streamlit as st
from pydeck.types import String

from components import catalogue, formats, places
from components.figures import maps
from components.i18n import t
from services import places as neighbourhoods
from services import regions
from services.board.proposals import LineState, LineView
from services.catalogue import ItemView

_COLOURS = {
    "light": {
        "ground": [228, 225, 218], "edge": [251, 250, 247], "word": [12, 22, 28],
        "proposed": [27, 99, 107], "kept": [107, 174, 178], "accepted": [44, 122, 63],
        "nobody": [188, 99, 47],
    },
    "dark": {
        "ground": [42, 50, 54], "edge": [18, 25, 28], "word": [242, 246, 245],
        "proposed": [102, 182, 187], "kept": [61, 139, 146], "accepted": [127, 206, 147],
        "nobody": [240, 178, 122],
    },
}  # fmt: skip
_SHADE = {
    LineState.PROPOSED: "proposed",
    LineState.REFUSED: "nobody",
    LineState.NOBODY: "nobody",
    LineState.SAID_NO: "nobody",
    LineState.LAPSED: "nobody",
    LineState.ASKED: "accepted",
    LineState.STANDS: "accepted",
    LineState.KEPT: "kept",
}
_GOLDEN = pi * (3 - sqrt(5))
_STEP_DEGREES = 0.0016
_PIXELS = 5


def draw(
    city_code: str,
    lines: Sequence[LineView],
    items: dict[int, ItemView],
    picked: int | None,
    key: str,
    pick: Callable[[int], None],
) -> None:
    """The visits of some lines and the ways to them; a click on one picks it."""
    theme = st.context.theme.type or "light"
    colours = _COLOURS[theme]
    shown = [one for one in lines if one.state is not LineState.MOOT]
    visits = list(_visits(shown, items, colours, picked))
    shapes = [
        shape
        for one in regions.districts_of(city_code)
        if (shape := regions.boundary(one.code)) is not None
    ]
    spots = [spot for one in visits for spot in (one["at"], one["home"]) if spot]
    around = spots or [point for shape in shapes for point in maps.points(shape)]
    deck = maps.Deck(
        [
            _districts(shapes, colours),
            pdk.Layer(
                "LineLayer",
                [one for one in visits if one["home"]],
                id="ways",
                get_source_position="home",
                get_target_position="at",
                get_color="faint",
                get_width=1.5,
                width_min_pixels=1.5,
            ),
            pdk.Layer(
                "ScatterplotLayer",
                visits,
                id="visits",
                get_position="at",
                get_fill_color="colour",
                get_line_color=colours["word"],
                get_line_width="edge",
                line_width_units=String("pixels"),
                stroked=True,
                get_radius=1,
                radius_min_pixels=_PIXELS,
                radius_max_pixels=_PIXELS,
                pickable=True,
            ),
        ],
        initial_view_state=places.fitted([(lng, lat) for lng, lat, *_ in around]),
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
        tooltip=maps.TOOLTIP,  # pyright: ignore[reportArgumentType] - may be a dictionary
    )

    def pressed() -> None:
        if chosen := st.session_state[key].selection.objects.get("visits", []):
            pick(chosen[0]["number"])

    st.pydeck_chart(
        deck,
        on_select=pressed,
        selection_mode="single-object",
        key=key,
        height=maps.HIGH,
        alt=t("board.map"),
    )


def _districts(shapes: Sequence[dict[str, Any]], colours: dict[str, list[int]]) -> pdk.Layer:
    features = [{"type": "Feature", "geometry": shape, "properties": {}} for shape in shapes]
    return pdk.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": features},
        id="districts",
        get_fill_color=colours["ground"],
        get_line_color=colours["edge"],
        line_width_min_pixels=1.5,
    )


def _visits(
    lines: Sequence[LineView],
    items: dict[int, ItemView],
    colours: dict[str, list[int]],
    picked: int | None,
) -> Iterator[dict[str, Any]]:
    """A spot for each line; its tooltip holds words of ours alone."""
    there = Counter[str]()
    for one in lines:
        colour = colours[_SHADE[one.state]]
        there[one.cell] += 1
        yield {
            "number": one.number,
            "at": _beside(one.cell, there[one.cell] - 1),
            "home": list(neighbourhoods.middle(one.home_cell)) if one.home_cell else None,
            "colour": colour,
            "faint": [*colour, 130],
            "edge": 3 if one.number == picked else 0,
            "said": "<br>".join(
                (
                    f"<b>{catalogue.item_name(items, one.item_id)}</b>",
                    formats.span(one.starts_at, one.ends_at),
                    t(f"board.state_{one.state}"),
                )
            ),
        }


def _beside(cell: str, number: int) -> list[float]:
    """The middle of a neighbourhood, or a place near it: the further ones in a spiral."""
    lng, lat = neighbourhoods.middle(cell)
    away = _STEP_DEGREES * sqrt(number)
    east, north = away * cos(_GOLDEN * number), away * sin(_GOLDEN * number)
    return [lng + east / cos(radians(lat)), lat + north]
