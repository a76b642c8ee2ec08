"""The phone desk, by keyboard: a stranger calls, is entered, and has a caregiver asked for."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = pytest.mark.browser
NUMBER = "13912345678"
CALLER = "顾阿姨 👵🏽 <b>急</b>"
MOTHER = "顾奶奶"
ADDRESS = "学田新村 12 幢 301 室"


def search(desk: Person, typed: str) -> None:
    """Type into the one field and press Enter, as one does while talking."""
    desk.key("caller").locator("input").fill(typed, timeout=PATIENCE_MS)
    desk.page.keyboard.press("Enter")
    desk.settle()


def test_the_desk_books_for_a_caller(pilot, arrive):
    desk: Person = arrive(pilot.url)
    li: Person = arrive(pilot.url, size=PHONE)

    # Nobody knows the number: the caller is entered on the spot.
    desk.open("take_call")
    desk.demo_sign_in("desk")
    desk.is_well()
    search(desk, NUMBER)
    desk.sees("这个号码第一次来电")
    desk.is_well()
    desk.key("first_call_name").locator("input").fill(CALLER)
    desk.page.keyboard.press("Enter")
    desk.settle()
    desk.sees("已登记")
    expect(desk.key("caller_head")).to_contain_text(CALLER, timeout=PATIENCE_MS)
    expect(desk.key("caller_head")).to_contain_text("139****5678")

    # A caregiver is looked for and picked; the page stays.
    desk.pick("find_group", "老人照料")
    desk.is_well()
    card = desk.page.locator("[class*=st-key-found_]", has_text="李桂兰").first
    card.locator("[class*=st-key-book_] button").click(timeout=PATIENCE_MS)
    desk.settle()

    # Whom she will look after is asked first.
    desk.fill("booking_new_name", MOTHER)
    desk.press("booking_new_save")
    desk.sees("被陪护人已保存")
    desk.fill("booking_address", ADDRESS)
    desk.is_well()
    desk.press("booking_request")

    # The words to read back stand on the screen, and the caller is still there.
    read_back = desk.key("read_back")
    expect(read_back).to_contain_text(f"为{MOTHER}预约", timeout=PATIENCE_MS)
    expect(read_back).to_contain_text(
        re.compile(r"由陪护员李桂兰上门，时间是.+点.*到.+，一共\d+元")
    )
    expect(read_back).to_contain_text("之前答复")
    expect(desk.key("caller_head")).to_contain_text(CALLER)
    desk.is_well()

    # The caregiver is asked, and says yes; the caller hears of it.
    li.open("my_visits")
    li.demo_sign_in("caregiver")
    request = li.page.locator("[class*=st-key-request_]", has=li.page.get_by_text("接受")).last
    assert ADDRESS not in li.page.content()
    request.locator("[class*=st-key-accept_] button").click(timeout=PATIENCE_MS)
    li.settle()
    li.sees("已接受预约")
    desk.pick("desk_wish", "订单与被陪护人")
    expect(read_back).to_contain_text("已经接受", timeout=PATIENCE_MS)
    order = desk.page.locator("[class*=st-key-order_]", has_text=MOTHER).first
    expect(order).to_contain_text("待上门")
    desk.is_well()

    # The next caller finds an empty desk; the same number finds her again.
    desk.press("another_caller")
    expect(desk.key("caller").locator("input")).to_have_value("")
    search(desk, NUMBER[-4:])
    expect(desk.page.locator("[class*=st-key-caller_]", has_text=CALLER)).to_have_count(1)
    search(desk, NUMBER)
    expect(desk.key("caller_head")).to_contain_text(CALLER, timeout=PATIENCE_MS)
    desk.is_well()


def test_the_desk_is_well_on_a_phone_in_english_and_dark(pilot, arrive):
    desk: Person = arrive(pilot.url, size=PHONE, language="en-US", theme="dark")
    desk.open("take_call")
    desk.demo_sign_in("desk")
    search(desk, "周晓燕")
    desk.page.locator("[class*=st-key-caller_] button").first.click(timeout=PATIENCE_MS)
    desk.settle()

    for wish in ("Book a caregiver", "Post a demand", "Redeem", "Orders and recipients"):
        desk.pick("desk_wish", wish)
        desk.is_well()
