"""The rest of a first sign-in, the ways in, and what a person keeps linked."""

import re

import pytest
from sqlalchemy import select
from streamlit import config

from components import joining as screens
from components.consents import in_force
from data.accounts import Account
from data.database import reading, writing
from data.identities import FlowKind
from services import accounts, joining, notices, phones, sessions
from services.consents import Policy
from services.joining import Proven
from services.providers import Problem
from tests.factories import BROWSER, LI, NASTY, STRANGER, ZHOU, one_person, phone_of
from tests.pages.screen import confirm, errors, keys, opened, questions, said, successes, words

PAGE, SECURITY = "pages/account/join.py", "pages/account/security.py"
SIGN_IN = "pages/account/sign_in.py"
NEW_PHONE = "13912345678"
CITY = {
    "CAREPILOT_OIDC_PROVIDERS": "city",
    "CAREPILOT_OIDC_CITY_ISSUER": "http://127.0.0.1:9",
    "CAREPILOT_OIDC_CITY_CLIENT_ID": "client",
    "CAREPILOT_OIDC_CITY_CLIENT_SECRET": "secret",
    "CAREPILOT_OIDC_CITY_LABEL": "<b>市民通</b>",
}


@pytest.fixture
def waiting(database, monkeypatch):
    """Let somebody a provider vouches for wait in this browser."""

    def waiting(name="", kind=FlowKind.SIGN_IN, actor=None):
        with writing() as session:
            trip = joining.set_out(
                session, "demo", kind, "/post_demand?x=1", actor.id if actor else None
            )
            session.flush()
            claimed = joining.claim(session, "demo", trip.state, trip.browser)
            proven = Proven("demo", "subject 7", name)
            if actor is None:
                joining.come_in(session, claimed, proven, BROWSER)
            else:
                joining.link(session, actor, claimed, proven)
        monkeypatch.setattr(screens, "_browser", lambda: trip.browser)

    return waiting


def ways_in(app):
    """The addresses of the ways in through providers."""
    return re.findall(r'href="([^"]+)"', "".join(html.proto.body for html in app.get("html")))


def account_of(phone):
    with reading() as session:
        key = phones.whole_hash(phones.normalised(phone))
        return session.scalar(select(Account).where(Account.phone_hash == key))


def send_code(app, phone, key="join"):
    app.text_input(key=f"{key}_phone").set_value(phone).run()
    app.button(key=f"{key}_send").click().run()
    with writing() as session:
        notices.deliver(session)
        return accounts.console_inbox(session, phone)


def submit(app, code, agreed=True, **fields):
    app.text_input(key="join_code").set_value(code)
    for field, value in fields.items():
        app.text_input(key=f"join_{field}").set_value(value)
    app.checkbox(key="join_agreed").set_value(agreed)
    app.button(key="join_submit").click().run()
    return app


class TestJoining:
    def test_only_the_phone_is_asked_of_who_came_with_a_name(self, open_app, waiting, opened):
        waiting("林小满")
        app = open_app(PAGE, None)
        assert words("joining.greeting", name="林小满") in said(app)
        assert "join_name" not in {field.key for field in app.text_input}

        submit(app, send_code(app, NEW_PHONE))

        assert account_of(NEW_PHONE).name == "林小满"
        assert "sign_out" in keys(app)
        assert opened[-1] == "post_demand"  # Where they wanted to go.

    def test_who_came_without_one_is_asked_for_it(self, open_app, waiting):
        waiting()
        app = open_app(PAGE, None)
        code = send_code(app, NEW_PHONE)
        assert errors(submit(app, code)) == [words("error.missing", field=words("field.name"))]

        submit(app, code, name=NASTY[:40])

        assert account_of(NEW_PHONE).name == NASTY[:40].strip()

    def test_what_is_missing_is_said_in_words(self, open_app, waiting):
        waiting("林小满")
        app = open_app(PAGE, None)
        app.button(key="join_send").click().run()
        assert errors(app) == [words("error.phone_invalid")]
        code = send_code(app, NEW_PHONE)
        assert errors(submit(app, code, agreed=False)) == [words("error.not_agreed")]
        assert errors(submit(app, "000000" if code != "000000" else "1")) == [
            words("error.code_wrong")
        ]
        assert account_of(NEW_PHONE) is None

    def test_what_is_agreed_to_can_be_read_beside_the_yes(self, open_app, waiting):
        waiting()
        app = opened(open_app(PAGE, None), "join_privacy")

        assert in_force(Policy.PRIVACY).words_zh in said(app)

    def test_nobody_who_waits_is_sent_to_sign_in(self, open_app):
        app = open_app(PAGE, None)

        assert words("joining.nobody_waits") in said(app)
        assert keys(app) >= {"open_sign_in"}

    def test_somebody_signed_in_goes_to_their_own_first_page(self, open_app, opened):
        open_app(PAGE, LI)

        assert opened[-1] == "task_hall"


class TestWaysIn:
    def test_a_demo_offers_its_own_and_the_configured_ones(self, open_app, monkeypatch):
        for name, value in CITY.items():
            monkeypatch.setenv(name, value)
        app = open_app(SIGN_IN, None)

        assert ways_in(app) == [
            "/auth/city/start?back_to=%2F", "/auth/demo/start?back_to=%2F"
        ]  # fmt: skip
        assert "<b>" not in "".join(html.proto.body for html in app.get("html"))

    def test_production_offers_the_configured_ones_only(self, open_app, monkeypatch):
        monkeypatch.setenv("CAREPILOT_MODE", "production")

        assert ways_in(open_app(SIGN_IN, None)) == []

    def test_where_nobody_serves_their_addresses_one_line_says_so(self, open_app, monkeypatch):
        monkeypatch.setattr(config, "_server_mode", "starlette-managed")
        app = open_app(SIGN_IN, None)
        assert ways_in(app) == []
        assert words("joining.make_run") in said(app)

        app = open_app(SECURITY, ZHOU)
        assert ways_in(app) == []
        assert said(app).count(words("joining.make_run")) == 1

    @pytest.mark.parametrize("problem", Problem)
    def test_each_problem_has_one_sentence(self, open_app, problem):
        app = open_app(SIGN_IN, None, problem=problem)

        assert words(f"provider_problem.{problem}") in [one.value for one in app.warning]

    def test_an_unknown_problem_says_nothing(self, open_app):
        assert not open_app(SIGN_IN, None, problem=NASTY).warning


class TestSecurity:
    def test_what_is_linked_can_be_unlinked(self, open_app, waiting):
        waiting(kind=FlowKind.LINK, actor=ZHOU)
        app = open_app(SECURITY, ZHOU)
        assert words("provider.demo") in said(app)
        assert ways_in(app) == []
        [key] = [key for key in questions(app) if key.startswith("unlink_")]

        confirm(app, key)

        assert successes(app) == [words("linked.unlinked")]
        assert ways_in(app) == ["/auth/demo/start?link=1&amp;back_to=%2Fsecurity"]

    def test_another_accounts_identity_offers_to_merge(self, open_app, waiting):
        with writing() as session:
            one_person(session)
        waiting(kind=FlowKind.LINK, actor=STRANGER)
        waiting(kind=FlowKind.LINK, actor=ZHOU)
        app = open_app(SECURITY, ZHOU)
        assert words("merging.found", provider=words("provider.demo")) in said(app)

        confirm(app, "merge_found")

        assert successes(app) == [words("merging.done")]
        with reading() as session:
            assert session.get_one(Account, STRANGER.id).merged_into_id == ZHOU.id

    def test_the_other_account_is_merged_by_its_phone(self, open_app):
        with writing() as session:
            one_person(session)
        app = opened(open_app(SECURITY, ZHOU), "merge_mine")
        code = send_code(app, phone_of(STRANGER), "merge")
        opened(app, "merge_mine").text_input(key="merge_code").set_value(code)
        app.button(key="merge_submit").click().run()
        assert errors(app) == [words("merging.not_sure")]

        app.session_state["merge_mine"] = True
        app.checkbox(key="merge_sure").check()
        app.button(key="merge_submit").click().run()

        assert successes(app) == [words("merging.done")]
        with reading() as session:
            assert session.get_one(Account, STRANGER.id).merged_into_id == ZHOU.id

    def test_who_works_here_is_offered_no_merge(self, open_app):
        app = open_app(SECURITY, LI)

        assert words("merging.title") not in [one.label for one in app.expander]


def test_a_session_of_somebody_who_joined_is_an_ordinary_one(open_app, waiting):
    waiting("林小满")
    app = open_app(PAGE, None)
    submit(app, send_code(app, NEW_PHONE))

    with reading() as session:
        visitor = sessions.resume(session, app.session_state["session_token"])
    assert visitor.name == "林小满"
