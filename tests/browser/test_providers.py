"""One click and one confirmed phone: a new family comes in through a provider of each kind."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE, Person
from tests.live_server import LiveServer, live_server
from tests.providers import NAME, LocalProvider, local_provider

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[LocalProvider]:
    with local_provider() as running:
        yield running


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, demo_file, provider) -> Iterator[LiveServer]:
    """Server and worker with an untouched demo, and both kinds of providers configured."""
    with live_server(
        tmp_path_factory.mktemp("providers"),
        worker=True,
        demo=demo_file,
        **provider.environment("web", "oidc"),
    ) as server:
        yield server


@pytest.fixture
def well(provider):
    """The provider answers as it should; what it is told in a test ends with it."""
    yield provider
    provider.told, provider.name = "", NAME


def press(person: Person, kind: str) -> None:
    """One click on the way in, and the provider's own yes."""
    person.page.locator(f"a.way-in-{kind}").click(timeout=PATIENCE_MS)
    person.page.locator("#go").click(timeout=PATIENCE_MS)
    person.settle()


def confirm_phone(person: Person, phone: str) -> None:
    person.fill("join_phone", phone)
    person.press("join_send")
    code = person.page.get_by_text("您的验证码是").first
    code.wait_for(timeout=PATIENCE_MS)
    [digits] = re.findall(r"\d{6}", code.inner_text())
    person.fill("join_code", digits)
    person.key("join_agreed").locator("label").first.click()
    person.is_well()
    person.press("join_submit")


def only_asked(person: Person, provider: LocalProvider) -> None:
    """Nothing outside was asked but the provider itself; conftest.py looks at what is left."""
    assert any(address.startswith(provider.url) for address in person.outside)
    person.outside[:] = [one for one in person.outside if not one.startswith(provider.url)]


@pytest.mark.parametrize(("kind", "phone"), [("wechat", "13812340001"), ("oidc", "13812340002")])
def test_a_new_family_comes_in_by_one_click_and_lands_where_it_wanted(
    pilot, well, arrive, kind, phone
):
    daughter = arrive(pilot.url, size=PHONE)
    daughter.open("redeem?visit=7&code=ABCD-EFGH")
    daughter.is_well()
    press(daughter, kind)
    daughter.sees(f"{NAME}，您好！")
    expect(daughter.key("join_name")).to_have_count(0)
    confirm_phone(daughter, phone)

    daughter.sees("核销服务")
    expect(daughter.page).to_have_url(
        f"{pilot.url}/redeem?visit=7&code=ABCD-EFGH", timeout=PATIENCE_MS
    )
    cookie = daughter.cookie()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert "carepilot" not in daughter.page.evaluate("document.cookie")

    # From now on it is one click only, and the cookie comes with it.
    daughter.page.context.clear_cookies()
    daughter.open("my_orders?from=here")
    press(daughter, kind)
    expect(daughter.key("sign_out")).to_be_attached(timeout=PATIENCE_MS)
    expect(daughter.page).to_have_url(f"{pilot.url}/my_orders?from=here")
    names = {one["name"] for one in daughter.page.context.cookies()}
    assert "carepilot_session" in names
    assert "carepilot_flow" not in names
    only_asked(daughter, well)


def test_behind_tls_the_cookie_is_secure(pilot, well, arrive):
    visitor = arrive(pilot.url)
    answer = visitor.page.request.get(
        f"{pilot.url}/auth/city/start", headers={"X-Forwarded-Proto": "https"}, max_redirects=0
    )

    flags = answer.headers["set-cookie"].lower()
    assert all(flag in flags for flag in ("secure", "httponly", "samesite=lax"))


def test_who_says_no_reads_one_plain_sentence_and_may_try_again(pilot, well, arrive):
    well.told = "deny"
    son = arrive(pilot.url, theme="dark")
    son.open("redeem?visit=7")
    press(son, "wechat")
    son.sees("您没有同意登录")
    son.is_well()

    well.told = ""
    press(son, "wechat")
    expect(son.page).to_have_url(re.compile(r"/(join|redeem\?visit=7)$"), timeout=PATIENCE_MS)
    only_asked(son, well)


def test_the_demos_own_provider_works_at_once_and_is_linked_and_unlinked(pilot, arrive):
    family = arrive(pilot.url, size=PHONE, theme="dark")
    family.open("sign_in")
    family.demo_sign_in("customer")
    family.cookie()
    family.open("security")
    family.page.locator("a.way-in-demo").click(timeout=PATIENCE_MS)
    family.page.get_by_role("button", name="王小雅").click(timeout=PATIENCE_MS)
    family.settle()
    family.sees("上次使用")
    family.is_well()

    stranger = arrive(pilot.url)
    stranger.open("sign_in")
    stranger.page.locator("a.way-in-demo").click(timeout=PATIENCE_MS)
    stranger.page.get_by_role("button", name="王小雅").click(timeout=PATIENCE_MS)
    stranger.sees("周晓燕")  # The same person, in another browser.

    family.page.get_by_role("button", name="解绑").first.click(timeout=PATIENCE_MS)
    family.settle()
    family.page.get_by_role("button", name="确认").first.click(timeout=PATIENCE_MS)
    family.sees("已解绑")
