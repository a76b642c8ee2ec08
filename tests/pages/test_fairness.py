"""The operator sees how evenly work is spread, and who may leave."""

from datetime import timedelta

import pytest

from data.database import writing
from services.board.leaving import Sign
from tests.factories import (
    FAR_OPERATOR,
    LI,
    MONDAY,
    NAMES,
    OPERATOR,
    ZHAO,
    ZHOU,
    add_colleague,
    make_demand,
    make_finished_visit,
    make_rules,
)
from tests.pages.screen import opened, said, speak_english, words
from tests.services.board.working_out import run

PAGE = "pages/operator/fairness.py"
A_DAY, A_WEEK = timedelta(days=1), timedelta(weeks=1)
NOW = MONDAY + 12 * A_WEEK


@pytest.fixture
def three_months(database, clock):
    """LI had all the visits, and ZHAO's calendar stayed open."""
    clock.move(NOW)
    with writing() as session:
        for days_ago in (1, 2, 3):
            make_finished_visit(session, caregiver=LI, starts_at=NOW - days_ago * A_DAY)


def metrics(app):
    return {one.label: one.value for one in app.metric}


def test_without_any_work_it_says_what_to_do(open_app):
    assert words("empty.fairness_next") in said(open_app(PAGE, OPERATOR))


def test_it_tells_how_evenly_hours_are_spread(open_app, three_months):
    app = open_app(PAGE, OPERATOR)
    assert metrics(app)[words("fairness.caregivers")] == "2"
    assert metrics(app)[words("fairness.gini_hours")] == "0.50"
    assert metrics(app)[words("fairness.faces")] == "1.0"
    app.segmented_control(key="fairness_weeks").set_value(12).run()
    assert not app.exception
    assert metrics(app)[words("fairness.gini_hours")] == "0.50"


def test_everybodys_share_can_be_read_in_numbers(open_app, three_months):
    app = opened(open_app(PAGE, OPERATOR), "fairness_shares_twin").run()
    shares = app.dataframe[0].value
    assert list(shares["name"]) == [NAMES[LI], NAMES[ZHAO]]
    assert list(shares["hours"]) == [0.75, 0]


def test_who_may_leave_is_named_with_the_reason(open_app, three_months):
    shown = said(open_app(PAGE, OPERATOR))
    assert words("leaving.title", count=1) in shown
    assert words(f"leaving.{Sign.NO_VISIT}", now="84", other="273") in shown


def test_how_the_signs_are_read_is_told_when_asked(open_app, three_months):
    shown = said(opened(open_app(PAGE, OPERATOR), "leaving_rules").run())
    assert words(f"leaving.rule_{Sign.NO_VISIT}", days=21, open=20) in shown


def test_a_citys_own_numbers_are_told(open_app, three_months):
    with writing() as session:
        make_rules(session, sign_idle_days=30, sign_stars_tenths=8, sign_there_bp=7500)
    shown = said(opened(open_app(PAGE, OPERATOR), "leaving_rules").run())
    assert words(f"leaving.rule_{Sign.NO_VISIT}", days=30, open=20) in shown
    assert words(f"leaving.rule_{Sign.RATING_FALLS}", reviewed=8, stars="0.8", reviews=3) in shown
    assert words("leaving.rules_about", there="75%") in shown


def test_families_who_saw_many_faces_are_linked(open_app, three_months):
    with writing() as session:
        for days_ago, caregiver in ((4, ZHAO), (5, add_colleague(session))):
            starts_at = NOW - days_ago * A_DAY
            make_finished_visit(session, caregiver=caregiver, starts_at=starts_at)
    shown = said(open_app(PAGE, OPERATOR))
    assert words("fairness.most_faces") in shown
    assert words("fairness.faces_of", faces=3, visits=5) in shown


def test_a_proposal_is_shown_before_and_after(open_app, three_months, clock):
    app = open_app(PAGE, OPERATOR)
    assert words("fairness.two_faces") not in metrics(app)
    with writing() as session:
        make_demand(session)
        run_id = run(session, clock)
    app.run()
    assert words("fairness.proposed", number=run_id) in said(app)
    assert "→" in metrics(app)[words("fairness.two_faces")]


def test_another_citys_operator_sees_nothing_of_it(open_app, three_months):
    shown = said(open_app(PAGE, FAR_OPERATOR))
    assert words("empty.fairness") in shown
    assert NAMES[ZHOU] not in shown


def test_it_speaks_english(open_app, three_months):
    app = speak_english(open_app(PAGE, OPERATOR))
    assert app.title[0].value == "Fairness"
    assert "Caregivers who may leave (1)" in said(app)
