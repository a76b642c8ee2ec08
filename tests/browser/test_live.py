"""What happens elsewhere appears on open pages by itself."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from data.accounts import Account
from data.catalogue import CareItem
from data.notices import NoticeKind
from data.recipients import Recipient
from services import calls, clock, demands, notices, phones
from services.access import Actor, Role
from services.sessions import DEMO_PHONES
from tests.browser.conftest import PATIENCE_MS, PHONE, in_the_pilot
from tests.factories import NANTONG, make_demand

pytestmark = pytest.mark.browser
# No part of the page waits any more to be drawn anew for news that came before.
ALL_DRAWN = """[...window.carepilotNews.parts.values()].every((part) =>
  part.topics.every((topic) => (window.carepilotNews.found[topic] ?? 0) <= part.drawn))"""


def account_of(session, role):
    phone_hash = phones.whole_hash(DEMO_PHONES[role])
    return session.scalars(select(Account.id).where(Account.phone_hash == phone_hash)).one()


def family_of(session):
    return Actor(account_of(session, Role.CUSTOMER), Role.CUSTOMER)


def post(session):
    """The soonest demand of all."""
    family = family_of(session)
    item = session.scalars(select(CareItem).where(CareItem.code == "hospital_companion")).one()
    recipient = select(Recipient.id).where(Recipient.customer_id == family.id).limit(1)
    return make_demand(
        session,
        customer=family,
        recipient_id=session.scalars(recipient).one(),
        item_id=item.id,
        city_code=NANTONG,
        starts_at=clock.now() + timedelta(minutes=10),
        units=item.fewest_units,
        lowest_fen=item.lowest_fen,
        highest_fen=item.highest_fen,
    )


def test_a_demand_comes_to_the_open_hall_and_goes_again(pilot, arrive):
    li = arrive(pilot.url, size=PHONE)
    li.open("task_hall")
    li.demo_sign_in("caregiver")
    li.key("hall_only_fitting").locator("label").first.click()
    li.settle()

    demand_id = in_the_pilot(pilot, post)
    card = li.key(f"task_{demand_id}")
    expect(card).to_be_visible(timeout=PATIENCE_MS)
    li.is_well()
    in_the_pilot(pilot, lambda session: demands.withdraw(session, family_of(session), demand_id))
    expect(card).to_have_count(0, timeout=PATIENCE_MS)


def test_it_comes_to_a_hall_whose_server_was_away_too(pilot, arrive):
    """The stream breaks off; what happened meanwhile is there when it opens again."""
    li = arrive(pilot.url, size=PHONE, language="en", theme="dark")
    li.open("task_hall")
    li.demo_sign_in("caregiver")
    li.key("hall_only_fitting").locator("label").first.click()
    li.settle()
    while li.page.evaluate("window.carepilotNews.source.readyState !== EventSource.OPEN"):
        li.page.wait_for_timeout(100)
    li.page.evaluate("window.carepilotNews.source.close()")
    while not li.page.evaluate(ALL_DRAWN):
        li.page.wait_for_timeout(100)
    li.settle()

    demand_id = in_the_pilot(pilot, post)
    li.page.wait_for_timeout(2000)
    expect(li.key(f"task_{demand_id}")).to_have_count(0)
    li.page.evaluate("window.carepilotNews.source.onerror()")
    expect(li.key(f"task_{demand_id}")).to_be_visible(timeout=PATIENCE_MS)


def take_familys_call(session):
    """A colleague takes the family's call."""
    colleague = account_of(session, Role.OPERATOR)
    calls.begin(
        session,
        Actor(colleague, Role.DESK, frozenset({NANTONG})),
        account_of(session, Role.CUSTOMER),
    )


def test_the_desk_sees_at_once_that_a_colleague_takes_care_of_the_same_caller(pilot, arrive):
    desk = arrive(pilot.url)
    desk.open("take_call")
    desk.demo_sign_in("desk")
    expect(desk.key("caller_field").locator("input")).to_be_focused(timeout=PATIENCE_MS)
    desk.page.keyboard.type(DEMO_PHONES[Role.CUSTOMER].removeprefix("+86"), delay=40)
    desk.page.keyboard.press("Enter")
    expect(desk.key("caller_head")).to_be_visible(timeout=PATIENCE_MS)
    desk.press("add_note")
    note = desk.key("desk_note_words").locator("textarea")
    note.fill("说话慢", timeout=PATIENCE_MS)

    in_the_pilot(pilot, take_familys_call)
    expect(desk.page.get_by_role("alert").filter(has_text="请先和同事说一声")).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(note).to_be_focused()
    expect(note).to_have_value("说话慢")
    desk.is_well()


def tell_family(session):
    """One more notice for the family, in the inbox at once."""
    notices.tell_owner(session, NoticeKind.PASSWORD_CHANGED, family_of(session).id or 0)
    notices.deliver(session)


def test_the_bell_counts_and_takes_nobodys_dialog_or_half_written_words_away(pilot, arrive):
    family = arrive(pilot.url)
    family.open("sign_in")
    family.demo_sign_in("customer")
    bell = family.page.locator("[class*=st-key-bell_]")
    unread = int(re.sub(r"\D", "", bell.inner_text()) or 0)

    family.page.locator("[class*=st-key-order_talk_] button").first.click()
    message = family.page.get_by_role("dialog").locator("textarea")
    message.fill("我们在三号", timeout=PATIENCE_MS)
    in_the_pilot(pilot, tell_family)
    expect(bell).to_contain_text(str(unread + 1), timeout=PATIENCE_MS)
    expect(message).to_be_focused()
    family.page.keyboard.type("楼")
    expect(message).to_have_value("我们在三号楼")
    family.page.keyboard.press("Escape")

    family.follow("redeem")
    code = family.page.locator("[class*=st-key-redeem_code_] input")
    code.fill("ABCD", timeout=PATIENCE_MS)
    in_the_pilot(pilot, tell_family)
    expect(bell).to_contain_text(str(unread + 2), timeout=PATIENCE_MS)
    expect(code).to_be_focused()
    family.page.keyboard.type("EF")
    expect(code).to_have_value("ABCDEF")
    family.is_well()
