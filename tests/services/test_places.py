from dataclasses import replace

import pytest
from sqlalchemy import select

from data.cities import Place
from data.demands import Demand
from data.history import AuditEvent
from services import cities, places, regions
from services.access import Actor, Role
from services.errors import Conflict, Invalid, NotFound
from services.places import Datum, DistanceBand, PlaceForm, PlaceKind
from tests.factories import (
    CHONGCHUAN,
    FAR_OPERATOR,
    HOSPITAL_ID,
    JIANGYANG,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    TONGZHOU,
    make_demand,
)

HOSPITAL_AT = (120.872, 32.012)


def test_a_cell_is_a_neighbourhood_never_a_home():
    here = places.cell_at(*HOSPITAL_AT)

    assert places.cell_at(120.8722, 32.0121) == here
    assert places.cell_at(121.073, 32.067) != here
    assert len(here) == 15


def test_the_middle_of_a_district_lies_in_it():
    middle = places.cell_of_district(CHONGCHUAN)

    assert middle in places.cells_of_district(CHONGCHUAN)
    assert middle not in places.cells_of_district(TONGZHOU)


def test_cells_cover_their_district():
    cells = places.cells_of_district(CHONGCHUAN)

    assert places.cell_at(*HOSPITAL_AT) in cells
    assert 50 < len(cells) < 500


def test_a_district_without_a_boundary_has_only_its_middle():
    beijing = regions.districts_of("110100")[0].code

    assert places.cells_of_district(beijing) == {places.cell_of_district(beijing)}


def test_distance_is_measured_between_cells():
    here, there = places.cell_at(*HOSPITAL_AT), places.cell_at(121.073, 32.067)

    assert places.distance_km(here, here) == 0
    assert places.distance_km(here, there) == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    ("km", "band"),
    [
        (0, DistanceBand.NEAR),
        (2.99, DistanceBand.NEAR),
        (3, DistanceBand.CLOSE),
        (8, DistanceBand.FAR),
        (15, DistanceBand.VERY_FAR),
        (500, DistanceBand.VERY_FAR),
    ],
)
def test_only_bands_are_ever_shown(km, band):
    assert places.band(km) is band


def test_a_citys_places_are_listed_hospitals_first(session):
    listed = places.listing(session, NANTONG)

    kinds = [place.kind for place in listed]
    assert kinds[0] is PlaceKind.HOSPITAL
    assert kinds == sorted(kinds, reverse=True)
    assert places.listing(session, LUZHOU) == []


def test_only_an_estate_would_give_a_family_away():
    assert set(PlaceKind) - places.OPEN_KINDS == {PlaceKind.ESTATE}


class TestKept:
    FORM = PlaceForm(
        city_code=NANTONG,
        district_code=CHONGCHUAN,
        kind=PlaceKind.HOSPITAL,
        name_zh="崇川区新城医院",
        name_en="Xincheng Hospital, Chongchuan",
        lng=HOSPITAL_AT[0],
        lat=HOSPITAL_AT[1],
    )

    def names(self, session, operator=OPERATOR, city_code=NANTONG):
        return [place.name_zh for place in places.kept(session, operator, city_code)]

    def audited(self, session):
        events = select(AuditEvent).order_by(AuditEvent.id)
        return [event.action for event in session.scalars(events)]

    def test_a_place_added_can_be_chosen_at_once(self, session):
        place_id = places.save(session, OPERATOR, self.FORM)

        listed = {place.id: place for place in places.listing(session, NANTONG)}
        assert listed[place_id].name_zh == "崇川区新城医院"
        assert session.get_one(Place, place_id).cell == places.cell_at(*HOSPITAL_AT)
        assert self.audited(session) == ["add_place"]

    def test_coordinates_of_a_chinese_map_are_converted(self, session):
        lng, lat = regions.gcj02(*HOSPITAL_AT)
        form = replace(self.FORM, lng=lng, lat=lat, datum=Datum.GCJ02)
        place = session.get_one(Place, places.save(session, OPERATOR, form))

        assert (place.lng, place.lat) == pytest.approx(HOSPITAL_AT, abs=1e-6)

    def test_a_tapped_neighbourhood_is_where_the_place_is(self, session):
        for number, cell in enumerate(sorted(places.cells_of_district(CHONGCHUAN))[:3]):
            form = replace(
                self.FORM,
                lng=None,
                lat=None,
                cell=cell,
                name_zh=f"院{number}",
                name_en=f"H{number}",
            )
            place = session.get_one(Place, places.save(session, OPERATOR, form))

            assert place.cell == cell == places.cell_at(place.lng, place.lat)

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"lng": None}, "error.point_missing"),
            ({"lat": None}, "error.point_missing"),
            ({"lng": 32.012, "lat": 120.872}, "error.point_impossible"),
            ({"district_code": TONGZHOU}, "error.place_outside_district"),
            ({"lng": 116.4, "lat": 39.9}, "error.place_outside_district"),
            ({"district_code": JIANGYANG}, "error.district_of_another_city"),
            ({"cell": places.cell_of_district(TONGZHOU)}, "error.cell_of_another_district"),
            ({"cell": "😀"}, "error.cell_of_another_district"),
            ({"name_zh": ""}, "error.missing"),
            ({"name_en": "  "}, "error.missing"),
            ({"name_zh": "长" * 61}, "error.too_long"),
            ({"name_en": "x" * 81}, "error.too_long"),
        ],
    )
    def test_what_cannot_be_is_refused(self, session, changes, refusal):
        before = self.names(session)
        with pytest.raises(Invalid, match=refusal):
            places.save(session, OPERATOR, replace(self.FORM, **changes))

        assert self.names(session) == before
        assert self.audited(session) == []

    def test_without_boundaries_a_place_need_only_be_near_its_district(self, session):
        beijing = "110100"
        operator = Actor(OPERATOR.id, Role.OPERATOR, frozenset({beijing}))
        cities.add(session, OPERATOR, beijing, "010-8500-1234")
        district = regions.districts_of(beijing)[0]
        form = replace(self.FORM, city_code=beijing, district_code=district.code)

        with pytest.raises(Invalid, match="place_outside_district"):
            places.save(session, operator, form)
        there = replace(form, lng=(district.lng or 0) + 0.1, lat=district.lat)
        assert places.save(session, operator, there)

    def test_a_city_has_each_name_once(self, session):
        there = session.get_one(Place, HOSPITAL_ID)
        places.retire(session, OPERATOR, HOSPITAL_ID)
        for changes in ({"name_zh": there.name_zh}, {"name_en": there.name_en}):
            with pytest.raises(Conflict, match="place_exists"):
                places.save(session, OPERATOR, replace(self.FORM, **changes))

    def test_names_are_kept_as_typed(self, session):
        name = NASTY[:50]
        place_id = places.save(session, OPERATOR, replace(self.FORM, name_zh=name, name_en=name))

        assert name in self.names(session)
        assert session.get_one(Place, place_id).name_en == name

    def test_a_changed_place_leaves_old_demands_where_they_are(self, session):
        demand_id = make_demand(session, place_id=HOSPITAL_ID)
        cell = session.get_one(Demand, demand_id).cell
        moved = replace(self.FORM, lng=120.86, lat=32.03)
        places.save(session, OPERATOR, moved, HOSPITAL_ID)

        place = session.get_one(Place, HOSPITAL_ID)
        assert (place.name_zh, place.lng, place.lat) == (moved.name_zh, 120.86, 32.03)
        assert place.cell == places.cell_at(120.86, 32.03)
        assert session.get_one(Demand, demand_id).cell == cell
        assert self.audited(session) == ["change_place"]

    def test_a_retired_place_stays_on_old_demands_and_is_offered_no_more(self, session):
        demand_id = make_demand(session, place_id=HOSPITAL_ID)
        places.retire(session, OPERATOR, HOSPITAL_ID)
        session.flush()

        assert session.get_one(Demand, demand_id).place_id == HOSPITAL_ID
        assert HOSPITAL_ID not in [place.id for place in places.listing(session, NANTONG)]
        everything = places.listing(session, NANTONG, retired=True)
        assert [place.id for place in everything if place.retired] == [HOSPITAL_ID]
        with pytest.raises(NotFound, match="place_not_found"):
            make_demand(session, place_id=HOSPITAL_ID)
        with pytest.raises(Conflict, match="changed_meanwhile"):
            places.retire(session, OPERATOR, HOSPITAL_ID)

    def test_a_restored_place_is_offered_again(self, session):
        with pytest.raises(Conflict, match="changed_meanwhile"):
            places.restore(session, OPERATOR, HOSPITAL_ID)
        places.retire(session, OPERATOR, HOSPITAL_ID)
        places.restore(session, OPERATOR, HOSPITAL_ID)
        session.flush()

        make_demand(session, place_id=HOSPITAL_ID)
        assert self.audited(session) == ["retire_place", "restore_place"]

    def test_another_citys_operator_sees_and_changes_nothing(self, session):
        assert self.names(session)
        assert self.names(session, FAR_OPERATOR) == []
        for move in (places.retire, places.restore):
            with pytest.raises(NotFound, match="place_not_found"):
                move(session, FAR_OPERATOR, HOSPITAL_ID)
        with pytest.raises(NotFound, match="city_not_found"):
            places.save(session, FAR_OPERATOR, self.FORM)
        with pytest.raises(NotFound, match="city_not_found"):
            places.save(session, FAR_OPERATOR, self.FORM, HOSPITAL_ID)

    def test_a_place_does_not_move_to_another_city(self, session):
        both = Actor(OPERATOR.id, Role.OPERATOR, frozenset({NANTONG, LUZHOU}))
        there = replace(
            self.FORM,
            city_code=LUZHOU,
            district_code=JIANGYANG,
            lng=None,
            lat=None,
            cell=places.cell_of_district(JIANGYANG),
        )
        for place_id in (HOSPITAL_ID, NOBODY_ID):
            with pytest.raises(NotFound, match="place_not_found"):
                places.save(session, both, there, place_id)
