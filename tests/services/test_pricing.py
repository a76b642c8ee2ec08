from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis.strategies import builds, dates, dictionaries, integers, sampled_from, tuples

from data.calendars import DayKind
from services import clock, pricing
from services.pricing import Rules, Sheet

MONDAY = date(2030, 1, 7)
SATURDAY = date(2030, 1, 12)
LONG_AGO = datetime(2029, 12, 1, tzinfo=clock.CITY_TIME)


def moment(day, hour=0, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.CITY_TIME)


def sheet(kinds=None, **rules):
    return Sheet(((date(2000, 1, 1), Rules(**({"rounding_fen": 1} | rules))),), kinds or {})


def parts(start, hours, *, of=None, placed_at=LONG_AGO, **named):
    ends_at = start + timedelta(hours=hours)
    priced = pricing.price(of or sheet(), 4000, hours, start, ends_at, 1500, placed_at, **named)
    return priced.parts


def test_an_ordinary_visit_costs_its_units():
    assert parts(moment(MONDAY, 9), 2) == {"base": 8000}


def test_the_night_counts_for_the_hours_it_touches():
    assert parts(moment(MONDAY, 20), 2) == {"base": 8000, "night": 1200}
    assert parts(moment(MONDAY, 20, 30), 2) == {"base": 8000, "night": 1800}
    assert parts(moment(MONDAY, 0), 24) == {"base": 96_000, "night": 4000 * 9 * 3 // 10}


def test_a_visit_into_the_weekend_pays_for_the_weekend_alone():
    friday = SATURDAY - timedelta(days=1)

    assert parts(moment(friday, 22), 4, of=sheet(night_bp=0, weekend_bp=2000)) == {
        "base": 16_000,
        "weekend": 1600,
    }


@pytest.mark.parametrize(
    ("kind", "part"),
    [(DayKind.HOLIDAY, {"holiday": 4000}), (DayKind.WORKDAY, {}), (None, {"weekend": 800})],
)
def test_a_holiday_is_no_weekend_and_neither_is_one_on_which_people_work(kind, part):
    kinds = {SATURDAY: kind} if kind else {}

    found = parts(moment(SATURDAY, 9), 2, of=sheet(kinds, weekend_bp=1000))
    assert found == {"base": 8000} | part


def test_urgent_is_fewer_hours_than_the_tariff_says():
    start = moment(MONDAY, 9)

    assert "urgent" not in parts(start, 2, placed_at=start - timedelta(hours=6))
    soon = parts(start, 2, placed_at=start - timedelta(hours=5, minutes=59, seconds=59))
    assert soon["urgent"] == 1600


@pytest.mark.parametrize(("visits", "off"), [(7, None), (8, -400), (19, -400), (20, -800)])
def test_a_plan_saves_by_its_steps(visits, off):
    assert parts(moment(MONDAY, 9), 2, visits_in_30_days=visits).get("monthly") == off


@pytest.mark.parametrize(("unit_fen", "total_fen"), [(3349, 3300), (3350, 3400), (3400, 3400)])
def test_the_total_is_rounded_half_up(unit_fen, total_fen):
    start = moment(MONDAY, 9)
    ends_at = start + timedelta(hours=1)
    found = pricing.price(Sheet(), unit_fen, 1, start, ends_at, 0, LONG_AGO)

    assert found.total_fen == total_fen
    assert found.parts.get("rounding", 0) == total_fen - unit_fen


def test_the_rules_are_those_of_the_day_of_the_visit():
    rules = ((MONDAY, Rules(night_bp=0)), (SATURDAY, Rules(night_bp=10_000)))

    before, after = (
        parts(moment(day, 22), 1, of=Sheet(rules)) for day in (date(2030, 1, 11), SATURDAY)
    )
    assert before == {"base": 4000}
    assert after == {"base": 4000, "night": 4000}


def test_at_another_time_base_and_discount_stay():
    old = parts(moment(MONDAY, 9), 2, visits_in_30_days=20)
    start = moment(MONDAY, 22)

    moved = pricing.moved(sheet(), old, start, start + timedelta(hours=2), 1500, LONG_AGO)
    assert moved.parts == old | {"night": 2400}


share = integers(0, 20_000)
some_rules = builds(
    Rules,
    night_bp=share,
    night_from_minute=integers(0, 1439),
    night_until_minute=integers(0, 1439),
    weekend_bp=share,
    holiday_bp=share,
    urgent_bp=share,
    urgent_hours=integers(0, 72),
    rounding_fen=sampled_from((1, 10, 50, 100, 500)),
    monthly_steps=tuples(tuples(integers(2, 30), integers(0, 10_000))),
)
some_kinds = dictionaries(
    dates(date(2030, 1, 1), date(2030, 2, 15)), sampled_from(list(DayKind)), max_size=20
)


@given(
    rules=some_rules,
    kinds=some_kinds,
    unit_fen=integers(0, 50_000),
    units=integers(1, 30),
    minute=integers(0, 40 * 1440),
    notice=integers(0, 100),
    commission_bp=integers(0, 10_000),
    visits=integers(1, 31),
)
def test_whatever_the_rules_parts_sum_up_and_longer_never_costs_less(
    rules, kinds, unit_fen, units, minute, notice, commission_bp, visits
):
    start = moment(date(2030, 1, 1)) + timedelta(minutes=minute)

    def price(units):
        return pricing.price(
            Sheet(((date(2000, 1, 1), rules),), kinds),
            unit_fen,
            units,
            start,
            start + timedelta(hours=units),
            commission_bp,
            start - timedelta(hours=notice),
            visits_in_30_days=visits,
        )

    one, longer = price(units), price(units + 1)
    assert sum(one.parts.values()) == one.total_fen
    assert 0 <= one.commission_fen <= one.total_fen <= longer.total_fen
    assert one.total_fen % rules.rounding_fen == 0
    assert set(one.parts) <= set(pricing.PARTS)
