"""The sealing keys: whether they fit this database, and everything sealed anew under the current.

Rotation goes table by table in batches by primary key. What is under the current key already is
skipped, so that it can be broken off and begun again; rows written meanwhile are either locked or
under the current key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    RowMapping,
    Table,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from data import models, sealing
from data.accounts import Account, AccountStatus
from data.key_checks import KeyCheck
from data.sealing import CannotOpen
from services import clock, phones

# Small: a batch of documents is held in memory, and its rows are locked.
BATCH = 50


class WrongKey(Exception):
    """What is sealed in this database does not open, or was hashed with another secret."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Where a batch ended (None: nothing was left) and how many values it sealed anew."""

    last: int | None
    resealed: int


def know(session: Session) -> None:
    """Keep a known word sealed in a new database; raise WrongKey where it does not open.

    Nothing is changed then. The word is a keyed hash, so that another secret is noticed too.
    """
    if session.get_bind().dialect.name == "postgresql":  # Server and worker may both come first.
        session.execute(text("SELECT pg_advisory_xact_lock(4200320602)"))
    check = session.scalar(select(KeyCheck).order_by(KeyCheck.id).limit(1))
    try:
        if check is not None:
            fits = check.word == known_word()
        else:
            newest = session.scalar(
                select(Account)
                .where(Account.status != AccountStatus.ERASED)
                .order_by(Account.id.desc())
                .limit(1)
            )
            fits = newest is None or phones.whole_hash(newest.phone) == newest.phone_hash
    except CannotOpen:
        fits = False
    if not fits:
        raise WrongKey
    if check is None:
        session.add(KeyCheck(created_at=clock.now(), word=known_word()))


def known_word() -> str:
    """What is sealed to be opened at every start."""
    return sealing.keyed_hash("known word", "CarePilot")


def tables() -> list[Table]:
    """Every table with sealed columns; the known word last, as it vouches for the others."""
    known = models.Base.metadata.tables
    sealed = {name for name, table in known.items() if "sealed_id" in table.c}
    word = KeyCheck.__tablename__
    return [known[name] for name in (*sorted(sealed - {word}), word)]


def left(session: Session, table: Table) -> int:
    """How many rows of a table hold something that is not under the current key."""
    return session.scalar(select(func.count()).select_from(table).where(_stale(table))) or 0


def reseal(session: Session, table: Table, after: int) -> Batch:
    """Seal the next rows beyond this primary key anew."""
    [key] = table.primary_key.columns
    names = _names(table)
    rows = (
        session.execute(
            select(key, table.c.sealed_id, *(table.c[name] for name in names))
            .where(key > after, _stale(table))
            .order_by(key)
            .limit(BATCH)
            .with_for_update()
        )
        .mappings()
        .all()
    )
    resealed = 0
    for row in rows:
        anew = dict(_anew(table, row, names))
        session.execute(update(table).where(key == row[key]).values(anew))
        resealed += len(anew)
    return Batch(rows[-1][key] if rows else None, resealed)


def _anew(table: Table, row: RowMapping, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        if row[name] and not sealing.is_current(row[name]):
            yield name, sealing.reseal(row[name], table.name, name, row["sealed_id"])


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name.endswith("_sealed")]


def _stale(table: Table) -> ColumnElement[bool]:
    current = sealing.ring().current
    return or_(*(_begins(table.c[name]) != current for name in _names(table)))


def _begins(column: Any) -> ColumnElement[bytes]:  # noqa: ANN401
    return func.substr(column, 1, sealing.ID_BYTES, type_=LargeBinary)
