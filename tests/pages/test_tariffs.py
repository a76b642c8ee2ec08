from datetime import timedelta

from data.database import reading
from services import catalogue, price_bounds, tariffs
from services import clock as service_clock
from services.price_bounds import Bounds, CaregiverLevel
from services.pricing import Rules
from tests.factories import COMPANIONSHIP, NANTONG, OPERATOR
from tests.pages.screen import confirm, errors, opened, said, successes, words

PAGE = "pages/operator/tariffs.py"
KEY = f"tariff_{NANTONG}"


def coming():
    with reading() as session:
        return tariffs.mine(session, OPERATOR)[0].coming


def form(open_app):
    return opened(open_app(PAGE, OPERATOR), KEY)


def test_shows_what_is_in_force_in_sentences(open_app):
    shown = said(open_app(PAGE, OPERATOR))

    assert words("tariffs.usual") in shown
    assert words("tariffs.says_night", hours="21:00–06:00", share="30%") in shown
    step = words("tariffs.step_customer_fees", bound=4, share="50%")
    assert step in shown


def test_a_new_one_is_set_from_a_day_on(open_app):
    app = form(open_app)
    app.number_input(key=f"{KEY}_weekend_bp").set_value(12.5)
    app.number_input(key=f"{KEY}_customer_fees_2_bound").set_value(48)
    app.number_input(key=f"{KEY}_customer_fees_2_share").set_value(5.0)
    app.button(key=f"{KEY}_set").click().run()

    assert successes(app) == [words("tariffs.saved")]
    [dated] = coming()
    assert dated.valid_from == service_clock.today() + timedelta(days=1)
    assert dated.rules == Rules(weekend_bp=1250, customer_fees=((4, 5000), (24, 2000), (48, 500)))
    assert words("tariffs.says_weekend", share="12.5%") in said(app)


def test_bad_input_is_answered_in_words_and_nothing_is_lost(open_app):
    app = form(open_app)
    app.number_input(key=f"{KEY}_night_bp").set_value(-5.0)
    app.button(key=f"{KEY}_set").click().run()
    assert errors(app) == [
        words("error.number_out_of_range", field=words("field.night_bp"), fewest=0, most=20000)
    ]
    assert app.number_input(key=f"{KEY}_night_bp").value == -5.0

    opened(app, KEY)
    app.number_input(key=f"{KEY}_night_bp").set_value(30.0)
    app.date_input(key=f"{KEY}_valid_from").set_value(service_clock.today() - timedelta(days=1))
    app.button(key=f"{KEY}_set").click().run()
    assert errors(app) == [words("error.tariff_in_past")]
    assert coming() == ()


def test_base_prices_are_the_catalogues_until_some_are_set(open_app, pick_row):
    items = {item.id: item for item in everything()}
    app = open_app(PAGE, OPERATOR)
    assert words("price_bounds.none") in said(app)

    pick_row(list(items).index(COMPANIONSHIP))
    key = f"base_price_{NANTONG}_{COMPANIONSHIP}_junior"
    app = app.run()
    app.number_input(key=f"{key}_highest").set_value(45)
    app.button(key=f"{key}_set").click().run()

    assert successes(app) == [words("price_bounds.saved")]
    with reading() as session:
        [one] = price_bounds.mine(session, OPERATOR)[0].coming
    assert (one.item_id, one.level, one.bounds) == (
        COMPANIONSHIP,
        CaregiverLevel.JUNIOR,
        Bounds(3000, 4500),
    )
    assert words("price_bounds.none") not in said(app)

    app.number_input(key=f"{key}_lowest").set_value(10)
    app.button(key=f"{key}_set").click().run()
    assert errors(app) == [words("error.price_out_of_range", lowest_fen="¥30", highest_fen="¥60")]
    confirm(app, f"drop_base_price_{one.id}")
    assert successes(app) == [words("price_bounds.dropped")]


def everything():
    with reading() as session:
        return catalogue.items(session)
