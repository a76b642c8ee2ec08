from datetime import timedelta

import pytest
from sqlalchemy import select

from data.demands import Demand, DemandStatus
from data.dispatch import DispatchLine, DispatchRun
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import bookings, demands, leaves, pushes
from services.board import acceptance, automation, overrides, proposals, runs, unattended
from services.board.automation import AutoMode, Limits
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.board.proposals import LineState
from services.board.runs import RunStatus
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.leaves import LeaveReason
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    MONDAY,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_visit,
)
from tests.services.board.working_out import A_DAY, many_demands, wish, work_out

ASSIGN = Limits(AutoMode.ASSIGN, most_a_day=10, only_offered=False)


@pytest.fixture
def go(session):
    """What the worker does at a look, its tasks too; how much was done by itself."""

    def work(session_work):
        result = session_work(session)
        session.flush()
        return result

    def look():
        done = unattended.go(work)
        for run in session.scalars(select(DispatchRun).where(DispatchRun.status == "asked")):
            work_out(session, run.id)
        return done + unattended.go(work)

    return look


def say(session, limits=ASSIGN, item_id=COMPANIONSHIP, actor=OPERATOR):
    automation.set_mode(session, actor, NANTONG, item_id, limits)
    session.flush()


def stop(session):
    automation.stop(session, OPERATOR, NANTONG, "台风")
    session.flush()


def go_on(session):
    automation.go_on(session, OPERATOR, NANTONG)
    session.flush()


def told(session):
    kinds = NoticeKind.DISPATCH_SUGGESTED, NoticeKind.DISPATCH_ASSIGNED
    sent = select(OutboxMessage).where(OutboxMessage.kind.in_(kinds)).order_by(OutboxMessage.id)
    return [
        (one.kind, one.account_id, one.facts["count"], one.facts["number"])
        for one in session.scalars(sent)
    ]


def runs_made(session):
    return session.scalars(select(DispatchRun).order_by(DispatchRun.id)).all()


def orders(session):
    return session.scalars(select(Order).order_by(Order.id)).all()


def state(session):
    session.flush()
    return automation.state(session, OPERATOR, NANTONG)


def of_item(session, item_id=COMPANIONSHIP):
    return next(one for one in state(session).modes if one.item_id == item_id)


class TestModes:
    def test_everything_is_off_until_somebody_says_otherwise(self, session, go):
        make_demand(session)
        session.flush()
        assert go() == 0
        assert runs_made(session) == []
        found = state(session)
        assert {one.limits.mode for one in found.modes} == {AutoMode.OFF}
        assert (found.stop, found.last_run_at, found.assigned_today) == (None, None, 0)

    def test_a_mode_is_kept_with_its_limits_and_who_set_it(self, session):
        say(session)
        limits = Limits(AutoMode.SUGGEST, 3, 4500, only_offered=True)
        say(session, limits)
        assert of_item(session).limits == limits
        said = select(AuditEvent).where(AuditEvent.action == "dispatch_mode")
        assert [one.actor_id for one in session.scalars(said)] == [OPERATOR.id] * 2

    def test_limits_that_make_no_sense_are_refused(self, session):
        for limits in (Limits(most_a_day=0), Limits(most_a_day=1001), Limits(most_fen=0)):
            with pytest.raises(Invalid):
                say(session, limits)
        with pytest.raises(NotFound):
            say(session, item_id=NOBODY_ID)

    def test_only_the_citys_operators_say_what_goes_by_itself(self, session):
        for deed in (
            lambda actor: automation.set_mode(session, actor, NANTONG, COMPANIONSHIP, ASSIGN),
            lambda actor: automation.stop(session, actor, NANTONG, "台风"),
            lambda actor: automation.go_on(session, actor, NANTONG),
            lambda actor: automation.state(session, actor, NANTONG),
        ):
            with pytest.raises(NotAllowed):
                deed(DESK)
            with pytest.raises(NotFound):
                deed(FAR_OPERATOR)

    def test_a_stop_takes_words_and_is_lifted_once(self, session, clock):
        with pytest.raises(Invalid):
            automation.stop(session, OPERATOR, NANTONG, " ")
        stop(session)
        stopped = state(session).stop
        assert (stopped.by, stopped.at, stopped.words) == ("陈立军", clock.moment, "台风")
        with pytest.raises(Conflict, match="dispatch_stopped_already"):
            stop(session)
        go_on(session)
        assert state(session).stop is None
        with pytest.raises(Conflict, match="dispatch_not_stopped"):
            go_on(session)


class TestSuggesting:
    def test_a_proposal_is_made_and_the_operators_are_told_once(self, session, go):
        say(session, Limits(AutoMode.SUGGEST))
        demand_id = make_demand(session)
        session.flush()
        assert go() == 2
        [run] = runs_made(session)
        assert (run.status, run.asked_by_id, run.item_ids) == (
            RunStatus.PROPOSED, None, [COMPANIONSHIP],
        )  # fmt: skip
        assert told(session) == [(NoticeKind.DISPATCH_SUGGESTED, OPERATOR.id, 0, 1)]
        assert session.get_one(Demand, demand_id).status is DemandStatus.OPEN
        assert go() == 0
        [line] = proposals.lines(session, OPERATOR, run.id)
        assert acceptance.accept(session, OPERATOR, run.id, [line.number]).accepted == 1

    def test_nothing_open_or_only_other_items_make_no_run(self, session, go):
        say(session, Limits(AutoMode.SUGGEST), item_id=COMPANIONSHIP + 1)
        make_demand(session)
        session.flush()
        assert go() == 0
        assert runs_made(session) == []

    def test_no_more_often_than_every_quarter_of_an_hour_and_only_for_something_new(
        self, session, go, clock
    ):
        say(session, Limits(AutoMode.SUGGEST))
        many_demands(session, 2)
        session.flush()
        go()
        clock.move(minutes=20)
        assert go() == 0
        demands.withdraw(session, ZHOU, make_demand(session))
        session.flush()
        assert go() == 0
        make_demand(session, starts_at=clock.moment + timedelta(days=2))
        session.flush()
        assert go() == 2
        make_demand(session, starts_at=clock.moment + timedelta(days=3))
        session.flush()
        assert go() == 0
        clock.move(minutes=15)
        assert go() == 2
        assert len(runs_made(session)) == 3

    def test_it_waits_while_somebody_elses_run_is_worked_out(self, session, go, clock):
        say(session, Limits(AutoMode.SUGGEST))
        make_demand(session)
        session.flush()
        run_id = runs.ask(session, OPERATOR, wish(clock))
        session.flush()
        assert unattended.go(lambda work: work(session)) == 0
        assert [run.id for run in runs_made(session)] == [run_id]

    def test_what_an_operator_asked_for_is_never_accepted_by_itself(self, session, go, clock):
        say(session)
        make_demand(session)
        session.flush()
        run_id = runs.ask(session, OPERATOR, wish(clock))
        session.flush()
        work_out(session, run_id)
        stop(session)
        assert go() == 0
        assert orders(session) == []
        assert told(session) == []


class TestAssigning:
    def test_lines_within_the_limits_are_accepted_and_the_operators_are_told(self, session, go):
        say(session)
        many_demands(session, 3)
        session.flush()
        go()
        assert {order.status for order in orders(session)} == {OrderStatus.REQUESTED}
        count = len(orders(session))
        assert count >= 2
        assert told(session) == [(NoticeKind.DISPATCH_ASSIGNED, OPERATOR.id, count, 0)]
        assert of_item(session).assigned_today == state(session).assigned_today == count
        by_itself = select(AuditEvent).where(AuditEvent.action == "dispatch_by_itself")
        assert [one.actor_id for one in session.scalars(by_itself)] == [None] * count
        lines = session.scalars(select(DispatchLine).where(DispatchLine.accepted_at.is_not(None)))
        assert {one.accepted_by_id for one in lines} == {None}

    def test_where_only_those_who_offered_count_nobody_else_is_asked(self, session, go):
        say(session, Limits(AutoMode.ASSIGN))
        offered, _ = many_demands(session, 2)
        make_application(session, offered, caregiver=ZHAO)
        session.flush()
        go()
        [order] = orders(session)
        assert (order.demand_id, order.caregiver_id) == (offered, ZHAO.id)
        assert order.status is OrderStatus.CONFIRMED
        assert told(session) == [(NoticeKind.DISPATCH_ASSIGNED, OPERATOR.id, 1, 1)]

    def test_no_more_than_so_many_a_day(self, session, go, clock):
        say(session, Limits(AutoMode.ASSIGN, most_a_day=1, only_offered=False))
        many_demands(session, 2, starts_at=MONDAY + 3 * A_DAY)
        session.flush()
        go()
        assert len(orders(session)) == 1
        clock.move(minutes=20)
        go()
        assert len(orders(session)) == 1
        clock.move(days=1)
        make_demand(session, starts_at=MONDAY + 4 * A_DAY)
        session.flush()
        go()
        assert len(orders(session)) == 2

    def test_none_dearer_than_the_limit(self, session, go):
        say(session, Limits(AutoMode.ASSIGN, most_fen=PRICE_FEN - 100, only_offered=False))
        make_demand(session)
        session.flush()
        go()
        assert orders(session) == []
        assert told(session) == [(NoticeKind.DISPATCH_SUGGESTED, OPERATOR.id, 0, 1)]

    def test_one_item_is_assigned_while_another_is_only_suggested(self, session, go):
        say(session, Limits(AutoMode.SUGGEST))
        say(session, item_id=COMPANIONSHIP + 1)
        make_demand(session)
        session.flush()
        go()
        assert orders(session) == []

    @pytest.mark.parametrize("kind", OverrideKind)
    def test_what_an_operator_laid_down_meanwhile_holds(self, session, kind):
        say(session)
        demand_id = make_demand(session)
        session.flush()
        line = self.proposed(session)
        other = ZHAO.id if line.caregiver_id == LI.id else LI.id
        whom = other if kind is OverrideKind.PIN else line.caregiver_id
        overrides.lay_down(session, OPERATOR, Subject(demand_id), whom, kind, OverrideReason.SAFETY)
        session.flush()
        self.act(session)
        assert orders(session) == []

    def test_what_is_pushed_to_caregivers_is_left_to_them(self, session):
        say(session)
        demand_id = make_demand(session)
        session.flush()
        self.proposed(session)
        pushes.begin(session, OPERATOR, demand_id)
        session.flush()
        self.act(session)
        assert orders(session) == []

    def test_what_the_gate_refuses_stays_as_a_line_that_says_why(self, session):
        say(session)
        make_demand(session)
        session.flush()
        line = self.proposed(session)
        make_visit(session, caregiver={LI.id: LI, ZHAO.id: ZHAO}[line.caregiver_id])
        session.flush()
        before = len(orders(session))
        self.act(session)
        assert len(orders(session)) == before
        assert line.refusal == "error.obstacle_busy"

    def test_a_stand_in_is_asked_for_a_visit(self, session, go):
        say(session)
        visit_id = make_visit(session, caregiver=LI)
        session.flush()
        leaves.take(session, LI, LI.id, MONDAY, MONDAY + 3 * A_DAY, LeaveReason.ILLNESS, [visit_id])
        session.flush()
        go()
        [offer] = session.scalars(select(Visit).where(Visit.replaces_id == visit_id)).all()
        assert (offer.caregiver_id, offer.status) == (ZHAO.id, VisitStatus.OFFERED)
        assert state(session).assigned_today == 1

    def test_who_said_no_is_not_asked_by_itself_again(self, session, go, clock):
        say(session)
        make_demand(session)
        session.flush()
        go()
        [order] = orders(session)
        bookings.refuse(session, {LI.id: LI, ZHAO.id: ZHAO}[order.caregiver_id], order.id)
        session.flush()
        clock.move(minutes=20)
        go()
        assert {one.caregiver_id for one in orders(session)} == {LI.id, ZHAO.id}

    def proposed(self, session):
        """The one line of a run that went by itself, not acted on yet."""
        self.act(session)
        [run] = runs_made(session)
        work_out(session, run.id)
        [line] = session.scalars(select(DispatchLine)).all()
        return line

    def act(self, session):
        unattended.go(lambda work: work(session))
        session.flush()


class TestStopping:
    def test_no_run_begins_while_a_city_is_stopped(self, session, go):
        say(session)
        make_demand(session)
        stop(session)
        assert go() == 0
        go_on(session)
        assert go() > 0
        assert len(orders(session)) == 1

    def test_it_holds_between_a_proposal_and_its_lines_and_it_begins_anew_afterwards(
        self, session, go, clock
    ):
        say(session)
        make_demand(session)
        session.flush()
        unattended.go(lambda work: work(session))
        [run] = runs_made(session)
        work_out(session, run.id)
        stop(session)
        assert go() == 0
        assert (orders(session), told(session)) == ([], [])
        go_on(session)
        clock.move(minutes=20)
        assert go() > 0
        assert len(orders(session)) == 1

    def test_it_holds_between_two_lines(self, session):
        say(session)
        many_demands(session, 2, starts_at=MONDAY + 3 * A_DAY)
        session.flush()
        done = []

        def stops_after_the_first(work):
            result = work(session)
            session.flush()
            if orders(session) and not done:
                done.append(True)
                stop(session)
            return result

        unattended.go(stops_after_the_first)
        [run] = runs_made(session)
        work_out(session, run.id)
        unattended.go(stops_after_the_first)
        assert len(orders(session)) == 1
        states = [one.state for one in proposals.lines(session, OPERATOR, run.id)]
        assert sorted(states) == [LineState.ASKED, LineState.PROPOSED]
        assert told(session) == [(NoticeKind.DISPATCH_ASSIGNED, OPERATOR.id, 1, 1)]
