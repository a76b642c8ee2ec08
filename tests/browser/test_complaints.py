"""A family complains with a photo; the pay rests until it is decided, and again for the appeal."""

import re

import pytest
from playwright.sync_api import expect

from components.catalogues import say
from tests.browser.conftest import PATIENCE_MS, PHONE, Person
from tests.browser.papers import photo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
COMPLAINED, SHE_SAYS, OUTCOME = (
    "一直在看手机，叫了几次才应",
    "那天在等医生电话",
    "属实，已向家属道歉",
)


def words(key: str, **values: object) -> str:
    return say("zh_CN", key, **values)


def complain(family: Person) -> str:
    """Complain of a visit of Li's that was redeemed, with a photo; the complaint's number."""
    family.open("my_orders")
    card = (
        family.page.locator("[class*='st-key-order_']")
        .filter(has_text="李桂兰")
        .filter(has_text=words("visit_status.redeemed"))
        .filter(has=family.page.locator("[class*='st-key-complain_']"))
        .last
    )
    asked = card.locator("[class*='st-key-complain_'][class*='_ask']").first
    [key] = re.findall(r"st-key-(complain_\d+)_ask", asked.get_attribute("class") or "")
    family.press(f"{key}_ask")
    family.fill(f"{key}_words", COMPLAINED)
    family.key(f"{key}_files").locator("input[type=file]").set_input_files(photo("手机"))
    family.settle()
    family.press(key)
    family.sees(words("complaint.lodged"))
    newest = family.page.locator("[class*='st-key-complaint_']").filter(has_text=COMPLAINED).first
    [number] = re.findall(r"st-key-complaint_(\d+)", newest.get_attribute("class") or "")
    return number


def decide(operator: Person, number: str) -> None:
    """Take it, ask her, and decide on words, an apology and points."""
    operator.open(f"complaints?case={number}")
    operator.sees(COMPLAINED)
    shown = operator.page.locator(".all img").first
    expect(shown).to_be_visible(timeout=PATIENCE_MS)
    image = shown.element_handle()
    operator.is_well()
    operator.press("take_case")
    operator.sees(words("cases.taken"))
    operator.settle()
    assert image.evaluate("image => image.isConnected"), "the page was built anew by a deed"
    operator.fill(f"message_{number}_words", "请说明当时的情况")
    operator.press(f"message_{number}")
    operator.sees(words("complaint.message_sent"))


def test_from_the_photo_to_the_appeal(signed_in):
    family = signed_in("customer", size=PHONE)
    number = complain(family)
    family.is_well()
    operator = signed_in("operator")
    decide(operator, number)

    caregiver = signed_in("caregiver", size=PHONE)
    caregiver.open("my_visits")
    caregiver.sees(re.compile(words("complaint.pay_rests")))
    expect(caregiver.page.get_by_text(COMPLAINED)).to_have_count(0)
    caregiver.unfold(f"complaint_thread_{number}")
    caregiver.sees("请说明当时的情况")
    caregiver.fill(f"message_{number}_words", SHE_SAYS)
    caregiver.press(f"message_{number}")
    caregiver.sees(words("complaint.message_sent"))
    caregiver.is_well()

    operator.open(f"complaints?case={number}")
    operator.sees(SHE_SAYS)
    operator.fill(f"ruling_{number}_words", OUTCOME)
    operator.key(f"ruling_{number}_apology").locator("label").first.click()
    operator.settle()
    operator.fill(f"ruling_{number}_points", "3")
    operator.sees(words("ruling.effect"))
    operator.press(f"decide_{number}_ask")
    operator.press(f"decide_{number}")
    operator.sees(words("complaint.closed"))

    caregiver.open("my_profile")
    contest = caregiver.page.locator("[class*='st-key-contest_'][class*='_ask']").first
    [key] = re.findall(r"st-key-(contest_\d+)_ask", contest.get_attribute("class") or "")
    caregiver.press(f"{key}_ask")
    caregiver.fill(f"reason_{key}", SHE_SAYS)
    caregiver.press(key)
    caregiver.sees(words("points.contested"))
    caregiver.is_well()

    family.open("my_orders")
    family.sees(OUTCOME)
    family.press(f"appeal_{number}_ask")
    family.fill(f"appeal_{number}_words", "还应该退一部分钱")
    family.press(f"appeal_{number}")
    family.sees(words("complaint.appealed"))
    family.sees(words("complaint_status.appealed"))
    operator.open("complaints?show=appealed")
    operator.sees(words("cases.subtitle"))
    operator.is_well()
