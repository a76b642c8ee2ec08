"""The nation's regions and their boundaries: committed files, read once.

NOTICE says where they come from; tools/build_regions.py builds them.
"""

import csv
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).parent / "reference"


class RegionLevel(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Region:
    """A division; lng and lat (degrees, WGS84) lie inside it, or are None where no shape is known.

    Every district has a city and every city a province. Municipalities have a city of their own
    (310000 → 310100); a city without districts has one that stands for it (441900 → 441950).
    """

    code: str
    level: RegionLevel
    parent_code: str | None
    name_zh: str
    name_en: str
    lng: float | None
    lat: float | None


@cache
def _regions() -> dict[str, Region]:
    with (REFERENCE / "regions.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["code"]: Region(
                code=row["code"],
                level=RegionLevel(row["level"]),
                parent_code=row["parent_code"] or None,
                name_zh=row["name_zh"],
                name_en=row["name_en"],
                lng=float(row["lng"]) if row["lng"] else None,
                lat=float(row["lat"]) if row["lat"] else None,
            )
            for row in csv.DictReader(file)
        }


@cache
def _children() -> dict[str | None, tuple[Region, ...]]:
    below: dict[str | None, list[Region]] = {}
    for each in _regions().values():
        below.setdefault(each.parent_code, []).append(each)
    return {code: tuple(regions) for code, regions in below.items()}


def region(code: str) -> Region | None:
    """The region with this 6-digit code."""
    return _regions().get(code)


def children(code: str | None, level: RegionLevel | None = None) -> tuple[Region, ...]:
    """The regions right below this one (None: the nation), or all below it at one level."""
    direct = _children().get(code, ())
    if level is None:
        return direct
    return tuple(
        found
        for child in direct
        for found in ((child,) if child.level is level else children(child.code, level))
    )


@cache
def _boundary_files() -> dict[str, Path]:
    folder = REFERENCE / "boundaries"
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in folder.rglob("*.geojson")
    }


@cache
def boundaries(name: str) -> dict[str, Any]:
    """GeoJSON (WGS84) of "provinces", "cities" or "districts/<city code>"; no features if unknown.

    Everybody gets the same object: read it, do not change it. National views hold boundary lines
    besides areas; they have an empty code and must always be drawn.
    """
    path = _boundary_files().get(name)
    if path is None:
        return {"type": "FeatureCollection", "features": []}
    return json.loads(path.read_text(encoding="utf-8"))
