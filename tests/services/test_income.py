"""Income: frozen until the days of waiting are over, then payable, each pay once."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.ledger import LedgerAccount, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Order, Party, Visit, VisitStatus
from services import (
    changes,
    complaints,
    extra_times,
    income,
    ledger,
    no_shows,
    pay,
    redemption,
    refunds,
    visits,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from services.income import IncomeKind
from tests.factories import (
    LI,
    MONDAY,
    OPERATOR,
    ZHAO,
    ZHOU,
    code_of,
    make_redeemed_visit,
    make_visit,
)


def test_a_redeemed_visit_waits_then_can_be_paid(session, clock):
    make_redeemed_visit(session)
    before = income.mine(session, LI)
    [earned] = before.rows
    assert before.frozen_fen == earned.pay_fen > 0
    assert before.payable_fen == 0
    assert not earned.released
    assert earned.payable_at == earned.earned_at + timedelta(days=7)

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


def test_what_was_due_is_due_no_more_while_a_complaint_is_open(session, clock):
    visit_id = make_redeemed_visit(session)
    clock.move(days=8)
    income.release_due(session, SYSTEM)
    session.flush()
    refunds.grant(session, OPERATOR, visit_id, 1000, 500, "迟到", request_key="one")
    about = ComplaintCategory.ATTITUDE
    number = complaints.lodge(session, ZHOU, visit_id, about, "态度不好")
    session.flush()
    mine = income.mine(session, LI)
    assert (mine.frozen_fen, mine.payable_fen) == (6300, 0)
    assert [one.released for one in mine.rows] == [False, False]
    assert [one.rests for one in mine.rows if not one.deducted] == [True]

    complaints.take_back(session, ZHOU, number)
    session.flush()
    mine = income.mine(session, LI)
    assert (mine.frozen_fen, mine.payable_fen) == (0, 6300)
    assert [one.released for one in mine.rows] == [True, True]


def test_nobody_sees_anothers_income(session):
    make_redeemed_visit(session)
    assert income.mine(session, ZHAO) == income.Income(0, 0, 0, ())


def test_a_planned_visit_earns_nothing_yet(session):
    make_visit(session)
    assert income.mine(session, LI).rows == ()


def test_what_a_family_owes_for_a_late_cancellation_is_released_too(session, clock):
    visit_id = make_visit(session)
    visit = session.get_one(Visit, visit_id)
    visit.status, visit.fee_fen = VisitStatus.CANCELLED, 2000
    pay.book_cancelled(session, session.get_one(Order, visit.order_id), visit)
    session.flush()
    clock.move(days=7)
    assert income.release_due(session, SYSTEM) == 0
    clock.move(days=1)
    assert income.release_due(session, SYSTEM) == 1
    assert income.release_due(session, SYSTEM) == 0

    mine = income.mine(session, LI)
    assert (mine.frozen_fen, mine.payable_fen) == (0, 1700)
    assert [(one.kind, one.pay_fen) for one in mine.rows] == [(IncomeKind.FEE, 1700)]


class TestRows:
    """Every fen of the balances stands in a row with a name."""

    @pytest.fixture
    def lived(self, session, clock):
        """A visit with extra time, one cancelled late, one she missed, one waiting for its code."""
        for number, end in enumerate(("redeemed", "finished", "late", "missed", "taken_back")):
            starts_at = MONDAY + timedelta(days=2 + number)
            with service_clock.at(MONDAY):
                visit_id = make_visit(session, starts_at=starts_at)
            clock.move(to=starts_at - timedelta(hours=5))
            self.live(session, clock, visit_id, end)
            session.flush()

    def live(self, session, clock, visit_id, end):
        visit = session.get_one(Visit, visit_id)
        if end == "late":
            seen = changes.quote(session, ZHOU, visit_id).fee_fen
            reason = EndReason.PLANS_CHANGED
            changes.cancel_visit(session, ZHOU, visit_id, reason, "", seen)
            return
        clock.move(to=visit.starts_at)
        if end in ("missed", "taken_back"):
            party = Party.CAREGIVER if end == "missed" else Party.CUSTOMER
            changes.miss(session, OPERATOR, visit_id, party, "没有来")
            session.flush()
            if end == "taken_back":
                no_shows.take_back(session, OPERATOR, visit_id, "弄错了")
            return
        visits.check_in(session, LI, visit_id)
        clock.move(to=visit.ends_at + timedelta(minutes=47))
        visits.check_out(session, LI, visit_id, ())
        session.flush()
        extra_times.ask(session, LI, visit_id)
        session.flush()
        extra_times.agree(session, ZHOU, visit_id)
        if end == "redeemed":
            code = code_of(session, visit_id)
            assert redemption.redeem(session, ZHOU, visit_id, code) is None

    def tied(self, session):
        session.flush()
        mine = income.mine(session, LI)
        waiting = sum(one.pay_fen for one in mine.rows if not one.released)
        payable = sum(one.pay_fen for one in mine.rows if one.released)
        due_fen = mine.payable_fen - mine.debt_fen
        assert (waiting, payable) == (mine.frozen_fen, due_fen)
        assert min(mine.payable_fen, mine.debt_fen) == 0
        assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0
        return mine

    @pytest.mark.usefixtures("lived")
    def test_name_what_each_amount_is_for(self, session):
        mine = self.tied(session)
        assert sorted((one.kind, one.total_fen, one.pay_fen) for one in mine.rows) == [
            (IncomeKind.EXTRA_TIME, 3000, 2550),
            (IncomeKind.EXTRA_TIME, 3000, 2550),
            (IncomeKind.FEE, 1600, 1360),
            (IncomeKind.PENALTY, -4000, -4000),
            (IncomeKind.VISIT, 8000, 6800),
        ]
        [unredeemed] = [one for one in mine.rows if one.payable_at is None]
        assert (unredeemed.kind, unredeemed.released) == (IncomeKind.EXTRA_TIME, False)
        assert (mine.frozen_fen, mine.payable_fen, mine.debt_fen) == (13_260, 0, 4000)

    @pytest.mark.usefixtures("lived")
    def test_still_do_when_their_time_is_over(self, session, clock):
        clock.move(days=20)
        assert income.release_due(session, SYSTEM) == 2
        mine = self.tied(session)
        due_fen = 6800 + 2550 + 1360 - 4000
        assert (mine.frozen_fen, mine.payable_fen, mine.debt_fen) == (2550, due_fen, 0)

    @pytest.mark.usefixtures("lived")
    def test_are_hers_alone(self, session):
        assert income.mine(session, ZHAO).rows == ()
