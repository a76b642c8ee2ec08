"""A family of its own joins in English and posts its first demand, on PostgreSQL."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests import postgres
from tests.browser.conftest import PHONE
from tests.live_server import LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.postgresql]
STRANGE = "👵🏽 <script>alert('x')</script> **Mum**"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory) -> Iterator[LiveServer]:
    """Server and worker with a fresh demo on PostgreSQL."""
    with (
        postgres.cluster() as url,
        live_server(
            tmp_path_factory.mktemp("joining"),
            worker=True,
            DATABASE_URL=url,
            CAREPILOT_SECRET="the joining family's own secret!!!!",
        ) as server,
    ):
        yield server


def test_a_new_family_joins_by_code_and_posts_a_demand(pilot, arrive):
    son = arrive(pilot.url, size=PHONE, language="en-US", theme="dark")
    son.open("post_demand")
    son.pick("sign_in_way", "New here")
    son.fill("sign_up_phone", "138 1234 5678")
    son.press("sign_up_send")
    code = son.page.get_by_text("your code is").first
    code.wait_for()
    son.fill("sign_up_code", code.inner_text().split()[-1])
    son.fill("sign_up_name", "Wang Jun")
    son.fill("sign_up_password", "a long enough word")
    son.fill("sign_up_password_again", "a long enough word")
    son.press("sign_up_submit")
    son.sees("Please accept the agreement")
    son.key("sign_up_agreed").locator("label").first.click()
    son.press("sign_up_submit")

    son.sees("First tell us who is cared for")
    son.press("demand_new_save")
    son.sees("Please fill in: Name of the person cared for")
    son.fill("demand_new_name", STRANGE)
    son.press("demand_new_save")
    chosen = son.key("demand_recipient").locator("input").first
    expect(chosen).to_have_value(re.compile(re.escape(f"{STRANGE} · parent")))

    son.pick("demand_group", "Elder care")
    son.press("demand_submit")
    son.sees("Please fill in: Address")
    son.fill("demand_address", "Garden Road 1, door 302")
    son.fill("demand_words", STRANGE)
    son.is_well()
    son.press("demand_submit")

    son.sees("Posted; caregivers can apply now")
    son.sees("Companionship")
    son.sees(STRANGE)
    son.is_well()
