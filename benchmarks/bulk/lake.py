"""A lake of millions of made-up orders, for benchmarks: `python -m benchmarks.bulk.lake 10000000`.

It is written as the export writes it, without any live database: three years of four cities, month
by month, two months in memory at once. The same number and time give the same rows. Caregivers
may be in two places at once here; nothing that is counted asks for that.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.bulk import rhythm
from benchmarks.bulk.rhythm import Floats, Ints
from data.caregivers import CaregiverLevel
from data.database import ROOT
from data.unmet_needs import Obstacle
from services import clock
from services.analytics import lake
from services.analytics.lake import Contents
from services.analytics.schemas import MOMENT_OF, SCHEMAS, Fact
from services.analytics.terms import Daypart, week_of

ORDERS = 1_000_000
SEED, MONTHS, DAYS_AHEAD = 20_000, 36, 14
MARK = "bulk"  # Among the marks of the list: how many orders were made up.
NEEDS_AN_ORDER, ORDERS_A_FAMILY, ORDERS_A_CAREGIVER = 1.25, 5, 500
VISITS_OF_A_PLAN, DAYS_BETWEEN = 8, 4
A_DAY = 24 * 60  # All moments are minutes since 1970 until they are written.

Bools = npt.NDArray[np.bool_]
Columns = dict[str, Any]


class Taken(Exception):
    """The folder holds facts that were not made up."""


def fill(orders: int = ORDERS) -> None:
    """Make up this many orders and all around them in the folder of figures."""
    folder = lake.folder() / "facts"
    if folder.exists() and MARK not in lake.contents().marks:
        raise Taken(f"{folder} holds facts that were not made up")
    for file in folder.rglob("*.parquet"):
        file.unlink()
    known = Contents(marks={MARK: orders})
    lake.keep(known)  # Marked first: what a stopped fill leaves may be filled again.
    as_of = clock.in_city(clock.now()).replace(tzinfo=None, second=0, microsecond=0)
    _Years(known, orders, as_of).live()
    known.as_of = as_of
    lake.keep(known)


class _Years:
    """One fill: who lives in the cities, and what happens to them month by month."""

    def __init__(self, known: Contents, orders: int, as_of: datetime) -> None:
        self.chance, self.map = np.random.default_rng(SEED), rhythm.drawn()
        self.pages, self.as_of = _Pages(known), _minute(as_of)
        today = as_of.date()
        self.months = list(_months(today, MONTHS))
        self.first, last = self.months[0], today + timedelta(days=DAYS_AHEAD)
        self.busy = rhythm.days(self.first, last, today)
        steps = np.round(np.cumsum(self.busy) / self.busy.sum() * orders).astype(np.int64)
        self.orders_on = np.diff(steps, prepend=0)
        self._people(max(orders // ORDERS_A_FAMILY, 50))
        self._carers(max(orders // ORDERS_A_CAREGIVER, 60))
        self.needs = 0

    def live(self) -> None:
        """Write all months."""
        self._caregivers()
        for month in [*self.months, _next(self.months[-1])]:
            self._joining(month)
            self._supply(month)
            self._footfall(month)
            self._needs(month)
            # What is told of later was made up to three weeks before, and up to a month after.
            self.pages.turn(before=month)
        self.pages.turn(before=date.max)

    # --- people ---

    def _people(self, number: int) -> None:
        """Families in the order in which they join, a tenth of them at once."""
        chance, begin = self.chance, _minute(self.first)
        until = (self.as_of - begin) / A_DAY
        rising = np.cumsum(self.busy[: int(until) + 1])
        days = np.searchsorted(rising / rising[-1], chance.random(number)) + chance.random(number)
        days[: number // 10] = 0
        self.joined = begin + (np.sort(np.minimum(days, until)) * A_DAY).astype(np.int64)
        self.family_in = chance.choice(len(self.map.districts), number, p=self.map.share_of)
        self.family_cell = self._cells(self.family_in)
        self.liking = np.cumsum(chance.gamma(0.7, size=number))

    def _carers(self, number: int) -> None:
        """Caregivers in the order in which they are approved, half of them at once."""
        chance, days = self.chance, (self.as_of - _minute(self.first)) / A_DAY
        since = np.sort(np.where(chance.random(number) < 0.5, 0, chance.random(number) * days))
        self.approved = _minute(self.first) + (since * A_DAY).astype(np.int64)
        # Town has more of them than its share of families.
        shares = self.map.share_of**1.3
        self.carer_in = chance.choice(len(self.map.districts), number, p=shares / shares.sum())
        self.carers_of = [np.flatnonzero(self.carer_in == one) for one in range(len(shares))]
        city_of = self.map.city_of[self.carer_in]
        most = np.array([[6], [30], [30], [14]])  # Hours a week, from the night to the evening.
        self.week = np.round(chance.beta(2, 2, (4, number)) * most * 2) / 2
        self.carers_of_city = [np.flatnonzero(city_of == one) for one in range(len(rhythm.CITIES))]

    def _cells(self, districts: Ints) -> Ints:
        """A cell in each district, those in its middle more often."""
        cells = np.empty(len(districts), np.int64)
        for one, crowd in enumerate(self.map.crowds):
            here = np.flatnonzero(districts == one)
            found = np.searchsorted(crowd, self.chance.random(len(here)))
            cells[here] = self.map.first_cell[one] + found
        return cells

    def _caregivers(self) -> None:
        number, chance = len(self.approved), self.chance
        items = [item.code for item in rhythm.ITEMS]
        offered = [list(chance.choice(items, 4, replace=False)) for _ in range(number)]
        rows = self._where(self.carer_in) | {
            "caregiver": _keys("caregiver", np.arange(number)),
            "cell": _words(self.map.cells, self._cells(self.carer_in)),
            "sex": _words(("female", "male"), chance.choice(2, number, p=(0.88, 0.12))),
            "age": _words(rhythm.BANDS, chance.choice(range(2, 7), number)),
            "level": _words(tuple(CaregiverLevel), chance.choice(3, number)),
            "status": _words(("approved",), np.zeros(number, np.int64)),
            "approved_at": _moments(self.approved),
            "items": pa.array(offered, pa.list_(pa.string())),
        }
        for daypart, hours in zip(Daypart, self.week, strict=True):
            rows[f"week_{daypart}"] = pa.array(hours, pa.float32())
        self.pages.add(Fact.CAREGIVERS, rows, self.approved)

    def _joining(self, month: date) -> None:
        """The families that join in the month; most are verified within days."""
        low, high = np.searchsorted(self.joined, [_minute(month), _minute(_next(month))])
        families, chance = np.arange(low, high), self.chance
        joined = self.joined[low:high]
        verified = joined + chance.exponential(2 * A_DAY, len(families)).astype(np.int64)
        known = (chance.random(len(families)) < 0.88) & (verified <= self.as_of)
        ages = chance.choice(len(rhythm.BANDS), len(families), p=_p(0, 0, 9, 24, 31, 22, 10, 3, 1))
        rows = self._where(self.family_in[low:high]) | {
            "family": _keys("family", families),
            "joined_at": _moments(joined),
            "channel": _words(("app", "phone"), (chance.random(len(families)) < 0.22) * 1),
            "holder_age": _words(rhythm.BANDS, ages, known),
            "verified_at": _moments(verified, known),
        }
        self.pages.add(Fact.FAMILIES, rows, joined)

    # --- what there is every day ---

    def _supply(self, month: date) -> None:
        """Hours offered in the weeks that begin in the month, by caregivers approved by then."""
        monday, chance = week_of(month + timedelta(days=6)), self.chance
        while monday < _next(month) and _minute(monday) <= self.as_of:
            carers = np.searchsorted(self.approved, _minute(monday))
            at_work = chance.random(carers) > 0.06  # Others are on leave.
            for daypart, planned in zip(Daypart, self.week, strict=True):
                hours = planned[:carers] * at_work
                some = np.flatnonzero(hours)
                rows = self._where(self.carer_in[some]) | {
                    "week": pa.array([monday], pa.date32()).take(
                        pa.array(np.zeros(len(some), int))
                    ),
                    "caregiver": _keys("caregiver", some),
                    "daypart": _words((daypart,), np.zeros(len(some), np.int64)),
                    "hours": pa.array(hours[some], pa.float32()),
                }
                self.pages.add(Fact.SUPPLY, rows, np.full(len(some), _minute(monday)))
            monday += timedelta(weeks=1)

    def _footfall(self, month: date) -> None:
        days = [day for day in self._days(month) if _minute(day) <= self.as_of]
        for city, share in rhythm.CITIES.items():
            busy = self.busy[[(day - self.first).days for day in days]]
            opened = self.chance.poisson(1 + busy * share * self.orders_on.mean() * 9)
            rows = {
                "city": _words((city,), np.zeros(len(days), np.int64)),
                "on_day": pa.array(days, pa.date32()),
                "opened": pa.array(opened + 1, pa.int32()),
            }
            self.pages.add(Fact.FOOTFALL, rows, np.array([_minute(day) for day in days], np.int64))

    # --- needs, and what becomes of them ---

    def _needs(self, month: date) -> None:
        """The needs that begin in the month, with their offers, visits and reviews."""
        days = list(self._days(month))
        if not days:
            return
        low = (days[0] - self.first).days
        orders = self.orders_on[low : low + len(days)]
        wanted = np.maximum(np.round(orders * NEEDS_AN_ORDER).astype(np.int64), orders)
        need = _Needs(self, days, wanted, int(orders.sum()))
        self.needs += len(need.starts)
        need.write()

    def _days(self, month: date) -> Iterator[date]:
        day = month
        while day < _next(month) and (day - self.first).days < len(self.busy):
            yield day
            day += timedelta(days=1)

    def _where(self, districts: Ints) -> Columns:
        """The columns that say where."""
        return {
            "city": _words(self.map.cities, self.map.city_of[districts]),
            "district": _words(self.map.districts, districts),
        }


class _Needs:
    """The needs that begin in one month, column by column."""

    def __init__(self, years: _Years, days: Sequence[date], wanted: Ints, orders: int) -> None:
        self.years, chance = years, years.chance
        number = int(wanted.sum())
        self.numbers = years.needs + np.arange(number)
        shares = np.array([item.share for item in rhythm.ITEMS], float)
        self.item = chance.choice(len(rhythm.ITEMS), number, p=shares / shares.sum())
        groups = np.array([rhythm.GROUPS.index(item.group) for item in rhythm.ITEMS])
        self.group = groups[self.item]
        self.starts = np.repeat([_minute(day) for day in days], wanted) + self._hours_of_day()
        self._families()
        # Booked hours or days ahead, but not before the family came.
        ahead = np.clip(chance.lognormal(3.6, 1.1, number) * 60, 60, 20 * A_DAY).astype(np.int64)
        self.posted = np.maximum(self.starts - ahead, years.joined[self.family] + 10)
        self.posted = np.minimum(self.posted, np.minimum(self.starts, years.as_of))
        self._served(orders)
        self._prices()

    def write(self) -> None:
        """Put the needs and what follows from them on their pages."""
        self._write_needs()
        self._write_offers()
        self._write_unmet()
        self._write_visits()

    def _hours_of_day(self) -> Ints:
        """Minutes after midnight, on the half hours."""
        minutes, chance = np.empty(len(self.item), np.int64), self.years.chance
        for number, group in enumerate(rhythm.GROUPS):
            here = np.flatnonzero(self.group == number)
            weights = np.array(rhythm.HOURS[group], float)
            hours = chance.choice(len(weights), len(here), p=weights / weights.sum())
            minutes[here] = (rhythm.FIRST_HOUR + hours) * 60 + chance.integers(0, 2, len(here)) * 30
        return minutes

    def _families(self) -> None:
        """Whose needs they are: three of ten newcomers', else families that come back."""
        years, chance, number = self.years, self.years.chance, len(self.starts)
        there = np.maximum(np.searchsorted(years.joined, self.starts - 3 * 60), 1)
        lately = chance.exponential(len(years.joined) / MONTHS / 2, number).astype(np.int64)
        known = np.searchsorted(years.liking, chance.random(number) * years.liking[there - 1])
        newcomer = chance.random(number) < 0.3
        self.family = np.where(newcomer, there - 1 - np.minimum(lately, there - 1), known)
        self.district, self.cell = years.family_in[self.family], years.family_cell[self.family]
        # One of twenty is wanted elsewhere in the city: the hospital, the grandparents.
        moved = np.flatnonzero(chance.random(number) < 0.05)
        city_of, share_of = years.map.city_of, years.map.share_of
        cities = city_of[self.district[moved]]
        for city in range(len(rhythm.CITIES)):
            here, there = moved[cities == city], np.flatnonzero(city_of == city)
            shares = share_of[there] / share_of[there].sum()
            self.district[here] = chance.choice(there, len(here), p=shares)
        self.cell[moved] = years._cells(self.district[moved])

    def _served(self, orders: int) -> None:
        """Which become orders: fewer where caregivers are few; by whom, and when it was agreed."""
        years, chance, number = self.years, self.years.chance, len(self.starts)
        few = np.log([len(carers) + 1 for carers in years.carers_of])
        few = (few - np.log(years.map.share_of))[self.district]
        luck = few * 0.4 - 0.15 * (self.group == 2) + chance.gumbel(size=number)
        self.ordered = np.zeros(number, bool)
        self.ordered[np.argsort(-luck)[:orders]] = True
        waited = chance.beta(1, 5, number) * (self.starts - self.posted)
        self.matched = np.minimum(self.posted + waited.astype(np.int64), years.as_of)
        self.carer = np.zeros(number, np.int64)
        near = chance.random(number) < 0.7
        for one, carers in enumerate(years.carers_of):
            self._give(np.flatnonzero(near & (self.district == one)), carers)
        city = years.map.city_of[self.district]
        for one, carers in enumerate(years.carers_of_city):
            self._give(np.flatnonzero(~near & (city == one)), carers)
        monthly = np.array([item.monthly for item in rhythm.ITEMS])[self.item]
        self.monthly = self.ordered & (chance.random(number) < monthly)
        begun, fate = self.starts <= years.as_of, chance.random(number)
        # completed, confirmed, paused, cancelled, missed
        ended = np.searchsorted([0.91, 0.91, 0.915, 0.985], fate)
        self.order_status = np.where(begun, ended, np.where(fate < 0.95, 1, 3))
        lost = np.where(begun, np.where(fate < 0.7, 1, 2), np.where(fate < 0.8, 3, 4))
        self.status = np.where(self.ordered, 0, lost)

    def _give(self, here: Ints, carers: Ints) -> None:
        """One of the caregivers who were approved by then for each; the first if there was none."""
        approved = self.years.approved[carers]
        there = np.maximum(np.searchsorted(approved, self.starts[here]), 1)
        if len(carers):
            self.carer[here] = carers[(self.years.chance.random(len(here)) * there).astype(int)]

    def _prices(self) -> None:
        chance, number = self.years.chance, len(self.starts)
        low, high = np.array([item.fen for item in rhythm.ITEMS]).T
        span = (high - low)[self.item]
        self.lowest = low[self.item] + (span * chance.random(number) * 0.3).astype(np.int64)
        self.highest = self.lowest + (span * chance.random(number) * 0.7).astype(np.int64)
        bid = chance.beta(2, 2, number) * (self.highest - self.lowest)
        self.agreed = self.lowest + bid.astype(np.int64)
        self.hours = np.empty(number, np.int64)
        for one, item in enumerate(rhythm.ITEMS):
            here = np.flatnonzero(self.item == one)
            self.hours[here] = chance.choice(item.hours, len(here))

    def _care(self, rows: Ints | slice = slice(None)) -> Columns:
        """The columns that say where, and what."""
        codes = tuple(item.code for item in rhythm.ITEMS)
        return self.years._where(self.district[rows]) | {
            "item": _words(codes, self.item[rows]),
            "item_group": _words(rhythm.GROUPS, self.group[rows]),
        }

    def _write_needs(self) -> None:
        years, chance, number = self.years, self.years.chance, len(self.starts)
        ages = np.empty(number, np.int64)
        for one, group in enumerate(rhythm.GROUPS):
            here = np.flatnonzero(self.group == one)
            ages[here] = chance.choice(len(rhythm.BANDS), len(here), p=_p(*rhythm.AGES[group]))
        statuses = ("matched", "expired", "withdrawn", "open", "directed")
        orders = ("completed", "confirmed", "paused", "cancelled", "missed")
        is_second = chance.random(number) < 0.25
        rows = self._care() | {
            "need": _keys("need", self.numbers),
            "family": _keys("family", self.family),
            "recipient": _keys("recipient", self.family * 2 + is_second),
            "caregiver": _keys("caregiver", self.carer, self.ordered),
            "order": _keys("order", self.numbers, self.ordered),
            "cell": _words(years.map.cells, self.cell),
            "home_district": _words(years.map.districts, years.carer_in[self.carer], self.ordered),
            "channel": _words(("app", "phone"), (chance.random(number) < 0.24) * 1),
            "kind": _words(("single", "monthly"), self.monthly * 1),
            "posted_at": _moments(self.posted),
            "starts_at": _moments(self.starts),
            "matched_at": _moments(self.matched, self.ordered),
            "hours": pa.array(self.hours, pa.int32()),
            "lowest_fen": pa.array(self.lowest, pa.int32()),
            "highest_fen": pa.array(self.highest, pa.int32()),
            "agreed_fen": _numbers(self.agreed, self.ordered),
            "applications": pa.array(chance.poisson(0.9, number) + self.ordered, pa.int32()),
            "status": _words(statuses, self.status),
            "order_status": _words(orders, self.order_status, self.ordered),
            "recipient_age": _words(rhythm.BANDS, ages),
            "recipient_sex": _words(("female", "male"), (chance.random(number) < 0.42) * 1),
        }
        years.pages.add(Fact.NEEDS, rows, self.starts)

    def _write_offers(self) -> None:
        """The one that was taken, and those that were not."""
        years, chance, number = self.years, self.years.chance, len(self.starts)
        rivals = chance.poisson(np.where(self.ordered, 0.5, 0.35))
        rows = np.concatenate([np.flatnonzero(self.ordered), np.repeat(np.arange(number), rivals)])
        taken = np.arange(len(rows)) < self.ordered.sum()
        others = chance.integers(0, len(years.approved), len(rows))
        made = np.minimum(self.posted[rows] + chance.integers(1, 60, len(rows)), self.matched[rows])
        outcomes = ("accepted", "refused", "expired", "withdrawn", "closed", "waiting")
        answered = np.minimum(np.where(taken, self.matched[rows], made + 120), years.as_of)
        columns = self._care(rows) | {
            "caregiver": _keys("caregiver", np.where(taken, self.carer[rows], others)),
            "need": _keys("need", self.numbers[rows]),
            "how": _words(("direct", "application"), (chance.random(len(rows)) < 0.6) * 1),
            "made_at": _moments(made),
            "price_fen": pa.array(self.agreed[rows], pa.int32()),
            "outcome": _words(outcomes, np.where(taken, 0, chance.integers(1, 5, len(rows)))),
            "answered_at": _moments(answered),
        }
        years.pages.add(Fact.OFFERS, columns, made)

    def _write_unmet(self) -> None:
        """What found nobody, and searches that led to nothing."""
        years, chance = self.years, self.years.chance
        share = np.where(self.ordered, 0.15, 0.7)
        rows = np.flatnonzero(chance.random(len(share)) < share)
        obstacles, number = tuple(str(one) for one in Obstacle), len(rows)
        weights = np.linspace(2, 1, len(obstacles)) ** 2
        first = chance.choice(len(obstacles), number, p=weights / weights.sum())
        columns = self._care(rows) | {
            "source": _words(("search", "demand", "call"), chance.choice(3, number)),
            "noted_at": _moments(self.posted[rows]),
            "wanted_at": _moments(self.starts[rows]),
            "obstacle": _words(obstacles, first, chance.random(number) < 0.85),
        }
        years.pages.add(Fact.UNMET, columns, self.posted[rows])

    def _write_visits(self) -> None:
        """One of each order, or several of a plan; and what families say of some."""
        years, chance = self.years, self.years.chance
        own = np.flatnonzero(self.ordered)
        times = np.where(self.monthly[own], VISITS_OF_A_PLAN, 1)
        rows = np.repeat(own, times)
        number = len(rows)
        turn = np.arange(number) - np.repeat(np.cumsum(times) - times, times)
        starts = self.starts[rows] + turn * DAYS_BETWEEN * A_DAY
        ends = starts + self.hours[rows] * 60
        redeemed = ends + chance.exponential(8 * 60, number).astype(np.int64)
        order_status = self.order_status[rows]
        statuses = ("planned", "in_progress", "finished", "redeemed", "missed", "cancelled")
        status = np.select(
            [
                order_status == 3,
                order_status == 4,
                starts > years.as_of,
                ends > years.as_of,
                redeemed > years.as_of,
            ],
            [5, 4, 0, 1, 2],
            default=3,
        )
        came, left, paid = np.isin(status, (1, 2, 3)), np.isin(status, (2, 3)), status == 3
        came_at = starts + chance.normal(-2, 8, number).astype(np.int64)
        total = self.agreed[rows] * self.hours[rows]
        carer, family = self.carer[rows], self.family[rows]
        columns = self._care(rows) | {
            "visit": _keys("visit", self.numbers[rows] * VISITS_OF_A_PLAN + turn),
            "order": _keys("order", self.numbers[rows]),
            "need": _keys("need", self.numbers[rows]),
            "family": _keys("family", family),
            "caregiver": _keys("caregiver", carer),
            "cell": _words(years.map.cells, self.cell[rows]),
            "kind": _words(("single", "monthly"), self.monthly[rows] * 1),
            "starts_at": _moments(starts),
            "ends_at": _moments(ends),
            "status": _words(statuses, status),
            "checked_in_at": _moments(came_at, came),
            "checked_out_at": _moments(ends, left),
            "redeemed_at": _moments(redeemed, paid),
            "ended_by": _words(
                ("customer", "caregiver"),
                (chance.random(number) < 0.5) * 1,
                np.isin(status, (4, 5)),
            ),
            "total_fen": pa.array(total, pa.int32()),
            "commission_fen": pa.array(total // 10, pa.int32()),
        }
        years.pages.add(Fact.VISITS, columns, starts)
        said_at = redeemed + chance.exponential(A_DAY, number).astype(np.int64)
        said = np.flatnonzero(paid & (chance.random(number) < 0.5) & (said_at <= years.as_of))
        scores = {
            name: pa.array(5 - np.minimum(chance.poisson(0.5, len(said)), 4), pa.int32())
            for name in ("skill", "attitude", "communication", "overall")
        }
        where = self._care(rows[said])
        reviews = scores | {
            "caregiver": _keys("caregiver", carer[said]),
            "family": _keys("family", family[said]),
            "city": where["city"],
            "item": where["item"],
            "made_at": _moments(said_at[said]),
            "weight": pa.array(np.ones(len(said), np.int64), pa.int32()),
        }
        years.pages.add(Fact.REVIEWS, reviews, said_at[said])


class _Pages:
    """Rows on their way into the files of their months."""

    def __init__(self, known: Contents) -> None:
        self.known = known
        self.waiting: dict[tuple[Fact, str], list[pa.Table]] = {}

    def add(self, fact: Fact, columns: Mapping[str, pa.Array], moments: Ints) -> None:
        """Keep rows for the months of their moments (minutes)."""
        table = pa.table({name: columns[name] for name in SCHEMAS[fact].names})
        if MOMENT_OF[fact] is None:
            self.waiting.setdefault((fact, lake.ALL), []).append(table)
            return
        months = (moments.astype("datetime64[m]")).astype("datetime64[M]")
        for month in np.unique(months):
            of_month = table.filter(pa.array(months == month))
            self.waiting.setdefault((fact, str(month)), []).append(of_month)

    def turn(self, before: date) -> None:
        """Write the months that end before this one, in the order of their moments."""
        limit = f"{before - timedelta(days=1):%Y-%m}" if before < date.max else "z"
        for fact, month in [key for key in self.waiting if key[1] < limit]:
            rows = pa.concat_tables(self.waiting.pop((fact, month)))
            if moment := MOMENT_OF[fact]:
                rows = rows.sort_by(moment)
            lake.write(self.known, fact, month, rows)


def _keys(kind: str, numbers: Ints, known: Bools | None = None) -> pa.Array:
    """Pseudonyms: sixteen hexadecimal digits of a mixed number (splitmix64)."""
    seed = np.uint64(int.from_bytes(kind.encode()[:7], "big") << 8)
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    digits = (mixed ^ (mixed >> np.uint64(31))).byteswap().tobytes().hex().encode()
    offsets = pa.py_buffer(np.arange(len(numbers) + 1, dtype=np.int32) * 16)
    there = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(len(numbers), offsets, pa.py_buffer(digits), there)


def _words(words: Sequence[str], which: Ints, known: Bools | None = None) -> pa.Array:
    places = pa.array(which.astype(np.int32), mask=None if known is None else ~known)
    return pa.DictionaryArray.from_arrays(places, pa.array(words, pa.string()))


def _numbers(numbers: Ints, known: Bools) -> pa.Array:
    return pa.array(numbers.astype(np.int32), mask=~known)


def _moments(minutes: Ints, known: Bools | None = None) -> pa.Array:
    moments = minutes.astype("datetime64[m]").astype("datetime64[us]")
    return pa.array(moments, mask=None if known is None else ~known)


def _p(*weights: float) -> Floats:
    """Chances in proportion."""
    return np.array(weights, float) / sum(weights)


def _minute(moment: date) -> int:
    return int(np.datetime64(moment, "m").astype(np.int64))


def _months(last: date, number: int) -> Iterator[date]:
    """So many first days of months, up to that of a day's."""
    for back in range(number - 1, -1, -1):
        years, month = divmod(last.month - 1 - back, 12)
        yield date(last.year + years, month + 1, 1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def main(arguments: list[str]) -> int:
    """Fill the folder at CAREPILOT_FIGURES, or var/bench, and say so."""
    if len(arguments) > 1 or not all(one.isdecimal() for one in arguments):
        sys.exit("usage: python -m benchmarks.bulk.lake [ORDERS]")
    os.environ.setdefault("CAREPILOT_FIGURES", str(ROOT / "var" / "bench"))
    orders = int(arguments[0]) if arguments else ORDERS
    try:
        fill(orders)
    except Taken as taken:
        sys.exit(f"{taken}: name another folder in CAREPILOT_FIGURES.")
    size = sum(file.stat().st_size for file in Path(lake.folder()).rglob("*.parquet"))
    print(f"{lake.folder()} holds {orders:,} made-up orders in {size / 2**20:,.0f} MiB.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
