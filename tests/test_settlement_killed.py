"""Whoever settles pay is killed between any two statements; the next one goes on, to the fen."""

import os
import signal
import subprocess
import sys

import pytest

from data import database as engines
from data.ledger import LedgerAccount
from services import income, ledger, ledger_checks, payout_accounts
from services.access import SYSTEM
from services.payout_accounts import AccountForm
from tests.both_databases import database
from tests.conftest import ROOT
from tests.factories import LI, ZHAO, make_redeemed_visit
from tests.settlement import settle

__all__ = ["database"]

pytestmark = [pytest.mark.server, pytest.mark.slow]
PEOPLE = LI, ZHAO
CARD = "6222021234567890128"
KILLS = 6


def settled_by_another(url, clock, fatal=0):
    """A settlement in a process of its own; how many statements it took, None if it was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.settlement", str(fatal), clock.moment.isoformat()],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def earn(clock):
    """Each has one more visit whose pay is due."""
    for caregiver in PEOPLE:
        with engines.writing() as session:
            make_redeemed_visit(session, caregiver=caregiver)
        clock.move(days=10)
    with engines.writing() as session:
        income.release_due(session, SYSTEM)


def balances(account):
    with engines.reading() as session:
        return [-ledger.balance(session, account, one.id) for one in PEOPLE]


@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_paid_twice(database, clock):
    for caregiver in PEOPLE:
        with engines.writing() as session:
            payout_accounts.keep(session, caregiver, AccountForm("银行", "户名", CARD))
    earn(clock)
    earned = balances(LedgerAccount.CAREGIVER_PAYABLE)
    statements = settled_by_another(database, clock)
    assert balances(LedgerAccount.PAID_OUT) == earned

    for number in range(KILLS):
        earn(clock)
        more = balances(LedgerAccount.CAREGIVER_PAYABLE)
        earned = [before + now for before, now in zip(earned, more, strict=True)]
        fatal = 2 + number * (statements - 4) // KILLS
        assert settled_by_another(database, clock, fatal) is None
        settle()

        assert balances(LedgerAccount.PAID_OUT) == earned
        assert balances(LedgerAccount.CAREGIVER_PAYABLE) == [0, 0]
        assert balances(LedgerAccount.PAYOUT_SENT) == [0, 0]
        with engines.reading() as session:
            ledger_checks.check(session, SYSTEM)
