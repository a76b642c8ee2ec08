"""Coming in: deep links, cookies, two tabs, the way out."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser


def test_a_deep_link_keeps_its_path_and_query_through_signing_in(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.open("redeem?visit=7&code=ABCD-EFGH")
    daughter.sees("登录后直接进入您要打开的页面")
    daughter.is_well()

    daughter.demo_sign_in("customer")

    daughter.sees("核销服务")
    expect(daughter.page).to_have_url(f"{pilot.url}/redeem?visit=7&code=ABCD-EFGH")


def test_the_cookie_is_out_of_reach_of_scripts_and_survives_a_reload(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.open("sign_in")
    daughter.demo_sign_in("customer")

    cookie = daughter.cookie()

    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert "carepilot_session" not in daughter.page.evaluate("document.cookie")
    daughter.page.reload()
    daughter.settle()
    expect(daughter.key("sign_out")).to_be_attached(timeout=PATIENCE_MS)


def test_signing_out_ends_the_session_in_every_tab(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.open("sign_in")
    daughter.demo_sign_in("customer")
    daughter.cookie()
    second = daughter.page.context.new_page()
    second.goto(f"{pilot.url}/my_orders")
    expect(second.locator(".st-key-sign_out").first).to_be_attached(timeout=PATIENCE_MS)

    daughter.press("sign_out")

    second.reload()
    expect(second.locator(".st-key-demo_sign_in").first).to_be_visible(timeout=PATIENCE_MS)


def test_a_page_of_another_role_says_so_in_words(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.open("sign_in")
    daughter.demo_sign_in("customer")
    daughter.cookie()

    daughter.open("today")

    daughter.sees("这个页面不属于您当前的身份")
    assert daughter.page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", ["welcome", "sign_in"])
def test_the_front_door_is_well_on_a_phone(pilot, arrive, page, theme):
    visitor = arrive(pilot.url, size=PHONE, theme=theme)
    visitor.open(page)

    visitor.is_well()
