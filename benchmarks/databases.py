"""The databases benchmarks work on, made for this run and gone after it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks import bulk
from data import database
from services import startup


@contextmanager
def at(url: str) -> Iterator[str]:
    """Inside the block the database at `url` is the one in use."""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        yield url
    finally:
        database.engine().dispose()
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before


def small_demo(url: str, fill: Callable[[], None]) -> str:
    """The URL of a new database with a small demo, and what is filled in on top."""
    os.environ["CAREPILOT_DEMO"] = "small"
    try:
        with at(url):
            startup.prepare()
            fill()
    finally:
        del os.environ["CAREPILOT_DEMO"]
    return url


def filled_sqlite(folder: Path, orders: int = bulk.ORDERS) -> str:
    """The URL of a SQLite file in `folder` with this many orders; filled once."""
    file = folder / f"bulk_{orders}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        with at(url):
            bulk.fill(orders)
    return url


def filled_postgresql(cluster: str, orders: int) -> str:
    """The URL of a new database in the cluster with this many orders."""
    name = f"bulk_{orders}"
    owner = create_engine(cluster, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    owner.dispose()
    with at(cluster.rpartition("/")[0] + f"/{name}") as url:
        bulk.fill(orders)
    return url
