"""The catalogue as operators keep it, and what families meet of it."""

import pytest
from sqlalchemy import select

from data.catalogue import CareItem
from data.database import reading, writing
from data.demands import Demand
from services import catalogue
from services.catalogue import ItemGroup, Unit
from tests import factories
from tests.factories import COMPANIONSHIP, FAR_OPERATOR, NASTY, OPERATOR, ZHOU
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    opened,
    questions,
    said,
    successes,
    table,
    words,
)

PAGE = "pages/operator/catalogue.py"
KEY = f"item_{COMPANIONSHIP}_"
COMPANIONSHIP_ZH = "老人陪伴"


def item(item_id=COMPANIONSHIP):
    with reading() as session:
        return session.get_one(CareItem, item_id)


@pytest.fixture
def companionship(pick_row):
    """Its row in the table is chosen."""
    with reading() as session:
        items = catalogue.every_item(session)
    groups = list(ItemGroup)
    by_group = sorted(items, key=lambda one: (groups.index(one.group), one.id))
    pick_row([one.id for one in by_group].index(COMPANIONSHIP))


def withdraw():
    with writing() as session:
        catalogue.withdraw(session, OPERATOR, COMPANIONSHIP)


def test_all_items_stand_in_one_table_with_what_is_under_way(open_app):
    with writing() as session:
        factories.make_order(session)
        factories.make_demand(session)
    shown = table(open_app(PAGE, OPERATOR)).set_index("name")
    assert len(shown) == 13
    assert shown.loc[COMPANIONSHIP_ZH, "price"] == "¥30–60/小时"
    assert (shown.loc[COMPANIONSHIP_ZH, "orders"], shown.loc[COMPANIONSHIP_ZH, "demands"]) == (1, 1)
    assert shown["orders"].sum() == 1
    assert words("catalogue_page.subtitle") in said(open_app(PAGE, FAR_OPERATOR))


def test_a_price_is_changed_and_shown(open_app, companionship):
    app = open_app(PAGE, OPERATOR)
    app.number_input(key=f"{KEY}lowest").set_value(35)
    app.number_input(key=f"{KEY}highest").set_value(70)
    app.button(key=f"{KEY}save").click().run()
    assert successes(app) == [words("catalogue_page.saved")]
    assert (item().lowest_fen, item().highest_fen) == (3500, 7000)
    assert "¥35–70/小时" in set(table(app)["price"])


@pytest.mark.parametrize(
    ("kind", "field", "value", "key", "values"),
    [
        ("text_input", "name_zh", "", "error.missing", {"field": "field.name_zh"}),
        ("text_input", "name_en", "陪伴", "error.not_english", {"field": "field.name_en"}),
        ("text_input", "name_zh", "医院陪诊", "error.item_exists", {}),
        ("number_input", "lowest", 61, "error.price_upside_down", {}),
        ("number_input", "fewest", 99, "error.units_upside_down", {}),
        (
            "text_area",
            "tasks_zh",
            "聊天",
            "error.task_lines_differ",
            {"chinese": 1, "english": None},
        ),
        (
            "multiselect",
            "certificates",
            [],
            "error.missing",
            {"field": "field.required_certificates"},
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    open_app, companionship, kind, field, value, key, values
):
    app = open_app(PAGE, OPERATOR)
    before = item()
    getattr(app, kind)(key=f"{KEY}{field}").set_value(value)
    app.button(key=f"{KEY}save").click().run()
    if "field" in values:
        values = {"field": words(values["field"])}
    if "english" in values:
        values = values | {"english": len(before.tasks_en)}
    assert errors(app) == [words(key, **values)]
    after = item()
    assert (after.name_zh, after.lowest_fen) == (before.name_zh, before.lowest_fen)


def test_withdrawing_says_what_goes_on_and_can_be_undone(open_app, companionship):
    with writing() as session:
        factories.make_order(session)
        factories.make_demand(session)
    app = opened(open_app(PAGE, OPERATOR), f"withdraw_item_{COMPANIONSHIP}_ask").run()
    warning = words("catalogue_page.withdraw_warning", demands=1, requests=0, orders=1)
    assert warning in said(app)
    confirm(app, f"withdraw_item_{COMPANIONSHIP}")
    assert successes(app) == [words("catalogue_page.taken_back")]
    assert not item().active
    assert f"withdraw_item_{COMPANIONSHIP}" not in questions(app)
    app.button(key=f"restore_item_{COMPANIONSHIP}").click().run()
    assert item().active


def test_a_new_item_is_added_and_offered(open_app):
    app = opened(open_app(PAGE, OPERATOR), "new_item").run()
    app.selectbox(key="new_item_group").set_value(ItemGroup.ELDERLY)
    app.selectbox(key="new_item_unit").set_value(Unit.HALF_DAY)
    app.number_input(key="new_item_hours").set_value(4)
    for field, value in (("name_zh", "助浴（上门）"), ("name_en", "Bathing, at home")):
        app.text_input(key=f"new_item_{field}").set_value(value)
    for field in ("about_zh", "about_en"):
        app.text_area(key=f"new_item_{field}").set_value(NASTY)
    app.text_area(key="new_item_tasks_zh").set_value("备水\n洗浴")
    app.text_area(key="new_item_tasks_en").set_value("Water ready\nBathed")
    app.session_state["new_item"] = True
    app.button(key="new_item_save").click().run()
    assert errors(app) == []
    assert successes(app) == [words("catalogue_page.added")]
    with reading() as session:
        added = session.scalars(select(CareItem).order_by(CareItem.id.desc())).first()
    assert (added.code, added.unit, added.hours_per_unit) == ("bathing_at_home", Unit.HALF_DAY, 4)
    assert "助浴（上门）" in set(table(app)["name"])


def test_a_new_item_with_nothing_filled_in_is_refused(open_app):
    app = opened(open_app(PAGE, OPERATOR), "new_item").run()
    app.session_state["new_item"] = True
    app.button(key="new_item_save").click().run()
    assert errors(app) == [words("error.missing", field=words("field.name_zh"))]


def post(app):
    app.text_input(key="demand_address").set_value("濠河花园 3 幢 502 室")
    return app.button(key="demand_submit").click().run()


def test_an_item_withdrawn_while_the_form_is_filled_in_is_refused_never_exchanged(open_app):
    app = open_app("pages/customer/post_demand.py", ZHOU)
    app.segmented_control(key="demand_group").set_value(ItemGroup.ELDERLY).run()
    app.selectbox(key="demand_item_elderly").set_value(COMPANIONSHIP).run()
    withdraw()
    post(app)
    assert errors(app) == [words("error.item_not_found")]
    with reading() as session:
        assert session.scalars(select(Demand)).all() == []


def test_families_choose_among_the_offered_and_old_orders_keep_their_items_name(open_app):
    with writing() as session:
        factories.make_order(session)
    withdraw()
    app = open_app("pages/customer/post_demand.py", ZHOU)
    app.segmented_control(key="demand_group").set_value(ItemGroup.ELDERLY).run()
    assert COMPANIONSHIP_ZH not in app.selectbox(key="demand_item_elderly").options
    assert COMPANIONSHIP_ZH not in said(open_app("pages/public/welcome.py", None))
    assert COMPANIONSHIP_ZH in said(open_app("pages/customer/my_orders.py", ZHOU))


def test_with_nothing_in_the_catalogue_the_form_says_so(open_app):
    with writing() as session:
        for one in catalogue.items(session):
            catalogue.withdraw(session, OPERATOR, one.id)
    app = open_app("pages/customer/post_demand.py", ZHOU)
    assert words("catalogue.nothing") in said(app)
    assert "demand_submit" not in keys(app)


def test_an_item_of_one_price_can_be_asked_for(open_app):
    with writing() as session:
        session.get_one(CareItem, COMPANIONSHIP).highest_fen = 3000
    app = open_app("pages/customer/post_demand.py", ZHOU)
    app.segmented_control(key="demand_group").set_value(ItemGroup.ELDERLY).run()
    app.selectbox(key="demand_item_elderly").set_value(COMPANIONSHIP).run()
    post(app)
    with reading() as session:
        (demand,) = session.scalars(select(Demand)).all()
    assert (demand.lowest_fen, demand.highest_fen) == (3000, 3000)
