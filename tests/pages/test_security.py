"""Sign-in and security: open sessions, the password, the second factor and its door."""

import pytest
from pyotp.totp import TOTP
from sqlalchemy import select

from components import passwords
from components import session as doors
from data.accounts import Account, AccountRole
from data.database import reading, writing
from data.sessions import SecondFactor, SignInSession
from services import clock as service_clock
from services import credentials, notices, second_factors, sessions
from services.access import Role
from services.sessions import Client
from tests.conftest import token_of
from tests.factories import ANALYST, DESK, LI, NANTONG, OPERATOR, STRANGER, ZHOU, phone_of
from tests.pages.screen import confirm, errors, keys, said, speak_english, successes, words
from tests.pages.screen import opened as open_part

PAGE, PROFILE = "pages/account/security.py", "pages/account/profile.py"
TODAY, STAFF = "pages/operator/today.py", "pages/operator/staff.py"
SIGN_IN = "pages/account/sign_in.py"
PHONE = Client(
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 MicroMessenger/8.0.50",
    "203.0.113.77",
)


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch):
    monkeypatch.setattr(passwords, "hashed", lambda typed: f"hash of {typed}")


@pytest.fixture
def pages_run(opened):
    """The addresses of the pages that ran, oldest first."""
    return opened


@pytest.fixture
def required(monkeypatch):
    monkeypatch.setenv("CAREPILOT_OPERATOR_TOTP", "required")


def account(actor):
    with reading() as session:
        return session.get_one(Account, actor.id)


def is_open(token):
    with reading() as session:
        return sessions.resume(session, token) is not None


def on_a_phone(actor):
    with writing() as session:
        return sessions.open_session(session, actor.id, PHONE).token


def set_up(actor):
    """Give the actor a confirmed factor; return its secret and the recovery codes."""
    with writing() as session:
        token = sessions.open_session(session, actor.id, PHONE, role=Role.OPERATOR).token
        secret = second_factors.begin(session, actor).text
        code = TOTP(secret).at(int(service_clock.now().timestamp()))
        return secret, second_factors.confirm(session, actor, token, code)


def code_of(secret):
    return TOTP(secret).at(int(service_clock.now().timestamp()))


def type_code(app, key, code):
    app.text_input(key=f"{key}_code").set_value(code)
    app.button(key=f"{key}_submit").click().run()
    return app


def change_password(app, password, again):
    app.text_input(key="new_password").set_value(password)
    app.text_input(key="new_password_again").set_value(again)
    app.button(key="password_save").click().run()
    return app


@pytest.mark.parametrize("actor", [ZHOU, LI, DESK, OPERATOR, ANALYST])
def test_everybody_who_is_in_has_the_page_and_operators_the_factor(open_app, actor):
    app = open_app(PAGE, actor)

    assert not app.exception
    assert app.title[0].value == words("page.security")
    assert ("factor_begin" in keys(app)) == (actor is OPERATOR)


class TestSessions:
    def test_each_is_named_in_plain_words(self, open_app):
        on_a_phone(ZHOU)
        on_a_phone(STRANGER)
        app = open_app(PAGE, ZHOU)

        assert said(app).count("微信 · iPhone") == 1
        assert words("security.near", prefix="203.0.113.0/24") in said(app)
        assert "203.0.113.77" not in said(app)
        assert words("security.this") in said(app)

    def test_one_is_ended_and_the_others_go_on(self, open_app):
        lost, kept = on_a_phone(ZHOU), on_a_phone(ZHOU)
        app = open_app(PAGE, ZHOU)
        with reading() as session:
            first = session.scalars(select(SignInSession.id).order_by(SignInSession.id)).first()
        app.button(key=f"end_session_{first}").click().run()

        assert successes(app) == [words("security.ended")]
        assert (is_open(lost), is_open(kept)) == (False, True)

    def test_all_others_are_ended_after_a_question(self, open_app):
        lost, others = on_a_phone(ZHOU), on_a_phone(STRANGER)
        app = confirm(open_app(PAGE, ZHOU), "end_others")

        assert successes(app) == [words("security.others_ended")]
        assert (is_open(lost), is_open(others)) == (False, True)
        assert is_open(app.session_state["session_token"])

    def test_the_page_speaks_english(self, open_app):
        on_a_phone(ZHOU)

        assert "WeChat · iPhone" in said(speak_english(open_app(PAGE, ZHOU)))


class TestPassword:
    def test_a_new_one_ends_every_other_session_and_not_this_one(self, open_app):
        elsewhere = token_of(ZHOU)
        app = open_app(PAGE, ZHOU)
        before = app.session_state["session_token"]
        change_password(app, "a new password", "a new password")

        assert not app.exception
        assert successes(app) == [words("account.password_changed")]
        assert "sign_out" in keys(app)
        assert account(ZHOU).password_hash == "hash of a new password"
        assert (is_open(elsewhere), is_open(before)) == (False, False)
        with reading() as session:
            now = sessions.resume(session, app.session_state["session_token"])
        assert now is not None
        assert now.actor == ZHOU

    @pytest.mark.parametrize(
        ("password", "again", "refusal"),
        [
            ("a new password", "another one", words("error.passwords_differ")),
            ("short", "short", words("error.password_length", fewest=10, most=128)),
            ("QwertyUiop", "QwertyUiop", words("error.password_common")),
            ("周晓燕13800000001", "周晓燕13800000001", words("error.password_personal")),
        ],
    )
    def test_a_bad_one_is_refused_and_nothing_ends(self, open_app, password, again, refusal):
        elsewhere = token_of(ZHOU)
        app = change_password(open_app(PAGE, ZHOU), password, again)

        assert errors(app) == [refusal]
        assert account(ZHOU).password_hash is None
        assert is_open(elsewhere)

    def test_the_present_one_is_asked_for(self, open_app, monkeypatch):
        monkeypatch.setattr(passwords, "fits", lambda typed, kept: typed == kept)
        with writing() as session:
            session.get_one(Account, ZHOU.id).password_hash = "the present one"
        app = open_app(PAGE, ZHOU)
        for wrong in ("", "a guess"):
            app.text_input(key="old_password").set_value(wrong)
            change_password(app, "a new password", "a new password")
            assert errors(app) == [words("error.password_wrong")]
        app.text_input(key="old_password").set_value("the present one")
        change_password(app, "a new password", "a new password")

        assert successes(app) == [words("account.password_changed")]
        assert account(ZHOU).password_hash == "hash of a new password"

    def test_a_forgotten_one_is_replaced_by_a_code(self, open_app, pages_run):
        elsewhere = token_of(ZHOU)
        app = open_part(open_app(SIGN_IN, None), "reset_ask")
        app.text_input(key="reset_phone").set_value(phone_of(ZHOU))
        open_part(app, "reset_ask").button(key="reset_send").click().run()
        with writing() as session:
            notices.deliver(session)
        app = open_part(app, "reset_ask")
        (code,) = [info.value[-6:] for info in app.info if info.value[-6:].isdigit()]
        app.text_input(key="reset_code").set_value(code)
        app.text_input(key="reset_password").set_value("a new password")
        app.text_input(key="reset_password_again").set_value("a new password")
        app.button(key="reset_submit").click().run()

        assert successes(app) == [words("account.password_changed")]
        assert "sign_out" in keys(app)
        assert not is_open(elsewhere)
        assert account(ZHOU).password_hash == "hash of a new password"


class TestFactor:
    def test_is_set_up_with_a_qr_code_and_a_code(self, open_app):
        app = open_app(PAGE, OPERATOR)
        app.button(key="factor_begin").click().run()
        secret = app.code[0].value
        assert errors(type_code(app, "factor", "000000")) == [words("error.factor_wrong")]
        assert app.code[0].value == secret

        type_code(app, "factor", code_of(secret))
        assert successes(app) == [words("factor.confirmed")]
        codes = app.code[0].value.split("\n")
        assert len(codes) == second_factors.RECOVERY_CODES
        app.button(key="factor_written_down").click().run()
        assert not app.code
        assert words("factor.on", left=8) in said(app)
        with reading() as session:
            assert not set(codes) & set(session.get_one(SecondFactor, OPERATOR.id).recovery_hashes)

    def test_is_taken_off_with_a_code(self, open_app, clock):
        _, codes = set_up(OPERATOR)
        with writing() as session:
            token = sessions.open_session(session, OPERATOR.id, PHONE, role=Role.OPERATOR).token
            sessions.pass_factor(session, token)
        app = open_app(PAGE, None)
        app.session_state["session_token"] = token
        app = open_part(app.switch_page(PAGE), "disable_ask")
        assert errors(type_code(app, "disable", "nonsense")) == [words("error.factor_wrong")]
        type_code(open_part(app, "disable_ask"), "disable", codes[0])

        assert successes(app) == [words("factor.disabled")]
        assert "factor_begin" in keys(app)

    def test_stands_in_place_of_every_page_until_the_code_comes(self, open_app, pages_run, menu):
        secret, _ = set_up(OPERATOR)
        app = open_app(STAFF, OPERATOR)
        assert app.title[0].value == words("factor.title")
        assert pages_run == []
        assert menu == []
        assert errors(type_code(app, "door", "123456")) == [words("error.factor_wrong")]
        # The step that confirmed the factor is spent.
        assert errors(type_code(app, "door", code_of(secret))) == [words("error.factor_wrong")]
        assert pages_run == []

        service_clock.now.move(seconds=30)
        type_code(app, "door", code_of(secret))
        assert not app.exception
        assert pages_run == ["staff"]

    def test_a_page_open_before_does_nothing_more(self, open_app):
        app = open_app(PROFILE, OPERATOR)
        set_up(OPERATOR)
        app.text_input(key="rename_name").set_value("别人")
        app.button(key="rename_save").click().run()

        assert app.title[0].value == words("factor.title")
        assert account(OPERATOR).name == "陈立军"

    def test_one_that_comes_at_the_moment_of_the_click_stops_it(self, open_app, monkeypatch):
        app = open_app(PROFILE, OPERATOR)
        recognise = doors.recognise

        def set_up_meanwhile():
            monkeypatch.setattr(doors, "recognise", recognise)
            found = recognise()
            set_up(OPERATOR)
            return found

        monkeypatch.setattr(doors, "recognise", set_up_meanwhile)
        app.text_input(key="rename_name").set_value("别人")
        app.button(key="rename_save").click().run()

        assert app.title[0].value == words("factor.title")
        assert account(OPERATOR).name == "陈立军"

    def test_where_it_is_required_it_is_set_up_before_anything_else(
        self, open_app, pages_run, required
    ):
        app = open_app(TODAY, OPERATOR)
        assert app.title[0].value == words("factor.title")
        app.button(key="factor_begin").click().run()
        type_code(app, "factor", code_of(app.code[0].value))

        assert not app.exception
        assert pages_run == ["security"]
        assert len(app.code[0].value.split("\n")) == second_factors.RECOVERY_CODES
        app.button(key="factor_written_down").click().run()
        app.switch_page(TODAY).run()
        assert pages_run[-1] == "today"

    def test_other_roles_need_none(self, open_app, pages_run, required):
        for actor in (ZHOU, LI, DESK, ANALYST):
            open_app(PROFILE, actor)
        assert pages_run[1::2] == ["profile"] * 4

    def test_another_operator_of_the_city_resets_a_lost_one(self, open_app):
        with writing() as session:
            session.add(
                AccountRole(
                    created_at=service_clock.now(),
                    account_id=DESK.id,
                    role=Role.OPERATOR,
                    city_code=NANTONG,
                )
            )
        set_up(DESK)
        theirs = token_of(DESK)
        ask = f"change_{DESK.id}_ask"
        reset = f"reset_factor_{DESK.id}"
        app = open_app(STAFF, OPERATOR)
        app.session_state[f"{reset}_ask"] = True
        open_part(app, ask)
        app.session_state[f"{reset}_ask"] = True
        app.button(key=reset).click().run()

        assert successes(app) == [words("staff.factor_reset")]
        assert not is_open(theirs)
        with reading() as session:
            assert session.get(SecondFactor, DESK.id) is None


class TestTwoPeopleInOneBrowser:
    """All tabs of a browser share one cookie; each tab stays with the person it shows."""

    @pytest.fixture
    def cookie(self, monkeypatch):
        """What the browser's cookie says, for the connection of every tab."""
        jar = {}
        monkeypatch.setattr(doors, "_cookie", lambda: jar.get("value"))
        return jar

    def cookie_of(self, actor):
        return credentials.cookie_value(token_of(actor), service_clock.now() + sessions.LIFETIME)

    def rename(self, app, name):
        app.text_input(key="rename_name").set_value(name)
        app.button(key="rename_save").click().run()
        return app

    def test_a_tab_acts_as_whom_it_shows_though_the_cookie_is_anothers(self, open_app, cookie):
        cookie["value"] = self.cookie_of(ZHOU)
        app = open_app(PROFILE, None)
        assert "周晓燕" in [text.value for text in app.sidebar.text]
        cookie["value"] = self.cookie_of(STRANGER)
        self.rename(app, "新名字")

        assert (account(ZHOU).name, account(STRANGER).name) == ("新名字", "生面人")
        assert "新名字" in [text.value for text in app.sidebar.text]

    def test_when_its_session_ends_it_asks_to_be_reloaded(self, open_app, cookie):
        cookie["value"] = self.cookie_of(ZHOU)
        app = open_app(PROFILE, None)
        with writing() as session:
            sessions.end_all(session, ZHOU)
        cookie["value"] = self.cookie_of(STRANGER)
        self.rename(app, "新名字")

        assert words("sign_in.ended") in [warning.value for warning in app.warning]
        assert (account(ZHOU).name, account(STRANGER).name) == ("周晓燕", "生面人")
        assert "sign_out" not in keys(app.run())
        assert "rename_name" not in app.session_state

    def test_signing_out_does_not_make_it_the_others(self, open_app, cookie):
        cookie["value"] = self.cookie_of(ZHOU)
        app = open_app(PROFILE, None)
        cookie["value"] = self.cookie_of(STRANGER)
        app.button(key="sign_out").click().run()

        assert "sign_out" not in keys(app.run())

    def test_a_reload_shows_whose_the_cookie_is(self, open_app, cookie):
        cookie["value"] = self.cookie_of(STRANGER)

        assert "生面人" in [text.value for text in open_app(PROFILE, None).sidebar.text]
