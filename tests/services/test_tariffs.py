from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from data.calendars import DayKind, SpecialDay
from data.history import AuditEvent
from data.orders import Order, Visit
from data.price_bounds import Tariff
from services import clock as service_clock
from services import special_days, tariffs
from services.errors import Invalid, NotFound
from services.pricing import Rules
from tests.factories import (
    FAR_OPERATOR,
    LUZHOU,
    NANTONG,
    OPERATOR,
    make_order,
    price_of,
    visit_of,
)

DEARER = Rules(weekend_bp=1000, night_bp=4000, customer_fees=((12, 3000),))


def tomorrow():
    return service_clock.today() + timedelta(days=1)


def test_a_city_that_set_none_has_the_usual_tariff(session):
    [kept] = tariffs.mine(session, OPERATOR)

    assert kept.now == tariffs.Dated(None, Rules())
    assert tariffs.in_force(session, NANTONG, service_clock.today()) == Rules()


def test_a_tariff_is_in_force_from_its_day_on(session, clock):
    tariffs.keep(session, OPERATOR, NANTONG, tomorrow(), DEARER)

    [kept] = tariffs.mine(session, OPERATOR)
    assert kept.coming == (tariffs.Dated(tomorrow(), DEARER),)
    assert tariffs.in_force(session, NANTONG, service_clock.today()) == Rules()
    assert tariffs.in_force(session, NANTONG, tomorrow()) == DEARER
    assert tariffs.in_force(session, LUZHOU, tomorrow()) == Rules()
    clock.move(days=1)
    assert tariffs.mine(session, OPERATOR)[0].now.rules == DEARER


def test_one_of_the_same_day_is_replaced_and_both_are_audited(session):
    for rules in (DEARER, replace(DEARER, night_bp=0)):
        tariffs.keep(session, OPERATOR, NANTONG, tomorrow(), rules)

    assert session.scalars(select(Tariff.night_bp)).all() == [0]
    done = session.scalars(select(AuditEvent.action).where(AuditEvent.action == "set_tariff")).all()
    assert len(done) == 2


def test_an_order_keeps_the_terms_it_was_made_under(session):
    order_id = make_order(session)
    tariffs.keep(session, OPERATOR, NANTONG, service_clock.today(), DEARER)
    later_id = make_order(session, starts_at=service_clock.now() + timedelta(days=3))

    assert session.get_one(Order, order_id).terms["customer_fees"] == [[4, 5000], [24, 2000]]
    assert session.get_one(Order, later_id).terms["customer_fees"] == [[12, 3000]]


def test_a_visit_is_priced_part_by_part_when_the_order_is_made(session, clock):
    evening = clock.moment + timedelta(days=1, hours=11)
    order_id = make_order(session, starts_at=evening)

    visit = session.get_one(Visit, visit_of(session, order_id))
    assert visit.price_parts == {"base": 8000, "night": 1200}
    assert price_of(session, order_id) == (9200, 1380)
    shown = tariffs.quote(session, NANTONG, 4000, 2, evening, evening + timedelta(hours=2))
    assert (shown.total_fen, shown.parts) == (9200, visit.price_parts)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"night_bp": -1}, "number_out_of_range"),
        ({"rounding_fen": 0}, "number_out_of_range"),
        ({"night_from_minute": 1440}, "number_out_of_range"),
        ({"no_show_bp": 10_001}, "number_out_of_range"),
        ({"customer_fees": ((4, 1000), (4, 2000))}, "steps_doubled"),
        ({"customer_fees": ((4, 1000), (24, 2000))}, "steps_out_of_order"),
        ({"caregiver_fees": ((0, 1000),)}, "number_out_of_range"),
        ({"monthly_steps": ((8, 10_001),)}, "share_out_of_range"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(session, changes, error):
    with pytest.raises(Invalid, match=error):
        tariffs.keep(session, OPERATOR, NANTONG, tomorrow(), replace(Rules(), **changes))
    assert session.scalars(select(Tariff)).all() == []


@pytest.mark.parametrize(("days", "error"), [(-1, "in_past"), (400, "too_far")])
def test_it_begins_today_at_the_earliest_and_within_a_year(session, days, error):
    day = service_clock.today() + timedelta(days=days)

    with pytest.raises(Invalid, match=f"tariff_{error}"):
        tariffs.keep(session, OPERATOR, NANTONG, day, Rules())


def test_another_citys_operator_has_nothing_to_say(session):
    with pytest.raises(NotFound, match="city_not_found"):
        tariffs.keep(session, FAR_OPERATOR, NANTONG, tomorrow(), DEARER)
    assert [one.city_code for one in tariffs.mine(session, FAR_OPERATOR)] == [LUZHOU]


def test_holidays_and_working_weekends_are_known_and_the_operators_may_say_otherwise(session):
    first, last = date(2026, 1, 1), date(2026, 2, 28)
    known = special_days.kinds(session, NANTONG, first, last)
    assert known[date(2026, 1, 1)] is DayKind.HOLIDAY
    assert known[date(2026, 2, 14)] is DayKind.WORKDAY
    assert date(2026, 1, 7) not in known

    for day, kind in ((date(2026, 1, 1), "ordinary"), (date(2026, 1, 7), "holiday")):
        session.add(
            SpecialDay(
                created_at=service_clock.now(), city_code=NANTONG, on_day=day, kind=DayKind(kind)
            )
        )
    session.flush()
    said = special_days.kinds(session, NANTONG, first, last)
    assert date(2026, 1, 1) not in said
    assert said[date(2026, 1, 7)] is DayKind.HOLIDAY
    assert special_days.kinds(session, LUZHOU, first, last) == known
