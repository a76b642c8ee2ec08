"""Income: frozen until the days of waiting are over, then payable, each pay once."""

from datetime import timedelta

from sqlalchemy import func, select

from data.ledger import LedgerAccount, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, Visit, VisitStatus
from services import income, ledger
from services.access import SYSTEM
from tests.factories import LI, ZHAO, make_redeemed_visit, make_visit


def test_a_redeemed_visit_waits_then_can_be_paid(session, clock):
    make_redeemed_visit(session)
    before = income.mine(session, LI)
    [earned] = before.rows
    assert before.frozen_fen == earned.pay_fen > 0
    assert before.payable_fen == 0
    assert not earned.released
    assert earned.payable_at == earned.redeemed_at + timedelta(days=7)

    assert income.release_due(session, SYSTEM) == 0
    clock.move(days=7)
    assert income.release_due(session, SYSTEM) == 1
    assert income.release_due(session, SYSTEM) == 0
    after = income.mine(session, LI)
    assert (after.frozen_fen, after.payable_fen) == (0, earned.pay_fen)
    assert after.rows[0].released
    told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.PAY_RELEASED)
    assert session.scalars(told).all() == [LI.id]


def test_the_books_stay_even(session, clock):
    make_redeemed_visit(session)
    clock.move(days=8)
    income.release_due(session, SYSTEM)
    assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0
    assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN) == 0


def test_nobody_sees_anothers_income(session):
    make_redeemed_visit(session)
    assert income.mine(session, ZHAO) == income.Income(0, 0, ())


def test_a_planned_visit_earns_nothing_yet(session):
    make_visit(session)
    assert income.mine(session, LI).rows == ()


def test_what_a_family_owes_for_a_late_cancellation_is_released_too(session, clock):
    visit_id = make_visit(session)
    visit = session.get_one(Visit, visit_id)
    visit.status, visit.fee_fen = VisitStatus.CANCELLED, 2000
    ledger.book_cancelled(session, session.get_one(Order, visit.order_id), visit)
    session.flush()
    clock.move(days=7)
    assert income.release_due(session, SYSTEM) == 0
    clock.move(days=1)
    assert income.release_due(session, SYSTEM) == 1
    assert income.release_due(session, SYSTEM) == 0

    mine = income.mine(session, LI)
    assert (mine.frozen_fen, mine.payable_fen) == (0, 1700)
