"""The export: from the live database to facts, as far as they changed since the last time.

What is to be written stands in the list before anything is written, and leaves it part by part: an
export that was broken off is gone on with by the next.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.sealing import keyed_hash
from services import clock
from services.analytics import facts, lake, marks, months, people, pseudonyms, supply, terms
from services.analytics.lake import Contents
from services.analytics.months import Month
from services.analytics.schemas import SCHEMAS, Fact

log = logging.getLogger("carepilot.analytics")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Exported:
    """How many parts an export wrote, of how many rows, and how many of them were broken files."""

    parts: int
    rows: int
    mended: int


def refresh(session: Session, *, everything: bool = False) -> Exported:
    """Bring the facts up to what the session sees; it must see the same all along.

    Only the parts that rows came to or changed in are looked at, unless everything is asked for:
    that finds what leaves no trace too. A file whose rows are as before is not written again.
    """
    with lake.alone():
        known = lake.contents()
        now, today = pseudonyms.city_moment(clock.now()), clock.today()
        _plan(session, known, today, everything=everything)
        lake.keep(known)
        done = [_export(session, known, name, today) for name in sorted(known.todo)]
        known.as_of = now
        lake.keep(known)
        lake.sweep(known)
    written = [rows for rows in done if rows is not None]
    return Exported(len(written), sum(written), known.mended)


def _plan(session: Session, known: Contents, today: date, *, everything: bool) -> None:
    """Put into the list what is to be written."""
    anew = set(Fact) if everything else set()
    if marks.are_lost(session, known):
        log.warning("the database is an older one than the facts: everything is exported anew")
        _forget(known, Fact)
        known.marks.clear()
        known.gaps.clear()
        anew = set(Fact)
    if other := {fact for fact in Fact if known.made_with.get(fact) != _made_with(fact)}:
        _forget(known, other)
        anew |= other
    known.todo |= {lake.key(*part) for part in _mend(known, thoroughly=everything)}
    new = marks.advance(session, known)
    known.todo |= {lake.key(*part) for part in marks.parts(session, known, new)}
    known.todo |= {lake.key(fact, month) for fact in anew for month in _all(session, known, fact)}
    since = known.as_of.date() if known.as_of else today
    known.todo.add(lake.key(Fact.CAREGIVERS, lake.ALL))
    known.todo |= {lake.key(Fact.FOOTFALL, month) for month in _between(since, today)}
    weeks = supply.told(session, since, today)
    known.todo |= {lake.key(Fact.SUPPLY, month.name) for month in weeks}
    known.made_with = {fact: _made_with(fact) for fact in Fact}


def _mend(known: Contents, *, thoroughly: bool) -> Iterator[tuple[Fact, str]]:
    """Say what is broken, but for what an export that died was about to replace."""
    found = lake.broken(known, thoroughly=thoroughly)
    known.mended = 0
    for part in found:
        if lake.key(part.fact, part.month) not in known.todo:
            known.mended += 1
            log.warning("the facts of %s %s are broken: exported anew", part.fact, part.month)
            yield part.fact, part.month


def _forget(known: Contents, some: Iterable[Fact]) -> None:
    """Trust nothing that was told of these facts, closed weeks included."""
    for fact in some:
        for month in known.months(fact):
            known.parts.pop(lake.key(fact, month))
            known.marks.pop(lake.key(fact, month), None)


def _made_with(fact: Fact) -> str:
    """Tells when pseudonyms are under another key, or columns are others."""
    return keyed_hash("figures", str(SCHEMAS[fact]))


def _all(session: Session, known: Contents, fact: Fact) -> set[str]:
    """Every month a fact has rows in, or had."""
    found = set(known.months(fact))
    if fact is Fact.CAREGIVERS:
        return found | {lake.ALL}
    if fact is Fact.SUPPLY:
        return found | {month.name for month in supply.told(session, None, clock.today())}
    for moment in facts.MOMENTS[fact]:
        first, last = session.execute(select(func.min(moment), func.max(moment))).one()
        if first is not None:
            found |= set(_between(months.of(first).first, months.of(last).first))
    return found


def _between(first: date, last: date) -> Iterator[str]:
    """The months of two days, and those between."""
    month = months.of(min(first, last))
    while month.first <= max(first, last):
        yield month.name
        month = months.of(month.after)


def _export(session: Session, known: Contents, name: str, today: date) -> int | None:
    """Write a part and take it off the list of what is to be written; None if it is as before."""
    fact, month = lake.part_of(name)
    before = known.parts.get(name)
    part = lake.write(known, fact, month, _tables(session, known, fact, month, today))
    known.todo.discard(name)
    if fact is Fact.SUPPLY:
        known.marks[name] = max(known.marks.get(name, 0), terms.week_of(today).toordinal())
    if part == before:
        return None
    lake.keep(known)
    return part.rows if part else 0


def _tables(
    session: Session, known: Contents, fact: Fact, month: str, today: date
) -> Iterator[pa.Table]:
    if fact is Fact.CAREGIVERS:
        yield from people.caregivers(session, today)
    elif fact is Fact.SUPPLY:
        kept = lake.read(known, fact, month)
        closed_before = date.fromordinal(known.marks.get(lake.key(fact, month), 1))
        yield from supply.tables(session, Month(month), today, kept, closed_before)
    elif fact is Fact.FAMILIES:
        yield from _families(session, known, month)
    else:
        yield from facts.tables(session, fact, Month(month))


def _families(session: Session, known: Contents, month: str) -> Iterator[pa.Table]:
    """The families of a month; a number is opened once, and its band then taken from the file."""
    cases = people.verified(session, Month(month))
    bands = {}
    if (former := lake.read(known, Fact.FAMILIES, month)) is not None:
        columns = (former[name].to_pylist() for name in ("family", "verified_at", "holder_age"))
        told = {(family, at): band for family, at, band in zip(*columns, strict=True) if band}
        for account_id, its in cases.items():
            name = pseudonyms.of("family", account_id), pseudonyms.city_moment(its.at)
            if name in told:
                bands[account_id] = told[name]
    if left := [account_id for account_id in cases if account_id not in bands]:
        known.opened += len(left)
        lake.keep(known)  # First, so that no opening goes untold.
        bands |= {account_id: cases[account_id].band() for account_id in left}
    yield from people.families(session, Month(month), cases, bands)
