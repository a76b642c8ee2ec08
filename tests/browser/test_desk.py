"""The phone desk with nothing but the keyboard, every key press and every run counted."""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = pytest.mark.browser
NUMBER = "13912345678"
CALLER = "顾阿姨 👵🏽 <b>急</b>"
MOTHER = "顾奶奶"
ADDRESS = "学田新村 12 幢 301 室"
KEYS_A_SECOND, MOST_SECONDS = 5, 60
MOST_PRESSES, MOST_RERUNS = 8, 2


@dataclass
class Keyboard:
    """The hands of the desk: they press keys and count them; and what the server ran for it."""

    person: Person
    presses: int = 0
    runs: list[int] = field(default_factory=list)

    def listen(self) -> None:
        """Note every run that came to its end; those cut short go on in another."""

        def note(frame: bytes | str) -> None:
            if isinstance(frame, bytes):
                message = ForwardMsg.FromString(frame)
                if message.WhichOneof("type") == "script_finished":
                    self.runs.append(message.script_finished)

        self.person.page.on("websocket", lambda socket: socket.on("framereceived", note))

    def press(self, key: str, *, wait: bool = True) -> None:
        self.person.page.keyboard.press(key)
        self.presses += key.count("+") + 1
        if wait:
            self.person.settle()

    def type(self, text: str) -> None:
        self.person.page.keyboard.type(text, delay=40)
        self.presses += len(text)

    def tab_to(self, key: str, most: int = 40) -> None:
        """Tab until what has the focus lies within this key."""
        for _ in range(most):
            if self.person.page.evaluate(
                "key => !document.activeElement.ariaLabel?.startsWith('Help')"
                " && !!document.activeElement.closest(`[class*='st-key-${key}']`)",
                key,
            ):
                return
            self.press("Tab", wait=False)
        raise AssertionError(f"{key} is not reached by Tab")

    def full_runs(self) -> int:
        return self.runs.count(ForwardMsg.FINISHED_SUCCESSFULLY)


@pytest.fixture
def desk(pilot, arrive) -> Person:
    person: Person = arrive(pilot.url)
    return person


def at_the_field(desk: Person) -> Keyboard:
    hands = Keyboard(desk)
    hands.listen()
    desk.open("take_call")
    desk.demo_sign_in("desk")
    expect(desk.key("caller_field").locator("input")).to_be_focused(timeout=PATIENCE_MS)
    hands.runs.clear()
    return hands


def test_a_repeat_booking_takes_few_keys_and_runs(desk):
    hands = at_the_field(desk)
    desk.is_well()

    # Li Guilan's daughter-in-law calls: the last four digits, Enter, one key more.
    hands.type("0023")
    hands.press("Enter")
    expect(desk.key("caller_head")).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.key("desk_repeat_book").locator("button")).to_be_focused(timeout=PATIENCE_MS)
    desk.is_well()
    hands.press("F2")

    expect(desk.key("read_back")).to_contain_text(
        re.compile(r"跟您核对一下：为.+预约.+上门，时间是.+一共\d+元"), timeout=PATIENCE_MS
    )
    assert hands.presses <= MOST_PRESSES
    assert hands.full_runs() <= MOST_RERUNS
    desk.is_well()


def test_a_new_customer_is_entered_and_booked_for_within_a_minute_of_typing(desk):
    hands = at_the_field(desk)

    # Nobody knows the number: the caller is entered on the spot.
    hands.type(NUMBER)
    desk.sees("这个号码第一次来电")
    desk.is_well()
    hands.tab_to("first_call_name")
    hands.type(CALLER)
    hands.press("Enter")
    expect(desk.key("caller_head")).to_contain_text(CALLER, timeout=PATIENCE_MS)
    expect(desk.key("caller_head")).to_contain_text("139****5678")

    # Companionship for an elder, with whoever comes first.
    hands.tab_to("find_group")
    hands.press("ArrowRight")
    hands.press("Enter")
    desk.is_well()
    hands.tab_to("book_")
    hands.press("Enter")
    expect(desk.key("booked_for")).to_be_visible(timeout=PATIENCE_MS)

    # Whom she will look after is asked first.
    hands.tab_to("booking_new_name")
    hands.type(MOTHER)
    hands.press("Enter")
    desk.sees("被陪护人已保存")
    hands.tab_to("booking_address")
    hands.type(ADDRESS)
    hands.press("Enter")
    hands.tab_to("booking_request")
    hands.press("Enter")

    expect(desk.key("read_back")).to_contain_text(f"为{MOTHER}预约", timeout=PATIENCE_MS)
    expect(desk.key("read_back")).to_contain_text("之前答复")
    assert hands.presses <= KEYS_A_SECOND * MOST_SECONDS
    desk.is_well()

    # The call ends, and the next one finds an empty desk; pinyin finds her again.
    hands.press("F4")
    hands.press("Alt+n")
    expect(desk.key("caller_field").locator("input")).to_be_focused(timeout=PATIENCE_MS)
    hands.type("guayi")
    found = desk.page.locator("[class*=st-key-caller_]", has_text=CALLER)
    expect(found.first).to_be_visible(timeout=PATIENCE_MS)
    hands.press("ArrowDown", wait=False)
    hands.press("Escape", wait=False)
    expect(desk.key("caller_field").locator("input")).to_be_focused()
    hands.press("Escape")
    expect(desk.key("caller_field").locator("input")).to_have_value("")


def test_the_desk_is_well_on_a_phone_in_english_and_dark(pilot, arrive):
    desk: Person = arrive(pilot.url, size=PHONE, language="en-US", theme="dark")
    desk.open("take_call")
    desk.demo_sign_in("desk")
    desk.key("caller_field").locator("input").fill("zhouxy")
    desk.page.locator("[class*=st-key-callers_found] button").first.click(timeout=PATIENCE_MS)
    desk.settle()

    for wish in ("repeat", "book", "plan", "post", "redeem", "orders"):
        desk.press(f"desk_wish_{wish}")
        desk.is_well()
    desk.press("end_call_ask")
    desk.is_well()
