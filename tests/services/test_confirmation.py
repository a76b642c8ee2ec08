"""Confirmation: what nobody redeemed confirms itself, never while something is amiss."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.complaints import ComplaintCategory, IncidentKind
from data.history import StatusChange
from data.ledger import LedgerEntry, LedgerEvent, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import complaints, confirmation, held_pay, incidents, income
from services.access import SYSTEM
from tests.factories import (
    LI,
    OPERATOR,
    ZHOU,
    make_finished_visit,
    make_visit,
    order_of,
)


@pytest.fixture
def visit_id(session, clock):
    """Checked out this moment; the city waits three days."""
    visit_id = make_finished_visit(session)
    clock.move(to=session.get_one(Visit, visit_id).checked_out_at)
    return visit_id


def confirm(session):
    confirmed = confirmation.confirm_due(session, SYSTEM)
    session.flush()
    return confirmed


def told(session, kind):
    rows = session.execute(
        select(OutboxMessage.account_id, OutboxMessage.facts).where(OutboxMessage.kind == kind)
    )
    return {account_id: facts.get("pay_fen") for account_id, facts in rows}


def test_it_books_like_a_redemption_and_tells_both_sides(session, clock, visit_id):
    clock.move(days=3, seconds=-1)
    assert confirm(session) == 0
    clock.move(seconds=1)
    assert confirm(session) == 1

    visit = session.get_one(Visit, visit_id)
    assert (visit.status, visit.redeemed_at) == (VisitStatus.REDEEMED, clock())
    assert session.get_one(Order, visit.order_id).status is OrderStatus.COMPLETED
    assert told(session, NoticeKind.VISIT_CONFIRMED) == {ZHOU.id: None, LI.id: visit.pay_fen}
    assert income.mine(session, LI).frozen_fen == visit.pay_fen
    assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0
    moved = select(StatusChange.actor_id).where(StatusChange.move == "auto_confirm")
    assert session.scalars(moved).all() == [None]


def test_running_it_twice_books_once(session, clock, visit_id):
    clock.move(days=4)
    assert [confirm(session), confirm(session)] == [1, 0]

    booked = select(func.count(LedgerEntry.id)).where(LedgerEntry.event == LedgerEvent.REDEEMED)
    assert session.scalar(booked) == 1


def test_the_family_is_reminded_once_the_day_before(session, clock, visit_id):
    clock.move(days=1, hours=23)
    confirm(session)
    assert told(session, NoticeKind.REDEEM_REMINDER) == {}
    for _ in range(3):
        clock.move(hours=2)
        confirm(session)

    assert told(session, NoticeKind.REDEEM_REMINDER) == {ZHOU.id: None}
    reminders = select(func.count()).where(OutboxMessage.kind == NoticeKind.REDEEM_REMINDER)
    assert session.scalar(reminders) == 1


@pytest.mark.parametrize("side", [ZHOU, LI])
def test_never_while_a_complaint_is_open(session, clock, visit_id, side):
    complaint_id = complaints.lodge(session, side, visit_id, ComplaintCategory.OTHER, "有争议")
    session.flush()
    clock.move(days=30)
    assert confirm(session) == 0
    assert told(session, NoticeKind.REDEEM_REMINDER) == {}
    complaints.close(session, OPERATOR, complaint_id, "已协调")
    session.flush()

    assert confirm(session) == 1


def test_never_while_an_incident_is_open(session, clock, visit_id):
    incident_id = incidents.report(session, LI, visit_id, IncidentKind.FALL, "滑倒")
    session.flush()
    clock.move(days=30)
    assert confirm(session) == 0
    incidents.close(session, OPERATOR, incident_id, "已就诊")
    session.flush()

    assert confirm(session) == 1


def test_a_complaint_that_comes_while_it_looks_is_seen_when_the_visit_is_held(
    session, clock, visit_id, monkeypatch
):
    clock.move(days=4)
    monkeypatch.setattr(held_pay, "rests", lambda: Visit.id < 0)  # As it looked a moment ago.
    monkeypatch.setattr(held_pay, "resting", lambda _session, ids: set(ids))

    assert confirm(session) == 0


def test_a_visit_that_did_not_take_place_is_not_confirmed(session, clock):
    visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
    clock.move(days=9)

    assert confirm(session) == 0
    assert session.get_one(Order, order_of(session, visit_id)).status is OrderStatus.CONFIRMED
