"""Finding caregivers: who can come, in which order, and what nobody learns."""

from dataclasses import replace
from datetime import timedelta

import pytest

from data.caregivers import Caregiver, Certificate, Rate
from services import caregivers, clock, gate, places, reviews, search
from services.errors import NotFound
from services.search import Sort, Wanted
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    DRAFT,
    HOSPITAL_COMPANION,
    LI,
    LUZHOU,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_booking,
    make_order,
    make_redeemed_visit,
    make_visit,
    new_visit,
)

RUGAO = "320682"


def wanted(**changes):
    wish = Wanted(
        item_id=COMPANIONSHIP,
        city_code=NANTONG,
        district_code=CHONGCHUAN,
        cell=places.cell_of_district(CHONGCHUAN),
        units=2,
    )
    return replace(wish, **changes)


def found(session, actor=ZHOU, **changes):
    session.flush()
    return [one.id for one in search.find(session, actor, wanted(**changes)).shown]


def occupy(session, caregiver, starts_at, days):
    """Days on end without a free hour."""
    order_id = make_order(session, starts_at=clock.now() + timedelta(days=59))
    whole = new_visit(starts_at, starts_at + timedelta(days=days))
    gate.place(session, order_id, caregiver.id, [whole])


def test_approved_caregivers_with_a_price_are_found(session):
    assert set(found(session)) == {LI.id, ZHAO.id}
    assert DRAFT.id not in found(session)


def test_without_a_price_for_the_item_nobody_is_found(session):
    assert found(session, item_id=HOSPITAL_COMPANION) == []


def test_a_suspended_caregiver_is_not_found(session):
    caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期")
    assert found(session) == [ZHAO.id]


def test_an_expired_certificate_hides(session):
    for held in session.query(Certificate).filter(Certificate.caregiver_id == LI.id):
        held.expires_on = clock.today() - timedelta(days=1)
    assert found(session) == [ZHAO.id]


def test_too_far_hides(session):
    session.get_one(Caregiver, LI.id).radius_km = 5
    assert found(session, cell=places.cell_of_district(RUGAO)) == [ZHAO.id]


def test_a_wanted_time_leaves_out_who_is_busy_or_held(session, clock):
    tomorrow = clock.moment + timedelta(days=1)
    make_visit(session, caregiver=LI, starts_at=tomorrow)
    assert found(session, starts_at=tomorrow) == [ZHAO.id]
    make_booking(session, caregiver=ZHAO, starts_at=tomorrow)
    assert found(session, starts_at=tomorrow) == []


def test_a_time_outside_the_plan_finds_nobody(session, clock):
    assert found(session, starts_at=clock.moment + timedelta(hours=15)) == []


def test_another_city_has_its_own(session):
    assert found(session, city_code=LUZHOU) == []


def test_by_sex(session):
    assert found(session, sex="male") == []


def test_order_by_price_and_by_rating(session):
    session.query(Rate).filter(Rate.caregiver_id == LI.id).one().price_fen = PRICE_FEN + 100
    visit_id = make_redeemed_visit(session, caregiver=LI)
    reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 5, ""))
    assert found(session, sort=Sort.PRICE) == [ZHAO.id, LI.id]
    assert found(session, sort=Sort.RATING) == [LI.id, ZHAO.id]
    for sort in Sort:
        assert set(found(session, sort=sort)) == {LI.id, ZHAO.id}


def test_cards_tell_a_band_and_no_address_or_phone(session):
    one, _ = search.find(session, ZHOU, wanted()).shown
    assert one.distance is places.DistanceBand.NEAR
    assert not {"phone", "address", "cell", "kilometres"} & set(one.__slots__)


def test_the_desk_finds_them_too(session):
    assert set(found(session, DESK)) == {LI.id, ZHAO.id}


def test_free_starts_leave_out_what_is_taken(session, clock):
    tomorrow = clock.moment + timedelta(days=1)
    make_visit(session, caregiver=LI, starts_at=tomorrow)
    session.flush()
    free = search.free_starts(session, ZHOU, LI.id, COMPANIONSHIP, 2, None)
    day = clock.moment.date() + timedelta(days=1)
    assert tomorrow not in free[day.isoformat()]
    assert tomorrow + timedelta(hours=2) in free[day.isoformat()]


def test_only_those_who_can_be_booked_show_offers(session):
    assert [one.item_id for one in search.offers(session, ZHOU, LI.id)] == [COMPANIONSHIP]
    with pytest.raises(NotFound):
        search.offers(session, ZHOU, DRAFT.id)
    with pytest.raises(NotFound):
        search.free_starts(session, ZHOU, DRAFT.id, COMPANIONSHIP, 2, None)


def test_only_as_many_cards_as_are_shown_are_made(session):
    finding = search.find(session, ZHOU, wanted(), 1)
    assert finding.count == 2
    assert len(finding.shown) == 1


def test_who_is_never_free_is_left_out_and_the_next_best_fills_the_place(session, clock):
    session.flush()
    nearest = search.find(session, ZHOU, wanted(sort=Sort.DISTANCE), 1).shown[0].id
    busy, other = (LI, ZHAO) if nearest == LI.id else (ZHAO, LI)
    occupy(session, busy, clock.moment, days=58)

    finding = search.find(session, ZHOU, wanted(sort=Sort.DISTANCE), 1)
    assert (finding.count, [one.id for one in finding.shown]) == (1, [other.id])


def test_by_the_soonest_free_time(session, clock):
    session.flush()
    first = search.find(session, ZHOU, wanted(sort=Sort.SOONEST)).shown
    assert [one.next_start_at for one in first] == sorted(one.next_start_at for one in first)

    starts = first[0].next_start_at
    early = LI if first[0].id == LI.id else ZHAO
    occupy(session, early, starts, days=3)
    assert found(session, sort=Sort.SOONEST)[-1] == early.id
