"""Families: every figure of both shapes of frames recomputed from single families."""

from collections import defaultdict
from datetime import date
from random import Random

import pandas as pd
import pytest

from services.analytics import families, terms
from services.analytics.families import Trait
from services.analytics.terms import UNKNOWN

CITY = "320600"
AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)
MONTHS = [AUGUST, SEPTEMBER, OCTOBER]
ROLLUP = (
    "day weeks city month district holder_age channel cohort families new repeated needs spend_fen"
).split()
SHEET = "day weeks city dimension bucket families new repeated spend_fen".split()


def day(month):
    return terms.weeks_of_month(month)[0]


@pytest.fixture
def people():
    """Who came in which month: (family, month, traits, new, repeated, spent)."""
    chance, seen, told = Random(7), set(), []
    traits = {
        number: {
            "district": chance.choice(["320612", "320613"]),
            "holder_age": chance.choice(["50_59", "60_69", None]),
            "channel": chance.choice(["app", "phone"]),
            "cohort": chance.choice(MONTHS),
        }
        for number in range(90)
    }
    for month in MONTHS:
        for number, hers in traits.items():
            if hers["cohort"] > month or chance.random() < 0.5:
                continue
            new = number not in seen
            seen.add(number)
            told.append((number, month, hers, new, not new or chance.random() < 0.3, 40_000))
    return told


@pytest.fixture
def rollup(people):
    """The families as operators' frames tell them."""
    rows = [
        {
            "day": day(month),
            "weeks": 4,
            "city": CITY,
            "month": pd.Timestamp(month),
            **traits,
            "cohort": pd.Timestamp(traits["cohort"]),
            "families": 1,
            "new": int(new),
            "repeated": int(repeated),
            "needs": 1,
            "spend_fen": spent,
        }
        for _, month, traits, new, repeated, spent in people
    ]
    return pd.DataFrame(rows, columns=ROLLUP)


def sheet(*rows):
    """Rows as analysts' frames tell them: month, dimension, bucket and the counts."""
    told = [
        {"day": day(month), "weeks": 4, "city": CITY, **dict(zip(SHEET[3:], row, strict=True))}
        for month, *row in rows
    ]
    return pd.DataFrame(told, columns=SHEET)


def test_a_month_holds_its_families(rollup, people):
    rows = families.by_month(rollup).set_index("month")
    for month in MONTHS:
        here = [one for one in people if one[1] == month]
        row = rows.loc[month]
        assert row["families"] == len(here)
        assert row["new"] == sum(one[3] for one in here)
        assert row["repeated"] == sum(one[4] for one in here)
        assert row["repeat_rate"] == round(sum(one[4] for one in here) / len(here), 3)
        assert row["spend_each"] == 40_000


def test_published_months_are_those_of_all_families():
    told = sheet(
        (AUGUST, "all", None, 20, 5, 10, 600_000),
        (AUGUST, "channel", "app", 20, 5, 10, 600_000),
    )
    [row] = families.by_month(told).to_dict("records")
    assert (row["families"], row["new"], row["repeat_rate"], row["spend_each"]) == (20, 5, 0.5, 3e4)


def test_what_is_spent_is_that_of_families_of_whom_it_is_told():
    told = sheet((AUGUST, "all", None, 20, 5, 10, None), (SEPTEMBER, "all", None, 10, 0, 5, 90_000))
    rows = families.by_month(told)
    assert pd.isna(rows["spend_each"][0])
    assert families.by_city(told)["spend_each"][0] == 9_000


def test_a_trait_is_told_on_the_mean_of_the_months(rollup, people):
    for trait in (Trait.CHANNEL, Trait.HOLDER_AGE, Trait.DISTRICT):
        rows = families.by_trait(rollup, trait).set_index("bucket")
        counts = defaultdict(int)
        for _, _, traits, *_ in people:
            counts[traits[trait] or UNKNOWN] += 1
        assert set(rows.index) == set(counts)
        for bucket, count in counts.items():
            assert rows.loc[bucket, "families"] == pytest.approx(count / 3)


def test_ages_stand_in_their_order_and_are_shared_out_where_told_together():
    told = sheet(
        (AUGUST, "holder_age", "60_69", 10, 0, 0, None),
        (AUGUST, "holder_age", "30_39|50_59", 30, 15, 0, None),
    )
    rows = families.by_trait(told, Trait.HOLDER_AGE)
    assert list(rows["bucket"]) == ["30_39", "40_49", "50_59", "60_69"]
    assert list(rows["families"]) == [10, 10, 10, 10]
    assert list(rows["merged"]) == [True, True, True, False]


def test_several_told_together_make_a_row_of_their_own():
    told = sheet(
        (AUGUST, "district", "320612", 10, 5, 0, None), (AUGUST, "district", None, 15, 5, 0, None)
    )
    assert list(families.by_trait(told, Trait.DISTRICT)["bucket"]) == [None, "320612"]


def test_those_came_back_who_had_come_before(rollup, people):
    shares = families.retention(rollup, MONTHS, gaps=False)
    for cohort in MONTHS:
        for after, month in enumerate(MONTHS[MONTHS.index(cohort) + 1 :], start=1):
            hers = [one for one in people if one[2]["cohort"] == cohort]
            before = {one[0] for one in hers if one[1] < month}
            back = {one[0] for one in hers if one[1] == month} & before
            assert shares.loc[cohort, after] == pytest.approx(len(back) / len(before))
    assert pd.isna(shares.loc[OCTOBER, 1])


def test_a_cohort_that_is_not_told_alone_has_no_share():
    told = sheet(
        (AUGUST, "cohort", "2026-08", 20, 20, 0, None),
        (SEPTEMBER, "cohort", "2026-08", 10, 0, 0, None),
        (SEPTEMBER, "cohort", "2026-09", 10, 10, 0, None),
        (OCTOBER, "cohort", "2026-08|2026-09", 15, 0, 0, None),
    )
    shares = families.retention(told, MONTHS, gaps=True)
    assert shares.loc[AUGUST, 1] == 0.5
    assert pd.isna(shares.loc[AUGUST, 2])
    assert pd.isna(shares.loc[SEPTEMBER, 1])


@pytest.mark.parametrize("columns", [ROLLUP, SHEET])
def test_without_families_there_is_nothing(columns):
    empty = pd.DataFrame(columns=columns)
    assert families.by_month(empty).empty
    assert families.by_city(empty).empty
    assert all(families.by_trait(empty, trait).empty for trait in Trait)
    assert families.retention(empty, MONTHS, gaps=True).isna().all(axis=None)
    assert families.retention(empty, [], gaps=False).empty
