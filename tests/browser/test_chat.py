"""Chat in two browsers: what one says the other reads, without a reload, no word lost."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser


def write(person, text):
    box = person.page.locator("[data-testid=stChatInput] textarea").first
    box.fill(text)
    box.press("Enter")


def arrives(person, text):
    """Seconds until the words are on the page."""
    started = time.monotonic()
    expect(person.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)
    return time.monotonic() - started


def test_family_and_desk_read_each_other_at_once(pilot, arrive):
    family, desk = arrive(pilot.url, size=PHONE), arrive(pilot.url, language="en", theme="dark")
    family.open("sign_in")
    family.demo_sign_in("customer")
    desk.open("chats")
    desk.demo_sign_in("desk")
    desk.pick("chat_box", "Mine")  # The demo's family is in a talk with this very desk.
    family.press("chat_panel")
    for said in ("添加图片", "发送"):  # Streamlit says it in English only.
        named = family.page.get_by_role("button", name=said, exact=True)
        expect(named).to_be_visible(timeout=PATIENCE_MS)
    family.is_well()

    write(family, "明天能早半小时吗 https://example.com/")
    delays = [arrives(desk, "明天能早半小时吗")]
    desk.page.locator("[class*=st-key-open_chat_] button").first.click()
    desk.settle()
    desk.is_well()
    assert family.page.locator("a[href*='example.com']").count() == 0
    typing = family.page.locator("[data-testid=stChatInput] textarea").first
    typing.fill("还没写完")
    write(desk, "可以，已经改好")
    delays.append(arrives(family, "可以，已经改好"))
    assert typing.input_value() == "还没写完"
    family.is_well()
    for number in range(4):
        write(desk, f"第{number}条")
        delays.append(arrives(family, f"第{number}条"))
    delays.sort()
    print("seconds until read:", [round(one, 2) for one in delays])  # noqa: T201


def test_a_guest_gives_a_phone_and_comes_back_to_the_talk(pilot, arrive):
    guest = arrive(pilot.url, size=PHONE)
    guest.open("")
    guest.press("guest_panel")
    guest.fill("guest_phone", "13711112222")
    guest.press("guest_begin")
    write(guest, "一天多少钱")
    arrives(guest, "一天多少钱")
    guest.is_well()
    guest.page.wait_for_timeout(1000)
    [kept] = [one for one in guest.page.context.cookies() if one["name"] == "carepilot_guest"]
    assert kept["httpOnly"]

    guest.open("")
    guest.press("guest_panel")
    arrives(guest, "一天多少钱")


def test_what_is_far_too_long_is_refused_and_not_lost(pilot, arrive):
    family = arrive(pilot.url)
    family.open("sign_in")
    family.demo_sign_in("customer")
    family.press("chat_panel")

    write(family, "长" * 200_000)
    family.sees("没有发出去")
    kept = family.key("chat_unsent").locator("textarea")
    expect(kept).to_have_value("长" * 200_000, timeout=PATIENCE_MS)
