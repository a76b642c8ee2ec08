"""Published sheets as tables, for whoever asked for permission before."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.publications import Publication, Sheet, SheetName
from services.analytics import terms


@dataclass(frozen=True, slots=True)
class Newest:
    """When something was published last, up to which day, its version, and the least of all k."""

    published_at: datetime
    last_day: date
    version: str
    smallest_cell: int


def read(
    session: Session, cities: Collection[str], name: SheetName, first: date, last: date
) -> pd.DataFrame:
    """A sheet of all spans that begin from `first` to `last`, one under the other.

    Each row says its city, span, first and last day, and the week or month it tells of; `day` is
    the Monday it begins with, `weeks` how many it tells of. The table has no columns if nothing is
    told.
    """
    rows = session.execute(
        select(
            Publication.city_code,
            Publication.span,
            Publication.first_day,
            Publication.last_day,
            Sheet.columns,
        )
        .join(Sheet, Sheet.publication_id == Publication.id)
        .where(
            Publication.city_code.in_(cities),
            Sheet.name == name,
            Publication.first_day.between(first, last),
        )
        .order_by(Publication.first_day, Publication.city_code, Publication.span)
    )
    told: dict[str, list[Any]] = {}
    for city, span, first_day, last_day, columns in rows:
        if not columns:
            continue
        count = len(next(iter(columns.values())))
        dates = {"week": first_day} if name is SheetName.NEEDS else {}
        if name not in (SheetName.NEEDS, SheetName.FUNNEL):
            dates = {"month": terms.month_of(first_day)}
        of_span = {"city": city, "span": span, "first_day": first_day, "last_day": last_day} | dates
        for column, value in of_span.items():
            told.setdefault(column, []).extend([value] * count)
        for column, values in columns.items():
            dated = column == "week"
            told.setdefault(column, []).extend(map(date.fromisoformat, values) if dated else values)
    # As objects, so that None stays None and makes no float of its neighbours.
    table = pd.DataFrame(told, dtype=object)
    if table.empty:
        return table
    whole = [
        (last - first).days // 7 + 1
        for first, last in zip(told["first_day"], told["last_day"], strict=True)
    ]
    of_week = name is SheetName.FUNNEL
    table["day"] = table["week"] if of_week else table["first_day"]
    if "weeks" not in table:
        table["weeks"] = 1 if of_week else whole
    return table


def newest(session: Session, cities: Collection[str]) -> Newest | None:
    """What was published last for any of these cities."""
    latest = session.scalar(
        select(Publication)
        .where(Publication.city_code.in_(cities))
        .order_by(Publication.last_day.desc(), Publication.id.desc())
        .limit(1)
    )
    if latest is None:
        return None
    last_id, smallest = session.execute(
        select(func.max(Publication.id), func.min(Publication.smallest_cell)).where(
            Publication.city_code.in_(cities)
        )
    ).one()
    return Newest(latest.created_at, latest.last_day, str(last_id), smallest)
