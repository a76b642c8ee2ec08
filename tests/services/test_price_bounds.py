from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from data.caregivers import Caregiver, CaregiverLevel, Rate
from data.catalogue import CareItem
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.price_bounds import BasePrice
from services import (
    bookable,
    bookings,
    caregivers,
    levels,
    plans,
    price_bounds,
    rule_changes,
    rules,
    search,
    stand_ins,
    substitutes,
)
from services import clock as service_clock
from services.errors import Conflict, NotAllowed, NotFound
from services.price_bounds import Bounds
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    LI,
    LUZHOU,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_booking,
    make_rules,
    make_visit,
    order_of,
    price_of,
)

JUNIOR, INTERMEDIATE, SENIOR = CaregiverLevel
WHOLE = Bounds(3000, 6000)
fen = st.integers(1, 1_000_000)


def day(days=0):
    return service_clock.today() + timedelta(days=days)


def keep(session, lowest_fen, highest_fen, days=0, level=INTERMEDIATE):
    """Let the city set what a level may ask, beside what it has set already."""
    values = rules.values(session, NANTONG, rules.on(session, NANTONG, day(days)))
    own = values["prices"].get(str(COMPANIONSHIP), {}) | {level: [lowest_fen, highest_fen]}
    return make_rules(session, days=days, prices={str(COMPANIONSHIP): own})


def now(session, level=INTERMEDIATE, days=0, city=NANTONG):
    return price_bounds.in_force(session, city, day(days), COMPANIONSHIP)[COMPANIONSHIP, level]


def found_prices(session, **changes):
    wanted = search.Wanted(
        COMPANIONSHIP, NANTONG, CHONGCHUAN, search.places.cell_of_district(CHONGCHUAN), 2, **changes
    )
    return {one.id: one.price_fen for one in search.find(session, ZHOU, wanted).shown}


def told(session, kind=NoticeKind.PRICES_BOUNDED):
    found = select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)
    return [(one.account_id, one.facts) for one in session.scalars(found)]


def deeds(session, action):
    return session.scalars(select(AuditEvent.action).where(AuditEvent.action == action)).all()


@given(fen, fen, fen)
def test_a_bounded_price_is_the_nearest_within_the_bounds(one, other, price_fen):
    bounds = Bounds(min(one, other), max(one, other))

    clamped = bounds.clamp(price_fen)

    assert bounds.lowest_fen <= clamped <= bounds.highest_fen
    assert bounds.clamp(clamped) == clamped
    assert clamped == price_fen or not bounds.lowest_fen <= price_fen <= bounds.highest_fen
    ends = bounds.lowest_fen, bounds.highest_fen
    assert abs(clamped - price_fen) <= min(abs(end - price_fen) for end in ends)


def test_where_a_city_set_none_the_catalogues_range_holds(session):
    assert now(session) == now(session, SENIOR) == WHOLE


def test_bounds_are_in_force_from_midnight_of_the_city_on(session, clock):
    clock.move(clock.moment.replace(hour=23, minute=59, second=59))
    keep(session, 4500, 5000, days=1)
    assert found_prices(session)[LI.id] == PRICE_FEN

    clock.move(seconds=1)

    assert found_prices(session)[LI.id] == 4500
    assert now(session, JUNIOR) == now(session, city=LUZHOU) == WHOLE


def test_the_price_shown_booked_and_frozen_is_the_bounded_one_and_her_own_stays(session):
    keep(session, 4500, 5000)

    assert bookable.offers(session, ZHOU, LI.id) == [caregivers.Offer(COMPANIONSHIP, 4500)]
    assert caregivers.profile(session, ZHOU, LI.id).offers == (
        caregivers.Offer(COMPANIONSHIP, 4500),
    )
    assert caregivers.own_form(session, LI).offers == (caregivers.Offer(COMPANIONSHIP, PRICE_FEN),)
    assert price_bounds.own(session, LI, NANTONG)[COMPANIONSHIP] == Bounds(4500, 5000)
    assert price_of(session, make_booking(session, price_fen=4500))[0] == 9000
    assert session.scalar(select(Rate.price_fen).where(Rate.caregiver_id == LI.id)) == PRICE_FEN


def test_the_most_a_family_pays_is_compared_with_the_bounded_price(session):
    keep(session, 4500, 5000)

    assert found_prices(session, most_fen=4400) == {}
    assert found_prices(session, most_fen=4500) == {LI.id: 4500, ZHAO.id: 4500}


def test_a_price_that_moved_since_it_was_shown_is_refused(session):
    keep(session, 4500, 5000)

    with pytest.raises(Conflict, match="price_changed"):
        make_booking(session, price_fen=PRICE_FEN)


def test_a_narrower_catalogue_bounds_prices_and_price_bounds_too(session):
    keep(session, 4500, 5000)
    session.execute(
        update(CareItem)
        .where(CareItem.id == COMPANIONSHIP)
        .values(lowest_fen=4700, highest_fen=4800)
    )

    assert now(session) == now(session, SENIOR) == Bounds(4700, 4800)
    assert found_prices(session)[LI.id] == 4700


def test_another_level_has_other_bounds(session):
    keep(session, 5500, 6000, level=SENIOR)
    levels.give(session, OPERATOR, LI.id, SENIOR)

    assert found_prices(session) == {LI.id: 5500, ZHAO.id: PRICE_FEN}


def test_a_substitute_costs_no_more_than_the_order(session):
    visit_id = make_visit(session)
    levels.give(session, OPERATOR, ZHAO.id, SENIOR)
    assert [one.id for one in stand_ins.for_visit(session, DESK, visit_id)] == [ZHAO.id]
    keep(session, 5500, 6000, level=SENIOR)

    assert stand_ins.for_visit(session, DESK, visit_id) == ()
    with pytest.raises(Conflict, match="substitute_asks_more"):
        substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    keep(session, 3000, 3900, level=SENIOR)
    [one] = stand_ins.for_visit(session, DESK, visit_id)
    assert one.id == ZHAO.id
    assert substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)


def test_who_could_take_a_plan_over_is_shown_with_the_bounded_price(session):
    order_id = order_of(session, make_visit(session))
    keep(session, 4500, 5000)

    [one] = plans.candidates(session, OPERATOR, order_id)
    assert (one.id, one.price_fen) == (ZHAO.id, 4500)


def test_whose_price_moves_is_told_once_with_the_new_one(session):
    session.execute(update(Rate).where(Rate.caregiver_id == ZHAO.id).values(price_fen=4700))
    keep(session, 4500, 5000, days=2)
    make_rules(session, days=3, night_bp=0)

    [(account_id, facts)] = told(session)
    assert account_id == LI.id
    assert (facts["item_id"], facts["price_fen"]) == (COMPANIONSHIP, 4500)
    assert facts["due_at"].startswith(day(2).isoformat())


def test_bounds_that_have_not_begun_can_be_withdrawn_and_who_was_told_hears_of_it(session):
    rule_changes.withdraw(session, OPERATOR, keep(session, 4500, 5000, days=2))

    assert session.scalars(select(BasePrice)).all() == []
    assert [facts["price_fen"] for who, facts in told(session) if who == LI.id] == [4500, 4000]


def test_bounds_left_out_of_the_next_version_are_the_catalogues_again(session):
    keep(session, 4500, 5000)
    make_rules(session, days=1, prices={})

    assert now(session) == Bounds(4500, 5000)
    assert now(session, days=1) == WHOLE


def test_a_level_that_may_ask_for_more_than_a_higher_one_is_found(session):
    own = {(COMPANIONSHIP, INTERMEDIATE): Bounds(3000, 5000)}

    assert price_bounds.unfair(own | {(COMPANIONSHIP, SENIOR): Bounds(4500, 6000)}) == set()
    assert price_bounds.unfair(own | {(COMPANIONSHIP, SENIOR): Bounds(3000, 4900)}) == {
        COMPANIONSHIP
    }


def test_what_a_caregiver_does_not_do_has_no_price(session):
    li = session.get_one(Caregiver, LI.id)

    assert price_bounds.asked(session, li, HOSPITAL_COMPANION) is None
    with pytest.raises(Conflict, match="price_changed"):
        bookings.check_rate(session, li, HOSPITAL_COMPANION, PRICE_FEN)


class TestLevel:
    def test_the_operator_sets_it_and_she_is_told(self, session):
        levels.give(session, OPERATOR, LI.id, JUNIOR)

        assert caregivers.profile(session, ZHOU, LI.id).level is JUNIOR
        assert told(session, NoticeKind.LEVEL_CHANGED) == [(LI.id, {"level": "junior"})]
        assert len(deeds(session, "set_level")) == 1

    def test_the_one_she_has_changes_nothing(self, session):
        levels.give(session, OPERATOR, LI.id, INTERMEDIATE)

        assert told(session, NoticeKind.LEVEL_CHANGED) == deeds(session, "set_level") == []

    @pytest.mark.parametrize("actor", [LI, DESK, ZHOU])
    def test_nobody_else_does(self, session, actor):
        with pytest.raises(NotAllowed):
            levels.give(session, actor, LI.id, SENIOR)

    def test_nor_another_citys_operator(self, session):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            levels.give(session, FAR_OPERATOR, LI.id, SENIOR)
        assert caregivers.profile(session, OPERATOR, LI.id).level is INTERMEDIATE
