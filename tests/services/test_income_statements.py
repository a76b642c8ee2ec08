"""Statements of a month: every line of the ledger's, and balances that tie to it to the fen."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import lists, sampled_from
from sqlalchemy import func, select

from data.ledger import LedgerEntry, LedgerPosting
from services import (
    audit,
    income,
    income_statements,
    ledger,
    payout_accounts,
    payout_files,
    payouts,
    recurrence,
    refunds,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.errors import NotAllowed, NotFound
from services.income_statements import OWED, LineKind
from services.payout_accounts import AccountForm
from services.payout_files import FileKind
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    cancel_order,
    make_order,
    make_redeemed_visit,
)

JANUARY, FEBRUARY = date(2030, 1, 1), date(2030, 2, 1)


@pytest.fixture(autouse=True)
def account(session):
    payout_accounts.keep(session, LI, AccountForm("工商银行", "李桂兰", "6222021234567890128"))


def pay_out(session, *, arrives=True):
    """Release what is due and pay it out, or have the bank send it back."""
    while income.release_due(session, SYSTEM):
        session.flush()
    due_fen = payouts.preview(session, OPERATOR, NANTONG).total_fen
    if not due_fen:
        return
    batch_id = payouts.lock(session, OPERATOR, NANTONG, due_fen)
    session.flush()
    payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)
    [line] = payouts.lines(session, OPERATOR, batch_id)
    if arrives:
        payouts.arrived(session, OPERATOR, batch_id, [line.id])
    else:
        payouts.came_back(session, OPERATOR, line.id, "户名不符")
    session.flush()


def owed(session):
    return -sum(ledger.balance(session, one, LI.id) for one in OWED)


def told(session, month):
    session.flush()
    return [(str(one.kind), one.amount_fen) for one in january(session, month).lines]


def january(session, month=JANUARY):
    return income_statements.mine(session, LI, month)


def test_a_month_with_all_that_can_come(session, clock):
    make_redeemed_visit(session)
    late = make_order(session, starts_at=clock() + timedelta(hours=10))
    clock.move(hours=8)
    cancel_order(session, ZHOU, late)
    hers = make_order(session, starts_at=clock() + timedelta(hours=5))
    cancel_order(session, LI, hers)
    clock.move(days=9)
    pay_out(session)

    lines = told(session, JANUARY)
    assert lines[0] == ("visit", 6800)
    assert {kind for kind, _ in lines} == {"visit", "fee", "penalty", "payout"}
    seen = january(session)
    assert (seen.opening_fen, seen.closing_fen) == (0, owed(session))
    assert seen.paid_fen == -lines[-1][1]
    last = seen.lines[-1]
    assert (last.kind, last.bank, last.tail) == (LineKind.PAYOUT, "工商银行", "0128")
    assert seen.lines[0].starts_at is not None


def test_what_came_back_is_owed_as_before(session, clock):
    make_redeemed_visit(session)
    clock.move(days=10)
    pay_out(session, arrives=False)

    assert told(session, JANUARY) == [("visit", 6800)]
    assert january(session).closing_fen == 6800


def test_a_month_begins_with_what_the_one_before_ended_with(session, clock):
    make_redeemed_visit(session)
    clock.move(days=30)
    pay_out(session)
    session.flush()

    assert january(session).closing_fen == january(session, FEBRUARY).opening_fen == 6800
    assert told(session, FEBRUARY) == [("payout", -6800)]
    assert january(session, FEBRUARY).closing_fen == 0
    assert income_statements.months(session, LI) == [FEBRUARY, JANUARY]


def test_midnight_of_the_city_parts_the_months(session, clock):
    last_second = recurrence.moment(FEBRUARY, 0) - timedelta(seconds=1)
    for days, moment in enumerate((last_second, last_second + timedelta(seconds=1)), 2):
        with service_clock.at(moment):
            make_redeemed_visit(session, starts_at=moment - timedelta(days=2 * days))
    clock.move(days=60)

    assert [len(told(session, month)) for month in (JANUARY, FEBRUARY)] == [1, 1]


def test_tax_is_told_and_nothing_is_taken_off(session, clock):
    for days in range(3, 20):
        make_redeemed_visit(session, starts_at=clock() - timedelta(days=days))
    session.flush()

    seen = january(session)
    assert seen.earned_fen == sum(one.amount_fen for one in seen.lines) > 80_000
    assert seen.withheld_fen == (seen.earned_fen - 80_000) // 5
    assert seen.closing_fen == seen.earned_fen


def test_operators_of_the_city_open_it_on_record(session):
    make_redeemed_visit(session)
    session.flush()

    assert income_statements.of_caregiver(session, OPERATOR, LI.id, JANUARY).name == "李桂兰"
    [look] = [one for one in audit.looks(session, LI) if one.action == "open_income"]
    assert look.role is OPERATOR.role
    with pytest.raises(NotFound, match="caregiver_not_found"):
        income_statements.of_caregiver(session, FAR_OPERATOR, LI.id, JANUARY)
    with pytest.raises(NotAllowed):
        income_statements.of_caregiver(session, DESK, LI.id, JANUARY)
    assert income_statements.mine(session, ZHAO, JANUARY).lines == ()


DEEDS = (
    "visit", "refund", "late cancelling", "her cancelling", "release", "pay out", "came back",
    "a week",
)  # fmt: skip


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=lists(sampled_from(DEEDS), min_size=4, max_size=9))
def test_whatever_happened_every_month_ties_to_the_ledger(session, clock, deeds):
    with session.begin_nested() as undone:
        for deed in deeds:
            do(session, clock, deed)
        session.flush()
        opening_fen = 0
        for month in reversed(income_statements.months(session, LI)):
            seen = january(session, month)
            assert seen.opening_fen == opening_fen
            assert seen.closing_fen == opening_fen + sum(one.amount_fen for one in seen.lines)
            assert seen.earned_fen - seen.paid_fen == seen.closing_fen - seen.opening_fen
            opening_fen = seen.closing_fen
        posted = (
            select(func.sum(LedgerPosting.amount_fen))
            .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
            .where(LedgerPosting.party_id == LI.id, LedgerPosting.account.in_(OWED))
        )
        assert opening_fen == -(session.scalar(posted) or 0) == owed(session)
        undone.rollback()


def do(session, clock, deed):
    match deed:
        case "visit":
            make_redeemed_visit(session)
        case "late cancelling":
            order_id = make_order(session, starts_at=clock() + timedelta(hours=10))
            clock.move(hours=8)
            cancel_order(session, ZHOU, order_id)
        case "her cancelling":
            cancel_order(session, LI, make_order(session, starts_at=clock() + timedelta(hours=5)))
        case "refund":
            visit_id = make_redeemed_visit(session)
            refunds.grant(
                session, OPERATOR, visit_id, 5000, 4000, "迟到", request_key=f"{visit_id}"
            )
        case "release":
            income.release_due(session, SYSTEM)
        case "pay out":
            pay_out(session)
        case "came back":
            pay_out(session, arrives=False)
        case _:
            clock.move(days=7)
    session.flush()
    clock.move(days=1)
