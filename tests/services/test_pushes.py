from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.caregivers import Certificate, Rate
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.pushes import DemandPush, PushedCaregiver
from data.recipients import Sex
from services import (
    applications,
    assignments,
    bookings,
    caregivers,
    demands,
    exclusions,
    hall,
    leaves,
    pushes,
    recurrence,
    to_do,
    waves,
)
from services.access import SYSTEM
from services.board import overrides
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.catalogue import ItemGroup
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.hall import HallFilter
from services.leaves import LeaveReason
from services.pushes import PushStatus
from services.to_do import ToDoKind
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    add_colleague,
    make_application,
    make_demand,
    make_rules,
    make_visit,
    visit_of,
)


@pytest.fixture
def demand_id(session):
    found = make_demand(session)
    session.flush()
    return found


def begin(session, demand_id, actor=OPERATOR):
    push_id = pushes.begin(session, actor, demand_id)
    session.flush()
    return push_id


def work(session, clock=None, **later):
    if clock is not None:
        clock.move(**later)
    moved = waves.send_due(session, SYSTEM)
    session.flush()
    return moved


def take(session, caregiver, push_id, price_fen=PRICE_FEN):
    order_id = pushes.take(session, caregiver, push_id, price_fen)
    session.flush()
    return session.get_one(Order, order_id)


def told(session, kind=NoticeKind.DEMAND_PUSHED):
    sent = select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)
    return list(session.scalars(sent.order_by(OutboxMessage.id)))


def status(session, push_id):
    return session.get_one(DemandPush, push_id).status


def keep_apart(session, clock, caregiver):
    visit_id = make_visit(session, caregiver=caregiver, starts_at=clock.moment + timedelta(days=3))
    session.flush()
    exclusions.keep_apart(session, ZHOU, visit_id)


def one_by_one(session):
    make_rules(session, wave_size=1)


class TestWaves:
    def test_the_best_fit_is_told_first_and_the_next_when_the_wave_is_over(
        self, session, clock, demand_id
    ):
        one_by_one(session)
        session.execute(update(Rate).where(Rate.caregiver_id == LI.id).values(price_fen=5000))
        push_id = begin(session, demand_id)
        first, *_ = told(session)
        assert (told(session), work(session)) == ([first], 0)
        assert work(session, clock, minutes=14) == 0
        assert work(session, clock, minutes=1) == 1
        [hers, theirs] = pushes.listing(session, OPERATOR, NANTONG)[0].told
        assert {first, theirs.caregiver_id} == {LI.id, ZHAO.id}
        assert (hers.wave, hers.rank, theirs.wave, theirs.rank) == (1, 1, 2, 2)
        assert told(session) == [hers.caregiver_id, theirs.caregiver_id]
        assert status(session, push_id) is PushStatus.UNDER_WAY

    def test_they_come_in_the_order_in_which_the_engine_recommends_them(self, session, demand_id):
        colleagues = [add_colleague(session, number) for number in range(1, 5)]
        for number, one in enumerate(colleagues):
            session.execute(
                update(Rate).where(Rate.caregiver_id == one.id).values(price_fen=3100 + number)
            )
        demand = session.get_one(Demand, demand_id)
        order = waves.ranked(session, demand)
        begin(session, demand_id)
        assert told(session) == order[:5]
        assert len(order) == 6

    def test_when_nobody_is_left_it_ends_and_the_operators_are_told(
        self, session, clock, demand_id
    ):
        push_id = begin(session, demand_id)
        assert set(told(session)) == {LI.id, ZHAO.id}
        assert work(session, clock, minutes=15) == 1
        assert status(session, push_id) is PushStatus.EXHAUSTED
        assert told(session, NoticeKind.PUSH_EXHAUSTED) == [OPERATOR.id]
        with pytest.raises(Conflict, match="push_over"):
            take(session, LI, push_id)

    def test_it_ends_with_its_demand_and_those_who_were_told_hear_of_it(self, session, demand_id):
        push_id = begin(session, demand_id)
        demands.withdraw(session, ZHOU, demand_id)
        session.flush()
        assert waves.any_due(session)
        assert work(session) == 1
        assert status(session, push_id) is PushStatus.STOPPED
        assert set(told(session, NoticeKind.PUSH_GONE)) == {LI.id, ZHAO.id}
        assert not waves.any_due(session)

    def test_nobody_else_has_to_see_to_a_demand_while_it_is_pushed(self, session, demand_id):
        def unanswered():
            session.flush()
            return next(
                one.count for one in to_do.today(session, OPERATOR)
                if one.kind is ToDoKind.UNANSWERED
            )  # fmt: skip

        assert unanswered() == 1
        push_id = begin(session, demand_id)
        assert unanswered() == 0
        pushes.stop(session, OPERATOR, push_id)
        assert unanswered() == 1

    def test_an_operator_stops_it(self, session, clock, demand_id):
        push_id = begin(session, demand_id)
        pushes.stop(session, OPERATOR, push_id)
        session.flush()
        assert set(told(session, NoticeKind.PUSH_GONE)) == {LI.id, ZHAO.id}
        assert work(session, clock, hours=1) == 0
        with pytest.raises(Conflict, match="push_over"):
            take(session, LI, push_id)
        with pytest.raises(Conflict, match="push_moved_on"):
            pushes.stop(session, OPERATOR, push_id)
        assert begin(session, demand_id) != push_id

    def test_neither_who_applied_nor_who_was_turned_down_or_is_kept_apart_is_told(
        self, session, clock, demand_id
    ):
        apart, turned_down, banned = (add_colleague(session, number) for number in (1, 2, 3))
        make_application(session, demand_id, caregiver=LI)
        declined = make_application(session, demand_id, caregiver=turned_down)
        session.flush()
        applications.decline(session, OPERATOR, declined)
        keep_apart(session, clock, apart)
        overrides.lay_down(
            session, OPERATOR, Subject(demand_id), banned.id, OverrideKind.FORBID,
            OverrideReason.SAFETY,
        )  # fmt: skip
        session.flush()
        begin(session, demand_id)
        assert told(session) == [ZHAO.id]

    def test_one_for_whom_nobody_qualifies_is_refused(self, session, demand_id):
        session.execute(update(Certificate).values(approved_at=None))
        with pytest.raises(Conflict, match="nobody_to_push"):
            begin(session, demand_id)
        assert session.scalars(select(DemandPush)).all() == []

    def test_only_open_demands_for_one_visit_are_pushed_one_push_at_a_time(
        self, session, clock, demand_id
    ):
        first = clock.moment.date() + timedelta(days=7)
        plan = make_demand(
            session,
            starts_at=recurrence.moment(first, 9 * 60),
            rule=recurrence.weekly(range(5), 1, first),
            until_on=first + timedelta(days=13),
        )
        session.flush()
        with pytest.raises(Conflict, match="plans_are_chosen"):
            begin(session, plan)
        push_id = begin(session, demand_id)
        with pytest.raises(Conflict, match="push_under_way"):
            begin(session, demand_id)
        pushes.stop(session, OPERATOR, push_id)
        demands.withdraw(session, ZHOU, demand_id)
        session.flush()
        with pytest.raises(Conflict, match="demand_not_open"):
            begin(session, demand_id)

    def test_only_the_citys_operators_push(self, session, demand_id):
        with pytest.raises(NotAllowed):
            begin(session, demand_id, DESK)
        with pytest.raises(NotFound):
            begin(session, demand_id, FAR_OPERATOR)
        push_id = begin(session, demand_id)
        with pytest.raises(NotFound):
            pushes.stop(session, FAR_OPERATOR, push_id)
        assert pushes.listing(session, FAR_OPERATOR, NANTONG) == []
        assert pushes.under_way(session, FAR_OPERATOR) == {}

    def test_the_board_shows_what_a_push_would_help_until_there_is_one(self, session, demand_id):
        applied = make_demand(session)
        make_application(session, applied)
        session.flush()
        [one] = pushes.pushable(session, OPERATOR, NANTONG)
        assert one.demand_id == demand_id
        begin(session, demand_id)
        assert pushes.pushable(session, OPERATOR, NANTONG) == []
        assert pushes.under_way(session, OPERATOR) == {demand_id: 2}
        [mine, _] = sorted(demands.mine(session, ZHOU), key=lambda one: one.id)
        assert mine.pushed == 2


class TestTaking:
    def test_the_first_to_take_it_holds_her_time_and_the_others_are_told(self, session, demand_id):
        push_id = begin(session, demand_id)
        order = take(session, LI, push_id)
        held = session.get_one(Visit, visit_of(session, order.id))
        assert (order.status, held.status) == (OrderStatus.ACCEPTED, VisitStatus.HELD)
        assert (order.caregiver_id, order.unit_price_fen) == (LI.id, PRICE_FEN)
        assert session.get_one(Demand, demand_id).status is DemandStatus.DIRECTED
        assert status(session, push_id) is PushStatus.ACCEPTED
        assert told(session, NoticeKind.PUSH_GONE) == [ZHAO.id]
        assert told(session, NoticeKind.REQUEST_TO_APPROVE) == [OPERATOR.id]
        steps = select(StatusChange.move).where(
            StatusChange.noun == Noun.PUSH, StatusChange.subject_id == push_id
        )
        assert session.scalars(steps.order_by(StatusChange.id)).all() == ["begin", "accept"]

    def test_a_second_is_refused_in_words_and_a_second_click_finds_it_done(
        self, session, demand_id
    ):
        push_id = begin(session, demand_id)
        order = take(session, LI, push_id)
        with pytest.raises(Conflict, match="push_taken"):
            take(session, ZHAO, push_id)
        assert take(session, LI, push_id).id == order.id
        assert len(session.scalars(select(Visit)).all()) == 1

    def test_the_operators_yes_makes_it_stand(self, session, demand_id):
        push_id = begin(session, demand_id)
        order = take(session, LI, push_id)
        bookings.confirm(session, OPERATOR, order.id)
        session.flush()
        assert order.status is OrderStatus.CONFIRMED
        assert session.get_one(Demand, demand_id).status is DemandStatus.MATCHED
        assert not waves.any_due(session)
        assert pushes.listing(session, OPERATOR, NANTONG)[0].order_id == order.id

    def test_the_operators_no_frees_her_and_the_push_goes_on_to_the_others(
        self, session, clock, demand_id
    ):
        push_id = begin(session, demand_id)
        order = take(session, LI, push_id)
        bookings.block(session, OPERATOR, order.id, "家属要求换人")
        session.flush()
        assert session.get_one(Visit, visit_of(session, order.id)).status is VisitStatus.CANCELLED
        assert session.get_one(Demand, demand_id).status is DemandStatus.OPEN
        assert told(session, NoticeKind.REQUEST_BLOCKED) == [LI.id]
        assert work(session) == 1
        assert status(session, push_id) is PushStatus.UNDER_WAY
        assert told(session)[-1] == ZHAO.id
        assert sorted(told(session)) == [LI.id, ZHAO.id, ZHAO.id]
        assert take(session, ZHAO, push_id).caregiver_id == ZHAO.id

    def test_an_order_that_nobody_decides_on_in_time_frees_her_and_is_no_silence_of_hers(
        self, session, clock, demand_id
    ):
        push_id = begin(session, demand_id)
        order = take(session, LI, push_id)
        clock.move(hours=2)
        bookings.expire_due(session, SYSTEM)
        session.flush()
        assert order.status is OrderStatus.LAPSED
        assert told(session, NoticeKind.REQUEST_EXPIRED) == []
        assert told(session, NoticeKind.REQUEST_LAPSED) == [ZHOU.id]
        assert told(session, NoticeKind.YES_LAPSED) == [LI.id]
        assert work(session) == 1
        assert status(session, push_id) is PushStatus.UNDER_WAY
        assert sorted(told(session)) == [LI.id, LI.id, ZHAO.id, ZHAO.id]
        assert take(session, LI, push_id).status is OrderStatus.ACCEPTED

    def test_one_that_lapses_as_it_was_to_begin_is_not_said_to_be_looked_for(self, session, clock):
        demand_id = make_demand(session, starts_at=clock.moment + timedelta(hours=1))
        session.flush()
        take(session, LI, begin(session, demand_id))
        clock.move(hours=1)
        bookings.expire_due(session, SYSTEM)
        session.flush()
        assert session.get_one(Demand, demand_id).status is DemandStatus.EXPIRED
        assert told(session, NoticeKind.REQUEST_LAPSED) == []
        assert told(session, NoticeKind.DEMAND_EXPIRED) == [ZHOU.id]
        assert told(session, NoticeKind.YES_LAPSED) == [LI.id]

    def test_without_anybody_else_it_ends_when_its_order_comes_to_nothing(
        self, session, clock, demand_id
    ):
        push_id = begin(session, demand_id)
        pushes.say_no(session, ZHAO, push_id)
        order = take(session, LI, push_id)
        bookings.block(session, OPERATOR, order.id, "家属要求换人")
        session.flush()
        work(session)
        assert status(session, push_id) is PushStatus.EXHAUSTED

    def test_her_application_is_not_needed_any_more(self, session, demand_id):
        push_id = begin(session, demand_id)
        mine = make_application(session, demand_id, caregiver=LI)
        rival = make_application(session, demand_id, caregiver=ZHAO)
        session.flush()
        order = take(session, LI, push_id)
        assert session.get_one(Application, mine).status is ApplicationStatus.WITHDRAWN
        bookings.confirm(session, OPERATOR, order.id)
        session.flush()
        assert session.get_one(Application, rival).status is ApplicationStatus.WAITLISTED

    def test_who_asks_less_than_the_family_offers_takes_it_for_the_least(self, session):
        demand_id = make_demand(session, lowest_fen=4500)
        session.flush()
        push_id = begin(session, demand_id)
        assert take(session, LI, push_id, 4500).unit_price_fen == 4500

    def test_another_price_than_the_one_shown_is_refused(self, session):
        demand_id = make_demand(session, highest_fen=5000)
        session.flush()
        push_id = begin(session, demand_id)
        with pytest.raises(Conflict, match="price_changed"):
            take(session, LI, push_id, PRICE_FEN - 100)
        session.execute(update(Rate).where(Rate.caregiver_id == LI.id).values(price_fen=5100))
        with pytest.raises(Invalid, match="price_out_of_range"):
            take(session, LI, push_id, 5100)
        session.execute(update(Rate).where(Rate.caregiver_id == LI.id).values(item_id=7))
        with pytest.raises(Invalid, match="price_out_of_range"):
            take(session, LI, push_id)

    def test_one_who_is_busy_meanwhile_is_refused(self, session, demand_id):
        push_id = begin(session, demand_id)
        make_visit(session, caregiver=LI)
        session.flush()
        with pytest.raises(Conflict, match="you_are_busy"):
            take(session, LI, push_id)

    def test_one_who_is_away_meanwhile_is_refused(self, session, clock, demand_id):
        push_id = begin(session, demand_id)
        away = clock.moment, clock.moment + timedelta(days=3)
        leaves.take(session, LI, LI.id, *away, LeaveReason.ILLNESS, [])
        session.flush()
        with pytest.raises(Conflict, match="time_does_not_fit"):
            take(session, LI, push_id)

    def test_one_whose_certificate_has_expired_since_is_refused(self, session, clock, demand_id):
        push_id = begin(session, demand_id)
        yesterday = clock.moment.date() - timedelta(days=1)
        hers = update(Certificate).where(Certificate.caregiver_id == LI.id)
        session.execute(hers.values(expires_on=yesterday))
        with pytest.raises(Conflict, match="certificate_missing"):
            take(session, LI, push_id)

    def test_one_of_another_sex_than_the_family_wishes_since_is_refused(self, session, demand_id):
        push_id = begin(session, demand_id)
        session.execute(update(Demand).values(wished_sex=Sex.MALE))
        with pytest.raises(Conflict, match="other_sex_wished"):
            take(session, LI, push_id)

    def test_one_suspended_or_kept_apart_since_is_refused(self, session, clock, demand_id):
        push_id = begin(session, demand_id)
        keep_apart(session, clock, ZHAO)
        caregivers.move(session, OPERATOR, LI.id, "suspend", "查证中")
        session.flush()
        with pytest.raises(Conflict, match="kept_apart"):
            take(session, ZHAO, push_id)
        with pytest.raises(Conflict, match="caregiver_not_approved"):
            take(session, LI, push_id)

    def test_who_was_not_told_cannot_take_it(self, session, demand_id):
        one_by_one(session)
        push_id = begin(session, demand_id)
        other = ZHAO if told(session) == [LI.id] else LI
        with pytest.raises(NotFound):
            take(session, other, push_id)
        with pytest.raises(NotFound):
            take(session, LI, NOBODY_ID)
        with pytest.raises(NotAllowed):
            take(session, OPERATOR, push_id)
        with pytest.raises(NotFound):
            pushes.say_no(session, other, push_id)

    def test_one_given_to_somebody_else_meanwhile_is_over(self, session, demand_id):
        push_id = begin(session, demand_id)
        assignments.assign(session, OPERATOR, demand_id, ZHAO.id)
        session.flush()
        with pytest.raises(Conflict, match="push_over"):
            take(session, LI, push_id)
        work(session)
        with pytest.raises(Conflict, match="push_over"):
            pushes.say_no(session, LI, push_id)


class TestHall:
    def of(self, session, caregiver=LI, **wanted):
        return hall.tasks(session, caregiver, HallFilter(**wanted)).shown

    def test_what_she_was_told_of_comes_first_with_her_own_price(self, session, demand_id, clock):
        sooner = make_demand(session, starts_at=clock.moment + timedelta(hours=3))
        session.flush()
        push_id = begin(session, demand_id)
        first, second = self.of(session)
        assert (first.id, second.id) == (demand_id, sooner)
        assert (first.push.push_id, first.push.price_fen) == (push_id, PRICE_FEN)
        assert first.push.total_fen == 2 * PRICE_FEN
        assert second.push is None

    def test_no_filter_hides_it(self, session, demand_id):
        assert self.of(session, groups=(ItemGroup.MEDICAL,)) == []
        begin(session, demand_id)
        [task] = self.of(session, groups=(ItemGroup.MEDICAL,), only_fitting=True)
        assert task.push is not None

    def test_who_said_no_or_was_not_told_sees_it_as_any_other(self, session, demand_id):
        one_by_one(session)
        push_id = begin(session, demand_id)
        hers = next(one for one in (LI, ZHAO) if one.id in told(session))
        other = ZHAO if hers is LI else LI
        assert [task.push for task in self.of(session, other)] == [None]
        pushes.say_no(session, hers, push_id)
        session.flush()
        assert [task.push for task in self.of(session, hers)] == [None]
        [row] = session.scalars(select(PushedCaregiver)).all()
        assert row.said_no_at is not None

    def test_who_asks_more_than_the_family_pays_may_still_apply(self, session):
        demand_id = make_demand(session, highest_fen=5000)
        session.flush()
        begin(session, demand_id)
        session.execute(update(Rate).where(Rate.item_id == COMPANIONSHIP).values(price_fen=5100))
        [task] = self.of(session)
        assert (task.push, task.open_moves) == (None, ("apply",))
