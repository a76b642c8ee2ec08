"""What goes by itself, as an operator sets it on the board, stops it and lets it go on."""

import pytest
from sqlalchemy import select

from components.board import View
from data.database import reading, writing
from data.dispatch import DispatchMode
from services.board import automation
from services.board.automation import AutoMode, Limits
from tests.factories import COMPANIONSHIP, HOSPITAL_COMPANION, NANTONG, NASTY, OPERATOR
from tests.pages.screen import confirm, errors, keys, opened, said, successes, words

PAGE = "pages/operator/dispatch.py"


def board(open_app):
    """The board with what goes by itself in view."""
    app = open_app(PAGE, OPERATOR)
    return app.segmented_control(key="board_view_proposal").set_value(View.AUTOMATION).run()


def form(open_app, mode):
    """The form of companionship, with a mode chosen."""
    app = opened(board(open_app), "auto_change")
    app.selectbox(key="auto_item").set_value(COMPANIONSHIP).run()
    app.segmented_control(key=f"auto_{COMPANIONSHIP}_mode").set_value(mode).run()
    return app


def modes():
    with reading() as session:
        rows = session.execute(
            select(DispatchMode.item_id, DispatchMode.mode, DispatchMode.most_a_day)
        )
        return rows.all()


@pytest.fixture
def suggesting(database):
    with writing() as session:
        automation.set_mode(
            session, OPERATOR, NANTONG, HOSPITAL_COMPANION, Limits(AutoMode.SUGGEST)
        )


def test_nothing_goes_by_itself_at_first_and_the_page_says_what_to_do(open_app):
    text = said(board(open_app))
    assert words("automation.nothing_on") in text
    assert words("empty.automation_next") in text


def test_an_item_is_suggested_with_one_click(open_app):
    app = form(open_app, AutoMode.SUGGEST)
    app.button(key="auto_save").click().run()
    assert not app.exception
    assert successes(app) == [words("automation.saved")]
    assert modes() == [(COMPANIONSHIP, AutoMode.SUGGEST, 10)]
    assert words("automation.running") in said(app)


def test_to_assign_by_itself_takes_the_word_typed(open_app):
    app = form(open_app, AutoMode.ASSIGN)
    assert app.button(key="auto_save").disabled
    app.number_input(key=f"auto_{COMPANIONSHIP}_most").set_value(3).run()
    app.text_input(key="auto_typed").set_value(words("auto_mode.assign")).run()
    app.button(key="auto_save").click().run()
    assert successes(app) == [words("automation.saved")]
    assert modes() == [(COMPANIONSHIP, AutoMode.ASSIGN, 3)]
    assert words("automation.so_many", count=0, most=3) in said(app)


def test_everything_is_stopped_with_words_and_goes_on(open_app, suggesting):
    app = opened(board(open_app), "auto_stop_ask")
    app.button(key="auto_stop").click().run()
    assert errors(app)
    app = opened(app, "auto_stop_ask")
    app.text_area(key="reason_auto_stop").set_value(NASTY)
    app.button(key="auto_stop").click().run()
    assert successes(app) == [words("automation.stopped_now")]
    app = board(open_app)
    assert NASTY in [text.value for text in app.text]
    assert "auto_stop_ask" not in keys(app)
    confirm(app, "auto_go_on")
    assert successes(app) == [words("automation.goes_on")]
    with reading() as session:
        assert not automation.is_stopped(session, NANTONG)
