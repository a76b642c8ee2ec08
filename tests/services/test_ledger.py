import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from data import database as engines
from data.cities import City
from data.ledger import LedgerAccount, LedgerEntry, LedgerPosting
from data.orders import Order, Visit
from services import ledger, orders, pay
from services.ledger import Line, Unbalanced
from tests.factories import (
    LI,
    ZHAO,
    ZHOU,
    cancel_order,
    make_order,
    make_redeemed_visit,
    order_of,
    visit_of,
)

TOTAL, COMMISSION = 8000, 1200


def balances(session):
    return {
        account: balance
        for account in LedgerAccount
        if (balance := ledger.balance(session, account))
    }


def sums_by_entry(session):
    sums = select(func.sum(LedgerPosting.amount_fen)).group_by(LedgerPosting.entry_id)
    return session.scalars(sums).all()


def test_confirming_books_what_the_customer_owes(session):
    make_order(session)

    assert balances(session) == {
        LedgerAccount.CUSTOMER_RECEIVABLE: TOTAL,
        LedgerAccount.ORDERS_COMMITTED: -TOTAL,
    }


def test_redeeming_books_the_caregivers_share_and_ours(session):
    make_redeemed_visit(session)

    assert balances(session) == {
        LedgerAccount.CUSTOMER_RECEIVABLE: TOTAL,
        LedgerAccount.CAREGIVER_FROZEN: COMMISSION - TOTAL,
        LedgerAccount.PLATFORM_FEE: -COMMISSION,
    }
    assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, LI.id) == COMMISSION - TOTAL
    assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, ZHAO.id) == 0


@pytest.mark.parametrize("end", [cancel_order, orders.decline])
def test_an_ended_order_leaves_nothing_owed(session, end):
    end(session, ZHOU, make_order(session))

    assert balances(session) == {}
    assert len(session.scalars(select(LedgerEntry)).all()) == 2


def test_every_entry_sums_to_zero(session):
    make_redeemed_visit(session)
    cancel_order(session, ZHOU, make_order(session))

    assert sums_by_entry(session) == [0, 0, 0, 0]


def test_without_commission_nothing_is_booked_for_us(session):
    session.execute(update(City).values(commission_bp=0))
    make_redeemed_visit(session)

    assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN) == -TOTAL
    assert LedgerAccount.PLATFORM_FEE not in session.scalars(select(LedgerPosting.account)).all()


@pytest.mark.parametrize("book", [ledger.book_confirmed, ledger.book_redeemed, pay.book_cancelled])
def test_an_event_is_booked_once(database, book):
    with engines.writing() as session:
        ended = order_of(session, make_redeemed_visit(session))
        cancelled = make_order(session)
        cancel_order(session, ZHOU, cancelled)
    order_id = cancelled if book is pay.book_cancelled else ended

    def again(session):
        order = session.get_one(Order, order_id)
        visit = session.get_one(Visit, visit_of(session, order_id))
        book(session, order, TOTAL if book is ledger.book_confirmed else visit)

    with pytest.raises(IntegrityError, match="event_key"), engines.writing() as session:
        again(session)


def test_an_entry_that_does_not_sum_to_zero_is_a_bug(session):
    order = session.get_one(Order, make_order(session))

    line = Line(LedgerAccount.PLATFORM_FEE, 1, ZHOU.id)

    with pytest.raises(Unbalanced):
        ledger.book(session, "cancelled", "order:1", order.id, None, line)
