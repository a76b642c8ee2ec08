"""Sign-in and security in real browsers: forged cookies, two people, sessions, second factor."""

import re

import jwt
import pytest
from playwright.sync_api import expect
from pyotp.totp import TOTP

from services import clock, sessions
from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser

COOKIE = sessions.COOKIE_NAME


def carry(person, value):
    """Put this into the browser's session cookie."""
    person.page.context.add_cookies([{"name": COOKIE, "value": value, "url": person.base}])


def is_signed_out(person, address="my_orders"):
    person.open(address)
    expect(person.key("demo_sign_in")).to_be_visible(timeout=PATIENCE_MS)
    return person.key("sign_out").count() == 0


def second_tab(person):
    """Another tab of the same browser."""
    return type(person)(person.page.context.new_page(), person.base)


def test_forged_foreign_unsigned_and_replayed_cookies_open_nothing(pilot, arrive):
    daughter = arrive(pilot.url)
    daughter.open("sign_in")
    daughter.demo_sign_in("customer")
    real = daughter.cookie()["value"]
    token = jwt.decode(real, options={"verify_signature": False})["username"]
    body = {"username": token, "exp_date": clock.now().timestamp() + 9999}
    thief = arrive(pilot.url)

    head, payload, signature = real.split(".")
    for forged in (
        jwt.encode(body, "another house's own secret, as long as ours", "HS256"),
        jwt.encode(body, None, "none"),
        f"{jwt.encode(body, None, 'none').split('.')[0]}.{payload}.{signature}",
        f"{head}.{payload}.",
        token,
        "",
    ):
        carry(thief, forged)
        assert is_signed_out(thief)
    carry(thief, real)
    thief.open("my_orders")
    expect(thief.key("sign_out")).to_be_attached(timeout=PATIENCE_MS)

    daughter.press("sign_out")

    assert is_signed_out(thief)
    carry(daughter, real)
    assert is_signed_out(daughter)


def test_a_cookie_that_was_there_before_is_replaced_by_a_fresh_one(pilot, arrive):
    mallory, daughter = arrive(pilot.url), arrive(pilot.url)
    mallory.open("sign_in")
    mallory.demo_sign_in("caregiver")
    planted = mallory.cookie()["value"]
    mallory.press("sign_out")
    carry(daughter, planted)
    daughter.open("sign_in")
    daughter.demo_sign_in("customer")
    daughter.page.wait_for_function("window.carepilotTicket")
    daughter.page.wait_for_timeout(1000)

    fresh = daughter.cookie()["value"]
    assert fresh != planted
    carry(mallory, planted)
    assert is_signed_out(mallory)


def test_each_tab_stays_with_the_person_it_shows(pilot, arrive):
    first = arrive(pilot.url)
    second = second_tab(first)
    second.open("sign_in")
    first.open("sign_in")
    first.demo_sign_in("customer")
    first.cookie()
    first.open("profile")  # Now known by the cookie.
    first.sees("周晓燕")

    second.demo_sign_in("caregiver")
    second.page.wait_for_timeout(1500)
    first.page.context.set_offline(offline=True)
    first.page.wait_for_timeout(500)
    first.page.context.set_offline(offline=False)
    first.fill("rename_name", "周晓燕女士")
    first.press("rename_save")

    expect(first.key("who")).to_contain_text("周晓燕女士", timeout=PATIENCE_MS)
    expect(second.key("who")).to_contain_text("李桂兰")
    first.open("profile")
    expect(first.key("who")).to_contain_text("李桂兰", timeout=PATIENCE_MS)


def test_other_devices_are_listed_and_signed_out(pilot, arrive):
    daughter, on_the_phone = arrive(pilot.url), arrive(pilot.url, size=PHONE)
    for person in (on_the_phone, daughter):
        person.open("sign_in")
        person.demo_sign_in("customer")
        person.cookie()
    on_the_phone.open("security")
    on_the_phone.sees("Chrome · Linux")
    on_the_phone.is_well()
    daughter.open("security")
    daughter.is_well()
    daughter.press("end_others_ask")
    daughter.press("end_others")
    daughter.sees("其他设备的登录已全部结束")

    on_the_phone.press("password_save")

    on_the_phone.sees("这次登录已经结束")
    assert is_signed_out(on_the_phone)


def test_an_operator_sets_up_uses_and_takes_off_the_second_factor(pilot, arrive):
    operator = arrive(pilot.url, size=PHONE, theme="dark")
    operator.open("sign_in")
    operator.demo_sign_in("operator")
    operator.cookie()
    operator.open("security")
    operator.press("factor_begin")
    operator.is_well()
    shown = operator.key("factor").locator("code").first
    operator.fill("factor_code", TOTP(shown.inner_text().strip()).at(clock.now()))
    operator.press("factor_submit")
    operator.sees("请抄下这八个恢复码")
    first, second = re.findall(r"\w{5}-\w{5}", shown.inner_text())[:2]
    operator.is_well()
    operator.press("factor_written_down")
    operator.page.context.clear_cookies()

    operator.open("staff")
    operator.demo_sign_in("operator")
    expect(operator.key("door_code")).to_be_visible(timeout=PATIENCE_MS)
    operator.is_well()
    operator.fill("door_code", first)
    operator.press("door_submit")
    expect(operator.page).to_have_url(f"{pilot.url}/staff")
    operator.sees("在本市工作的坐席")

    operator.open("security")
    operator.unfold("disable_ask")
    operator.fill("disable_code", second)
    operator.press("disable_submit")
    operator.sees("动态验证码已解除")
