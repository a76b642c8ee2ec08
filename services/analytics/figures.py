"""What pages read of demand and supply: rollups for operators, published sheets for analysts.

Both answer with the same columns, so that one page serves both. A row is a cell: what there was in
some weeks, at one place, for one group of items. Cells do not overlap; None stands for several.
A cell belongs to the day its first week begins, its needs to the week their time began in.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import pandas as pd
from sqlalchemy.orm import Session

from data.publications import SheetName
from services import clock
from services.access import Actor, Permission, Role
from services.analytics import rollups, sheets
from services.errors import NotAllowed


class Frame(StrEnum):
    """A kind of cells, and what is known of each (hours of care, fen, fen per hour of care).

    All have day, weeks (how many the cell covers) and city. Operators' needs tell the item too,
    and cells (H3) are theirs alone, as are caregivers by pseudonym; analysts' caregivers are
    quartiles of a measure.
    """

    NEEDS = "needs"
    GROUPS = "groups"
    DAYPARTS = "dayparts"
    OBSTACLES = "obstacles"
    FAMILIES = "families"
    CAREGIVERS = "caregivers"
    FUNNEL = "funnel"
    CELLS = "cells"


_ROLLUPS = {
    Frame.NEEDS: "needs_weekly",
    Frame.GROUPS: "groups_weekly",
    Frame.DAYPARTS: "dayparts_weekly",
    Frame.OBSTACLES: "obstacles_weekly",
    Frame.FAMILIES: "families_monthly",
    Frame.CAREGIVERS: "caregivers_monthly",
    Frame.FUNNEL: "funnel_weekly",
    Frame.CELLS: "cells_monthly",
}
_SHEETS = {
    Frame.NEEDS: SheetName.NEEDS,
    Frame.GROUPS: SheetName.GROUPS_OF_PEOPLE,
    Frame.DAYPARTS: SheetName.SUPPLY,
    Frame.OBSTACLES: SheetName.OBSTACLES,
    Frame.FAMILIES: SheetName.FAMILIES,
    Frame.CAREGIVERS: SheetName.CAREGIVERS,
    Frame.FUNNEL: SheetName.FUNNEL,
}


_LABELS = set(
    "day city span first_day last_day week month district item_group item dimension bucket daypart"
    " obstacle measure stage".split()
)
_CELL = "day weeks city"
_COLUMNS = {
    Frame.NEEDS: f"{_CELL} district item_group needs served matched wanted_hours served_hours"
    " wait_hours price_fen",
    Frame.GROUPS: f"{_CELL} district item_group dimension bucket needs served wanted_hours",
    Frame.DAYPARTS: f"{_CELL} district daypart wanted_hours offered_hours caregivers",
    Frame.OBSTACLES: f"{_CELL} district item_group obstacle count",
    Frame.FAMILIES: f"{_CELL} month dimension bucket families new repeated spend_fen",
    Frame.CAREGIVERS: f"{_CELL} month measure caregivers p25 p50 p75",
    Frame.FUNNEL: f"{_CELL} stage count",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Which figures somebody reads: live or published, up to when, and their version.

    `last_day` is the last they tell of, None before there are any. A published cell has at least
    `smallest_cell` families.
    """

    published: bool
    as_of: datetime | None
    last_day: date | None
    version: str
    smallest_cell: int | None


def standing(session: Session, actor: Actor) -> Standing:
    """How the figures stand that this person may read."""
    actor.require(Permission.READ_FIGURES)
    if _reads_live(actor):
        as_of, version = rollups.standing()
        if as_of is None:
            return Standing(False, None, None, version, None)
        return Standing(False, as_of.replace(tzinfo=clock.CITY_TIME), as_of.date(), version, None)
    newest = sheets.newest(session, actor.cities)
    if newest is None:
        return Standing(True, None, None, "", None)
    return Standing(
        True, newest.published_at, newest.last_day, newest.version, newest.smallest_cell
    )


def read(
    session: Session, actor: Actor, frame: Frame, cities: Collection[str], first: date, last: date
) -> pd.DataFrame:
    """The cells of these cities that begin from `first` to `last`; NotAllowed for another's city.

    Empty, with its columns, where there is nothing or nothing is let out.
    """
    actor.require(Permission.READ_FIGURES)
    if not actor.cities.issuperset(cities):
        raise NotAllowed("error.not_allowed")
    if _reads_live(actor):
        cells = rollups.read(_ROLLUPS[frame], cities, first, last)
        return cells.assign(day=pd.to_datetime(cells["day"]).dt.date)
    if frame not in _SHEETS:
        return pd.DataFrame(columns=f"{_CELL} cell needs served wanted_hours".split())
    cells = sheets.read(session, cities, _SHEETS[frame], first, last)
    if cells.empty:
        return pd.DataFrame(columns=_COLUMNS[frame].split())
    numbers = [str(name) for name in cells if name not in _LABELS]
    return cells.assign(**{name: pd.to_numeric(cells[name]) for name in numbers})


def _reads_live(actor: Actor) -> bool:
    return actor.role is Role.OPERATOR
