"""The queue of findings: looked at, upheld with points, dismissed."""

import pytest
from sqlalchemy import select, update

from data.compliance import ComplianceFinding, FindingStatus
from data.database import reading, writing
from data.orders import Order
from data.points import PenaltyPoints
from services.access import SYSTEM
from services.compliance import findings
from tests.factories import FAR_OPERATOR, LI, NAMES, OPERATOR, make_demand, make_order
from tests.pages.screen import errors, said, successes, words

PAGE = "pages/operator/compliance.py"
REACH_ME = "电话 138 1234 5678"


@pytest.fixture
def finding_id(database):
    with writing() as session:
        order_id = make_order(session)
        session.execute(update(Order).where(Order.id == order_id).values(unit_price_fen=9900))
        findings.detect(session, SYSTEM)
        return session.scalars(select(ComplianceFinding.id)).one()


def status(finding_id):
    with reading() as session:
        return session.get_one(ComplianceFinding, finding_id).status


def test_without_findings_it_says_what_comes_next(open_app):
    shown = said(open_app(PAGE, OPERATOR))

    assert words("empty.breaches_next") in shown


def test_a_finding_is_shown_with_its_evidence_to_its_city_only(open_app, finding_id):
    shown = said(open_app(PAGE, OPERATOR))

    assert "¥99" in shown
    assert NAMES[LI] in shown
    assert words("finding_kind.price") in shown
    assert NAMES[LI] not in said(open_app(PAGE, FAR_OPERATOR))


def test_it_is_taken_and_upheld_with_the_points_the_rules_suggest(open_app, finding_id):
    app = open_app(PAGE, OPERATOR)
    app.button(key=f"take_finding_{finding_id}").click().run()
    assert successes(app) == [words("compliance.taken")]
    key = f"uphold_finding_{finding_id}"
    assert app.number_input(key=f"{key}_points").value == 2
    app.text_area(key=f"reason_{key}").set_value("没有按价目报价")
    app.button(key=key).click().run()

    assert successes(app) == [words("compliance.upheld")]
    assert status(finding_id) is FindingStatus.UPHELD
    with reading() as session:
        assert session.scalars(select(PenaltyPoints.points)).all() == [2]


def test_without_a_reason_it_stays_and_nothing_is_lost(open_app, finding_id):
    app = open_app(PAGE, OPERATOR)
    key = f"uphold_finding_{finding_id}"
    app.number_input(key=f"{key}_points").set_value(5)
    app.button(key=key).click().run()

    assert errors(app) == [words("error.missing", field=words("field.reason"))]
    assert app.number_input(key=f"{key}_points").value == 5
    assert status(finding_id) is FindingStatus.OPEN


def test_it_is_dismissed_with_a_reason_and_stays_to_be_read(open_app, finding_id):
    app = open_app(PAGE, OPERATOR)
    key = f"dismiss_finding_{finding_id}"
    app.text_area(key=f"reason_{key}").set_value("双方另有约定")
    app.button(key=key).click().run()

    assert successes(app) == [words("compliance.dismissed")]
    app.segmented_control(key="compliance_show").set_value(True).run()
    assert "双方另有约定" in said(app)


def test_the_words_are_shown_only_when_asked_for(open_app):
    with writing() as session:
        make_demand(session, words=REACH_ME)
        findings.detect(session, SYSTEM)
        finding_id = session.scalars(select(ComplianceFinding.id)).one()
    app = open_app(PAGE, OPERATOR)
    assert REACH_ME not in said(app)

    app.toggle(key=f"words_{finding_id}").set_value(True).run()
    assert REACH_ME in said(app)
