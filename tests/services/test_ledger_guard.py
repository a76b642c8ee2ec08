"""The ledger holds by itself, whoever writes to it; and balances are counted on, never wrong."""

from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DatabaseError

from data import database as engines
from data.ledger import LedgerAccount, LedgerBalance, LedgerEntry, LedgerEvent, LedgerPosting
from services import ledger, ledger_checks
from services.access import SYSTEM
from services.ledger_checks import Broken
from tests.factories import LI, OPERATOR, ZHAO, ZHOU, make_order, make_redeemed_visit

RECEIVABLE, FROZEN = LedgerAccount.CUSTOMER_RECEIVABLE, LedgerAccount.CAREGIVER_FROZEN


@pytest.fixture
def booked(database):
    with engines.writing() as session:
        make_redeemed_visit(session)


def entry(session, amounts, *, lines=None, running=None, key="by hand"):
    """An entry of these amounts, written past the service."""
    told = {"event_key": key, "event": LedgerEvent.MERGED, "sum_fen": 0}
    counted = len(amounts) if lines is None else lines
    number = session.scalar(
        insert(LedgerEntry).returning(LedgerEntry.id),
        told | {"lines": counted, "created_at": ledger.clock.now()},
    )
    sums = list(accumulate(amounts)) if running is None else running
    for place, (amount_fen, running_fen) in enumerate(zip(amounts, sums, strict=True), 1):
        add(session, number, place, amount_fen, running_fen)
    return number


def add(session, number, place, amount_fen, running_fen):
    line = {"account": RECEIVABLE, "party_id": ZHOU.id, "amount_fen": amount_fen}
    session.execute(
        insert(LedgerPosting),
        line | {"entry_id": number, "number": place, "running_fen": running_fen},
    )


def entries(session):
    return session.scalar(select(func.count(LedgerEntry.id)))


def plain(session, account, party_id):
    mine = select(func.coalesce(func.sum(LedgerPosting.amount_fen), 0)).where(
        LedgerPosting.account == account, LedgerPosting.party_id == party_id
    )
    return session.scalar(mine)


@pytest.mark.parametrize("table", [LedgerEntry, LedgerPosting])
@pytest.mark.parametrize("change", ["update", "delete"])
def test_what_is_booked_is_never_changed(booked, table, change):
    statement = update(table).values(id=table.id + 1000) if change == "update" else delete(table)
    with pytest.raises(DatabaseError, match="only ever added"), engines.writing() as session:
        session.execute(statement)


@pytest.mark.parametrize(
    ("amounts", "more"),
    [
        ((100, -99), {}),
        ((100, -100), {"lines": 3}),
        ((100, -100), {"lines": 1}),
        ((100,), {}),
        ((100, -99), {"running": (100, 0)}),
        ((100, -100), {"running": (99, 0)}),
    ],
)
def test_what_does_not_come_to_nothing_is_not_booked(booked, amounts, more):
    with pytest.raises(DatabaseError), engines.writing() as session:
        entry(session, amounts, **more)
    with engines.reading() as session:
        assert ledger_checks.check(session, SYSTEM) == 0
        assert entries(session) == 2


def test_what_comes_to_nothing_is(booked):
    with engines.writing() as session:
        entry(session, (100, -40, -60))
    with engines.reading() as session:
        assert ledger_checks.check(session, SYSTEM) == 0
        assert entries(session) == 3


def test_no_line_is_added_to_an_entry_that_is_whole(booked):
    with engines.writing() as session:
        number = entry(session, (100, -100))
    for place, amount_fen, running_fen in ((3, 5, 5), (2, -100, 0)):
        with pytest.raises(DatabaseError), engines.writing() as session:
            add(session, number, place, amount_fen, running_fen)


class TestBalances:
    def test_are_counted_on_from_where_they_were_kept(self, session, clock):
        make_redeemed_visit(session)
        # What was booked within the hour is left out: more may still come.
        assert ledger.keep_balances(session, SYSTEM) == 2
        clock.move(hours=2)
        assert ledger.keep_balances(session, SYSTEM) == 3
        assert ledger.keep_balances(session, SYSTEM) == 0
        kept = ledger.balance(session, FROZEN, LI.id)
        make_order(session, starts_at=clock.moment + timedelta(days=9))

        assert kept == ledger.balance(session, FROZEN, LI.id) == plain(session, FROZEN, LI.id)
        assert ledger.balance(session, RECEIVABLE, ZHOU.id) == plain(session, RECEIVABLE, ZHOU.id)
        assert ledger.balances(session, FROZEN, [LI.id, ZHAO.id]) == {LI.id: kept}
        assert ledger_checks.faults(session) == ledger_checks.Faults(0, 0, 0, 0)

    def test_are_always_the_plain_sums(self, database, clock):
        @settings(deadline=None)
        @given(st.lists(st.tuples(st.integers(2, 10**9), st.booleans(), st.booleans()), max_size=6))
        def holds(steps):
            for number, (amount_fen, later, keep) in enumerate(steps):
                with engines.writing() as session:
                    key = f"{clock.moment:%j%H%M%S}-{number}-{amount_fen}"
                    entry(session, (amount_fen, -amount_fen + 1, -1), key=key)
                clock.move(hours=2 if later else 0, seconds=1)
                if keep:
                    engines.transact(lambda session: ledger.keep_balances(session, SYSTEM))
                with engines.reading() as session:
                    assert ledger.balance(session, RECEIVABLE, ZHOU.id) == plain(
                        session, RECEIVABLE, ZHOU.id
                    )
            with engines.reading() as session:
                ledger_checks.check(session, SYSTEM)

        holds()

    def test_only_the_worker_keeps_and_checks_them(self, session):
        for job in (ledger.keep_balances, ledger_checks.check):
            with pytest.raises(Exception, match="not_allowed"):
                job(session, OPERATOR)


def test_a_balance_that_was_kept_wrong_is_found(session, clock):
    make_redeemed_visit(session)
    clock.move(hours=2)
    ledger.keep_balances(session, SYSTEM)
    session.execute(update(LedgerBalance).values(total_fen=LedgerBalance.total_fen + 1))

    assert ledger_checks.faults(session).miscounted == 4
    with pytest.raises(Broken, match="miscounted=4"):
        ledger_checks.check(session, SYSTEM)


def test_an_entry_that_was_tampered_with_is_found(database, booked):
    on = "" if engines.engine().dialect.name == "sqlite" else " ON ledger_postings"
    guard = "ledger_postings_unchanged" if not on else "ledger_postings_kept"
    with engines.writing() as session:
        session.execute(text(f"DROP TRIGGER {guard}{on}"))
        session.execute(
            update(LedgerPosting)
            .where(LedgerPosting.account == FROZEN)
            .values(amount_fen=LedgerPosting.amount_fen - 1)
        )
    with engines.reading() as session:
        assert ledger_checks.faults(session).unbalanced == 1
