"""A caregiver's calendar: looked at, changed day by day, and leave taken."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.calendars import DayHours, Leave, LeaveReason
from data.database import reading, writing
from services import calendars, clock, leaves
from tests import factories
from tests.factories import LI, MONDAY, NAMES, OPERATOR, ZHOU
from tests.pages.screen import confirm, errors, keys, opened, said, successes, words

PAGE = "pages/caregiver/my_calendar.py"
TODAY = MONDAY.date()
TOMORROW = TODAY + timedelta(days=1)
CHANGE = f"change_{LI.id}_{TOMORROW:%Y%m%d}"
FIELD = f"hours_{LI.id}_{TOMORROW:%Y%m%d}"
SAVE = f"save_{FIELD}"
MORNING = (8 * 60, 12 * 60)


@pytest.fixture
def page(open_app):
    """The calendar with tomorrow chosen."""
    app = open_app(PAGE, LI)
    app.session_state[f"calendar_day_{LI.id}"] = TOMORROW.isoformat()
    return app.run()


@pytest.fixture
def visit(database):
    with writing() as session:
        return factories.make_visit(session)


def own_hours(day=TOMORROW):
    with reading() as session:
        return calendars.view(session, LI, LI.id, day, day).days[0].own


def leave():
    with reading() as session:
        return session.scalars(select(Leave)).one_or_none()


def changing(app, way):
    app = opened(app, CHANGE)
    app.segmented_control(key=f"{FIELD}_way").set_value(way).run()
    app.session_state[CHANGE] = True
    return app


def asking_for_leave(app):
    return opened(app, "take_leave_ask").run()


def take_leave(app):
    app.session_state["take_leave_ask"] = True
    (key,) = [one for one in keys(app) if one and one.startswith("take_leave_")]
    return app.button(key=key).click().run()


def test_the_chosen_day_is_told_in_words(page, visit):
    page.run()
    told = said(page)
    assert "07:00–20:00" in told
    assert NAMES[ZHOU] in told
    assert words("calendar.free", time="07:00–09:00、11:00–20:00") in told


def test_a_week_is_shown_as_well(page):
    page.segmented_control(key=f"calendar_kind_{LI.id}").set_value("week").run()
    assert not page.exception
    assert words("calendar.week_of", first="1月7日", last="1月13日") in said(page)
    page.button(key="turn_after").click().run()
    assert words("calendar.week_of", first="1月14日", last="1月20日") in said(page)
    page.button(key="turn_today").click().run()
    assert words("calendar.week_of", first="1月7日", last="1月13日") in said(page)


def test_the_next_month_is_one_click_away(page):
    page.button(key="turn_after").click().run()
    assert "2030年2月" in said(page)


def test_several_days_are_off_at_once(page):
    app = changing(page, "off")
    app.date_input(key=f"{FIELD}_until").set_value(TOMORROW + timedelta(days=2)).run()
    app.session_state[CHANGE] = True
    app.button(key=SAVE).click().run()
    assert successes(app) == [words("calendar.saved")]
    assert [own_hours(TOMORROW + timedelta(days=number)) for number in range(4)] == [
        (),
        (),
        (),
        None,
    ]


def test_a_day_has_hours_of_its_own_and_follows_its_week_again(page):
    app = changing(page, "own")
    app.select_slider(key=f"{FIELD}_first").set_range(*MORNING).run()
    app.session_state[CHANGE] = True
    app.button(key=SAVE).click().run()
    assert successes(app) == [words("calendar.saved")]
    assert own_hours() == (MORNING,)
    app = changing(app, "as_week")
    app.button(key=SAVE).click().run()
    assert own_hours() is None


def test_stretches_that_overlap_are_refused_in_words_and_stay_typed(page):
    app = changing(page, "own")
    app.toggle(key=f"{FIELD}_pause").set_value(True).run()
    app.session_state[CHANGE] = True
    app.button(key=SAVE).click().run()
    assert errors(app) == [words("error.hours_overlap")]
    assert app.segmented_control(key=f"{FIELD}_way").value == "own"
    assert own_hours() is None


def test_what_somebody_else_changed_meanwhile_is_not_lost(page):
    app = changing(page, "off")
    with writing() as session:
        calendars.set_days(session, OPERATOR, LI.id, {TOMORROW: None}, [MORNING])
    app.button(key=SAVE).click().run()
    assert errors(app) == [words("error.calendar_changed")]
    assert words("calendar.changed_meanwhile") in [warning.value for warning in app.warning]
    assert own_hours() == (MORNING,)


def test_a_day_that_is_over_is_not_changed(open_app):
    app = open_app(PAGE, LI)
    yesterday = TODAY - timedelta(days=1)
    app.session_state[f"calendar_day_{LI.id}"] = yesterday.isoformat()
    app.run()
    assert not [key for key in keys(app) if key and key.startswith("save_")]
    with reading() as session:
        assert session.scalars(select(DayHours)).all() == []


def test_leave_names_whom_it_hits_before_it_is_taken(page, visit):
    app = asking_for_leave(page)
    assert words("leaves.hits", count=1) in [warning.value for warning in app.warning]
    take_leave(app)
    assert successes(app) == [words("leaves.taken")]
    assert leave().starts_at == MONDAY.replace(hour=0) + timedelta(days=1)
    assert words("leaves.stand_in", count=1) in said(app)


def test_leave_is_refused_in_words_where_there_is_some(page):
    app = take_leave(asking_for_leave(page))
    app = take_leave(asking_for_leave(app))
    assert errors(app) == [words("error.leave_overlaps")]


def test_leave_is_taken_back(page):
    with writing() as session:
        begins = clock.now() + timedelta(days=3)
        leave_id = leaves.take(
            session, LI, LI.id, begins, begins + timedelta(days=1), LeaveReason.FAMILY, ()
        )
    app = confirm(page, f"withdraw_{leave_id}")
    assert successes(app) == [words("leaves.withdrawn")]
    assert leave().withdrawn_at is not None
    assert words("leaves.none") in said(app)


def test_who_has_no_profile_yet_is_told_what_to_do(open_app):
    with writing() as session:
        newcomer = factories.make_newcomer(session, role=LI.role)
    app = open_app(PAGE, newcomer)
    assert words("empty.my_calendar") in said(app)
    assert "open_my_profile" in keys(app)
