import pytest
from sqlalchemy import update

from data.cities import City, CityStatus
from services import cities
from services.errors import Conflict
from tests.factories import LUZHOU, NANTONG


def close(session, status):
    session.execute(update(City).where(City.code == NANTONG).values(status=status))
    session.expire_all()


def test_families_choose_among_the_opened_cities(session):
    opened = cities.opened(session)

    assert [(city.code, city.name_zh) for city in opened] == [
        (NANTONG, "南通市"),
        (LUZHOU, "泸州市"),
    ]


@pytest.mark.parametrize(
    ("status", "shown"), [(CityStatus.PAUSED, [NANTONG, LUZHOU]), (CityStatus.CLOSED, [LUZHOU])]
)
def test_a_paused_city_is_shown_and_takes_nothing_new(session, status, shown):
    close(session, status)

    assert [city.code for city in cities.opened(session)] == shown
    with pytest.raises(Conflict, match="city_not_open"):
        cities.open_city(session, NANTONG)


def test_a_city_nobody_opened_takes_nothing(session):
    with pytest.raises(Conflict, match="city_not_open"):
        cities.open_city(session, "110100")
