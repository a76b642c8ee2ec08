"""Publishing: each closed week and month of a city is told to analysts once, and stays as told."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.cities import City
from data.publications import HeldWeek, Publication, Sheet, Span
from services import clock
from services.analytics import composing, lake, microdata, terms
from services.analytics.composing import Sheets, Week
from services.analytics.cutting import Cell
from services.analytics.lake import Contents
from services.analytics.microdata import WEEK, Need
from services.deliveries import Transact

log = logging.getLogger("carepilot.analytics")
# After its end a week is left in peace for a day: what is redeemed or called off late is in it.
REST = timedelta(days=1)
# A city's past is caught up in several rounds: other jobs wait for this one.
LONGEST_ROUND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A span of a city that can be published, with the fewest families of a cell."""

    city: str
    span: Span
    first_day: date
    smallest_cell: int


def publish(transact: Transact) -> int:
    """Publish what is due; return how many spans. `transact` runs one transaction.

    Everything is worked out outside of them. Nothing is published of facts that are broken: what
    is published cannot be taken back.
    """
    until, done = clock.now() + LONGEST_ROUND, 0
    known = lake.contents()
    if lake.broken(known):
        log.warning("nothing is published: facts are broken, the next export mends them")
        return 0
    while spans := transact(partial(due, known=known)):
        for span in spans:
            if clock.now() > until:
                return done
            if span.span is Span.WEEK:
                week = composing.sheets_of_week(
                    known, span.city, span.first_day, span.smallest_cell
                )
                done += transact(partial(_keep, due=span, sheets=week.sheets, week=week))
                continue
            held = transact(partial(_held, due=span))
            sheets = composing.sheets_of_month(
                known, span.city, terms.month_of(span.first_day), held, span.smallest_cell
            )
            done += transact(partial(_keep, due=span, sheets=sheets, week=None))
    return done


def due(session: Session, known: Contents) -> list[Due]:
    """What can be published and is not yet: weeks, then months whose weeks all are.

    From the week of a city's first need on. There is nothing before the first export.
    """
    if known.as_of is None:
        return []
    # The clock may have been put back since the export.
    until = min(known.as_of, clock.in_city(clock.now()).replace(tzinfo=None)) - REST
    published: dict[str, set[tuple[Span, date]]] = {}
    for city, span, day in session.execute(
        select(Publication.city_code, Publication.span, Publication.first_day)
    ):
        published.setdefault(city, set()).add((span, day))
    found: list[Due] = []
    for city, k in session.execute(select(City.code, City.smallest_cell).order_by(City.code)):
        told = published.get(city, set())
        weeks = _weeks(known, city, told, until)
        left = [(Span.WEEK, week) for week in weeks if (Span.WEEK, week) not in told]
        found += [Due(city, span, day, k) for span, day in left or _months(weeks, told)]
    return sorted(found, key=lambda one: (one.first_day, one.city))


def _weeks(known: Contents, city: str, told: set[tuple[Span, date]], until: datetime) -> list[date]:
    """The closed weeks of a city, from its first that was published or had a need."""
    first = min((day for span, day in told if span is Span.WEEK), default=None)
    if first is None:
        need = microdata.first_need(known, city)
        if need is None:
            return []
        first = terms.week_of(need)
    closed = (until - datetime.combine(first, time())) // WEEK
    return [first + number * WEEK for number in range(closed)]


def _months(weeks: Sequence[date], told: set[tuple[Span, date]]) -> list[tuple[Span, date]]:
    """The months whose last week is among these, by their first Monday."""
    months = sorted({terms.month_of(week) for week in weeks})
    whole = [of for month in months if (of := terms.weeks_of_month(month))[-1] in weeks]
    return [(Span.MONTH, of[0]) for of in whole if (Span.MONTH, of[0]) not in told]


def _keep(session: Session, due: Due, sheets: Sheets, week: Week | None) -> int:
    """Store a publication; nothing happens if somebody else has done so meanwhile."""
    weeks = 1 if week else len(terms.weeks_of_month(terms.month_of(due.first_day)))
    publication = Publication(
        created_at=clock.now(),
        city_code=due.city,
        span=due.span,
        first_day=due.first_day,
        last_day=due.first_day + weeks * WEEK - timedelta(days=1),
        smallest_cell=due.smallest_cell,
    )
    try:
        with session.begin_nested():
            session.add(publication)
    except IntegrityError:
        return 0
    for name, rows in sheets.items():
        columns = {column: [row[column] for row in rows] for column in (rows[0] if rows else ())}
        session.add(Sheet(publication_id=publication.id, name=name, columns=columns))
    if week:
        session.add(HeldWeek(publication_id=publication.id, needs=_frozen(week)))
    else:
        told = select(Publication.id).where(_of_month(due))
        session.execute(delete(HeldWeek).where(HeldWeek.publication_id.in_(told)))
    return 1


def _held(session: Session, due: Due) -> list[Week]:
    """The weeks of a month as they were told."""
    rows = session.execute(
        select(Publication.first_day, HeldWeek.needs)
        .join(HeldWeek, HeldWeek.publication_id == Publication.id)
        .where(_of_month(due))
        .order_by(Publication.first_day)
    )
    return [_thawed(day, needs) for day, needs in rows]


def _of_month(due: Due) -> ColumnElement[bool]:
    weeks = terms.weeks_of_month(terms.month_of(due.first_day))
    return and_(
        Publication.city_code == due.city,
        Publication.span == Span.WEEK,
        Publication.first_day.in_(weeks),
    )


def _frozen(week: Week) -> dict[str, Any]:
    cells = [
        {
            "values": [sorted(values) for values in cell.values],
            "needs": microdata.frozen(cell.rows),
        }
        for cell in week.cells
    ]
    return {"cells": cells, "left": microdata.frozen(week.left)}


def _thawed(monday: date, stored: dict[str, Any]) -> Week:
    cells: list[Cell[Need]] = [
        Cell(tuple(map(frozenset, cell["values"])), microdata.thawed(cell["needs"]))
        for cell in stored["cells"]
    ]
    return Week(monday, cells, microdata.thawed(stored["left"]), {})
