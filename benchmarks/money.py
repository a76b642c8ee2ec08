"""Balances beside the plain sum over all postings, and a settlement beside one raw aggregate."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks import databases
from benchmarks.table import Row
from data import database
from data.accounts import Account
from data.caregivers import Caregiver, CaregiverStatus
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.recipients import Sex
from services import clock, ledger, payouts, phones, places
from services.access import SYSTEM
from tests import factories, postgres

# How many caregivers share how many postings, two of each release.
BALANCES, SETTLEMENT = (5_000, 1_000_000), (300, 40_000)
BALANCES_TARGET, PREVIEW_TARGET = 0.1, 3.0
ROUNDS, AT_ONCE, PAY_FEN = 9, 10_000, 6_800
FROZEN, PAYABLE = LedgerAccount.CAREGIVER_FROZEN, LedgerAccount.CAREGIVER_PAYABLE
# One in so many was booked within the hour, and is in no kept balance yet.
FRESH = 500
_PLAIN = (
    select(LedgerPosting.party_id, func.sum(LedgerPosting.amount_fen))
    .where(LedgerPosting.account == PAYABLE)
    .group_by(LedgerPosting.party_id)
)


def measure(folder: Path) -> Iterator[Row]:
    """Seconds on both databases."""
    yield from _on("SQLite", lambda name: f"sqlite:///{folder / name}.db")
    for work in (_balances, _preview):
        with postgres.cluster() as cluster, databases.at(cluster):
            yield work("PostgreSQL")


def _on(name: str, url: Callable[[str], str]) -> Iterator[Row]:
    for work in (_balances, _preview):
        with databases.at(url(work.__name__)):
            yield work(name)


def _balances(name: str) -> Row:
    """What all caregivers are owed, counted on from kept balances."""
    _fill(*BALANCES)
    with database.reading() as session:
        ours = _seconds(lambda: ledger.owed(session, PAYABLE))
        peer = _seconds(lambda: _plain(session))
        if ledger.owed(session, PAYABLE) != _plain(session):
            raise RuntimeError("Balances are not the plain sums")
    people, postings = BALANCES
    row = f"balances of {people:,} caregivers over {postings:,} postings, {name}"
    return Row(row, ours, peer, "s", BALANCES_TARGET)


def _preview(name: str) -> Row:
    """A settlement as the operator sees it: who, how much, where to."""
    _fill(*SETTLEMENT)
    with database.reading() as session:
        ours = _seconds(lambda: payouts.preview(session, factories.OPERATOR, factories.NANTONG))
        peer = _seconds(lambda: _plain(session))
        found = payouts.preview(session, factories.OPERATOR, factories.NANTONG)
        if sum(one.amount_fen for one in found.without_account) != sum(_plain(session).values()):
            raise RuntimeError("The preview is not what is payable")
    row = f"settlement preview of {SETTLEMENT[1] // 2:,} visits, {name}"
    return Row(row, ours, peer, "s", PREVIEW_TARGET)


def _plain(session: Session) -> dict[int | None, int]:
    return {party: -int(total) for party, total in session.execute(_PLAIN)}


def _seconds(work: Callable[[], object]) -> float:
    """The median, after a first round for warming up."""
    taken = []
    for _ in range(ROUNDS + 1):
        started = perf_counter()
        work()
        taken.append(perf_counter() - started)
    return median(taken[1:])


def _fill(people: int, postings: int) -> None:
    """Caregivers, and a release for every two postings; most are in the kept balances."""
    now = factories.MONDAY
    with clock.at(now):
        database.upgrade()
        with database.writing() as session:
            factories.add_cast(session)
            ids = _caregivers(session, people)
    entries = postings // 2
    for first in range(0, entries, AT_ONCE):
        with database.writing() as session:
            _release(session, ids, range(first, min(first + AT_ONCE, entries)), entries)
    with clock.at(now), database.writing() as session:
        ledger.keep_balances(session, SYSTEM)


def _caregivers(session: Session, people: int) -> list[int]:
    accounts = []
    for number in range(people):
        phone = f"137{number:08d}"
        account = Account(
            created_at=clock.now(),
            name=f"陪护员{number}",
            phone=phone,
            phone_hash=phones.whole_hash(phone),
            phone_tail_hash=phones.tail_hash(phone),
        )
        accounts.append(account)
    session.add_all(accounts)
    session.flush()
    session.add_all(
        Caregiver(
            id=account.id,
            created_at=clock.now(),
            city_code=factories.NANTONG,
            district_code=factories.CHONGCHUAN,
            cell=places.cell_of_district(factories.CHONGCHUAN),
            sex=Sex.FEMALE,
            birth_date=date(1980, 1, 1),
            worked_since=2015,
            radius_km=30,
            skills=[],
            status=CaregiverStatus.APPROVED,
        )
        for account in accounts
    )
    return [account.id for account in accounts]


def _release(session: Session, ids: list[int], numbers: range, entries: int) -> None:
    """Each release an entry of two lines; the last ones are fresh."""
    first = (session.scalar(select(func.max(LedgerEntry.id))) or 0) + 1
    old, fresh = factories.MONDAY - timedelta(hours=2), factories.MONDAY
    session.execute(
        insert(LedgerEntry),
        [
            {
                "id": first + place,
                "created_at": fresh if number >= entries - entries // FRESH else old,
                "event_key": f"released:bench:{number}",
                "event": LedgerEvent.RELEASED,
                "lines": 2,
                "sum_fen": 0,
            }
            for place, number in enumerate(numbers)
        ],
    )
    session.execute(
        insert(LedgerPosting),
        [
            {
                "entry_id": first + place,
                "number": line,
                "account": account,
                "party_id": ids[number % len(ids)],
                "amount_fen": amount_fen,
                "running_fen": PAY_FEN if line == 1 else 0,
            }
            for place, number in enumerate(numbers)
            for line, account, amount_fen in ((1, FROZEN, PAY_FEN), (2, PAYABLE, -PAY_FEN))
        ],
    )
