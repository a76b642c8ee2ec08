from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Caregiver
from data.cities import City, CityStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.tasks import Task
from services import announcements, applications, catalogue, demands, places
from services.access import SYSTEM, Channel
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    CHONGCHUAN,
    DESK,
    FAR_OPERATOR,
    HOSPITAL_ID,
    JIANGYANG,
    LI,
    LUZHOU,
    MOTHER_ID,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    STRANGERS_FATHER_ID,
    TONGZHOU,
    ZHAO,
    ZHOU,
    demand_form,
    make_application,
    make_demand,
    make_order,
)


def demand(session, demand_id):
    return session.get_one(Demand, demand_id)


class TestPosting:
    def test_keeps_what_was_asked_for(self, session, clock):
        row = demand(session, make_demand(session, units=3, words=NASTY, address=NASTY))

        assert (row.customer_id, row.placed_by_id, row.channel) == (1, 1, Channel.APP)
        assert row.ends_at - row.starts_at == timedelta(hours=3)
        assert (row.words, row.address) == (NASTY, NASTY)
        assert row.status is DemandStatus.OPEN

    def test_leaves_a_history_row_and_asks_for_its_announcement(self, session):
        demand_id = make_demand(session)

        change = session.scalars(select(StatusChange)).one()
        assert (change.move, change.old_status, change.new_status) == ("post", "", "open")
        task = session.scalars(select(Task)).one()
        assert (task.kind, task.facts) == (announcements.KIND, {"demand_id": demand_id})

    def test_the_same_request_key_posts_once(self, session):
        first = make_demand(session, request_key="double click")

        assert make_demand(session, request_key="double click", units=4) == first
        assert len(session.scalars(select(Demand)).all()) == 1

    def test_another_customers_same_request_key_posts_too(self, session):
        first = make_demand(session, request_key="1")

        assert make_demand(session, customer=STRANGER, request_key="1") != first

    @pytest.mark.parametrize(
        ("changes", "refusal", "key"),
        [
            ({"address": " "}, Invalid, "missing"),
            ({"address": "长" * 201}, Invalid, "too_long"),
            ({"words": "长" * 501}, Invalid, "too_long"),
            ({"district_code": JIANGYANG}, Invalid, "district_of_another_city"),
            ({"district_code": "nonsense"}, Invalid, "district_of_another_city"),
            ({"city_code": "110100", "district_code": "110101"}, Conflict, "city_not_open"),
            ({"units": 1}, Invalid, "units_out_of_range"),
            ({"units": 11}, Invalid, "units_out_of_range"),
            ({"lowest_fen": 2999}, Invalid, "price_out_of_range"),
            ({"highest_fen": 6001}, Invalid, "price_out_of_range"),
            ({"lowest_fen": 5000, "highest_fen": 4000}, Invalid, "price_upside_down"),
            ({"recipient_id": STRANGERS_FATHER_ID}, NotFound, "recipient_not_found"),
            ({"recipient_id": NOBODY_ID}, NotFound, "recipient_not_found"),
            ({"item_id": NOBODY_ID}, NotFound, "item_not_found"),
            ({"place_id": NOBODY_ID}, NotFound, "place_not_found"),
            (
                {"place_id": HOSPITAL_ID, "city_code": LUZHOU, "district_code": JIANGYANG},
                NotFound,
                "place_not_found",
            ),
            ({"place_id": HOSPITAL_ID, "district_code": TONGZHOU}, NotFound, "place_not_found"),
            ({"cell": places.cell_of_district(TONGZHOU)}, Invalid, "cell_of_another_district"),
            ({"cell": "no cell"}, Invalid, "cell_of_another_district"),
        ],
    )
    def test_bad_input_is_refused_and_nothing_saved(self, session, changes, refusal, key):
        with pytest.raises(refusal, match=key):
            make_demand(session, **changes)

        assert session.scalars(select(Demand)).all() == []

    def test_a_start_that_has_passed_is_refused(self, session, clock):
        with pytest.raises(Invalid, match="start_in_past"):
            make_demand(session, starts_at=clock.moment)
        make_demand(session, starts_at=clock.moment + timedelta(minutes=1))

    def test_a_start_too_far_ahead_is_refused(self, session, clock):
        with pytest.raises(Invalid, match="start_too_far"):
            make_demand(session, starts_at=clock.moment + timedelta(days=60, minutes=1))
        make_demand(session, starts_at=clock.moment + timedelta(days=60))

    def test_a_paused_city_takes_none(self, session):
        city = session.scalars(select(City).where(City.code == "320600")).one()
        city.status = CityStatus.PAUSED

        with pytest.raises(Conflict, match="city_not_open"):
            make_demand(session)

    def test_an_item_no_longer_offered_is_refused(self, session):
        item_id = demand_form().item_id
        catalogue.named(session, item_id).active = False

        with pytest.raises(NotFound, match="item_not_found"):
            make_demand(session)

    def test_a_known_place_gives_its_neighbourhood(self, session):
        at_hospital = demand(session, make_demand(session, place_id=HOSPITAL_ID))
        somewhere = demand(session, make_demand(session))

        assert at_hospital.cell == places.cell_at(120.872, 32.012)
        assert somewhere.cell == places.cell_of_district(CHONGCHUAN)

    def test_a_neighbourhood_of_the_district_is_kept(self, session):
        cell = min(places.cells_of_district(CHONGCHUAN))

        assert demand(session, make_demand(session, cell=cell)).cell == cell


class TestPostingForACaller:
    def post(self, session, **changes):
        return demands.post(session, DESK, demand_form(**changes), "call", customer_id=ZHOU.id)

    def test_the_desk_is_remembered_as_the_one_who_placed_it(self, session):
        row = demand(session, self.post(session))

        assert (row.customer_id, row.placed_by_id) == (ZHOU.id, DESK.id)

    def test_the_desk_posts_only_in_its_own_cities(self, session):
        with pytest.raises(Conflict, match="city_not_open"):
            self.post(session, city_code=LUZHOU, district_code=JIANGYANG)

    def test_the_recipient_must_be_the_callers(self, session):
        with pytest.raises(NotFound, match="recipient_not_found"):
            self.post(session, recipient_id=STRANGERS_FATHER_ID)

    def test_a_customer_posts_for_nobody_else(self, session):
        form = demand_form(recipient_id=STRANGERS_FATHER_ID)

        with pytest.raises(NotAllowed):
            demands.post(session, ZHOU, form, "key", customer_id=STRANGER.id)

    def test_the_desk_posts_for_somebody(self, session):
        with pytest.raises(NotAllowed):
            demands.post(session, DESK, demand_form(recipient_id=MOTHER_ID), "key")


class TestMine:
    def test_lists_the_customers_own_newest_first(self, session):
        older, newer = make_demand(session), make_demand(session)
        make_demand(session, customer=STRANGER)
        make_application(session, newer)

        seen = demands.mine(session, ZHOU)
        assert [d.id for d in seen] == [newer, older]
        assert [d.applications for d in seen] == [1, 0]
        assert seen[0].recipient_name == "周奶奶"
        assert seen[0].open_moves == ("withdraw",)

    def test_what_became_an_order_is_no_demand_any_more(self, session):
        make_order(session)

        assert demands.mine(session, ZHOU) == []


class TestWithdrawing:
    def test_closes_the_applications_and_tells_the_applicants(self, session):
        demand_id = make_demand(session)
        application_id = make_application(session, demand_id)
        demands.withdraw(session, ZHOU, demand_id)
        session.flush()

        assert demand(session, demand_id).status is DemandStatus.WITHDRAWN
        closed = session.get_one(Application, application_id)
        assert closed.status is ApplicationStatus.CLOSED
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.APPLICATION_CLOSED
        )
        assert session.scalars(told).all() == [LI.id]

    def test_happens_once(self, session):
        demand_id = make_demand(session)
        demands.withdraw(session, ZHOU, demand_id)

        with pytest.raises(Conflict, match="demand_moved_on"):
            demands.withdraw(session, ZHOU, demand_id)

    def test_comes_too_late_after_an_approval(self, session):
        application_id = make_application(session)
        demand_id = session.get_one(Application, application_id).demand_id
        applications.approve(session, OPERATOR, application_id)

        with pytest.raises(Conflict, match="demand_moved_on"):
            demands.withdraw(session, ZHOU, demand_id)

    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_a_strangers_demand_is_no_demand(self, session, nonexistent):
        demand_id = NOBODY_ID if nonexistent else make_demand(session)

        with pytest.raises(NotFound, match="demand_not_found"):
            demands.withdraw(session, STRANGER, demand_id)


class TestExpiring:
    def test_ends_what_found_nobody_in_time(self, session, clock):
        demand_id = make_demand(session)
        application_id = make_application(session, demand_id)
        later = make_demand(session, starts_at=clock.moment + timedelta(days=2))
        clock.move(days=1)

        assert demands.expire_due(session, SYSTEM) == 1
        session.flush()
        assert demand(session, demand_id).status is DemandStatus.EXPIRED
        assert demand(session, later).status is DemandStatus.OPEN
        closed = session.get_one(Application, application_id)
        assert closed.status is ApplicationStatus.CLOSED
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.DEMAND_EXPIRED
        )
        assert session.scalars(told).all() == [ZHOU.id]

    def test_runs_twice_without_harm(self, session, clock):
        make_demand(session)
        clock.move(days=1)
        demands.expire_due(session, SYSTEM)

        assert demands.expire_due(session, SYSTEM) == 0

    def test_leaves_alone_what_was_matched(self, session, clock):
        make_order(session)
        clock.move(days=1)

        assert demands.expire_due(session, SYSTEM) == 0


class TestAnnouncing:
    def announce(self, session, demand_id):
        return announcements.announce_demand(session, {"demand_id": demand_id})

    def told(self, session):
        return set(
            session.scalars(
                select(OutboxMessage.account_id).where(
                    OutboxMessage.kind == NoticeKind.DEMAND_POSTED
                )
            )
        )

    def test_tells_the_approved_caregivers_of_the_city(self, session):
        assert self.announce(session, make_demand(session)) == {"told": 2}
        assert self.told(session) == {LI.id, ZHAO.id}

    def test_tells_each_once(self, session):
        demand_id = make_demand(session)
        self.announce(session, demand_id)

        assert self.announce(session, demand_id) == {"told": 0}

    def test_spares_whom_it_is_too_far_for(self, session):
        session.get_one(Caregiver, LI.id).radius_km = 1
        self.announce(session, make_demand(session, district_code=TONGZHOU))

        assert self.told(session) == {ZHAO.id}

    def test_spares_whose_certificate_has_run_out(self, session, clock):
        clock.move(days=800)

        assert self.announce(session, make_demand(session)) == {"told": 0}

    def test_says_nothing_of_a_demand_that_is_gone(self, session):
        demand_id = make_demand(session)
        demands.withdraw(session, ZHOU, demand_id)

        assert self.announce(session, demand_id) == {"told": 0}


def test_another_citys_operator_reaches_no_demand(session):
    demand_id = make_demand(session)

    with pytest.raises(NotFound, match="demand_not_found"):
        demands.locked(session, FAR_OPERATOR, demand_id)
    assert demands.locked(session, OPERATOR, demand_id).id == demand_id
