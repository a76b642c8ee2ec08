from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import AccountRole
from data.notices import ConsoleText, Notice, NoticeKind, OutboxMessage
from services import clock as service_clock
from services import gateways, notices
from services.access import Role
from services.errors import NotFound
from tests.factories import LI, NANTONG, NOBODY_ID, OPERATOR, STRANGER, ZHOU, phone_of

KIND = NoticeKind.ORDER_CONFIRMED


@pytest.fixture
def outbox(session):
    """Read what stands in the outbox."""
    return lambda: session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()


def deliver(session):
    session.flush()
    delivered = notices.deliver(session)
    session.flush()
    return delivered


class TestTelling:
    def test_reaches_a_person_once(self, session, outbox):
        for _ in range(2):
            notices.tell(session, KIND, ZHOU.id, "order-1", order_id=1)
        notices.tell(session, KIND, LI.id, "order-1", order_id=1)
        notices.tell(session, KIND, ZHOU.id, "order-2", order_id=2)

        assert [(m.account_id, m.facts) for m in outbox()] == [
            (ZHOU.id, {"order_id": 1}),
            (LI.id, {"order_id": 1}),
            (ZHOU.id, {"order_id": 2}),
        ]

    def test_counts_who_had_not_been_told(self, session):
        notices.tell(session, KIND, ZHOU.id, "order-1")

        assert notices.tell_all(session, KIND, [ZHOU.id, LI.id, STRANGER.id], "order-1") == 2
        assert notices.tell_all(session, KIND, [], "order-1") == 0

    def test_operators_are_those_of_the_city(self, session, outbox):
        session.add(
            AccountRole(
                created_at=service_clock.now(),
                account_id=ZHOU.id,
                role=Role.OPERATOR,
                city_code=NANTONG,
            )
        )
        notices.tell_operators(session, KIND, NANTONG, "order-1", order_id=1)

        assert {m.account_id for m in outbox()} == {OPERATOR.id, ZHOU.id}
        notices.tell_operators(session, KIND, "110100", "order-1", order_id=1)
        assert len(outbox()) == 2


class TestDelivering:
    def test_fills_the_inbox_once_however_often_it_runs(self, session):
        notices.tell(session, KIND, ZHOU.id, "order-1", order_id=1)

        assert [deliver(session), deliver(session)] == [1, 0]
        [notice] = notices.inbox(session, ZHOU)
        assert (notice.kind, notice.facts, notice.read) == (KIND, {"order_id": 1}, False)

    def test_leaves_for_later_what_is_not_due(self, session, outbox, clock):
        notices.tell(session, KIND, ZHOU.id, "order-1")
        outbox()[0].next_try_at = clock.moment + timedelta(minutes=1)

        assert deliver(session) == 0
        clock.move(minutes=1)
        assert deliver(session) == 1

    def test_a_text_goes_through_the_gateway(self, session):
        notices.send_text(session, phone_of(ZHOU), "123456")
        deliver(session)

        assert [text.body for text in session.scalars(select(ConsoleText))] == ["123456"]

    def test_a_text_without_a_gateway_keeps_nothing_else_from_arriving(self, session, monkeypatch):
        monkeypatch.setattr(gateways, "current", gateways.NoGateway)
        notices.send_text(session, phone_of(ZHOU), "123456")
        notices.tell(session, KIND, ZHOU.id, "order-1")
        deliver(session)

        assert len(notices.inbox(session, ZHOU)) == 1


class TestInbox:
    @pytest.fixture(autouse=True)
    def three(self, session):
        for number in (1, 2, 3):
            notices.tell(session, KIND, ZHOU.id, f"order-{number}", order_id=number)
        deliver(session)

    def test_is_newest_first_and_ones_own(self, session):
        inbox = notices.inbox(session, ZHOU)
        assert [notice.facts["order_id"] for notice in inbox] == [3, 2, 1]
        assert notices.inbox(session, STRANGER) == []

    def test_one_notice_is_marked_read(self, session):
        middle = notices.inbox(session, ZHOU)[1]
        notices.mark_read(session, ZHOU, middle.id)
        session.expire_all()

        assert [notice.read for notice in notices.inbox(session, ZHOU)] == [False, True, False]

    def test_all_are_marked_read(self, session):
        notices.mark_read(session, ZHOU)
        session.expire_all()

        assert all(notice.read for notice in notices.inbox(session, ZHOU))

    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_nobody_marks_anothers(self, session, nonexistent):
        notice_id = NOBODY_ID if nonexistent else session.scalars(select(Notice.id)).first()

        with pytest.raises(NotFound, match="notice_not_found"):
            notices.mark_read(session, STRANGER, notice_id)
        notices.mark_read(session, STRANGER)
        assert not any(notice.read for notice in notices.inbox(session, ZHOU))
