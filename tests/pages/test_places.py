"""The operator's places: on a map and in a table, added, changed, retired."""

import pytest
from sqlalchemy import select

from components import operator_places
from data.cities import Place
from data.database import reading, writing
from data.demands import Demand
from services import places
from services.places import Datum, PlaceKind
from tests import factories
from tests.factories import (
    CHONGCHUAN,
    FAR_OPERATOR,
    HOSPITAL_ID,
    LI,
    NANTONG,
    OPERATOR,
    TONGZHOU,
    ZHOU,
)
from tests.pages.screen import confirm, errors, opened, questions, said, successes, table, words

PAGE = "pages/operator/places.py"
KEY = f"place_{HOSPITAL_ID}_"
NAME = "崇川区新城医院"


def place(place_id=HOSPITAL_ID):
    with reading() as session:
        return session.get_one(Place, place_id)


def named(name):
    with reading() as session:
        return session.scalars(select(Place).where(Place.name_zh == name)).one_or_none()


def retire():
    with writing() as session:
        places.retire(session, OPERATOR, HOSPITAL_ID)


@pytest.fixture
def hospital(pick_row):
    """Its row in the table is chosen."""
    with reading() as session:
        known = places.kept(session, OPERATOR, NANTONG)
    pick_row([one.id for one in known].index(HOSPITAL_ID))


def new_place(open_app, **changes):
    """Fill the form of a new place in and press the button."""
    filled = {"name_zh": NAME, "name_en": "Xincheng Hospital", "lng": 120.872, "lat": 32.012}
    filled |= changes
    app = opened(open_app(PAGE, OPERATOR), "new_place").run()
    app.text_input(key="new_place_name_zh").set_value(filled["name_zh"])
    app.text_input(key="new_place_name_en").set_value(filled["name_en"])
    app.selectbox(key=f"new_place_in_district_{NANTONG}").set_value(
        filled.get("district", CHONGCHUAN)
    )
    app.selectbox(key="new_place_datum").set_value(filled.get("datum", Datum.WGS84))
    for field in ("lng", "lat"):
        app.number_input(key=f"new_place_{field}").set_value(filled[field])
    app.session_state["new_place"] = True
    return app.button(key="new_place_save").click().run()


def test_the_table_says_what_the_map_shows(open_app):
    with reading() as session:
        known = places.listing(session, NANTONG)
    app = open_app(PAGE, OPERATOR)
    assert list(table(app)["name"]) == [one.name_zh for one in known]
    assert app.get("deck_gl_json_chart")


def test_the_map_asks_nobody_for_anything(open_app):
    (chart,) = open_app(PAGE, OPERATOR).get("deck_gl_json_chart")
    assert "http" not in chart.proto.json
    assert "carto" not in chart.proto.json


def test_names_that_would_cover_each_other_are_left_to_the_pointer():
    near = [{"at": [120.0, 32.0], "label": "医院"}, {"at": [120.001, 32.0], "label": "养老院"}]
    far = {"at": [121.0, 32.0], "label": "小区"}

    assert operator_places._apart([*near, far], 8) == [near[0], far]


def test_a_place_is_added_and_families_can_choose_it(open_app):
    app = new_place(open_app)
    assert errors(app) == []
    assert successes(app) == [words("places_page.added")]
    added = named(NAME)
    assert (added.kind, added.district_code) == (PlaceKind.HOSPITAL, CHONGCHUAN)
    assert NAME in set(table(app)["name"])
    form = open_app("pages/customer/post_demand.py", ZHOU)
    assert f"🏥 {NAME}" in form.selectbox(key=f"demand_place_{NANTONG}").options


def test_coordinates_of_a_chinese_map_are_converted(open_app):
    new_place(open_app, datum=Datum.GCJ02)
    added = named(NAME)
    assert 0.001 < abs(added.lng - 120.872) < 0.01


@pytest.mark.parametrize(
    ("changes", "key", "field"),
    [
        ({"name_zh": ""}, "error.missing", "name_zh"),
        ({"lng": None}, "error.point_missing", ""),
        ({"lng": 32.012, "lat": 120.872}, "error.point_impossible", ""),
        ({"district": TONGZHOU}, "error.place_outside_district", ""),
        ({"name_zh": "崇川区江海医院"}, "error.place_exists", ""),
    ],
)
def test_what_cannot_be_is_refused_in_words(open_app, changes, key, field):
    app = new_place(open_app, **changes)
    assert errors(app) == [words(key, field=words(f"field.{field}") if field else "")]
    assert named(NAME) is None


def test_the_neighbourhood_can_be_tapped_instead(open_app, monkeypatch):
    cell = places.cell_of_district(CHONGCHUAN)
    monkeypatch.setattr("components.places.cell_map", lambda *_given: cell)
    app = opened(open_app(PAGE, OPERATOR), "new_place").run()
    app.session_state["new_place"] = True
    app.segmented_control(key="new_place_way").set_value("tapped").run()
    app.session_state["new_place"] = True
    app.text_input(key="new_place_name_zh").set_value(NAME)
    app.text_input(key="new_place_name_en").set_value("Xincheng Hospital")
    app.selectbox(key=f"new_place_in_district_{NANTONG}").set_value(CHONGCHUAN)
    app.button(key="new_place_save").click().run()
    assert errors(app) == []
    assert named(NAME).cell == cell


def test_a_place_is_changed(open_app, hospital):
    app = open_app(PAGE, OPERATOR)
    app.text_input(key=f"{KEY}name_zh").set_value(NAME)
    app.number_input(key=f"{KEY}lat").set_value(32.02)
    app.button(key=f"{KEY}save").click().run()
    assert successes(app) == [words("places_page.saved")]
    assert (place().name_zh, place().lat) == (NAME, 32.02)


def test_a_place_is_retired_and_restored(open_app, hospital):
    app = confirm(open_app(PAGE, OPERATOR), f"retire_place_{HOSPITAL_ID}")
    assert successes(app) == [words("places_page.taken_back")]
    assert place().retired_at is not None
    assert words("places_page.retired") in set(table(app)["status"])
    assert f"retire_place_{HOSPITAL_ID}" not in questions(app)
    app.button(key=f"restore_place_{HOSPITAL_ID}").click().run()
    assert place().retired_at is None


def test_a_retired_place_keeps_its_name_in_the_hall_and_is_offered_no_more(open_app):
    with writing() as session:
        factories.make_demand(session, place_id=HOSPITAL_ID)
    retire()
    form = open_app("pages/customer/post_demand.py", ZHOU)
    options = form.selectbox(key=f"demand_place_{NANTONG}").options
    assert not [name for name in options if place().name_zh in name]
    assert place().name_zh in said(open_app("pages/caregiver/task_hall.py", LI))


def test_a_place_retired_while_the_form_is_filled_in_is_told_never_exchanged(open_app):
    app = open_app("pages/customer/post_demand.py", ZHOU)
    app.selectbox(key=f"demand_place_{NANTONG}").set_value(HOSPITAL_ID).run()
    app.text_input(key="demand_address").set_value("门诊三楼")
    retire()
    app.button(key="demand_submit").click().run()
    assert [warning.value for warning in app.warning] == [words("place.gone")]
    with reading() as session:
        assert session.scalars(select(Demand)).all() == []


def test_another_citys_operator_sees_none_of_them(open_app):
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("empty.places") in said(app)
    assert not app.dataframe
