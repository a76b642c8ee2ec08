"""An operator sees what was looked for and not got."""

from datetime import timedelta

from data.database import writing
from data.unmet_needs import NeedSource
from services import unmet_needs
from services.availability import Obstacle
from tests.factories import (
    COMPANIONSHIP,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    MONDAY,
    OPERATOR,
    ZHOU,
)
from tests.pages.screen import said, speak_english, successes, words
from tests.services.test_search import wanted

UNMET = "pages/operator/unmet.py"


def look_for(*item_ids):
    with writing() as session:
        for item_id in item_ids:
            unmet_needs.note_search(session, ZHOU, wanted(item_id=item_id))


def reasons(app):
    [table] = app.dataframe
    return list(table.value["obstacle"])


def test_nothing_unmet_is_said_in_words(open_app):
    assert words("empty.unmet") in said(open_app(UNMET, OPERATOR))


def test_a_search_for_nobody_stands_there_with_its_reason(open_app):
    look_for(HOSPITAL_COMPANION, HOSPITAL_COMPANION, COMPANIONSHIP)
    app = open_app(UNMET, OPERATOR)
    assert words("unmet.list", count=2) in said(app)
    assert reasons(app) == [words(f"unmet_reason.{Obstacle.NOT_OFFERED}")] * 2
    app.selectbox(key="unmet_item").set_value(HOSPITAL_COMPANION).run()
    assert not app.exception
    assert len(reasons(app)) == 2


def test_the_change_that_would_help_most_is_said(open_app):
    with writing() as session:
        for days in (1, 2):
            at = MONDAY.replace(hour=20) + timedelta(days=days)
            unmet_needs.note_search(session, ZHOU, wanted(starts_at=at))
    app = open_app(UNMET, OPERATOR)
    [best] = successes(app)
    assert words("daypart.evening") in best
    assert words("unmet.best_most", change="", needs=2, met=2).removeprefix("****") in best
    assert words("unmet.by_hour") in said(app)


def test_where_nobody_has_to_change_anything_it_says_so(open_app):
    with writing() as session:
        unmet_needs.record(session, NeedSource.SEARCH, wanted(), None)
    shown = said(open_app(UNMET, OPERATOR))
    assert words("unmet.no_changes") in shown
    assert words("unmet.no_hours") in shown


def test_another_citys_operator_sees_nothing(open_app):
    look_for(HOSPITAL_COMPANION)
    assert words("empty.unmet") in said(open_app(UNMET, FAR_OPERATOR))


def test_it_speaks_english(open_app):
    look_for(HOSPITAL_COMPANION)
    app = speak_english(open_app(UNMET, OPERATOR))
    assert app.title[0].value == "Unmet needs"
    assert reasons(app) == ["Nobody offers it"]
