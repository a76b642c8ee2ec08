from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Certificate
from data.catalogue import CareItem, CertificateKind
from data.cities import City
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, Visit
from services import bookings, caregivers, day_figures, orders, redemption, to_do, visits
from services.access import Actor, Role
from services.errors import Invalid, NotFound
from services.to_do import ToDoKind
from services.verifications import CaseStatus
from tests.factories import (
    COMPANIONSHIP,
    DRAFT,
    FAR_OPERATOR,
    LI,
    NAMES,
    OPERATOR,
    ZHAO,
    ZHOU,
    cancel_order,
    decide_case,
    make_application,
    make_booking,
    make_case,
    make_demand,
    make_finished_visit,
    make_newcomer,
    make_order,
    make_redeemed_visit,
    make_visit,
    order_of,
)


def waiting(session, actor=OPERATOR):
    session.flush()
    return {one.kind: (one.count, one.since) for one in to_do.today(session, actor) if one.count}


def test_an_idle_city_waits_for_nothing(session):
    assert {one.kind for one in to_do.today(session, OPERATOR)} == set(ToDoKind)
    assert waiting(session) == {}


def test_a_demand_with_applications_waits_once_since_the_first(session, clock):
    demand_id, first = make_demand(session), clock.moment
    make_application(session, demand_id)
    clock.move(hours=1)
    make_application(session, demand_id, caregiver=ZHAO)

    assert waiting(session) == {ToDoKind.APPLICATIONS: (1, first)}


def test_a_demand_nobody_applied_for_is_unanswered(session, clock):
    posted = clock.moment
    make_demand(session)
    clock.move(hours=2)

    assert waiting(session) == {ToDoKind.UNANSWERED: (1, posted)}
    clock.move(days=1)
    assert waiting(session) == {}


def test_a_case_waits_since_the_last_time_it_was_handed_in(session, clock):
    caregivers.move(session, DRAFT, DRAFT.id, "submit")
    decide_case(session, DRAFT, "reject", words="照片不清")
    clock.move(hours=5)
    caregivers.move(session, DRAFT, DRAFT.id, "submit")

    assert waiting(session) == {ToDoKind.CASES: (1, clock.moment)}
    assert waiting(session, FAR_OPERATOR) == {}


def test_families_and_caregivers_wait_in_one_list_the_longest_first(session, clock):
    first = clock.moment
    family = make_case(session, make_newcomer(session), CaseStatus.SUBMITTED)
    clock.move(hours=1)
    caregivers.move(session, DRAFT, DRAFT.id, "submit")

    assert waiting(session) == {ToDoKind.CASES: (2, first)}
    listed = to_do.things(session, OPERATOR, ToDoKind.CASES)
    assert listed[0].subject_id == family
    assert NAMES[DRAFT] in [one.name for one in listed]


def test_nobody_is_told_to_review_their_own_case(session):
    make_case(session, Actor(OPERATOR.id, Role.CUSTOMER), CaseStatus.SUBMITTED)

    assert waiting(session) == {}


def test_a_visit_that_has_not_begun_is_late_after_a_quarter_of_an_hour(session, clock):
    starts_at = clock.moment + timedelta(hours=1)
    visit_id = make_visit(session, starts_at=starts_at)
    clock.move(hours=1, minutes=15)
    assert waiting(session) == {}
    clock.move(seconds=1)

    assert waiting(session) == {ToDoKind.LATE: (1, starts_at)}
    visits.check_in(session, LI, visit_id)
    assert waiting(session) == {}


def test_a_locked_redemption_waits_until_the_lock_ends(session, clock):
    visit_id = make_finished_visit(session)
    for _ in range(5):
        redemption.redeem(session, ZHOU, visit_id, "AAAA-AAAA")

    assert waiting(session)[ToDoKind.LOCKED][0] == 1
    clock.move(minutes=15)
    assert ToDoKind.LOCKED not in waiting(session)


def test_a_visit_not_redeemed_for_a_day_waits(session, clock):
    make_finished_visit(session)
    clock.move(hours=2)
    assert waiting(session) == {}
    clock.move(seconds=1)

    assert waiting(session)[ToDoKind.UNREDEEMED][0] == 1


def test_another_citys_operator_has_nothing_to_do_with_it(session, clock):
    caregivers.move(session, DRAFT, DRAFT.id, "submit")
    make_application(session)
    make_demand(session)
    make_finished_visit(session)
    clock.move(days=3)

    assert waiting(session)
    assert waiting(session, FAR_OPERATOR) == {}


class TestFigures:
    def test_count_the_last_seven_days_today_last(self, session, clock):
        make_redeemed_visit(session)
        clock.move(days=2)
        make_redeemed_visit(session)
        make_demand(session)

        figures = day_figures.figures(session, OPERATOR)
        # Posted and approved two days before each was redeemed, the visit one day before.
        assert figures.posted.days == (0, 0, 1, 0, 1, 0, 1)
        assert figures.confirmed.days == (0, 0, 1, 0, 1, 0, 0)
        assert figures.visits.days == (0, 0, 0, 1, 0, 1, 0)
        assert figures.redeemed.days == (0, 0, 0, 0, 1, 0, 1)
        assert figures.open_now == 1

    @pytest.mark.parametrize(
        ("hour", "days"), [(23, (0, 0, 0, 0, 0, 0, 1)), (24, (0, 0, 0, 0, 0, 1, 0))]
    )
    def test_days_are_the_citys_days(self, session, clock, hour, days):
        make_demand(session)
        clock.move(hours=hour - 9, minutes=30)

        assert day_figures.figures(session, OPERATOR).posted.days == days

    def test_compare_with_yesterday_at_this_hour(self, session, clock):
        make_demand(session)
        clock.move(hours=5)
        make_demand(session, starts_at=clock.moment + timedelta(days=2))
        clock.move(hours=20)

        assert day_figures.figures(session, OPERATOR).posted.yesterday == 1

    def test_leave_out_cancelled_visits_and_other_cities(self, session, clock):
        later_today = clock.moment + timedelta(hours=3)
        cancel_order(session, ZHOU, make_order(session, starts_at=later_today))
        session.flush()

        assert sum(day_figures.figures(session, OPERATOR).visits.days) == 0
        nothing = day_figures.figures(session, FAR_OPERATOR)
        assert sum(nothing.posted.days) == nothing.open_now == 0


class TestSeeingTo:
    def test_puts_a_thing_aside_until_its_time(self, session, clock):
        demand_id = make_demand(session, starts_at=clock.moment + timedelta(days=5))
        until = clock.moment + timedelta(days=1)
        to_do.see_to(session, OPERATOR, ToDoKind.UNANSWERED, demand_id, "已电话联系", until)
        assert waiting(session) == {}
        clock.move(days=1)
        assert waiting(session)[ToDoKind.UNANSWERED][0] == 1

    def test_leaves_other_kinds_of_the_same_number_alone(self, session, clock):
        make_demand(session)
        visit_id = make_finished_visit(session, starts_at=clock.moment - timedelta(days=3))
        until = clock.moment + timedelta(hours=1)
        to_do.see_to(session, OPERATOR, ToDoKind.UNREDEEMED, visit_id, "", until)
        assert set(waiting(session)) == {ToDoKind.UNANSWERED}

    @pytest.mark.parametrize("days", [-1, 0, 15])
    def test_needs_a_time_ahead_and_not_too_far(self, session, clock, days):
        demand_id = make_demand(session)
        with pytest.raises(Invalid):
            to_do.see_to(
                session,
                OPERATOR,
                ToDoKind.UNANSWERED,
                demand_id,
                "",
                clock.moment + timedelta(days=days),
            )

    def test_only_what_waits_in_ones_own_cities(self, session, clock):
        demand_id = make_demand(session)
        until = clock.moment + timedelta(hours=1)
        for actor, kind, number in (
            (FAR_OPERATOR, ToDoKind.UNANSWERED, demand_id),
            (OPERATOR, ToDoKind.LATE, demand_id),
            (OPERATOR, ToDoKind.UNANSWERED, 999),
        ):
            with pytest.raises(NotFound, match="nothing_waits"):
                to_do.see_to(session, actor, kind, number, "", until)

    def test_a_reminder_reaches_the_family_once_a_day(self, session, clock):
        visit_id = make_finished_visit(session, starts_at=clock.moment - timedelta(days=3))
        to_do.remind_family(session, OPERATOR, visit_id)
        assert waiting(session) == {}
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.REDEEM_REMINDER
        )
        assert session.scalars(told).all() == [ZHOU.id]
        with pytest.raises(NotFound):
            to_do.remind_family(session, OPERATOR, visit_id)
        clock.move(days=1)
        to_do.remind_family(session, OPERATOR, visit_id)
        assert len(session.scalars(told).all()) == 2


class TestThings:
    def test_every_kind_is_listed_one_by_one(self, session, clock):
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
        make_application(session)
        make_demand(session, starts_at=clock.moment + timedelta(days=3))
        make_booking(session, starts_at=clock.moment + timedelta(days=4))
        make_finished_visit(session, starts_at=clock.moment - timedelta(days=3))
        make_visit(session, caregiver=ZHAO, starts_at=clock.moment + timedelta(minutes=1))
        clock.move(minutes=30)
        counted = {kind: count for kind, (count, _) in waiting(session).items()}
        for kind, count in counted.items():
            listed = to_do.things(session, OPERATOR, kind)
            assert len(listed) == count
            assert all(thing.kind is kind and thing.since for thing in listed)
        assert set(counted) == {
            ToDoKind.APPLICATIONS,
            ToDoKind.CASES,
            ToDoKind.LATE,
            ToDoKind.REQUESTS,
            ToDoKind.UNANSWERED,
            ToDoKind.UNREDEEMED,
        }

    def test_another_citys_operator_sees_none(self, session):
        make_demand(session)
        session.flush()
        assert to_do.things(session, FAR_OPERATOR, ToDoKind.UNANSWERED) == []

    def test_an_accepted_request_waits_for_the_operator(self, session):
        session.scalars(select(City).where(City.code == "320600")).one().operator_approves = True
        order_id = make_booking(session)
        assert set(waiting(session)) == {ToDoKind.REQUESTS}
        bookings.accept(session, LI, order_id)
        [thing] = to_do.things(session, OPERATOR, ToDoKind.APPROVALS)
        assert (thing.subject_id, thing.order_id, thing.name) == (order_id, order_id, "李桂兰")
        assert thing.due_at == session.get_one(Order, order_id).answer_until

    def test_what_lapses_first_comes_first(self, session, clock):
        tomorrow = clock.moment + timedelta(days=1)
        later = make_booking(session, starts_at=tomorrow)
        session.get_one(Order, later).answer_until = clock.moment + timedelta(hours=2)
        clock.move(minutes=1)
        sooner = make_booking(session, starts_at=tomorrow + timedelta(hours=4))
        session.get_one(Order, sooner).answer_until = clock.moment + timedelta(hours=1)
        session.flush()
        found = to_do.things(session, OPERATOR, ToDoKind.REQUESTS)
        assert [one.order_id for one in found] == [sooner, later]


class TestTimes:
    """Late, missing, over-long and early: each is noticed, and by the operator of the city only."""

    def noticed(self, session, actor=OPERATOR):
        waits = {one.kind for one in to_do.today(session, actor) if one.count}
        alerts = {kind for kind, count in orders.alerts(session, actor).items() if count}
        assert waits == alerts
        return waits

    def test_late_then_missing(self, session, clock):
        visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
        clock.move(hours=1, minutes=15)
        assert self.noticed(session) == set()
        clock.move(minutes=1)
        assert self.noticed(session) == {ToDoKind.LATE}
        clock.move(to=session.get_one(Visit, visit_id).ends_at)
        assert self.noticed(session) == {ToDoKind.MISSING}
        assert self.noticed(session, FAR_OPERATOR) == set()

    def test_over_long(self, session, clock):
        visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
        visits.check_in(session, LI, visit_id)
        session.flush()
        clock.move(to=session.get_one(Visit, visit_id).ends_at + timedelta(minutes=30))
        assert self.noticed(session) == set()
        clock.move(minutes=1)
        assert self.noticed(session) == {ToDoKind.OVERLONG}
        [thing] = to_do.things(session, OPERATOR, ToDoKind.OVERLONG)
        assert thing.since == session.get_one(Visit, visit_id).ends_at

    @pytest.mark.parametrize(("minutes", "noticed"), [(30, set()), (31, {ToDoKind.EARLY})])
    def test_early(self, session, clock, minutes, noticed):
        visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
        visits.check_in(session, LI, visit_id)
        session.flush()
        clock.move(to=session.get_one(Visit, visit_id).ends_at - timedelta(minutes=minutes))
        visits.check_out(session, LI, visit_id, ())
        session.flush()
        assert self.noticed(session) == noticed


class TestWhoMayComeNoMore:
    """Visits whose caregiver lost a certificate they need, or her place here."""

    @pytest.fixture
    def visit_id(self, session):
        """A visit that asks for the health certificate, which LI holds."""
        session.get_one(CareItem, COMPANIONSHIP).required_certificates = [CertificateKind.HEALTH]
        return make_visit(session)

    def certificate(self, session, caregiver=LI, kind=CertificateKind.HEALTH):
        held = Certificate.caregiver_id == caregiver.id, Certificate.kind == kind
        return session.scalars(select(Certificate).where(*held)).one()

    def waits(self, session):
        return waiting(session).get(ToDoKind.UNQUALIFIED, (0, None))[0]

    def test_a_certificate_that_has_run_out(self, session, clock, visit_id):
        assert self.waits(session) == 0
        self.certificate(session).expires_on = clock.moment.date() - timedelta(days=1)
        assert self.waits(session) == 1
        [thing] = to_do.things(session, OPERATOR, ToDoKind.UNQUALIFIED)
        assert (thing.subject_id, thing.name) == (visit_id, NAMES[LI])
        assert waiting(session, FAR_OPERATOR) == {}
        assert orders.alerts(session, OPERATOR)[ToDoKind.UNQUALIFIED] == 1
        [listed] = orders.listing(session, OPERATOR, alert=ToDoKind.UNQUALIFIED)
        assert listed.visit_id == visit_id

    def test_one_that_is_renewed_makes_it_go(self, session, clock, visit_id):
        certificate = self.certificate(session)
        certificate.approved_at = None
        assert self.waits(session) == 1
        certificate.approved_at = clock.moment
        assert self.waits(session) == 0

    def test_one_the_care_does_not_ask_for_is_no_matter(self, session, clock, visit_id):
        other = self.certificate(session, kind=CertificateKind.ELDER_CARE)
        other.expires_on = clock.moment.date() - timedelta(days=1)
        assert self.waits(session) == 0

    def test_anothers_is_no_matter(self, session, clock, visit_id):
        self.certificate(session, ZHAO).expires_on = clock.moment.date() - timedelta(days=1)
        assert self.waits(session) == 0

    def test_who_is_suspended_comes_no_more(self, session, visit_id):
        caregivers.move(session, OPERATOR, LI.id, "suspend", "核实投诉")
        assert self.waits(session) == 1

    def test_a_substitute_or_its_end_settles_it(self, session, visit_id):
        self.certificate(session).approved_at = None
        session.flush()
        cancel_order(session, ZHOU, order_of(session, visit_id))
        assert self.waits(session) == 0
