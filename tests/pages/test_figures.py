"""The pages of figures, of live frames and of published ones, and with nothing to tell."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pandas as pd
import pytest
import streamlit as st

from components.figures import panels
from services import clock
from services.analytics import figures, pseudonyms, terms
from services.analytics.caregivers import Spread
from services.analytics.figures import Frame, Standing
from services.analytics.terms import Dimension, Stage
from tests.factories import ANALYST, CHONGCHUAN, LI, NAMES, NANTONG, OPERATOR, TONGZHOU
from tests.pages.screen import said, speak_english, words

DEMAND, FAMILIES, CAREGIVERS, FUNNEL = (
    f"pages/analyst/{name}.py"
    for name in ("demand", "family_figures", "caregiver_figures", "funnel")
)
PAGES = (DEMAND, FAMILIES, CAREGIVERS, FUNNEL)
FOLDED = panels.twin
LAST = date(2030, 1, 6)  # The Sunday before the tests' Monday.
WEEKS = [LAST - timedelta(days=6, weeks=back) for back in range(29, -1, -1)]
OCTOBER, NOVEMBER, DECEMBER = (date(2029, month, 1) for month in (10, 11, 12))
MONTHS = (OCTOBER, NOVEMBER, DECEMBER)
CARE = {"needs": 20, "served": 15, "matched": 15, "wanted_hours": 60, "served_hours": 45}
AT = {"wait_hours": 6.0, "price_fen": 4500}
DID = {
    "visits": 10, "hours": 30.0, "late": 1, "no_shows": 0, "pay_fen": 120_000, "offers": 5,
    "accepted": 4, "overall_sum": 9, "review_weight": 2, "offered_hours": 60.0,
}  # fmt: skip


@dataclass
class Told:
    """What is told, and whether it is published."""

    published: bool = False
    cells: dict[Frame, pd.DataFrame] = field(default_factory=dict)

    def standing(self, _session, actor):
        at = datetime(2030, 1, 7, 9, tzinfo=clock.CITY_TIME)
        if self.published:
            return Standing(True, at, LAST, "one", 5)
        return Standing(False, at, at.date(), "one", None)

    def read(self, _session, actor, frame, cities, first, last):
        cells = self.cells[frame]
        return cells[(cells["day"] >= first) & (cells["day"] <= last)]


def rows(days, *parts, weeks=1):
    """A row for each day and part."""
    return pd.DataFrame(
        [{"day": day, "weeks": weeks, "city": NANTONG, **part} for day in days for part in parts]
    )


def firsts():
    return [terms.weeks_of_month(month)[0] for month in MONTHS]


def groups(days, more):
    buckets = {
        Dimension.AGE: ("60_69", "70_79"),
        Dimension.SEX: ("female", "male"),
        Dimension.CHANNEL: ("app", "phone"),
        Dimension.HOUR: ("0_morning", "5_evening"),
        Dimension.URGENCY: ("under_6h", "longer"),
        Dimension.PRICE: ("low", "high"),
    }
    of_each = [
        {**more, "dimension": dimension, "bucket": bucket, **CARE}
        for dimension, both in buckets.items()
        for bucket in both
    ]
    return rows(days, *of_each)


def live():
    here = {"district": CHONGCHUAN, "item_group": "elderly", "item": "companionship"}
    joined = pd.Timestamp(OCTOBER)
    family = {"holder_age": "50_59", "channel": "app", "cohort": joined, "needs": 9}
    months = [
        rows(
            [day],
            {**family, "district": CHONGCHUAN, "families": 20, "new": new, "repeated": 20 - new}
            | {"spend_fen": 900_000, "month": pd.Timestamp(month)},
            weeks=4,
        )
        for day, month, new in zip(firsts(), MONTHS, (20, 5, 0), strict=True)
    ]
    people = [(pseudonyms.of("caregiver", LI.id), DID), ("nobody", DID | {"visits": 2})]
    return {
        Frame.NEEDS: rows(WEEKS, {**here, **CARE, **AT}),
        Frame.GROUPS: groups(WEEKS, here),
        Frame.OBSTACLES: rows(WEEKS, {**here, "obstacle": "certificate", "count": 2}),
        Frame.FAMILIES: pd.concat(months),
        Frame.CAREGIVERS: rows(
            firsts(),
            *(
                {"caregiver": who, "district": CHONGCHUAN, "level": "senior", **did}
                for who, did in people
            ),
            weeks=4,
        ),
        Frame.FUNNEL: stages(WEEKS),
    }


def stages(days):
    counts = (400, 100, 80, 60, 50, 40, 20)
    told = zip(Stage, counts, strict=True)
    return rows(days, *({"stage": str(stage), "count": count} for stage, count in told))


def published():
    here = {"district": CHONGCHUAN, "item_group": "elderly"}
    several = {"district": None, "item_group": None}
    counts = {"families": 20, "new": 5, "repeated": 10, "spend_fen": 900_000}
    told = [("all", None), ("holder_age", "30_39|50_59"), ("channel", "app"), ("district", None)]
    quartiles = {"caregivers": 10, "p25": 0.2, "p50": 0.5, "p75": 0.8}
    return {
        Frame.NEEDS: rows(WEEKS, {**here, **CARE, **AT}, {**several, **CARE, **AT}),
        Frame.GROUPS: groups(firsts(), here).assign(weeks=4),
        Frame.OBSTACLES: rows(firsts(), {**here, "obstacle": "certificate", "count": 5}, weeks=4),
        Frame.FAMILIES: rows(
            firsts(),
            *({"dimension": one, "bucket": bucket, **counts} for one, bucket in told),
            weeks=4,
        ),
        Frame.CAREGIVERS: rows(
            firsts(), *({"measure": str(one), **quartiles} for one in Spread), weeks=4
        ),
        Frame.FUNNEL: stages(WEEKS),
    }


@pytest.fixture
def told(monkeypatch):
    """Live figures, until a test has others published or takes them away."""
    st.cache_data.clear()
    told = Told(cells=live())
    monkeypatch.setattr(figures, "standing", told.standing)
    monkeypatch.setattr(figures, "read", told.read)
    monkeypatch.setattr(panels, "twin", unfolded)
    return told


def unfolded(rows, columns, *, digits=None, **options):
    """What is folded away until it is asked for."""
    panels.table(rows.round(dict(digits or {})), columns, **options)


def publish(told):
    told.published, told.cells = True, published()
    return ANALYST


def charts(app):
    """The alt texts of the charts."""
    return [chart.proto.alt for chart in app.get("plotly_chart")]


def table(app, title, column="name"):
    """A column of the table of that title."""
    [found] = [one.value for one in app.dataframe if one.proto.alt == words(title)]
    return list(found[column])


def figures_of(app):
    return {metric.label: metric.value for metric in app.main.metric}


def test_a_table_is_drawn_once_it_is_asked_for(open_app, told, monkeypatch):
    monkeypatch.setattr(panels, "twin", FOLDED)
    app = open_app(FUNNEL, OPERATOR)
    title = words("figures_funnel.whole")
    assert title not in [one.proto.alt for one in app.dataframe]

    app.session_state["funnel_whole_twin"] = True
    app.run()
    assert len(table(app, "figures_funnel.whole")) == len(Stage)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["operator", "analyst"])
def test_every_chart_is_told_in_words_too(open_app, told, page, who):
    app = open_app(page, publish(told) if who == "analyst" else OPERATOR)
    assert not app.exception
    assert len(charts(app)) > 1
    assert all(charts(app))
    assert app.dataframe
    assert all(one.proto.alt for one in app.dataframe)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["operator", "analyst"])
def test_with_nothing_to_tell_it_says_why(open_app, told, page, who):
    actor = publish(told) if who == "analyst" else OPERATOR
    told.cells = {one: cells.iloc[:0] for one, cells in told.cells.items()}
    app = open_app(page, actor)
    why = words("figures.withheld" if who == "analyst" else "figures.nothing")
    assert not app.exception
    assert not charts(app)
    assert {info.value for info in app.main.info} == {why}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["operator", "analyst"])
def test_it_speaks_english(open_app, told, page, who):
    app = speak_english(open_app(page, publish(told) if who == "analyst" else OPERATOR))
    assert not app.exception
    assert all(one.isascii() for one in charts(app))


@pytest.mark.parametrize("page", PAGES)
def test_nonsense_in_its_address_is_passed_over(open_app, told, page):
    app = open_app(page, OPERATOR)
    for name in ("place", "period", "care"):
        app.query_params[name] = "'; <b>--"
    app.run()
    assert not app.exception
    assert charts(app)


class TestDemand:
    def test_a_steady_demand_goes_on(self, open_app, told):
        app = open_app(DEMAND, OPERATOR)
        coming = words("figures_demand.coming", mean=20, low=20, high=20, share=0.8)
        assert coming in said(app)

    def test_a_young_city_has_too_little_data(self, open_app, told):
        told.cells[Frame.NEEDS] = told.cells[Frame.NEEDS].iloc[-4:]
        app = open_app(DEMAND, OPERATOR)
        assert words("figures_demand.too_little", known=4, fewest=10) in said(app)

    def test_a_week_that_is_not_told_alone_is_no_empty_week(self, open_app, told):
        actor = publish(told)
        needs = told.cells[Frame.NEEDS]
        told.cells[Frame.NEEDS] = needs[needs["day"] != WEEKS[-3]]
        app = open_app(DEMAND, actor)
        assert words("figures_demand.gaps") in said(app)
        assert pd.isna(table(app, "figures_demand.trend", "needs")[-3])

    def test_operators_see_items_and_analysts_groups(self, open_app, told):
        assert table(open_app(DEMAND, OPERATOR), "figures_demand.by_item") == ["老人陪伴"]
        st.cache_data.clear()
        app = open_app(DEMAND, publish(told))
        assert set(table(app, "figures_demand.by_group")) == {
            words("group.elderly"),
            words("figures.rest"),
        }

    def test_how_much_is_served_is_told_by_price(self, open_app, told):
        app = open_app(DEMAND, OPERATOR)
        named = [words("price_level.low"), words("price_level.high")]
        assert table(app, "figures_demand.by_price") == named
        assert table(app, "figures_demand.by_price", "fill_rate") == [0.75, 0.75]


class TestFamilies:
    def test_a_month_is_told_by_its_mean(self, open_app, told):
        shown = figures_of(open_app(FAMILIES, OPERATOR))
        assert shown[words("figures_families.families")] == "20"
        assert shown[words("figures_families.spend_each")] == "450"

    def test_who_came_back_of_those_who_joined_in_a_month(self, open_app, told):
        app = open_app(FAMILIES, OPERATOR)
        assert table(app, "figures_families.cohorts", "cohort") == [words("time.month", on=OCTOBER)]
        # In November 15 of the 20 came back, in December 20 of the 25 that had come by then.
        assert table(app, "figures_families.cohorts", "1") == [0.75]
        assert table(app, "figures_families.cohorts", "2") == [0.8]

    def test_ages_told_together_are_said_to_be(self, open_app, told):
        assert words("figures.merged_alike") in said(open_app(FAMILIES, publish(told)))

    def test_an_analyst_looks_at_the_districts_city(self, open_app, told):
        app = open_app(DEMAND, publish(told))
        app.selectbox(key="view_place").set_value(CHONGCHUAN).run()
        app.switch_page(FAMILIES).run()
        assert app.selectbox(key="view_place").value == NANTONG
        assert charts(app)

    def test_an_operator_may_look_at_a_district(self, open_app, told):
        app = open_app(FAMILIES, OPERATOR)
        app.selectbox(key="view_place").set_value(TONGZHOU).run()
        assert {info.value for info in app.main.info} == {words("figures.nothing")}
        app.selectbox(key="view_place").set_value(CHONGCHUAN).run()
        assert charts(app)


class TestCaregivers:
    def test_operators_read_who_did_what(self, open_app, told):
        app = open_app(CAREGIVERS, OPERATOR)
        gone = words("figures_caregivers.gone")
        assert table(app, "figures_caregivers.league") == [NAMES[LI], gone]
        assert table(app, "figures_caregivers.league", "visits") == [20, 4]
        assert table(app, "figures_caregivers.league", "pay") == [2400, 2400]

    def test_analysts_read_no_names_and_no_single_caregiver(self, open_app, told):
        app = open_app(CAREGIVERS, publish(told))
        assert words("figures_caregivers.league") not in said(app)
        assert NAMES[LI] not in "".join(one.value.to_csv() for one in app.dataframe)

    def test_all_together_are_told_to_operators(self, open_app, told):
        shown = figures_of(open_app(CAREGIVERS, OPERATOR))
        assert shown[words("figures_caregivers.caregivers")] == "2"
        assert shown[words("figures_caregivers.visits")] == "24"

    def test_the_middle_caregiver_is_told_to_analysts(self, open_app, told):
        shown = figures_of(open_app(CAREGIVERS, publish(told)))
        assert shown[words("figures_caregivers.filled_share")] == "0.5"

    def test_training_is_needed_where_certificates_lack(self, open_app, told):
        app = open_app(CAREGIVERS, OPERATOR)
        assert table(app, "figures_caregivers.training") == [words("group.elderly")]
        assert table(app, "figures_caregivers.training", "count") == [2 * app_weeks()]


def app_weeks():
    """The weeks of the three months that are looked at first."""
    return len([week for week in WEEKS if week >= terms.weeks_of_month(NOVEMBER)[0]])


class TestFunnel:
    def test_the_newest_week_leads(self, open_app, told):
        app = open_app(FUNNEL, OPERATOR)
        assert table(app, "figures_funnel.by_week")[0] == words("figures.day", on=WEEKS[-1])
        assert table(app, "figures_funnel.by_week", "care")[0] == round(40 / 60, 3)

    def test_each_step_is_a_share_of_the_one_before(self, open_app, told):
        app = open_app(FUNNEL, OPERATOR)
        assert table(app, "figures_funnel.whole", "of_before")[1:] == [
            0.25,
            0.8,
            0.75,
            0.833,
            0.8,
            0.5,
        ]
