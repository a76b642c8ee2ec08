import json

import pytest
import streamlit as st
from sqlalchemy import update

from data.accounts import AccountRole
from data.database import writing
from services import regions
from services.access import Actor, Role
from tests.factories import ANALYST, CHONGCHUAN, HOSPITAL_COMPANION, LUZHOU, NANTONG, TONGZHOU
from tests.needs import add_needs
from tests.pages.screen import keys, said, speak_english, words
from tests.services.test_releases import SERVED

PAGE = "pages/analyst/overview.py"
RUGAO = "320682"


@pytest.fixture(autouse=True)
def nothing_kept():
    """What the page keeps for five minutes is not the next test's."""
    st.cache_data.clear()


@pytest.fixture
def needs(database, clock):
    """Rugao lacks most; Tongzhou has only two families, and Chongchuan all it wants."""
    with writing() as session:
        add_needs(session, 9, **SERVED)
        add_needs(session, 6, item_id=HOSPITAL_COMPANION, **SERVED)
        add_needs(session, 7, district_code=RUGAO)
        add_needs(session, 8, district_code="320614", weeks_ago=5)
        add_needs(session, 2, district_code=TONGZHOU)
        add_needs(session, 2, district_code="320623")


def choose(app, district_code):
    """What a click on the map or in the table does; AppTest has neither."""
    app.session_state[f"overview_district_{NANTONG}"] = district_code
    return app.run()


def column(app, number, name):
    return list(app.dataframe[number].value[name])


def test_the_largest_gap_is_said_and_leads_the_table(open_app, needs):
    app = open_app(PAGE, ANALYST)

    assert words("overview.finding", district="海门区", hours=24) in said(app)
    assert column(app, 0, "name") == ["海门区", "如皋市", "崇川区"]
    assert column(app, 0, "gap_hours") == [24, 21, 0]


def test_the_figures_are_of_the_released_districts(open_app, needs):
    figures = {metric.label: metric.value for metric in open_app(PAGE, ANALYST).main.metric}

    assert figures[words("overview.demands")] == "30"
    assert figures[words("overview.gap_hours")] == "45"


def test_a_shorter_period_has_less_in_it(open_app, needs):
    app = open_app(PAGE, ANALYST)
    app.segmented_control(key="overview_period").set_value("weeks_4").run()

    assert column(app, 0, "name") == ["如皋市", "崇川区"]


def test_the_map_asks_nobody_and_says_why_a_district_is_grey(open_app, needs):
    app = open_app(PAGE, ANALYST)
    [chart] = app.get("deck_gl_json_chart")
    deck = json.loads(chart.proto.json)
    [areas] = [layer for layer in deck["layers"] if layer["id"] == "districts"]
    told = {one["properties"]["code"]: one["properties"] for one in areas["data"]["features"]}

    assert deck.get("mapProvider") is None
    assert told[RUGAO]["gap_hours"] == words("overview.hours", hours=21)
    assert told[TONGZHOU]["gap_hours"] == words("overview.too_few")
    assert chart.proto.alt


def test_a_measure_without_released_figures_leaves_the_map_grey(open_app, needs):
    app = open_app(PAGE, ANALYST)
    app.segmented_control(key="overview_measure").set_value("supply").run()

    assert not app.exception
    assert words("overview.map_supply") in said(app)


def test_a_city_whose_boundaries_are_not_kept_has_its_table(open_app, needs, monkeypatch):
    monkeypatch.setattr(regions, "boundary", lambda _code: None)
    app = open_app(PAGE, ANALYST)

    assert words("overview.no_map") in said(app)
    assert column(app, 0, "name")[0] == "海门区"


def test_a_chosen_district_shows_its_items_and_leads_back(open_app, needs):
    app = choose(open_app(PAGE, ANALYST), CHONGCHUAN)
    assert words("overview.care", place="崇川区") in said(app)
    assert column(app, 1, "demands") == [9, 6]

    app.button(key="overview_back").click().run()

    assert words("overview.care", place="南通市") in said(app)
    assert "overview_back" not in keys(app)


def test_a_withheld_districts_items_are_withheld_too(open_app, needs):
    app = choose(open_app(PAGE, ANALYST), TONGZHOU)

    assert words("overview.district_withheld") in {info.value for info in app.info}
    assert len(app.dataframe) == 1


def test_what_is_withheld_is_counted_in_words(open_app, needs):
    assert words("overview.withheld", count=4) in said(open_app(PAGE, ANALYST))


def test_it_speaks_english(open_app, needs):
    app = speak_english(open_app(PAGE, ANALYST))

    assert column(app, 0, "name")[1] == "Rugao"


def test_without_enough_families_the_page_says_so(open_app, clock):
    with writing() as session:
        add_needs(session, 4)
    app = open_app(PAGE, ANALYST)

    assert words("empty.overview") in said(app)
    assert not app.dataframe


def test_an_analyst_of_another_city_sees_nothing(open_app, needs):
    far = Actor(ANALYST.id, Role.ANALYST, frozenset({LUZHOU}))
    with writing() as session:
        session.execute(
            update(AccountRole).where(AccountRole.account_id == ANALYST.id).values(city_code=LUZHOU)
        )

    assert words("empty.overview") in said(open_app(PAGE, far))
