"""A family joins in English, shows who it is and posts its first demand, on PostgreSQL."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import pytest
from playwright.sync_api import TimeoutError, expect

from services import clock
from tests.browser.conftest import PATIENCE_MS, PHONE, Person
from tests.browser.papers import id_number, photo
from tests.conftest import new_database
from tests.live_server import LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.postgresql, pytest.mark.timeout(240)]
STRANGE = "👵🏽 <script>alert('x')</script> **Mum**"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, cluster) -> Iterator[LiveServer]:
    """Server and worker with a fresh demo on PostgreSQL."""
    with live_server(
        tmp_path_factory.mktemp("joining"),
        worker=True,
        DATABASE_URL=new_database(cluster, "joining"),
    ) as server:
        yield server


def hand_in(person: Person) -> None:
    """Consent, name and number, both sides of the card."""
    agreed = person.key("verification_agreed").locator("label").first
    for _ in range(3):  # A page still moving may miss the click.
        with suppress(TimeoutError):
            person.page.get_by_role("link", name="Verify now").click(timeout=PATIENCE_MS / 4)
            agreed.wait_for(timeout=PATIENCE_MS / 4)
            break
    agreed.click(timeout=PATIENCE_MS)
    person.settle()
    person.press("case_consent")
    person.press("region_save")
    person.fill("verification_name", "王军")
    person.fill("verification_number", id_number(date(clock.today().year - 40, 1, 1)))
    person.press("case_identity")
    for side in ("front", "back"):
        person.sees("Take a photo or choose a file")
        person.page.locator("input[type=file]").set_input_files(photo(side))
        expect(person.page.locator("figure img")).to_be_visible(timeout=PATIENCE_MS)
        person.settle()
        if side == "front":
            person.press("case_next_paper")
    person.press("case_submit")
    person.sees("Handed in; you will be told")


def approve_everybody(operator: Person) -> None:
    operator.open("verifications")
    operator.demo_sign_in("operator")
    operator.cookie()
    operator.open("verifications")
    operator.press("case_take")
    approval = operator.page.locator("[class*=st-key-approve_case_] button")
    nothing_left = operator.page.get_by_text("No case waits for review")
    approval.or_(nothing_left).first.wait_for(timeout=PATIENCE_MS)
    while not nothing_left.count():
        approval.click(timeout=PATIENCE_MS)
        operator.settle()
        approval.or_(nothing_left).first.wait_for(timeout=PATIENCE_MS)


def test_a_new_family_joins_by_code_is_verified_and_posts_a_demand(pilot, arrive):
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

    son.sees("Before the first booking, please verify who you are")
    hand_in(son)
    approve_everybody(arrive(pilot.url, language="en-US"))
    son.open("post_demand")

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
