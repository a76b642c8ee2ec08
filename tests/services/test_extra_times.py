"""Extra time: asked for by the caregiver, charged only when the family agrees, and once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.complaints import ExtraTime
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit
from services import clock as service_clock
from services import extra_times, histories, income, ledger, redemption, visits
from services.access import SYSTEM
from services.errors import Conflict, NotFound
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_visit,
    order_of,
)


@pytest.fixture
def visit_id(session, clock):
    """Two hours planned at 40 yuan, and 52 minutes more: three quarters of an hour count."""
    return overlong(session, clock, 52)


def overlong(session, clock, minutes):
    visit_id = make_visit(session, starts_at=clock() + timedelta(hours=1))
    ends_at = session.get_one(Visit, visit_id).ends_at
    with service_clock.at(clock() + timedelta(hours=1)):
        visits.check_in(session, LI, visit_id)
    clock.move(to=ends_at + timedelta(minutes=minutes))
    visits.check_out(session, LI, visit_id, ())
    session.flush()
    return visit_id


def ask(session, visit_id):
    extra_times.ask(session, LI, visit_id)
    session.flush()
    return session.scalars(select(ExtraTime)).one()


def entries(session):
    extra = select(func.count(LedgerEntry.id)).where(LedgerEntry.event == LedgerEvent.EXTRA_TIME)
    return session.scalar(extra)


def redeem(session, visit_id):
    assert redemption.redeem(session, ZHOU, visit_id, code_of(session, visit_id)) is None
    session.flush()


def test_whole_quarters_cost_the_base_price_pro_rata(session, visit_id):
    extra, visit = ask(session, visit_id), session.get_one(Visit, visit_id)

    planned = (visit.ends_at - visit.starts_at) // timedelta(minutes=1)
    assert extra.minutes == 45
    assert extra.total_fen == visit.price_parts["base"] * 45 // planned
    assert extra.commission_fen == extra.total_fen * 1500 // 10_000
    assert extra_times.quote(session, LI, visit_id).total_fen == extra.total_fen
    told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.EXTRA_TIME_ASKED)
    assert session.scalars(told).all() == [ZHOU.id]
    with pytest.raises(Conflict, match="extra_time_asked_already"):
        extra_times.ask(session, LI, visit_id)


def test_nothing_is_charged_without_agreement(session, clock, visit_id):
    ask(session, visit_id)
    redeem(session, visit_id)
    clock.move(days=8)
    income.release_due(session, SYSTEM)
    session.flush()

    assert entries(session) == 0
    with pytest.raises(Conflict, match="extra_time_settled"):
        extra_times.agree(session, ZHOU, visit_id)
    [seen] = extra_times.of_orders(session, ZHOU, [order_of(session, visit_id)])
    assert (seen.open, seen.moves) == (False, ())


@pytest.mark.parametrize("actor", [ZHOU, DESK])
def test_what_is_agreed_is_booked_once_and_paid_out_with_the_visit(session, clock, visit_id, actor):
    extra = ask(session, visit_id)
    extra_times.agree(session, actor, visit_id)
    session.flush()
    with pytest.raises(Conflict, match="extra_time_moved_on"):
        extra_times.agree(session, actor, visit_id)
    redeem(session, visit_id)
    pay_fen = session.get_one(Visit, visit_id).pay_fen + extra.total_fen - extra.commission_fen

    mine = income.mine(session, LI)
    assert entries(session) == 1
    assert mine.frozen_fen == sum(one.pay_fen for one in mine.rows) == pay_fen
    owed = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, ZHOU.id)
    assert owed == session.get_one(Visit, visit_id).total_fen + extra.total_fen
    clock.move(days=8)
    income.release_due(session, SYSTEM)
    after = income.mine(session, LI)
    assert (after.frozen_fen, after.payable_fen) == (0, pay_fen)
    assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0


def test_the_family_may_refuse(session, visit_id):
    ask(session, visit_id)
    extra_times.refuse(session, ZHOU, visit_id)
    session.flush()

    assert entries(session) == 0
    with pytest.raises(Conflict, match="extra_time_moved_on"):
        extra_times.agree(session, ZHOU, visit_id)
    steps = histories.of_order(session, ZHOU, order_of(session, visit_id))
    assert [step.move for step in steps][-2:] == ["ask", "refuse"]


@pytest.mark.parametrize("actor", [STRANGER])
def test_strangers_do_not_answer_nor_see_it(session, visit_id, actor):
    ask(session, visit_id)
    with pytest.raises(NotFound, match="visit_not_found"):
        extra_times.agree(session, actor, visit_id)
    order_id = order_of(session, visit_id)
    assert extra_times.of_orders(session, actor, [order_id]) == []
    assert extra_times.of_orders(session, FAR_OPERATOR, [order_id]) == []


def test_it_is_asked_for_after_checking_out_and_by_who_was_there(session, clock, visit_id):
    with pytest.raises(NotFound, match="visit_not_found"):
        extra_times.ask(session, ZHAO, visit_id)
    redeem(session, visit_id)
    with pytest.raises(Conflict, match="extra_time_not_now"):
        extra_times.ask(session, LI, visit_id)


def test_less_than_a_quarter_does_not_count_and_a_forgotten_check_out_is_bounded(session, clock):
    visit_id = overlong(session, clock, 14)
    with pytest.raises(Conflict, match="extra_time_too_short"):
        extra_times.ask(session, LI, visit_id)
    ends_at = clock()
    assert extra_times.minutes_over(ends_at, ends_at + timedelta(hours=9)) == 240
    assert extra_times.minutes_over(ends_at, None) == 0
