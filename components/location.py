"""Where the visitor is: asked of the browser on a click; only its neighbourhood is ever kept."""

from dataclasses import dataclass

import streamlit as st
from streamlit.components.v2 import component

from components import formats
from components.i18n import t
from services import places, regions

_LOCATOR = component(
    "locator",
    html="""<button type="button" hidden></button>""",
    css="""
button {
  font: inherit; font-size: 0.875rem; color: var(--st-text-color); background: transparent;
  cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
  padding: 0.4rem 0.75rem;
}
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
""",
    js="""
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  button.hidden = false
  button.onclick = () => {
    if (!navigator.geolocation) return setTriggerValue("found", { refused: true })
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => setTriggerValue("found", { lng: coords.longitude, lat: coords.latitude }),
      () => setTriggerValue("found", { refused: true }),
      { timeout: 10000, maximumAge: 60000 },
    )
  }
}
""",
)


@dataclass(frozen=True, slots=True)
class Found:
    """The district and neighbourhood cell of a point that is already forgotten."""

    district_code: str
    cell: str


def neighbourhood(label: str, key: str) -> str | None:
    """A button that asks the browser once; the cell it is in, in the one run after the click."""
    found = _asked(label, key)
    return places.cell_at(found["lng"], found["lat"]) if found else None


def locate(city_code: str, key: str) -> Found | None:
    """A button that asks the browser; what it found, in the one run after the click."""
    found = _asked(t("place.locate"), key)
    if found is None:
        return None
    district = regions.district_at(found["lng"], found["lat"], city_code)
    if district is None:
        st.warning(
            t("place.locate_elsewhere", city=formats.city(city_code)),
            icon=":material/location_off:",
        )
        return None
    cell = places.cell_at(found["lng"], found["lat"])
    inside = cell in places.cells_of_district(district.code)
    return Found(district.code, cell if inside else places.cell_of_district(district.code))


def _asked(label: str, key: str) -> dict[str, float] | None:
    """The point the browser tells in the one run after the click; words if it does not."""
    found = _LOCATOR(
        data={"label": label},
        key=f"{key}_locate",
        on_found_change=lambda: None,
        height="content",
    ).found
    if found is not None and found.get("refused"):
        st.warning(t("place.locate_refused"), icon=":material/location_off:")
        return None
    return found
