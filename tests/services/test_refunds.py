"""Refunds: never more than was charged, each booked once, and everybody's books follow."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.history import AuditEvent, Noun, StatusChange
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Order, Party, Visit
from data.payouts import Payout
from data.refunds import Refund
from services import (
    changes,
    complaints,
    erasure,
    forgetting,
    income,
    ledger_checks,
    no_shows,
    payout_accounts,
    payout_files,
    payouts,
    refunds,
    statements,
)
from services.access import SYSTEM, Actor, Role
from services.complaints import ComplaintCategory
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.income import IncomeKind
from services.payout_accounts import AccountForm
from services.payout_files import FileKind
from services.refunds import RefundStatus
from services.statements import StatementKind
from tests.books import balances_of, owed_by
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    MONDAY,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_redeemed_visit,
    make_visit,
    order_of,
)

PRICE, PAY = 8000, 6800


@pytest.fixture
def visit_id(session):
    return make_redeemed_visit(session)


def grant(session, visit_id, amount_fen, caregiver_fen=0, *, actor=OPERATOR, key="one", **more):
    return refunds.grant(
        session, actor, visit_id, amount_fen, caregiver_fen, "早退半小时", request_key=key, **more
    )


def release(session, clock):
    clock.move(days=10)
    income.release_due(session, SYSTEM)


def pay_out(session, *, answer=True):
    """Whatever is due to Li goes to the bank; return the line."""
    if payout_accounts.mine(session, LI) is None:
        account = AccountForm("工商银行", "李桂兰", "6222021234567890128")
        payout_accounts.keep(session, LI, account)
        session.flush()
    due_fen = payouts.preview(session, OPERATOR, NANTONG).total_fen
    batch_id = payouts.lock(session, OPERATOR, NANTONG, due_fen)
    session.flush()
    payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)
    line_id = session.scalars(select(Payout.id).where(Payout.batch_id == batch_id)).one()
    if answer:
        payouts.arrived(session, OPERATOR, batch_id, [line_id])
    session.flush()
    return line_id


def ours(session):
    """What we pay of refunds."""
    total = select(func.coalesce(func.sum(LedgerPosting.amount_fen), 0))
    return session.scalar(total.where(LedgerPosting.account == LedgerAccount.REFUND))


class TestGrant:
    def test_the_family_owes_less_and_each_side_pays_its_part(self, session, visit_id):
        refund_id = grant(session, visit_id, 3000, 1000)

        assert owed_by(session, ZHOU) == PRICE - 3000
        assert ours(session) == 2000
        assert balances_of(session, LI) == (PAY - 1000, 0, 0, 0, 0)
        assert ledger_checks.check(session, SYSTEM) == 0
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.event == LedgerEvent.REFUNDED)
        ).one()
        assert (entry.event_key, entry.visit_id) == (f"refunded:refund:{refund_id}", visit_id)
        steps = select(StatusChange.move).where(
            StatusChange.noun == Noun.REFUND, StatusChange.subject_id == refund_id
        )
        assert session.scalars(steps).all() == ["grant"]
        done = select(AuditEvent.detail).where(AuditEvent.action == "grant_refund")
        assert session.scalars(done).one() == {"refund_id": refund_id, "amount": 3000, "hers": 1000}

    def test_what_was_booked_before_stays_as_it_was(self, session, visit_id):
        posted = select(LedgerPosting.id, LedgerPosting.amount_fen).order_by(LedgerPosting.id)
        before = session.execute(posted).all()
        grant(session, visit_id, PRICE, PAY)
        assert session.execute(posted).all()[: len(before)] == before

    def test_a_double_click_grants_once(self, session, visit_id):
        assert grant(session, visit_id, PRICE) == grant(session, visit_id, PRICE)
        assert owed_by(session, ZHOU) == 0

    def test_never_more_than_was_charged_in_all(self, session, visit_id):
        grant(session, visit_id, PRICE - 1)
        with pytest.raises(Conflict, match="refund_too_much"):
            grant(session, visit_id, 2, key="two")
        grant(session, visit_id, 1, key="two")
        left = refunds.left(session, OPERATOR, visit_id)
        assert (left.charged_fen, left.left_fen, left.pay_left_fen) == (PRICE, 0, PAY)

    def test_her_part_never_more_than_her_pay_in_all(self, session, visit_id):
        with pytest.raises(Conflict, match="refund_too_much_of_hers"):
            grant(session, visit_id, PRICE, PAY + 1)
        grant(session, visit_id, PAY, PAY)
        with pytest.raises(Conflict, match="refund_too_much_of_hers"):
            grant(session, visit_id, 1, 1, key="two")
        assert balances_of(session, LI) == (0, 0, 0, 0, 0)

    @pytest.mark.parametrize(("amount_fen", "caregiver_fen"), [(0, 0), (-1, 0), (5, 6), (5, -1)])
    def test_parts_that_cannot_be_are_refused(self, session, visit_id, amount_fen, caregiver_fen):
        with pytest.raises(Invalid, match="refund_parts"):
            grant(session, visit_id, amount_fen, caregiver_fen)
        with pytest.raises(Invalid, match="missing"):
            refunds.grant(session, OPERATOR, visit_id, 1, 0, "  ", request_key="one")

    def test_nothing_is_given_back_of_what_was_not_charged(self, session):
        planned = make_visit(session)
        with pytest.raises(Conflict, match="refund_nothing_charged"):
            grant(session, planned, 1)

    def test_a_fee_can_be_given_back(self, session, clock):
        visit_id = make_visit(session)
        visit = session.get_one(Visit, visit_id)
        clock.move(to=visit.starts_at)
        changes.miss(session, OPERATOR, visit_id, Party.CUSTOMER, "没有人在家")
        left = refunds.left(session, OPERATOR, visit_id)
        assert left.charged_fen == visit.fee_fen > 0
        grant(session, visit_id, left.left_fen, left.pay_left_fen)
        assert owed_by(session, ZHOU) == 0
        assert balances_of(session, LI) == (0, 0, 0, 0, 0)
        with pytest.raises(Conflict, match="no_show_refunded"):
            no_shows.take_back(session, OPERATOR, visit_id, "弄错了")

    def test_only_operators_of_the_city_who_are_not_concerned(self, session, visit_id):
        with pytest.raises(NotFound):
            grant(session, visit_id, 1, actor=FAR_OPERATOR)
        for actor in (DESK, ZHOU, LI):
            with pytest.raises(NotAllowed):
                grant(session, visit_id, 1, actor=actor)
        concerned = Actor(ZHOU.id, Role.OPERATOR, OPERATOR.cities)
        with pytest.raises(NotAllowed, match="own_dispute"):
            grant(session, visit_id, 1, actor=concerned)

    def test_a_complaint_it_follows_from_is_one_of_that_visit(self, session, visit_id):
        others = make_redeemed_visit(session, starts_at=MONDAY - timedelta(days=3))
        number = complaints.lodge(session, ZHOU, others, ComplaintCategory.PRICE, "算错了")
        session.flush()
        for wrong in (number, NOBODY_ID):
            with pytest.raises(NotFound, match="complaint_not_found"):
                grant(session, visit_id, 1, complaint_id=wrong)
        refund_id = grant(session, others, 1, complaint_id=number)
        assert session.get_one(Refund, refund_id).complaint_id == number

    def test_sides_are_told_and_the_caregiver_only_if_she_pays(self, session, visit_id):
        grant(session, visit_id, 500)
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.REFUND_GRANTED
        )
        assert session.scalars(told).all() == [ZHOU.id]
        grant(session, visit_id, 500, 200, key="two")
        assert sorted(session.scalars(told)) == sorted([ZHOU.id, ZHOU.id, LI.id])


class TestPay:
    """Her part comes off what is frozen of the visit, else off what is due, else she owes it."""

    def test_only_what_is_left_is_released(self, session, clock, visit_id):
        grant(session, visit_id, 3000, 1000)
        release(session, clock)
        assert balances_of(session, LI) == (0, PAY - 1000, 0, 0, 0)

    def test_nothing_left_is_released_once_without_a_notice(self, session, clock, visit_id):
        grant(session, visit_id, PAY, PAY)
        clock.move(days=10)
        assert income.release_due(session, SYSTEM) == 1
        assert income.release_due(session, SYSTEM) == 0
        told = select(OutboxMessage.id).where(OutboxMessage.kind == NoticeKind.PAY_RELEASED)
        assert session.scalars(told).all() == []

    def test_it_comes_off_what_is_due(self, session, clock, visit_id):
        release(session, clock)
        grant(session, visit_id, 3000, 1000)
        assert balances_of(session, LI) == (0, PAY - 1000, 0, 0, 0)

    def test_it_comes_off_what_is_held_back(self, session, clock, visit_id):
        release(session, clock)
        number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "没做完")
        session.flush()
        grant(session, visit_id, 3000, 1000)
        assert balances_of(session, LI) == (PAY - 1000, 0, 0, 0, 0)
        complaints.close(session, OPERATOR, number, "部分退款")
        assert balances_of(session, LI) == (0, PAY - 1000, 0, 0, 0)

    def test_what_was_paid_out_she_owes_and_her_next_pay_clears_it(self, session, clock, visit_id):
        release(session, clock)
        pay_out(session)
        grant(session, visit_id, 3000, 1000)
        assert balances_of(session, LI) == (0, 0, 0, PAY, 1000)
        assert payouts.preview(session, OPERATOR, NANTONG).ready == ()

        make_redeemed_visit(session)
        release(session, clock)
        assert balances_of(session, LI) == (0, PAY - 1000, 0, PAY, 0)
        assert ledger_checks.check(session, SYSTEM) == 0

    def test_a_payout_that_comes_back_clears_it_too(self, session, clock, visit_id):
        release(session, clock)
        line_id = pay_out(session, answer=False)
        grant(session, visit_id, 3000, 1000)
        assert balances_of(session, LI) == (0, 0, PAY, 0, 1000)
        payouts.came_back(session, OPERATOR, line_id, "户名不符")
        assert balances_of(session, LI) == (0, PAY - 1000, 0, 0, 0)

    def test_her_income_names_it(self, session, clock, visit_id):
        grant(session, visit_id, 3000, 1000)
        mine = income.mine(session, LI)
        assert sorted((one.kind, one.pay_fen) for one in mine.rows) == [
            (IncomeKind.REFUND, -1000),
            (IncomeKind.VISIT, PAY),
        ]
        assert sum(one.pay_fen for one in mine.rows) == mine.frozen_fen
        assert income.by_month(session, LI)[-1].pay_fen == PAY - 1000


class TestTakeBack:
    def test_everybody_stands_as_before_it(self, session, visit_id):
        refund_id = grant(session, visit_id, 3000, 1000)
        refunds.take_back(session, OPERATOR, refund_id, "记错了订单")

        assert (owed_by(session, ZHOU), ours(session)) == (PRICE, 0)
        assert balances_of(session, LI) == (PAY, 0, 0, 0, 0)
        assert refunds.left(session, OPERATOR, visit_id).left_fen == PRICE
        with pytest.raises(Conflict, match="refund_moved_on"):
            refunds.take_back(session, OPERATOR, refund_id, "再来一次")
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.REFUND_TAKEN_BACK
        )
        assert set(session.scalars(told)) == {ZHOU.id, LI.id}

    def test_after_the_release_her_part_is_due(self, session, clock, visit_id):
        refund_id = grant(session, visit_id, 3000, 1000)
        release(session, clock)
        refunds.take_back(session, OPERATOR, refund_id, "记错了")
        assert balances_of(session, LI) == (0, PAY, 0, 0, 0)

    def test_while_something_is_amiss_her_part_rests_with_the_rest(self, session, clock, visit_id):
        release(session, clock)
        refund_id = grant(session, visit_id, 3000, 1000)
        number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "没做完")
        session.flush()
        refunds.take_back(session, OPERATOR, refund_id, "记错了")
        assert balances_of(session, LI) == (PAY, 0, 0, 0, 0)
        complaints.close(session, OPERATOR, number, "已沟通")
        assert balances_of(session, LI) == (0, PAY, 0, 0, 0)

    def test_what_she_owed_for_it_she_owes_no_more(self, session, clock, visit_id):
        release(session, clock)
        pay_out(session)
        refund_id = grant(session, visit_id, 3000, 1000)
        refunds.take_back(session, OPERATOR, refund_id, "记错了")
        assert balances_of(session, LI) == (0, 0, 0, PAY, 0)

    def test_a_reason_is_asked_for_and_another_city_finds_nothing(self, session, visit_id):
        refund_id = grant(session, visit_id, 3000)
        with pytest.raises(Invalid, match="missing"):
            refunds.take_back(session, OPERATOR, refund_id, " ")
        with pytest.raises(NotFound, match="refund_not_found"):
            refunds.take_back(session, FAR_OPERATOR, refund_id, "记错了")


class TestReading:
    def test_each_side_reads_its_own(self, session, visit_id):
        refunds.grant(session, OPERATOR, visit_id, 3000, 1000, NASTY, request_key="one")
        grant(session, visit_id, 500, key="two")
        orders = [order_of(session, visit_id)]

        def read(actor):
            found = refunds.of_orders(session, actor, orders)
            return [(one.amount_fen, one.caregiver_fen, one.moves) for one in found]

        assert read(OPERATOR) == [(500, 0, ("take_back",)), (3000, 1000, ("take_back",))]
        assert read(DESK) == [(500, 0, ()), (3000, 1000, ())]
        assert read(ZHOU) == [(500, 0, ()), (3000, 0, ())]
        assert read(LI) == [(1000, 1000, ())]
        for stranger in (STRANGER, ZHAO, FAR_OPERATOR):
            assert read(stranger) == []
        [mine] = refunds.of_orders(session, LI, orders)
        assert (mine.words, mine.status) == (NASTY, RefundStatus.GRANTED)

    def test_the_bill_names_them(self, session, visit_id):
        refund_id = grant(session, visit_id, 3000)
        refunds.take_back(session, OPERATOR, refund_id, "记错了")
        bill = statements.mine(session, ZHOU)
        assert [(one.kind, one.amount_fen) for one in bill.lines][1:] == [
            (StatementKind.REFUNDED, -3000),
            (StatementKind.REFUND_REVERSED, 3000),
        ]
        assert bill.lines[-1].starts_at is not None


def test_a_penalty_beyond_what_is_due_is_owed_and_no_more_if_taken_back(session, clock):
    visit_id = make_visit(session)
    visit = session.get_one(Visit, visit_id)
    clock.move(to=visit.starts_at)
    changes.miss(session, OPERATOR, visit_id, Party.CAREGIVER, "没有来")
    assert visit.end_reason is EndReason.NO_SHOW
    assert balances_of(session, LI) == (0, 0, 0, 0, visit.penalty_fen)
    assert income.mine(session, LI).debt_fen == visit.penalty_fen > 0
    no_shows.take_back(session, OPERATOR, visit_id, "弄错了")
    assert balances_of(session, LI) == (0, 0, 0, 0, 0)


def test_a_merged_family_is_given_back_what_its_orders_cost(session, visit_id):
    order = session.get_one(Order, order_of(session, visit_id))
    order.customer_id = STRANGER.id
    session.flush()
    grant(session, visit_id, 3000)
    assert owed_by(session, STRANGER) == -3000


def test_what_was_written_of_who_is_erased_goes_and_the_amount_stays(session, clock, visit_id):
    refund_id = grant(session, visit_id, PRICE)
    refunds.take_back(session, OPERATOR, refund_id, "记错了")
    grant(session, visit_id, PRICE, key="two")
    clock.move(days=40)
    erasure.ask(session, ZHOU)
    clock.move(days=7)
    assert erasure.erase_due(session, SYSTEM) == 1
    session.expire_all()
    kept = session.scalars(select(Refund).order_by(Refund.id)).all()
    assert [(one.amount_fen, one.words, one.reversal_words) for one in kept] == [
        (PRICE, forgetting.NOBODY, forgetting.NOBODY),
        (PRICE, forgetting.NOBODY, ""),
    ]
