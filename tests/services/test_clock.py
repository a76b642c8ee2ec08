from datetime import UTC, date, datetime, timedelta

import pytest

from services import clock

MOMENT = datetime(2030, 1, 7, 17, 30, tzinfo=UTC)


def test_now_is_aware_and_moves_on():
    first, second = clock.now(), clock.now()

    assert first.utcoffset() == timedelta(0)
    assert first <= second < first + timedelta(minutes=1)


def test_inside_the_block_it_is_that_moment():
    with clock.at(MOMENT):
        assert clock.now() == MOMENT
        with clock.at(MOMENT + timedelta(days=1)):
            assert clock.now() == MOMENT + timedelta(days=1)
        assert clock.now() == MOMENT


def test_afterwards_it_is_now_again_even_if_the_block_failed():
    with pytest.raises(ZeroDivisionError), clock.at(MOMENT):
        _ = 1 / 0

    assert clock.now() != MOMENT


def test_today_is_the_citys_day():
    with clock.at(MOMENT):
        assert clock.today() == date(2030, 1, 8)
        assert clock.in_city(MOMENT).hour == 1
