"""Unmet needs: what was looked for and not got is kept, and never who looked."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect, select

from data.unmet_needs import NeedSource, OpenSearch, UnmetNeed
from services import bookings, demands, unmet_needs
from services.access import SYSTEM
from services.availability import Obstacle
from services.errors import Invalid, NotAllowed
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    LI,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_application,
    make_booking,
    make_demand,
    make_visit,
)
from tests.services.test_search import wanted

A_DAY = timedelta(days=1)


def needs(session):
    session.flush()
    return [(one.source, one.item_id, one.obstacle) for one in session.scalars(select(UnmetNeed))]


def searches(session):
    return session.scalars(select(OpenSearch.item_id)).all()


class TestSearches:
    def test_one_that_finds_nobody_is_kept_with_what_stood_in_the_way(self, session, clock):
        tomorrow = clock.moment + A_DAY
        for caregiver in (LI, ZHAO):
            make_visit(session, caregiver=caregiver, starts_at=tomorrow)
        unmet_needs.note_search(session, ZHOU, wanted(starts_at=tomorrow))
        unmet_needs.note_search(session, ZHOU, wanted(item_id=HOSPITAL_COMPANION))
        assert needs(session) == [
            (NeedSource.SEARCH, COMPANIONSHIP, Obstacle.BUSY),
            (NeedSource.SEARCH, HOSPITAL_COMPANION, Obstacle.NOT_OFFERED),
        ]

    def test_one_on_the_phone_is_a_call(self, session):
        unmet_needs.note_search(
            session, DESK, wanted(item_id=HOSPITAL_COMPANION), customer_id=ZHOU.id
        )
        assert needs(session)[0][0] is NeedSource.CALL
        with pytest.raises(NotAllowed):
            unmet_needs.note_search(session, DESK, wanted())

    def test_one_left_without_a_request_is_kept_after_a_day(self, session, clock):
        then = wanted(starts_at=clock.moment + 2 * A_DAY)
        unmet_needs.note_search(session, ZHOU, then)
        unmet_needs.note_search(session, ZHOU, then)
        assert searches(session) == [COMPANIONSHIP]
        assert unmet_needs.note_left(session, SYSTEM) == 0
        clock.moment += A_DAY
        assert unmet_needs.note_left(session, SYSTEM) == 1
        assert unmet_needs.note_left(session, SYSTEM) == 0
        assert needs(session) == [(NeedSource.SEARCH, COMPANIONSHIP, None)]
        assert searches(session) == []

    def test_one_that_a_request_or_a_demand_follows_is_no_unmet_need(self, session, clock):
        for follow in (make_booking, make_demand):
            then = wanted(starts_at=clock.moment + 2 * A_DAY)
            unmet_needs.note_search(session, ZHOU, then)
            follow(session)
            assert searches(session) == []

    def test_without_a_time_whoever_finds_somebody_only_looked_around(self, session):
        unmet_needs.note_search(session, ZHOU, wanted())
        assert (needs(session), searches(session)) == ([], [])

    def test_a_district_of_another_city_is_refused(self, session):
        with pytest.raises(Invalid):
            unmet_needs.note_search(session, ZHOU, wanted(district_code="510502"))


class TestDemands:
    def test_one_that_expires_tells_what_stood_in_the_way(self, session, clock):
        make_demand(session, starts_at=clock.moment + A_DAY)
        for caregiver in (LI, ZHAO):
            make_visit(session, caregiver=caregiver, starts_at=clock.moment + A_DAY)
        clock.moment += 2 * A_DAY
        demands.expire_due(session, SYSTEM)
        assert needs(session) == [(NeedSource.DEMAND, COMPANIONSHIP, Obstacle.BUSY)]

    def test_where_somebody_applied_nothing_stood_in_the_way(self, session, clock):
        make_application(session, starts_at=clock.moment + A_DAY)
        clock.moment += 2 * A_DAY
        demands.expire_due(session, SYSTEM)
        assert needs(session) == [(NeedSource.DEMAND, COMPANIONSHIP, None)]


class TestReading:
    def test_an_operator_sees_her_cities_month(self, session, clock):
        unmet_needs.note_search(session, ZHOU, wanted(item_id=HOSPITAL_COMPANION))
        make_demand(session, starts_at=clock.moment + A_DAY)
        clock.moment += 2 * A_DAY
        demands.expire_due(session, SYSTEM)
        session.flush()
        month = unmet_needs.of_month(session, OPERATOR)
        assert month.count == len(month.latest) == 2
        assert month.by_obstacle == {Obstacle.NOT_OFFERED: 1, None: 1}
        assert month.by_item == {HOSPITAL_COMPANION: 1, COMPANIONSHIP: 1}
        assert month.by_hour == {(1, 9): 1}
        one = unmet_needs.of_month(session, OPERATOR, COMPANIONSHIP)
        assert (one.count, one.by_item) == (1, month.by_item)
        clock.moment += unmet_needs.A_MONTH
        assert unmet_needs.of_month(session, OPERATOR).count == 0

    def test_another_citys_operator_sees_nothing(self, session):
        unmet_needs.note_search(session, ZHOU, wanted(item_id=HOSPITAL_COMPANION))
        session.flush()
        assert unmet_needs.of_month(session, FAR_OPERATOR).count == 0

    def test_no_column_says_who(self):
        columns = {column.key for column in inspect(UnmetNeed).column_attrs}
        assert columns == {
            "id", "created_at", "source", "city_code", "district_code", "item_id", "wanted_at",
            "obstacle",
        }  # fmt: skip


def test_a_request_that_nobody_answers_in_time_is_one(session, clock):
    make_booking(session, starts_at=clock.moment + timedelta(hours=4))
    clock.moment += timedelta(hours=5)
    bookings.expire_due(session, SYSTEM)
    assert [source for source, *_ in needs(session)] == [NeedSource.DEMAND]
