"""The phone desk, by keyboard: a stranger calls, is entered, and has a caregiver asked for."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE, Person
from tests.browser.test_loop import number_in

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


def pick_wish(desk: Person, word: str) -> None:
    """Say what the caller wants; the control's key ends with what was done before."""
    control = desk.page.locator("[class*=st-key-desk_wish]").first
    choices = control.get_by_role("radio").or_(control.get_by_role("button"))
    choices.filter(has_text=word).first.click(timeout=PATIENCE_MS)
    desk.page.mouse.move(0, 0)
    desk.settle()


def test_the_desk_books_for_a_caller(pilot, arrive):
    desk: Person = arrive(pilot.url)
    li: Person = arrive(pilot.url, size=PHONE)

    # Nobody knows the number: the caller is entered on the spot.
    desk.open("take_call")
    desk.demo_sign_in("desk")
    expect(desk.key("caller").locator("input")).to_be_focused(timeout=PATIENCE_MS)
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
    pick_wish(desk, "订单与被陪护人")
    order = desk.page.locator("[class*=st-key-order_]", has_text=MOTHER).first
    expect(order).to_contain_text("待陪护员接受", timeout=PATIENCE_MS)
    order_id = number_in(order, "order")
    li.open("my_visits")
    li.demo_sign_in("caregiver")
    expect(li.key(f"request_{order_id}")).to_contain_text("老人陪伴", timeout=PATIENCE_MS)
    assert ADDRESS not in li.page.content()
    li.press(f"accept_{order_id}")
    li.sees("已接受预约")
    pick_wish(desk, "核销服务")
    expect(read_back).to_contain_text("已经接受", timeout=PATIENCE_MS)
    pick_wish(desk, "订单与被陪护人")
    expect(order).to_contain_text("待上门", timeout=PATIENCE_MS)
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
        pick_wish(desk, wish)
        desk.is_well()
