"""Chat in a browser: guests come back to their talk, and no word is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE

pytestmark = pytest.mark.browser


def write(person, text):
    box = person.page.locator("[data-testid=stChatInput] textarea").first
    box.fill(text)
    box.press("Enter")


def arrives(person, text):
    expect(person.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


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
    assert len(kept.input_value()) == 200_000
