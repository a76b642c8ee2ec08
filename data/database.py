"""The database: the only place that opens, commits or closes a session."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

ROOT = Path(__file__).parent.parent
_DEADLOCK_TRIES = 3
_Result = TypeVar("_Result")
# SQLite admits one writer: waiting here in turn is three times faster than in its busy loop.
_one_writer = threading.Lock()


def database_url() -> str:
    """Where the data lives: DATABASE_URL, or a SQLite file under var/."""
    return os.environ.get("DATABASE_URL") or f"sqlite:///{ROOT / 'var' / 'carepilot.db'}"


def engine() -> Engine:
    """The engine of the current DATABASE_URL, made once."""
    return _engine(database_url())


@lru_cache(maxsize=8)
def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        if file := make_url(url).database:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        created = create_engine(url, pool_size=20, max_overflow=40, hide_parameters=True)
        event.listen(created, "connect", _configure_sqlite)
        event.listen(created, "begin", _begin_sqlite)
        return created
    created = create_engine(
        url, pool_size=10, max_overflow=30, pool_pre_ping=True, hide_parameters=True
    )
    event.listen(created, "handle_error", _leave_out_the_row)
    return created


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reading; nothing it holds is ever saved."""
    with Session(engine()) as session:
        yield session


@contextmanager
def still() -> Iterator[Session]:
    """A session for long reading: all of it sees the database as at its first look."""
    standing = engine()
    if standing.dialect.name == "postgresql":  # Every transaction of SQLite is so by itself.
        standing = standing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    with Session(standing) as session:
        yield session


@contextmanager
def writing() -> Iterator[Session]:
    """A session that saves everything when the block ends, or nothing if it raises."""
    writable = engine().execution_options(sqlite_begin="IMMEDIATE")
    if writable.dialect.name != "sqlite":
        with Session(writable, expire_on_commit=False) as session, session.begin():
            yield session
        return
    with (
        _one_writer,
        Session(writable, expire_on_commit=False) as session,
        session.begin(),
    ):
        session.connection()  # BEGIN IMMEDIATE now, so that the writer queues from the start.
        yield session


def transact(work: Callable[[Session], _Result]) -> _Result:
    """Run `work` in one writing transaction; tried again when PostgreSQL broke a deadlock."""
    for _ in range(_DEADLOCK_TRIES):
        try:
            with writing() as session:
                return work(session)
        except OperationalError as broken:
            if not isinstance(broken.orig, DeadlockDetected):
                raise
    with writing() as session:
        return work(session)


def _leave_out_the_row(failure: ExceptionContext) -> None:
    """PostgreSQL adds the failing row to what it says; a log may hold the first line only."""
    for error in (failure.original_exception, failure.sqlalchemy_exception):
        if error is not None and error.args:
            first, *others = error.args
            error.args = (str(first).partition("\n")[0], *others)


def _configure_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401
    connection.isolation_level = None  # We issue BEGIN ourselves, below.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 15000")


def _begin_sqlite(connection: Connection) -> None:
    # Writers queue from the start: a reader that upgrades mid-way fails at once.
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def migrations() -> Config:
    """Alembic, told where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "data" / "migrations"))
    return config


def upgrade(target: str = "head") -> None:
    """Apply the migrations; two processes that start together do it in turn."""
    with _migrating() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(4200320600)"))
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def downgrade(target: str = "base") -> None:
    """Take migrations back."""
    with _migrating() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.downgrade(config, target)


@contextmanager
def _migrating() -> Iterator[Connection]:
    """A transaction in which SQLite's tables may be made anew while others refer to them."""
    with engine().connect().execution_options(sqlite_begin="IMMEDIATE") as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        raw: Any = connection.connection.dbapi_connection
        if on_sqlite:  # Possible only before the transaction begins.
            raw.execute("PRAGMA foreign_keys = OFF")
        try:
            yield connection
            if on_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("A migration left rows that refer to nothing")
            connection.commit()
        finally:
            if on_sqlite:
                connection.rollback()
                raw.execute("PRAGMA foreign_keys = ON")


def is_current() -> bool:
    """Whether the database answers and stands at the newest migration."""
    head = ScriptDirectory.from_config(migrations()).get_current_head()
    with engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
