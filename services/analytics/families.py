"""Families month by month: who came, who came back, and what they spent.

A family is told once for each month and city it wanted or got care in.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import pandas as pd

from services.analytics.terms import HOLDER_AGES, UNKNOWN, month_of, stretched

_COUNTS = ("families", "new", "repeated")


class Trait(StrEnum):
    """By what families are told apart, one at a time."""

    HOLDER_AGE = "holder_age"
    CHANNEL = "channel"
    DISTRICT = "district"
    COHORT = "cohort"  # The month they joined: "2026-11".


def by_month(cells: pd.DataFrame) -> pd.DataFrame:
    """Each month's families, new, repeated, repeat_rate, spend_fen and spend_each (by family)."""
    told = cells[cells["dimension"] == "all"] if "dimension" in cells else cells
    return _summed(told.assign(month=_months(told)), "month")


def by_city(cells: pd.DataFrame) -> pd.DataFrame:
    """A month's families by city, on the mean of the months told; else as in `by_month`."""
    told = cells[cells["dimension"] == "all"] if "dimension" in cells else cells
    return _a_month(told.assign(month=_months(told)), "city")


def by_trait(cells: pd.DataFrame, trait: Trait) -> pd.DataFrame:
    """A month's families by a trait, on the mean of the months told; else as in `by_month`.

    Those whose trait is not known are in UNKNOWN, several told together in one row with None.
    Neighbours told together ("a|c") are taken to be alike; they are `merged`.
    """
    told = _told(cells, trait)
    order = HOLDER_AGES if trait is Trait.HOLDER_AGE else ()
    parts = [(None,) if one is None else tuple(stretched(one, order)) for one in told["bucket"]]
    alike = pd.Series([len(one) for one in parts], told.index, dtype=float)
    counts = [*_COUNTS, "spend_fen"]
    split = told.assign(
        bucket=pd.Series(parts, told.index, dtype=object),
        merged=alike > 1,
        **{name: told[name].astype(float) / alike for name in counts},
    ).explode("bucket")
    rows = _a_month(split, "bucket")
    merged = set(split.loc[split["merged"], "bucket"])
    rows["merged"] = [one in merged for one in rows["bucket"]]
    if order:
        place = {one: number for number, one in enumerate(order)}
        rows = rows.sort_values("bucket", key=lambda column: column.map(place))
    return rows.reset_index(drop=True)


def retention(cells: pd.DataFrame, months: Sequence[date], *, gaps: bool) -> pd.DataFrame:
    """Of a cohort's families that had come before, the share that came in the nth month after.

    A row for each of the months (first days, oldest first) as a cohort, a column for each n from
    1; None where the month is not among them, nobody had come before, or, with `gaps`, something
    is not told of this cohort alone.
    """
    told = _told(cells, Trait.COHORT)
    written = {f"{month:%Y-%m}": month for month in months}
    told = told.assign(cohort=told["bucket"].map(written).astype(object))
    told = told[told["cohort"].notna() & told["month"].isin(list(months))]
    sums = told.groupby(["cohort", "month"])[["families", "new"]].sum().astype(float)
    known = dict(zip(sums.index, zip(sums["families"], sums["new"], strict=True), strict=True))
    rows: dict[date, list[float | None]] = {}
    for number, cohort in enumerate(months):
        seen: float | None = 0.0
        shares: list[float | None] = []
        for month in months[number:]:
            families, new = known.get((cohort, month), (0.0, 0.0))
            if gaps and (cohort, month) not in known:
                seen = None
            if month != cohort:
                shares.append(min((families - new) / seen, 1.0) if seen else None)
            seen = None if seen is None else seen + new
        rows[cohort] = shares + [None] * (len(months) - 1 - len(shares))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=range(1, max(len(months), 1)))
    return table.astype(float)


def _told(cells: pd.DataFrame, trait: Trait) -> pd.DataFrame:
    """The rows that tell families apart by a trait, which is in `bucket`; their `month`."""
    if "dimension" in cells:
        told = cells[cells["dimension"] == trait]
        buckets = [one if isinstance(one, str) else None for one in told["bucket"]]
    else:
        told = cells
        values = told[trait]
        if trait is Trait.COHORT:
            values = pd.to_datetime(values).dt.strftime("%Y-%m")
        buckets = [one if isinstance(one, str) else UNKNOWN for one in values]
    return told.assign(bucket=pd.Series(buckets, told.index, dtype=object), month=_months(told))


def _months(cells: pd.DataFrame) -> list[date]:
    return [month_of(day) for day in pd.to_datetime(cells["day"]).dt.date]


def _a_month(told: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sums by a column on the mean of the months; the most families first."""
    months = max(told["month"].nunique(), 1)
    rows = _summed(told, by)
    for name in (*_COUNTS, "spend_fen"):
        rows[name] = rows[name] / months
    return rows.sort_values("families", ascending=False, kind="stable").reset_index(drop=True)


def _summed(told: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sums by a column; what is spent is that of the families of whom it is told."""
    spending = told["families"].where(told["spend_fen"].notna())
    rows = told.assign(spending=spending).groupby(by, dropna=False)
    sums = rows[[*_COUNTS, "spend_fen", "spending"]].sum().astype(float)
    for name in ("new", "repeated"):
        sums[name] = sums[[name, "families"]].min(axis=1)
    some = sums["families"] > 0
    sums["repeat_rate"] = (sums["repeated"] / sums["families"]).where(some).round(3)
    each = sums["spend_fen"] / sums["spending"]
    sums["spend_each"] = each.where(sums["spending"] > 0)
    rows = sums.drop(columns="spending").reset_index()
    rows[by] = pd.Series([None if pd.isna(one) else one for one in rows[by]], dtype=object)
    return rows
