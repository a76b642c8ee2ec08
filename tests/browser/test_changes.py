"""A visit cannot take place as agreed: cancelled late for a fee, or made by somebody else."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, expect

from services import clock
from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = pytest.mark.browser
A_WEEK = timedelta(days=7)


def number_in(element: Locator, prefix: str) -> int:
    """The number in an element's key."""
    found = re.search(rf"st-key-{prefix}_(\d+)", element.get_attribute("class") or "")
    assert found
    return int(found[1])


def late_from_now_on(pilot) -> None:
    """Let the demo's orders have been agreed long ago, under terms by which it is late already."""
    with closing(sqlite3.connect(pilot.log.parent / "live.db", timeout=20)) as live, live:
        live.execute(
            "UPDATE orders SET decline_until = created_at,"
            " terms = json_set(terms, '$.customer_fees', json('[[720, 2000]]'))"
        )


def phone_of(operator: Person, name: str) -> str:
    """A caregiver's phone number, as her operator opens it."""
    operator.open("caregivers")
    operator.fill("caregiver_search", name)
    table = operator.page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 18, "y": 52}, timeout=PATIENCE_MS)
    operator.settle()
    look = operator.page.locator("[class*=st-key-caregiver_phone_] button").first
    look.click(timeout=PATIENCE_MS)
    operator.settle()
    whole = operator.page.get_by_text(re.compile(r"\+?86?\s?1\d{2}[ \d]{8,}")).first
    return re.sub(r"\D", "", whole.inner_text(timeout=PATIENCE_MS))[-11:]


def test_a_late_cancellation_names_its_fee_and_pays_the_caregiver(pilot, arrive):
    late_from_now_on(pilot)
    daughter: Person = arrive(pilot.url, size=PHONE)
    li: Person = arrive(pilot.url, theme="dark")

    # What it costs stands above the button, and on it.
    daughter.open("my_orders")
    daughter.demo_sign_in("customer")
    order = daughter.page.locator("[class*=st-key-order_]", has_text="李桂兰").filter(
        has=daughter.page.locator("[class*=st-key-cancel_]")
    )
    number = number_in(order.first, "order")
    visit = number_in(order.first.locator("[class*=st-key-cancel_]").first, "cancel")
    daughter.press(f"cancel_{visit}_ask")
    daughter.sees("现在取消需付")
    button = daughter.key(f"cancel_{visit}").locator("button")
    fee = re.search(r"¥\d+", button.inner_text(timeout=PATIENCE_MS))
    assert fee
    daughter.is_well()
    daughter.press(f"cancel_{visit}")
    daughter.sees("订单已取消")
    daughter.is_well()

    # The caregiver finds it in her income as a row of its own, named, with that order's number.
    li.open("income")
    li.demo_sign_in("caregiver")
    row = li.page.locator("[data-testid=stDataFrame] tr", has_text="用户违约费").filter(
        has_text=str(number)
    )
    expect(row.first).to_be_attached(timeout=PATIENCE_MS)
    expect(row.first).to_contain_text(fee[0])
    li.is_well()


def test_who_falls_ill_is_stood_in_for_and_the_family_sees_by_whom(pilot, arrive):
    li: Person = arrive(pilot.url, size=PHONE)
    operator: Person = arrive(pilot.url)

    # On her phone she reads whom her leave hits before she takes it.
    li.open("my_calendar")
    li.demo_sign_in("caregiver")
    li.unfold("take_leave_ask")
    li.type_digits("leave_to", f"{clock.today() + A_WEEK:%Y%m%d}")
    li.page.keyboard.press("Escape")
    li.settle()
    li.sees("运营会为家属安排替班")
    li.is_well()
    take = li.page.locator("[class*=st-key-take_leave_]", has_text="确认请假").last
    take.locator("button").click(timeout=PATIENCE_MS)
    li.settle()
    li.sees("等待替班")
    li.is_well()

    # The operator's morning leads to her visits, each with whoever can best make it.
    operator.open("today")
    operator.demo_sign_in("operator")
    operator.page.get_by_role("link", name="安排李桂兰的替班").click(timeout=PATIENCE_MS)
    operator.settle()
    operator.sees("一次发出")
    operator.is_well()
    operator.press("ask_stand_ins")
    operator.sees("份替班邀请，对方答复前")
    waiting = re.compile("已请(.+)，.+前答复")
    line = operator.page.locator("[class*=st-key-stand_in_]", has_text="周晓燕").filter(
        has_text=waiting
    )
    expect(line.first).to_be_visible(timeout=PATIENCE_MS)
    said = line.first.inner_text()
    operator.is_well()
    asked, time = waiting.search(said), re.search(r".*\d\d:\d\d–\d\d:\d\d", said)
    assert asked
    assert time
    name, span = asked[1], time[0].removeprefix("schedule").strip()

    # Whoever is asked says yes on her phone, and the family reads who comes.
    stand_in: Person = arrive(pilot.url, size=PHONE)
    stand_in.open("my_visits")
    stand_in.code_sign_in(phone_of(operator, name))
    offer = stand_in.page.locator("[class*=st-key-offer_]", has_text=span).first
    expect(offer).to_be_visible(timeout=PATIENCE_MS)
    stand_in.is_well()
    stand_in.press(f"take_over_{number_in(offer, 'offer')}")
    stand_in.sees("已接受，核销码归您")
    daughter: Person = arrive(pilot.url, size=PHONE)
    daughter.open("my_orders")
    daughter.demo_sign_in("customer")
    order = daughter.page.locator("[class*=st-key-order_]", has_text=span).filter(has_text=name)
    daughter.settle()
    # She has more to come than is shown at first.
    if not order.count():
        daughter.page.get_by_role("button", name="再看更多").first.click(timeout=PATIENCE_MS)
    expect(order.first).to_be_visible(timeout=PATIENCE_MS)
    daughter.is_well()
