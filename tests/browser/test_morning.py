"""The operator's morning: everything that waits is dealt with, until nothing does."""

import re

import pytest
from playwright.sync_api import expect

from services.to_do import ToDoKind
from tests.browser.conftest import PATIENCE_MS, Person

pytestmark = pytest.mark.browser
MOST_THINGS = 60


def test_the_list_comes_to_its_end(pilot, arrive):
    operator: Person = arrive(pilot.url)
    operator.open("today")
    operator.demo_sign_in("operator")
    operator.is_well()
    assert waiting(operator), "the demo's morning has nothing to do"

    # A decision where one is due: the likeliest candidate of the first demand.
    operator.open("applications")
    approve = operator.page.locator("[class*=st-key-approve_]").first
    key = re.search(r"st-key-(approve_\d+)_ask", approve.get_attribute("class") or "")
    assert key
    operator.press(f"{key[1]}_ask")
    operator.press(key[1])
    operator.sees("已选定")
    operator.is_well()

    # The rest is seen to, one thing after the other, each with a note when to look again.
    operator.open("today")
    done = 0
    while kinds := waiting(operator):
        kind = kinds[0]
        thing = operator.page.locator(f"[class*='st-key-thing_{kind}_']").first
        operator.unfold(f"things_{kind}")
        expect(thing).to_be_visible(timeout=PATIENCE_MS)
        number = re.search(rf"st-key-thing_{kind}_(\d+)", thing.get_attribute("class") or "")
        assert number
        name = f"{kind}_{number[1]}"
        operator.press(f"see_to_{name}_ask")
        if done == 0:
            operator.fill(f"seen_words_{name}", "已电话联系 👍 <b>家属</b>")
            operator.is_well()
        operator.press(f"see_to_{name}")
        done += 1
        assert done < MOST_THINGS, "the list does not get shorter"
    operator.sees("全部处理完了")
    operator.is_well()


def waiting(operator: Person) -> list[str]:
    """The kinds of things that still wait, as the page shows them."""
    operator.settle()
    return [kind for kind in ToDoKind if operator.page.locator(f".st-key-to_do_{kind}").count()]
