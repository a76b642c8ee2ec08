"""Where care is wanted: region, known place, or a neighbourhood tapped on the map."""

from dataclasses import dataclass
from typing import Any

import pydeck as pdk
import streamlit as st

from components import formats, session
from components.i18n import name, t
from services import cities, places, regions
from services.cities import CityView
from services.places import DistanceBand, PlaceKind, PlaceView

PLACE_ICONS = {
    PlaceKind.HOSPITAL: "🏥",
    PlaceKind.CARE_HOME: "🏡",
    PlaceKind.ESTATE: "🏘️",
}
_CELL_COLOURS = {"light": [31, 111, 120], "dark": [95, 184, 191]}


@dataclass(frozen=True, slots=True)
class Location:
    """What the family told of the place."""

    city_code: str
    district_code: str
    address: str
    place_id: int | None
    cell: str | None


def city_choice(key: str, *, chosen: str | None = None) -> CityView | None:
    """Choose an opened city: the one chosen before first, else the remembered one."""
    opened = {city.code: city for city in session.public(cities.opened)}
    if not opened:
        st.info(t("place.no_city"))
        return None
    visitor = session.visitor()
    first = chosen or (visitor.city_code if visitor else None)
    code = st.selectbox(
        t("field.city"),
        list(opened),
        index=list(opened).index(first) if first in opened else 0,
        format_func=city_path,
        key=f"{key}_city",
    )
    return opened[code]


def city_path(code: str) -> str:
    """江苏省 南通市."""
    return " ".join(name(region) for region in regions.path(code))


def district_choice(city_code: str, key: str, *, chosen: str | None = None) -> str:
    """Choose a district of a city."""
    codes = [district.code for district in regions.districts_of(city_code)]
    return st.selectbox(
        t("field.district"),
        codes,
        index=codes.index(chosen) if chosen in codes else 0,
        format_func=formats.district,
        key=f"{key}_district_{city_code}",
    )


def location_fields(key: str) -> Location | None:
    """A known place, or a district with an address and, if wanted, a neighbourhood."""
    city = city_choice(key)
    if city is None:
        return None
    known = {place.id: place for place in session.public(places.listing, city.code)}
    place_id = st.selectbox(
        t("field.place"),
        [None, *known],
        format_func=lambda one: place_name(known[one]) if one else t("place.other"),
        key=f"{key}_place_{city.code}",
        help=t("place.help"),
    )
    cell = None
    if place_id:
        district_code = known[place_id].district_code
    else:
        visitor = session.visitor()
        remembered = visitor.district_code if visitor else None
        district_code = district_choice(city.code, key, chosen=remembered)
        with st.expander(
            t("place.tap"), icon=":material/map:", key=f"{key}_map", on_change="rerun"
        ) as opened:
            if opened.open:
                cell = cell_map(district_code, key)
    address = st.text_input(
        t("field.address"),
        key=f"{key}_address",
        max_chars=200,
        placeholder=t("place.address_hint"),
        help=t("place.address_help"),
    )
    return Location(city.code, district_code, address, place_id, cell)


def cell_map(district_code: str, key: str) -> str | None:
    """The district's neighbourhoods as hexagons; the tapped one is returned."""
    cells = sorted(places.cells_of_district(district_code))
    middle = regions.region(district_code)
    colour = _CELL_COLOURS[st.context.theme.type or "light"]
    layer = pdk.Layer(
        "H3HexagonLayer",
        [{"cell": cell} for cell in cells],
        id="cells",
        get_hexagon="cell",
        get_fill_color=[*colour, 90],
        get_line_color=[*colour, 200],
        line_width_min_pixels=1,
        pickable=True,
        extruded=False,
    )
    deck = pdk.Deck(
        [layer],
        initial_view_state=pdk.ViewState(
            longitude=middle.lng, latitude=middle.lat, zoom=9.4 if len(cells) < 200 else 8.4
        ),
        map_provider=None,  # pyright: ignore[reportArgumentType] - asks nobody for a base map
    )
    picked: Any = st.pydeck_chart(
        deck,
        on_select="rerun",
        selection_mode="single-object",
        key=f"{key}_cells_{district_code}",
        height=340,
        alt=t("place.tap"),
    )
    objects = picked.selection.objects.get("cells", [])
    cell = objects[0]["cell"] if objects else None
    st.caption(t("place.tapped") if cell else t("place.tap_hint"))
    return cell


def place_name(place: PlaceView) -> str:
    return f"{PLACE_ICONS[place.kind]} {name(place)}"


def open_names(city_code: str) -> dict[int, str]:
    """The names of the places that may be told to everybody, by id."""
    return {
        place.id: name(place)
        for place in session.public(places.listing, city_code)
        if place.kind in places.OPEN_KINDS
    }


def band_name(band: DistanceBand) -> str:
    return t(f"distance.{band}")
