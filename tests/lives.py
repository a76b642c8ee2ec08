"""What the machines that live at random share: how many lives, scenes to begin at, the books."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hypothesis import settings
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from data import database as engines
from data.base import Base
from data.ledger import LedgerAccount, LedgerPosting

_BALANCES = select(
    LedgerPosting.account, LedgerPosting.party_id, func.sum(LedgerPosting.amount_fen)
).group_by(LedgerPosting.account, LedgerPosting.party_id)


def how_many() -> int:
    """CAREPILOT_EXAMPLES lives if it is set."""
    return int(os.environ.get("CAREPILOT_EXAMPLES", 300))


def seconds() -> int:
    """How long so many lives may take."""
    return 2 * how_many()


def bounded(steps: int) -> settings:
    """So many lives of so many steps; the same ones in each run, unless there are very many."""
    return settings(
        max_examples=how_many(),
        stateful_step_count=steps,
        deadline=None,
        derandomize=how_many() < 1000,
        database=None,
        print_blob=False,
    )


class Stage:
    """The tables that lives write to, and scenes that were put aside for lives to begin at."""

    def __init__(self, tables: Iterable[str], *restored: str) -> None:
        self.tables = _hanging_on(tables)
        self.cleared = (
            *_UNGUARDED[engines.engine().dialect.name],
            *(f"DELETE FROM {table}" for table in self.tables),
            *restored,
        )
        self.scenes: dict[str, tuple[str, ...]] = {}

    def clear(self) -> None:
        """Empty the tables, and bring back what else lives change."""
        _run(self.cleared)

    def put_aside(self, scene: str) -> None:
        """Keep a copy of every row that stands there now."""
        with engines.reading() as session:
            ask = session.connection().exec_driver_sql
            filled = [one for one in self.tables if ask(f"SELECT 1 FROM {one} LIMIT 1").first()]
        _run(f"CREATE TABLE {scene}_{table} AS SELECT * FROM {table}" for table in filled)
        self.scenes[scene] = (
            *self.cleared,
            *(f"INSERT INTO {table} SELECT * FROM {scene}_{table}" for table in reversed(filled)),
        )

    def set(self, scene: str) -> None:
        """Let the tables hold what was put aside, and nothing else."""
        _run(self.scenes[scene])

    def leave(self) -> None:
        """Drop the copies."""
        _run(
            f"DROP TABLE IF EXISTS {scene}_{table}"
            for scene in self.scenes
            for table in self.tables
        )


@contextmanager
def stage(tables: Iterable[str], *restored: str) -> Iterator[Stage]:
    """A stage in the current database, whose connections are faster meanwhile."""
    engine = engines.engine()
    hurry = _HURRIES[engine.dialect.name]
    engine.dispose()
    event.listen(engine, "connect", hurry)
    built = Stage(tables, *restored)
    try:
        yield built
    finally:
        built.leave()
        event.remove(engine, "connect", hurry)
        engine.dispose()


def _leave_out_the_disk(connection, _record) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _keep_what_is_prepared(connection, _record) -> None:
    # At each rollback, so after each refusal, psycopg forgets the statements it has prepared.
    connection._prepared.clear = lambda: False


_HURRIES = {"sqlite": _leave_out_the_disk, "postgresql": _keep_what_is_prepared}


# Nothing is ever taken out of the ledger, but between two lives.
_UNGUARDED = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS ledger_entries_kept",
        "DROP TRIGGER IF EXISTS ledger_postings_kept",
    ),
    "postgresql": ("SET LOCAL session_replication_role = replica",),
}


def _run(statements: Iterable[str]) -> None:
    """Run statements in one transaction; on PostgreSQL in one round trip."""
    with engines.writing() as session:
        connection = session.connection()
        cursor = connection.connection.cursor()
        if connection.dialect.name == "postgresql":
            statements = ["; ".join(statements)]
        for statement in statements:
            cursor.execute(statement)
        cursor.close()


def _hanging_on(tables: Iterable[str]) -> list[str]:
    """These tables and every one whose rows point to theirs, in the order they can be emptied."""
    found = set(tables)
    for table in Base.metadata.sorted_tables:
        if any(key.column.table.name in found for key in table.foreign_keys):
            found.add(table.name)
    return [one.name for one in reversed(Base.metadata.sorted_tables) if one.name in found]


class Books:
    """Every balance in fen, asked once."""

    def __init__(self, session: Session) -> None:
        self.accounts: Counter[LedgerAccount] = Counter()
        self.parties: Counter[tuple[LedgerAccount, int | None]] = Counter()
        for account, party_id, total in session.execute(_BALANCES):
            self.accounts[account] += int(total)
            self.parties[account, party_id] += int(total)

    def sum_to_zero(self) -> bool:
        return self.accounts.total() == 0
