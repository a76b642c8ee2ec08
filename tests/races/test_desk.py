"""Two of the desk at once: the same number entered, and a caller merged while booked for."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account, AccountStatus
from data.demands import Demand
from services import callers, demands, duplicates, phones
from services.access import Actor, Role
from services.errors import Conflict
from tests.factories import DESK, NANTONG, demand_form, make_recipient
from tests.races.rush import rush

pytestmark = pytest.mark.race

PHONE = "13912345678"


def enter(name, phone=PHONE, **options):
    return engines.transact(
        lambda session: callers.register(session, DESK, name, phone, NANTONG, **options)
    )


def test_of_many_who_enter_the_same_phone_one_does(database):
    outcomes = rush(lambda number: enter(f"顾阿姨{number}"), threads=8)

    refused = [one for one in outcomes if isinstance(one, Conflict)]
    assert [one.key for one in refused] == ["error.phone_known"] * 7
    with engines.reading() as session:
        theirs = Account.phone_hash == phones.whole_hash(f"+86{PHONE}")
        assert session.scalar(select(func.count(Account.id)).where(theirs)) == 1


@pytest.mark.parametrize("turn", range(4))
def test_nothing_asked_for_while_an_account_is_merged_stays_behind(database, turn):
    kept, gone = enter("顾阿姨"), enter("顾阿姨", shared=True)
    with engines.writing() as session:
        cared_for = [
            make_recipient(session, Actor(one, Role.CUSTOMER), name="顾奶奶")
            for one in (kept, gone)
        ]

    def work(number):
        def deed(session):
            if number == turn:
                return duplicates.merge(session, DESK, kept, gone)
            form = demand_form(recipient_id=cared_for[1])
            return demands.post(session, DESK, form, f"k{number}", customer_id=gone)

        return engines.transact(deed)

    outcomes = rush(work, threads=6)

    with engines.reading() as session:
        assert outcomes[turn] is None
        assert session.get_one(Account, gone).status is AccountStatus.MERGED
        left = select(func.count(Demand.id)).where(Demand.customer_id == gone)
        assert session.scalar(left) == 0
