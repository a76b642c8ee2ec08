from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem
from data.cities import City, CityStatus
from data.demands import Demand
from data.history import AuditEvent, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.tasks import Task
from services import applications, demands, idle_demands, places, tasks
from services.access import SYSTEM
from services.demands import Terms
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    DESK,
    LI,
    STRANGER,
    TONGZHOU,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_order,
)


def do_tasks(session):
    """What the worker does with what was asked of it."""
    for task_id in session.scalars(select(Task.id).where(Task.finished_at.is_(None))).all():
        tasks.do(session, task_id)
    session.flush()


def told(session, kind=NoticeKind.DEMAND_POSTED):
    return sorted(
        session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind))
    )


def reoffer(session):
    done = idle_demands.reoffer_due(session, SYSTEM)
    session.flush()
    do_tasks(session)
    return done


@pytest.fixture
def idle(session, clock):
    """A demand for the day after tomorrow, told of once."""
    demand_id = make_demand(session, starts_at=clock.moment + timedelta(days=4))
    do_tasks(session)
    return demand_id


class TestOfferingAgain:
    def test_after_the_citys_hours_caregivers_are_told_again_and_the_family_once(
        self, session, clock, idle
    ):
        assert told(session) == [LI.id, ZHAO.id]
        clock.move(hours=11, minutes=59)
        assert reoffer(session) == 0
        clock.move(minutes=1)

        assert reoffer(session) == 1
        assert told(session) == [LI.id, LI.id, ZHAO.id, ZHAO.id]
        assert told(session, NoticeKind.DEMAND_IDLE) == [ZHOU.id]
        demand = session.get_one(Demand, idle)
        assert (demand.offers, demand.offered_at) == (2, clock.moment)

    def test_the_city_says_how_many_hours(self, session, clock, idle):
        session.execute(update(City).values(reoffer_hours=3))
        clock.move(hours=3)

        assert reoffer(session) == 1

    def test_a_second_run_does_nothing_twice(self, session, clock, idle):
        clock.move(hours=12)

        assert [reoffer(session) for _ in range(2)] == [1, 0]
        assert len(told(session)) == 4

    def test_three_offers_are_the_most(self, session, clock, idle):
        done = []
        for _ in range(4):
            clock.move(hours=12)
            done.append(reoffer(session))

        assert done == [1, 1, 0, 0]
        assert told(session) == [LI.id] * 3 + [ZHAO.id] * 3
        assert told(session, NoticeKind.DEMAND_IDLE) == [ZHOU.id]

    def test_whoever_came_later_is_told_too(self, session, clock):
        session.get_one(Caregiver, ZHAO.id).status = CaregiverStatus.SUSPENDED
        make_demand(session, starts_at=clock.moment + timedelta(days=4))
        do_tasks(session)
        session.get_one(Caregiver, ZHAO.id).status = CaregiverStatus.APPROVED
        clock.move(hours=12)
        reoffer(session)

        assert told(session) == [LI.id, LI.id, ZHAO.id]

    def test_so_is_whose_radius_is_a_little_too_small(self, session, clock):
        away = places.distance_km(
            session.get_one(Caregiver, LI.id).cell, places.cell_of_district(TONGZHOU)
        )
        session.get_one(Caregiver, LI.id).radius_km = int(away / 1.5) + 1
        session.get_one(Caregiver, ZHAO.id).radius_km = int(away / 1.5) - 1
        make_demand(session, starts_at=clock.moment + timedelta(days=4), district_code=TONGZHOU)
        do_tasks(session)
        assert told(session) == []
        clock.move(hours=12)
        reoffer(session)

        assert told(session) == [LI.id]

    def test_one_that_somebody_applied_for_is_left_alone_until_they_withdraw(
        self, session, clock, idle
    ):
        make_application(session, idle)
        clock.move(hours=12)
        assert reoffer(session) == 0
        applications.withdraw(session, LI, idle)
        session.flush()

        assert reoffer(session) == 1

    def test_what_is_over_is_left_alone(self, session, clock):
        withdrawn = make_demand(session)
        demands.withdraw(session, ZHOU, withdrawn)
        make_order(session, starts_at=clock.moment + timedelta(days=4))
        make_demand(session, starts_at=clock.moment + timedelta(hours=12))
        session.flush()
        clock.move(hours=12)

        assert reoffer(session) == 0

    def test_one_from_before_offers_were_counted_is_idle_since_it_was_posted(
        self, session, clock, idle
    ):
        session.execute(update(Demand).values(offers=0, offered_at=None))
        session.expire_all()
        clock.move(hours=12)

        assert reoffer(session) == 1

    def test_it_leaves_a_history_row_by_nobody(self, session, clock, idle):
        clock.move(hours=12)
        reoffer(session)

        last = session.scalars(select(StatusChange).order_by(StatusChange.id.desc())).first()
        assert (last.move, last.actor_id) == ("reoffer", None)


class TestImproving:
    def now(self, session, demand_id):
        demand = session.get_one(Demand, demand_id)
        return Terms(demand.starts_at, demand.units, demand.lowest_fen, demand.highest_fen)

    def improve(self, session, demand_id, actor=ZHOU, **changes):
        wanted = replace(self.now(session, demand_id), **changes)
        idle_demands.improve(session, actor, demand_id, wanted)
        session.flush()

    def test_a_higher_price_is_kept_noted_and_announced_anew(self, session, clock):
        demand_id = make_demand(session, highest_fen=4500)
        do_tasks(session)
        self.improve(session, demand_id, lowest_fen=3500, highest_fen=6000)
        do_tasks(session)

        demand = session.get_one(Demand, demand_id)
        assert (demand.lowest_fen, demand.highest_fen, demand.offers) == (3500, 6000, 2)
        assert told(session) == [LI.id, LI.id, ZHAO.id, ZHAO.id]
        noted = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "improve_demand")
        ).one()
        assert (noted.detail["before"]["highest_fen"], noted.detail["after"]["highest_fen"]) == (
            4500,
            6000,
        )
        moves = session.scalars(select(StatusChange.move).order_by(StatusChange.id)).all()
        assert moves == ["post", "improve"]

    def test_another_time_moves_its_end_too(self, session, clock):
        demand_id = make_demand(session)
        later = clock.moment + timedelta(days=3)
        self.improve(session, demand_id, starts_at=later)

        demand = session.get_one(Demand, demand_id)
        assert (demand.starts_at, demand.ends_at) == (later, later + timedelta(hours=2))

    def test_the_desk_does_it_for_a_caller(self, session):
        demand_id = make_demand(session, highest_fen=4500)
        self.improve(session, demand_id, DESK, highest_fen=5000)

        assert session.get_one(Demand, demand_id).highest_fen == 5000

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({}, "nothing_changed"),
            ({"lowest_fen": 3400}, "price_lowered"),
            ({"highest_fen": 4900}, "price_lowered"),
            ({"highest_fen": 6100}, "price_out_of_range"),
            ({"lowest_fen": 5500}, "price_upside_down"),
            ({"units": 11}, "units_out_of_range"),
        ],
    )
    def test_what_helps_nobody_is_refused(self, session, changes, key):
        demand_id = make_demand(session, lowest_fen=3500, highest_fen=5000)

        with pytest.raises(Invalid, match=key):
            self.improve(session, demand_id, **changes)

    @pytest.mark.parametrize(
        ("apart", "key"),
        [({"days": -1}, "start_in_past"), ({"days": 61}, "start_too_far")],
    )
    def test_so_is_an_impossible_time(self, session, clock, apart, key):
        demand_id = make_demand(session)

        with pytest.raises(Invalid, match=key):
            self.improve(session, demand_id, starts_at=clock.moment + timedelta(**apart))

    def test_comes_too_late_when_somebody_applied(self, session):
        demand_id = make_demand(session, highest_fen=4500)
        make_application(session, demand_id)

        with pytest.raises(Conflict, match="somebody_applied"):
            self.improve(session, demand_id, highest_fen=5000)

    def test_comes_too_late_when_it_is_over(self, session, clock):
        withdrawn = make_demand(session, highest_fen=4500)
        started = make_demand(session, highest_fen=4500)
        demands.withdraw(session, ZHOU, withdrawn)
        with pytest.raises(Conflict, match="demand_moved_on"):
            self.improve(session, withdrawn, highest_fen=5000)
        clock.move(days=1)
        with pytest.raises(Conflict, match="start_in_past"):
            self.improve(session, started, starts_at=clock.moment + timedelta(days=1))

    def test_is_refused_for_what_is_offered_no_more(self, session):
        demand_id = make_demand(session, highest_fen=4500)
        session.execute(update(CareItem).values(active=False))
        with pytest.raises(NotFound, match="item_not_found"):
            self.improve(session, demand_id, highest_fen=5000)
        session.execute(update(CareItem).values(active=True))
        session.execute(update(City).values(status=CityStatus.PAUSED))
        with pytest.raises(Conflict, match="city_not_open"):
            self.improve(session, demand_id, highest_fen=5000)

    def test_has_an_end_too(self, session):
        demand_id = make_demand(session, highest_fen=4000)
        session.get_one(Demand, demand_id).offers = idle_demands.MOST_IN_ALL

        with pytest.raises(Conflict, match="improved_too_often"):
            self.improve(session, demand_id, highest_fen=5000)

    def test_is_for_its_family_alone(self, session):
        demand_id = make_demand(session, highest_fen=4500)
        with pytest.raises(NotFound, match="demand_not_found"):
            self.improve(session, demand_id, STRANGER, highest_fen=5000)
        with pytest.raises(NotAllowed):
            self.improve(session, demand_id, LI, highest_fen=5000)

    def test_is_offered_only_while_nobody_applied(self, session):
        demand_id = make_demand(session)
        assert demands.mine(session, ZHOU)[0].open_moves == ("withdraw", "improve")
        make_application(session, demand_id)

        assert demands.mine(session, ZHOU)[0].open_moves == ("withdraw",)
