"""The talk of family and caregiver about one order: theirs alone, and only while it matters."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, select, update

from data.chat import Talk, TalkStatus
from data.complaints import ComplaintCategory
from data.history import AuditEvent
from data.orders import Order, Visit, VisitStatus
from services import clock, complaints, messages, order_talks
from services.access import SYSTEM
from services.errors import Conflict, NotFound
from services.messages import Said
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_booking,
    make_finished_visit,
    make_order,
    make_redeemed_visit,
    order_of,
)


def say(session, actor, order_id, text="几点到？"):
    return messages.say_about(session, actor, order_id, Said(text, uuid4().hex))


def heard(session, actor, order_id):
    return [one.words for one in messages.thread_about(session, actor, order_id)]


def test_family_and_caregiver_read_each_other_and_nobody_else_does(session):
    order_id = make_order(session)
    say(session, ZHOU, order_id)
    say(session, LI, order_id, "八点半")

    assert heard(session, ZHOU, order_id) == heard(session, LI, order_id) == ["几点到？", "八点半"]
    assert messages.unread(session, ZHOU) == {order_id: 1}
    for actor in (STRANGER, ZHAO):
        assert heard(session, actor, order_id) == []
        with pytest.raises(NotFound):
            say(session, actor, order_id)
    talk_id = session.scalars(select(Talk.id)).one()
    for staff in (DESK, OPERATOR):
        with pytest.raises(NotFound):
            messages.thread(session, staff, talk_id)


def test_what_is_read_is_read(session):
    order_id = make_order(session)
    number = say(session, LI, order_id)
    messages.mark_read_about(session, ZHOU, order_id, number)

    assert messages.unread(session, ZHOU) == {}


def test_what_is_new_of_many_orders_is_asked_once(session):
    order_ids = [
        make_order(session, starts_at=clock.now() + timedelta(days=day)) for day in (1, 2, 3)
    ]
    for order_id in order_ids[:2]:
        say(session, LI, order_id)
    say(session, ZHOU, order_ids[2])
    say(session, LI, order_ids[1])
    session.flush()
    statements = []
    note = lambda *given: statements.append(given[2])  # noqa: E731
    event.listen(session.get_bind(), "before_cursor_execute", note)
    unread = messages.unread(session, ZHOU)
    event.remove(session.get_bind(), "before_cursor_execute", note)

    assert unread == {order_ids[0]: 1, order_ids[1]: 2}
    assert len(statements) == 1


def test_before_the_yes_there_is_nothing_to_say(session):
    order_id = make_booking(session)

    with pytest.raises(Conflict, match="order_talk_closed"):
        say(session, ZHOU, order_id)


def test_who_comes_in_her_place_reads_on_and_she_does_not(session):
    order_id = make_order(session)
    say(session, LI, order_id)
    session.execute(update(Visit).values(caregiver_id=ZHAO.id))

    assert heard(session, ZHAO, order_id) == ["几点到？"]
    assert heard(session, LI, order_id) == []


def test_it_stays_open_for_a_week_and_is_closed_then(session, clock):
    order_id = order_of(session, make_redeemed_visit(session))
    say(session, LI, order_id, "路上平安")
    assert order_talks.close_due(session, SYSTEM) == 0
    clock.move(days=7)

    assert order_talks.close_due(session, SYSTEM) == 1
    assert session.scalars(select(Talk.status)).all() == [TalkStatus.CLOSED]
    with pytest.raises(Conflict, match="order_talk_closed"):
        say(session, ZHOU, order_id)
    assert heard(session, ZHOU, order_id) == ["路上平安"]


def test_what_is_new_is_counted_for_her_only_while_the_talk_is_hers(session, clock):
    order_id = order_of(session, make_redeemed_visit(session))
    say(session, ZHOU, order_id, "多谢")
    assert messages.unread(session, LI) == {order_id: 1}
    clock.move(days=8)

    assert messages.unread(session, LI) == {}


def test_the_button_is_there_exactly_while_one_may_speak(session, clock):
    order_id = order_of(session, make_redeemed_visit(session))
    visit = session.scalars(select(Visit)).one()
    status = VisitStatus(visit.status)
    order = session.get_one(Order, order_id)
    assert order_talks.opens_for(order.status, status, visit.ends_at)
    clock.move(days=8)

    assert not order_talks.opens_for(order.status, status, visit.ends_at)


def test_operators_read_it_on_record_while_a_complaint_is_open(session):
    visit_id = make_finished_visit(session)
    order_id = order_of(session, visit_id)
    say(session, ZHOU, order_id)
    assert messages.thread_in_dispute(session, OPERATOR, order_id) == []
    complaint_id = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.ATTITUDE, "态度差")

    assert [one.words for one in messages.thread_in_dispute(session, OPERATOR, order_id)] == [
        "几点到？"
    ]
    assert messages.thread_in_dispute(session, FAR_OPERATOR, order_id) == []
    reads = select(AuditEvent.actor_id).where(AuditEvent.action == "read_order_talk")
    assert session.scalars(reads).all() == [OPERATOR.id]
    complaints.close(session, OPERATOR, complaint_id, "已沟通")
    session.flush()
    assert messages.thread_in_dispute(session, OPERATOR, order_id) == []
