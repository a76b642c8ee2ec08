import pytest

from services import providers
from services.providers import Offer
from services.settings import ConfigurationError

WEB = {"CAREPILOT_WECHAT_WEB_APP_ID": "wx-web", "CAREPILOT_WECHAT_WEB_APP_SECRET": "secret"}
IN_APP = {"CAREPILOT_WECHAT_APP_ID": "wx-app", "CAREPILOT_WECHAT_APP_SECRET": "secret"}
CITY = {
    "CAREPILOT_OIDC_PROVIDERS": "city",
    "CAREPILOT_OIDC_CITY_ISSUER": "https://id.example/",
    "CAREPILOT_OIDC_CITY_CLIENT_ID": "client",
    "CAREPILOT_OIDC_CITY_CLIENT_SECRET": "secret",
}
PUBLIC = {"CAREPILOT_PUBLIC_URL": "https://carepilot.example"}
WECHAT_BROWSER = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.49"


@pytest.fixture
def configure(monkeypatch):
    def configure(*parts, mode="production", **changes):
        monkeypatch.setenv("CAREPILOT_MODE", mode)
        for part in (*parts, changes):
            for name, value in part.items():
                monkeypatch.setenv(name, value)

    return configure


def names(user_agent=""):
    return [offer.name for offer in providers.offered(user_agent)]


def test_nobody_is_offered_what_nobody_configured(configure):
    configure()

    assert names() == []
    providers.check()


def test_a_demo_offers_its_own(configure):
    configure(mode="demo")

    assert names() == ["demo"]


def test_each_browser_is_offered_what_it_can_use(configure):
    configure(WEB, CITY, PUBLIC)
    assert (names(), names(WECHAT_BROWSER)) == (["wechat", "city"], ["city"])

    configure(IN_APP)
    assert names(WECHAT_BROWSER) == ["wechat", "city"]
    assert providers.wechat_for(WECHAT_BROWSER).app_id == "wx-app"
    assert providers.wechat_for("").app_id == "wx-web"


def test_an_identity_keeps_a_name_when_its_provider_is_gone(configure):
    configure(CITY, PUBLIC, CAREPILOT_OIDC_CITY_LABEL="My City")

    assert providers.label_of("city") == Offer("city", "My City")
    assert providers.label_of("wechat_app") == Offer("wechat")
    assert providers.label_of("gone") == Offer("gone", "gone")


@pytest.mark.parametrize(
    ("part", "changes", "named"),
    [
        (WEB, {"CAREPILOT_WECHAT_WEB_APP_SECRET": ""}, "CAREPILOT_WECHAT_WEB_APP_ID"),
        (WEB, {"CAREPILOT_WECHAT_API_URL": "http://api.example"}, "CAREPILOT_WECHAT_API_URL"),
        (CITY, {"CAREPILOT_OIDC_CITY_ISSUER": ""}, "CAREPILOT_OIDC_CITY_ISSUER"),
        (CITY, {"CAREPILOT_OIDC_CITY_ISSUER": "http://id.example"}, "CAREPILOT_OIDC_CITY_ISSUER"),
        (CITY, {"CAREPILOT_OIDC_CITY_ISSUER": "https://a@id.example"}, "OIDC_CITY_ISSUER"),
        (CITY, {"CAREPILOT_OIDC_CITY_CLIENT_SECRET": " "}, "CAREPILOT_OIDC_CITY_CLIENT_SECRET"),
        (CITY, {"CAREPILOT_OIDC_CITY_LABEL": "x" * 31}, "CAREPILOT_OIDC_CITY_LABEL"),
        (CITY, {"CAREPILOT_OIDC_PROVIDERS": "city,City"}, "CAREPILOT_OIDC_PROVIDERS"),
        (CITY, {"CAREPILOT_OIDC_PROVIDERS": "city,city"}, "CAREPILOT_OIDC_PROVIDERS"),
        (CITY, {"CAREPILOT_OIDC_PROVIDERS": "wechat"}, "CAREPILOT_OIDC_PROVIDERS"),
        (CITY, {"CAREPILOT_PUBLIC_URL": ""}, "CAREPILOT_PUBLIC_URL"),
        (CITY, {"CAREPILOT_PUBLIC_URL": "carepilot.example"}, "CAREPILOT_PUBLIC_URL"),
    ],
)
def test_what_is_named_but_not_described_keeps_the_app_from_starting(
    configure, part, changes, named
):
    configure(part, PUBLIC, **changes)

    with pytest.raises(ConfigurationError, match=named) as refused:
        providers.check()
    assert "\n" not in str(refused.value)


def test_this_machine_and_a_demo_may_do_without_tls(configure):
    configure(CITY, PUBLIC, CAREPILOT_OIDC_CITY_ISSUER="http://127.0.0.1:8712")
    providers.check()
    configure(mode="demo", CAREPILOT_OIDC_CITY_ISSUER="http://id.intranet")
    providers.check()


@pytest.mark.parametrize(
    "own", ["/", "/redeem", "/redeem?visit=7&code=ABCD-EFGH", "/join?name=%E5%91%A8&a=b%2Fc"]
)
def test_our_own_paths_are_kept(own):
    assert providers.own_path(own) == own


@pytest.mark.parametrize(
    "elsewhere",
    [
        "", "redeem", "https://evil.example/", "//evil.example", "/\\evil.example",
        "\\\\evil.example", "/redeem\r\nSet-Cookie: x=1", "/redeem?x=1\n", "javascript:alert(1)",
        "/auth/wechat/start?link=1", "/../..//evil.example", "/redeem#x", "/redeem?x=\u202e",
        "/a" * 300, "/ ", "/redeem?" + "a" * 500, "/\t/evil.example", "/.//evil.example",
    ],
)  # fmt: skip
def test_everything_else_leads_home(elsewhere):
    assert providers.own_path(elsewhere) == "/"
