"""The operator keeps a caregiver's calendar for her."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.calendars import DayHours, Leave
from data.caregivers import Rate
from data.database import reading, writing
from data.history import AuditEvent
from data.orders import Visit, VisitStatus
from services import leaves
from tests import factories
from tests.factories import FAR_OPERATOR, LI, MONDAY, NAMES, OPERATOR, ZHAO
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


class TestStandIns:
    @pytest.fixture
    def visit_ids(self, database):
        """Two visits of LI and her leave over both."""
        with writing() as session:
            ids = [
                factories.make_visit(session, starts_at=MONDAY + timedelta(days=number))
                for number in (1, 2)
            ]
            session.flush()
            begins = MONDAY + timedelta(hours=12)
            until = begins + timedelta(days=5)
            leaves.take(session, LI, LI.id, begins, until, leaves.LeaveReason.ILLNESS, ids)
        return ids

    def ask(self, app):
        return app.button(key="ask_stand_ins").click().run()

    def offered(self):
        with reading() as session:
            asked = select(Visit.replaces_id).where(Visit.status == VisitStatus.OFFERED)
            return sorted(session.scalars(asked))

    def test_all_visits_a_leave_hits_are_asked_for_in_one_go(self, open_app, visit_ids):
        app = opened_for(open_app)
        assert words("stand_ins.title", count=2) in [one.value for one in app.subheader]
        assert words("stand_ins.new_face") in said(app)
        app = self.ask(app)
        assert successes(app) == [words("stand_ins.asked")]
        assert words("stand_ins.outcome", count=2) in said(app)
        assert self.offered() == visit_ids

    def test_a_line_is_left_out(self, open_app, visit_ids):
        app = opened_for(open_app)
        app.selectbox(key=f"stand_in_for_{visit_ids[0]}_{ZHAO.id}").set_value(0).run()
        self.ask(app)
        assert self.offered() == visit_ids[1:]

    def test_who_was_booked_meanwhile_is_refused_by_name(self, open_app, visit_ids):
        app = opened_for(open_app)
        with writing() as session:
            starts_at = MONDAY + timedelta(days=1)
            factories.make_order(session, caregiver=ZHAO, starts_at=starts_at)
        app = self.ask(app)
        (warning, *_) = [one.value for one in app.warning]
        assert NAMES[ZHAO] in warning
        assert words("error.obstacle_busy") in warning
        assert self.offered() == visit_ids[1:]

    def test_where_nobody_can_come_the_reason_is_read(self, open_app, visit_ids):
        with writing() as session:
            session.execute(update(Rate).where(Rate.caregiver_id == ZHAO.id).values(price_fen=4100))
        (first, _) = [one.value for one in opened_for(open_app).warning]
        assert words("dispatch_bar.price") in first

    def test_the_morning_leads_there(self, open_app, visit_ids):
        app = open_app("pages/operator/today.py", OPERATOR)
        links = [one.proto.label for one in app.get("page_link")]
        assert words("stand_ins.go", name=NAMES[LI], count=2) in links

    def test_she_herself_sees_nothing_of_it(self, open_app, visit_ids):
        app = open_app("pages/caregiver/my_calendar.py", LI)
        assert words("stand_ins.title", count=2) not in [one.value for one in app.subheader]
