"""Several who book one caregiver's pay at once: nothing due falls below nothing, nobody waits."""

from datetime import timedelta

import pytest

from data import database as engines
from services import complaints, income, ledger_checks, payout_accounts, payouts, refunds
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from services.errors import Conflict
from services.payout_accounts import AccountForm
from tests.books import balances_of
from tests.factories import LI, NANTONG, OPERATOR, ZHAO, ZHOU, make_redeemed_visit
from tests.races.rush import rush

pytestmark = pytest.mark.race
PAY_FEN = 6800


def earn(clock, *caregivers):
    """Visits on the days before, one each, whose pay is due."""
    made = [redeem(clock, caregiver, days) for days, caregiver in enumerate(caregivers, 1)]
    clock.move(days=8)
    with engines.writing() as session:
        income.release_due(session, SYSTEM)
    return made


def redeem(clock, caregiver, days):
    with engines.writing() as session:
        starts_at = clock.moment - timedelta(days=days)
        return make_redeemed_visit(session, caregiver=caregiver, starts_at=starts_at)


def lock_what_is_due():
    with engines.writing() as session:
        seen_fen = payouts.preview(session, OPERATOR, NANTONG).total_fen
        return payouts.lock(session, OPERATOR, NANTONG, seen_fen)


def refund_all(visit_id):
    """The family gets all of her pay back, of her; a deadlock would be raised, not tried again."""
    with engines.writing() as session:
        key = f"refund {visit_id}"
        refunds.grant(session, OPERATOR, visit_id, PAY_FEN, PAY_FEN, "没有完成", request_key=key)


@pytest.fixture
def accounts(database):
    for caregiver in (LI, ZHAO):
        with engines.writing() as session:
            form = AccountForm("工商银行", "户名", "6222021234567890128")
            payout_accounts.keep(session, caregiver, form)


@pytest.mark.usefixtures("accounts")
def test_refunds_of_what_was_paid_out_share_what_is_due(clock):
    sent = earn(clock, LI, LI, LI, LI)
    lock_what_is_due()
    earn(clock, LI)

    outcomes = rush(lambda number: refund_all(sent[number]), threads=4)

    assert outcomes == [None] * 4
    with engines.reading() as session:
        assert balances_of(session, LI) == (0, 0, 4 * PAY_FEN, 0, 3 * PAY_FEN)
        ledger_checks.check(session, SYSTEM)


@pytest.mark.usefixtures("accounts")
def test_whatever_comes_together_nobody_waits_in_a_circle(clock):
    made = earn(clock, LI, ZHAO, LI, ZHAO)
    fresh = [redeem(clock, caregiver, days=1) for caregiver in (ZHAO, LI)]
    clock.move(days=8)

    def complain(visit_id):
        with engines.writing() as session:
            number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.OTHER, "不满意")
        with engines.writing() as session:
            complaints.close(session, OPERATOR, number, "已沟通")

    def release():
        with engines.writing() as session:
            income.release_due(session, SYSTEM)

    deeds = [
        release,
        lock_what_is_due,
        *(lambda one=one: refund_all(one) for one in (made[0], made[1], fresh[0])),
        *(lambda one=one: complain(one) for one in (made[2], made[3], fresh[1])),
    ]
    outcomes = rush(lambda number: deeds[number](), threads=len(deeds))
    release()

    refused = [one for one in outcomes if isinstance(one, Conflict)]
    assert {one.key for one in refused} <= {"error.payout_changed", "error.nothing_to_pay_out"}
    with engines.reading() as session:
        ledger_checks.check(session, SYSTEM)
        left = 0
        for caregiver in (LI, ZHAO):
            frozen, due, sent, paid, debt = balances_of(session, caregiver)
            left += frozen + due + sent + paid - debt
        assert left == (len(made) + len(fresh) - 3) * PAY_FEN
