"""Cells put together: every column recomputed from its rows, one by one."""

from datetime import date
from statistics import median

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis.strategies import composite, integers, lists, none, sampled_from

from services.analytics import combining
from services.analytics.terms import Dimension

quickly = settings(deadline=None, max_examples=40)
PLACES = ("a", "b", None)


@composite
def cells(draw):
    """Some cells of needs, as rollups and sheets tell them."""
    rows = []
    for _ in range(draw(integers(1, 12))):
        needs = draw(integers(1, 20))
        served = draw(integers(0, needs))
        rows.append(
            {
                "day": date(2026, 11, 2),
                "district": draw(sampled_from(PLACES)),
                "needs": needs,
                "served": served,
                "matched": served,
                "wanted_hours": needs * 3,
                "served_hours": served * 3,
                "wait_hours": draw(integers(0, 90) | none()),
                "price_fen": draw(integers(3000, 9000) | none()),
            }
        )
    return pd.DataFrame(rows)


def same(one, other):
    return one == other or (pd.isna(one) and pd.isna(other))


def middle(rows, name):
    """The lower median of a column in which each row counts for as many as were matched."""
    values = sorted(
        value
        for row in rows
        if row[name] is not None and not pd.isna(row[name])
        for value in [row[name]] * row["matched"]
    )
    return values[(len(values) - 1) // 2] if values else None


@quickly
@given(cells())
def test_a_group_is_the_sum_and_the_middle_of_its_cells(told):
    rows = told.to_dict("records")
    for row in combining.together(told, ["district"]).to_dict("records"):
        own = [one for one in rows if same(one["district"], row["district"])]
        needs, served = (sum(one[name] for one in own) for name in ("needs", "served"))

        assert (row["needs"], row["served"], row["unmet"]) == (needs, served, needs - served)
        assert row["gap_hours"] == (needs - served) * 3
        assert row["fill_rate"] == pytest.approx(served / needs, abs=0.00051)
        for name in ("wait_hours", "price_fen"):
            expected = middle(own, name)
            assert pd.isna(row[name]) if expected is None else row[name] == expected


@quickly
@given(cells())
def test_the_total_is_that_of_all_cells(told):
    total = combining.total(told)

    assert total.needs == told["needs"].sum()
    assert total.gap_hours == (told["needs"] - told["served"]).sum() * 3


def test_nothing_is_a_total_of_nothing():
    assert combining.total(pd.DataFrame()).fill_rate is None


def test_rounded_parts_never_exceed_their_whole():
    told = pd.DataFrame(
        [{"needs": 7, "served": 10, "matched": 10, "wanted_hours": 21, "served_hours": 30,
          "wait_hours": 5, "price_fen": 6000}]
    )  # fmt: skip
    total = combining.total(told)

    assert (total.served, total.unmet, total.fill_rate, total.gap_hours) == (7, 0, 1, 0)


@quickly
@given(lists(integers(1, 50), min_size=1, max_size=9))
def test_the_middle_of_alike_cells_is_their_lower_median(waits):
    told = pd.DataFrame(
        {"needs": 1, "served": 1, "matched": 1, "wanted_hours": 1, "served_hours": 1,
         "wait_hours": waits, "price_fen": None}
    )  # fmt: skip
    ordered = sorted(waits)

    assert combining.total(told).wait_hours == ordered[(len(ordered) - 1) // 2]
    assert combining.total(told).wait_hours <= median(waits)


def needs_of(district, needs, served):
    return {
        "district": district, "needs": needs, "served": served, "matched": served,
        "wanted_hours": needs * 2, "served_hours": served * 2, "wait_hours": 4, "price_fen": 5000,
    }  # fmt: skip


class TestPlaces:
    needs = pd.DataFrame([needs_of("a", 5, 5), needs_of("b", 9, 3), needs_of(None, 6, 6)])
    dayparts = pd.DataFrame(
        [
            {"district": "a", "daypart": "morning", "wanted_hours": 10, "offered_hours": 4},
            {"district": "c", "daypart": "morning", "wanted_hours": 0, "offered_hours": 40},
        ]
    )
    obstacles = pd.DataFrame(
        [
            {"district": "b", "obstacle": "busy", "count": 2},
            {"district": "b", "obstacle": None, "count": 1},
        ]
    )

    def row(self, place):
        rows = combining.at_places(self.needs, self.dayparts, self.obstacles, "district")
        return rows[rows["place"] == place].iloc[0]

    def test_the_largest_gap_comes_first(self):
        rows = combining.at_places(self.needs, self.dayparts, self.obstacles, "district")

        assert rows.iloc[0]["place"] == "b"
        assert rows.iloc[0]["gap_hours"] == 12

    def test_supply_and_what_found_nobody_stand_beside(self):
        assert self.row("a")["short_hours"] == 6
        assert self.row("b")["lost"] == 3
        assert pd.isna(self.row("b")["offered_hours"])

    def test_a_place_with_supply_alone_is_told(self):
        assert self.row("c")["offered_hours"] == 40

    def test_several_places_together_are_a_row_without_place(self):
        rows = combining.at_places(self.needs, self.dayparts, self.obstacles, "district")

        assert rows[rows["place"].isna()].iloc[0]["needs"] == 6

    def test_nothing_at_all_is_no_row(self):
        empty = [frame.iloc[:0] for frame in (self.needs, self.dayparts, self.obstacles)]

        assert combining.at_places(*empty, "district").empty


def bucket(name, needs, dimension=Dimension.AGE):
    return {"dimension": dimension, "bucket": name, "needs": needs, "served": needs,
            "wanted_hours": needs * 2}  # fmt: skip


def test_buckets_told_together_share_evenly():
    groups = pd.DataFrame(
        [bucket("50_59", 9), bucket("60_69|80", 12), bucket("70_79", 5), bucket(None, 50)]
    )
    told = combining.by_bucket(groups, Dimension.AGE).set_index("bucket")

    assert told["needs"].to_dict() == {"50_59": 9, "60_69": 4, "70_79": 9, "80": 4}
    assert told["merged"].to_dict() == {
        "50_59": False, "60_69": True, "70_79": True, "80": True,
    }  # fmt: skip


def test_other_dimensions_do_not_count():
    groups = pd.DataFrame([bucket("app", 9, Dimension.CHANNEL), bucket("80", 5)])

    assert combining.by_bucket(groups, Dimension.CHANNEL)["bucket"].tolist() == ["app"]


def test_parts_of_the_day_that_are_told_together_somewhere_are_told_together():
    cells = pd.DataFrame(
        [
            {"daypart": "afternoon|evening", "wanted_hours": 5, "offered_hours": 2},
            {"daypart": "evening", "wanted_hours": 1, "offered_hours": 1},
            {"daypart": "morning", "wanted_hours": 9, "offered_hours": 8},
            {"daypart": None, "wanted_hours": 99, "offered_hours": 99},
        ]
    )
    rows = combining.by_daypart(cells).to_dict("records")

    assert rows == [
        {"parts": ("morning",), "wanted_hours": 9, "offered_hours": 8},
        {"parts": ("afternoon", "evening"), "wanted_hours": 6, "offered_hours": 3},
    ]
