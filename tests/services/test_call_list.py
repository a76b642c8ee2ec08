"""To call today: what people without a smartphone are told, ticked off once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account
from data.calls import Call, Direction, Outcome
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage, OutboxStatus
from services import call_list, deliveries, erasure, notices, orders, preferences
from services.access import SYSTEM, Actor, Channel, Role
from services.errors import Conflict, Invalid, NotFound
from services.preferences import Preference
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    STRANGER,
    ZHOU,
    make_order,
    phone_of,
)

FAR_DESK = Actor(FAR_OPERATOR.id, Role.DESK, frozenset({LUZHOU}), Channel.PHONE)
FINISHED = NoticeKind.VISIT_FINISHED


@pytest.fixture(autouse=True)
def zhou_is_called(session):
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    session.flush()
    preferences.keep(session, DESK, Preference(by_call=True), customer_id=ZHOU.id)


def tell(session, kind=FINISHED, about="visit-1", who=ZHOU, **facts):
    notices.tell(session, kind, who.id, about, **({"item_id": 1} | facts))
    session.flush()
    deliveries.deliver(session)
    session.flush()


def waiting(session, actor=DESK):
    session.flush()
    return call_list.waiting(session, actor, "zh_CN")


def tick_off(session, outcome=Outcome.INFORMED, said="", actor=DESK):
    [one] = waiting(session)
    return call_list.tick_off(session, actor, one.id, outcome, said)


class TestTheList:
    def test_says_whom_to_call_and_what_to_say(self, session):
        tell(session)

        [one] = waiting(session)
        assert (one.customer_id, one.due, one.tries) == (ZHOU.id, True, 0)
        assert one.words.endswith("核销码念给我，我帮您核销。")
        assert "{" not in one.words

    def test_the_urgent_come_first(self, session):
        tell(session)
        tell(session, NoticeKind.VISIT_CANCELLED, "visit-2")

        assert [one.kind for one in waiting(session)] == [NoticeKind.VISIT_CANCELLED, FINISHED]

    def test_who_is_not_called_is_not_on_it(self, session):
        tell(session, who=STRANGER)

        assert waiting(session) == []

    def test_another_citys_desk_sees_nobody_and_reaches_nobody(self, session):
        tell(session)
        [one] = waiting(session)

        assert waiting(session, FAR_DESK) == []
        for number in (one.id, NOBODY_ID):
            with pytest.raises(NotFound, match="notice_not_found"):
                call_list.tick_off(session, FAR_DESK, number, Outcome.INFORMED)
            with pytest.raises(NotFound, match="notice_not_found"):
                call_list.phone(session, FAR_DESK, number)

    def test_what_is_so_no_more_is_left_out_and_dropped(self, session):
        order_id = make_order(session)
        deliveries.deliver(session)
        assert [one.kind for one in waiting(session)] == [NoticeKind.ORDER_CONFIRMED]
        orders.decline(session, ZHOU, order_id)

        assert waiting(session) == []
        assert call_list.drop_moot(session, SYSTEM) == 1
        assert call_list.drop_moot(session, SYSTEM) == 0

    def test_opening_the_number_is_audited(self, session):
        tell(session)

        assert call_list.phone(session, DESK, waiting(session)[0].id) == phone_of(ZHOU)
        session.flush()
        assert session.scalars(select(AuditEvent)).all()


class TestTickingOff:
    def test_is_a_call_on_record_and_takes_it_from_the_list(self, session):
        tell(session)
        call_id = tick_off(session, said=NASTY)
        session.flush()

        call = session.get_one(Call, call_id)
        assert (call.customer_id, call.taken_by_id, call.words) == (ZHOU.id, DESK.id, NASTY)
        assert (call.direction, call.outcome, call.city_code) == (
            Direction.OUT,
            Outcome.INFORMED,
            NANTONG,
        )
        assert waiting(session) == []

    @pytest.mark.parametrize("outcome", call_list.AGAIN)
    def test_without_an_answer_it_comes_back_in_an_hour(self, session, clock, outcome):
        tell(session)
        tick_off(session, outcome)

        assert [(one.due, one.tries) for one in waiting(session)] == [(False, 1)]
        clock.move(hours=1)
        assert [(one.due, one.tries) for one in waiting(session)] == [(True, 1)]

    def test_happens_once(self, session):
        tell(session)
        [one] = waiting(session)
        call_list.tick_off(session, DESK, one.id, Outcome.INFORMED)

        with pytest.raises(Conflict, match="called_already"):
            call_list.tick_off(session, DESK, one.id, Outcome.INFORMED)

    @pytest.mark.parametrize("outcome", [Outcome.BOOKED, "nonsense"])
    def test_takes_no_other_outcome(self, session, outcome):
        tell(session)
        with pytest.raises(Invalid, match="missing"):
            tick_off(session, outcome)

    def test_takes_no_novel(self, session):
        tell(session)
        with pytest.raises(Invalid, match="too_long"):
            tick_off(session, said="很" * 501)

    def test_a_number_that_is_wrong_is_not_called_again(self, session):
        tell(session)
        tick_off(session, Outcome.WRONG_NUMBER)

        assert waiting(session) == []


class TestPreferences:
    def test_the_desk_sets_those_of_its_callers_only(self, session):
        assert preferences.of_caller(session, DESK, ZHOU.id).by_call
        with pytest.raises(NotFound):
            preferences.keep(session, FAR_DESK, Preference(), customer_id=ZHOU.id)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"language": "tlh"}, "language"),
            ({"quiet_from_minute": 1440}, "quiet_hours"),
            ({"quiet_until_minute": -1}, "quiet_hours"),
        ],
    )
    def test_nonsense_is_refused(self, session, changes, field):
        with pytest.raises(Invalid) as refused:
            preferences.keep(session, ZHOU, Preference(**changes))
        assert refused.value.values["field"] == field


def test_erasure_takes_what_waits_and_the_record_of_calls_stays(session, clock):
    tell(session)
    call_id = tick_off(session)
    tell(session, about="visit-2")
    erasure.ask(session, ZHOU)
    clock.move(to=clock.moment + timedelta(days=8))
    session.flush()

    assert erasure.erase_due(session, SYSTEM) == 1
    session.flush()
    session.expire_all()
    assert session.get_one(Call, call_id).message_id is None
    pending = select(OutboxMessage).where(OutboxMessage.status == OutboxStatus.PENDING)
    assert session.scalars(pending).all() == []
    assert preferences.of(session, [ZHOU.id])[ZHOU.id] == Preference()
