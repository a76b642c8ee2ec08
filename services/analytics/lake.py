"""Where figures lie: facts by month in Parquet, with a list that says what each file must be.

A file is written beside its place, made durable and moved there; the list comes last. Whoever dies
in between leaves the former list, whose files that were replaced are then found not to be as told.
"""

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.figures import folder
from services.analytics.schemas import PLAIN, SCHEMAS, Fact

__all__ = ["folder"]

log = logging.getLogger("carepilot.analytics")
ALL = "all"  # In place of a month, for a fact that lies in one file.
_ROW_GROUP = 200_000
# What of the list is written as it is.
_PLAIN = ("marks", "gaps", "made_with", "mended", "opened", "differing")


@dataclass(frozen=True, slots=True)
class Part:
    """One file: a fact's month ("2026-11"), its rows, its bytes and their SHA-256.

    And when it was written, in nanoseconds, as the file system tells: a file that still says so is
    not read again to be believed.
    """

    fact: Fact
    month: str
    rows: int
    bytes: int
    sha256: str
    written_ns: int


@dataclass(slots=True)
class Contents:
    """The list of all parts, up to when they tell (city time), and how the next export goes on.

    `marks` and `gaps` are services.analytics.marks', `todo` the parts that are still to be written
    ("needs/2026-11"), `made_with` the key and columns each fact was written with. `mended` counts
    the broken files of the last export, `opened` the id numbers no audit row tells of yet, and
    `differing` are the totals the last check found to differ.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    as_of: datetime | None = None
    marks: dict[str, int] = field(default_factory=dict)
    gaps: dict[str, list[int]] = field(default_factory=dict)
    todo: set[str] = field(default_factory=set)
    made_with: dict[str, str] = field(default_factory=dict)
    mended: int = 0
    opened: int = 0
    differing: list[str] = field(default_factory=list)

    def months(self, fact: Fact) -> list[str]:
        """The months of a fact, in their order."""
        return sorted(part.month for part in self.parts.values() if part.fact is fact)


def path(fact: Fact, month: str) -> Path:
    """The file of a fact's month."""
    return folder() / "facts" / fact / f"{month}.parquet"


def key(fact: Fact, month: str) -> str:
    """A part's name in the list."""
    return f"{fact}/{month}"


def part_of(name: str) -> tuple[Fact, str]:
    """The fact and the month a name in the list stands for."""
    fact, _, month = name.partition("/")
    return Fact(fact), month


@contextmanager
def alone() -> Iterator[None]:
    """Inside the block no other process writes facts; whoever comes second waits.

    The lock goes with the process that holds it, however that ends.
    """
    place = folder() / "facts" / "lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def contents() -> Contents:
    """What the list says; an empty one before the first export, or if it cannot be read."""
    try:
        told = json.loads(_list().read_text())
        parts = [Part(**{**one, "fact": Fact(one["fact"])}) for one in told["parts"]]
        return Contents(
            parts={key(one.fact, one.month): one for one in parts},
            as_of=datetime.fromisoformat(told["as_of"]) if told["as_of"] else None,
            todo={key(*part_of(name)) for name in told["todo"]},
            **{name: told[name] for name in _PLAIN},
        )
    except FileNotFoundError:
        return Contents()
    except (ValueError, KeyError, TypeError):
        log.warning("the list of facts cannot be read: everything is exported anew")
        return Contents()


def keep(known: Contents) -> None:
    """Write the list."""
    told = {
        "as_of": known.as_of.isoformat() if known.as_of else None,
        **{name: getattr(known, name) for name in _PLAIN},
        "todo": sorted(known.todo),
        "parts": [asdict(known.parts[name]) for name in sorted(known.parts)],
    }
    with moved_into(_list()) as draft:
        draft.write_text(json.dumps(told, indent=1))


def write(
    known: Contents, fact: Fact, month: str, rows: pa.Table | Iterable[pa.Table]
) -> Part | None:
    """Replace a fact's month and note it in the list, or take it away if there are no rows.

    Rows may come in pieces. A file that would be the same stays as it is, and so does its part.
    """
    place, name = path(fact, month), key(fact, month)
    before, draft = known.parts.get(name), _draft(place)
    pieces = [rows] if isinstance(rows, pa.Table) else rows
    try:
        count = 0
        with pq.ParquetWriter(draft, SCHEMAS[fact], compression="zstd") as writer:
            for group in _groups(pieces):
                count += group.num_rows
                writer.write_table(group.cast(SCHEMAS[fact]), row_group_size=_ROW_GROUP)
        if not count:
            known.parts.pop(name, None)
            place.unlink(missing_ok=True)
            return None
        size, digest = draft.stat().st_size, sha256(draft)
        if before is None or before.sha256 != digest or not _as_told(before, thoroughly=True):
            _settle(draft, place)
            before = Part(fact, month, count, size, digest, place.stat().st_mtime_ns)
        known.parts[name] = before
        return before
    finally:
        draft.unlink(missing_ok=True)


def read(known: Contents, fact: Fact, month: str) -> pa.Table | None:
    """A fact's month as it was last written; None if there is none, or its file is broken.

    Its words are no dictionaries.
    """
    part = known.parts.get(key(fact, month))
    if part is None or not _as_told(part, thoroughly=True):
        return None
    return pq.ParquetFile(path(fact, month)).read().cast(PLAIN[fact])


def broken(known: Contents, *, thoroughly: bool = True) -> list[Part]:
    """The parts whose file is missing or not as the list says.

    Unless asked to look thoroughly, a file of the same size and time is believed unread: whoever
    writes to it changes its time, and only a failing disk does not.
    """
    return [part for part in known.parts.values() if not _as_told(part, thoroughly=thoroughly)]


def sweep(known: Contents) -> None:
    """Take away what the list does not know: files of former lists, drafts of who died."""
    told = {path(part.fact, part.month) for part in known.parts.values()}
    place = folder() / "facts"
    for found in (*place.glob("*/*"), *place.glob("*.draft")):
        if found not in told:
            found.unlink()


@contextmanager
def moved_into(place: Path) -> Iterator[Path]:
    """A draft beside the place, which takes it when the block ends and is gone if it raises."""
    draft = _draft(place)
    try:
        yield draft
        _settle(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hex digits."""
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()


def _as_told(part: Part, *, thoroughly: bool) -> bool:
    place = path(part.fact, part.month)
    if not place.is_file():
        return False
    found = place.stat()
    if found.st_size != part.bytes:
        return False
    if not thoroughly and found.st_mtime_ns == part.written_ns:
        return True
    return sha256(place) == part.sha256


def _groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Rows in groups of one size, whatever pieces they came in: so the same rows make one file."""
    waiting: list[pa.Table] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += piece.num_rows
        while count >= _ROW_GROUP:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, _ROW_GROUP).combine_chunks()
            waiting, count = [whole.slice(_ROW_GROUP)], count - _ROW_GROUP
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


def _list() -> Path:
    return folder() / "facts" / "list.json"


def _draft(place: Path) -> Path:
    """Where a file is written before it takes its place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.with_suffix(f".{os.getpid()}.draft")


def _settle(draft: Path, place: Path) -> None:
    """Move a draft to its place so that it is there after a power cut too."""
    with draft.open("rb+") as written:
        os.fsync(written.fileno())
    draft.replace(place)
    entry = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
