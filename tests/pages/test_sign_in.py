"""Coming in and going out: password, code, sign-up, demo buttons, roles, ended sessions."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from components import consents, passwords, session
from components.navigation import LANDING
from data.accounts import Account, AccountRole, AccountStatus
from data.database import reading, writing
from data.sessions import SignInSession
from services import notices, phones, sessions
from services.access import Role
from services.consents import NEEDED
from tests.factories import ANALYST, DESK, LI, NANTONG, OPERATOR, STRANGER, ZHOU, phone_of
from tests.pages import screen
from tests.pages.screen import errors, keys, said, speak_english, words

PAGE = "pages/account/sign_in.py"
ORDERS, POST = "pages/customer/my_orders.py", "pages/customer/post_demand.py"
PROFILE = "pages/account/profile.py"
PASSWORD = "a password 密码 long enough"
NEW_PHONE = "13912345678"
ACTORS = {role: actor for actor in (ZHOU, LI, DESK, OPERATOR, ANALYST) if (role := actor.role)}
NO_SUCH_CODE = "abcdef"


@pytest.fixture
def easy_password(database, monkeypatch):
    """ZHOU and STRANGER have a password, and comparing costs nothing."""
    monkeypatch.setattr(passwords, "fits", lambda typed, kept: typed == kept)
    with writing() as session:
        for actor in (ZHOU, STRANGER):
            session.get_one(Account, actor.id).password_hash = PASSWORD


@pytest.fixture
def easy_hash(monkeypatch):
    monkeypatch.setattr(passwords, "hashed", lambda typed: f"hash of {typed}")


def account_of(phone):
    with reading() as session:
        key = phones.whole_hash(phones.normalised(phone))
        return session.scalar(select(Account).where(Account.phone_hash == key))


def add_role(actor, role, city=""):
    with writing() as session:
        session.add(
            AccountRole(
                created_at=session.get_one(Account, actor.id).created_at,
                account_id=actor.id,
                role=role,
                city_code=city,
            )
        )


def is_signed_out(app):
    return "sign_out" not in keys(app) and "sign_in_submit" in keys(app)


def sign_in(app, phone, password):
    app.text_input(key="sign_in_phone").set_value(phone)
    app.text_input(key="sign_in_password").set_value(password)
    app.button(key="sign_in_submit").click().run()
    return app


def choose(app, way):
    app.segmented_control(key="sign_in_way").set_value(way).run()
    return app


def ask_for_code(app, way, phone):
    app.text_input(key=f"{way}_phone").set_value(phone).run()
    app.button(key=f"{way}_send").click().run()
    return app


def read_code(app):
    """Let the worker deliver; what the demo's text message on the page then says."""
    with writing() as session:
        notices.deliver(session)
    app.run()
    (text,) = [info.value for info in app.info if re.search(r"\d{6}", info.value)]
    assert text == words("sign_in.console_inbox", text=re.findall(r"\d{6}", text)[0])
    return re.findall(r"\d{6}", text)[0]


def type_code(app, code):
    app.text_input(key="code_code").set_value(code)
    app.button(key="code_submit").click().run()
    return app


def fill_sign_up(app, code, **changes):
    app.text_input(key="sign_up_code").set_value(code)
    app.text_input(key="sign_up_name").set_value(changes.get("name", "吴新客"))
    app.text_input(key="sign_up_password").set_value(changes.get("password", PASSWORD))
    app.text_input(key="sign_up_password_again").set_value(
        changes.get("again", changes.get("password", PASSWORD))
    )
    app.checkbox(key="sign_up_agreed").set_value(changes.get("agreed", True))
    app.button(key="sign_up_submit").click().run()
    return app


class TestPassword:
    def test_the_right_one_opens_the_persons_own_page(self, open_app, opened):
        # The one test with a real bcrypt hash.
        with writing() as session:
            session.get_one(Account, ZHOU.id).password_hash = passwords.hashed(PASSWORD)
        app = sign_in(open_app(PAGE, None), phone_of(ZHOU).removeprefix("+86"), PASSWORD)
        assert not app.exception
        assert opened[-1] == LANDING[Role.CUSTOMER]
        assert "周晓燕" in [text.value for text in app.sidebar.text]
        assert "sign_in_password" not in app.session_state

    def test_a_wrong_one_and_an_unknown_phone_get_the_same_words(self, open_app, easy_password):
        app = open_app(PAGE, None)
        wrong = errors(sign_in(app, phone_of(ZHOU), "not the password"))
        unknown = errors(sign_in(app, NEW_PHONE, PASSWORD))
        assert wrong == unknown == [words("error.sign_in_failed")]
        assert is_signed_out(app)

    def test_an_account_without_one_opens_by_none(self, open_app):
        app = sign_in(open_app(PAGE, None), phone_of(LI), "")
        assert errors(app) == [words("error.sign_in_failed")]

    def test_something_that_is_no_phone_is_refused_in_words(self, open_app):
        app = sign_in(open_app(PAGE, None), "<b>12</b>", PASSWORD)
        assert errors(app) == [words("error.phone_invalid")]

    def test_after_three_failures_even_the_right_one_waits(self, open_app, easy_password, clock):
        app = open_app(PAGE, None)
        for _ in range(3):
            assert errors(sign_in(app, phone_of(ZHOU), "wrong")) == [words("error.sign_in_failed")]
        too_soon = [words("error.try_in_seconds", seconds=2)]
        assert errors(sign_in(app, phone_of(ZHOU), PASSWORD)) == too_soon
        assert is_signed_out(app)
        clock.move(seconds=2)
        assert not is_signed_out(sign_in(app, phone_of(ZHOU), PASSWORD))

    def test_a_suspended_account_is_told_so(self, open_app, easy_password):
        with writing() as session:
            session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED
        app = sign_in(open_app(PAGE, None), phone_of(ZHOU), PASSWORD)
        assert errors(app) == [words("error.account_suspended")]
        assert is_signed_out(app)

    def test_a_deep_link_opens_after_it(self, open_app, easy_password, opened):
        app = open_app(PROFILE, None)
        assert words("sign_in.then_on") in said(app)
        opened.clear()
        sign_in(app, phone_of(ZHOU), PASSWORD)
        assert opened[-1] == "profile"


class TestCode:
    def test_the_code_shown_in_the_demo_opens_the_account(self, open_app, opened):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", phone_of(LI))
        assert words("sign_in.code_sent_if_known") in said(app)
        assert words("sign_in.console_waiting") in said(app)
        type_code(app, read_code(app))
        assert not app.exception
        assert opened[-1] == LANDING[Role.CAREGIVER]

    def test_a_wrong_one_is_refused_and_five_spend_it(self, open_app, clock):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", phone_of(LI))
        code = read_code(app)
        for _ in range(5):
            assert errors(type_code(app, NO_SUCH_CODE)) == [words("error.code_wrong")]
            clock.move(seconds=10)
        assert errors(type_code(app, code)) == [words("error.code_expired")]

    def test_after_ten_minutes_it_is_worthless(self, open_app, clock):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", phone_of(LI))
        code = read_code(app)
        clock.move(minutes=11)
        type_code(app, code)
        assert errors(app) == [words("error.code_expired")]
        assert "sign_out" not in keys(app)

    def test_a_phone_without_an_account_gets_the_same_words_and_no_code(self, open_app):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", NEW_PHONE)
        assert words("sign_in.code_sent_if_known") in said(app)
        with writing() as session:
            notices.deliver(session)
        assert not re.search(r"\d{6}", "".join(info.value for info in app.run().info))
        assert errors(type_code(app, NO_SUCH_CODE)) == [words("error.code_wrong")]

    def test_a_second_one_waits_a_minute(self, open_app):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", phone_of(LI))
        app.button(key="code_send").click().run()
        assert errors(app) == [words("error.code_too_soon", seconds=60)]

    def test_nothing_is_sent_to_what_is_no_phone(self, open_app):
        app = ask_for_code(choose(open_app(PAGE, None), "code"), "code", "12")
        assert errors(app) == [words("error.phone_invalid")]
        assert words("sign_in.code_sent_if_known") not in said(app)


class TestSignUp:
    def test_a_newcomer_comes_in_with_the_role_chosen(self, open_app, easy_hash, opened):
        app = choose(open_app(PAGE, None), "sign_up")
        app.segmented_control(key="sign_up_role").set_value(Role.CAREGIVER).run()
        ask_for_code(app, "sign_up", NEW_PHONE)
        fill_sign_up(app, read_code(app), name=" 吴新客 ")
        assert not app.exception
        assert opened[-1] == LANDING[Role.CAREGIVER]
        account = account_of(NEW_PHONE)
        assert (account.name, account.password_hash) == ("吴新客", f"hash of {PASSWORD}")
        assert account.agreed_at is not None

    def test_what_is_agreed_to_can_be_read_beside_the_yes(self, open_app):
        app = choose(open_app(PAGE, None), "sign_up")
        app.segmented_control(key="sign_up_role").set_value(Role.CAREGIVER).run()
        terms = {one: consents.in_force(one).words_zh for one in NEEDED[Role.CAREGIVER]}
        assert not any(one in said(app) for one in terms.values())

        for one, its_words in terms.items():
            assert its_words in said(screen.opened(app, f"sign_up_{one}"))

    def test_a_family_is_not_asked_for_the_standard_for_caregivers(self, open_app):
        app = choose(open_app(PAGE, None), "sign_up")
        asked = app.checkbox(key="sign_up_agreed").label
        assert words("policy.complaint_handling") in asked
        assert words("policy.onboarding") not in asked

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"agreed": False}, words("error.not_agreed")),
            ({"again": "another password"}, words("error.passwords_differ")),
            ({"password": "short"}, words("error.password_length", fewest=10, most=128)),
            ({"password": "Password123"}, words("error.password_common")),
            ({"password": "吴新客13912345678"}, words("error.password_personal")),
            ({"name": "  "}, words("error.missing", field=words("field.name"))),
        ],
    )
    def test_what_is_missing_is_named_and_can_be_mended(
        self, open_app, easy_hash, changes, refusal
    ):
        app = ask_for_code(choose(open_app(PAGE, None), "sign_up"), "sign_up", NEW_PHONE)
        code = read_code(app)
        assert errors(fill_sign_up(app, code, **changes)) == [refusal]
        assert account_of(NEW_PHONE) is None
        assert app.text_input(key="sign_up_code").value == code
        assert "sign_out" in keys(fill_sign_up(app, code))

    def test_a_wrong_code_makes_no_account(self, open_app, easy_hash):
        app = ask_for_code(choose(open_app(PAGE, None), "sign_up"), "sign_up", NEW_PHONE)
        assert errors(fill_sign_up(app, NO_SUCH_CODE)) == [words("error.code_wrong")]
        assert account_of(NEW_PHONE) is None

    def test_an_expired_code_makes_no_account(self, open_app, easy_hash, clock):
        app = ask_for_code(choose(open_app(PAGE, None), "sign_up"), "sign_up", NEW_PHONE)
        code = read_code(app)
        clock.move(minutes=11)
        assert errors(fill_sign_up(app, code)) == [words("error.code_expired")]
        assert account_of(NEW_PHONE) is None

    def test_an_existing_phone_is_refused_and_keeps_its_account(self, open_app, easy_hash):
        app = ask_for_code(choose(open_app(PAGE, None), "sign_up"), "sign_up", phone_of(ZHOU))
        assert errors(fill_sign_up(app, read_code(app))) == [words("error.phone_taken")]
        account = account_of(phone_of(ZHOU))
        assert (account.id, account.name, account.password_hash) == (ZHOU.id, "周晓燕", None)

    def test_what_is_typed_survives_a_switch_of_language(self, open_app):
        app = choose(open_app(PAGE, None), "sign_up")
        app.text_input(key="sign_up_phone").set_value(NEW_PHONE).run()
        speak_english(app)
        assert app.title[0].value == "Sign in"
        assert app.text_input(key="sign_up_phone").value == NEW_PHONE


class TestDemo:
    @pytest.mark.parametrize("role", Role)
    def test_one_click_opens_the_roles_own_page(self, open_app, opened, role):
        with writing() as session:
            account = session.get_one(Account, ACTORS[role].id)
            account.phone_hash = phones.whole_hash(sessions.DEMO_PHONES[role])
        app = open_app(PAGE, None)
        app.button(key=f"demo_sign_in_{role}").click().run()
        assert not app.exception
        assert opened[-1] == LANDING[role]
        assert words(f"role.{role}") in app.sidebar.caption[0].value

    def test_without_its_people_it_says_what_to_do(self, open_app):
        app = open_app(PAGE, None)
        app.button(key="demo_sign_in_customer").click().run()
        assert errors(app) == [words("error.demo_missing")]

    def test_production_has_no_such_buttons_and_shows_no_code(self, open_app, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")
        app = open_app(PAGE, None)
        assert not [key for key in keys(app) if str(key).startswith("demo")]
        assert "sign_in_submit" in keys(app)
        ask_for_code(choose(app, "code"), "code", phone_of(LI))
        assert errors(app) == [words("error.no_text_gateway")]
        assert words("sign_in.console_waiting") not in said(app)


class TestLeaving:
    def test_signing_out_ends_the_session_and_shows_the_front_door(self, open_app):
        app = open_app(ORDERS, ZHOU)
        token = app.session_state["session_token"]
        app.button(key="sign_out").click().run()
        assert app.title[0].value == words("welcome.title")
        assert "open_sign_in" in keys(app)
        assert "sign_out" not in keys(app)
        with reading() as session:
            assert sessions.resume(session, token) is None

    def test_a_session_ended_elsewhere_shows_sign_in_at_the_next_click(self, open_app):
        app = open_app(PROFILE, ZHOU)
        with writing() as session:
            sessions.end_all(session, ZHOU)
        app.text_input(key="rename_name").set_value("别人")
        app.button(key="rename_save").click().run()
        assert not app.exception
        assert is_signed_out(app)
        assert account_of(phone_of(ZHOU)).name == "周晓燕"

    def test_a_session_ended_at_the_moment_of_the_click_does_nothing(self, open_app, monkeypatch):
        app = open_app(PROFILE, ZHOU)
        resume, asked = sessions.resume, []

        def ended_meanwhile(session, token):
            asked.append(token)
            return resume(session, token) if len(asked) == 1 else None

        monkeypatch.setattr(sessions, "resume", ended_meanwhile)
        app.text_input(key="rename_name").set_value("别人")
        app.button(key="rename_save").click().run()
        assert not app.exception
        assert is_signed_out(app)
        assert account_of(phone_of(ZHOU)).name == "周晓燕"

    def test_a_suspended_account_is_out_at_the_next_click(self, open_app):
        app = open_app(ORDERS, ZHOU)
        assert "sign_out" in keys(app)
        with writing() as session:
            session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED
        app.button(key="open_post_demand").click().run()
        assert is_signed_out(app)

    def test_nothing_of_the_last_visitor_stays_for_the_next(self, open_app, easy_password):
        app = open_app(POST, ZHOU)
        app.text_area(key="demand_words").set_value("父亲走路慢").run()
        app.button(key="sign_out").click().run()
        assert "demand_words" not in app.session_state
        sign_in(app.switch_page(POST).run(), phone_of(STRANGER), PASSWORD)
        assert not app.exception
        assert app.text_area(key="demand_words").value == ""


class TestRoles:
    def test_switching_changes_the_menu_and_opens_the_other_landing(self, open_app, menu, opened):
        add_role(ZHOU, Role.CAREGIVER)
        app = open_app(ORDERS, ZHOU)
        assert words("page.post_demand") in menu
        assert words("page.task_hall") not in menu
        app.button(key="switch_caregiver").click().run()
        assert not app.exception
        assert opened[-1] == LANDING[Role.CAREGIVER]
        assert words("page.task_hall") in menu
        assert words("page.post_demand") not in menu
        assert [done.value for done in app.success] == [words("notice.role_switched")]
        assert "switch_customer" in keys(app)

    def test_who_holds_one_role_has_nothing_to_switch_to(self, open_app):
        assert not [key for key in keys(open_app(ORDERS, ZHOU)) if str(key).startswith("switch_")]

    def test_a_role_lost_meanwhile_ends_the_visit(self, open_app):
        add_role(ZHOU, Role.OPERATOR, NANTONG)
        app = open_app(ORDERS, ZHOU)
        app.button(key="switch_operator").click().run()
        with writing() as session:
            held = select(AccountRole).where(
                AccountRole.account_id == ZHOU.id, AccountRole.role == Role.OPERATOR
            )
            session.delete(session.scalars(held).one())
        assert is_signed_out(app.run())

    def test_the_role_chosen_is_kept_with_the_session(self, open_app):
        add_role(ZHOU, Role.CAREGIVER)
        app = open_app(ORDERS, ZHOU)
        app.button(key="switch_caregiver").click().run()
        with reading() as session:
            roles = session.scalars(
                select(SignInSession.role).where(SignInSession.account_id == ZHOU.id)
            )
            assert roles.all() == [Role.CAREGIVER]


class TestWhoLooks:
    @pytest.fixture
    def asked(self, monkeypatch):
        """The times a page asked the database who holds its session."""
        times, resume = [], sessions.resume
        monkeypatch.setattr(sessions, "resume", lambda *given: times.append(None) or resume(*given))
        return times

    def test_is_asked_once_in_a_run_of_the_whole_page(self, open_app, asked):
        app = open_app(ORDERS, ZHOU)
        asked.clear()
        assert not app.run().exception
        assert len(asked) == 1

    def test_is_asked_by_every_part_that_runs_by_itself(self, open_app, asked, monkeypatch):
        app = open_app(ORDERS, ZHOU)
        part = SimpleNamespace(fragment_ids_this_run=["bell"])
        monkeypatch.setattr(session, "get_script_run_ctx", lambda: part)
        asked.clear()
        assert not app.run().exception
        assert len(asked) > 1
