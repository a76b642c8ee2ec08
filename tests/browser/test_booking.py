"""A family finds a caregiver and books her; she accepts on her phone."""

import re

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.orders import Order
from tests.browser.conftest import PATIENCE_MS, PHONE, Person, in_the_pilot

pytestmark = pytest.mark.browser
ADDRESS = "濠东新村 9 幢 302 室"


def number_in(element: Locator, prefix: str) -> int:
    """The number at the end of an element's key."""
    found = re.search(
        rf"st-key-{prefix}_(\d+)(?:_ask)?(?:\s|$)", element.get_attribute("class") or ""
    )
    assert found
    return int(found[1])


def shown(person: Person, key: str, name: str) -> Locator:
    """What lies under this key in a list, which shows a few at first: others may come before it."""
    while not person.key(key).count():
        person.press(f"{name}_more")
    return person.key(key)


def newest(session: Session) -> int:
    return session.scalars(select(func.max(Order.id))).one()


def test_a_family_finds_and_books_and_the_caregiver_accepts(pilot, arrive):
    daughter: Person = arrive(pilot.url)
    li: Person = arrive(pilot.url, size=PHONE, theme="dark")

    # Looking for companionship finds those who can come; one of them is chosen by her card.
    daughter.open("find_caregivers")
    daughter.demo_sign_in("customer")
    daughter.pick("find_group", "老人照料")
    daughter.is_well()
    card = daughter.page.locator("[class*=st-key-found_]", has_text="李桂兰")
    while not card.count():
        daughter.press("find_more")
    caregiver_id = number_in(card.first, "found")
    daughter.press(f"profile_{caregiver_id}")
    daughter.sees("完成服务")
    daughter.is_well()
    daughter.page.keyboard.press("Escape")
    daughter.settle()
    daughter.press(f"book_{caregiver_id}")

    # The booking page knows whom and what; an address is missing, and said so.
    daughter.sees("预约陪护员")
    daughter.press("booking_request")
    daughter.sees("请填写")
    daughter.fill("booking_address", ADDRESS)
    daughter.is_well()
    daughter.press("booking_request")
    daughter.sees("预约已发出")
    daughter.settle()  # The word comes before the list in which the new one stands.
    order_id = in_the_pilot(pilot, newest)
    expect(shown(daughter, f"order_{order_id}", "coming")).to_contain_text("待陪护员接受")
    daughter.is_well()

    # She sees neither name nor address, but what, when and what it pays; she says yes.
    li.open("my_visits")
    li.demo_sign_in("caregiver")
    request = shown(li, f"request_{order_id}", "requests")
    expect(request).to_contain_text("报酬", timeout=PATIENCE_MS)
    assert ADDRESS not in li.page.content()
    li.is_well()
    li.press(f"accept_{order_id}")
    li.sees("已接受预约")
    expect(li.page.locator(f".st-key-request_{order_id}")).to_have_count(0)
    li.open("income")
    li.is_well()

    # The family reads that she comes.
    daughter.open("my_orders")
    expect(shown(daughter, f"order_{order_id}", "coming")).to_contain_text("待上门")
    daughter.is_well()


def test_a_family_books_a_plan_around_what_has_no_room(pilot, arrive):
    daughter: Person = arrive(pilot.url, size=PHONE)
    li: Person = arrive(pilot.url, size=PHONE)

    # A plan of every workday; some days she has other visits already.
    daughter.open("find_caregivers")
    daughter.demo_sign_in("customer")
    daughter.pick("find_group", "老人照料")
    card = daughter.page.locator("[class*=st-key-found_]", has_text="李桂兰")
    while not card.count():
        daughter.press("find_more")
    daughter.press(f"book_{number_in(card.first, 'found')}")
    daughter.sees("预约陪护员")
    daughter.fill("booking_address", ADDRESS)
    daughter.pick("booking_kind_single", "包月")
    daughter.sees("排不进去")
    clash = daughter.page.locator("[class*=st-key-booking_plan_clash_]", has_text="已有安排").first
    daughter.is_well()

    # On one somebody else shall come; one that has room at another hour, which depends on the day
    # of the run, is moved to it; the others are skipped.
    expect(clash).to_be_visible(timeout=PATIENCE_MS)
    given_away = clash.get_attribute("class")
    daughter.choose_in(clash, "请别人替这天")
    daughter.sees("另有 1 次由运营另请陪护员")
    for one in daughter.page.locator("[class*=st-key-booking_plan_clash_]").all():
        if one.get_attribute("class") == given_away:
            continue
        one.locator("input").first.focus(timeout=PATIENCE_MS)
        daughter.page.keyboard.press("ArrowDown")
        daughter.page.wait_for_timeout(500)
        other = daughter.page.get_by_role("option", name="改到")
        if other.count():
            other.first.click(timeout=PATIENCE_MS)
            break
        daughter.page.keyboard.press("Escape")
    daughter.settle()
    daughter.sees("合计")
    daughter.press("booking_request_plan")
    daughter.sees("预约已发出")
    plan = daughter.page.locator("[class*=st-key-plan_]", has_text="待陪护员接受").first
    order_id = number_in(plan, "plan")

    # She answers all of it at once, and the family reads every visit to come.
    li.open("my_visits")
    li.demo_sign_in("caregiver")
    li.press("requests_more")  # Others asked before.
    expect(li.key(f"request_{order_id}")).to_contain_text("每周", timeout=PATIENCE_MS)
    li.is_well()
    li.press(f"accept_{order_id}")
    li.sees("已接受预约")
    daughter.open("my_orders")
    plan = daughter.key(f"plan_{order_id}")
    expect(plan).to_contain_text("待上门", timeout=PATIENCE_MS)
    daughter.unfold(f"plan_{order_id}_open")
    expect(daughter.key(f"pause_{order_id}")).to_be_visible(timeout=PATIENCE_MS)
    daughter.is_well()

    # The operator finds the day for which somebody is sought.
    operator: Person = arrive(pilot.url)
    operator.open("staff")
    operator.demo_sign_in("operator")
    operator.open("today")
    operator.page.get_by_text("安排李桂兰的替班").first.click(timeout=PATIENCE_MS)
    operator.sees("安排替班（")
    operator.is_well()
