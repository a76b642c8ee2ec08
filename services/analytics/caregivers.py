"""What caregivers did: each by herself for operators, and how they are spread for all."""

from enum import StrEnum

import numpy as np
import pandas as pd

from services import track_records
from services.analytics.terms import month_of

_SUMS = (
    "visits", "hours", "late", "no_shows", "pay_fen", "offers", "accepted", "overall_sum",
    "review_weight", "offered_hours",
)  # fmt: skip


class Spread(StrEnum):
    """In what caregivers differ; of one caregiver and month each."""

    VISITS = "visits"
    HOURS = "hours"
    PAY = "pay_fen"
    RATING = "overall"
    LATE = "late_share"
    ACCEPTED = "accepted_share"
    FILLED = "filled_share"


SHARES = {Spread.LATE, Spread.ACCEPTED, Spread.FILLED}


def total(cells: pd.DataFrame) -> dict[str, float | None]:
    """What all caregivers together did: sums and shares; None where there is nothing to share."""
    sums = cells[list(_SUMS)].sum().to_frame().T.astype(float)
    row = _with_shares(sums).iloc[0]
    told = {str(name): None if pd.isna(value) else float(value) for name, value in row.items()}
    return told | {"caregivers": float(cells.loc[cells["visits"] > 0, "caregiver"].nunique())}


def of_each(cells: pd.DataFrame) -> pd.DataFrame:
    """Each caregiver's sums, shares and `rating`, who did most first.

    A rating is drawn towards the city's mean the fewer reviews it rests on, as families see it.
    """
    newest = cells.sort_values("day").groupby("caregiver")[["city", "district", "level"]].last()
    rows = _with_shares(cells.groupby("caregiver")[list(_SUMS)].sum().astype(float)).join(newest)
    said = rows.groupby("city")[["overall_sum", "review_weight"]].sum()
    mean = said["overall_sum"] / said["review_weight"].where(said["review_weight"] > 0)
    drawn = track_records.drawn(
        rows["overall_sum"].to_numpy(dtype=float),
        rows["review_weight"].to_numpy(dtype=float),
        rows["city"].map(mean).to_numpy(dtype=float),
    )
    rows["rating"] = pd.Series(drawn, rows.index).where(rows["review_weight"] > 0)
    return rows.sort_values(["visits", "hours"], ascending=False, kind="stable").reset_index()


def quartiles(cells: pd.DataFrame, measure: Spread) -> pd.DataFrame:
    """How caregivers are spread in a measure: city, month, caregivers, p25, p50 and p75.

    Those are counted of whom there is something to measure. p25 and p75 may be missing.
    """
    months = [month_of(day) for day in pd.to_datetime(cells["day"]).dt.date]
    told = cells.assign(month=pd.Series(months, cells.index, dtype=object))
    columns = ["city", "month", "caregivers", "p25", "p50", "p75"]
    if "measure" in told:
        rows = told.loc[told["measure"] == measure, columns]
        return rows.sort_values(["city", "month"]).reset_index(drop=True)
    told = told.assign(value=_measured(told, measure)).dropna(subset="value")
    groups = told.groupby(["city", "month"])["value"]
    rows = groups.quantile(np.array([0.25, 0.5, 0.75])).unstack()
    rows = rows.reindex(columns=[0.25, 0.5, 0.75]).set_axis(["p25", "p50", "p75"], axis=1)
    return rows.assign(caregivers=groups.count()).reset_index()[columns]


def _measured(cells: pd.DataFrame, measure: Spread) -> pd.Series:
    """The measure of each row; whoever made no visit counts in none that is about visits."""
    rows = _with_shares(cells)
    values = rows[measure].astype(float)
    about_visits = measure not in (Spread.RATING, Spread.ACCEPTED)
    return values.where(cells["visits"] > 0) if about_visits else values


def _with_shares(rows: pd.DataFrame) -> pd.DataFrame:
    def share(part: str, of: str) -> pd.Series:
        return rows[part].astype(float) / rows[of].where(rows[of] > 0).astype(float)

    return rows.assign(
        **{
            Spread.RATING: share("overall_sum", "review_weight"),
            Spread.LATE: share("late", "visits"),
            Spread.ACCEPTED: share("accepted", "offers"),
            Spread.FILLED: share("hours", "offered_hours"),
        }
    )
