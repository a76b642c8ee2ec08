"""Finding caregivers: who can come, in which order, and what nobody learns."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from data.caregivers import Caregiver, Certificate, Rate, WeeklyHours
from data.cities import City
from services import (
    bookable,
    calendars,
    caregivers,
    clock,
    gate,
    places,
    reviews,
    search,
    track_records,
)
from services.availability import Obstacle, Taken
from services.errors import NotFound
from services.search import Sort, Wanted
from services.track_records import Score
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
    free = bookable.free_starts(session, ZHOU, LI.id, COMPANIONSHIP, 2, None)
    day = clock.moment.date() + timedelta(days=1)
    assert tomorrow not in free[day.isoformat()]
    assert tomorrow + timedelta(hours=2) in free[day.isoformat()]


def test_only_those_who_can_be_booked_show_offers(session):
    assert [one.item_id for one in bookable.offers(session, ZHOU, LI.id)] == [COMPANIONSHIP]
    with pytest.raises(NotFound):
        bookable.offers(session, ZHOU, DRAFT.id)
    with pytest.raises(NotFound):
        bookable.free_starts(session, ZHOU, DRAFT.id, COMPANIONSHIP, 2, None)


def test_only_as_many_cards_as_are_shown_are_made(session):
    finding = search.find(session, ZHOU, wanted(), 1)
    assert finding.count == 2
    assert len(finding.shown) == 1


def test_who_is_never_free_is_left_out_and_the_next_best_fills_the_place(session, clock):
    session.flush()
    nearest = search.find(session, ZHOU, wanted(sort=Sort.DISTANCE), 1).shown[0].id
    busy, other = (LI, ZHAO) if nearest == LI.id else (ZHAO, LI)
    occupy(session, busy, clock.moment, days=58)
    session.execute(update(City).values(horizon_days=58))

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


def others(session, **changes):
    session.flush()
    return search.find(session, ZHOU, wanted(**changes)).others


class TestWhyOthersCannot:
    def test_each_counts_once_by_what_stands_in_the_way_first(self, session, clock):
        tomorrow = clock.moment + timedelta(days=1)
        make_visit(session, caregiver=LI, starts_at=tomorrow)
        session.get_one(Caregiver, ZHAO.id).radius_km = 5
        far = {"cell": places.cell_of_district(RUGAO), "starts_at": tomorrow}
        assert others(session, starts_at=tomorrow) == {Obstacle.BUSY: 1}
        assert others(session, **far) == {Obstacle.TOO_FAR: 1, Obstacle.BUSY: 1}

    def test_papers_come_before_the_way_and_the_way_before_the_price(self, session):
        for held in session.query(Certificate).filter(Certificate.caregiver_id == LI.id):
            held.approved_at = None
        session.get_one(Caregiver, LI.id).radius_km = 1
        far = {"cell": places.cell_of_district(RUGAO), "most_fen": PRICE_FEN - 1}
        assert list(others(session, **far)) == [Obstacle.CERTIFICATE, Obstacle.PRICE]

    def test_who_has_no_price_does_not_offer_it(self, session):
        assert others(session, item_id=HOSPITAL_COMPANION) == {Obstacle.NOT_OFFERED: 2}

    def test_the_most_a_family_pays_leaves_out_who_asks_more(self, session):
        session.query(Rate).filter(Rate.caregiver_id == LI.id).one().price_fen = PRICE_FEN + 100
        assert found(session, most_fen=PRICE_FEN) == [ZHAO.id]
        assert others(session, most_fen=PRICE_FEN) == {Obstacle.PRICE: 1}

    def test_too_soon_is_too_soon_for_everybody(self, session, clock):
        soon = clock.moment + timedelta(minutes=30)
        assert others(session, starts_at=soon) == {Obstacle.TOO_SOON: 2}

    def test_where_nobody_works_nobody_is_the_obstacle(self, session):
        session.flush()
        nowhere = wanted(city_code=LUZHOU)
        assert search.first_obstacle(session, nowhere, ZHOU.id) == (False, Obstacle.NOBODY)
        assert others(session, city_code=LUZHOU) == {}

    def test_the_last_one_to_fail_tells_what_was_missing(self, session, clock):
        tomorrow = clock.moment + timedelta(days=1)
        make_visit(session, caregiver=LI, starts_at=tomorrow)
        session.get_one(Caregiver, ZHAO.id).radius_km = 5
        session.flush()
        then = wanted(cell=places.cell_of_district(RUGAO), starts_at=tomorrow)
        assert search.first_obstacle(session, then, ZHOU.id) == (False, Obstacle.BUSY)


def test_one_praise_does_not_outdo_many(session):
    many, one = Score(100, 100, 4.8, 4.8, 4.8, 4.8), Score(1, 1, 5.0, 5.0, 5.0, 5.0)
    mean = 4.5
    assert track_records.liked(many, mean) > track_records.liked(one, mean) > mean
    assert track_records.liked(Score(), mean) == mean


def test_a_citys_mean_is_that_of_its_reviews(session):
    assert track_records.city_means(session, [NANTONG]) == {NANTONG: track_records.UNREVIEWED_CITY}
    visit_id = make_redeemed_visit(session, caregiver=LI)
    reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 4, ""))
    assert track_records.city_means(session, [NANTONG, LUZHOU])[NANTONG] == 4


def test_the_next_starts_are_the_first_of_each_day(session, clock):
    session.flush()
    cell = places.cell_of_district(CHONGCHUAN)
    starts = bookable.next_starts(session, ZHOU, LI.id, COMPANIONSHIP, 2, cell)
    assert len(starts) == 3
    assert len({start.date() for start in starts}) == 3
    assert starts[0] == search.find(session, ZHOU, wanted()).shown[0].next_start_at
    with pytest.raises(NotFound):
        bookable.next_starts(session, ZHOU, DRAFT.id, COMPANIONSHIP, 2, cell)


def test_bitmaps_and_a_close_look_find_the_same_first_start(session, clock):
    """Also for a plan that keeps no half hours."""
    hours = session.scalars(select(WeeklyHours).where(WeeklyHours.caregiver_id == LI.id))
    for stretch in hours:
        stretch.starts_minute += 7
    make_visit(session, caregiver=ZHAO, starts_at=clock.moment + timedelta(hours=4))
    session.flush()
    near = {one.id: one.next_start_at for one in search.find(session, ZHOU, wanted()).shown}
    soon = search.find(session, ZHOU, wanted(sort=Sort.SOONEST)).shown
    assert {one.id: one.next_start_at for one in soon} == near
    assert [one.next_start_at for one in soon] == sorted(near.values())


def test_many_meet_at_a_wanted_time_what_each_of_them_meets_alone(session, clock):
    session.execute(update(City).values(week_hours=5))
    tomorrow = clock.moment + timedelta(days=1)
    make_visit(session, caregiver=LI, starts_at=tomorrow)
    make_visit(session, caregiver=ZHAO, starts_at=tomorrow + timedelta(days=1))
    make_visit(session, caregiver=ZHAO, starts_at=tomorrow + timedelta(days=2))
    session.flush()
    for hours in range(3, 24 * 5):
        starts_at = clock.moment + timedelta(hours=hours)
        visit = Taken(starts_at, starts_at + timedelta(hours=2), wanted().cell)
        people = [session.get_one(Caregiver, one.id) for one in (LI, ZHAO)]
        alone = Counter(calendars.obstacle(session, one, visit) for one in people)
        finding = search.find(session, ZHOU, wanted(starts_at=starts_at))
        assert finding.count == alone.pop(None, 0)
        assert finding.others == alone


@pytest.mark.parametrize("sort", [Sort.FIT, Sort.SOONEST])
def test_as_many_questions_for_many_as_for_few(session, sort):
    def asked(limit):
        statements = []
        note = lambda *given: statements.append(given[2])  # noqa: E731
        event.listen(session.get_bind(), "before_cursor_execute", note)
        search.find(session, ZHOU, wanted(sort=sort), limit)
        event.remove(session.get_bind(), "before_cursor_execute", note)
        return len(statements)

    session.flush()
    assert asked(1) == asked(2)
