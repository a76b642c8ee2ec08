"""Small lakes: facts of a few hundred made-up rows, written as an export writes them."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from data.unmet_needs import Obstacle
from services.analytics import lake
from services.analytics.schemas import MOMENT_OF, SCHEMAS, Fact
from services.analytics.terms import AgeBand, Daypart, week_of

AS_OF = datetime.fromisoformat("2030-01-09 10:30")
PLACES = {
    "320600": ("320613", "320612", "320682"),
    "510500": ("510502", "510503"),
}
ITEMS = {
    "hospital_companion": ("medical", (2, 3, 5)),
    "ward_care_round": ("medical", (24, 72)),
    "companionship": ("elderly", (2, 4)),
    "home_care_day": ("elderly", (8,)),
    "maternity_nurse": ("maternity", (168, 624)),
}
Row = dict[str, Any]


class Lake:
    """Facts row by row; `write` makes files of them. The same seed makes the same rows."""

    def __init__(self, seed: int = 1, as_of: datetime = AS_OF, days: int = 100) -> None:
        self.chance, self.as_of = random.Random(seed), as_of
        self.first = as_of - timedelta(days=days)
        self.rows: dict[Fact, list[Row]] = {fact: [] for fact in Fact}
        self._made = 0
        self._written: dict[tuple[Fact, str], str] = {}

    def add(self, fact: Fact, **values: Any) -> Row:
        """Add a row, made up but for these values."""
        row = dict.fromkeys(SCHEMAS[fact].names) | _MADE_UP[fact](self) | values
        self.rows[fact].append(row)
        return row

    def fill(self, many: int = 300) -> "Lake":
        """Add as many needs, and about as much of all else."""
        for _ in range(many // 3):
            self.add(Fact.FAMILIES)
        for _ in range(max(many // 12, 1)):
            self.add(Fact.CAREGIVERS)
        for fact in (Fact.NEEDS, Fact.VISITS, Fact.OFFERS, Fact.UNMET):
            for _ in range(many):
                self.add(fact)
        for fact in (Fact.REVIEWS, Fact.SUPPLY, Fact.FOOTFALL):
            for _ in range(many // 2):
                self.add(fact)
        return self

    def write(self) -> None:
        """Write the files that changed and the list."""
        known = lake.contents()
        known.as_of = self.as_of
        for fact, rows in self.rows.items():
            months: dict[str, list[Row]] = {month: [] for month in known.months(fact)}
            for row in rows:
                moment = MOMENT_OF[fact]
                months.setdefault(f"{row[moment]:%Y-%m}" if moment else lake.ALL, []).append(row)
            for month, of_month in months.items():
                if self._written.get((fact, month)) != repr(of_month):
                    lake.write(known, fact, month, pa.Table.from_pylist(of_month, SCHEMAS[fact]))
                    self._written[fact, month] = repr(of_month)
        lake.keep(known)

    def table(self, fact: Fact) -> pd.DataFrame:
        """The rows as they were added."""
        return pd.DataFrame(self.rows[fact], columns=SCHEMAS[fact].names)

    # --- what rows are made of ---

    def key(self) -> str:
        """A pseudonym nobody has yet."""
        self._made += 1
        return f"{self._made:016x}"

    def somebody(self, fact: Fact, name: str) -> str:
        """One of those who are there, or nobody who is known."""
        known = [row[name] for row in self.rows[fact]]
        return self.chance.choice([*known, self.key()])

    def moment(self, since: datetime | None = None, until: datetime | None = None) -> datetime:
        """A minute before `until`, a few days after as_of unless told."""
        since = since or self.first
        until = until or self.as_of + timedelta(days=8)
        minutes = max(int((until - since) / timedelta(minutes=1)), 1)
        return since.replace(microsecond=0) + timedelta(minutes=self.chance.randrange(minutes))

    def place(self) -> Row:
        """A city and one of its districts."""
        city = self.chance.choice(list(PLACES))
        return {"city": city, "district": self.chance.choice(PLACES[city])}

    def care(self) -> Row:
        """An item and its group."""
        item = self.chance.choice(list(ITEMS))
        return {"item": item, "item_group": ITEMS[item][0]}


def _need(lake: Lake) -> Row:
    chance, care = lake.chance, lake.care()
    posted_at = lake.moment(until=lake.as_of)
    starts_at = lake.moment(posted_at, posted_at + timedelta(days=chance.choice((1, 3, 12))))
    status = chance.choice(("matched",) * 6 + ("expired", "open", "withdrawn", "directed"))
    matched = status == "matched"
    ends = ("completed",) * 5 + ("confirmed", "paused", "cancelled", "missed")
    lowest = chance.randrange(3000, 6000)
    place = lake.place()
    return {
        "need": lake.key(),
        "family": lake.somebody(Fact.FAMILIES, "family"),
        "recipient": lake.key(),
        "caregiver": lake.somebody(Fact.CAREGIVERS, "caregiver") if matched else None,
        "order": lake.key() if matched else None,
        **place,
        "cell": f"8730a{chance.randrange(4)}fffffffff",
        "home_district": chance.choice(PLACES[place["city"]]) if matched else None,
        **care,
        "channel": chance.choice(("app", "phone")),
        "kind": chance.choice(("single", "single", "monthly")),
        "posted_at": posted_at,
        "starts_at": starts_at,
        "matched_at": lake.moment(posted_at, starts_at) if matched else None,
        "hours": chance.choice(ITEMS[care["item"]][1]),
        "lowest_fen": lowest,
        "highest_fen": lowest + chance.randrange(3000),
        "agreed_fen": lowest + chance.randrange(1000) if matched else None,
        "applications": chance.randrange(5),
        "status": status,
        "order_status": chance.choice(ends) if matched else chance.choice((None, None, "refused")),
        "recipient_age": chance.choice(list(AgeBand)),
        "recipient_sex": chance.choice(("female", "male")),
    }


def _visit(lake: Lake) -> Row:
    chance, starts_at = lake.chance, lake.moment()
    ends_at = starts_at + timedelta(minutes=chance.choice((120, 150, 480, 1440)))
    status = "planned"
    if ends_at < lake.as_of:
        status = chance.choice(("redeemed",) * 6 + ("finished", "missed", "missed", "cancelled"))
    came = status in ("redeemed", "finished")
    late = timedelta(minutes=chance.choice((-5, 0, 9, 10, 11, 40)))
    redeemed_at = lake.moment(ends_at, ends_at + timedelta(days=3))
    total = chance.randrange(5000, 90000)
    return {
        "visit": lake.key(),
        "order": lake.key(),
        "need": lake.key(),
        "family": lake.somebody(Fact.FAMILIES, "family"),
        "caregiver": lake.somebody(Fact.CAREGIVERS, "caregiver"),
        **lake.place(),
        "cell": f"8730a{chance.randrange(4)}fffffffff",
        **lake.care(),
        "kind": "single",
        "starts_at": starts_at,
        "ends_at": ends_at,
        "status": status,
        "checked_in_at": starts_at + late if came and chance.random() < 0.9 else None,
        "checked_out_at": ends_at if came else None,
        "redeemed_at": min(redeemed_at, lake.as_of) if status == "redeemed" else None,
        "ended_by": chance.choice(("caregiver", "customer")) if status == "missed" else None,
        "total_fen": total,
        "commission_fen": total // 10,
    }


def _offer(lake: Lake) -> Row:
    made_at = lake.moment(until=lake.as_of)
    return {
        "caregiver": lake.somebody(Fact.CAREGIVERS, "caregiver"),
        "need": lake.key(),
        **lake.place(),
        **lake.care(),
        "how": lake.chance.choice(("direct", "application")),
        "made_at": made_at,
        "price_fen": lake.chance.randrange(3000, 9000),
        "outcome": lake.chance.choice(("accepted", "refused", "expired", "waiting")),
    }


def _review(lake: Lake) -> Row:
    scores = {
        name: lake.chance.randint(1, 5)
        for name in ("skill", "attitude", "communication", "overall")
    }
    return {
        "caregiver": lake.somebody(Fact.CAREGIVERS, "caregiver"),
        "family": lake.somebody(Fact.FAMILIES, "family"),
        "city": lake.place()["city"],
        "item": lake.care()["item"],
        "made_at": lake.moment(until=lake.as_of),
        "weight": lake.chance.choice((1, 1, 4)),
        **scores,
    }


def _unmet(lake: Lake) -> Row:
    noted_at = lake.moment(until=lake.as_of)
    return {
        **lake.place(),
        **lake.care(),
        "source": lake.chance.choice(("search", "demand", "call")),
        "noted_at": noted_at,
        "wanted_at": lake.chance.choice((None, noted_at + timedelta(days=1))),
        "obstacle": lake.chance.choice((None, *Obstacle)),
    }


def _family(lake: Lake) -> Row:
    joined_at = lake.moment(lake.first - timedelta(days=40), lake.as_of)
    verified_at = lake.chance.choice((None, lake.moment(joined_at, lake.as_of)))
    return {
        "family": lake.key(),
        **lake.place(),
        "joined_at": joined_at,
        "channel": lake.chance.choice(("app", "phone")),
        "holder_age": lake.chance.choice(list(AgeBand)) if verified_at else None,
        "verified_at": verified_at,
    }


def _caregiver(lake: Lake) -> Row:
    return {
        "caregiver": lake.key(),
        **lake.place(),
        "cell": "8730a1fffffffff",
        "sex": "female",
        "age": AgeBand.FROM_40,
        "level": lake.chance.choice(("new", "proven", "senior")),
        "status": "approved",
        "approved_at": lake.moment(until=lake.as_of),
        "items": list(ITEMS)[:2],
    }


def _supply(lake: Lake) -> Row:
    """Of a caregiver, week and part of the day that no row tells of yet."""
    told = {(row["week"], row["caregiver"], row["daypart"]) for row in lake.rows[Fact.SUPPLY]}
    while True:
        row = {
            "week": week_of(lake.moment().date()),
            "caregiver": lake.somebody(Fact.CAREGIVERS, "caregiver"),
            "daypart": lake.chance.choice(list(Daypart)),
        }
        if tuple(row.values()) not in told:
            return row | lake.place() | {"hours": lake.chance.choice((0.0, 2.5, 12.0, 30.25))}


def _footfall(lake: Lake) -> Row:
    """Of a city and day that no row tells of yet."""
    told = {(row["city"], row["on_day"]) for row in lake.rows[Fact.FOOTFALL]}
    while True:
        city, on_day = lake.place()["city"], lake.moment(until=lake.as_of).date()
        if (city, on_day) not in told:
            return {"city": city, "on_day": on_day, "opened": lake.chance.randrange(1, 90)}


_MADE_UP: dict[Fact, Callable[[Lake], Row]] = {
    Fact.NEEDS: _need,
    Fact.VISITS: _visit,
    Fact.OFFERS: _offer,
    Fact.REVIEWS: _review,
    Fact.UNMET: _unmet,
    Fact.FAMILIES: _family,
    Fact.CAREGIVERS: _caregiver,
    Fact.SUPPLY: _supply,
    Fact.FOOTFALL: _footfall,
}
