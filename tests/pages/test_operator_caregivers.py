from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus, Certificate
from data.database import reading, writing
from data.history import AuditEvent
from data.notices import Notice, NoticeKind
from data.reviews import Review
from services import caregivers, notices, reviews, verifications
from services.verifications import CaseKind
from tests import factories
from tests.factories import (
    DRAFT,
    FAR_OPERATOR,
    LI,
    NAMES,
    NASTY,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_redeemed_visit,
    phone_of,
)
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    opened,
    questions,
    said,
    successes,
    table,
    words,
)

PAGE = "pages/operator/caregivers.py"


@pytest.fixture
def in_review(database):
    with writing() as session:
        caregivers.move(session, DRAFT, DRAFT.id, "submit")


def names(app):
    return list(table(app)["name"])


def shown(app, actor=LI):
    """The page with one caregiver in full, as a link or a click on a row brings it."""
    app.query_params["caregiver"] = str(actor.id)
    return app.run()


def status_of(caregiver):
    with reading() as session:
        return session.get_one(Caregiver, caregiver.id).status


def test_the_caregivers_of_the_city_stand_in_a_table(open_app, clock):
    with writing() as session:
        factories.make_redeemed_visit(session, starts_at=clock() - timedelta(days=2))
        factories.make_order(session)
    app = open_app(PAGE, OPERATOR)
    rows = table(app).set_index("name")

    assert names(app) == [NAMES[DRAFT], NAMES[ZHAO], NAMES[LI]]
    assert list(rows.loc[NAMES[LI], ["visits_done", "visits_ahead"]]) == [1, 1]


def test_a_certificate_that_ends_soon_stands_out(open_app, clock):
    with writing() as session:
        for row in session.scalars(select(Certificate).where(Certificate.caregiver_id == LI.id)):
            row.expires_on = clock().date() + timedelta(days=30)
    rows = table(open_app(PAGE, OPERATOR)).set_index("name")

    assert list(rows.loc[NAMES[LI], "certificate"]) == [words("caregivers_page.expires_soon")]
    assert list(rows.loc[NAMES[ZHAO], "certificate"]) == []


@pytest.mark.parametrize("typed", ["桂兰", "0003", "13800000003"])
def test_one_is_found_by_name_or_phone(open_app, typed):
    app = open_app(PAGE, OPERATOR)
    app.text_input(key="caregiver_search").input(typed).run()

    assert names(app) == [NAMES[LI]]


def test_nobody_found_is_said(open_app):
    app = open_app(PAGE, OPERATOR)
    app.text_input(key="caregiver_search").input(NASTY[:40]).run()

    assert words("empty.caregivers") in said(app)


def test_half_a_phone_is_refused_in_words(open_app):
    app = open_app(PAGE, OPERATOR)
    app.text_input(key="caregiver_search").input("138").run()

    assert errors(app) == [words("error.phone_invalid")]


def test_a_link_shows_those_in_review(open_app, in_review):
    app = open_app(PAGE, OPERATOR)
    app.query_params["show"] = "submitted"
    app.run()

    assert names(app) == [NAMES[DRAFT]]


def test_a_newcomer_is_reviewed_where_her_papers_are(open_app, in_review):
    app = shown(open_app(PAGE, OPERATOR), DRAFT)

    assert f"reject_caregiver_{DRAFT.id}_ask" not in questions(app)
    with reading() as session:
        case_id = verifications.waiting_of(session, OPERATOR, DRAFT.id, CaseKind.CAREGIVER)
    assert f"case={case_id}" in [link.proto.query_string for link in app.get("page_link")]


def test_one_who_came_before_papers_were_asked_is_sent_back_with_a_reason(open_app):
    with writing() as session:
        session.get_one(Caregiver, DRAFT.id).status = CaregiverStatus.SUBMITTED
    key = f"reject_caregiver_{DRAFT.id}"
    app = opened(shown(open_app(PAGE, OPERATOR), DRAFT), f"{key}_ask")
    app.button(key=key).click().run()
    assert errors(app) == [words("error.missing", field=words("field.reason"))]
    assert status_of(DRAFT) is CaregiverStatus.SUBMITTED

    opened(app, f"{key}_ask").text_area(key=f"reason_{key}").input("请上传证件")
    app.button(key=key).click().run()
    assert status_of(DRAFT) is CaregiverStatus.REJECTED
    with writing() as session:
        notices.deliver(session)
        assert session.get_one(Caregiver, DRAFT.id).decision_words == "请上传证件"
        told = select(Notice).where(Notice.kind == NoticeKind.CAREGIVER_REJECTED)
        assert [notice.account_id for notice in session.scalars(told)] == [DRAFT.id]


def test_certificates_that_end_soon_or_have_ended_are_listed(open_app, clock):
    with writing() as session:
        first, second = session.scalars(
            select(Certificate).where(Certificate.caregiver_id == LI.id).limit(2)
        )
        first.expires_on = clock().date() - timedelta(days=3)
        second.expires_on = clock().date() + timedelta(days=30)
    for actor, count in ((OPERATOR, 2), (FAR_OPERATOR, 0)):
        app = opened(open_app(PAGE, actor), "certificates_expiring").run()
        listed = app.dataframe[-1].value if count else []
        assert len(listed) == count
        assert not count or list(listed["days_left"]) == [-3, 30]
    assert words("caregivers_page.none_expiring") in said(app)


def test_suspending_names_every_coming_visit_first_and_needs_a_reason(open_app, clock):
    with writing() as session:
        order_id = factories.make_order(session)
        factories.make_application(session, starts_at=clock() + timedelta(days=2))
    key = f"suspend_caregiver_{LI.id}"
    app = opened(shown(open_app(PAGE, OPERATOR)), f"{key}_ask").run()
    listed = said(app)
    assert words("caregivers_page.suspend_means", applications=1) in listed
    assert words("caregivers_page.visits_stay", count=1) in listed
    assert NAMES[ZHOU] in listed

    opened(app, f"{key}_ask").button(key=key).click().run()
    assert errors(app) == [words("error.missing", field=words("field.reason"))]
    assert status_of(LI) is CaregiverStatus.APPROVED

    opened(app, f"{key}_ask").text_area(key=f"reason_{key}").input("家属投诉")
    app.button(key=key).click().run()
    assert successes(app) == [words("caregivers_page.suspended")]
    assert status_of(LI) is CaregiverStatus.SUSPENDED
    assert [warning.value for warning in app.warning] == [words("caregivers_page.to_reassign")]
    links = [link.proto.query_string for link in app.get("page_link")]
    assert f"order={order_id}" in links


def test_a_suspended_one_is_restored(open_app):
    with writing() as session:
        caregivers.move(session, OPERATOR, LI.id, "suspend", "家属投诉")
    app = confirm(shown(open_app(PAGE, OPERATOR)), f"restore_caregiver_{LI.id}")

    assert successes(app) == [words("caregivers_page.restored")]
    assert status_of(LI) is CaregiverStatus.APPROVED


def test_opening_the_whole_phone_shows_it_and_is_recorded(open_app):
    app = shown(open_app(PAGE, OPERATOR))
    assert phone_of(LI) not in said(app)
    app.button(key=f"caregiver_phone_{LI.id}").click().run()

    assert phone_of(LI) in said(app)
    with reading() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "open_phone"))
        assert [event.actor_id for event in events] == [OPERATOR.id]


def test_an_operator_of_another_city_sees_nothing(open_app, in_review):
    app = open_app(PAGE, FAR_OPERATOR)
    assert words("empty.caregivers") in said(app)

    assert errors(shown(app)) == [words("error.caregiver_not_found")]
    assert f"approve_caregiver_{DRAFT.id}" not in keys(app)


class TestReviews:
    def test_a_reported_one_is_hidden_with_a_reason(self, open_app):
        with writing() as session:
            visit_id = make_redeemed_visit(session)
            reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(1, 1, 1, 1, NASTY))
        profile = open_app("pages/caregiver/my_profile.py", LI)
        assert NASTY in [text.value for text in profile.text]
        with writing() as session:
            review_id = session.scalars(select(Review.id)).one()
            reviews.report(session, LI, review_id, "不是我的服务")

        app = open_app("pages/operator/caregivers.py", OPERATOR)
        assert words("review.reported", count=1) in said(app)
        app.session_state[f"hide_review_{review_id}_ask"] = True
        app.run()
        app.text_area(key=f"hide_review_{review_id}_words").set_value("与服务无关")
        app.session_state[f"hide_review_{review_id}_ask"] = True
        app.button(key=f"hide_review_{review_id}").click().run()
        assert successes(app) == [words("review.hide_done")]
        assert words("review.reported", count=1) not in said(app)
        with reading() as session:
            assert reviews.of_caregiver(session, ZHOU, LI.id) == []

    def test_the_caregiver_answers_in_public(self, open_app):
        with writing() as session:
            visit_id = make_redeemed_visit(session)
            reviews.write(session, ZHOU, visit_id, reviews.ReviewForm(5, 5, 5, 5, "很好"))
        with reading() as session:
            review_id = session.scalars(select(Review.id)).one()
        app = open_app("pages/caregiver/my_profile.py", LI)
        key = f"answer_review_{review_id}"
        app.session_state[f"{key}_ask"] = True
        app.run()
        app.text_area(key=f"{key}_words").set_value(NASTY)
        app.session_state[f"{key}_ask"] = True
        app.button(key=key).click().run()
        assert successes(app) == [words("review.answer_done")]
        assert NASTY in [text.value for text in app.text]


def test_the_operator_gives_a_level_and_everybody_sees_it(open_app):
    app = shown(open_app(PAGE, OPERATOR))
    key = f"caregiver_{LI.id}_intermediate"
    app.button_group(key=f"{key}_level").set_value("senior").run()
    app.button(key=f"{key}_set").click().run()

    assert successes(app) == [words("caregivers_page.level_set")]
    with reading() as session:
        assert session.get_one(Caregiver, LI.id).level is CaregiverLevel.SENIOR
    assert words("caregiver_level.senior") in said(app)
