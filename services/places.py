"""Where things are, only as exactly as it may be shown: H3 cells and distance bands."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import h3
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.cities import Place, PlaceKind
from services import regions

# A cell of resolution 7 is about 5 km2: it names a neighbourhood, never a home.
CELL_RESOLUTION = 7
# A home's estate would give the family away; a hospital or care home does not.
OPEN_KINDS = frozenset({PlaceKind.HOSPITAL, PlaceKind.CARE_HOME})


class DistanceBand(StrEnum):
    NEAR = "near"
    CLOSE = "close"
    FAR = "far"
    VERY_FAR = "very_far"


BAND_LIMITS_KM = ((3, DistanceBand.NEAR), (8, DistanceBand.CLOSE), (15, DistanceBand.FAR))


@dataclass(frozen=True, slots=True)
class PlaceView:
    id: int
    kind: PlaceKind
    district_code: str
    name_zh: str
    name_en: str
    lng: float
    lat: float


def cell_at(lng: float, lat: float) -> str:
    """The neighbourhood cell of a WGS84 point in degrees."""
    return h3.latlng_to_cell(lat, lng, CELL_RESOLUTION)


def cell_of_district(district_code: str) -> str:
    """The cell in the middle of a district, for those who tell no more."""
    district = regions.region(district_code)
    return cell_at(district.lng or 0.0, district.lat or 0.0)


@cache
def cells_of_district(district_code: str) -> frozenset[str]:
    """The cells that cover a district, or only its middle where no boundary is known."""
    boundary = regions.boundary(district_code)
    if boundary is None:
        return frozenset({cell_of_district(district_code)})
    shape = h3.geo_to_h3shape(boundary)
    return frozenset(
        h3.h3shape_to_cells_experimental(shape, CELL_RESOLUTION, contain="overlap")
    ) | {cell_of_district(district_code)}


def middle(cell: str) -> tuple[float, float]:
    """Longitude and latitude of a cell's middle, in degrees."""
    lat, lng = h3.cell_to_latlng(cell)
    return lng, lat


def distance_km(cell: str, other: str) -> float:
    """Great-circle kilometres between the middles of two cells."""
    return h3.great_circle_distance(h3.cell_to_latlng(cell), h3.cell_to_latlng(other), unit="km")


def band(distance: float) -> DistanceBand:
    """The band a distance in kilometres falls into; bands are all that is ever shown."""
    return next((name for limit, name in BAND_LIMITS_KM if distance < limit), DistanceBand.VERY_FAR)


def listing(session: Session, city_code: str) -> list[PlaceView]:
    """A city's known places, hospitals first; they are public."""
    rows = session.scalars(
        select(Place).where(Place.city_code == city_code).order_by(Place.kind.desc(), Place.name_zh)
    )
    return [
        PlaceView(p.id, p.kind, p.district_code, p.name_zh, p.name_en, p.lng, p.lat) for p in rows
    ]
