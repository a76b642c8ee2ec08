"""Exclusions: who is kept apart finds no way to the other any more, and may again when lifted."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.exclusions import Exclusion
from data.history import AuditEvent
from data.orders import Party, Visit
from services import (
    announcements,
    applications,
    bookings,
    clock,
    exclusions,
    hall,
    invitations,
    kept_apart,
    leaves,
    places,
    plan_requests,
    plans,
    recurrence,
    search,
    stand_ins,
    substitutes,
)
from services.access import Actor, Role
from services.courses import Course
from services.dispatch.rules import Rule
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.exclusions import Excluding, Scope
from services.hall import HallFilter
from services.leaves import LeaveReason
from services.plan_requests import PlanForm
from services.search import Wanted
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    MOTHER_ID,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    ZHAO,
    ZHOU,
    make_application,
    make_booking,
    make_demand,
    make_finished_visit,
    make_order,
    make_visit,
    visit_of,
)

WANTED = Wanted(
    item_id=COMPANIONSHIP,
    city_code=NANTONG,
    district_code=CHONGCHUAN,
    cell=places.cell_of_district(CHONGCHUAN),
    units=2,
)
SIDES = [(ZHOU, Party.CUSTOMER), (DESK, Party.CUSTOMER), (LI, Party.CAREGIVER)]


def wish(session, actor=ZHOU, visit_id=None):
    """The wish of a side not to meet the other one of a visit again."""
    visit_id = visit_id or make_finished_visit(session)
    exclusions.keep_apart(session, actor, visit_id)
    session.flush()
    return visit_id


def exclude(session, scope=Scope.PAIR, last_day=None, customer=ZHOU, caregiver=LI, **changes):
    made = exclusions.decide(
        session,
        changes.get("actor", OPERATOR),
        Excluding(scope, changes.get("words", "两次冲突，通话录音已核实"), last_day),
        customer.id,
        caregiver.id,
        changes.get("city", NANTONG),
    )
    session.flush()
    return made


def found_by(session, customer):
    return {one.id for one in search.find(session, customer, WANTED).shown}


class TestAWish:
    @pytest.mark.parametrize(("actor", "side"), SIDES)
    def test_is_kept_once_and_is_private(self, session, actor, side):
        visit_id = wish(session, actor)
        wish(session, actor, visit_id)

        [kept] = session.scalars(select(Exclusion)).all()
        assert (kept.customer_id, kept.caregiver_id, kept.decided_by) == (ZHOU.id, LI.id, side)
        assert exclusions.apart(session, actor, visit_id).exclusion_id == kept.id
        other = LI if side is Party.CUSTOMER else ZHOU
        assert exclusions.apart(session, other, visit_id).exclusion_id is None
        assert exclusions.mine(session, other) == []
        assert exclusions.listing(session, OPERATOR) == []
        audited = select(AuditEvent.actor_id).where(AuditEvent.action == "keep_apart")
        assert session.scalars(audited).all() == [actor.id]

    @pytest.mark.parametrize(("actor", "side"), SIDES)
    def test_is_taken_back_by_its_side_only(self, session, actor, side):
        visit_id = wish(session, actor)
        number = exclusions.apart(session, actor, visit_id).exclusion_id
        other = LI if side is Party.CUSTOMER else ZHOU
        for stranger in (other, STRANGER, ZHAO):
            with pytest.raises(NotFound, match="exclusion_not_found"):
                exclusions.meet_again(session, stranger, number)
        exclusions.meet_again(session, actor, number)
        session.flush()
        assert exclusions.apart(session, actor, visit_id).exclusion_id is None
        assert LI.id in found_by(session, ZHOU)

    def test_leaves_what_is_agreed_and_says_how_much(self, session):
        coming = make_visit(session)
        done = make_finished_visit(session)
        assert exclusions.apart(session, ZHOU, done).agreed_visits == 1
        wish(session, ZHOU, done)
        assert session.get_one(Visit, coming).status == "planned"

    def test_is_listed_for_who_has_it(self, session):
        wish(session)
        assert [one.caregiver_name for one in exclusions.mine(session, ZHOU)] == ["李桂兰"]

    def test_needs_a_visit_of_ones_own(self, session):
        visit_id = make_finished_visit(session)
        for stranger in (STRANGER, ZHAO):
            with pytest.raises(NotFound, match="visit_not_found"):
                exclusions.keep_apart(session, stranger, visit_id)


KEPT_APART = [
    pytest.param(wish, id="a family's wish"),
    pytest.param(lambda session: wish(session, LI), id="a caregiver's wish"),
    pytest.param(exclude, id="a pair"),
    pytest.param(lambda session: exclude(session, Scope.CAREGIVER), id="a caregiver"),
]


@pytest.mark.parametrize("apart", KEPT_APART)
class TestEveryWay:
    def test_of_search_is_closed(self, session, apart):
        assert found_by(session, ZHOU) == {LI.id, ZHAO.id}
        apart(session)
        assert found_by(session, ZHOU) == {ZHAO.id}

    def test_of_a_booking_is_closed(self, session, apart):
        apart(session)
        with pytest.raises(Conflict, match="kept_apart"):
            make_booking(session, starts_at=clock.now() + timedelta(days=2))

    def test_of_a_request_that_waits_is_closed(self, session, apart):
        order_id = make_booking(session, starts_at=clock.now() + timedelta(days=2))
        apart(session)
        with pytest.raises(Conflict, match="kept_apart"):
            bookings.accept(session, LI, order_id)

    def test_of_the_hall_is_closed(self, session, apart):
        demand_id = make_demand(session)
        apart(session)
        assert hall.tasks(session, LI, HallFilter()).count == 0
        assert hall.tasks(session, ZHAO, HallFilter()).count == 1
        with pytest.raises(NotFound, match="demand_not_found"):
            make_application(session, demand_id)

    def test_of_an_application_is_closed(self, session, apart):
        demand_id = make_demand(session)
        application_id = make_application(session, demand_id)
        apart(session)
        with pytest.raises(Conflict, match="kept_apart"):
            applications.approve(session, OPERATOR, application_id)

    def test_of_an_invitation_is_closed(self, session, apart):
        demand_id = make_demand(session)
        apart(session)
        suited = invitations.suiting(session, ZHOU, demand_id).suited
        assert {one.id for one in suited} == {ZHAO.id}
        with pytest.raises(Conflict, match="kept_apart"):
            invitations.invite(session, ZHOU, demand_id, LI.id)

    def test_of_an_announcement_is_closed(self, session, apart):
        demand_id = make_demand(session)
        apart(session)
        told = announcements.announce_demand(session, {"demand_id": demand_id})
        assert told == {"told": 1}

    def test_of_a_substitute_is_closed(self, session, apart):
        visit_id = make_visit(session, caregiver=ZHAO, starts_at=clock.now() + timedelta(days=2))
        assert [one.id for one in stand_ins.for_visit(session, OPERATOR, visit_id)] == [LI.id]
        offer_id = substitutes.ask(session, OPERATOR, visit_id, LI.id)
        session.flush()
        apart(session)
        assert stand_ins.for_visit(session, OPERATOR, visit_id) == ()
        with pytest.raises(Conflict, match="kept_apart"):
            substitutes.accept(session, LI, offer_id)

    def test_of_standing_in_is_closed(self, session, apart):
        tomorrow = clock.now() + timedelta(days=1)
        order_id = make_order(session, caregiver=ZHAO, starts_at=tomorrow)
        visit_id = visit_of(session, order_id)
        begins, ends = tomorrow - timedelta(hours=1), tomorrow + timedelta(days=1)
        leaves.take(session, ZHAO, ZHAO.id, begins, ends, LeaveReason.ILLNESS, [visit_id])
        session.flush()
        [line] = stand_ins.propose(session, OPERATOR, ZHAO.id).lines
        assert [one.id for one in line.options] == [line.proposed.id] == [LI.id]
        apart(session)
        [line] = stand_ins.propose(session, OPERATOR, ZHAO.id).lines
        assert (line.options, line.proposed) == ((), None)
        assert line.obstacles == {Rule.REFUSED: 1}
        outcome = stand_ins.ask_all(session, OPERATOR, [(visit_id, LI.id)])
        assert (outcome.asked, [one.refusal.key for one in outcome.refused]) == (
            0, ["error.kept_apart"],
        )  # fmt: skip

    def test_of_a_plan_is_closed(self, session, apart):
        monday = clock.today() + timedelta(days=7 - clock.today().weekday())
        course = Course(
            rule=recurrence.weekly(range(5), 1, monday), starts_minute=8 * 60, units=2,
            unit_price_fen=PRICE_FEN, first_on=monday, last_on=monday + timedelta(days=11),
        )  # fmt: skip

        def ask(caregiver):
            form = PlanForm(
                caregiver_id=caregiver.id, recipient_id=MOTHER_ID, item_id=COMPANIONSHIP,
                district_code=CHONGCHUAN, address="濠河花园 3 幢 502 室", course=course,
            )  # fmt: skip
            order_id = plan_requests.request(session, ZHOU, form, f"plan {caregiver.id}")
            session.flush()
            return order_id

        order_id = ask(ZHAO)
        bookings.accept(session, ZHAO, order_id)
        session.flush()
        assert [one.id for one in plans.candidates(session, OPERATOR, order_id)] == [LI.id]
        apart(session)
        assert plans.candidates(session, OPERATOR, order_id) == []
        with pytest.raises(Conflict, match="kept_apart"):
            plans.swap(session, OPERATOR, order_id, LI.id, course)
        with pytest.raises(Conflict, match="kept_apart"):
            ask(LI)


class TestADecision:
    def test_on_a_caregiver_hides_her_from_everybody(self, session):
        exclude(session, Scope.CAREGIVER)
        assert found_by(session, STRANGER) == {ZHAO.id}

    def test_on_a_pair_concerns_nobody_else(self, session):
        exclude(session)
        assert found_by(session, STRANGER) == {LI.id, ZHAO.id}

    def test_on_a_family_refuses_its_orders_in_words(self, session):
        exclude(session, Scope.CUSTOMER)
        with pytest.raises(Conflict, match="customer_excluded"):
            make_booking(session)
        with pytest.raises(Conflict, match="customer_excluded"):
            make_demand(session)
        assert make_demand(session, customer=STRANGER)

    def test_ends_after_its_last_day(self, session, clock):
        exclude(session, last_day=clock().date() + timedelta(days=1))
        clock.move(days=1)
        assert found_by(session, ZHOU) == {ZHAO.id}
        clock.move(days=1)
        assert LI.id in found_by(session, ZHOU)

    def test_is_lifted_with_a_reason(self, session):
        number = exclude(session)
        with pytest.raises(Invalid, match="missing"):
            exclusions.lift(session, OPERATOR, number, " ")
        with pytest.raises(NotFound, match="exclusion_not_found"):
            exclusions.lift(session, FAR_OPERATOR, number, "不归我管")
        exclusions.lift(session, OPERATOR, number, "双方已和解")
        session.flush()
        assert session.get_one(Exclusion, number).lifted_words == "双方已和解"
        assert LI.id in found_by(session, ZHOU)
        with pytest.raises(NotFound, match="exclusion_not_found"):
            exclusions.lift(session, OPERATOR, number, "再来一次")

    def test_twice_is_refused(self, session):
        exclude(session)
        with pytest.raises(Conflict, match="excluded_already"):
            exclude(session)
        assert exclude(session, Scope.CAREGIVER)

    @pytest.mark.parametrize("side", [ZHOU, LI])
    def test_on_oneself_is_refused(self, session, side):
        herself = Actor(side.id, Role.OPERATOR, frozenset({NANTONG}))
        with pytest.raises(NotAllowed, match="exclude_oneself"):
            exclude(session, actor=herself)

    def test_needs_evidence_a_city_and_a_day_to_come(self, session, clock):
        with pytest.raises(Invalid, match="missing"):
            exclude(session, words=" ")
        with pytest.raises(NotFound, match="city_not_found"):
            exclude(session, actor=FAR_OPERATOR)
        with pytest.raises(Invalid, match="exclusion_over"):
            exclude(session, last_day=clock().date() - timedelta(days=1))


def test_dispatch_reads_pairs_of_every_kind(session):
    wish(session)
    exclude(session, Scope.CAREGIVER, caregiver=ZHAO)
    families = [ZHOU.id, STRANGER.id, NOBODY_ID]
    assert kept_apart.pairs(session, NANTONG, families) == {
        (ZHOU.id, LI.id),
        (ZHOU.id, ZHAO.id),
        (STRANGER.id, ZHAO.id),
    }


def test_the_same_wish_of_two_accounts_is_one_when_they_are_joined(session, clock):
    wish(session)
    hers = make_finished_visit(session, customer=STRANGER, starts_at=clock() - timedelta(days=3))
    wish(session, STRANGER, hers)
    exclusions.merge(session, ZHOU.id, STRANGER.id)
    session.flush()
    standing = select(Exclusion.customer_id).where(Exclusion.lifted_at.is_(None))
    assert session.scalars(standing).all() == [ZHOU.id]


def test_a_wish_ends_with_whose_it_was(session):
    wish(session)
    exclude(session, words="通话录音")
    exclusions.forget_of(session, [ZHOU.id])
    session.flush()
    rows = session.scalars(select(Exclusion).order_by(Exclusion.id)).all()
    assert [(row.words, row.lifted_at is None) for row in rows] == [("", False), ("", True)]
