"""Rollups: what operators' pages read, made of the facts by DuckDB, anew where they changed.

The file is built beside its place by the worker and moved there: who reads goes on with the former
one. Beside it lies its SHA-256, and a file that is not as told is built anew.
"""

import logging
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from services import clock
from services.analytics import lake, sources, tables, terms
from services.analytics.schemas import MOMENT_OF, SCHEMAS, Fact
from services.analytics.sources import Source, Sources
from services.analytics.tables import Rollup

log = logging.getLogger("carepilot.analytics")
MEMORY = "512MB"
_SETTINGS = {
    "threads": 1,
    "memory_limit": MEMORY,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_MONTHLY = {one.name for one in tables.ROLLUPS if one.monthly} | {"caregivers_monthly"}

_lock = threading.Lock()
_open: dict[tuple[Path, int, int], duckdb.DuckDBPyConnection] = {}


class NotBuilt(Exception):
    """There are no rollups yet, or none that can be read."""


def file() -> Path:
    """Where the rollups lie."""
    return lake.folder() / "rollups.duckdb"


def reading() -> duckdb.DuckDBPyConnection:
    """A cursor on the rollups as they are now, for one thread; NotBuilt if there are none.

    It goes on with what it began with when they are replaced.
    """
    place = file()
    with _lock:
        try:
            seen = place.stat()
        except FileNotFoundError:
            _open.clear()
            raise NotBuilt from None
        key = (place, seen.st_ino, seen.st_mtime_ns)
        if key not in _open:
            _open.clear()  # Not closed: that would end cursors in use. It closes with the last.
            _open[key] = _attached(place)
        cursor = _open[key].cursor()
    cursor.execute("USE rollups")
    return cursor


def standing() -> tuple[datetime | None, str]:
    """Up to when the rollups tell, in city time, and which version they are."""
    try:
        with reading() as cursor:
            ((as_of, checksum),) = cursor.execute("SELECT as_of, checksum FROM meta").fetchall()
    except NotBuilt:
        return None, ""
    return as_of, f"{checksum} {as_of}"


def read(table: str, cities: Collection[str], first: date, last: date) -> pd.DataFrame:
    """The rows of a table that begin from one day to another, in these cities.

    `day` is the Monday they begin with, `weeks` how many they tell of. No rows without rollups.
    """
    told = "week AS day, 1 AS weeks, * EXCLUDE (week)"
    if table in _MONTHLY:
        # The week with the 4th is a month's first.
        told = """
            date_trunc('week', month + 3)::DATE AS day,
            (date_trunc('week', last_day(month) + 4)::DATE - day) // 7 AS weeks,
            *
        """
    query = f"SELECT {told} FROM {table} WHERE day BETWEEN ? AND ? AND list_contains(?, city)"
    with _something() as cursor:
        return cursor.execute(query, [first, last, list(cities)]).df()


# --- building ---


def build(everything: bool = False) -> int:
    """Bring the rollups up to the facts; return how many months of weeks were made anew.

    Without an export there is nothing to build of; of broken facts nothing is built.
    """
    with lake.alone():
        contents = lake.contents()
        if contents.as_of is None:
            return 0
        if lake.broken(contents, thoroughly=False):
            log.warning("facts are broken: the rollups wait for the export that mends them")
            return 0
        former = None if everything else _former()
        now = sources.gathered(contents, contents.as_of, former)
        if now == former:
            return 0
        try:
            return _build(now, former)
        except duckdb.Error:
            if former is None:
                raise
            log.warning("the rollups cannot be changed: they are built anew", exc_info=True)
            return _build(now, None)


def _build(now: Sources, former: Sources | None) -> int:
    stale = {one: sources.stale(one, now, former) for one in tables.ROLLUPS}
    _sweep()
    with lake.moved_into(file()) as draft:
        if former:
            shutil.copyfile(file(), draft)
        with _written(draft) as connection:
            if not former:
                _run(connection, tables.FRAME)
            _Builder(connection, now).build(stale)
        digest = lake.sha256(draft)
    # Who dies before this line leaves a file that is not as told: the next run builds it anew.
    with lake.moved_into(_told()) as draft:
        draft.write_text(f"{digest}  {file().name}\n")
    return len(set().union(*stale.values()))


class _Builder:
    """One build: the connection to the draft, and the facts it is made of."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: Sources) -> None:
        self.connection, self.now = connection, now
        _run(connection, tables.MACROS)
        self._set("as_of", f"TIMESTAMP '{now.as_of}'")
        for fact in Fact:
            connection.register(f"no_{fact}", SCHEMAS[fact].empty_table())

    def build(self, stale: dict[Rollup, set[date]]) -> None:
        """Make the stale months of each table anew, and note what of."""
        met = False
        for months, of_months in sources.stretches(stale, self.now):
            self.connection.begin()
            first, last = self._stretch(months)
            if any(Fact.NEEDS in one.facts for one in of_months):
                self.connection.execute(tables.WANTED)
            families = any(one.name == tables.FAMILIES for one in of_months)
            if families and not met:
                self._meet(first)
                met = True
            for rollup in of_months:
                where = f"week >= DATE '{first}' AND week < DATE '{last}'"
                if rollup.monthly:
                    where = f"month BETWEEN DATE '{months[0]}' AND DATE '{months[-1]}'"
                self.connection.execute(f"DELETE FROM {rollup.name} WHERE {where}")
                self.connection.execute(f"INSERT INTO {rollup.name} {rollup.query} ORDER BY 1")
            if families:
                self.connection.execute(tables.KNOWN_TOO)
            self.connection.commit()
        self._show("all_caregivers", Fact.CAREGIVERS, self._of(Fact.CAREGIVERS))
        _run(self.connection, tables.CAREGIVERS)
        self._note()

    def _stretch(self, months: list[date]) -> tuple[date, date]:
        """Let the views show the weeks of months; return their first day and the one after them."""
        first = terms.weeks_of_month(months[0])[0]
        last = terms.weeks_of_month(months[-1])[-1] + timedelta(weeks=1)
        self._set("first", f"DATE '{first}'")
        self._set("last", f"DATE '{last}'")
        touched = sources.months_between(first, last - timedelta(days=1))
        for fact, moment in MOMENT_OF.items():
            if moment is None:
                continue
            own = [one for one in self._of(fact) if one.month in touched]
            self._show(fact, fact, own, f"{moment} >= DATE '{first}' AND {moment} < DATE '{last}'")
            telling = [one for one in self._of(fact) if one.since < last and one.until >= first]
            self._show(f"told_{fact}", fact, telling)
        return first, last

    def _meet(self, first: date) -> None:
        """Gather the families, and who of them was there before `first`."""
        needs, begin, before = self._of(Fact.NEEDS), f"{first:%Y-%m}", first - timedelta(days=1)
        former = [one for one in needs if one.month <= f"{before:%Y-%m}"]
        coming = [one for one in needs if former and one.month >= begin]
        self._show("former_needs", Fact.NEEDS, former)
        self._show("coming_needs", Fact.NEEDS, coming)
        self._show("all_families", Fact.FAMILIES, self._of(Fact.FAMILIES))
        _run(self.connection, (tables.PEOPLE, tables.KNOWN))

    def _of(self, fact: Fact) -> list[Source]:
        return [one for one in self.now.files.values() if one.fact is fact]

    def _show(self, name: str, fact: Fact, files: Iterable[Source], where: str = "true") -> None:
        """Let a view show the rows of some files of a fact."""
        told = ", ".join(_quoted(lake.path(fact, one.month)) for one in files)
        source = f"read_parquet([{told}])" if told else f"no_{fact}"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {source} WHERE {where}"
        )

    def _set(self, name: str, value: str) -> None:
        self.connection.execute(f"SET VARIABLE {name} = {value}")

    def _note(self) -> None:
        """Say what the tables were made of, when, and how."""
        built_at = clock.in_city(clock.now()).replace(tzinfo=None)
        checksums = "".join(sorted(one.sha256 for one in self.now.files.values()))
        _run(self.connection, ("DELETE FROM meta", "DELETE FROM sources"))
        if files := [asdict(one) for one in self.now.files.values()]:
            self.connection.register("files", pa.Table.from_pylist(files))
            self.connection.execute("INSERT INTO sources SELECT * FROM files")
        self.connection.execute(
            "INSERT INTO meta VALUES (?, ?, ?, ?)",
            [self.now.as_of, built_at, sha256(checksums.encode()).hexdigest(), _recipe()],
        )


def _former() -> Sources | None:
    """What the rollups that lie there were made of; None if they must be built anew."""
    if not file().exists():
        return None
    try:
        if _told().read_text().split()[0] != lake.sha256(file()):
            raise NotBuilt
        with reading() as cursor:
            ((as_of, recipe),) = cursor.execute("SELECT as_of, recipe FROM meta").fetchall()
            cursor.execute("SELECT fact, month, sha256, rows, since, until FROM sources")
            files = [Source(Fact(fact), *rest) for fact, *rest in cursor.fetchall()]
    except (NotBuilt, duckdb.Error, OSError, IndexError):
        log.warning("the rollups are not as they were written: they are built anew")
        return None
    if recipe != _recipe():
        log.info("the rollups are made in another way now: they are built anew")
        return None
    return Sources(as_of, {(one.fact, one.month): one for one in files})


def _recipe() -> str:
    """What the tables depend on beside the facts."""
    return lake.sha256(Path(tables.__file__))


@contextmanager
def _written(draft: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The draft, to be written on one thread in bounded memory."""
    settings = _SETTINGS | {"temp_directory": f"{draft}.tmp", "preserve_insertion_order": False}
    with duckdb.connect(draft, config=settings) as connection:
        yield connection
        connection.execute("CHECKPOINT")


def _attached(place: Path) -> duckdb.DuckDBPyConnection:
    # duckdb.connect(place) would hand out the former file as long as somebody reads it.
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute(f"ATTACH {_quoted(place)} AS rollups (READ_ONLY)")
    except duckdb.Error:
        log.warning("the rollups cannot be read", exc_info=True)
        connection.close()
        raise NotBuilt from None
    return connection


@contextmanager
def _something() -> Iterator[duckdb.DuckDBPyConnection]:
    """The rollups, or tables like theirs without rows."""
    try:
        found = reading()
    except NotBuilt:
        found = duckdb.connect(":memory:", config=_SETTINGS)
        _run(found, tables.FRAME)
    with found as cursor:
        yield cursor


def _sweep() -> None:
    """Take away what a build that was killed left behind."""
    for left in lake.folder().glob(f"{file().stem}.*.draft*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def _told() -> Path:
    return file().with_suffix(".sha256")


def _run(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
