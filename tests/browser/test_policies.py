"""A document is rewritten and published, and a family is asked for its yes anew."""

import re
from datetime import datetime

import pytest
from playwright.sync_api import expect

from services.clock import CITY_TIME
from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
NEW = "9. 我们不再保存通话录音 <3。"


def draft_of(operator: Person) -> str:
    """The beginning of the keys of the draft on the screen."""
    named = operator.page.locator("[class*='st-key-draft_']").first.get_attribute("class") or ""
    [found] = re.findall(r"st-key-(draft_\d+_)", named)[:1]
    return found


def rewrite(operator: Person) -> str:
    """Begin a draft of the privacy notice and add a line; the beginning of its keys."""
    operator.open("policies")
    operator.demo_sign_in("operator")
    operator.cookie()
    operator.is_well()
    operator.open("policies?of=privacy")
    operator.press("policy_begin")
    draft = draft_of(operator)
    box = operator.key(f"{draft}words_zh").locator("textarea")
    operator.fill(f"{draft}words_zh", f"{box.input_value()}\n\n{NEW}")
    expect(operator.key(f"{draft}preview_zh")).to_contain_text("通话录音", timeout=PATIENCE_MS)
    operator.fill(f"{draft}changes_zh", "不再保存通话录音")
    operator.fill(f"{draft}changes_en", "Calls are recorded no more")
    return draft


def test_a_new_version_is_published_read_and_accepted(pilot, arrive):
    operator = arrive(pilot.url)
    draft = rewrite(operator)
    operator.press(f"{draft}save")
    operator.sees("草稿已保存")
    operator.unfold(f"{draft}publication")
    expect(
        operator.key(f"{draft}publication").locator("strong", has_text="通话录音")
    ).to_be_visible()
    operator.type_digits(f"{draft}day", f"{datetime.now(CITY_TIME):%Y%m%d}")
    operator.is_well()
    operator.press(f"{draft}publish_ask")
    operator.press(f"{draft}publish")
    operator.sees("新版已发布")

    daughter = arrive(pilot.url, size=PHONE)
    daughter.open("my_orders")
    daughter.demo_sign_in("customer")
    daughter.cookie()
    daughter.sees("不再保存通话录音")
    daughter.unfold("due_privacy_compare")
    expect(daughter.key("consents_due").locator("strong", has_text="通话录音")).to_be_visible()
    daughter.is_well()
    daughter.press("agree_privacy")
    daughter.sees("已确认")
    expect(daughter.key("consents_due")).to_have_count(0)

    daughter.open("policy?of=privacy&version=3")
    daughter.sees("施行中")
    daughter.is_well()
    operator.open("policies")
    expect(operator.key("shelf_privacy")).to_contain_text("已同意第 3 版", timeout=PATIENCE_MS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_document_can_be_read_by_anybody_on_a_phone(pilot, arrive, theme):
    visitor = arrive(pilot.url, size=PHONE, theme=theme)
    visitor.open("policy")
    visitor.sees("陪护员准入规范")
    visitor.is_well()
    visitor.open("policy?of=privacy&version=2")
    visitor.unfold("policy_compare")
    visitor.is_well()
