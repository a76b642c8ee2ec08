"""Caregivers and the funnel: sums, shares and quartiles recomputed one by one; names for few."""

from datetime import date
from itertools import pairwise
from random import Random
from statistics import quantiles

import pandas as pd
import pytest

from data.database import reading
from services.analytics import caregivers, funnels, leagues, pseudonyms, terms
from services.analytics.caregivers import Spread
from services.analytics.terms import Stage
from services.errors import NotAllowed
from tests.factories import ANALYST, DESK, FAR_OPERATOR, LI, NAMES, OPERATOR, ZHAO

CITY, OTHER = "320600", "510500"
MONTHS = [date(2026, 9, 1), date(2026, 10, 1)]
ROLLUP = (
    "day weeks city month caregiver district level visits hours late no_shows pay_fen offers"
    " accepted overall_sum review_weight offered_hours"
).split()
SHEET = "day weeks city measure caregivers p25 p50 p75".split()


@pytest.fixture
def months():
    chance, rows = Random(3), []
    for month in MONTHS:
        for number in range(9):
            visits, weight = chance.randint(0, 12), chance.randint(0, 5)
            offers = chance.randint(0, 9)
            rows.append(
                {
                    "day": terms.weeks_of_month(month)[0],
                    "weeks": 4,
                    "city": OTHER if number > 6 else CITY,
                    "month": pd.Timestamp(month),
                    "caregiver": f"c{number}",
                    "district": f"d{number % 3}",
                    "level": "junior",
                    "visits": visits,
                    "hours": visits * 3.0,
                    "late": chance.randint(0, visits),
                    "no_shows": chance.randint(0, 2),
                    "pay_fen": visits * 12_000,
                    "offers": offers,
                    "accepted": chance.randint(0, offers),
                    "overall_sum": weight * chance.randint(3, 5),
                    "review_weight": weight,
                    "offered_hours": float(chance.choice([0, 60])),
                }
            )
    return pd.DataFrame(rows, columns=ROLLUP)


def sums(rows, *names):
    return [sum(row[name] for row in rows) for name in names]


def test_all_together_are_the_sums_and_their_shares(months):
    rows, told = months.to_dict("records"), caregivers.total(months)
    visits, late, hours, offered = sums(rows, "visits", "late", "hours", "offered_hours")
    said, weight, offers, accepted = sums(
        rows, "overall_sum", "review_weight", "offers", "accepted"
    )
    assert told["caregivers"] == len({row["caregiver"] for row in rows if row["visits"]})
    assert told["visits"] == visits
    assert told[Spread.LATE] == pytest.approx(late / visits)
    assert told[Spread.FILLED] == pytest.approx(hours / offered)
    assert told[Spread.RATING] == pytest.approx(said / weight)
    assert told[Spread.ACCEPTED] == pytest.approx(accepted / offers)


def test_nobody_at_all_has_no_shares():
    told = caregivers.total(pd.DataFrame(columns=ROLLUP))
    assert told["visits"] == 0
    assert told[Spread.LATE] is None


def test_a_rating_leans_on_the_city_the_more_the_fewer_reviews(months):
    rows = caregivers.of_each(months)
    assert list(rows["visits"]) == sorted(rows["visits"], reverse=True)
    for row in rows.to_dict("records"):
        hers = [one for one in months.to_dict("records") if one["caregiver"] == row["caregiver"]]
        city = [one for one in months.to_dict("records") if one["city"] == row["city"]]
        said, weight = sums(hers, "overall_sum", "review_weight")
        mean = sums(city, "overall_sum")[0] / sums(city, "review_weight")[0]
        assert row["visits"] == sums(hers, "visits")[0]
        if weight:
            assert row["rating"] == pytest.approx((said + 5 * mean) / (weight + 5))
        else:
            assert pd.isna(row["rating"])


def measured(row, measure):
    match measure:
        case Spread.RATING:
            return row["overall_sum"] / row["review_weight"] if row["review_weight"] else None
        case Spread.ACCEPTED:
            return row["accepted"] / row["offers"] if row["offers"] else None
        case _ if not row["visits"]:
            return None
        case Spread.LATE:
            return row["late"] / row["visits"]
        case Spread.FILLED:
            return row["hours"] / row["offered_hours"] if row["offered_hours"] else None
        case _:
            return row[measure]


@pytest.mark.parametrize("measure", Spread)
def test_quartiles_are_those_of_the_caregivers_there_is_something_to_measure(months, measure):
    rows = caregivers.quartiles(months, measure)
    for row in rows.to_dict("records"):
        values = [
            value
            for one in months.to_dict("records")
            if one["city"] == row["city"] and one["month"].date() == row["month"]
            and (value := measured(one, measure)) is not None
        ]  # fmt: skip
        assert row["caregivers"] == len(values)
        if len(values) > 1:
            told = [row["p25"], row["p50"], row["p75"]]
            assert told == pytest.approx(quantiles(values, n=4, method="inclusive"))


def test_published_quartiles_are_read_as_they_are():
    day = terms.weeks_of_month(MONTHS[0])[0]
    told = pd.DataFrame(
        [[day, 4, CITY, "hours", 10, None, 31.0, None], [day, 4, CITY, "visits", 10, 4, 8, 12]],
        columns=SHEET,
    )
    [row] = caregivers.quartiles(told, Spread.HOURS).to_dict("records")
    assert (row["month"], row["caregivers"], row["p50"]) == (MONTHS[0], 10, 31)
    assert pd.isna(row["p25"])
    assert caregivers.quartiles(told.iloc[:0], Spread.HOURS).empty


class TestNames:
    def test_operators_read_those_of_their_cities(self, database):
        with reading() as session:
            names = leagues.names(session, OPERATOR)
            assert names[pseudonyms.of("caregiver", LI.id)] == NAMES[LI]
            assert names[pseudonyms.of("caregiver", ZHAO.id)] == NAMES[ZHAO]
            assert leagues.names(session, FAR_OPERATOR) == {}

    @pytest.mark.parametrize("actor", [ANALYST, DESK, LI])
    def test_nobody_else_does(self, database, actor):
        with reading() as session, pytest.raises(NotAllowed):
            leagues.names(session, actor)


class TestFunnel:
    COUNTS = (1000, 200, 150, 160, 0, 90, 30)

    def cells(self, **more):
        return pd.DataFrame(
            [
                {"day": date(2026, 11, 2), "weeks": 1, "city": city, "stage": str(stage), **more}
                | {"count": count}
                for city in (CITY, OTHER)
                for stage, count in zip(Stage, self.COUNTS, strict=True)
                if count
            ]
        )

    def test_each_stage_is_a_share_of_the_one_before(self):
        rows = funnels.by_stage(self.cells())
        assert list(rows["count"]) == [2 * count for count in self.COUNTS]
        for (before, count), row in zip(
            pairwise(self.COUNTS), rows.to_dict("records")[1:], strict=True
        ):
            if before:
                assert row["of_before"] == pytest.approx(count / before)
            else:
                assert pd.isna(row["of_before"])
            assert row["of_first"] == pytest.approx(count / 1000)

    def test_weeks_and_cities_are_told_apart(self):
        [week] = funnels.by_week(self.cells()).to_dict("records")
        assert week["week"] == date(2026, 11, 2)
        assert [week[str(stage)] for stage in Stage] == [2 * count for count in self.COUNTS]
        cities = funnels.by_city(self.cells())
        assert list(cities["city"]) == [CITY, OTHER]
        assert list(cities["asked"]) == [160, 160]

    def test_a_week_of_a_published_month_is_its_own(self):
        [week] = funnels.by_week(self.cells(week="2026-11-09")).to_dict("records")
        assert week["week"] == date(2026, 11, 9)

    def test_without_anybody_every_stage_is_empty(self):
        empty = pd.DataFrame(columns=["day", "weeks", "city", "stage", "count"])
        assert funnels.by_stage(empty)["count"].sum() == 0
        assert funnels.by_week(empty).empty
        assert funnels.by_city(empty).empty
