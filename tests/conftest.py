"""A database with the cast for each test, a clock that stands still, and the app as one opens it.

Everything runs on SQLite; the folders services, api, data and races run it on PostgreSQL too.
"""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, app_test

from api.logs import OURS
from data import database as engines
from data.base import Base
from services import clock as service_clock
from services import sessions
from services.access import Actor
from tests import factories, log_watch, postgres
from tests.live_server import staged_demo

ROOT = Path(__file__).resolve().parent.parent

# Keys are derived once per process, so the secret stands before anything else does.
os.environ["CAREPILOT_SECRET"] = "the secret that every test knows"
os.environ["CAREPILOT_MODE"] = "demo"
os.environ.pop("DATABASE_URL", None)


log_watch.install()
for name in OURS:  # As in the server: what we say at INFO is said in the tests too.
    logging.getLogger(name).setLevel(logging.INFO)
# Every AppTest asks all installed packages what they bring: half of its time, and once is enough.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def nobody_in_the_log() -> Iterator[None]:
    """No record that a test causes tells of a person; see log_watch."""
    log_watch.found.clear()
    yield
    assert log_watch.found == []


LONG = ("browser", "server", "slow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: at the end they would keep one worker busy alone."""
    long = {item.path for item in items if any(mark in item.keywords for mark in LONG)}
    items.sort(key=lambda item: item.path not in long)


def pytest_collection_finish() -> None:
    """As in the server: what is imported stays, and need not be looked through for garbage."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    # Streamlit leaves this folder to the interpreter's end, which complains of it.
    app_test.TMP_DIR.cleanup()


class Clock:
    """Stands at one moment, for every thread, until a test moves it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return service_clock._set_to.get() or self.moment

    def move(self, to: datetime | None = None, **by: float) -> None:
        """Go to a moment, or on by some time: `clock.move(hours=3)`."""
        self.moment = to or self.moment + timedelta(**by)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The only clock, standing at Monday 2030-01-07 09:00 in the city."""
    # Not service_clock.at(): a context variable does not reach the threads pages run on.
    standing = Clock(factories.MONDAY)
    monkeypatch.setattr(service_clock, "now", standing)
    return standing


@contextmanager
def database_at(url: str) -> Iterator[str]:
    """Inside the block DATABASE_URL is this; afterwards no connection to it is left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        engine = engines.engine()
        try:
            yield url
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A migrated SQLite file that holds the cast."""
    file = tmp_path_factory.mktemp("template") / "cast.db"
    with database_at(f"sqlite:///{file}"), service_clock.at(factories.MONDAY):
        engines.upgrade()
        with engines.writing() as session:
            factories.add_cast(session)
    return file


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory) -> Path:
    """A SQLite file that holds the small demo as of today; all workers of the run share it."""
    folder = tmp_path_factory.getbasetemp()
    return staged_demo(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of a PostgreSQL cluster of this worker's own; the tests' database is made in it."""
    with postgres.cluster() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_url(cluster) -> Iterator[str]:
    """A migrated PostgreSQL database that holds the cast, and a spare of it in another schema."""
    with database_at(new_database(cluster, "tests")) as url:
        with service_clock.at(factories.MONDAY):
            engines.upgrade()
            with engines.writing() as session:
                factories.add_cast(session)
                session.connection().exec_driver_sql("; ".join(_kept()))
        engine = engines.engine()
    yield url
    engine.dispose()


@pytest.fixture(scope="session")
def refill(postgresql_url) -> Iterator[Callable[[], None]]:
    """Brings the cast back; a connection of its own, which has planned that once."""
    with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield lambda: connection.execute("SELECT spare.refill()").close()


def new_database(cluster: str, name: str) -> str:
    """Make an empty database in the cluster; return its URL."""
    owner = create_engine(cluster, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    owner.dispose()
    return cluster.rpartition("/")[0] + f"/{name}"


@pytest.fixture
def sqlite_database(sqlite_template, clock) -> Iterator[str]:
    """A SQLite file of the test's own, with the cast."""
    # Always at the same place, so that the engine keeps the statements it has compiled.
    file = sqlite_template.with_name("test.db")
    for left in file.parent.glob("test.db*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    shutil.copy(sqlite_template, file)
    with database_at(f"sqlite:///{file}") as url:
        yield url


@pytest.fixture
def postgresql_database(postgresql_url, refill, clock, monkeypatch, tmp_path) -> str:
    """This worker's PostgreSQL database, with the cast and nothing else; no figures yet."""
    # Connections stay from test to test: a new one has to learn the catalogue first.
    refill()
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    monkeypatch.setenv("CAREPILOT_FIGURES", str(tmp_path / "figures"))
    return postgresql_url


def _kept() -> Iterator[str]:
    """Statements that put a spare of every row aside, and a way to have them back."""
    yield "CREATE SCHEMA spare"
    for table in Base.metadata.sorted_tables:
        yield f"CREATE TABLE spare.{table.name} AS TABLE {table.name}"
    yield (
        "CREATE FUNCTION spare.refill() RETURNS void LANGUAGE plpgsql AS "
        f"$$ BEGIN {' '.join(_refilled())} END $$"
    )


def _refilled() -> Iterator[str]:
    """Statements after which the rows are the spare ones again, and numbers go on after them."""
    # Without triggers: they keep the audit.
    yield "SET LOCAL session_replication_role = replica;"
    for table in Base.metadata.sorted_tables:
        rows = "(SELECT array_agg(row::text) FROM {} row)".format
        yield f"IF {rows(table.name)} IS DISTINCT FROM {rows('spare.' + table.name)} THEN"
        yield f"DELETE FROM {table.name}; INSERT INTO {table.name} TABLE spare.{table.name};"
        yield "END IF;"
        if "id" in table.c:
            number = f"pg_get_serial_sequence('{table.name}', 'id')"
            last = "coalesce(max(id), 1), count(*) > 0"
            yield f"PERFORM setval({number}, {last}) FROM spare.{table.name};"


@pytest.fixture
def empty_sqlite(tmp_path, clock) -> Iterator[str]:
    """The URL of a SQLite file that does not exist yet."""
    with database_at(f"sqlite:///{tmp_path / 'empty.db'}") as url:
        yield url


@pytest.fixture
def empty_postgresql(cluster, clock) -> Iterator[str]:
    """The URL of a PostgreSQL database that holds nothing yet."""
    with database_at(new_database(cluster, "empty")) as url:
        yield url


@pytest.fixture
def database(sqlite_database) -> str:
    """The URL of the test's database; some folders give it on PostgreSQL too."""
    return sqlite_database


@pytest.fixture
def session(database) -> Iterator[Session]:
    """One writing transaction for the whole test, saved when it ends."""
    with engines.writing() as session:
        yield session


@pytest.fixture
def open_app(database) -> Callable[..., AppTest]:
    """Open a page the way a browser does: through Home.py, signed in or (None) not.

    What the page shows must have been saved before: `with writing() as session: make_order(...)`.
    """

    def open_app(page: str, actor: Actor | None, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60)
        if actor is not None:
            app.session_state["session_token"] = token_of(actor)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run().switch_page(page).run()

    return open_app


def token_of(actor: Actor) -> str:
    """The token of a session opened for one of the cast."""
    with engines.writing() as session:
        return sessions.open_session(
            session, actor.id or 0, factories.BROWSER, role=actor.role
        ).token
