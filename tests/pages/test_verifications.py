"""实名审核: the queue, one case at a time, and everything that may come between."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from streamlit import config

from data.caregivers import Caregiver, CaregiverLevel, CaregiverStatus
from data.database import reading, writing
from data.history import AuditEvent
from data.verifications import CaseStatus, DocumentTicket, VerificationCase
from services import caregivers, verifications
from services.verifications import CaseKind, RejectReason
from tests.factories import (
    DRAFT,
    FAR_OPERATOR,
    NAMES,
    NASTY,
    OPERATOR,
    decide_case,
    id_number,
    make_case,
    make_newcomer,
)
from tests.pages.screen import errors, keys, said, successes, table, words

PAGE = "pages/operator/verifications.py"


@pytest.fixture
def waiting(database, clock):
    """Two families' cases that wait, the older first; their people and numbers."""
    found = []
    with writing() as session:
        for number in (1, 2):
            person = make_newcomer(session, number)
            case_id = make_case(
                session,
                person,
                CaseStatus.SUBMITTED,
                with_documents=True,
                legal_name=f"林{number}妹",
            )
            found.append((person, case_id))
            clock.move(hours=1)
    return found


def case_of(case_id):
    with reading() as session:
        return session.get_one(VerificationCase, case_id)


def acts(action):
    with reading() as session:
        found = select(func.count(AuditEvent.id)).where(AuditEvent.action == action)
        return session.scalar(found)


@pytest.fixture
def in_hand(open_app, waiting):
    """The page with the oldest case open."""
    return open_app(PAGE, OPERATOR).button(key="case_take").click().run()


def test_the_queue_shows_the_oldest_first_and_names_masked(open_app, waiting):
    app = open_app(PAGE, OPERATOR)
    rows = table(app)

    assert list(rows["number"]) == [case_id for _, case_id in waiting]
    assert set(rows["name"]) == {"林**"}
    assert words("verifications.waits", count=2) in said(app)
    assert words("today.oldest", ago="2 小时前") in said(app)


def test_an_idle_queue_says_so(open_app):
    assert words("empty.verifications") in said(open_app(PAGE, OPERATOR))


def test_only_one_kind_is_shown(open_app, waiting):
    app = open_app(PAGE, OPERATOR)
    app.segmented_control(key="cases_filter").set_value(CaseKind.CAREGIVER).run()

    assert words("empty.verifications") in said(app)


def test_another_citys_operator_sees_nothing(open_app, waiting):
    app = open_app(PAGE, FAR_OPERATOR)

    assert words("empty.verifications") in said(app)
    assert "case_take" not in keys(app)


def test_a_case_is_taken_and_shows_what_the_number_says(in_hand, waiting):
    text = said(in_hand)
    assert successes(in_hand) == [words("verifications.taken")]
    assert "1980\\-05\\-01" in text or "1980-05-01" in text
    assert words("verifications.sex_age", sex="女", age=49) in text
    assert id_number(waiting[0][0].id) not in text
    warned = [one.value for one in in_hand.warning]
    assert words("verification.area_unknown") in warned
    assert any("新1" in said for said in warned), "the account's other name"


def test_each_click_keeps_the_case_for_ten_minutes_more(in_hand, waiting, clock):
    clock.move(minutes=9)
    in_hand.run()
    clock.move(minutes=9)

    case = case_of(waiting[0][1])
    assert case.reviewing_until == clock.moment + timedelta(minutes=1)
    assert not errors(in_hand)


def test_where_nobody_serves_images_it_is_said_and_no_ticket_is_made(
    open_app, waiting, monkeypatch
):
    monkeypatch.setattr(config, "_server_mode", "starlette-managed")
    app = open_app(PAGE, OPERATOR).button(key="case_take").click().run()

    assert words("document.make_run") in said(app)
    with reading() as session:
        assert session.scalar(select(func.count(DocumentTicket.id))) == 0


def test_the_whole_number_opens_by_a_click_that_is_recorded(in_hand, waiting):
    person, case_id = waiting[0]
    in_hand.button(key=f"whole_number_{case_id}").click().run()

    assert [one.value for one in in_hand.code] == [id_number(person.id)]
    assert acts("open_id_number") == 1
    in_hand.run()
    assert not in_hand.code


def test_looking_through_the_papers_asks_for_one_ticket_each(in_hand):
    shown = [one for one in in_hand.session_state._state.filtered_state if "_ticket" in str(one)]
    in_hand.button(key="case_paper_after").click().run()

    assert not in_hand.exception
    assert len(shown) == 1


def test_a_yes_opens_the_next_case(in_hand, waiting):
    (_, first), (_, second) = waiting
    in_hand.button(key=f"approve_case_{first}").click().run()

    assert successes(in_hand) == [words("verifications.approved")]
    assert case_of(first).status is CaseStatus.APPROVED
    assert f"approve_case_{second}" in keys(in_hand)
    in_hand.button(key=f"approve_case_{second}").click().run()
    assert words("empty.verifications") in said(in_hand)


def test_a_no_takes_a_reason(in_hand, waiting):
    first = waiting[0][1]
    in_hand.button(key=f"reject_case_{first}").click().run()
    assert errors(in_hand) == [words("error.missing", field=words("field.reasons"))]
    assert case_of(first).status is CaseStatus.SUBMITTED

    in_hand.pills(key=f"review_reasons_{first}").set_value([RejectReason.OTHER])
    in_hand.text_area(key=f"review_words_{first}").input(NASTY)
    in_hand.button(key=f"reject_case_{first}").click().run()
    assert successes(in_hand) == [words("verifications.rejected")]
    case = case_of(first)
    assert (case.status, case.reasons, case.decision_words) == (
        CaseStatus.REJECTED, [RejectReason.OTHER], NASTY
    )  # fmt: skip


def test_it_is_put_back(in_hand, waiting):
    in_hand.button(key="case_let_go").click().run()

    assert successes(in_hand) == [words("verifications.left")]
    assert case_of(waiting[0][1]).reviewer_id is None
    assert "case_take" in keys(in_hand)


def test_two_operators_cannot_have_the_same_case(open_app, waiting):
    first, second = (case_id for _, case_id in waiting)
    with writing() as session:
        session.get_one(VerificationCase, first).reviewer_id = OPERATOR.id
        verifications.take(session, OPERATOR, first)
        colleague = make_newcomer(session, 9)
        session.get_one(VerificationCase, first).reviewer_id = colleague.id
    app = open_app(PAGE, OPERATOR)
    assert table(app)["state"][0] == [words("verifications.by_other")]
    app.query_params["case"] = str(first)
    app.run().button(key="case_take_this").click().run()
    assert errors(app) == [words("error.case_taken")]
    app.button(key="case_take").click().run()
    assert f"approve_case_{second}" in keys(app)


def test_what_was_decided_meanwhile_is_said_and_not_decided_again(in_hand, waiting):
    first = waiting[0][1]
    with writing() as session:
        verifications.decide(session, OPERATOR, first, "approve")
    in_hand.button(key=f"reject_case_{first}").click().run()

    assert not in_hand.exception
    assert errors(in_hand) == [words("error.verification_moved_on")]
    assert case_of(first).status is CaseStatus.APPROVED
    assert "case_take" in keys(in_hand.run())


def test_a_caregivers_case_shows_what_she_claims_and_decides_her_profile(open_app):
    with writing() as session:
        caregivers.move(session, DRAFT, DRAFT.id or 0, "submit")
    app = open_app(PAGE, OPERATOR).button(key="case_take").click().run()
    text = said(app)
    assert NAMES[DRAFT] in text
    assert words("certificate.elder_care") in text
    [key] = [key for key in keys(app) if str(key).startswith("approve_case_")]
    app.button(key=key).click().run()
    with reading() as session:
        assert session.get_one(Caregiver, DRAFT.id).status is CaregiverStatus.APPROVED


def test_earlier_submissions_stand_beside_the_new_one(open_app, waiting):
    person = waiting[0][0]
    with writing() as session:
        decide_case(session, person, "reject", words="看不清")
        make_case(session, person, CaseStatus.SUBMITTED, with_documents=True)
    app = open_app(PAGE, OPERATOR)
    assert words("verifications.resubmitted") in str(list(table(app)["state"]))
    app.query_params["case"] = str(table(app)["number"].max())
    app.run().button(key="case_take_this").click().run()
    assert words("reject_reason.blurred") in said(app)
    assert "看不清" in said(app)


def test_a_caregiver_is_approved_with_the_level_chosen_for_her(open_app):
    with writing() as session:
        caregivers.move(session, DRAFT, DRAFT.id, "submit")
    app = open_app(PAGE, OPERATOR).button(key="case_take").click().run()
    [approve] = [key for key in keys(app) if str(key).startswith("approve_case_")]
    level = next(one for one in app.button_group if str(one.key).endswith("_level"))
    level.set_value("senior").run()
    app.button(key=approve).click().run()
    assert not app.exception
    with reading() as session:
        row = session.get_one(Caregiver, DRAFT.id)
    assert (row.status, row.level) == (CaregiverStatus.APPROVED, CaregiverLevel.SENIOR)
