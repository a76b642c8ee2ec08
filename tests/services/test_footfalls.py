import threading

import pytest
from sqlalchemy import select

from data import database as engines
from data.cities import City, CityStatus
from data.footfalls import Footfall
from services import footfalls
from services.errors import NotFound
from tests.factories import LUZHOU, MONDAY, NANTONG


def counted(session):
    rows = session.execute(select(Footfall.city_code, Footfall.on_day, Footfall.opened))
    return {(code, on_day.day): opened for code, on_day, opened in rows}


def test_openings_add_up_by_city_and_day(session, clock):
    for city_code in (NANTONG, LUZHOU, NANTONG):
        footfalls.note(session, city_code)
    clock.move(hours=15)  # Midnight in the city.
    footfalls.note(session, NANTONG)

    today = MONDAY.day
    assert counted(session) == {(NANTONG, today): 2, (LUZHOU, today): 1, (NANTONG, today + 1): 1}


def test_nothing_is_kept_of_who_came():
    assert set(Footfall.__table__.columns.keys()) == {"id", "city_code", "on_day", "opened"}


@pytest.mark.parametrize("city_code", ["110100", "", LUZHOU])
def test_only_cities_a_family_can_choose_are_counted(session, city_code):
    session.scalars(select(City).where(City.code == LUZHOU)).one().status = CityStatus.CLOSED
    session.flush()

    with pytest.raises(NotFound, match="city_not_found"):
        footfalls.note(session, city_code)
    assert counted(session) == {}


def test_of_many_who_come_at_once_none_is_lost(database):
    def come():
        for _ in range(10):
            engines.transact(lambda session: footfalls.note(session, NANTONG))

    crowd = [threading.Thread(target=come) for _ in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    with engines.reading() as session:
        assert counted(session) == {(NANTONG, MONDAY.day): 40}
