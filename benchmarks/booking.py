"""Approvals under 32 threads: through the service, and in raw SQL that writes the same rows."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from benchmarks import databases
from benchmarks.bulk.city import City
from benchmarks.bulk.orders import Slot, application, demand
from benchmarks.raw_booking import opened
from benchmarks.table import Row
from data import database
from data.accounts import Role
from data.base import Base
from data.caregivers import Caregiver, CaregiverStatus
from data.orders import GONE, Visit
from data.recipients import Recipient
from services import applications, certificates
from services.access import Actor
from services.demo.stage import CITY
from services.errors import Conflict
from tests import postgres

TARGET = 0.10
ORDERS = 2_000
THREADS, ROUNDS = 32, 4
# Of each batch 256 can be approved; 64 more want a caregiver's time that another one wants.
FREE, CONTESTED = 256, 64
FIRST_DAY = 60  # After all that the demo has planned.
LOWER_FEN, HIGHER_FEN = 5_000, 6_000

Approve = Callable[[int], bool]


def measure(folder: Path) -> Iterator[Row]:
    """Throughput on both databases, and how many visits of a caregiver overlap."""
    with databases.at(databases.filled_sqlite(folder, ORDERS)):
        yield from _compare("SQLite")
    with (
        postgres.cluster() as cluster,
        databases.at(databases.filled_postgresql(cluster, ORDERS)),
    ):
        yield from _compare("PostgreSQL")


def _compare(name: str) -> Iterator[Row]:
    batches = _prepare(2 * ROUNDS)
    operator = _operator()
    speeds: dict[str, list[float]] = {"ours": [], "raw": []}
    rows: dict[str, dict[str, int]] = {}
    ways: dict[str, Callable[[], AbstractContextManager[Approve]]] = {
        "ours": lambda: nullcontext(lambda application_id: _approve(operator, application_id)),
        "raw": lambda: opened(database.engine().url, operator.id or 0),
    }
    for batch, way in zip(batches, list(ways) * ROUNDS, strict=True):
        before = _row_counts()
        speeds[way].append(_race(batch, ways[way]))
        written = {table: count - before[table] for table, count in _row_counts().items()}
        if rows.setdefault(way, written) != written or rows["ours"] != written:
            raise RuntimeError(f"{name}: {way} wrote {written}, not {rows['ours']}")
    # The first round is for warming up.
    ours, raw = (median(speeds[way][1:]) for way in ways)
    yield Row(f"booking, {name}", ours, raw, "/s", TARGET, more_is_better=True)
    visits = ROUNDS * FREE
    yield Row(f"double bookings, {name}", _double_bookings(), visits, "visits", 0)


def _approve(operator: Actor, application_id: int) -> bool:
    """Through the service, in one transaction; False if the caregiver is busy by then."""
    try:
        database.transact(lambda session: applications.approve(session, operator, application_id))
    except Conflict:
        return False
    return True


def _race(batch: list[int], way: Callable[[], AbstractContextManager[Approve]]) -> float:
    """Let all threads approve at once; return decisions a second."""
    gate = threading.Barrier(THREADS + 1)
    approved: list[int] = []

    def work(own: list[int]) -> None:
        with way() as approve:
            gate.wait()
            approved.append(sum(approve(application_id) for application_id in own))
            gate.wait()

    threads = [
        threading.Thread(target=work, args=(batch[number::THREADS],), daemon=True)
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    gate.wait()
    started = perf_counter()
    gate.wait(timeout=120)
    seconds = perf_counter() - started
    for thread in threads:
        thread.join()
    if sum(approved) != FREE:
        raise RuntimeError(f"{sum(approved)} of {FREE} possible approvals")
    return len(batch) / seconds


def _prepare(batches: int) -> list[list[int]]:
    """Open demands with an application each, every second one with a rival; rivals' ids left out.

    Applications for the same time of one caregiver stand side by side, so that they meet.
    """
    writable = database.engine().execution_options(sqlite_begin="IMMEDIATE")
    with writable.begin() as connection:
        city = City(connection, 0)
        needed = _item(city).required_certificates
        caregivers = connection.scalars(
            select(Caregiver.id).where(
                Caregiver.status == CaregiverStatus.APPROVED,
                *(certificates.holds(Caregiver.id, one) for one in needed),
            )
        ).all()
        families = connection.execute(select(Recipient.customer_id, Recipient.id)).all()
        prepared: list[list[int]] = []
        turn = 0
        for _ in range(batches):
            batch: list[int] = []
            for number in range(FREE):
                customer_id, recipient_id = families[turn % len(families)]
                day = FIRST_DAY + turn // len(caregivers)
                caregiver_id = caregivers[turn % len(caregivers)]
                rival_id = caregivers[(turn + 1) % len(caregivers)] if number % 2 else None
                for hour in (9, 10) if number < CONTESTED else (9,):
                    wish = _demand(city, customer_id, recipient_id, day, hour)
                    if rival_id is not None:
                        application(city, wish, rival_id, HIGHER_FEN, city.now)
                    batch.append(application(city, wish, caregiver_id, LOWER_FEN, city.now))
                turn += 1
            prepared.append(batch)
        city.finish()
    return prepared


def _demand(city: City, customer_id: int, recipient_id: int, day: int, hour: int) -> int:
    item = _item(city)
    starts_at = city.now.replace(hour=hour, minute=0, second=0) + timedelta(days=day)
    slot = Slot(0, item, starts_at, 2)
    return demand(city, slot, customer_id, recipient_id, city.district(), city.now)


def _item(city: City) -> Any:  # noqa: ANN401 - a row
    return next(item for item in city.items if item.fewest_units == 2)


def _operator() -> Actor:
    with database.reading() as session:
        city = City(session.connection(), 0)
    return Actor(city.demo[Role.OPERATOR], Role.OPERATOR, frozenset({CITY}))


def _row_counts() -> dict[str, int]:
    with database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def _double_bookings() -> int:
    """Pairs of visits of one caregiver that overlap."""
    other = aliased(Visit)
    pairs = (
        select(func.count())
        .select_from(Visit)
        .join(other, (other.caregiver_id == Visit.caregiver_id) & (other.id > Visit.id))
        .where(
            Visit.starts_at < other.ends_at,
            Visit.ends_at > other.starts_at,
            Visit.status.not_in(GONE),
            other.status.not_in(GONE),
        )
    )
    with database.reading() as session:
        return session.scalar(pairs) or 0
