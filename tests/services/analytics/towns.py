"""A synthetic city's cells, live or published, into which effects can be planted."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from services.analytics.figures import Frame
from services.analytics.terms import Daypart, Dimension, Stage, month_of, weeks_of_month

CITY = "320600"
DISTRICTS = ("320613", "320612", "320614", "320682")
GROUPS = ("medical", "elderly", "maternity")
LAST_DAY = date(2026, 11, 29)  # A Sunday, the last of a month of weeks.
MONDAYS = [LAST_DAY - timedelta(days=6, weeks=back) for back in range(72)][::-1]
AGES = {"60_69": 0.3, "70_79": 0.4, "80": 0.2, "0_2": 0.1}
CHANNELS = {"app": 0.6, "phone": 0.4}
REASONS = ("certificate", "too_far", "price", "busy", "nobody")
STEPS = dict(zip(Stage, (900, 60, 50, 45, 40, 36, 18), strict=True))
HOURS = [f"{number}_{part}" for number in range(7) for part in Daypart]
A_NEED = 3  # Hours.

Planted = Callable[..., float]


def now(day: date) -> bool:
    """Whether a week is one of the last four."""
    return day > LAST_DAY - timedelta(weeks=4)


def town(
    seed: int,
    *,
    weeks: int = 72,
    districts: Sequence[str] = DISTRICTS,
    rate: float = 8,
    demand: Planted = lambda day, district, group: 1,
    served: Planted = lambda day, district, group: 0.85,
    offered: Planted = lambda day, district, part: 30,
    reasons: Planted = lambda district, group, reason: 3,
    age: Planted = lambda day, bucket: 1,
    channel: Planted = lambda day, bucket: 1,
    weekend: Planted | None = None,
    steps: Planted = lambda day, stage: 1,
    repeated: Planted = lambda day: 0.5,
) -> dict[Frame, pd.DataFrame]:
    """Live cells: nothing but chance, except for what is planted as factors or shares."""
    rng = np.random.default_rng(seed)
    rows = defaultdict(list)
    for day in MONDAYS[-weeks:]:
        week = {"day": day, "weeks": 1, "city": CITY}
        for district in districts:
            at = week | {"district": district}
            for group in GROUPS:
                here = at | {"item_group": group}
                needs = int(rng.poisson(rate * demand(day, district, group)))
                happy = int(rng.binomial(needs, served(day, district, group)))
                if needs:
                    rows[Frame.NEEDS].append(here | _needs(needs, happy))
                shares = {
                    Dimension.AGE: {one: part * age(day, one) for one, part in AGES.items()},
                    Dimension.CHANNEL: {
                        one: part * channel(day, one) for one, part in CHANNELS.items()
                    },
                }
                if weekend:
                    shares[Dimension.HOUR] = {hour: weekend(district, hour) for hour in HOURS}
                for dimension, of_bucket in shares.items():
                    rows[Frame.GROUPS] += [
                        here | {"dimension": dimension, "bucket": bucket} | _needs(count, kept)
                        for bucket, count, kept in _dealt(rng, of_bucket, needs, happy)
                    ]
                for reason in REASONS:
                    count = int(rng.poisson(reasons(district, group, reason) / 12))
                    rows[Frame.OBSTACLES].append(here | {"obstacle": reason, "count": count})
            rows[Frame.DAYPARTS] += [
                at
                | {
                    "daypart": part,
                    "wanted_hours": float(rng.poisson(rate) * A_NEED),
                    "offered_hours": float(offered(day, district, part)),
                    "caregivers": 6,
                }
                for part in Daypart
            ]
        rows[Frame.FUNNEL] += [
            week | {"stage": stage, "count": int(rng.poisson(count * steps(day, stage)))}
            for stage, count in STEPS.items()
        ]
    for month in sorted({month_of(day) for day in MONDAYS[-weeks:]}):
        families = int(rng.poisson(160))
        rows[Frame.FAMILIES].append(
            {
                "day": weeks_of_month(month)[0],
                "weeks": len(weeks_of_month(month)),
                "city": CITY,
                "families": families,
                "repeated": int(rng.binomial(families, repeated(weeks_of_month(month)[-1]))),
            }
        )
    return {frame: pd.DataFrame(of_frame) for frame, of_frame in rows.items()}


def _needs(needs: int, served: int) -> dict[str, int]:
    return {"needs": needs, "served": served, "wanted_hours": needs * A_NEED}


def _dealt(rng, of_bucket, needs, served):
    """Needs and those served, dealt out by chance over buckets of such weights."""
    whole = sum(of_bucket.values())
    chances = [part / whole for part in of_bucket.values()]
    kept = rng.multinomial(served, chances)
    lost = rng.multinomial(needs - served, chances)
    return [
        (bucket, int(a + b), int(a))
        for bucket, a, b in zip(of_bucket, kept, lost, strict=True)
        if a + b
    ]


def publish(
    live: dict[Frame, pd.DataFrame], k: int = 5, seed: int = 0
) -> dict[Frame, pd.DataFrame]:
    """The cells as they are published: small ones together, parts rounded, most by the month."""
    rng = np.random.default_rng(seed)

    def rounded(value: float, most: float | None = None) -> int:
        low = int(value // k) * k
        up = low + k if rng.random() < (value - low) / k else low
        return int(up if most is None else min(up, most))

    needs = live[Frame.NEEDS].copy()
    small = needs["needs"] < k
    needs.loc[small, ["district", "item_group"]] = None
    keys = ["day", "weeks", "city", "district", "item_group"]
    needs = needs.groupby(keys, dropna=False, as_index=False)[
        ["needs", "served", "wanted_hours"]
    ].sum()
    needs["served"] = [rounded(a, b) for a, b in zip(needs["served"], needs["needs"], strict=True)]
    told = {Frame.NEEDS: needs}
    for frame, by, sums in (
        (Frame.GROUPS, ["district", "item_group", "dimension", "bucket"], ["needs", "served"]),
        (Frame.DAYPARTS, ["district", "daypart"], ["wanted_hours", "offered_hours"]),
        (Frame.OBSTACLES, ["district", "item_group", "obstacle"], ["count"]),
        (Frame.FUNNEL, ["stage"], ["count"]),
    ):
        cells = live[frame]
        months = [month_of(day) for day in cells["day"]]
        cells = cells.assign(
            day=[weeks_of_month(month)[0] for month in months],
            weeks=[len(weeks_of_month(month)) for month in months],
        )
        cells = cells.groupby(["day", "weeks", "city", *by], as_index=False)[sums].sum()
        for name in sums if frame is not Frame.GROUPS else []:
            cells[name] = [rounded(value) for value in cells[name]]
        told[frame] = cells
    families = live[Frame.FAMILIES].assign(dimension="all", bucket=None)
    for name in ("families", "repeated"):
        families[name] = [rounded(value) for value in families[name]]
    return told | {Frame.FAMILIES: families}
