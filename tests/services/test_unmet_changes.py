"""Changes that would have met needs: each is asked for again with one obstacle taken away."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from data.caregivers import Caregiver, Certificate, Rate, WeeklyHours
from data.catalogue import CareItem
from data.unmet_needs import UnmetNeed
from services import demands, places, search, unmet_changes, unmet_needs
from services.access import SYSTEM
from services.analytics.terms import Daypart
from services.availability import Obstacle
from services.errors import NotAllowed
from services.unmet_changes import ChangeKind
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    LI,
    MONDAY,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_demand,
)
from tests.services.test_search import wanted

A_DAY = timedelta(days=1)
TOMORROW = MONDAY + A_DAY
RUGAO = "320682"


def best(session, actor=OPERATOR, item_id=None):
    session.flush()
    return unmet_changes.best(session, actor, item_id)


def look_for(session, **changes):
    unmet_needs.note_search(session, ZHOU, wanted(**{"starts_at": TOMORROW} | changes))
    session.flush()


def post(session, clock, starts_at=TOMORROW, **changes):
    """A demand that nobody takes up until its time has come."""
    make_demand(session, starts_at=starts_at, **changes)
    session.flush()
    clock.moment = TOMORROW + A_DAY
    demands.expire_due(session, SYSTEM)
    session.flush()


def obstacles(session):
    return set(session.scalars(select(UnmetNeed.obstacle)))


def live_near_chongchuan(session):
    session.execute(update(Caregiver).values(cell=places.cell_of_district(CHONGCHUAN), radius_km=5))


class TestTried:
    def test_a_certificate_of_ones_own_people(self, session, clock):
        session.execute(delete(Certificate).where(Certificate.kind == "health"))
        session.get_one(CareItem, COMPANIONSHIP).required_certificates = ["health"]
        post(session, clock)
        [change] = best(session)
        subject = change.subject
        assert (subject.kind, subject.place_code) == (ChangeKind.CERTIFY, CHONGCHUAN)
        assert (subject.certificates, subject.daypart) == (("health",), Daypart.MORNING)
        assert (change.needs, change.met, change.exact) == (1, 1, True)

    def test_going_further(self, session, clock):
        live_near_chongchuan(session)
        post(session, clock, district_code=RUGAO)
        [change] = best(session)
        assert (change.subject.kind, change.subject.place_code) == (ChangeKind.REACH, RUGAO)
        assert (change.met, change.exact) == (1, True)

    def test_the_least_that_would_have_been_paid_more(self, session, clock):
        rates = update(Rate).where(Rate.item_id == COMPANIONSHIP)
        session.execute(rates.where(Rate.caregiver_id == LI.id).values(price_fen=PRICE_FEN + 2_000))
        post(session, clock, lowest_fen=3_000, highest_fen=PRICE_FEN - 700)
        [change] = best(session)
        assert change.subject == unmet_changes.Subject(
            ChangeKind.PRICE, NANTONG, item_id=COMPANIONSHIP
        )
        assert (change.amount, change.met, change.exact) == (700, 1, True)

    def test_other_hours(self, session, clock):
        post(session, clock, starts_at=TOMORROW.replace(hour=20))
        [change] = best(session)
        assert change.subject.kind is ChangeKind.SHIFTS
        assert change.subject.daypart is Daypart.EVENING
        assert (change.met, change.exact) == (1, True)

    def test_shorter_notice(self, session, clock):
        look_for(session, starts_at=MONDAY + timedelta(minutes=61))
        assert obstacles(session) == {Obstacle.TOO_SOON}
        [change] = best(session)
        assert (change.subject.kind, change.amount) == (ChangeKind.NOTICE, 1)

    def test_days_further_ahead(self, session, clock):
        look_for(session, starts_at=MONDAY + 100 * A_DAY)
        [change] = best(session)
        assert (change.subject.kind, change.amount) == (ChangeKind.HORIZON, 100)

    def test_a_search_does_not_tell_all_so_it_is_up_to(self, session, clock):
        look_for(session, starts_at=TOMORROW.replace(hour=20))
        [change] = best(session)
        assert (change.subject.kind, change.exact) == (ChangeKind.SHIFTS, False)

    def test_where_the_change_alone_lets_nobody_come_it_takes_one_more(self, session, clock):
        live_near_chongchuan(session)
        late = TOMORROW.replace(hour=20)
        look_for(session, starts_at=late, district_code=RUGAO, cell=places.cell_of_district(RUGAO))
        assert obstacles(session) == {Obstacle.TOO_FAR}
        [change] = best(session)
        assert (change.subject.kind, change.subject.place_code) == (ChangeKind.RECRUIT, RUGAO)

    def test_what_somebody_could_do_by_now_is_left_out(self, session, clock):
        session.execute(delete(WeeklyHours).where(WeeklyHours.weekday == TOMORROW.weekday()))
        post(session, clock)
        assert [one.subject.kind for one in best(session)] == [ChangeKind.SHIFTS]
        for caregiver in (LI, ZHAO):
            session.add(
                WeeklyHours(
                    created_at=MONDAY,
                    caregiver_id=caregiver.id,
                    weekday=TOMORROW.weekday(),
                    starts_minute=0,
                    ends_minute=1440,
                )
            )
        assert best(session) == ()

    def test_no_more_than_so_many_are_asked_for_again(self, session, clock, monkeypatch):
        for _ in range(3):
            look_for(session, starts_at=TOMORROW.replace(hour=20))
        monkeypatch.setattr(unmet_changes, "MOST_TRIED", 2)
        asked = []
        ask = search.first_obstacle
        monkeypatch.setattr(
            search, "first_obstacle", lambda *args: asked.append(args) or ask(*args)
        )
        [change] = best(session)
        assert len(asked) == 2
        assert (change.needs, change.met, change.exact) == (3, 3, False)


class TestRecruiting:
    def test_one_more_is_in_one_place_at_a_time(self, session, clock):
        hours = (9, 9, 11)
        for hour in hours:
            need(session, TOMORROW.replace(hour=hour), Obstacle.BUSY)
        [change] = best(session)
        assert change.subject.kind is ChangeKind.RECRUIT
        assert (change.needs, change.met, change.people) == (3, 2, 2)
        assert not change.exact

    def test_one_without_a_time_is_met_whenever_she_is_free(self, session, clock):
        for starts_at in (TOMORROW, TOMORROW, None):
            need(session, starts_at, Obstacle.NOT_OFFERED)
        changes = {one.subject.daypart: one.met for one in best(session)}
        assert changes == {Daypart.MORNING: 1, None: 1}

    def test_the_best_comes_first(self, session, clock):
        for day in range(3):
            need(session, TOMORROW + day * A_DAY, Obstacle.BUSY, district_code=RUGAO)
        need(session, TOMORROW, Obstacle.BUSY)
        assert [(one.subject.place_code, one.met) for one in best(session)] == [
            (RUGAO, 3),
            (CHONGCHUAN, 1),
        ]


class TestWhose:
    def test_where_nothing_stood_in_the_way_nothing_has_to_change(self, session, clock):
        need(session, TOMORROW, None)
        need(session, TOMORROW, Obstacle.CITY_CLOSED)
        assert best(session) == ()

    def test_one_item_alone(self, session, clock):
        need(session, TOMORROW, Obstacle.BUSY)
        need(session, TOMORROW, Obstacle.BUSY, item_id=HOSPITAL_COMPANION)
        assert sum(one.needs for one in best(session)) == 2
        assert [one.needs for one in best(session, item_id=HOSPITAL_COMPANION)] == [1]

    def test_another_citys_operator_sees_nothing_and_the_desk_may_not(self, session, clock):
        need(session, TOMORROW, Obstacle.BUSY)
        assert best(session, FAR_OPERATOR) == ()
        with pytest.raises(NotAllowed):
            best(session, DESK)


def need(session, starts_at, obstacle, **changes):
    """A search as it is kept."""
    unmet_needs.record(
        session,
        unmet_needs.NeedSource.SEARCH,
        wanted(**{"starts_at": starts_at} | changes),
        obstacle,
    )
