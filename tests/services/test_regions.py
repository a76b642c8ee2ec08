"""The nation's regions, their boundaries, and points in them."""

import csv
import re
from itertools import pairwise
from math import cos, hypot, radians

import pytest

from data.regions import REFERENCE, Region, RegionLevel, boundaries, children, region
from services import regions
from services.regions import Datum

NANTONG, LUZHOU, PANZHIHUA, WEIHAI = PILOTS = ("320600", "510500", "510400", "371000")
OUTDATED = {"460321", "460322", "540422", "540530", "500105", "500112"}
# No source has a shape for these two: founded in December 2024.
WITHOUT_SHAPE = {"653228", "653229"}
BUDGETS = {"provinces": 500_000, "cities": 500_000} | {f"districts/{c}": 30_000 for c in PILOTS}


def rings(feature: dict) -> list:
    """Every ring of an area, outer and inner."""
    return [ring for polygon in regions._polygons(feature["geometry"]) for ring in polygon]


def areas(name: str) -> list[dict]:
    """What a boundaries file holds besides boundary lines."""
    return [f for f in boundaries(name)["features"] if f["geometry"]["type"] != "MultiLineString"]


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return hypot((a[0] - b[0]) * 111_320 * cos(radians(a[1])), (a[1] - b[1]) * 110_574)


def crosses_itself(ring: list) -> bool:
    """Whether two sides of a ring that share no corner cross."""

    def side(a: list, b: list, c: list) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    sides = list(pairwise(ring))
    return any(
        max(a[0], b[0]) >= min(c[0], d[0])
        and max(c[0], d[0]) >= min(a[0], b[0])
        and side(a, b, c) * side(a, b, d) < 0
        and side(c, d, a) * side(c, d, b) < 0
        for n, (a, b) in enumerate(sides)
        for c, d in sides[n + 2 :]
    )


@pytest.fixture(scope="module")
def nation() -> list[Region]:
    return [found for level in RegionLevel for found in children(None, level)]


class TestRegions:
    def test_cover_the_nation(self):
        assert len(children(None)) == 34
        assert len(children(None, RegionLevel.CITY)) == 372
        assert len(children(None, RegionLevel.DISTRICT)) == 2888

    def test_have_codes_of_six_digits_each_used_once(self, nation):
        with (REFERENCE / "regions.csv").open(encoding="utf-8", newline="") as file:
            codes = [row["code"] for row in csv.DictReader(file)]

        assert len(codes) == len(set(codes)) == len(nation)
        assert all(re.fullmatch(r"\d{6}", code) for code in codes)

    def test_use_no_code_that_was_replaced(self, nation):
        assert OUTDATED.isdisjoint(found.code for found in nation)
        assert region("540481").name_zh == "米林市"
        assert region("460302").name_zh == "西沙区"

    def test_lead_from_every_district_over_a_city_to_a_province(self):
        for district in children(None, RegionLevel.DISTRICT):
            levels = [step.level for step in regions.path(district.code)]
            assert levels == list(RegionLevel), district

    def test_leave_no_city_without_districts(self):
        for city in children(None, RegionLevel.CITY):
            assert regions.districts_of(city.code), city

    def test_have_english_names_in_ascii_and_without_what_kind_of_division_they_are(self, nation):
        for found in nation:
            assert re.fullmatch(r"[A-Z][A-Za-z'() -]+", found.name_en), found
            assert not re.search(r" (District|Province|Prefecture)$", found.name_en), found

    def test_are_told_apart_by_their_english_names_within_one_city(self):
        for city in children(None, RegionLevel.CITY):
            names = [district.name_en for district in regions.districts_of(city.code)]
            assert len(names) == len(set(names)), city

    @pytest.mark.parametrize(
        ("code", "name_zh", "name_en"),
        [
            ("320600", "南通市", "Nantong"),
            ("320613", "崇川区", "Chongchuan"),
            ("320685", "海安市", "Hai'an"),
            ("140400", "长治市", "Changzhi"),
            ("140428", "长子县", "Zhangzi"),
            ("510682", "什邡市", "Shifang"),
            ("141024", "洪洞县", "Hongtong"),
            ("340300", "蚌埠市", "Bengbu"),
            ("341500", "六安市", "Lu'an"),
            ("330382", "乐清市", "Yueqing"),
            ("511100", "乐山市", "Leshan"),
            ("411100", "漯河市", "Luohe"),
            ("141100", "吕梁市", "Lyuliang"),
            ("371722", "单县", "Shanxian"),
            ("510521", "泸县", "Luxian"),
            ("222400", "延边朝鲜族自治州", "Yanbian"),
            ("650100", "乌鲁木齐市", "Urumqi"),
            ("150000", "内蒙古自治区", "Inner Mongolia"),
            ("610000", "陕西省", "Shaanxi"),
            ("540000", "西藏自治区", "Tibet (Xizang)"),
            ("710000", "台湾省", "Taiwan"),
        ],
    )
    def test_are_named_as_people_know_them(self, code, name_zh, name_en):
        found = region(code)
        assert (found.name_zh, found.name_en) == (name_zh, name_en)

    def test_have_a_point_within_china(self, nation):
        for found in nation:
            if found.code in WITHOUT_SHAPE:
                assert (found.lng, found.lat) == (None, None)
            else:
                assert 73 < found.lng < 136, found
                assert 3 < found.lat < 54, found


class TestLists:
    def test_a_municipality_has_one_city_with_its_districts(self):
        [shanghai] = regions.cities_of("310000")

        assert (shanghai.code, shanghai.name_zh) == ("310100", "上海市")
        assert len(regions.districts_of("310100")) == 16

    @pytest.mark.parametrize("code", ["441900", "429004", "460400", "820100"])
    def test_a_city_without_districts_has_one_that_stands_for_it(self, code):
        [district] = regions.districts_of(code)

        assert district.name_zh == region(code).name_zh
        assert int(district.code) == int(code) + 50

    def test_a_code_of_the_wrong_level_lists_nothing(self):
        assert regions.cities_of(NANTONG) == regions.districts_of("320000") == ()
        assert regions.districts_of("000000") == ()

    def test_a_province_can_list_all_its_districts(self):
        assert len(children("320000", RegionLevel.DISTRICT)) == 95

    def test_a_path_starts_at_the_province(self):
        names = [step.name_zh for step in regions.path("320613")]
        assert names == ["江苏省", "南通市", "崇川区"]
        assert regions.path("999999") == ()

    def test_a_district_belongs_to_its_own_city_only(self):
        assert regions.district_of_city("320613", NANTONG)
        assert not regions.district_of_city("320613", LUZHOU)
        assert not regions.district_of_city(NANTONG, NANTONG)


class TestBoundaries:
    @pytest.mark.parametrize("city", PILOTS)
    def test_of_a_pilot_show_exactly_its_districts(self, city):
        shown = {f["properties"]["code"] for f in boundaries(f"districts/{city}")["features"]}
        assert shown == {district.code for district in regions.districts_of(city)}

    @pytest.mark.parametrize(
        ("name", "level"), [("provinces", RegionLevel.PROVINCE), ("cities", RegionLevel.CITY)]
    )
    def test_of_the_nation_show_every_area(self, name, level):
        shown = {f["properties"]["code"] for f in areas(name)} - {""}
        assert shown == {found.code for found in children(None, level)}

    @pytest.mark.parametrize("name", ["provinces", "cities"])
    def test_of_the_nation_keep_the_boundary_lines(self, name):
        lines = [f for f in boundaries(name)["features"] if f not in areas(name)]
        parts = [line for f in lines for line in f["geometry"]["coordinates"]]
        southern = [line for line in parts if all(lat < 25 and lng > 108 for lng, lat in line)]

        assert {f["properties"]["name_zh"] for f in lines} == {"境界线"}
        assert len(southern) >= 10

    def test_keep_the_islands_of_the_southern_sea(self):
        [hainan] = [f for f in areas("provinces") if f["properties"]["code"] == "460000"]
        assert len(hainan["geometry"]["coordinates"]) == 328

    @pytest.mark.parametrize(("name", "budget"), BUDGETS.items())
    def test_are_small_enough_to_send(self, name, budget):
        assert (REFERENCE / "boundaries" / f"{name}.geojson").stat().st_size <= budget

    @pytest.mark.parametrize("name", BUDGETS)
    def test_are_closed_rings_with_four_decimals_inside_china(self, name):
        for feature in areas(name):
            assert feature["properties"].keys() == {"code", "name_zh", "name_en"}
            for ring in rings(feature):
                assert ring[0] == ring[-1], feature["properties"]
                assert len(ring) >= 4, feature["properties"]
                assert len({tuple(corner) for corner in ring}) == len(ring) - 1
                for lng, lat in ring:
                    assert 73 < lng < 136, feature["properties"]
                    assert 3 < lat < 54, feature["properties"]
                    assert (lng, lat) == (round(lng, 4), round(lat, 4))

    @pytest.mark.parametrize("city", PILOTS)
    def test_of_a_pilot_do_not_cross_themselves(self, city):
        for feature in areas(f"districts/{city}"):
            assert not any(crosses_itself(ring) for ring in rings(feature))

    def test_of_an_unknown_place_are_empty(self):
        assert boundaries("districts/../../regions")["features"] == []


class TestDistrictAt:
    @pytest.mark.parametrize(
        ("lng", "lat", "name_zh"),
        [
            (120.86, 32.01, "崇川区"),  # the old town
            (121.07, 32.07, "通州区"),
            (121.18, 31.90, "海门区"),
            (121.65, 31.81, "启东市"),
            (121.18, 32.32, "如东县"),
            (120.57, 32.38, "如皋市"),
            (120.46, 32.54, "海安市"),
        ],
    )
    def test_knows_the_seats_of_nantong(self, lng, lat, name_zh):
        assert regions.district_at(lng, lat, NANTONG).name_zh == name_zh

    @pytest.mark.parametrize("city", PILOTS)
    def test_finds_every_district_at_its_own_point(self, city):
        for district in regions.districts_of(city):
            assert regions.district_at(district.lng, district.lat, city) == district

    def test_is_nothing_outside_the_city(self):
        assert regions.district_at(121.47, 31.23, NANTONG) is None  # Shanghai
        assert regions.district_at(123.0, 32.0, NANTONG) is None  # the sea

    def test_is_nothing_where_there_are_no_boundaries(self):
        assert regions.district_at(121.47, 31.23, "310100") is None

    def test_minds_holes_and_islands(self, monkeypatch):
        def square(low: float, high: float) -> list:
            return [[low, low], [high, low], [high, high], [low, high], [low, low]]

        feature = {
            "properties": {"code": "320613"},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[square(0, 10), square(4, 6)], [square(20, 21)]],
            },
        }
        monkeypatch.setattr(regions.regions, "boundaries", lambda name: {"features": [feature]})

        found = [
            regions.district_at(at, at + 0.1, NANTONG) is not None for at in (2, 5, 8, 15, 20.5)
        ]
        assert found == [True, False, True, False, True]


class TestDatum:
    def test_gcj02_matches_a_published_pair(self):
        # The example of the coordtransform package: Beijing.
        assert regions.gcj02(116.404, 39.915) == pytest.approx((116.410244, 39.916404), abs=1e-6)

    @pytest.mark.parametrize("code", [*PILOTS, "110100", "460300", "650100", "230100"])
    def test_a_phones_point_comes_back_within_a_metre(self, code):
        place = region(code)
        true = (place.lng, place.lat)
        shown = regions.gcj02(*true)

        assert metres(true, shown) > 100
        assert metres(true, regions.wgs84(*shown, Datum.GCJ02)) < 1

    def test_wgs84_and_places_abroad_stay_as_they_are(self):
        assert regions.wgs84(120.9, 31.9, Datum.WGS84) == (120.9, 31.9)
        assert regions.wgs84(2.35, 48.85, Datum.GCJ02) == (2.35, 48.85)
