from datetime import timedelta

import pytest
from sqlalchemy import update

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import ItemGroup
from data.cities import City
from services import applications, demands, hall
from services.access import Actor, Role
from services.availability import Obstacle
from services.demands import ApplicationStatus
from services.errors import NotFound
from services.hall import HallFilter
from services.places import DistanceBand
from tests.factories import (
    CHONGCHUAN,
    DRAFT,
    HOSPITAL_COMPANION,
    JIANGYANG,
    LI,
    LUZHOU,
    NASTY,
    NURSING_ONLY,
    TONGZHOU,
    ZHAO,
    ZHOU,
    make_application,
    make_case,
    make_demand,
    make_order,
    make_recipient,
)


def seen(session, actor=LI, **wanted):
    return hall.tasks(session, actor, HallFilter(**wanted)).shown


def ids(session, **wanted):
    return [task.id for task in seen(session, **wanted)]


class TestTask:
    def test_shows_a_neighbourhood_and_an_age_band_never_a_home_or_a_name(self, session):
        make_demand(session, words=NASTY)

        [task] = seen(session)
        assert (task.district_code, task.distance) == (CHONGCHUAN, DistanceBand.NEAR)
        assert task.recipient_age_from == 80
        assert task.words == NASTY
        shown = repr(task)
        for secret in ("周", "濠河花园", "高血压", "312"):
            assert secret not in shown

    def test_shows_the_actors_own_application(self, session):
        demand_id = make_demand(session)
        applications.apply(session, LI, demand_id, 5000)

        [mine], [others] = seen(session), seen(session, ZHAO)
        assert (mine.my_application, mine.my_price_fen) == (ApplicationStatus.SUBMITTED, 5000)
        assert mine.open_moves == ("withdraw",)
        assert (others.my_application, others.my_price_fen) == (None, None)
        assert others.open_moves == ("apply",)

    def test_says_which_certificates_are_missing_and_bars_applying(self, session):
        make_demand(session, item_id=NURSING_ONLY, units=1, lowest_fen=16000, highest_fen=20000)

        [task] = seen(session)
        assert (task.missing_certificates, task.open_moves) == (("nursing",), ())

    def test_says_that_another_visit_is_in_the_way(self, session):
        make_order(session)
        make_demand(session)

        assert [task.obstacles for task in seen(session)] == [(Obstacle.BUSY,)]
        assert [task.obstacles for task in seen(session, ZHAO)] == [()]

    @pytest.mark.parametrize(
        ("hours_from_nine", "inside"), [(0, True), (-2, True), (-3, False), (9, True), (10, False)]
    )
    def test_says_whether_it_lies_in_the_weekly_hours(
        self, session, clock, hours_from_nine, inside
    ):
        make_demand(session, starts_at=clock.moment + timedelta(days=1, hours=hours_from_nine))

        assert [Obstacle.OFF_HOURS not in task.obstacles for task in seen(session)] == [inside]


class TestWhoSees:
    def test_caregivers_of_the_city(self, session):
        demand_id = make_demand(session)

        assert ids(session) == [demand_id]

    def test_nobody_before_approval(self, session):
        make_demand(session)

        assert seen(session, DRAFT) == []

    def test_nobody_of_another_city(self, session):
        make_demand(session, city_code=LUZHOU, district_code=JIANGYANG)

        assert seen(session) == []

    def test_nobody_works_for_themselves(self, session):
        own = Actor(LI.id, Role.CUSTOMER)
        make_case(session, own)
        recipient_id = make_recipient(session, own)
        demand_id = make_demand(session, customer=own, recipient_id=recipient_id)

        assert seen(session, LI) == []
        assert len(seen(session, ZHAO)) == 1
        with pytest.raises(NotFound, match="demand_not_found"):
            make_application(session, demand_id, caregiver=LI)

    def test_nobody_sees_what_is_no_longer_open(self, session, clock):
        make_order(session)
        demands.withdraw(session, ZHOU, make_demand(session))
        make_demand(session, starts_at=clock.moment + timedelta(hours=1))
        clock.move(hours=1)

        assert seen(session) == []

    def test_a_suspended_caregiver_sees_nothing(self, session):
        make_demand(session)
        session.execute(
            update(Caregiver).where(Caregiver.id == LI.id).values(status=CaregiverStatus.SUSPENDED)
        )

        assert seen(session) == []


class TestFilters:
    def test_soonest_first(self, session, clock):
        later = make_demand(session, starts_at=clock.moment + timedelta(days=3))
        sooner = make_demand(session)

        assert ids(session) == [sooner, later]

    def test_by_group(self, session):
        make_demand(session)
        medical = make_demand(
            session, item_id=HOSPITAL_COMPANION, lowest_fen=4000, highest_fen=5000
        )

        assert ids(session, groups=(ItemGroup.MEDICAL,)) == [medical]

    def test_by_skills(self, session):
        make_demand(session)
        wanted = make_demand(session, skills=("cooking", "dialect"))

        assert ids(session, skills=("cooking",)) == [wanted]

    def test_by_days(self, session, clock):
        near = make_demand(session)
        make_demand(session, starts_at=clock.moment + timedelta(days=3))

        assert ids(session, days_ahead=3) == [near]

    def test_by_distance(self, session):
        near = make_demand(session)
        make_demand(session, district_code=TONGZHOU)

        assert ids(session, within_km=10) == [near]

    def test_by_fitting(self, session, clock):
        fitting = make_demand(session)
        make_demand(session, starts_at=clock.moment + timedelta(days=1, hours=12))

        assert ids(session, only_fitting=True) == [fitting]


class TestTheWay:
    def test_is_told_by_the_band_alone(self, session):
        make_demand(session)

        [task] = seen(session)
        assert task.distance is DistanceBand.NEAR
        assert task.travel_minutes % 5 == 0
        assert task.travel_minutes > 0

    def test_a_visit_too_soon_after_another_day_does_not_fit(self, session, clock):
        session.execute(update(City).values(rest_hours=12))
        make_order(session, starts_at=clock.moment + timedelta(days=1, hours=9))
        demand_id = make_demand(session, starts_at=clock.moment + timedelta(days=1, hours=22))

        assert demand_id not in ids(session, only_fitting=True)
        [task] = seen(session)
        assert task.obstacles == (Obstacle.REST,)
