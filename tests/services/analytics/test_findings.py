"""What is planted is found, what chance makes is not, and every figure that is told is right."""

from datetime import date, timedelta

import pandas as pd
import pytest

from services.analytics import findings, significance
from services.analytics.figures import Frame
from services.analytics.findings import Against, Finding, Kind, Remedy, Report
from services.analytics.significance import Side
from tests.services.analytics.towns import (
    CITY,
    DISTRICTS,
    LAST_DAY,
    REASONS,
    now,
    publish,
    town,
)

HERE, ELSEWHERE = DISTRICTS[0], DISTRICTS[1]
ALWAYS = 72


def find(told, smallest_cell: int | None = None) -> Report:
    return findings.find(told, {CITY}, LAST_DAY, smallest_cell)


def only(report: Report, kind: Kind) -> Finding:
    [found] = [one for one in report.findings if one.kind is kind]
    return found


def sums(cells: pd.DataFrame, column: str, since: date, until: date, **of: str) -> float:
    """An independent sum of cells."""
    picked = cells[(cells["day"] >= since) & (cells["day"] < until)]
    for name, value in of.items():
        picked = picked[picked[name] == value]
    return float(picked[column].sum())


SINCE, NOW_SINCE, AFTER = (
    LAST_DAY + timedelta(days=1) - timedelta(weeks=back) for back in (16, 4, 0)
)


class TestDemand:
    def test_a_rise_at_a_place_is_found_with_its_figures(self):
        live = town(1, demand=lambda day, at, group: 2.2 if now(day) and at == HERE else 1)

        one = only(find(live), Kind.DEMAND_RISES)

        assert (one.city, one.district, one.group) == (CITY, HERE, None)
        assert one.opportunity
        needs = live[Frame.NEEDS]
        recent = sums(needs, "needs", NOW_SINCE, AFTER, district=HERE)
        former = sums(needs, "needs", SINCE, NOW_SINCE, district=HERE)
        assert (one.now, one.other) == (recent / 4, former / 12)
        assert one.size == pytest.approx((recent / 4 - former / 12) * 4)
        assert one.p < 0.001
        assert len(one.line) == len(one.days) == 16
        assert sum(one.line) == recent + former
        assert (one.since, one.now_since, one.until) == (SINCE, NOW_SINCE, LAST_DAY)
        assert one.last_year

    def test_a_fall_for_a_group_is_found(self):
        live = town(2, demand=lambda day, at, group: 0.4 if now(day) and group == "elderly" else 1)

        one = only(find(live), Kind.DEMAND_FALLS)

        assert (one.district, one.group, one.opportunity) == (None, "elderly", False)

    def test_what_overlaps_is_told_once(self):
        live = town(24, demand=lambda day, at, group: 2 if now(day) and group == "medical" else 1)

        assert only(find(live), Kind.DEMAND_RISES).group == "medical"

    def test_a_rise_of_the_whole_city_is_told_once(self):
        live = town(3, demand=lambda day, at, group: 1.6 if now(day) else 1)

        one = only(find(live), Kind.DEMAND_RISES)

        assert (one.district, one.group) == (None, None)

    def test_what_rises_every_year_is_the_season(self):
        def season(day, at, group):
            last_year = day + timedelta(weeks=52)
            return 1.6 if now(day) or (now(last_year) and last_year <= LAST_DAY) else 1

        assert not find(town(4, demand=season)).findings

    def test_a_year_before_that_is_not_known_is_said(self):
        live = town(5, weeks=17, demand=lambda day, at, group: 1.8 if now(day) else 1)

        assert not only(find(live), Kind.DEMAND_RISES).last_year

    def test_a_trifle_is_not_told_however_certain(self):
        live = town(6, rate=900, demand=lambda day, at, group: 1.15 if now(day) else 1)

        assert Kind.DEMAND_RISES not in {one.kind for one in find(live).findings}


class TestCare:
    def test_a_lower_fill_rate_is_found_with_its_figures(self):
        live = town(7, served=lambda day, at, group: 0.5 if now(day) and at == HERE else 0.9)

        one = only(find(live), Kind.FILL_RATE_FELL)

        needs = live[Frame.NEEDS]
        shares = [
            sums(needs, "served", *span, district=HERE) / sums(needs, "needs", *span, district=HERE)
            for span in ((NOW_SINCE, AFTER), (SINCE, NOW_SINCE))
        ]
        assert [one.now, one.other] == shares
        assert one.district == HERE
        assert one.against is Against.BEFORE

    def test_a_gap_of_one_group_at_one_place_is_found_and_when_it_is_widest(self):
        live = town(
            8,
            served=lambda day, at, group: 0.5 if (at, group) == (HERE, "elderly") else 0.92,
            weekend=lambda at, hour: 4 if hour in ("5_morning", "6_morning") else 1,
        )

        one = only(find(live), Kind.GAP_HERE)

        assert (one.district, one.group, one.against) == (HERE, "elderly", Against.ELSEWHERE)
        needs = live[Frame.NEEDS]
        of = {"district": HERE, "item_group": "elderly"}
        here = [sums(needs, name, SINCE, AFTER, **of) for name in ("needs", "served")]
        all_of_it = [sums(needs, name, SINCE, AFTER) for name in ("needs", "served")]
        assert one.now == pytest.approx(1 - here[1] / here[0])
        rest = [a - b for a, b in zip(all_of_it, here, strict=True)]
        assert one.other == pytest.approx(1 - rest[1] / rest[0])
        parts = [round(x) for x in (here[0] - here[1], here[0], rest[0] - rest[1], rest[0])]
        assert one.p >= significance.of_shares(*parts, Side.MORE) * (1 - 1e-9)

    def test_the_hours_that_are_missing_are_named(self):
        live = town(
            9,
            offered=lambda day, at, part: 12 if (at, part) == (HERE, "evening") else 45,
            weekend=lambda at, hour: 3 if hour in ("5_evening", "6_evening") else 1,
        )

        one = only(find(live), Kind.HANDS_SHORT)

        assert (one.district, one.bucket, one.when) == (HERE, "evening", "weekend_evening")
        cells = live[Frame.DAYPARTS]
        of = {"district": HERE, "daypart": "evening"}
        assert one.now == sums(cells, "wanted_hours", SINCE, AFTER, **of) / 16
        assert one.other == sums(cells, "offered_hours", SINCE, AFTER, **of) / 16 == 12


class TestReasons:
    def test_one_that_is_more_common_somewhere_is_found_with_its_remedy(self):
        live = town(
            10, reasons=lambda at, group, reason: 14 if (at, reason) == (HERE, "too_far") else 3
        )

        # Elsewhere the others look the more common for it: the strongest comes first.
        one = next(one for one in find(live).findings if one.kind is Kind.OBSTACLE)

        assert (one.district, one.bucket) == (HERE, Remedy.NEAR)
        cells = live[Frame.OBSTACLES]
        of = {"district": HERE}
        count = sums(cells, "count", SINCE, AFTER, **of, obstacle="too_far")
        assert one.now == count / sums(cells, "count", SINCE, AFTER, **of)

    def test_one_that_leads_everywhere_is_found(self):
        live = town(11, reasons=lambda at, group, reason: 9 if reason == "certificate" else 2)

        one = only(find(live), Kind.OBSTACLE)

        assert (one.bucket, one.against, one.district) == (Remedy.TRAIN, Against.NEXT_REASON, None)

    @pytest.mark.parametrize("reason", REASONS)
    def test_every_one_has_its_remedy(self, reason):
        live = town(12, weeks=17, reasons=lambda at, group, one: 12 if one == reason else 2)

        assert only(find(live), Kind.OBSTACLE).bucket in set(Remedy)


class TestPeople:
    def test_an_age_band_that_grows_is_found(self):
        live = town(13, age=lambda day, band: 3 if now(day) and band == "80" else 1)

        one = only(find(live), Kind.AGE_GROWS)

        cells = live[Frame.GROUPS]
        cells = cells[cells["dimension"] == "age"]
        for figure, span in ((one.now, (NOW_SINCE, AFTER)), (one.other, (SINCE, NOW_SINCE))):
            of_band = sums(cells, "needs", *span, bucket="80")
            assert figure == pytest.approx(of_band / sums(cells, "needs", *span))
        assert (one.bucket, one.opportunity) == ("80", True)

    def test_a_channel_that_grows_is_found(self):
        live = town(14, channel=lambda day, way: 3 if now(day) and way == "phone" else 1)

        assert only(find(live), Kind.CHANNEL_GROWS).bucket == "phone"

    def test_a_step_that_lost_ground_is_found(self):
        later = ("asked", "matched", "redeemed", "reviewed")
        live = town(15, steps=lambda day, stage: 0.4 if now(day) and stage in later else 1)

        one = only(find(live), Kind.STEP_LOST)

        cells = live[Frame.FUNNEL]
        for figure, span in ((one.now, (NOW_SINCE, AFTER)), (one.other, (SINCE, NOW_SINCE))):
            asked, verified = (sums(cells, "count", *span, stage=s) for s in ("asked", "verified"))
            assert figure == pytest.approx(asked / verified)
        assert one.bucket == "asked"

    def test_families_that_do_not_come_back_are_found(self):
        live = town(16, repeated=lambda day: 0.25 if now(day) else 0.55)

        one = only(find(live), Kind.REPEAT_FELL)

        last = live[Frame.FAMILIES].iloc[-1]
        assert one.now == last["repeated"] / last["families"]
        assert len(one.days) == 4


def calm(seed: int) -> dict[Frame, pd.DataFrame]:
    """A town where nothing happens, with hands enough."""
    return town(seed, weeks=17, rate=12, offered=lambda day, at, part: 60)


class TestPublished:
    def test_what_is_planted_deep_is_found_in_rounded_and_merged_cells(self):
        live = town(
            17,
            rate=25,
            demand=lambda day, at, group: 2 if now(day) and at == HERE else 1,
            offered=lambda day, at, part: 30 if (at, part) == (ELSEWHERE, "morning") else 120,
        )

        found = find(publish(live), 5)

        assert only(found, Kind.DEMAND_RISES).district == HERE
        short = only(found, Kind.HANDS_SHORT)
        assert (short.district, short.bucket) == (ELSEWHERE, "morning")

    def test_a_place_that_is_told_with_others_at_times_has_not_fallen(self):
        told = publish(town(18, rate=14, offered=lambda day, at, part: 60))
        needs = told[Frame.NEEDS]
        hidden = (needs["district"] == HERE) & (needs["day"] >= NOW_SINCE)
        needs.loc[hidden, ["district", "item_group"]] = None

        assert not find(told, 5).findings

    @pytest.mark.slow
    @pytest.mark.timeout(900)
    def test_rounding_alone_makes_no_findings(self):
        towns = (publish(calm(seed), seed=seed) for seed in range(40))

        assert sum(bool(find(cells, 5).findings) for cells in towns) <= 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_noise_alone_makes_findings_in_at_most_one_run_of_twenty():
    towns = (town(seed, weeks=17, districts=DISTRICTS[:2]) for seed in range(200))

    assert sum(bool(find(cells).findings) for cells in towns) <= 10


class TestTooLittle:
    def test_a_city_opened_lately_lacks_weeks(self):
        report = find(town(19, weeks=6))

        assert not report.findings
        [lack] = report.lacking
        assert (lack.place, lack.weeks) == (CITY, 3)  # The week it opened in is not whole.

    def test_a_place_with_few_needs_lacks_needs(self):
        live = town(20, demand=lambda day, at, group: 0.02 if at == HERE else 1)

        [lack] = find(live).lacking

        told = sums(live[Frame.NEEDS], "needs", SINCE, AFTER, district=HERE)
        assert (lack.place, lack.weeks, lack.needs) == (HERE, 0, 24 - told)

    def test_without_any_cells_everything_is_lacking(self):
        nothing = {frame: cells.head(0) for frame, cells in town(21, weeks=2).items()}

        report = find(nothing)

        assert (report.findings, report.tried) == ((), 0)
        assert [(lack.place, lack.weeks, lack.needs) for lack in report.lacking] == [(CITY, 8, 48)]

    def test_what_is_not_over_is_not_compared(self):
        live = town(
            22, demand=lambda day, at, group: 6 if day > LAST_DAY - timedelta(weeks=1) else 1
        )

        report = findings.find(live, {CITY}, LAST_DAY - timedelta(days=1))

        assert not report.findings


def test_problems_come_before_opportunities_and_the_larger_first():
    live = town(
        23,
        demand=lambda day, at, group: 2.5 if now(day) and at == ELSEWHERE else 1,
        served=lambda day, at, group: 0.4 if at == HERE else 0.9,
        offered=lambda day, at, part: 8 if (at, part) == (HERE, "evening") else 45,
    )

    found = find(live).findings

    order = [(one.opportunity, -one.size) for one in found]
    assert order == sorted(order)
    assert {one.opportunity for one in found} == {True, False}
