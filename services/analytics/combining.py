"""Cells put together: sums of what adds up, shares of the sums, and the middle of middles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from services.analytics.terms import ORDERS, Daypart, Dimension, stretched

SUMS = ("needs", "served", "matched", "wanted_hours", "served_hours")
MIDDLES = ("wait_hours", "price_fen")
SHARES = ("fill_rate", "gap_hours", "unmet")
_ALL = "_all"


@dataclass(frozen=True, slots=True)
class Total:
    """Some cells together; None where nothing is known. Price in fen per hour of care."""

    needs: int
    served: int
    unmet: int
    wanted_hours: float
    served_hours: float
    gap_hours: float
    fill_rate: float | None
    wait_hours: float | None
    price_fen: int | None


def together(cells: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The cells of each group as one row: `by`, SUMS, MIDDLES and SHARES; one row without `by`.

    A middle is that of the cells' medians, each counting for as many as were matched in it.
    """
    keys = list(by) or [_ALL]
    told = cells if by else cells.assign(**{_ALL: 0})
    rows = told.groupby(keys, dropna=False, sort=True)[list(SUMS)].sum()
    for name in MIDDLES:
        rows[name] = _middles(told, keys, name)
    rows["served"] = rows[["served", "needs"]].min(axis=1)
    rows["served_hours"] = rows[["served_hours", "wanted_hours"]].min(axis=1)
    rows["unmet"] = rows["needs"] - rows["served"]
    rows["gap_hours"] = rows["wanted_hours"] - rows["served_hours"]
    rows["fill_rate"] = (rows["served"] / rows["needs"]).where(rows["needs"] > 0).round(3)
    return rows.reset_index().drop(columns=_ALL, errors="ignore")


def total(cells: pd.DataFrame) -> Total:
    """All cells as one."""
    if cells.empty:
        return Total(0, 0, 0, 0, 0, 0, None, None, None)
    row = together(cells, ()).iloc[0]
    rate, wait, price = (row[name] for name in ("fill_rate", "wait_hours", "price_fen"))
    return Total(
        needs=int(row["needs"]),
        served=int(row["served"]),
        unmet=int(row["unmet"]),
        wanted_hours=float(row["wanted_hours"]),
        served_hours=float(row["served_hours"]),
        gap_hours=float(row["gap_hours"]),
        fill_rate=None if pd.isna(rate) else float(rate),
        wait_hours=None if pd.isna(wait) else float(wait),
        price_fen=None if pd.isna(price) else round(price),
    )


def at_places(
    needs: pd.DataFrame, dayparts: pd.DataFrame, obstacles: pd.DataFrame, level: str
) -> pd.DataFrame:
    """What is known of each place, a row each with its code in `place`, the largest gap first.

    `level` is the column that names the places: "province", "city" or "district"; cells of
    several places have no place of their own and make one row with None. Beside the columns of
    `together` there are offered_hours (None where no supply is told), short_hours (wanted and not
    even offered), and lost (searches, demands and calls that found nobody).
    """
    rows = together(needs, [level]).rename(columns={level: "place"}).set_index("place")
    offered = dayparts.groupby(level, dropna=False)[["offered_hours"]].sum(min_count=1)
    lost = obstacles.groupby(level, dropna=False)["count"].sum()
    rows = rows.join(offered, how="outer").join(lost.rename("lost"), how="left")
    rows["short_hours"] = (rows["wanted_hours"] - rows["offered_hours"]).clip(lower=0)
    rows = rows.round({"offered_hours": 0, "short_hours": 0, "wait_hours": 1})
    rows.index.name = "place"
    return rows.sort_values("gap_hours", ascending=False, kind="stable").reset_index()


def by_week(cells: pd.DataFrame, weeks: Sequence[date], *, gaps: bool) -> pd.DataFrame:
    """SUMS of each of these weeks, named by their Mondays in `week`.

    With `gaps` a week that is not told by itself, in every city that is told at all, has none;
    otherwise nothing told of a week is that nothing was.
    """
    alone = cells[cells["weeks"] == 1]
    days = pd.to_datetime(alone["day"]).dt.date.rename("week")
    sums = alone.groupby(days)[list(SUMS)].sum().astype(float)
    if gaps:
        sums = sums[alone.groupby(days)["city"].nunique() == alone["city"].nunique()]
    rows = sums.reindex(pd.Index(list(weeks), name="week"))
    return (rows if gaps else rows.fillna(0)).reset_index()


def by_bucket(groups: pd.DataFrame, dimension: Dimension) -> pd.DataFrame:
    """Needs, served, unmet, wanted_hours and fill_rate of a dimension's buckets, in their order.

    `merged` are those that share a cell with others somewhere ("a|c": all from a to c): they are
    taken to be alike. What no bucket is told of is left out.
    """
    order = ORDERS.get(dimension, ())
    told = groups[(groups["dimension"] == dimension) & groups["bucket"].notna()]
    sums = told.groupby("bucket")[["needs", "served", "wanted_hours"]].sum().astype(float)
    parts = [stretched(one, order) for one in sums.index]
    shares = sums.div([len(one) for one in parts], axis=0)
    split = shares.assign(
        part=pd.Series(parts, sums.index, dtype=object), merged=[len(one) > 1 for one in parts]
    ).explode("part")
    how = {"needs": "sum", "served": "sum", "wanted_hours": "sum", "merged": "any"}
    rows = split.rename_axis(None).groupby("part").agg(how)
    if order:
        rows = rows.loc[[one for one in order if one in rows.index]]
    rows["served"] = rows[["served", "needs"]].min(axis=1)
    rows["unmet"] = rows["needs"] - rows["served"]
    rows["fill_rate"] = (rows["served"] / rows["needs"]).where(rows["needs"] > 0).round(3)
    return rows.rename_axis("bucket").reset_index()


def by_daypart(cells: pd.DataFrame) -> pd.DataFrame:
    """Hours wanted and offered by part of the day, in its order; `parts` are those told together.

    Parts are told together for all cells as soon as they are in one.
    """
    told = cells[cells["daypart"].notna()]
    order = [str(part) for part in Daypart]
    joined = {part: frozenset({part}) for part in order}
    for parts in told["daypart"].unique():
        whole = frozenset().union(*(joined[part] for part in stretched(parts, order)))
        joined.update(dict.fromkeys(whole, whole))
    ordered = {part: tuple(one for one in joined if one in whole) for part, whole in joined.items()}
    parts = [ordered[stretched(one, order)[0]] for one in told["daypart"]]
    rows = told.assign(parts=pd.Series(parts, told.index, dtype=object))
    sums = rows.groupby("parts")[["wanted_hours", "offered_hours"]].sum()
    known = [parts for parts in dict.fromkeys(ordered.values()) if parts in sums.index]
    return sums.loc[known].reset_index()


def _middles(cells: pd.DataFrame, keys: list[str], name: str) -> pd.Series:
    """Per group the least value that at least half of the matched do not exceed."""
    values = cells.assign(**{name: pd.to_numeric(cells[name])})
    known = values[values[name].notna() & (values["matched"] > 0)].sort_values(name)
    groups = known.groupby(keys, dropna=False, sort=False)["matched"]
    half = groups.cumsum() * 2 >= groups.transform("sum")
    return known[half].groupby(keys, dropna=False)[name].first()
