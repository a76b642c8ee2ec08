"""The operator's cities: figures, settings, pausing and closing, opening another."""

import pytest
from sqlalchemy import select

from data.accounts import Account
from data.calendars import Closure, DayKind, SpecialDay
from data.cities import City, CityStatus
from data.database import reading, writing
from tests import factories
from tests.factories import FAR_OPERATOR, LI, LUZHOU, NAMES, NANTONG, NASTY, OPERATOR, ZHOU
from tests.pages.screen import confirm, errors, keys, opened, questions, said, successes, words

PAGE = "pages/operator/cities.py"
SETTINGS = f"settings_{NANTONG}"
WUXI = "320200"


def city(code=NANTONG):
    with reading() as session:
        return session.scalars(select(City).where(City.code == code)).one_or_none()


def figures(app):
    return [metric.value for metric in app.metric]


@pytest.fixture
def order_id(database):
    with writing() as session:
        return factories.make_order(session)


def test_an_operator_sees_the_figures_of_their_own_city_only(open_app, order_id):
    app = open_app(PAGE, OPERATOR)
    assert figures(app) == ["1", "0", "2", "0"]
    assert "江苏省 南通市" in said(app)
    far = open_app(PAGE, FAR_OPERATOR)
    assert figures(far) == ["0", "0", "0", "0"]
    assert "南通市" not in said(far)
    assert not [key for key in questions(far) if NANTONG in key]


def test_settings_are_changed_in_their_form(open_app):
    app = opened(open_app(PAGE, OPERATOR), SETTINGS).run()
    app.text_input(key=f"{SETTINGS}_hotline").set_value("0513-8500-1234")
    app.number_input(key=f"{SETTINGS}_photo_days").set_value(30)
    app.toggle(key=f"{SETTINGS}_operator_approves").set_value(True)
    app.session_state[SETTINGS] = True
    app.button(key=f"{SETTINGS}_save").click().run()
    assert successes(app) == [words("cities.saved")]
    kept = city()
    assert (kept.hotline, kept.photo_days, kept.operator_approves) == ("0513-8500-1234", 30, True)


def with_desk_hours(open_app, opens, closes):
    app = opened(open_app(PAGE, OPERATOR), SETTINGS).run()
    app.select_slider(key=f"{SETTINGS}_desk_hours").set_range(opens, closes)
    app.number_input(key=f"{SETTINGS}_answer_minutes").set_value(5)
    app.session_state[SETTINGS] = True
    return app.button(key=f"{SETTINGS}_save").click().run()


def test_when_and_how_soon_the_chat_is_answered_is_set_and_told_to_who_asks(open_app, clock):
    app = with_desk_hours(open_app, 7 * 60, 24 * 60)
    assert successes(app) == [words("cities.saved")]
    kept = city()
    assert (kept.desk_from_minute, kept.desk_until_minute) == (7 * 60, 24 * 60)
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
    clock.move(hours=14)
    app = opened(open_app("pages/customer/my_orders.py", ZHOU), "chat_panel").run()
    assert words("chat.open_now", minutes=5) in said(app)


def test_chat_hours_of_no_length_are_refused_in_words(open_app):
    app = with_desk_hours(open_app, 8 * 60, 8 * 60)
    assert errors(app) == [words("error.desk_hours")]
    assert city().desk_until_minute == 20 * 60


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        (
            "redeem_lock_minutes",
            0,
            {"field": "field.redeem_lock_minutes", "fewest": 1, "most": 1440},
        ),
        ("answer_minutes", 0, {"field": "field.answer_minutes", "fewest": 1, "most": 1440}),
    ],
)
def test_a_setting_out_of_its_range_is_refused_in_words(open_app, field, value, refusal):
    app = opened(open_app(PAGE, OPERATOR), SETTINGS).run()
    app.number_input(key=f"{SETTINGS}_{field}").set_value(value)
    app.session_state[SETTINGS] = True
    app.button(key=f"{SETTINGS}_save").click().run()
    said_of = refusal | {"field": words(refusal["field"])}
    assert errors(app) == [words("error.number_out_of_range", **said_of)]


@pytest.mark.parametrize(
    ("hotline", "key"), [("", "error.missing"), ("😀 hotline", "error.hotline_invalid")]
)
def test_a_city_without_a_hotline_is_refused_in_words(open_app, hotline, key):
    app = opened(open_app(PAGE, OPERATOR), SETTINGS).run()
    app.text_input(key=f"{SETTINGS}_hotline").set_value(hotline)
    app.session_state[SETTINGS] = True
    app.button(key=f"{SETTINGS}_save").click().run()
    assert errors(app) == [words(key, field=words("field.hotline"))]


def test_before_pausing_it_is_told_what_goes_on(open_app, order_id):
    app = opened(open_app(PAGE, OPERATOR), f"pause_{NANTONG}_ask").run()
    assert words("cities.orders_count", count=1) in said(app)
    listed = app.dataframe[0].value
    assert list(listed["number"]) == [order_id]
    assert list(listed["caregiver"]) == [NAMES[LI]]
    confirm(app, f"pause_{NANTONG}")
    assert successes(app) == [words("cities.paused")]
    assert city().status is CityStatus.PAUSED
    assert f"resume_{NANTONG}" in questions(app)
    confirm(app, f"resume_{NANTONG}")
    assert city().status is CityStatus.OPEN


def test_closing_with_open_orders_is_refused_in_words(open_app, order_id):
    app = confirm(open_app(PAGE, OPERATOR), f"close_{NANTONG}")
    assert errors(app) == [words("error.city_has_orders", count=1)]
    assert city().status is CityStatus.OPEN


def test_a_city_with_nothing_open_is_closed_and_opened_again(open_app):
    app = opened(open_app(PAGE, OPERATOR), f"close_{NANTONG}_ask").run()
    assert words("cities.nothing_open") in said(app)
    confirm(app, f"close_{NANTONG}")
    assert city().status is CityStatus.CLOSED
    confirm(app, f"reopen_{NANTONG}")
    assert successes(app) == [words("cities.reopened")]


def test_families_see_that_a_city_is_paused_and_not_that_it_is_closed(open_app):
    app = open_app(PAGE, OPERATOR)
    confirm(app, f"pause_{NANTONG}")
    front_door = open_app("pages/public/welcome.py", None)
    assert words("city_status.paused") in said(front_door)
    confirm(app, f"close_{NANTONG}")
    front_door = open_app("pages/public/welcome.py", None)
    assert "南通市" not in said(front_door)
    assert "泸州市" in said(front_door)


def new_city(open_app, code=WUXI, hotline="0510-8500-1234"):
    app = opened(open_app(PAGE, OPERATOR), "new_city").run()
    app.session_state["new_city"] = True
    app.selectbox(key="new_city_province").set_value(f"{code[:2]}0000").run()
    app.session_state["new_city"] = True
    app.selectbox(key=f"new_city_city_{code[:2]}0000").set_value(code)
    app.text_input(key="new_city_hotline").set_value(hotline).run()
    app.session_state["new_city"] = True
    return app.button(key="new_city_open").click().run()


def test_a_city_just_opened_is_the_operators_own_at_once(open_app):
    app = new_city(open_app)
    assert successes(app) == [words("cities.opened")]
    assert city(WUXI).status is CityStatus.OPEN
    assert "无锡市" in said(app)
    assert f"pause_{WUXI}" in questions(app)
    assert "无锡市" not in said(open_app(PAGE, FAR_OPERATOR))


@pytest.mark.parametrize("code", [NANTONG, LUZHOU])
def test_a_city_is_opened_once(open_app, code):
    assert errors(new_city(open_app, code)) == [words("error.city_exists")]


def test_a_new_city_needs_a_hotline(open_app):
    app = new_city(open_app, hotline="")
    assert errors(app) == [words("error.missing", field=words("field.hotline"))]
    assert city(WUXI) is None


def test_a_customer_has_no_such_page(open_app):
    app = open_app("pages/account/profile.py", ZHOU)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(PAGE).run()
    assert "new_city_open" not in keys(app)


DAYS = f"days_{NANTONG}"
CLOSURE = f"closure_{NANTONG}"
SPECIAL = f"special_{NANTONG}"


def test_a_time_is_closed_after_its_visits_were_counted_and_opened_again(open_app, order_id):
    app = opened(open_app(PAGE, OPERATOR), DAYS).run()
    assert words("closures.hits", count=1) in [warning.value for warning in app.warning]
    app.session_state[DAYS] = True
    app.text_input(key=f"{CLOSURE}_words").set_value(NASTY).run()
    app.session_state[DAYS] = True
    app.button(key=f"{CLOSURE}_close").click().run()
    assert successes(app) == [words("closures.closed")]
    with reading() as session:
        closure = session.scalars(select(Closure)).one()
    assert closure.words == NASTY
    app = opened(app, DAYS)
    assert "<script>" not in said(app)
    app.button(key=f"reopen_{closure.id}").click().run()
    assert successes(app) == [words("closures.reopened")]
    with reading() as session:
        assert session.scalars(select(Closure)).all() == []


def test_a_time_is_not_closed_without_saying_why(open_app):
    app = opened(open_app(PAGE, OPERATOR), DAYS)
    app.button(key=f"{CLOSURE}_close").click().run()
    assert errors(app) == [words("error.missing", field=words("field.closure_words"))]


def test_a_date_is_made_a_day_to_work_and_dropped(open_app):
    app = opened(open_app(PAGE, OPERATOR), DAYS)
    app.segmented_control(key=f"{SPECIAL}_kind").set_value(DayKind.WORKDAY).run()
    app.session_state[DAYS] = True
    app.button(key=f"{SPECIAL}_set").click().run()
    assert successes(app) == [words("closures.day_set")]
    with reading() as session:
        special = session.scalars(select(SpecialDay)).one()
    assert special.kind is DayKind.WORKDAY
    app = opened(app, DAYS)
    app.button(key=f"drop_day_{special.id}").click().run()
    assert successes(app) == [words("closures.dropped")]
