from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Rate
from data.demands import Application, ApplicationStatus, Invitation
from data.notices import NoticeKind, OutboxMessage
from services import applications, demands, hall, invitations
from services.catalogue import ItemGroup
from services.errors import Conflict, NotAllowed, NotFound
from services.hall import HallFilter
from services.places import DistanceBand
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    DRAFT,
    FAR_OPERATOR,
    LI,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    TONGZHOU,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_order,
)


def names(session, demand_id, actor=ZHOU):
    return [one.id for one in invitations.suiting(session, actor, demand_id).suited]


def told(session):
    return session.scalars(
        select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.DEMAND_INVITED)
    ).all()


class TestSuiting:
    def test_names_price_score_and_distance_of_those_it_suits(self, session):
        found = invitations.suiting(session, ZHOU, make_demand(session))

        assert [one.id for one in found.suited] == [LI.id, ZHAO.id]
        [li, _] = found.suited
        assert (li.name, li.price_fen, li.distance) == ("李桂兰", PRICE_FEN, DistanceBand.NEAR)
        assert (li.score.overall, li.in_hours, li.invited) == (None, True, False)
        assert found.left == 5

    def test_leaves_out_whom_the_papers_the_way_or_another_visit_keep_away(self, session, clock):
        make_order(session, caregiver=ZHAO)
        demand_id = make_demand(session)
        assert names(session, demand_id) == [LI.id]
        day_before = clock.moment.date() - timedelta(days=1)
        session.execute(update(Certificate).values(expires_on=day_before))
        assert names(session, demand_id) == []

    def test_leaves_out_who_does_not_go_that_far(self, session):
        session.get_one(Caregiver, LI.id).radius_km = 1

        assert names(session, make_demand(session, district_code=TONGZHOU)) == [ZHAO.id]

    def test_leaves_out_who_may_not_work(self, session):
        demand_id = make_demand(session)
        session.get_one(Caregiver, LI.id).status = CaregiverStatus.SUSPENDED
        session.get_one(Account, ZHAO.id).status = AccountStatus.SUSPENDED

        assert names(session, demand_id) == []

    def test_leaves_out_who_has_applied_and_takes_in_who_took_it_back(self, session):
        demand_id = make_demand(session)
        make_application(session, demand_id)
        assert names(session, demand_id) == [ZHAO.id]
        applications.withdraw(session, LI, demand_id)
        session.flush()

        assert set(names(session, demand_id)) == {LI.id, ZHAO.id}

    def test_who_works_then_comes_before_who_does_not_and_dear_ones_last(self, session):
        demand_id = make_demand(session)
        session.execute(
            update(Rate).where(Rate.caregiver_id == LI.id).values(price_fen=PRICE_FEN * 2)
        )
        assert names(session, demand_id) == [ZHAO.id, LI.id]

        early = make_demand(session, starts_at=demands_start(session, demand_id, hours=-4))
        assert [one.in_hours for one in invitations.suiting(session, ZHOU, early).suited] == [
            False,
            False,
        ]

    def test_one_without_a_price_of_her_own_is_shown_without(self, session):
        session.execute(update(Rate).values(item_id=COMPANIONSHIP + 1))
        found = invitations.suiting(session, ZHOU, make_demand(session))

        assert {one.price_fen for one in found.suited} == {None}

    def test_a_strangers_demand_is_no_demand(self, session):
        demand_id = make_demand(session)
        for actor in (STRANGER, FAR_OPERATOR):
            with pytest.raises(NotFound, match="demand_not_found"):
                invitations.suiting(session, actor, demand_id)


def demands_start(session, demand_id, **apart):
    return demands.reach(session, ZHOU, demand_id).starts_at + timedelta(**apart)


class TestInviting:
    @pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR])
    def test_she_is_told_and_it_is_remembered_who_asked(self, session, actor):
        demand_id = make_demand(session)
        number = invitations.invite(session, actor, demand_id, LI.id)

        row = session.get_one(Invitation, number)
        assert (row.demand_id, row.caregiver_id, row.invited_by_id) == (demand_id, LI.id, actor.id)
        assert told(session) == [LI.id]
        assert [one.invited for one in invitations.suiting(session, ZHOU, demand_id).suited] == [
            True,
            False,
        ]
        assert demands.mine(session, ZHOU)[0].invited == 1

    def test_once_only(self, session):
        demand_id = make_demand(session)
        invitations.invite(session, ZHOU, demand_id, LI.id)

        with pytest.raises(Conflict, match="invited_already"):
            invitations.invite(session, OPERATOR, demand_id, LI.id)
        assert told(session) == [LI.id]

    def test_nobody_to_a_demand_that_is_not_open_any_more(self, session, clock):
        demand_id = make_demand(session)
        late = make_demand(session)
        demands.withdraw(session, ZHOU, demand_id)
        with pytest.raises(Conflict, match="demand_not_open"):
            invitations.invite(session, ZHOU, demand_id, LI.id)
        clock.move(days=1)
        with pytest.raises(Conflict, match="demand_not_open"):
            invitations.invite(session, ZHOU, late, LI.id)

    def test_nobody_without_the_certificates(self, session):
        demand_id = make_demand(session)
        session.execute(update(Certificate).values(approved_at=None))

        with pytest.raises(Conflict, match="caregiver_lacks_certificate"):
            invitations.invite(session, ZHOU, demand_id, LI.id)

    def test_nobody_too_far_away(self, session):
        session.get_one(Caregiver, LI.id).radius_km = 1
        demand_id = make_demand(session, district_code=TONGZHOU)

        with pytest.raises(Conflict, match="caregiver_too_far"):
            invitations.invite(session, ZHOU, demand_id, LI.id)

    def test_nobody_who_has_a_visit_then(self, session):
        make_order(session)

        with pytest.raises(Conflict, match="caregiver_busy"):
            invitations.invite(session, ZHOU, make_demand(session), LI.id)

    def test_nobody_who_has_applied(self, session):
        demand_id = make_demand(session)
        application_id = make_application(session, demand_id)
        with pytest.raises(Conflict, match="applied_already"):
            invitations.invite(session, ZHOU, demand_id, LI.id)
        session.get_one(Application, application_id).status = ApplicationStatus.DECLINED
        session.flush()
        with pytest.raises(Conflict, match="applied_already"):
            invitations.invite(session, ZHOU, demand_id, LI.id)

    @pytest.mark.parametrize(
        ("caregiver_id", "refusal", "key"),
        [
            (DRAFT.id, Conflict, "caregiver_not_approved"),
            (NOBODY_ID, NotFound, "caregiver_not_found"),
            (ZHOU.id, NotFound, "caregiver_not_found"),
        ],
    )
    def test_nobody_who_is_no_caregiver(self, session, caregiver_id, refusal, key):
        with pytest.raises(refusal, match=key):
            invitations.invite(session, ZHOU, make_demand(session), caregiver_id)

    def test_no_more_than_so_many_by_a_family_and_more_by_an_operator(self, session, monkeypatch):
        monkeypatch.setattr(invitations, "MOST_BY_FAMILY", 1)
        demand_id = make_demand(session)
        invitations.invite(session, ZHOU, demand_id, LI.id)

        assert invitations.suiting(session, ZHOU, demand_id).left == 0
        with pytest.raises(Conflict, match="too_many_invitations"):
            invitations.invite(session, ZHOU, demand_id, ZHAO.id)
        invitations.invite(session, OPERATOR, demand_id, ZHAO.id)
        assert told(session) == [LI.id, ZHAO.id]

    @pytest.mark.parametrize("actor", [STRANGER, FAR_OPERATOR])
    def test_nobody_to_a_strangers_demand(self, session, actor):
        with pytest.raises(NotFound, match="demand_not_found"):
            invitations.invite(session, actor, make_demand(session), LI.id)

    def test_a_caregiver_invites_nobody(self, session):
        with pytest.raises(NotAllowed):
            invitations.invite(session, LI, make_demand(session), ZHAO.id)


class TestInTheHall:
    def seen(self, session, **wanted):
        found = hall.tasks(session, LI, HallFilter(**wanted)).shown
        return [(one.id, one.invited) for one in found]

    def test_the_invited_come_first(self, session, clock):
        sooner = make_demand(session)
        later = make_demand(session, starts_at=clock.moment + timedelta(days=5))
        assert self.seen(session) == [(sooner, False), (later, False)]
        invitations.invite(session, ZHOU, later, LI.id)

        assert self.seen(session) == [(later, True), (sooner, False)]

    @pytest.mark.parametrize(
        "wanted",
        [
            {"groups": (ItemGroup.MATERNITY,)},
            {"skills": ("dialect",)},
            {"days_ahead": 1},
            {"within_km": 1},
        ],
    )
    def test_no_wish_of_hers_hides_them(self, session, clock, wanted):
        changes = {"starts_at": clock.moment + timedelta(days=5), "district_code": TONGZHOU}
        demand_id = make_demand(session, **changes)
        assert self.seen(session, **wanted) == []
        invitations.invite(session, ZHOU, demand_id, LI.id)

        assert self.seen(session, **wanted) == [(demand_id, True)]

    def test_not_even_that_it_should_fit(self, session, clock):
        demand_id = make_demand(session, starts_at=clock.moment + timedelta(hours=18))
        assert self.seen(session, only_fitting=True) == []
        invitations.invite(session, ZHOU, demand_id, LI.id)

        assert self.seen(session, only_fitting=True) == [(demand_id, True)]

    def test_others_see_it_without_the_mark(self, session):
        demand_id = make_demand(session)
        invitations.invite(session, ZHOU, demand_id, ZHAO.id)

        assert self.seen(session) == [(demand_id, False)]
