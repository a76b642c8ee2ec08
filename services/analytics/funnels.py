"""The way of families from the front door to the review, counted stage by stage.

Each stage counts whoever came to it in a week; who asks in one week may be matched in the next.
"""

import pandas as pd

from services.analytics.terms import Stage

_STAGES = [str(stage) for stage in Stage]


def by_stage(cells: pd.DataFrame) -> pd.DataFrame:
    """The stages in their order: count, of_before and of_first (shares of the one before)."""
    sums = cells.groupby("stage")["count"].sum().astype(float)
    rows = sums.reindex(pd.Index(_STAGES, name="stage")).fillna(0).rename("count").reset_index()
    before = rows["count"].shift()
    rows["of_before"] = rows["count"] / before.where(before > 0)
    first = rows["count"].iloc[0]
    rows["of_first"] = rows["count"] / first if first else float("nan")
    return rows


def by_week(cells: pd.DataFrame) -> pd.DataFrame:
    """A row for each week that is told, oldest first: its Monday in `week`, a column a stage."""
    days = cells["week"] if "week" in cells else cells["day"]
    return _table(cells.assign(week=pd.to_datetime(days).dt.date), "week")


def by_city(cells: pd.DataFrame) -> pd.DataFrame:
    """A row for each city, a column a stage."""
    return _table(cells, "city")


def _table(cells: pd.DataFrame, by: str) -> pd.DataFrame:
    sums = cells.groupby([by, "stage"])["count"].sum().unstack(fill_value=0)
    return sums.reindex(columns=_STAGES, fill_value=0).rename_axis(columns=None).reset_index()
