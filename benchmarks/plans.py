"""A plan of a hundred visits asked for at once, beside a raw bulk insert of the same visits."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import URL, text

from benchmarks import databases
from benchmarks.table import Row
from data import database
from data.orders import Visit
from services import clock, plan_requests, recurrence
from services.courses import Course
from services.plan_requests import PlanForm
from tests import factories, postgres

TARGET = 5.0
VISITS, ROUNDS = 100, 7
_COLUMNS = [column.name for column in Visit.__table__.columns if column.name != "id"]
_INSERT = f"INSERT INTO visits ({', '.join(_COLUMNS)}) VALUES ({{blanks}})"


def measure(folder: Path) -> Iterator[Row]:
    """Seconds on both databases."""
    with databases.at(f"sqlite:///{folder / 'plans.db'}"):
        yield _compare("SQLite")
    with postgres.cluster() as cluster, databases.at(cluster):
        yield _compare("PostgreSQL")


def _compare(name: str) -> Row:
    with clock.at(factories.MONDAY):
        database.upgrade()
        with database.writing() as session:
            factories.add_cast(session)
        ours, raw = [], []
        for number in range(ROUNDS):
            ours.append(_seconds(lambda number=number: _request(number)))
            rows = _emptied()
            raw.append(_seconds(lambda rows=rows: _insert(database.engine().url, rows)))
            _emptied()
    # The first round is for warming up.
    return Row(f"plan of {VISITS} visits, {name}", median(ours[1:]), median(raw[1:]), "s", TARGET)


def _seconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def _request(number: int) -> None:
    first = clock.today() + timedelta(days=7)
    course = Course(
        rule=recurrence.weekly(range(7), 1, first),
        starts_minute=8 * 60,
        units=2,
        unit_price_fen=factories.PRICE_FEN,
        first_on=first,
        last_on=first + timedelta(days=VISITS - 1),
    )
    form = PlanForm(
        factories.LI.id or 0,
        factories.MOTHER_ID,
        factories.COMPANIONSHIP,
        factories.CHONGCHUAN,
        "1",
        course,
    )
    database.transact(
        lambda session: plan_requests.request(session, factories.ZHOU, form, f"plan {number}")
    )


def _emptied() -> list[tuple[Any, ...]]:
    """The visits as the database keeps them, which are taken out of it."""
    with database.writing() as session:
        rows = session.connection().exec_driver_sql(f"SELECT {', '.join(_COLUMNS)} FROM visits")
        found = [tuple(row) for row in rows]
        if len(found) != VISITS:
            raise RuntimeError(f"{len(found)} visits")
        session.execute(text("DELETE FROM visits"))
    return found


def _insert(url: URL, rows: list[tuple[Any, ...]]) -> None:
    """One transaction on a connection of one's own, as durable as ours."""
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "", isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT.format(blanks=", ".join("?" * len(_COLUMNS))), rows)
            connection.execute("COMMIT")
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    plain = [tuple(_plain(value) for value in row) for row in rows]
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.executemany(_INSERT.format(blanks=", ".join(["%s"] * len(_COLUMNS))).encode(), plain)


def _plain(value: object) -> object:
    """As psycopg takes it back."""
    return Jsonb(value) if isinstance(value, (dict, list)) else value
