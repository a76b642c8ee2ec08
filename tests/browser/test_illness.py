"""A caregiver falls ill: the operator finds substitutes in one go, and the family sees who comes."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = pytest.mark.browser


def test_who_falls_ill_is_stood_in_for_and_the_family_sees_by_whom(pilot, arrive):
    li: Person = arrive(pilot.url, size=PHONE)
    operator: Person = arrive(pilot.url)

    # On her phone she reads whom her leave hits before she takes it.
    li.open("my_calendar")
    li.demo_sign_in("caregiver")
    li.key("take_leave_ask").locator("summary").click(timeout=PATIENCE_MS)
    li.settle()
    li.sees("运营会为家属安排替班")
    li.is_well()
    li.page.locator("[class*=st-key-take_leave_]", has_text="确认请假").last.locator(
        "button"
    ).click(timeout=PATIENCE_MS)
    li.settle()
    li.sees("等待替班")
    li.is_well()

    # The operator's morning leads to her visits, each with whoever can best make it.
    operator.open("today")
    operator.demo_sign_in("operator")
    operator.is_well()
    operator.page.get_by_role("link", name="安排李桂兰的替班").click(timeout=PATIENCE_MS)
    operator.settle()
    operator.sees("一次发出")
    operator.is_well()
    operator.press("ask_stand_ins")
    operator.sees("份替班邀请，对方答复前")
    waiting = operator.key("stand_ins").get_by_text(re.compile("已请.+前答复"))
    expect(waiting.first).to_be_visible(timeout=PATIENCE_MS)
    operator.is_well()
