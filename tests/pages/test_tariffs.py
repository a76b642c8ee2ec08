from datetime import timedelta

from data.database import reading
from services import clock as service_clock
from services import tariffs
from services.pricing import Rules
from tests.factories import NANTONG, OPERATOR
from tests.pages.screen import errors, opened, said, successes, words

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
