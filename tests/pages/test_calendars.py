"""The operator keeps a caregiver's calendar for her."""

from datetime import timedelta

from sqlalchemy import select

from data.calendars import DayHours, Leave
from data.database import reading, writing
from data.history import AuditEvent
from tests import factories
from tests.factories import FAR_OPERATOR, LI, MONDAY, NAMES, OPERATOR
from tests.pages.screen import errors, keys, opened, said, successes, words

PAGE = "pages/operator/calendars.py"
TOMORROW = MONDAY.date() + timedelta(days=1)
CHANGE = f"change_{LI.id}_{TOMORROW:%Y%m%d}"
FIELD = f"hours_{LI.id}_{TOMORROW:%Y%m%d}"


def opened_for(open_app, actor=OPERATOR):
    app = open_app("pages/operator/caregivers.py", actor)
    app.switch_page(PAGE)
    app.query_params["caregiver"] = str(LI.id)
    app.session_state[f"calendar_day_{LI.id}"] = TOMORROW.isoformat()
    return app.run()


def test_a_day_is_changed_and_who_did_it_is_recorded(open_app):
    app = opened_for(open_app)
    assert NAMES[LI] in said(app)
    app = opened(app, CHANGE)
    app.segmented_control(key=f"{FIELD}_way").set_value("off").run()
    app.session_state[CHANGE] = True
    app.button(key=f"save_{FIELD}").click().run()
    assert successes(app) == [words("calendar.saved")]
    with reading() as session:
        assert session.scalars(select(DayHours.on_day)).one() == TOMORROW
        changed = select(AuditEvent.actor_id).where(AuditEvent.action == "set_day_hours")
        assert session.scalars(changed).one() == OPERATOR.id


def test_leave_is_entered_for_a_caregiver_who_calls_in_sick(open_app):
    with writing() as session:
        order_id = factories.make_order(session)
    app = opened(opened_for(open_app), "take_leave_ask").run()
    assert words("leaves.hits", count=1) in [warning.value for warning in app.warning]
    app.session_state["take_leave_ask"] = True
    (key,) = [one for one in keys(app) if one and one.startswith("take_leave_")]
    app.button(key=key).click().run()
    assert successes(app) == [words("leaves.taken")]
    with reading() as session:
        assert session.scalars(select(Leave.taken_by_id)).one() == OPERATOR.id
    today = open_app("pages/operator/today.py", OPERATOR)
    assert words("to_do.leaves", count=1) in said(today)
    things = opened(today, "things_leaves").run()
    assert str(order_id) in str([link.proto for link in things.get("page_link")])


def test_another_citys_operator_sees_nothing(open_app):
    app = opened_for(open_app, FAR_OPERATOR)
    assert errors(app) == [words("error.caregiver_not_found")]
    assert NAMES[LI] not in said(app)


def test_without_a_caregiver_it_says_where_to_choose_one(open_app):
    app = open_app(PAGE, OPERATOR)
    assert words("empty.calendars") in said(app)
