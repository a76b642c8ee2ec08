"""Money given back: never more than a family is in credit, recorded once, taken back once."""

import pytest
from sqlalchemy import func, select

from data.accounts import Account
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.receipts import ReceiptMethod
from data.repayments import Repayment
from services import (
    customers,
    erasure,
    ledger,
    ledger_checks,
    receipts,
    refunds,
    repayments,
    statements,
)
from services.access import SYSTEM
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.repayments import RepaymentStatus
from services.statements import StatementKind
from tests.books import owed_by
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    make_receipt,
    make_redeemed_visit,
    one_person,
    receipt_form,
)


@pytest.fixture
def credit(session):
    """Zhou paid 80 yuan for her visit, and 30 of them were refunded."""
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    visit_id = make_redeemed_visit(session)
    make_receipt(session)
    refunds.grant(session, OPERATOR, visit_id, 3000, 0, "早退", request_key="one")
    assert owed_by(session, ZHOU) == -3000


def repay(session, amount="30", *, actor=OPERATOR, key="one", **changes):
    values = {"amount": amount, "reference": "B-1"} | changes
    number = repayments.record(session, actor, receipt_form(**values), key)
    session.flush()
    return number


def told(session, kind):
    return session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)).all()


@pytest.mark.usefixtures("credit")
class TestRecord:
    @pytest.mark.parametrize("actor", [DESK, OPERATOR])
    def test_the_family_is_in_credit_no_more_and_told(self, session, actor):
        repayment_id = repay(session, actor=actor)

        assert owed_by(session, ZHOU) == 0
        assert ledger.balance(session, LedgerAccount.RECEIVED_BANK) == 8000 - 3000
        [seen] = repayments.of_customer(session, actor, ZHOU.id)
        assert (seen.id, seen.amount_fen, seen.method) == (repayment_id, 3000, ReceiptMethod.BANK)
        assert seen.moves == (("take_back",) if actor is OPERATOR else ())
        assert told(session, NoticeKind.MONEY_REPAID) == [ZHOU.id]
        assert ledger_checks.check(session, SYSTEM) == 0

    def test_never_more_than_the_credit(self, session):
        with pytest.raises(Conflict, match="repays_too_much"):
            repay(session, "30.01")
        repay(session, "29.99")
        with pytest.raises(Conflict, match="repays_too_much"):
            repay(session, "0.02", key="two", reference="B-2")
        assert owed_by(session, ZHOU) == -1

    def test_a_double_click_records_once_and_so_does_a_reference(self, session):
        assert repay(session, "10") == repay(session, "10")
        with pytest.raises(Conflict, match="reference_recorded"):
            repay(session, "10", key="two", actor=DESK)
        assert session.scalar(select(func.count(Repayment.id))) == 1
        assert owed_by(session, ZHOU) == -2000

    @pytest.mark.parametrize("amount", ["", "0", "-1", "1.001", "nan"])
    def test_amounts_that_cannot_be_are_refused_in_words(self, session, amount):
        with pytest.raises(Invalid):
            repay(session, amount)

    def test_another_city_gives_nothing_back(self, session):
        with pytest.raises(NotFound, match="customer_not_found"):
            repay(session, actor=FAR_OPERATOR)

    def test_the_bill_names_it(self, session):
        repayments.take_back(session, OPERATOR, repay(session), "记错了")
        lines = statements.mine(session, ZHOU).lines[-2:]
        assert [(one.kind, one.amount_fen, one.reference) for one in lines] == [
            (StatementKind.REPAID, 3000, "B-1"),
            (StatementKind.REPAYMENT_REVERSED, -3000, "B-1"),
        ]


@pytest.mark.usefixtures("credit")
class TestTakeBack:
    def test_once_by_an_operator_of_the_city_with_a_reason(self, session):
        repayment_id = repay(session)
        with pytest.raises(NotAllowed):
            repayments.take_back(session, DESK, repayment_id, "记错了")
        with pytest.raises(Invalid, match="missing"):
            repayments.take_back(session, OPERATOR, repayment_id, " ")
        with pytest.raises(NotFound, match="repayment_not_found"):
            repayments.take_back(session, FAR_OPERATOR, repayment_id, "记错了")
        repayments.take_back(session, OPERATOR, repayment_id, "记错了")
        with pytest.raises(Conflict, match="repayment_moved_on"):
            repayments.take_back(session, OPERATOR, repayment_id, "再来一次")

        assert owed_by(session, ZHOU) == -3000
        [seen] = repayments.of_customer(session, OPERATOR, ZHOU.id)
        assert (seen.status, seen.reversal_words) == (RepaymentStatus.TAKEN_BACK, "记错了")
        assert told(session, NoticeKind.REPAYMENT_TAKEN_BACK) == [ZHOU.id]
        repay(session, key="two")  # Its reference is free again.


class TestQueue:
    @pytest.mark.usefixtures("credit")
    def test_lists_who_is_in_credit_until_it_went_back(self, session):
        make_receipt(session, amount="5", reference="more")
        [one] = repayments.in_credit(session, DESK)
        assert (one.id, one.owed_fen) == (ZHOU.id, -3500)
        assert repayments.in_credit(session, FAR_OPERATOR) == []
        repay(session, "35")
        assert repayments.in_credit(session, DESK) == []

    def test_leaves_out_who_owes(self, session):
        make_redeemed_visit(session)
        assert repayments.in_credit(session, OPERATOR) == []


@pytest.mark.usefixtures("credit")
def test_repayments_follow_to_the_account_that_is_kept(session):
    one_person(session)
    session.get_one(Account, STRANGER.id).city_code = NANTONG
    repayment_id = repay(session)
    customers.merge(session, OPERATOR, STRANGER.id, ZHOU.id)
    session.flush()
    session.expire_all()
    [seen] = repayments.of_customer(session, OPERATOR, STRANGER.id)
    assert seen.id == repayment_id
    repayments.take_back(session, OPERATOR, repayment_id, "记错了")
    assert (owed_by(session, ZHOU), owed_by(session, STRANGER)) == (0, -3000)


@pytest.mark.usefixtures("credit")
def test_what_was_written_of_who_is_erased_goes_and_the_amount_stays(session, clock):
    repay(session, words="退给周家")
    erasure.ask(session, ZHOU)
    clock.move(days=7)
    assert erasure.erase_due(session, SYSTEM) == 1
    session.expire_all()
    kept = session.scalars(select(Repayment)).one()
    assert (kept.amount_fen, kept.words, kept.reference) == (3000, "", "")


def test_a_family_is_told_of_its_payments(session):
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    make_redeemed_visit(session)
    receipts.reverse(session, OPERATOR, make_receipt(session), "记错了")
    for kind in (NoticeKind.RECEIPT_RECORDED, NoticeKind.RECEIPT_REVERSED):
        assert told(session, kind) == [ZHOU.id]
