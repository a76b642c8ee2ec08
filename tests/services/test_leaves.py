from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from data.calendars import Leave
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit
from services import leaves, orders, to_do, visits
from services.errors import Conflict, Invalid, NotFound
from services.leaves import LeaveReason
from services.orders import VisitStatus
from services.to_do import ToDoKind
from tests.factories import (
    FAR_OPERATOR,
    LI,
    MONDAY,
    NAMES,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_booking,
    make_order,
    visit_of,
)

A_DAY = timedelta(days=1)
BEGINS = MONDAY.replace(hour=0) + A_DAY
ENDS = BEGINS + 2 * A_DAY


def take(session, actor=LI, starts=BEGINS, ends=ENDS, seen=(), caregiver=LI):
    return leaves.take(session, actor, caregiver.id, starts, ends, LeaveReason.ILLNESS, seen)


def told(session):
    session.flush()
    messages = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.LEAVE_TAKEN)
    return session.scalars(messages).all()


def waiting(session):
    session.flush()
    (found,) = [one for one in to_do.today(session, OPERATOR) if one.kind is ToDoKind.LEAVES]
    return found.count


def test_before_it_is_taken_every_visit_it_hits_is_named(session):
    visit_id = visit_of(session, make_order(session))
    held_id = visit_of(
        session, make_booking(session, customer=STRANGER, starts_at=MONDAY + 2 * A_DAY)
    )
    make_order(session, starts_at=MONDAY + 4 * A_DAY)

    hit = leaves.hits(session, LI, LI.id, BEGINS, ENDS)
    assert [(one.visit_id, one.family_name, one.status) for one in hit] == [
        (visit_id, NAMES[ZHOU], VisitStatus.PLANNED),
        (held_id, NAMES[STRANGER], VisitStatus.HELD),
    ]


def test_visits_stay_and_wait_for_the_operators_who_are_told(session):
    order_id = make_order(session)
    visit_id = visit_of(session, order_id)
    take(session, seen=(visit_id,))

    assert session.get_one(Visit, visit_id).status is VisitStatus.PLANNED
    assert told(session) == [OPERATOR.id]
    assert waiting(session) == 1
    (thing,) = to_do.things(session, OPERATOR, ToDoKind.LEAVES)
    assert (thing.subject_id, thing.order_id, thing.name) == (visit_id, order_id, NAMES[LI])
    assert to_do.things(session, FAR_OPERATOR, ToDoKind.LEAVES) == []
    assert orders.alerts(session, OPERATOR)[ToDoKind.LEAVES] == 1
    (listed,) = orders.listing(session, OPERATOR, alert=ToDoKind.LEAVES)
    assert listed.id == order_id


def test_leave_that_hits_nobody_troubles_nobody(session):
    take(session)

    assert told(session) == []
    assert waiting(session) == 0


def test_nobody_is_booked_in_it(session):
    take(session)

    with pytest.raises(Conflict, match="obstacle_on_leave"):
        make_booking(session)


def test_it_is_listed_with_the_visits_that_still_stand_in_it(session):
    visit_id = visit_of(session, make_order(session))
    leave_id = take(session, seen=(visit_id,))

    (leave,) = leaves.ahead(session, OPERATOR, LI.id)
    assert (leave.id, leave.reason) == (leave_id, LeaveReason.ILLNESS)
    assert (leave.starts_at, leave.ends_at) == (BEGINS, ENDS)
    assert [one.visit_id for one in leave.hits] == [visit_id]


def test_other_visits_than_those_that_were_read_are_refused(session):
    make_order(session)

    with pytest.raises(Conflict, match="hits_changed"):
        take(session, seen=())
    assert leaves.ahead(session, LI, LI.id) == []


def test_it_is_not_taken_twice_for_the_same_time(session):
    take(session)

    with pytest.raises(Conflict, match="leave_overlaps"):
        take(session, starts=BEGINS + A_DAY, ends=ENDS + A_DAY)
    take(session, starts=ENDS, ends=ENDS + A_DAY)


@pytest.mark.parametrize("late", [0, 5])
def test_it_is_not_taken_over_a_visit_that_goes_on(session, clock, late):
    visit_id = visit_of(session, make_order(session))
    clock.move(days=1)
    visits.check_in(session, LI, visit_id)
    session.flush()
    clock.move(hours=late)  # Five hours on it lasts longer than planned.

    with pytest.raises(Conflict, match="leave_over_visit"):
        take(session, starts=clock(), ends=clock() + A_DAY)


@pytest.mark.parametrize(
    ("starts", "ends", "refusal"),
    [
        (ENDS, BEGINS, "end_before_start"),
        (BEGINS, BEGINS, "end_before_start"),
        (BEGINS - 2 * A_DAY, ENDS, "day_is_past"),
        (MONDAY - timedelta(hours=2), MONDAY - timedelta(hours=1), "day_is_past"),
        (BEGINS, BEGINS + 366 * A_DAY, "day_too_far"),
    ],
)
def test_times_that_cannot_be_are_refused(session, starts, ends, refusal):
    with pytest.raises(Invalid, match=refusal):
        take(session, starts=starts, ends=ends)


@pytest.mark.parametrize("actor", [FAR_OPERATOR, ZHAO])
def test_nobody_elses_is_seen_taken_or_taken_back(session, actor):
    leave_id = take(session)

    for refused in (
        lambda: take(session, actor, starts=ENDS, ends=ENDS + A_DAY),
        lambda: leaves.hits(session, actor, LI.id, BEGINS, ENDS),
        lambda: leaves.ahead(session, actor, LI.id),
    ):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            refused()
    with pytest.raises(NotFound, match="leave_not_found"):
        leaves.withdraw(session, actor, leave_id)


def test_an_operator_takes_it_for_a_caregiver_of_her_city(session):
    leave_id = take(session, OPERATOR)

    assert session.get_one(Leave, leave_id).taken_by_id == OPERATOR.id


def test_taken_back_it_is_free_again_and_nothing_waits(session):
    leave_id = take(session, seen=(visit_of(session, make_order(session)),))
    leaves.withdraw(session, LI, leave_id)

    assert waiting(session) == 0
    assert leaves.ahead(session, LI, LI.id) == []
    with pytest.raises(Conflict, match="leave_over"):
        leaves.withdraw(session, LI, leave_id)
    with pytest.raises(NotFound, match="leave_not_found"):
        leaves.withdraw(session, LI, 999_999)


def test_one_that_has_begun_ends_now(session, clock):
    leave_id = take(session)
    clock.move(days=1, hours=3)
    leaves.withdraw(session, LI, leave_id)

    assert session.get_one(Leave, leave_id).ends_at == clock()
    assert leaves.ahead(session, LI, LI.id) == []


class TestEnteredByAnOperator:
    def told_her(self, session):
        session.flush()
        kinds = NoticeKind.LEAVE_ENTERED, NoticeKind.LEAVE_WITHDRAWN
        rows = select(OutboxMessage).where(OutboxMessage.kind.in_(kinds))
        found = session.scalars(rows.order_by(OutboxMessage.id)).all()
        return [
            (one.kind, one.account_id, datetime.fromisoformat(one.facts["due_at"])) for one in found
        ]

    def test_she_is_told_and_of_its_withdrawal_too(self, session):
        leave_id = take(session, OPERATOR)
        leaves.withdraw(session, OPERATOR, leave_id)
        assert self.told_her(session) == [
            (NoticeKind.LEAVE_ENTERED, LI.id, BEGINS),
            (NoticeKind.LEAVE_WITHDRAWN, LI.id, BEGINS),
        ]

    def test_of_what_she_does_herself_she_is_not_told(self, session):
        leaves.withdraw(session, LI, take(session))
        assert self.told_her(session) == []
