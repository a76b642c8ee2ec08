import pytest
from sqlalchemy import select

from components import my_data
from components.formats import plain
from data.chat import Attachment
from data.consents import Consent, ErasureRequest
from data.database import reading, writing
from data.policies import Policy
from services import consents, customers, messages, pictures, visits
from services.erasure import Open
from services.messages import Said
from services.pictures import PictureKind
from tests.factories import (
    DESK,
    LI,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    empty_page,
    make_booking,
    make_visit,
)
from tests.pages.screen import (
    confirm,
    errors,
    keys,
    opened,
    questions,
    said,
    speak_english,
    successes,
    table,
    words,
)
from tests.policies import publish

PAGE = "pages/account/my_data.py"


def ask_to_leave(app, typed):
    opened(app, "leave")
    app.text_input(key="leave_typed").set_value(typed)
    app.session_state["leave"] = True
    return app.button(key="ask_erasure").click().run()


def test_it_says_in_plain_words_what_is_kept_and_how_long(open_app):
    shown = said(open_app(PAGE, ZHOU))

    assert all(words(f"my_data.{what}_about") in shown for what in my_data._KEPT)
    assert (
        words(
            "my_data.days_kept",
            rejected=words("my_data.days", count=90),
            approved=words("my_data.years", count=3),
        )
        in shown
    )


def test_a_term_that_is_no_whole_years_is_said_in_days(database):
    assert [my_data._how_long(days) for days in (90, 365, 400)] == [
        words("my_data.days", count=90),
        words("my_data.years", count=1),
        words("my_data.days", count=400),
    ]


def test_a_document_is_read_once_it_is_opened(open_app):
    app = open_app(PAGE, ZHOU)
    assert "第二十九条" not in said(app)

    assert "第二十九条" in said(opened(app, "read_sensitive_data"))


def test_who_looked_is_told_to_the_person_alone(open_app):
    with writing() as session:
        visits.contact(session, LI, make_visit(session))
        customers.phone(session, OPERATOR, ZHOU.id)
        messages.ask(session, ZHOU, Said("看看", "a", (empty_page(),)), NANTONG)
        [picture] = session.scalars(select(Attachment.id))
        kind = PictureKind.ATTACHMENT
        pictures.take(session, DESK, pictures.ticket(session, DESK, kind, picture, "chat"))
    rows = table(open_app(PAGE, ZHOU))

    assert {tuple(row) for row in rows.iloc[:, 1:].to_numpy()} == {
        (words("opened.open_phone"), words("role.operator")),
        (words("opened.open_contact"), words("role.caregiver")),
        (words("opened.open_attachment"), words("role.desk")),
    }
    assert words("my_data.no_openings") in said(open_app(PAGE, STRANGER))


def test_the_sensitive_consent_is_withdrawn_after_a_question(open_app):
    with writing() as session:
        consents.record(session, ZHOU.id, Policy.SENSITIVE_DATA)
    app = confirm(open_app(PAGE, ZHOU), "withdraw_sensitive_data")

    assert successes(app) == [words("my_data.withdrawn")]
    assert "withdraw_sensitive_data" not in questions(app)
    with reading() as session:
        assert not consents.given(session, ZHOU.id, Policy.SENSITIVE_DATA)


def test_leaving_takes_the_word_typed(open_app):
    app = ask_to_leave(open_app(PAGE, ZHOU), "好的")
    assert errors(app) == [words("my_data.word_differs", word="注销")]

    app = ask_to_leave(open_app(PAGE, ZHOU), " 注销 ")
    assert successes(app) == [words("my_data.leaving_noted")]
    assert len(app.warning) == 1
    assert "ask_erasure" not in keys(app)
    app.button(key="withdraw_erasure").click().run()
    assert successes(app) == [words("my_data.staying")]
    with reading() as session:
        assert session.scalars(select(ErasureRequest.withdrawn_at)).one() is not None


def test_what_is_open_is_said_instead_of_the_button(open_app):
    with writing() as session:
        make_booking(session)
    app = open_app(PAGE, ZHOU)

    assert words("still_open.orders", count=1) in said(app)
    assert not [one for one in app.expander if one.label == words("my_data.leave")]
    assert words("still_open.works_here") in said(open_app(PAGE, DESK))


def test_every_reason_has_its_words():
    full = Open(*(1 for _ in Open.__slots__))

    assert len(my_data._listed(full).splitlines()) == len(Open.__slots__)


def test_it_speaks_english(open_app):
    app = speak_english(open_app(PAGE, ZHOU))

    assert app.title[0].value == "My data"


@pytest.fixture
def changed(database, clock):
    """The agreement has a newer version than anybody accepted."""
    with writing() as session:
        publish(session, Policy.AGREEMENT, clock().date(), changes_zh="取消要收费 <b>了</b>")


class TestAskingAgain:
    def test_a_newer_version_is_asked_for_above_the_page(self, changed, open_app):
        app = open_app("pages/customer/redeem.py", ZHOU)
        assert words("consents.due") in said(app)
        assert app.title[-1].value  # The page itself is there all the same.
        app.button(key="agree_agreement").click().run()

        assert successes(app) == [words("consents.agreed")]
        assert words("consents.due") not in said(app)
        with reading() as session:
            given = select(Consent.policy_version).where(Consent.account_id == ZHOU.id)
            assert 2 in session.scalars(given).all()

    def test_what_changed_is_said_and_folded_are_the_lines_that_differ(self, changed, open_app):
        app = open_app("pages/account/inbox.py", ZHOU)
        told = words("consents.changed", number=2, changes=plain("取消要收费 <b>了</b>"))
        assert told in said(app)
        assert "green-background" not in said(app)

        shown = said(opened(app, "due_agreement_compare"))
        assert ":green-background[**新规则**]" in shown.replace("\\*\\*", "")
        assert ":red-background[~~" in shown

    def test_the_version_accepted_stays_readable(self, changed, open_app):
        app = opened(open_app(PAGE, ZHOU), "read_agreement")
        assert "服务开始前取消不收费" in said(app)
        assert words("my_data.read_version") in [one.label for one in app.get("page_link")]

    def test_who_is_up_to_date_and_who_works_here_are_not_asked(self, open_app):
        assert words("consents.due") not in said(open_app("pages/account/inbox.py", ZHOU))
        with writing() as session:
            for consent in session.scalars(select(Consent)):
                session.delete(consent)

        assert words("consents.due") in said(open_app("pages/account/inbox.py", LI))
        assert words("consents.due") not in said(open_app("pages/account/inbox.py", OPERATOR))
