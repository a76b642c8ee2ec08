from datetime import date, timedelta

from data.calendars import DayKind, SpecialDay
from data.orders import Order, Visit
from services import clock as service_clock
from services import special_days, tariffs
from services.pricing import Rules
from tests.factories import (
    COMPANIONSHIP,
    LUZHOU,
    NANTONG,
    make_order,
    make_rules,
    price_of,
    visit_of,
)


def in_force(session, city_code, day):
    return tariffs.sheet(session, city_code, day, day).on(day)


def tomorrow():
    return service_clock.today() + timedelta(days=1)


def test_a_city_that_published_none_has_the_usual_tariff(session):
    assert in_force(session, NANTONG, service_clock.today()) == Rules()


def test_a_tariff_is_in_force_from_its_day_on_in_its_city(session):
    make_rules(session, days=1, weekend_bp=1000, customer_fees=[[12, 3000]])

    assert in_force(session, NANTONG, service_clock.today()) == Rules()
    dearer = Rules(weekend_bp=1000, customer_fees=((12, 3000),))
    assert in_force(session, NANTONG, tomorrow()) == dearer
    assert in_force(session, LUZHOU, tomorrow()) == Rules()


def test_an_order_keeps_the_version_and_the_terms_it_was_made_under(session):
    order_id = make_order(session)
    version_id = make_rules(session, customer_fees=[[12, 3000]], commission_bp=2000)
    later_id = make_order(session, starts_at=service_clock.now() + timedelta(days=3))

    before, later = session.get_one(Order, order_id), session.get_one(Order, later_id)
    assert (before.rule_version_id, before.commission_bp) == (None, 1500)
    assert before.terms["customer_fees"] == [[4, 5000], [24, 2000]]
    assert (later.rule_version_id, later.commission_bp) == (version_id, 2000)
    assert later.terms["customer_fees"] == [[12, 3000]]


def test_an_item_may_have_a_commission_of_its_own(session):
    make_rules(session, commissions={str(COMPANIONSHIP): 800})

    order = session.get_one(Order, make_order(session))
    assert order.commission_bp == 800
    assert price_of(session, order.id)[1] == price_of(session, order.id)[0] * 8 // 100


def test_a_visit_is_priced_part_by_part_when_the_order_is_made(session, clock):
    evening = clock.moment + timedelta(days=1, hours=11)
    order_id = make_order(session, starts_at=evening)

    visit = session.get_one(Visit, visit_of(session, order_id))
    assert visit.price_parts == {"base": 8000, "night": 1200}
    assert price_of(session, order_id) == (9200, 1380)
    shown = tariffs.quote(
        session, NANTONG, COMPANIONSHIP, 4000, 2, evening, evening + timedelta(hours=2)
    )
    assert (shown.total_fen, shown.parts) == (9200, visit.price_parts)


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
