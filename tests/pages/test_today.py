from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Certificate
from data.database import reading, writing
from data.follow_ups import FollowUp
from services import caregivers
from services.access import SYSTEM
from services.compliance import findings
from tests import factories
from tests.factories import DRAFT, FAR_OPERATOR, LI, NANTONG, OPERATOR
from tests.pages.screen import opened, said, words

PAGE = "pages/operator/today.py"


@pytest.fixture
def in_review(database):
    with writing() as session:
        caregivers.move(session, DRAFT, DRAFT.id, "submit")


def test_the_operator_is_greeted_by_name_and_hour(open_app):
    app = open_app(PAGE, OPERATOR)
    assert app.title[0].value == "早上好，陈立军"


def test_the_figures_count_the_day(open_app):
    with writing() as session:
        factories.make_order(session)
        factories.make_demand(session)
    figures = {metric.label: metric.value for metric in open_app(PAGE, OPERATOR).main.metric}
    assert figures[words("today.posted")] == "2"
    assert figures[words("today.confirmed")] == "1"
    assert figures[words("today.visits")] == "0"


def test_what_waits_is_counted_with_its_age(open_app, clock):
    with writing() as session:
        factories.make_application(session)
        factories.make_demand(session)
    clock.move(hours=3)
    text = said(open_app(PAGE, OPERATOR))
    assert words("to_do.applications", count=1) in text
    assert words("to_do.unanswered", count=1) in text
    assert words("today.oldest", ago="3 小时前") in text


def test_a_late_caregiver_and_an_unredeemed_visit_wait(open_app, clock):
    with writing() as session:
        factories.make_visit(session, starts_at=clock() + timedelta(hours=1))
        factories.make_finished_visit(session, starts_at=clock() - timedelta(days=3))
    clock.move(hours=2)
    text = said(open_app(PAGE, OPERATOR))
    assert words("to_do.late", count=1) in text
    assert words("to_do.unredeemed", count=1) in text


def test_cases_in_review_are_one_click_away(open_app, in_review):
    app = open_app(PAGE, OPERATOR)
    assert words("to_do.cases", count=1) in said(app)
    app = opened(app, "things_cases").run()
    assert factories.NAMES[DRAFT] in said(app)
    queries = [link.proto.query_string for link in app.get("page_link")]
    assert [query for query in queries if query.startswith("case=")]


def test_a_finding_of_compliance_is_one_click_away(open_app):
    with writing() as session:
        factories.make_demand(session, words="电话 138 1234 5678")
        findings.detect(session, SYSTEM)
    app = open_app(PAGE, OPERATOR)
    assert words("to_do.findings", count=1) in said(app)
    app = opened(app, "things_findings").run()
    assert words("finding_kind.contacts") in said(app)
    links = [link.proto.page for link in app.get("page_link")]
    assert links.count("compliance") == 2


def test_a_quiet_day_is_all_done(open_app):
    assert words("today.all_done") in said(open_app(PAGE, OPERATOR))


def test_an_operator_of_another_city_sees_nothing(open_app, in_review):
    with writing() as session:
        factories.make_application(session)
        factories.make_order(session)
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("today.all_done") in said(app)
    assert factories.NAMES[DRAFT] not in said(app)
    assert {metric.value for metric in app.main.metric} == {"0"}
    assert NANTONG not in said(app)


def test_a_waiting_thing_is_put_aside_with_a_note(open_app, clock):
    with writing() as session:
        demand_id = factories.make_demand(session, starts_at=clock() + timedelta(days=5))
    key = f"unanswered_{demand_id}"
    app = open_app(PAGE, OPERATOR)
    for name in ("things_unanswered", f"see_to_{key}_ask"):
        app.session_state[name] = True
    app.run()
    app.text_input(key=f"seen_words_{key}").set_value(factories.NASTY)
    for name in ("things_unanswered", f"see_to_{key}_ask"):
        app.session_state[name] = True
    app.button(key=f"see_to_{key}").click().run()
    assert not app.exception
    assert words("today.all_done") in said(app)
    with reading() as session:
        kept = session.scalars(select(FollowUp)).one()
    assert (kept.kind, kept.subject_id, kept.words) == ("unanswered", demand_id, factories.NASTY)


def test_a_visit_whose_caregiver_may_not_come_any_more_waits(open_app):
    with writing() as session:
        factories.make_order(session)
    assert words("to_do.unqualified", count=1) not in said(open_app(PAGE, OPERATOR))
    with writing() as session:
        for row in session.scalars(select(Certificate).where(Certificate.caregiver_id == LI.id)):
            session.delete(row)
    app = open_app(PAGE, OPERATOR)
    assert words("to_do.unqualified", count=1) in said(app)
    assert words("to_do.unqualified_next") in said(app)
    assert words("to_do.unqualified_go") in [link.label for link in app.get("page_link")]
    assert words("to_do.unqualified", count=1) not in said(open_app(PAGE, FAR_OPERATOR))
