import pytest

from services import places, regions
from services.places import DistanceBand, PlaceKind
from tests.factories import CHONGCHUAN, LUZHOU, NANTONG, TONGZHOU

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
