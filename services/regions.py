"""Where things are: provinces, cities, districts, and points in them. All of it works offline."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from math import cos, pi, sin, sqrt
from typing import Any

from data import regions
from data.regions import Region, RegionLevel

__all__ = ["Datum", "Region", "RegionLevel"]


class Datum(StrEnum):
    """What a pair of coordinates is measured against."""

    WGS84 = "wgs84"  # GPS, and everything we store
    GCJ02 = "gcj02"  # maps and phones in China: about half a kilometre off


def region(code: str) -> Region:
    """The region with this code; KeyError if there is none."""
    found = regions.region(code)
    if found is None:
        raise KeyError(code)
    return found


def boundary(code: str) -> dict[str, Any] | None:
    """The GeoJSON geometry of a region, or None where it is not kept; districts of pilots are."""
    for feature in regions.boundaries(_file_of(region(code)))["features"]:
        if feature["properties"].get("code") == code:
            return feature["geometry"]
    return None


def _file_of(known: Region) -> str:
    if known.level is RegionLevel.DISTRICT:
        return f"districts/{known.parent_code}"
    return "cities" if known.level is RegionLevel.CITY else "provinces"


def provinces() -> tuple[Region, ...]:
    """All provinces, by code."""
    return regions.children(None)


def cities_of(province_code: str) -> tuple[Region, ...]:
    """The cities of a province; none for any other code."""
    return _below(province_code, RegionLevel.CITY)


def districts_of(city_code: str) -> tuple[Region, ...]:
    """The districts of a city; none for any other code."""
    return _below(city_code, RegionLevel.DISTRICT)


def path(code: str) -> tuple[Region, ...]:
    """From the province down to this region; empty for an unknown code."""
    region = regions.region(code)
    if region is None:
        return ()
    return (*(path(region.parent_code) if region.parent_code else ()), region)


def district_of_city(district_code: str, city_code: str) -> bool:
    """Whether the district lies in the city."""
    return any(district.code == district_code for district in districts_of(city_code))


def district_at(lng: float, lat: float, city_code: str) -> Region | None:
    """The city's district at this point (degrees, WGS84); None outside or without boundaries."""
    for feature in regions.boundaries(f"districts/{city_code}")["features"]:
        if any(_inside(lng, lat, polygon) for polygon in _polygons(feature["geometry"])):
            return regions.region(feature["properties"]["code"])
    return None


def wgs84(lng: float, lat: float, datum: Datum) -> tuple[float, float]:
    """The point in WGS84 degrees, whatever it came in; right to well under a metre."""
    if datum is Datum.WGS84:
        return lng, lat
    found_lng, found_lat = lng, lat
    for _ in range(5):  # the shift changes slowly: each round gains about three digits
        there_lng, there_lat = gcj02(found_lng, found_lat)
        found_lng, found_lat = found_lng + lng - there_lng, found_lat + lat - there_lat
    return found_lng, found_lat


def gcj02(lng: float, lat: float) -> tuple[float, float]:
    """A WGS84 point as maps in China draw it, in degrees; unchanged far from China.

    The formula is not published: this is the one in common use (eviltransform), good to a metre
    or two of what the maps do.
    """
    if not (72.004 < lng < 137.8347 and 0.8293 < lat < 55.8271):
        return lng, lat
    x, y = lng - 105.0, lat - 35.0
    waves = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y / 30 * pi)) * 2 / 3
    # Metres to degrees on the Krasovsky 1940 ellipsoid.
    axis, eccentricity = 6378245.0, 0.00669342162296594323
    parallel = lat / 180 * pi
    bend = 1 - eccentricity * sin(parallel) ** 2
    return (
        lng + east * 180 / (axis / sqrt(bend) * cos(parallel) * pi),
        lat + north * 180 / (axis * (1 - eccentricity) / (bend * sqrt(bend)) * pi),
    )


def _below(code: str, level: RegionLevel) -> tuple[Region, ...]:
    return tuple(child for child in regions.children(code) if child.level is level)


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    if geometry["type"] == "Polygon":
        return [geometry["coordinates"]]
    return geometry["coordinates"]


def _inside(lng: float, lat: float, polygon: Sequence[Any]) -> bool:
    """Ray casting: a ray to the east crosses the rings, holes included, an odd number of times."""
    return sum(lng < crossing for ring in polygon for crossing in _crossings(lat, ring)) % 2 == 1


def _crossings(lat: float, ring: Sequence[Sequence[float]]) -> Iterator[float]:
    """The longitudes where a ring crosses this latitude."""
    for (west, south), (east, north) in pairwise(ring):
        if (south > lat) != (north > lat):
            yield west + (east - west) * (lat - south) / (north - south)
