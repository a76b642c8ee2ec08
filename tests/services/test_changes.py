from datetime import timedelta

import pytest
from sqlalchemy import select

from data.demands import Demand
from data.history import AuditEvent
from data.ledger import LedgerAccount, LedgerEntry
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Order, OrderStatus, Party, Visit, VisitStatus
from services import changes, income, ledger, no_shows, orders, places, redemption, visits
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    make_order,
    make_rules,
    make_visit,
    order_of,
    visit_of,
)

TOTAL = 8000
BECAUSE = EndReason.ILLNESS


def balances(session):
    session.flush()
    accounts = ((one, ledger.balance(session, one)) for one in LedgerAccount)
    return {account: fen for account, fen in accounts if fen}


def told(session, kind):
    return set(session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)))


@pytest.fixture
def visit_id(session, clock):
    """A visit in two days; the time in which the family may choose again is over."""
    made = make_visit(session, starts_at=clock.moment + timedelta(days=2))
    session.flush()
    clock.move(hours=3)
    return made


def until_start(clock, session, visit_id, **before):
    clock.move(to=session.get_one(Visit, visit_id).starts_at - timedelta(**before))


class TestFees:
    @pytest.mark.parametrize(
        ("before", "family", "caregiver"),
        [
            ({"hours": 24}, 0, 0),
            ({"hours": 23, "minutes": 59}, 1600, 800),
            ({"hours": 4}, 1600, 800),
            ({"hours": 3, "minutes": 59}, 4000, 2400),
            ({"minutes": 1}, 4000, 2400),
        ],
    )
    def test_follow_the_hours_before_the_start_to_the_minute(
        self, session, clock, visit_id, before, family, caregiver
    ):
        until_start(clock, session, visit_id, **before)

        assert changes.quote(session, ZHOU, visit_id).fee_fen == family
        assert changes.quote(session, DESK, visit_id).fee_fen == family
        assert changes.quote(session, LI, visit_id).fee_fen == caregiver
        assert changes.quote(session, OPERATOR, visit_id).fee_fen == 0

    def test_cost_nothing_while_the_family_may_still_choose_again(self, session, clock):
        visit_id = make_visit(session, starts_at=clock.moment + timedelta(hours=5))
        clock.move(hours=2)
        assert changes.quote(session, ZHOU, visit_id).fee_fen == 0
        clock.move(seconds=1)
        assert changes.quote(session, ZHOU, visit_id).fee_fen > 0

    @pytest.mark.parametrize("actor", [STRANGER, ZHAO, FAR_OPERATOR])
    def test_are_told_to_nobody_else(self, session, visit_id, actor):
        with pytest.raises(NotFound, match="order_not_found"):
            changes.quote(session, actor, visit_id)
        with pytest.raises(NotFound, match="order_not_found"):
            changes.cancel_visit(session, actor, visit_id, BECAUSE, NASTY, 0)


class TestCancelling:
    def test_late_costs_the_family_the_fee_it_was_shown(self, session, clock, visit_id):
        until_start(clock, session, visit_id, hours=23)
        changes.cancel_visit(session, ZHOU, visit_id, BECAUSE, NASTY, 1600)

        visit = session.get_one(Visit, visit_id)
        assert (visit.fee_fen, visit.penalty_fen, visit.ended_by) == (1600, 0, Party.CUSTOMER)
        assert (visit.end_reason, visit.end_words) == (BECAUSE, NASTY)
        assert orders.one(session, ZHOU, visit.order_id).status is OrderStatus.CANCELLED
        assert balances(session) == {
            LedgerAccount.CUSTOMER_RECEIVABLE: 1600,
            LedgerAccount.CAREGIVER_FROZEN: -1360,
            LedgerAccount.PLATFORM_FEE: -240,
        }
        assert told(session, NoticeKind.ORDER_CANCELLED) == {LI.id, OPERATOR.id}

    def test_in_time_leaves_nothing_owed(self, session, clock, visit_id):
        until_start(clock, session, visit_id, hours=24)
        changes.cancel_visit(session, DESK, visit_id, BECAUSE, "", 0)

        assert balances(session) == {}

    def test_by_the_caregiver_costs_her_and_not_the_family(self, session, clock, visit_id):
        until_start(clock, session, visit_id, hours=3)
        changes.cancel_visit(session, LI, visit_id, BECAUSE, "发烧了", 2400)

        assert session.get_one(Visit, visit_id).penalty_fen == 2400
        assert balances(session) == {
            LedgerAccount.CAREGIVER_DEBT: 2400,
            LedgerAccount.PENALTY: -2400,
        }
        assert told(session, NoticeKind.ORDER_CANCELLED) == {ZHOU.id, OPERATOR.id}

    def test_asks_for_the_fee_of_now(self, session, clock, visit_id):
        until_start(clock, session, visit_id, hours=24)
        seen = changes.quote(session, ZHOU, visit_id).fee_fen
        clock.move(seconds=1)

        with pytest.raises(Conflict, match="fee_changed") as refused:
            changes.cancel_visit(session, ZHOU, visit_id, BECAUSE, "", seen)
        assert refused.value.values == {"now_fen": 1600}

    def test_happens_once(self, session, visit_id):
        changes.cancel_visit(session, ZHOU, visit_id, BECAUSE, "", 0)
        session.flush()

        with pytest.raises(Conflict, match="visit_moved_on"):
            changes.cancel_visit(session, ZHOU, visit_id, BECAUSE, "", 0)

    @pytest.mark.parametrize("actor", [ZHOU, LI])
    def test_is_over_when_its_time_has_come(self, session, clock, visit_id, actor):
        until_start(clock, session, visit_id)
        seen = changes.quote(session, actor, visit_id).fee_fen

        with pytest.raises(Conflict, match="visit_time_has_come"):
            changes.cancel_visit(session, actor, visit_id, BECAUSE, "", seen)

    @pytest.mark.parametrize(
        ("fault", "fee", "penalty"),
        [(Party.PLATFORM, 0, 0), (Party.CUSTOMER, 4000, 0), (Party.CAREGIVER, 0, 2400)],
    )
    def test_an_operator_says_by_whose_doing(self, session, clock, visit_id, fault, fee, penalty):
        until_start(clock, session, visit_id, hours=1)
        args = (session, OPERATOR, visit_id, BECAUSE)
        with pytest.raises(Invalid, match="missing"):
            changes.cancel_visit(*args, "  ", fee + penalty, fault=fault)
        with pytest.raises(Invalid, match="too_long"):
            changes.cancel_visit(*args, "长" * 301, fee + penalty, fault=fault)
        changes.cancel_visit(*args, "家属来电", fee + penalty, fault=fault)

        visit = session.get_one(Visit, visit_id)
        assert (visit.fee_fen, visit.penalty_fen) == (fee, penalty)
        assert sum(balances(session).values()) == 0
        [done] = session.scalars(select(AuditEvent).where(AuditEvent.action == "cancel_visit"))
        assert done.detail["fault"] == fault

    def test_a_reason_of_the_platforms_own_is_nobodys_to_choose(self, session, visit_id):
        with pytest.raises(Invalid, match="missing"):
            changes.cancel_visit(session, ZHOU, visit_id, EndReason.NO_SHOW, "", 0)


class TestMissing:
    @pytest.mark.parametrize(
        ("party", "left"),
        [
            (
                Party.CUSTOMER,
                {
                    LedgerAccount.CUSTOMER_RECEIVABLE: TOTAL,
                    LedgerAccount.CAREGIVER_FROZEN: -6800,
                    LedgerAccount.PLATFORM_FEE: -1200,
                },
            ),
            (
                Party.CAREGIVER,
                {LedgerAccount.CAREGIVER_DEBT: 4000, LedgerAccount.PENALTY: -4000},
            ),
        ],
    )
    def test_costs_the_side_that_stayed_away(self, session, clock, visit_id, party, left):
        until_start(clock, session, visit_id)
        changes.miss(session, OPERATOR, visit_id, party, "电话联系不上")

        one = orders.one(session, ZHOU, order_of(session, visit_id))
        assert (one.status, one.visit_status) == (OrderStatus.MISSED, VisitStatus.MISSED)
        assert balances(session) == left
        assert told(session, NoticeKind.VISIT_MISSED) == {ZHOU.id, LI.id}

    def test_needs_words_a_side_and_its_time(self, session, clock, visit_id):
        with pytest.raises(Conflict, match="visit_time_ahead"):
            changes.miss(session, OPERATOR, visit_id, Party.CUSTOMER, "不在家")
        session.rollback()

    def test_needs_evidence(self, session, clock, visit_id):
        until_start(clock, session, visit_id)
        with pytest.raises(Invalid, match="missing"):
            changes.miss(session, OPERATOR, visit_id, Party.CUSTOMER, " ")
        with pytest.raises(Invalid, match="missing"):
            changes.miss(session, OPERATOR, visit_id, Party.PLATFORM, "停电")
        with pytest.raises(NotFound):
            changes.miss(session, FAR_OPERATOR, visit_id, Party.CUSTOMER, "不在家")

    def test_one_that_has_begun_was_not_missed(self, session, clock, visit_id):
        until_start(clock, session, visit_id)
        visits.check_in(session, LI, visit_id)

        with pytest.raises(Conflict, match="visit_moved_on"):
            changes.miss(session, OPERATOR, visit_id, Party.CAREGIVER, "没来")


class TestMoving:
    def move(self, session, visit_id, actor=ZHOU, **by):
        starts_at = session.get_one(Visit, visit_id).starts_at + timedelta(**by)
        seen = changes.moved_price(session, actor, visit_id, starts_at).total_fen
        moved = changes.reschedule(session, actor, visit_id, starts_at, seen)
        session.flush()
        return moved

    @pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR])
    def test_the_new_visit_takes_the_place_of_the_old(self, session, visit_id, actor):
        new_id = self.move(session, visit_id, actor, days=1)

        old, new = session.get_one(Visit, visit_id), session.get_one(Visit, new_id)
        assert (old.status, new.status) == (VisitStatus.DROPPED, VisitStatus.PLANNED)
        assert (new.replaces_id, new.caregiver_id) == (old.id, LI.id)
        assert new.starts_at == old.starts_at + timedelta(days=1)
        order = session.get_one(Order, old.order_id)
        assert session.get_one(Demand, order.demand_id).starts_at == new.starts_at
        assert told(session, NoticeKind.VISIT_MOVED) >= {LI.id}
        assert orders.one(session, ZHOU, order.id).visit_id == new_id

    def test_the_price_is_that_of_the_new_time_and_the_books_follow(self, session, visit_id):
        make_rules(session, night_from_minute=18 * 60)
        new_id = self.move(session, visit_id, hours=9)

        assert session.get_one(Visit, new_id).price_parts == {"base": 8000, "night": 2400}
        assert balances(session) == {
            LedgerAccount.CUSTOMER_RECEIVABLE: 10_400,
            LedgerAccount.ORDERS_COMMITTED: -10_400,
        }
        self.move(session, new_id, hours=-3)
        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) == TOTAL

    def test_the_moved_visit_is_lived_and_redeemed_as_any_other(self, session, clock, visit_id):
        new_id = self.move(session, visit_id, days=1)
        until_start(clock, session, new_id)
        visits.check_in(session, LI, new_id)
        visits.check_out(session, LI, new_id, ())
        assert redemption.redeem(session, ZHOU, new_id, code_of(session, new_id)) is None

        assert orders.one(session, ZHOU, order_of(session, new_id)).status is OrderStatus.COMPLETED
        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) == TOTAL

    def test_overlapping_its_own_old_time_is_no_clash(self, session, visit_id):
        assert self.move(session, visit_id, hours=1)

    def test_another_visit_of_hers_is_one(self, session, clock, visit_id):
        starts_at = session.get_one(Visit, visit_id).starts_at
        make_order(session, starts_at=starts_at + timedelta(hours=4))

        with pytest.raises(Conflict, match="obstacle_busy"):
            self.move(session, visit_id, hours=3)

    def test_the_free_times_offered_are_those_it_can_be_moved_to(self, session, visit_id):
        found = changes.openings(session, ZHOU, visit_id)
        start = session.get_one(Visit, visit_id).starts_at

        assert start not in found[f"{start:%Y-%m-%d}"]
        first = next(iter(found.values()))[0]
        seen = changes.moved_price(session, ZHOU, visit_id, first).total_fen
        assert changes.reschedule(session, ZHOU, visit_id, first, seen)

    def test_is_refused_to_families_once_cancelling_would_cost(self, session, clock, visit_id):
        until_start(clock, session, visit_id, hours=23)

        with pytest.raises(Conflict, match="too_late_to_move"):
            self.move(session, visit_id, days=1)
        assert self.move(session, visit_id, OPERATOR, days=1)

    def test_a_stale_price_nowhere_and_strangers_are_refused(self, session, visit_id):
        starts_at = session.get_one(Visit, visit_id).starts_at
        with pytest.raises(Invalid, match="moved_nowhere"):
            changes.reschedule(session, ZHOU, visit_id, starts_at, TOTAL)
        later = starts_at + timedelta(hours=1)
        with pytest.raises(Conflict, match="price_changed"):
            changes.reschedule(session, ZHOU, visit_id, later, TOTAL - 100)
        for actor in (STRANGER, FAR_OPERATOR):
            with pytest.raises(NotFound):
                changes.reschedule(session, actor, visit_id, later, TOTAL)

    def test_a_double_click_moves_once(self, session, visit_id):
        self.move(session, visit_id, days=1)

        with pytest.raises(Conflict, match="visit_moved_on"):
            self.move(session, visit_id, days=1)

    def test_a_moved_order_can_still_be_cancelled_and_owes_nothing(self, session, visit_id):
        new_id = self.move(session, visit_id, days=1)
        changes.cancel_visit(session, ZHOU, new_id, BECAUSE, "", 0)

        assert balances(session) == {}


def test_the_desk_cancels_for_a_caller(session):
    order_id = make_order(session)
    cancel_order(session, DESK, order_id)

    assert session.get_one(Visit, visit_of(session, order_id)).status is VisitStatus.CANCELLED


class TestTakingANoShowBack:
    def missed(self, clock, session, visit_id, party):
        until_start(clock, session, visit_id)
        changes.miss(session, OPERATOR, visit_id, party, "电话无人接听")
        session.flush()

    @pytest.mark.parametrize("party", [Party.CUSTOMER, Party.CAREGIVER])
    def test_reverses_the_fee_and_the_visit_stays_missed(self, session, clock, visit_id, party):
        self.missed(clock, session, visit_id, party)
        assert balances(session)
        no_shows.take_back(session, OPERATOR, visit_id, NASTY)

        assert balances(session) == {}
        visit = session.get_one(Visit, visit_id)
        assert (visit.status, visit.fee_fen, visit.penalty_fen) == (VisitStatus.MISSED, 0, 0)
        assert (visit.ended_by, visit.end_words) == (Party.PLATFORM, NASTY)
        assert told(session, NoticeKind.NO_SHOW_TAKEN_BACK) == {ZHOU.id, LI.id}
        keys = session.scalars(select(LedgerEntry.event_key)).all()
        assert f"fee_reversed:visit:{visit_id}" in keys
        done = select(AuditEvent).where(AuditEvent.action == "take_back_no_show")
        assert session.scalars(done).one().detail["party"] == party

    def test_takes_a_fee_from_what_was_released_already(self, session, clock, visit_id):
        self.missed(clock, session, visit_id, Party.CUSTOMER)
        clock.move(days=8)
        assert income.release_due(session, SYSTEM) == 1
        assert ledger.balance(session, LedgerAccount.CAREGIVER_PAYABLE, LI.id) == -6800
        no_shows.take_back(session, OPERATOR, visit_id, "门禁记录证明家属在家")
        assert balances(session) == {}
        assert income.release_due(session, SYSTEM) == 0

    def test_happens_once_and_with_words(self, session, clock, visit_id):
        self.missed(clock, session, visit_id, Party.CUSTOMER)
        with pytest.raises(Invalid, match="missing"):
            no_shows.take_back(session, OPERATOR, visit_id, "  ")
        no_shows.take_back(session, OPERATOR, visit_id, "记错了")
        session.flush()
        with pytest.raises(Conflict, match="no_show_not_recorded"):
            no_shows.take_back(session, OPERATOR, visit_id, "记错了")

    def test_only_by_the_citys_operators_who_are_not_concerned(self, session, clock, visit_id):
        self.missed(clock, session, visit_id, Party.CUSTOMER)
        with pytest.raises(NotFound, match="visit_not_found"):
            no_shows.take_back(session, FAR_OPERATOR, visit_id, "记错了")
        with pytest.raises(NotFound, match="visit_not_found"):
            no_shows.evidence(session, FAR_OPERATOR, visit_id)
        both = Actor(ZHOU.id, Role.OPERATOR, frozenset({NANTONG}))
        with pytest.raises(NotAllowed, match="own_dispute"):
            no_shows.take_back(session, both, visit_id, "记错了")

    def test_what_was_not_missed_cannot_be_taken_back(self, session, visit_id):
        with pytest.raises(Conflict, match="no_show_not_recorded"):
            no_shows.take_back(session, OPERATOR, visit_id, "记错了")

    def test_the_evidence_says_who_is_said_not_to_have_come(self, session, clock, visit_id):
        self.missed(clock, session, visit_id, Party.CAREGIVER)
        found = no_shows.evidence(session, OPERATOR, visit_id)
        assert (found.missed_by, found.missed_at) == (Party.CAREGIVER, clock.moment)
        assert (found.words, found.owed_fen) == ("电话无人接听", 4000)
        assert found.checked_in_at is None

    def test_the_evidence_says_when_and_where_she_checked_in(self, session, clock, visit_id):
        until_start(clock, session, visit_id, minutes=5)
        cell = session.get_one(Visit, visit_id).cell
        visits.check_in(session, LI, visit_id, cell)
        found = no_shows.evidence(session, OPERATOR, visit_id)
        assert found.checked_in_at == clock.moment
        assert found.checked_in_near == places.band(0)
        assert found.missed_by is None
