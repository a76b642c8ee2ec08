from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account
from data.calls import Call, Direction, Outcome
from services import bookings, calls, complaint_views, complaints, demands, erasure, redemption
from services.access import SYSTEM, Actor, Role
from services.complaints import ComplaintCategory
from services.errors import Conflict, Invalid, NotFound, ServiceError
from tests.factories import (
    DESK,
    LUZHOU,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    cancel_order,
    code_of,
    demand_form,
    make_booking,
    make_finished_visit,
    make_order,
)

COLLEAGUE = Actor(OPERATOR.id, Role.DESK, frozenset({NANTONG}))
FAR = Actor(OPERATOR.id, Role.DESK, frozenset({LUZHOU}))


def rows(session):
    session.flush()
    return session.scalars(select(Call).order_by(Call.id)).all()


class TestBeginning:
    def test_choosing_the_same_caller_again_goes_on_with_the_same_call(self, session, clock):
        first = calls.begin(session, DESK, ZHOU.id)
        assert calls.begin(session, DESK, ZHOU.id) == first
        assert calls.current(session, DESK, ZHOU.id).began_at == clock()

    def test_the_next_caller_ends_it(self, session, clock):
        first = calls.begin(session, DESK, ZHOU.id)
        clock.move(minutes=3)
        calls.begin(session, DESK, STRANGER.id)
        assert session.get_one(Call, first).ended_at == clock()
        assert calls.current(session, DESK, ZHOU.id) is None

    def test_an_unknown_caller_who_turns_out_to_be_somebody_stays_on_the_call(self, session):
        unknown = calls.begin(session, DESK)
        assert calls.current(session, DESK, None).id == unknown
        assert calls.begin(session, DESK, ZHOU.id) == unknown
        assert calls.current(session, DESK, None) is None

    def test_a_forgotten_call_does_not_last_for_days(self, session, clock):
        first = calls.begin(session, DESK, ZHOU.id)
        clock.move(days=2)
        assert calls.current(session, DESK, ZHOU.id) is None
        assert calls.begin(session, DESK, ZHOU.id) != first
        old = session.get_one(Call, first)
        assert old.ended_at == old.created_at + calls.FORGOTTEN

    def test_a_colleague_on_the_same_caller_is_seen_and_seen_by(self, session):
        calls.begin(session, DESK, ZHOU.id)
        calls.begin(session, COLLEAGUE, ZHOU.id)
        assert [one.taken_by for one in calls.others_on(session, DESK, ZHOU.id)] == ["陈立军"]
        assert [one.taken_by for one in calls.others_on(session, COLLEAGUE, ZHOU.id)] == ["孙文静"]

    def test_another_citys_customer_has_no_call_here(self, session):
        session.get_one(Account, ZHOU.id).city_code = LUZHOU
        with pytest.raises(NotFound, match="customer_not_found"):
            calls.begin(session, DESK, ZHOU.id)


class TestOutcome:
    def test_the_deed_sets_it(self, session):
        call_id = calls.begin(session, DESK, ZHOU.id)
        demands.post(session, DESK, demand_form(), "k", customer_id=ZHOU.id)
        assert session.get_one(Call, call_id).outcome is Outcome.POSTED
        order_id = make_order(session)
        cancel_order(session, DESK, order_id)
        call = session.get_one(Call, call_id)
        assert (call.outcome, call.order_id) == (Outcome.CANCELLED, order_id)

    def test_without_a_call_the_deed_begins_one(self, session):
        order_id = make_booking(session)
        bookings.call_off(session, DESK, order_id)
        [call] = rows(session)
        assert (call.outcome, call.taken_by_id) == (Outcome.CANCELLED, DESK.id)

    def test_what_a_family_or_caregiver_does_is_no_call(self, session):
        bookings.call_off(session, ZHOU, make_booking(session))
        assert rows(session) == []

    def test_a_complaint_written_down_is_the_outcome(self, session):
        visit_id = make_finished_visit(session)
        complaints.lodge(session, DESK, visit_id, ComplaintCategory.PUNCTUALITY, "迟到半小时")
        [call] = rows(session)
        assert (call.outcome, call.visit_id) == (Outcome.COMPLAINED, visit_id)
        [one] = complaint_views.open_of(session, DESK, ZHOU.id)
        assert one.words == "迟到半小时"

    def test_it_can_be_changed_and_gets_words_and_a_next_call(self, session, clock):
        call_id = calls.begin(session, DESK, ZHOU.id)
        later = clock() + timedelta(hours=3)
        calls.end(session, DESK, call_id, Outcome.CALL_AGAIN, "下午女儿在家", later)
        [due] = calls.due(session, COLLEAGUE)
        assert (due.id, due.words, due.next_call_at) == (call_id, "下午女儿在家", later)
        assert calls.due(session, FAR) == []
        calls.tick_next(session, COLLEAGUE, call_id)
        assert calls.due(session, DESK) == []
        calls.end(session, DESK, call_id, Outcome.INFORMED)
        assert calls.of_customer(session, DESK, ZHOU.id)[0].outcome is Outcome.INFORMED

    def test_tomorrows_calls_wait_for_tomorrow(self, session, clock):
        call_id = calls.begin(session, DESK, ZHOU.id)
        calls.end(session, DESK, call_id, Outcome.CALL_AGAIN, "", clock() + timedelta(days=1))
        assert calls.due(session, DESK) == []
        clock.move(days=1)
        assert [one.id for one in calls.due(session, DESK)] == [call_id]

    @pytest.mark.parametrize(
        ("outcome", "hours", "key"),
        [
            (None, None, "missing"),
            (Outcome.CALL_AGAIN, None, "missing"),
            (Outcome.INFORMED, -1, "next_call_time"),
            (Outcome.INFORMED, 24 * 400, "next_call_time"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, session, clock, outcome, hours, key):
        call_id = calls.begin(session, DESK, ZHOU.id)
        at = None if hours is None else clock() + timedelta(hours=hours)
        with pytest.raises(Invalid, match=key):
            calls.end(session, DESK, call_id, outcome, "", at)

    def test_nobody_calls_an_unknown_caller_again(self, session, clock):
        call_id = calls.begin(session, DESK)
        with pytest.raises(Invalid, match="next_call_to_nobody"):
            calls.end(session, DESK, call_id, Outcome.OTHER, "", clock() + timedelta(hours=1))

    def test_nobody_ends_a_colleagues_call(self, session):
        call_id = calls.begin(session, DESK, ZHOU.id)
        with pytest.raises(NotFound, match="call_not_found"):
            calls.end(session, COLLEAGUE, call_id, Outcome.INFORMED)


class TestCallingBack:
    def test_who_was_called_and_what_they_said_stands_before_the_code_counts(self, session, clock):
        visit_id = make_finished_visit(session)
        code = code_of(session, visit_id)
        with pytest.raises(Conflict, match="call_back_first"):
            redemption.redeem(session, DESK, visit_id, code)
        assert calls.redeem(session, DESK, visit_id, code, "周女士", "做得很好") is None
        [call] = rows(session)
        assert (call.direction, call.outcome, call.visit_id) == (
            Direction.OUT,
            Outcome.REDEEMED,
            visit_id,
        )
        assert (call.spoke_with, call.words, call.created_at) == ("周女士", "做得很好", clock())

    @pytest.mark.parametrize(("who", "said"), [("", "好"), ("周女士", " ")])
    def test_without_a_name_or_words_nothing_is_redeemed(self, session, who, said):
        visit_id = make_finished_visit(session)
        with pytest.raises(Invalid, match="missing"):
            calls.redeem(session, DESK, visit_id, code_of(session, visit_id), who, said)

    def test_a_wrong_code_is_counted_and_the_call_stays(self, session):
        visit_id = make_finished_visit(session)
        refused = calls.redeem(session, DESK, visit_id, "3333-3333", "周女士", "来过")
        assert isinstance(refused, ServiceError)
        assert rows(session)[0].words == "来过"

    def test_the_proof_is_not_written_over_by_the_next_deed(self, session):
        visit_id = make_finished_visit(session)
        calls.redeem(session, DESK, visit_id, code_of(session, visit_id), "周女士", "来过")
        demands.post(session, DESK, demand_form(), "k", customer_id=ZHOU.id)
        proof, new = rows(session)
        assert (proof.outcome, proof.visit_id) == (Outcome.REDEEMED, visit_id)
        assert new.outcome is Outcome.POSTED
        with pytest.raises(Invalid, match="missing"):
            calls.end(session, DESK, proof.id, Outcome.OTHER, "")

    def test_another_citys_visit_is_not_found(self, session):
        visit_id = make_finished_visit(session)
        with pytest.raises(NotFound, match="visit_not_found"):
            calls.redeem(session, FAR, visit_id, code_of(session, visit_id), "某", "来过")


def test_an_erasure_takes_the_words_and_leaves_that_there_was_a_call(session, clock):
    call_id = calls.begin(session, DESK, ZHOU.id)
    calls.end(session, DESK, call_id, Outcome.INFORMED, "住在三楼", clock() + timedelta(days=30))
    erasure.ask(session, ZHOU)
    clock.move(days=8)
    erasure.erase_due(session, SYSTEM)
    session.expire_all()
    call = session.get_one(Call, call_id)
    assert (call.words, call.spoke_with, call.next_call_at) == ("", "", None)
    assert call.customer_id == ZHOU.id
