"""实名认证 as a family and a caregiver go through it."""

import io

import pytest
from PIL import Image

from data.accounts import Account
from data.cities import City
from data.database import reading, writing
from data.policies import Policy
from data.verifications import CaseStatus
from services import consents, documents, verifications
from services.verifications import CaseKind, DocumentKind, IdentityForm, RejectReason
from tests import factories
from tests.factories import DRAFT, LI, NASTY, OPERATOR, ZHOU, decide_case, empty_page, id_number
from tests.pages.screen import errors, keys, opened, said, successes, words

PAGE = "pages/account/verification.py"
BOOKING_PAGES = ("find_caregivers", "book", "post_demand")
NUMBER = id_number(400)


@pytest.fixture
def newcomer(database):
    """A family that has said yes and handed in nothing."""
    with writing() as session:
        return factories.make_newcomer(session)


@pytest.fixture
def with_papers(newcomer):
    """... that has only to press the button."""
    with writing() as session:
        form = IdentityForm("王小明", NUMBER)
        case_id = verifications.save(session, newcomer, CaseKind.CUSTOMER, form)
        for kind in (DocumentKind.ID_FRONT, DocumentKind.ID_BACK):
            documents.attach(session, newcomer, case_id, kind, [empty_page()])
    return newcomer


def case_of(actor, kind=CaseKind.CUSTOMER):
    with reading() as session:
        found = verifications.mine(session, actor, kind)
    assert found is not None
    return found


def remembered(app):
    """What the visit keeps between runs."""
    return app.session_state._state.filtered_state


def photo() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (300, 200), "white").save(written, "JPEG")
    return written.getvalue()


def test_nothing_sensitive_is_asked_before_a_yes_to_it(open_app, newcomer):
    with writing() as session:
        consents.withdraw(session, newcomer, Policy.SENSITIVE_DATA)
    app = open_app(PAGE, newcomer)
    assert app.button(key="case_consent").disabled
    assert not app.text_input

    app.checkbox(key="verification_agreed").check().run()
    app.button(key="case_consent").click().run()
    assert successes(app) == [words("verification.consented")]
    with reading() as session:
        assert consents.given(session, newcomer.id, Policy.SENSITIVE_DATA)
    assert app.text_input(key="verification_number")


def test_who_has_no_city_is_asked_for_it_first(open_app, newcomer):
    with writing() as session:
        session.get_one(Account, newcomer.id).city_code = None
    app = open_app(PAGE, newcomer)
    assert words("verification.city_first") in said(app)
    assert not app.text_input

    app.button(key="region_save").click().run()

    assert app.text_input(key="verification_number")


def test_what_was_agreed_to_stays_readable(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    app.segmented_control(key="verification_step_identity").set_value("consent").run()
    assert "第二十九条" not in said(app)

    assert "第二十九条" in said(opened(app, "verification_sensitive_data"))


def test_a_wrong_number_is_said_while_it_is_typed(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    app.text_input(key="verification_number").input(NUMBER[:-1] + "?").run()
    assert errors(app) == [words("error.id_number_format")]
    assert app.button(key="case_identity").disabled

    app.text_input(key="verification_number").input(NASTY[:24]).run()
    assert errors(app) == [words("error.id_number_format")]


def test_name_and_number_are_kept_masked_and_nowhere_on_the_page(open_app, newcomer):
    app = open_app(PAGE, newcomer)
    app.text_input(key="verification_name").input("王小明")
    app.text_input(key="verification_number").input(NUMBER).run()
    assert "1980-05-01" in said(app)
    app.button(key="case_identity").click().run()

    assert not app.exception
    assert successes(app) == [words("verification.identity_kept")]
    kept = case_of(newcomer)
    assert (kept.masked_name, kept.masked_number[-4:]) == ("王**", NUMBER[-4:])
    assert NUMBER not in said(app)
    assert NUMBER not in str(remembered(app))


def test_a_photo_goes_straight_into_the_case(open_app, newcomer):
    with writing() as session:
        verifications.save(session, newcomer, CaseKind.CUSTOMER, IdentityForm("王小明", NUMBER))
    app = open_app(PAGE, newcomer)
    app.file_uploader[0].upload("front.jpg", photo(), "image/jpeg").run()

    assert not app.exception
    assert successes(app) == [words("verification.attached")]
    [page] = case_of(newcomer).documents
    assert page.kind is DocumentKind.ID_FRONT
    assert not any(isinstance(value, bytes) for value in remembered(app).values())


@pytest.mark.parametrize(
    "given",
    [b"<script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8"],
)
def test_what_only_calls_itself_a_photo_is_refused_in_words(open_app, newcomer, given):
    with writing() as session:
        verifications.save(session, newcomer, CaseKind.CUSTOMER, IdentityForm("王小明", NUMBER))
    app = open_app(PAGE, newcomer)
    app.file_uploader[0].upload("front.jpg", given, "image/jpeg").run()

    assert errors(app) == [words("error.document_unreadable")]
    assert case_of(newcomer).documents == ()


def test_what_is_missing_is_named_until_nothing_is(open_app, with_papers):
    app = open_app(PAGE, with_papers)
    app.button(key="case_remove").click().run()
    assert words("paper.id_front") in said(app)
    assert "case_submit" not in keys(app)


def test_it_is_handed_in_and_then_waits(open_app, with_papers):
    app = open_app(PAGE, with_papers)
    app.button(key="case_submit").click().run()

    assert successes(app) == [words("verification.submitted")]
    assert case_of(with_papers).status is CaseStatus.SUBMITTED
    assert words("verification.means_submitted") in said(app)
    assert "case_submit" not in keys(app)


def test_what_came_back_says_why_and_can_be_mended(open_app, with_papers):
    with writing() as session:
        verifications.submit(session, with_papers, case_of(with_papers).id)
        decide_case(session, with_papers, "reject", reasons=(RejectReason.BLURRED,), words=NASTY)
    app = open_app(PAGE, with_papers)
    text = said(app)
    assert words("reject_reason.blurred_mend") in text
    assert NASTY in text

    app.button(key="case_anew").click().run()
    assert not app.exception
    assert case_of(with_papers).status is CaseStatus.DRAFT
    assert words("reject_reason.blurred") in said(app), "what to mend is gone while mending"
    assert "case_submit" in keys(app)


def test_who_is_verified_reads_so(open_app):
    app = open_app(PAGE, ZHOU)
    assert words("verification.means_approved") in said(app)
    assert "case_anew" not in keys(app)


def test_a_caregiver_hands_in_with_her_profile(open_app):
    app = open_app(PAGE, DRAFT)
    assert "case_submit" not in keys(app)
    assert "open_my_profile" in keys(app)


def test_a_caregiver_who_is_approved_may_add_papers(open_app):
    app = open_app(PAGE, LI)
    app.button(key="case_anew").click().run()
    assert case_of(LI, CaseKind.CAREGIVER).status is CaseStatus.DRAFT


@pytest.mark.parametrize("page", BOOKING_PAGES)
def test_nobody_fills_in_a_wish_in_vain(open_app, newcomer, page):
    file = f"pages/customer/{page}.py"
    assert words("verification.asked_for") in said(open_app(file, newcomer))
    assert words("verification.asked_for") not in said(open_app(file, ZHOU))
    with writing() as session:
        for city in session.query(City):
            city.verify_customers = False
    assert words("verification.asked_for") not in said(open_app(file, newcomer))


def test_staff_has_no_such_page(open_app):
    with pytest.raises(ValueError, match="verification"):
        open_app(PAGE, OPERATOR)
