"""The queue of complaints with 50,000 cases: as a page, and beside what one would ask by hand."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks import databases, pages, servers
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import AccountRole, Role
from data.complaints import Complaint, ComplaintCategory, ComplaintStatus
from data.orders import Order, Visit
from services import clock, complaint_cases
from services.access import Actor
from services.complaint_cases import Queue
from services.demo.nantong import CITY
from tests import postgres

CASES, CHUNK = 50_000, 5_000
# One in ten is still to be decided, one in three of these has an owner, every fifth is an appeal.
UNDECIDED, OWNED, APPEALED = 10, 3, 5
TARGET, ROUNDS = 3.0, 30
_SAID = "说好两个小时，提前二十分钟就走了，没有打招呼"
_BY_HAND = (
    text("SELECT status, count(*) FROM complaints WHERE city_code = :city GROUP BY status"),
    text("""
        SELECT complaints.id, complaints.status, complaints.category, complaints.due_at,
               orders.item_id, customers.name, caregivers.name, owners.name
        FROM complaints
        JOIN visits ON visits.id = complaints.visit_id
        JOIN orders ON orders.id = visits.order_id
        JOIN accounts AS customers ON customers.id = orders.customer_id
        JOIN accounts AS caregivers ON caregivers.id = visits.caregiver_id
        LEFT JOIN accounts AS owners ON owners.id = complaints.owner_id
        WHERE complaints.city_code = :city AND complaints.status IN ('open', 'appealed')
        ORDER BY complaints.due_at, complaints.id LIMIT 25
    """),
)


def measure(folder: Path) -> Iterator[Row]:
    """The page as the demo's operator opens it, then the queue itself on both databases."""
    url = databases.small_demo(f"sqlite:///{folder / 'complaints'}.db", _fill)
    with (
        databases.at(url),
        servers.ours(folder, url) as ours,
        servers.stock(folder, "empty") as stock,
        Visitor(stock) as peer,
        Visitor(ours.url, "complaints", servers.cookie_of(Role.OPERATOR)) as visitor,
    ):
        yield pages.row(f"page complaints, {CASES:,} cases", visitor, peer)
    yield _queue(url, "SQLite")
    with postgres.cluster() as cluster:
        yield _queue(databases.small_demo(cluster, _fill), "PostgreSQL")


def _queue(url: str, name: str) -> Row:
    """How many each queue holds and the first page of it, turn by turn with the plain queries."""
    with databases.at(url), database.reading() as session:
        operator = _operator(session)
        pairs = [
            (_seconds(lambda: _ours(session, operator)), _seconds(lambda: _by_hand(session)))
            for _ in range(ROUNDS)
        ]
        if _ours(session, operator) != _by_hand(session):
            raise RuntimeError("The queue does not begin with what is due first")
    ours, peer = (median(taken) * 1000 for taken in zip(*pairs, strict=True))
    return Row(f"queue of {CASES:,} complaints, {name}", ours, peer, "ms", TARGET)


def _ours(session: Session, operator: Actor) -> list[int]:
    complaint_cases.counts(session, operator)
    return [one.id for one in complaint_cases.listing(session, operator, Queue.UNDECIDED)]


def _by_hand(session: Session) -> list[int]:
    _, first = (session.execute(query, {"city": CITY}).all() for query in _BY_HAND)
    return [row.id for row in first]


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _operator(session: Session) -> Actor:
    operators = select(AccountRole.account_id).where(AccountRole.role == Role.OPERATOR)
    return Actor(session.scalars(operators).first(), Role.OPERATOR, frozenset({CITY}))


def _fill() -> None:
    """Complaints of the demo's visits, one after the other over a year."""
    now = clock.now()
    with database.writing() as session:
        found = select(Visit.id, Order.customer_id).join(Order, Order.id == Visit.order_id)
        visits = [(one.id, one.customer_id) for one in session.execute(found)]
        owner_id = _operator(session).id
        for begin in range(0, CASES, CHUNK):
            rows = [
                _case(number, visits[number % len(visits)], owner_id, now)
                for number in range(begin, begin + CHUNK)
            ]
            session.execute(insert(Complaint), rows)


def _case(
    number: int, visit: tuple[int, int], owner_id: int | None, now: datetime
) -> dict[str, Any]:
    visit_id, customer_id = visit
    opened_at = now - timedelta(days=365) * (1 - number / CASES)
    due_at = opened_at + timedelta(days=3)
    turn, undecided = divmod(number, UNDECIDED)
    status = ComplaintStatus.OPEN if turn % APPEALED else ComplaintStatus.APPEALED
    return {
        "created_at": opened_at,
        "visit_id": visit_id,
        "city_code": CITY,
        "opened_by_id": customer_id,
        "category": list(ComplaintCategory)[number % len(ComplaintCategory)],
        "words": _SAID,
        "status": ComplaintStatus.CLOSED if undecided else status,
        "owner_id": None if turn % OWNED else owner_id,
        "due_at": due_at,
        "due_soon_at": due_at - timedelta(hours=4),
        "closed_at": due_at if undecided else None,
        "version": 1,
    }
