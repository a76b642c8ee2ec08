"""The whole life of one order, in Chinese, with three people in browsers of their own."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from services.clock import CITY_TIME
from tests.browser.conftest import PATIENCE_MS, PHONE, Person

pytestmark = pytest.mark.browser
WORDS = "浏览器里的需求 👵🏽 <b>慢一点</b> **谢谢**"
ADDRESS = "濠东新村 8 幢 1203 室"
REPORT = "散步半小时，精神很好 <i>血压正常</i>"
PRAISE = "阿姨耐心细致 👍 <script>alert(1)</script>"


def number_in(element: Locator, prefix: str) -> int:
    """The number at the end of an element's key."""
    classes = element.get_attribute("class") or ""
    found = re.search(rf"st-key-{prefix}_(\d+)(?:\s|$)", classes)
    assert found, classes
    return int(found[1])


def soon() -> datetime:
    """A quarter of an hour about an hour from now: late enough to post, early enough to begin."""
    later = datetime.now(CITY_TIME) + timedelta(hours=1)
    return later.replace(minute=later.minute // 15 * 15, second=0, microsecond=0)


def test_an_order_from_demand_to_review(pilot, arrive):
    daughter: Person = arrive(pilot.url)
    li: Person = arrive(pilot.url, size=PHONE)
    operator: Person = arrive(pilot.url, theme="dark")

    # A family posts a demand.
    daughter.open("post_demand")
    daughter.demo_sign_in("customer")
    starts_at = soon()
    daughter.pick("demand_group", "老人照料")
    daughter.type_digits("demand_day", f"{starts_at:%Y%m%d}")
    daughter.type_digits("demand_start", f"{starts_at:%H%M}")
    ends_at = starts_at + timedelta(hours=2)  # Late in the evening, its day is named too.
    daughter.sees(re.compile(f"{starts_at:%H:%M} ?–.*{ends_at:%H:%M}"))
    daughter.fill("demand_address", ADDRESS)
    daughter.fill("demand_words", WORDS)
    daughter.is_well()
    daughter.press("demand_submit")
    daughter.sees("需求已发布")
    card = daughter.page.locator("[class*=st-key-demand_]", has_text=WORDS).first
    demand_id = number_in(card, "demand")
    daughter.is_well()

    # A caregiver sees it in the hall, without the address, and applies.
    li.open("task_hall")
    li.demo_sign_in("caregiver")
    li.key("hall_only_fitting").locator("label").first.click()
    li.settle()
    expect(li.key(f"task_{demand_id}")).to_contain_text(WORDS, timeout=PATIENCE_MS)
    assert ADDRESS not in li.page.content()
    li.is_well()
    li.press(f"apply_{demand_id}")
    li.sees("待审批")

    # The operator chooses her.
    operator.open("applications")
    operator.demo_sign_in("operator")
    decision = operator.key(f"decision_{demand_id}")
    expect(decision).to_contain_text("李桂兰", timeout=PATIENCE_MS)
    operator.is_well()
    candidate = decision.locator("[class*=st-key-candidate_]", has_text="李桂兰").first
    application_id = number_in(candidate, "candidate")
    operator.press(f"approve_{application_id}_ask")
    operator.press(f"approve_{application_id}")
    expect(operator.page.locator(f".st-key-decision_{demand_id}")).to_have_count(0)

    # The code reaches the caregiver's inbox; contact and address open from now on.
    for _ in range(20):
        li.open("inbox")
        if li.page.get_by_text("请在服务完成后交给家属").count():
            break
    li.sees("请在服务完成后交给家属")
    li.is_well()
    li.open("my_visits")
    begin = li.page.locator("[class*=st-key-check_in_]").first
    visit_id = number_in(begin, "check_in")
    li.press(f"contact_{visit_id}")
    expect(li.key(f"contact_shown_{visit_id}")).to_contain_text(ADDRESS, timeout=PATIENCE_MS)
    li.is_well()

    # The visit takes place.
    li.press(f"check_in_{visit_id}")
    li.key(f"check_out_{visit_id}_task_0").locator("label").first.click()
    li.fill(f"check_out_{visit_id}_words", REPORT)
    li.press(f"check_out_{visit_id}_submit")
    shown = li.key(f"visit_{visit_id}").get_by_text(re.compile(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$"))
    code = shown.first.inner_text(timeout=PATIENCE_MS)
    li.is_well()

    # The family redeems: a wrong code is refused in words, the link brings the right one.
    daughter.open(f"redeem?visit={visit_id}&code=AAAA-AAAA")
    daughter.press("redeem_submit")
    daughter.sees("核销码不正确，还可尝试 4 次")
    daughter.open(f"redeem?visit={visit_id}&code={code}")
    daughter.is_well()
    daughter.press("redeem_submit")
    daughter.sees("核销成功")
    expect(daughter.page.get_by_text(REPORT).first).to_be_visible(timeout=PATIENCE_MS)

    # And reviews; the caregiver reads it, and sees her pay.
    daughter.unfold(f"review_{visit_id}")
    for score in ("skill", "attitude", "communication", "overall"):
        stars = daughter.key(f"review_{visit_id}_{score}").get_by_role("radio")
        stars.or_(daughter.key(f"review_{visit_id}_{score}").get_by_role("button")).nth(4).click()
    daughter.fill(f"review_{visit_id}_words", PRAISE)
    daughter.press(f"review_{visit_id}_submit")
    daughter.sees("感谢您的评价")
    daughter.is_well()
    li.open("my_profile")
    li.sees(PRAISE)
    li.is_well()
    operator.open("orders")
    operator.sees("已核销")
    operator.is_well()
    operator.open("today")
    operator.is_well()
