"""A dashboard over millions of orders: from rollups, from facts, from PostgreSQL; and refreshes."""

import os
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb
import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from benchmarks import databases, pages, panels, servers
from benchmarks.bulk import lake as bulk
from benchmarks.panels import Ask, Panel
from benchmarks.table import Row
from benchmarks.visitor import Broken, Visitor
from data import database
from data.cities import City
from data.publications import Publication, Span
from services import clock
from services.access import Role
from services.analytics import lake, publishing, rollups, terms
from services.analytics.schemas import SCHEMAS, Fact
from tests import postgres

FEW, MANY = (
    int(orders) for orders in os.environ.get("CAREPILOT_BENCH_ORDERS", "1000000 10000000").split()
)
CHANGED = 10_000
FACTS_TARGET, POSTGRESQL_TARGET, MANY_TARGET, REFRESH_TARGET = 1 / 20, 1 / 50, 1.5, 1 / 5
PAGE_TARGET, PUBLISHED_WEEKS = 1.5, 57
PAGES = "demand_map", "findings", "demand", "family_figures", "caregiver_figures", "funnel"
PICTURES = {"plotly_chart", "deck_gl_json_chart"}
ROUNDS, OURS_A_ROUND, REFRESHES = 3, 5, 3
# A refresh goes on from these; what is compared is all there is.
TABLES = (
    "needs_weekly", "groups_weekly", "cells_monthly", "dayparts_weekly", "obstacles_weekly",
    "families_monthly", "caregivers_monthly", "funnel_weekly",
)  # fmt: skip


def measure(folder: Path) -> Iterator[Row]:
    """The whole dashboard, each panel's rows compared, and what it takes to keep it up."""
    few, many = folder / f"lake_{FEW}", folder / f"lake_{MANY}"
    low, high = _prepared(few, FEW), _prepared(many, MANY)
    yield Row(f"peak memory of a full build, {MANY:,} orders, {FEW:,}", high, low, "MiB", 2.0)
    with _at(few), postgres.cluster() as cluster, _loaded(cluster) as peer:
        name = f"dashboard from rollups, {FEW:,} orders, against PostgreSQL"
        yield _compared(name, peer, POSTGRESQL_TARGET)
    with _at(many), _facts() as peer:
        name = f"dashboard from rollups, {MANY:,} orders, against DuckDB on Parquet"
        yield _compared(name, peer, FACTS_TARGET)
    yield _sizes(few, many)
    with _at(many):
        yield from _pages(folder)
        yield _refreshed()


def _prepared(folder: Path, orders: int) -> float:
    """Fill the lake, once, and build its rollups; peak memory of the building process in MiB."""
    with _at(folder):
        if not folder.exists():
            _apart(bulk.fill, orders)
        return _apart(_build, True)[1]


def _compared(name: str, peer: Ask, target: float) -> Row:
    """Medians of whole dashboards, turn by turn; whoever answers otherwise stops the benchmark."""
    dashboard, ours = _dashboard(), _of_rollups()
    asked = [(panel.of_rollups, panel.of_facts) for panel in dashboard]
    for panel, (mine, theirs) in zip(dashboard, asked, strict=True):
        found, expected = panels.rows(mine, ours), panels.rows(theirs, peer)
        assert found, panel.name
        assert found == expected, panel.name
    times: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        mine = median(_seconds(ours, [one for one, _ in asked]) for _ in range(OURS_A_ROUND))
        times.append((mine, _seconds(peer, [other for _, other in asked])))
    mine, theirs = (median(each) * 1000 for each in zip(*times, strict=True))
    return Row(name, mine, theirs, "ms", target)


def _sizes(few: Path, many: Path) -> Row:
    """The same panels from both rollups, turn by turn."""
    asking: list[tuple[Ask, list[str]]] = []
    for folder in (many, few):
        with _at(folder):
            asking.append((_of_rollups(), [panel.of_rollups for panel in _dashboard()]))
    times = [
        tuple(_seconds(ask, questions) for ask, questions in asking)
        for _ in range(ROUNDS * OURS_A_ROUND)
    ]
    large, small = (median(each) * 1000 for each in zip(*times, strict=True))
    name = f"dashboard from rollups, {MANY:,} orders against {FEW:,}"
    return Row(name, large, small, "ms", MANY_TARGET)


def _pages(folder: Path) -> Iterator[Row]:
    """Each page of figures, live for an operator and published for an analyst, with the most."""
    with databases.at(databases.filled_sqlite(folder)) as url:
        database.transact(_begin_late)
        while publishing.publish(database.transact):
            pass
        with (
            servers.ours(folder, url) as ours,
            servers.stock(folder, "empty") as stock,
            Visitor(stock) as peer,
        ):
            for role, page in product((Role.OPERATOR, Role.ANALYST), PAGES):
                with Visitor(ours.url, page, servers.cookie_of(role)) as visitor:
                    name = f"page {page} ({role}), {MANY:,} orders"
                    yield pages.row(name, visitor, peer, PAGE_TARGET)
                    if not visitor.drawn & PICTURES:
                        raise Broken(f"{name}: no picture was drawn")


def _begin_late(session: Session) -> None:
    """As if each city had begun a good year ago: nobody looks at what is older."""
    first = terms.week_of(clock.today()) - timedelta(weeks=PUBLISHED_WEEKS)
    for city in session.scalars(select(City)):
        session.add(
            Publication(
                created_at=clock.now(),
                city_code=city.code,
                span=Span.WEEK,
                first_day=first,
                last_day=first + timedelta(days=6),
                smallest_cell=city.smallest_cell,
            )
        )


def _refreshed() -> Row:
    """Rollups brought up to changed files, and built anew; both must tell the same."""
    times: list[float] = []
    for _ in range(REFRESHES):
        _change()
        times.append(_apart(_build, False)[0])
    grown = _sums()
    whole, _ = _apart(_build, True)
    assert grown == _sums()
    name = f"rollups after {CHANGED:,} changed orders of {MANY:,}, against a full build"
    return Row(name, median(times), whole, "s", REFRESH_TARGET)


def _change() -> None:
    """Let orders of the current month go another way, and ten minutes pass."""
    known = lake.contents()
    assert known.as_of
    month = f"{known.as_of:%Y-%m}"
    for fact, column, was, now in (
        (Fact.NEEDS, "order_status", "completed", "cancelled"),
        (Fact.VISITS, "status", "redeemed", "cancelled"),
    ):
        rows = pq.read_table(lake.path(fact, month), schema=SCHEMAS[fact])
        words = np.array(rows[column].to_pylist(), object)
        some = np.flatnonzero(words == was)[:CHANGED]
        assert len(some) == CHANGED, fact
        words[some] = now
        place = rows.schema.get_field_index(column)
        changed = rows.set_column(place, column, pa.array(words, pa.string()))
        lake.write(known, fact, month, changed)
    known.as_of += timedelta(minutes=10)
    lake.keep(known)


def _sums() -> list[tuple[Any, ...]]:
    """The rows of each table, and what they add up to in all columns."""
    with rollups.reading() as cursor:
        return [
            row
            for table in TABLES
            for row in cursor.execute(
                f"SELECT '{table}', count(*), sum(hash(told)::HUGEINT)"
                f" FROM (SELECT COLUMNS(*)::VARCHAR FROM {table}) AS told"
            ).fetchall()
        ]


def _build(everything: bool) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of a build, in a process of its own."""
    started = perf_counter()
    rollups.build(everything)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return perf_counter() - started, peak


def _apart(work: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever it gives
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def _dashboard() -> list[Panel]:
    as_of = lake.contents().as_of
    assert as_of
    return panels.all_of(as_of)


def _of_rollups() -> Ask:
    cursor = rollups.reading()
    return lambda question: cursor.execute(question).fetchall()


@contextmanager
def _facts() -> Iterator[Ask]:
    """DuckDB on the files, with all the threads it wants."""
    with duckdb.connect() as connection:
        for fact in panels.COLUMNS:
            files = f"{lake.folder()}/facts/{fact}/*.parquet"
            connection.execute(f"CREATE VIEW {fact} AS FROM read_parquet('{files}')")
        yield lambda question: connection.execute(question).fetchall()


@contextmanager
def _loaded(cluster: str) -> Iterator[Ask]:
    """PostgreSQL with the same facts, indexed and analysed."""
    url = make_url(cluster).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        for fact, columns in panels.COLUMNS.items():
            names = columns.split(", ")
            kinds = [_kind(SCHEMAS[Fact(fact)].field(name).type) for name in names]
            told = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
            connection.execute(f"CREATE TABLE {fact} ({told})".encode())
            with connection.cursor().copy(
                f"COPY {fact} ({columns}) FROM STDIN (FORMAT csv)".encode()
            ) as copy:
                for month in lake.contents().months(Fact(fact)):
                    rows = pq.read_table(lake.path(Fact(fact), month), columns=names)
                    copy.write(_csv(rows))
        for statement in (*panels.INDEXES, "VACUUM ANALYZE"):
            connection.execute(statement.encode())
        yield lambda question: connection.execute(question.encode()).fetchall()


def _csv(rows: pa.Table) -> memoryview:
    written = pa.BufferOutputStream()
    told = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none")
    pyarrow.csv.write_csv(rows, written, told)
    return memoryview(written.getvalue())


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_date(kind):
        return "date"
    return "integer" if pa.types.is_integer(kind) else "text"


def _seconds(ask: Ask, questions: list[str]) -> float:
    started = perf_counter()
    for question in questions:
        ask(question)
    return perf_counter() - started


@contextmanager
def _at(folder: Path) -> Iterator[None]:
    """Inside the block figures lie in this folder."""
    before = os.environ.get("CAREPILOT_FIGURES")
    os.environ["CAREPILOT_FIGURES"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CAREPILOT_FIGURES"]
        else:
            os.environ["CAREPILOT_FIGURES"] = before
