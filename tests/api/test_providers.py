"""To a provider and back, over the real wire formats: who comes in, and what must not."""

import asyncio
import logging
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from api import oidc, outgoing
from api.logs import LOGGING
from api.routes import ROUTES
from data.accounts import Account, AccountStatus
from data.database import reading, writing
from data.identities import Identity, ProviderFlow
from data.sessions import SignInSession
from services import attempts, credentials, joining, sessions
from services.joining import Proven
from services.providers import Problem
from tests.conftest import token_of
from tests.factories import STRANGER, ZHOU
from tests.providers import CLIENT, NAME, SUBJECT, UNION_ID, WEB_APP, local_provider

OURS = "http://127.0.0.1:9"
DEEP = "/redeem?visit=7&code=ABCD-EFGH"
WECHAT_BROWSER = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.49"}
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
KINDS = {"wechat": "/sns/oauth2/access_token", "city": "/token"}


@pytest.fixture(scope="module")
def running():
    with local_provider() as provider:
        yield provider


@pytest.fixture
def provider(running, monkeypatch):
    """The local provider, configured and well; what it is told in a test ends with it."""
    oidc._discovered.clear()
    for name, value in running.environment("web", "app", "oidc").items():
        monkeypatch.setenv(name, value)
    yield running
    running.told, running.name = "", NAME
    running.asked.clear()


@pytest.fixture
def app(database):
    return Starlette(routes=ROUTES)


@pytest.fixture
def browser(app):
    return another(app)


class Browser:
    """Somebody's browser: it keeps cookies and follows nothing by itself."""

    def __init__(self, app, headers):
        self.app, self.headers, self.cookies = app, headers, httpx.Cookies()

    def get(self, address, **given):
        return asyncio.run(self._ask("GET", address, given))

    def post(self, address, **given):
        return asyncio.run(self._ask("POST", address, given))

    async def _ask(self, method, address, given):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=OURS,
            headers=self.headers,
            cookies=self.cookies,
            verify=False,
        ) as client:
            answer = await client.request(method, address, **given)
            self.cookies = client.cookies
            return answer


def another(app, **headers):
    return Browser(app, headers)


def set_out(browser, name, back_to=DEEP, **options):
    """Press the button; where that leads."""
    query = {"back_to": back_to} | options.pop("query", {})
    address = name if "/" in name else f"/auth/{name}/start"
    return browser.get(address, params=query, **options)


def agree(answer):
    """Say yes at the provider; the address it sends the browser back to."""
    page = httpx.get(answer.headers["Location"], verify=False)
    return page.headers["X-Back"].removeprefix(OURS)


def round_trip(browser, name, **options):
    return browser.get(agree(set_out(browser, name, **options)))


def problem(answer):
    """The page and the problem somebody is sent back with."""
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["Location"])
    return parts.path, parse_qs(parts.query).get("problem")


def count(*conditions):
    with reading() as session:
        return session.scalar(select(func.count(SignInSession.id)).where(*conditions))


def flags(answer, name):
    """The flags of a cookie the answer sets."""
    [cookie] = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{name}=")]
    return {part.strip().lower() for part in cookie.split(";")[1:]}


def known(kind, subject, actor=ZHOU):
    """Let an identity open the account of one of the cast."""
    its = joining._subject_hash(Proven(kind, subject))
    with writing() as session:
        joining._attach(session, actor, ProviderFlow(provider=kind, subject_hash=its))


@pytest.fixture
def zhou_is_known(database, provider):
    known("wechat", UNION_ID)
    known("city", f"{provider.url}|{SUBJECT}")


def sign_in(browser, actor):
    """Give a browser the session cookie of one of the cast."""
    value = credentials.cookie_value(token_of(actor), joining.clock.now() + sessions.LIFETIME)
    browser.cookies.set(sessions.COOKIE_NAME, value, domain="127.0.0.1")


@pytest.mark.parametrize("name", KINDS)
class TestComingIn:
    def test_a_known_person_comes_in_where_they_wanted_to_go(self, browser, zhou_is_known, name):
        answer = round_trip(browser, name)

        assert (answer.status_code, answer.headers["Location"]) == (303, DEEP)
        assert answer.headers["Cache-Control"] == "no-store"
        token = credentials.token_of(browser.cookies[sessions.COOKIE_NAME])
        with reading() as session:
            assert sessions.resume(session, token).actor == ZHOU
        assert joining.FLOW_COOKIE not in browser.cookies

    def test_an_unknown_one_waits_to_be_asked_for_the_rest(self, browser, provider, name):
        answer = round_trip(browser, name)

        assert answer.headers["Location"] == "/join"
        assert sessions.COOKIE_NAME not in browser.cookies
        with reading() as session:
            waiting = joining.pending(session, browser.cookies[joining.FLOW_COOKIE])
            [flow] = session.scalars(select(ProviderFlow))
        assert (waiting.kind, waiting.given_name) == (name, NAME)
        assert flow.back_to == DEEP
        assert SUBJECT not in flow.subject_hash
        assert UNION_ID not in flow.subject_hash

    def test_both_cookies_are_out_of_reach_of_scripts(self, browser, zhou_is_known, name):
        begun = set_out(browser, name)
        done = browser.get(agree(begun))

        for answer, cookie in ((begun, joining.FLOW_COOKIE), (done, sessions.COOKIE_NAME)):
            assert {"httponly", "samesite=lax", "path=/"} <= flags(answer, cookie)
            assert "secure" not in flags(answer, cookie)

    def test_a_session_planted_before_is_not_the_one_that_comes_in(
        self, browser, zhou_is_known, name
    ):
        sign_in(browser, STRANGER)
        planted = browser.cookies[sessions.COOKIE_NAME]
        round_trip(browser, name)
        [value] = {c.value for c in browser.cookies.jar if c.name == sessions.COOKIE_NAME} - {
            planted
        }

        with reading() as session:
            assert sessions.resume(session, credentials.token_of(value)).actor == ZHOU

    def test_a_suspended_person_does_not_come_in(self, browser, zhou_is_known, name):
        with writing() as session:
            session.get_one(Account, ZHOU.id).status = AccountStatus.SUSPENDED

        assert problem(round_trip(browser, name)) == ("/sign_in", [Problem.CLOSED])
        assert sessions.COOKIE_NAME not in browser.cookies

    def test_who_says_no_is_told_so_and_keeps_the_way(self, browser, provider, name):
        provider.told = "deny"
        answer = round_trip(browser, name)

        assert problem(answer) == ("/sign_in", [Problem.DENIED])
        assert parse_qs(urlsplit(answer.headers["Location"]).query)["back_to"] == [DEEP]

    def test_a_spent_code_opens_nothing(self, browser, zhou_is_known, provider, name):
        provider.told = "expired code"

        assert problem(round_trip(browser, name)) == ("/sign_in", [Problem.EXPIRED])
        assert count() == 0

    def test_coming_back_twice_opens_nothing_more(self, app, browser, zhou_is_known, name):
        back = agree(set_out(browser, name))
        kept = dict(browser.cookies)
        browser.get(back)
        thief = another(app)
        for cookie, value in kept.items():
            thief.cookies.set(cookie, value, domain="127.0.0.1")

        assert problem(thief.get(back)) == ("/sign_in", [Problem.STATE])
        assert problem(browser.get(back)) == ("/sign_in", [Problem.STATE])
        assert count() == 1

    def test_nor_does_another_browser(self, app, browser, zhou_is_known, provider, name):
        back = agree(set_out(browser, name))
        provider.asked.clear()
        victim = another(app)
        set_out(victim, name)

        for visitor in (victim, another(app)):
            assert problem(visitor.get(back)) == ("/sign_in", [Problem.STATE])
        assert KINDS[name] not in provider.asked  # The code was not even tried.

    @pytest.mark.parametrize("state", ["", "0" * 64, "x" * 5000, "💥"])
    def test_nor_does_a_state_of_ones_own(self, browser, zhou_is_known, name, state):
        set_out(browser, name)
        answer = browser.get(f"/auth/{name}/callback", params={"code": "1", "state": state})

        assert problem(answer) == ("/sign_in", [Problem.STATE])

    def test_nor_after_ten_minutes(self, browser, zhou_is_known, clock, name):
        back = agree(set_out(browser, name))
        clock.move(minutes=10)

        assert problem(browser.get(back)) == ("/sign_in", [Problem.STATE])

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            ("down", Problem.UNREACHABLE),
            ("slow", Problem.UNREACHABLE),
            ("elsewhere", Problem.REFUSED),
            ("huge", Problem.REFUSED),
            ("no json", Problem.REFUSED),
        ],
    )
    def test_a_provider_in_trouble_lets_nobody_in(
        self, browser, zhou_is_known, provider, monkeypatch, name, told, said
    ):
        monkeypatch.setattr(outgoing, "SECONDS", 0.5)
        back = agree(set_out(browser, name))
        provider.told = told

        assert problem(browser.get(back)) == ("/sign_in", [said])
        assert "/stolen" not in provider.asked
        assert count() == 0

    def test_it_leads_to_our_own_pages_only(self, browser, zhou_is_known, name):
        answer = round_trip(browser, name, back_to="//evil.example/redeem")

        assert answer.headers["Location"] == "/"

    def test_nothing_secret_is_logged(self, browser, zhou_is_known, provider, name, caplog):
        for library in ("httpx", "httpcore"):
            caplog.set_level(LOGGING["loggers"][library]["level"], logger=library)
        caplog.set_level(logging.DEBUG)
        secrets = [WEB_APP[1], CLIENT[1], "client+secret"]
        for told in ("", "expired code", "no json", "down"):
            back = agree(set_out(browser, name))
            query = parse_qs(urlsplit(back).query)
            secrets += query["state"] + query["code"]
            provider.told = told
            browser.get(back)
            provider.told = ""
        said = "\n".join(record.getMessage() for record in caplog.records)

        assert "ended: expired" in said
        assert not [secret for secret in secrets if secret in said]


def test_who_sets_out_too_often_is_told_to_wait(browser, provider, monkeypatch):
    monkeypatch.setattr(attempts, "FREE_TRIPS", 2)
    for _ in range(2):
        assert set_out(browser, "city").headers["Location"].startswith(provider.url)
    provider.asked.clear()
    answer = set_out(browser, "wechat")

    assert problem(answer) == ("/sign_in", [Problem.TOO_OFTEN])
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["back_to"] == [DEEP]
    assert provider.asked == []
    with reading() as session:
        assert session.scalar(select(func.count(ProviderFlow.id))) == 2


def test_behind_tls_both_cookies_are_secure(app, zhou_is_known):
    browser = another(app)
    begun = set_out(browser, "https://127.0.0.1:9/auth/city/start")
    page = httpx.get(begun.headers["Location"], verify=False)
    done = browser.get(page.headers["X-Back"])

    assert "secure" in flags(begun, joining.FLOW_COOKIE)
    assert "secure" in flags(done, sessions.COOKIE_NAME)


class TestWeChat:
    def test_the_browser_decides_which_app(self, app, provider):
        for headers, path, scope in (
            ({}, "/connect/qrconnect", "snsapi_login"),
            (WECHAT_BROWSER, "/connect/oauth2/authorize", "snsapi_userinfo"),
        ):
            address = urlsplit(set_out(another(app, **headers), "wechat").headers["Location"])
            query = parse_qs(address.query)
            assert (address.path, query["scope"], address.fragment) == (
                path, [scope], "wechat_redirect"
            )  # fmt: skip
            assert query["redirect_uri"] == [f"{OURS}/auth/wechat/callback"]

    def test_one_person_is_the_same_in_both_apps(self, app, zhou_is_known):
        for headers in ({}, WECHAT_BROWSER):
            assert round_trip(another(app, **headers), "wechat").headers["Location"] == DEEP

    def test_without_a_unionid_the_openid_of_each_app_counts(self, app, provider):
        provider.told = "no unionid"
        round_trip(another(app), "wechat")
        round_trip(another(app, **WECHAT_BROWSER), "wechat")
        with reading() as session:
            flows = session.scalars(select(ProviderFlow).order_by(ProviderFlow.id)).all()

        assert [flow.provider for flow in flows] == ["wechat_web", "wechat_app"]
        assert flows[0].subject_hash != flows[1].subject_hash

    def test_a_wrong_secret_lets_nobody_in(self, browser, zhou_is_known, monkeypatch):
        monkeypatch.setenv("CAREPILOT_WECHAT_WEB_APP_SECRET", "not the one")

        assert problem(round_trip(browser, "wechat")) == ("/sign_in", [Problem.REFUSED])

    def test_a_person_who_changes_on_the_way_is_nobody(self, browser, zhou_is_known, provider):
        provider.told = "somebody else"

        assert problem(round_trip(browser, "wechat")) == ("/sign_in", [Problem.REFUSED])


class TestOidc:
    @pytest.mark.parametrize(
        "told",
        [
            "alg none", "shared secret", "wrong key", "wrong nonce", "wrong aud", "two auds",
            "wrong iss", "old token", "no sub",
        ],
    )  # fmt: skip
    def test_a_token_not_made_for_this_trip_opens_nothing(
        self, browser, zhou_is_known, provider, told
    ):
        provider.told = told

        assert problem(round_trip(browser, "city")) == ("/sign_in", [Problem.REFUSED])
        assert count() == 0

    def test_an_answer_of_another_issuer_is_not_taken(self, browser, zhou_is_known, provider):
        provider.told = "other issuer"

        assert problem(round_trip(browser, "city")) == ("/sign_in", [Problem.STATE])

    @pytest.mark.parametrize("told", ["wrong issuer", "open endpoint"])
    def test_a_provider_that_describes_itself_wrongly_is_not_asked(
        self, browser, provider, monkeypatch, told
    ):
        monkeypatch.setenv("CAREPILOT_MODE", "production")
        monkeypatch.setenv("CAREPILOT_PUBLIC_URL", "https://carepilot.example")
        provider.told = told

        assert problem(set_out(browser, "city")) == ("/sign_in", [Problem.REFUSED])
        with reading() as session:
            assert session.scalar(select(func.count(ProviderFlow.id))) == 0

    def test_the_public_address_is_the_one_told_to_the_provider(
        self, browser, provider, monkeypatch
    ):
        monkeypatch.setenv("CAREPILOT_PUBLIC_URL", "https://carepilot.example/")
        address = set_out(browser, "city", headers={"Host": "evil.example"}).headers["Location"]

        assert parse_qs(urlsplit(address).query)["redirect_uri"] == [
            "https://carepilot.example/auth/city/callback"
        ]

    def test_every_trip_has_its_own_nonce_and_challenge(self, browser, provider):
        trips = [
            parse_qs(urlsplit(set_out(browser, "city").headers["Location"]).query) for _ in range(2)
        ]
        for part in ("state", "nonce", "code_challenge"):
            assert trips[0][part] != trips[1][part]
        assert trips[0]["code_challenge_method"] == ["S256"]


class TestLinking:
    def link(self, browser, **headers):
        return set_out(browser, "city", "/security", query={"link": "1"}, headers=headers)

    def test_a_signed_in_person_links_another_way_in(self, browser, provider):
        sign_in(browser, ZHOU)
        answer = browser.get(agree(self.link(browser, **FROM_OUR_PAGE)))

        assert answer.headers["Location"] == "/security"
        with reading() as session:
            [identity] = session.scalars(select(Identity))
        assert (identity.account_id, identity.provider) == (ZHOU.id, "city")
        assert count() == 1  # No new session.

    @pytest.mark.parametrize(
        "sent",
        [
            {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-site"}, {}, {"Referer": "https://evil.example/"},
        ],
    )  # fmt: skip
    def test_it_begins_on_our_own_page_only(self, browser, provider, sent):
        sign_in(browser, ZHOU)

        assert problem(self.link(browser, **sent)) == ("/security", [Problem.SESSION])

    def test_an_older_browser_names_the_page_instead(self, browser, provider):
        sign_in(browser, ZHOU)

        assert (
            self.link(browser, Referer=f"{OURS}/security")
            .headers["Location"]
            .startswith(provider.url)
        )

    def test_nobody_signed_in_links_nothing(self, browser, provider):
        assert problem(self.link(browser, **FROM_OUR_PAGE)) == ("/security", [Problem.SESSION])

    def test_the_account_that_comes_back_must_be_the_one_that_set_out(self, browser, provider):
        sign_in(browser, ZHOU)
        back = agree(self.link(browser, **FROM_OUR_PAGE))
        browser.cookies.delete(sessions.COOKIE_NAME)
        sign_in(browser, STRANGER)

        assert problem(browser.get(back)) == ("/security", [Problem.SESSION])
        with reading() as session:
            assert session.scalar(select(func.count(Identity.id))) == 0

    def test_an_identity_of_another_account_changes_no_hands(self, browser, zhou_is_known):
        sign_in(browser, STRANGER)
        answer = browser.get(agree(self.link(browser, **FROM_OUR_PAGE)))

        assert answer.headers["Location"] == "/security"
        with reading() as session:
            owners = set(session.scalars(select(Identity.account_id)))
            offered = joining.mergeable(session, STRANGER, browser.cookies[joining.FLOW_COOKIE])
        assert owners == {ZHOU.id}
        assert offered == "city"


class TestDemo:
    """The demo's own provider."""

    def consent(self, browser, person):
        page = browser.get(set_out(browser, "demo").headers["Location"])
        given = dict(re.findall(r'name="(state|nonce)" value="(\w+)"', page.text))
        sent = browser.post(
            "/auth/demo-provider/authorize",
            data=given | {"as": person},
            headers={"Origin": OURS},
        )
        return sent.headers["Location"]

    def test_one_click_and_one_choice_lead_to_the_rest(self, browser):
        answer = browser.get(self.consent(browser, "wang"))

        assert answer.headers["Location"] == "/join"
        with reading() as session:
            waiting = joining.pending(session, browser.cookies[joining.FLOW_COOKIE])
        assert (waiting.kind, waiting.given_name) == ("demo", "王小雅")

    @pytest.mark.parametrize("person", ["", "nobody"])
    def test_who_says_no_is_told_so(self, browser, person):
        assert problem(browser.get(self.consent(browser, person))) == ("/sign_in", [Problem.DENIED])

    def test_a_code_of_another_trip_is_not_taken(self, browser):
        other = parse_qs(urlsplit(self.consent(browser, "wang")).query)["code"][0]
        own = urlsplit(self.consent(browser, "chen"))
        state = parse_qs(own.query)["state"][0]

        answer = browser.get(own.path, params={"code": other, "state": state})
        assert problem(answer) == ("/sign_in", [Problem.REFUSED])

    def test_what_the_address_holds_is_never_markup(self, browser):
        page = browser.get("/auth/demo-provider/authorize", params={"state": '"><script>'})

        assert "<script" not in page.text

    def test_it_takes_its_form_from_its_own_page_only(self, browser):
        for origin in ("https://evil.example", "null"):
            sent = browser.post(
                "/auth/demo-provider/authorize", data={"as": "wang"}, headers={"Origin": origin}
            )
            assert sent.status_code == 403

    def test_outside_a_demo_there_is_none(self, browser, monkeypatch):
        away = self.consent(browser, "wang")
        monkeypatch.setenv("CAREPILOT_MODE", "production")

        assert set_out(browser, "demo").status_code == 404
        assert browser.get("/auth/demo-provider/authorize").status_code == 404
        assert browser.post("/auth/demo-provider/authorize").status_code == 404
        assert problem(browser.get(away)) == ("/sign_in", [Problem.REFUSED])


@pytest.mark.parametrize("name", ["wechat", "city", "session", "..", "demo-provider", "wechat_app"])
def test_a_provider_nobody_configured_does_not_exist(browser, name):
    assert set_out(browser, name).status_code == 404
