"""Where care is wanted: region, known place, or a neighbourhood tapped on the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, log2, radians
from typing import Any

import pydeck as pdk
import streamlit as st
from pydeck.types import String

from components import formats, session
from components.i18n import name, t
from components.location import Found, locate
from services import cities, places, regions
from services.access import Permission
from services.cities import CityView
from services.places import DistanceBand, PlaceKind, PlaceView

PLACE_ICONS = {
    PlaceKind.HOSPITAL: "🏥",
    PlaceKind.CARE_HOME: "🏡",
    PlaceKind.ESTATE: "🏘️",
}
_MAP_PIXELS = 340
_TEXT_COLOURS = {"light": [12, 22, 28], "dark": [230, 236, 235]}
_CELL_COLOURS = {"light": [31, 111, 120], "dark": [95, 184, 191]}


@dataclass(frozen=True, slots=True)
class Location:
    """What the family told of the place; it lies in the cell `near` or not far from it."""

    city_code: str
    district_code: str
    address: str
    place_id: int | None
    cell: str | None
    near: str


def city_choice(key: str, *, chosen: str | None = None) -> CityView | None:
    """Choose an opened city, staff one of theirs: the one chosen before, else the remembered."""
    visitor = session.visitor()
    opened = {city.code: city for city in session.public(cities.opened)}
    if visitor and (theirs := visitor.actor.cities):
        opened = {code: city for code, city in opened.items() if code in theirs}
    if not opened:
        st.info(t("place.no_city"))
        return None
    first = chosen or (visitor.city_code if visitor else None)
    code = st.selectbox(
        t("field.city"),
        list(opened),
        index=list(opened).index(first) if first in opened and _unset(f"{key}_city") else 0,
        format_func=city_path,
        key=f"{key}_city",
    )
    return opened[code]


def _unset(field: str) -> bool:
    """Whether a field has no value yet: it takes either a default or a value set for it."""
    return field not in st.session_state


def kept_key(key: str) -> str:
    """Where a form finds the neighbourhood chosen when it was filled in before."""
    return f"{key}_kept_cell"


def city_path(code: str) -> str:
    """江苏省 南通市."""
    return " ".join(name(region) for region in regions.path(code))


def district_codes(city_code: str) -> list[str]:
    """The districts of a city, by code."""
    return [district.code for district in regions.districts_of(city_code)]


def district_choice(city_code: str, key: str, *, chosen: str | None = None) -> str:
    """Choose a district of a city."""
    codes = district_codes(city_code)
    field = f"{key}_district_{city_code}"
    return st.selectbox(
        t("field.district"),
        codes,
        index=codes.index(chosen) if chosen in codes and _unset(field) else 0,
        format_func=formats.district,
        key=field,
    )


def location_fields(
    key: str,
    *,
    city_code: str | None = None,
    district_code: str | None = None,
    place_id: str | None = None,
) -> Location | None:
    """A known place, or a district with an address and, if wanted, a neighbourhood.

    A caregiver's city is given; whoever searched before brings the district or the place along.
    """
    if city_code is None:
        city = city_choice(key)
        if city is None:
            return None
        city_code = city.code
    known = {place.id: place for place in session.public(places.listing, city_code)}
    # A place retired while the form was filled in would fall back to none: that is told instead.
    gone = st.session_state.get(f"{key}_place_{city_code}") not in (None, *known)
    brought = [one for one in known if str(one) == place_id]
    chosen = st.selectbox(
        t("field.place"),
        [None, *known],
        index=[None, *known].index(brought[0]) if brought else 0,
        format_func=lambda one: place_name(known[one]) if one else t("place.other"),
        key=f"{key}_place_{city_code}",
        help=t("place.help"),
    )
    if gone:
        st.warning(t("place.gone"), icon=":material/wrong_location:")
    cell = None
    if chosen:
        district = known[chosen].district_code
    else:
        district, cell = _neighbourhood(city_code, key, list(known.values()), district_code)
    address = st.text_input(
        t("field.address"),
        key=f"{key}_address",
        max_chars=200,
        placeholder=t("place.address_hint"),
        help=t("place.address_help"),
    )
    if gone:
        return None
    near = cell or places.cell_of_district(district)
    if chosen:
        near = places.cell_at(known[chosen].lng, known[chosen].lat)
    return Location(city_code, district, address, chosen, cell, near)


def _neighbourhood(
    city_code: str, key: str, known: Sequence[PlaceView], brought: str | None
) -> tuple[str, str | None]:
    """A district, and within it the browser's cell, the tapped one or none."""
    visitor = session.visitor()
    remembered = brought or (visitor.district_code if visitor else None)
    located = f"{key}_located"
    may_locate = session.actor().may(Permission.ORDER_CARE)  # The desk is not where the care is.
    if may_locate and (found := locate(city_code, key)) is not None:
        st.session_state[f"{key}_district_{city_code}"] = found.district_code
        st.session_state[located] = found
    district_code = district_choice(city_code, key, chosen=remembered)
    here: Found | None = st.session_state.get(located)
    if here is not None and here.district_code == district_code:
        st.caption(f":material/my_location: {t('place.located')}")
        return district_code, here.cell
    with st.expander(
        t("place.tap"), icon=":material/map:", key=f"{key}_map", on_change="rerun"
    ) as opened:
        tapped = cell_map(district_code, key, known) if opened.open else None
    kept: Found | None = st.session_state.get(kept_key(key))
    if tapped or kept is None or kept.district_code != district_code:
        return district_code, tapped
    st.caption(f":material/pin_drop: {t('place.kept')}")
    return district_code, kept.cell


def cell_map(district_code: str, key: str, known: Sequence[PlaceView]) -> str | None:
    """The district's neighbourhoods as hexagons, known places for orientation; the tapped one."""
    cells = sorted(places.cells_of_district(district_code))
    theme = st.context.theme.type or "light"
    colour, text_colour = _CELL_COLOURS[theme], _TEXT_COLOURS[theme]
    landmarks = [
        {"at": [place.lng, place.lat], "name": name(place)}
        for place in known
        if place.district_code == district_code
    ]
    layers = [
        pdk.Layer(
            "H3HexagonLayer",
            [{"cell": cell} for cell in cells],
            id="cells",
            get_hexagon="cell",
            get_fill_color=[*colour, 90],
            get_line_color=[*colour, 200],
            line_width_min_pixels=1,
            pickable=True,
            extruded=False,
        ),
        pdk.Layer(
            "ScatterplotLayer",
            landmarks,
            get_position="at",
            get_fill_color=text_colour,
            get_radius=1,
            radius_min_pixels=5,
            radius_max_pixels=5,
        ),
        pdk.Layer(
            "TextLayer",
            landmarks,
            get_position="at",
            get_text="name",
            get_color=text_colour,
            get_size=15,
            get_pixel_offset=[0, -16],
            font_family=String("sans-serif"),
            font_settings={"sdf": True, "fontSize": 64, "buffer": 8},
            character_set=String("auto"),
        ),
    ]
    deck = pdk.Deck(
        layers,
        initial_view_state=fitted([places.middle(cell) for cell in cells]),
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
    )
    picked: Any = st.pydeck_chart(
        deck,
        on_select="rerun",
        selection_mode="single-object",
        key=f"{key}_cells_{district_code}",
        height=_MAP_PIXELS,
        alt=t("place.tap"),
    )
    objects = picked.selection.objects.get("cells", [])
    cell = objects[0]["cell"] if objects else None
    st.caption(t("place.tapped") if cell else t("place.tap_hint"))
    return cell


def fitted(points: Sequence[tuple[float, float]]) -> pdk.ViewState:
    """A view in which all points fit on a phone: deck.gl's world is 512 pixels wide at zoom 0."""
    lngs, lats = [lng for lng, _ in points], [lat for _, lat in points]
    middle_lat = (min(lats) + max(lats)) / 2
    wide = max(lngs) - min(lngs) + 0.05
    high = (max(lats) - min(lats) + 0.05) / cos(radians(middle_lat))
    return pdk.ViewState(
        longitude=(min(lngs) + max(lngs)) / 2,
        latitude=middle_lat,
        zoom=log2(_MAP_PIXELS * 360 / 512 / max(wide, high)),
    )


def place_name(place: PlaceView) -> str:
    return f"{PLACE_ICONS[place.kind]} {name(place)}"


def open_names(city_code: str) -> dict[int, str]:
    """The names of the places that may be told to everybody, by id; old demands keep theirs."""
    return {
        place.id: name(place)
        for place in session.public(places.listing, city_code, retired=True)
        if place.kind in places.OPEN_KINDS
    }


def band_name(band: DistanceBand) -> str:
    return t(f"distance.{band}")
