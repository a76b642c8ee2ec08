"""Staff at once: the same reference recorded, one click sent twice, and a family merged away."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account, AccountStatus
from data.ledger import LedgerAccount
from data.receipts import Receipt
from services import customers, ledger, receipts
from services.errors import Conflict
from tests.factories import (
    DESK,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    make_receipt,
    one_person,
    receipt_form,
)
from tests.races.rush import rush

pytestmark = pytest.mark.race


@pytest.fixture(autouse=True)
def at_home(database):
    with engines.writing() as session:
        one_person(session)
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).city_code = NANTONG


def record(request_key, actor=OPERATOR, **changes):
    form = receipt_form(**changes)
    return engines.transact(lambda session: receipts.record(session, actor, form, request_key))


def owed(customer=ZHOU):
    with engines.reading() as session:
        return ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, customer.id)


def test_of_many_who_record_the_same_reference_one_does(database):
    outcomes = rush(lambda number: record(f"key {number}", (DESK, OPERATOR)[number % 2]), threads=8)

    refused = [one.key for one in outcomes if isinstance(one, Conflict)]
    assert refused == ["error.reference_recorded"] * 7
    assert owed() == -8000


def test_one_click_that_arrives_twice_records_once(database):
    outcomes = rush(lambda _: record("one click"), threads=6)

    assert len(set(outcomes)) == 1
    assert owed() == -8000


def test_of_many_who_take_the_same_receipt_back_one_does(database):
    with engines.writing() as session:
        receipt_id = make_receipt(session)

    def take_back(_number):
        return engines.transact(
            lambda session: receipts.reverse(session, OPERATOR, receipt_id, "记错了")
        )

    outcomes = rush(take_back, threads=6)

    refused = [one.key for one in outcomes if isinstance(one, Conflict)]
    assert refused == ["error.receipt_reversed_already"] * 5
    assert owed() == 0


@pytest.mark.parametrize("turn", range(4))
def test_nothing_recorded_while_an_account_is_merged_stays_behind(database, turn):
    with engines.writing() as session:
        mistake = make_receipt(session, customer_id=STRANGER.id, reference="mistake")

    def work(number):
        if number == turn:
            return engines.transact(
                lambda session: customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
            )
        if number == (turn + 1) % 4:
            return engines.transact(
                lambda session: receipts.reverse(session, OPERATOR, mistake, "记错了")
            )
        return record(f"key {number}", customer_id=STRANGER.id, reference=str(number))

    outcomes = rush(work, threads=6)

    assert outcomes[turn] is None
    with engines.reading() as session:
        assert session.get_one(Account, STRANGER.id).status is AccountStatus.MERGED
        left = select(func.count(Receipt.id)).where(Receipt.customer_id == STRANGER.id)
        assert session.scalar(left) == 0
    recorded = [one for one in outcomes if isinstance(one, int)]
    assert (owed(), owed(STRANGER)) == (-8000 * len(recorded), 0)
