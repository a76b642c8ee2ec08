"""A demand is pushed: the best few are told at once, and the first to take it has it."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from components.board import View
from data.demands import Demand
from services import pushes
from services.pushes import PushStatus, PushView
from tests.browser.conftest import PATIENCE_MS, PHONE, Person, in_the_pilot
from tests.browser.test_dispatch import at_work, phone_of, pilot, words  # noqa: F401 - a fixture
from tests.factories import NANTONG, OPERATOR

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def last_demand(session: Session) -> int:
    return session.scalars(select(Demand.id).order_by(Demand.id.desc()).limit(1)).one()


def pushed(session: Session) -> PushView:
    [push] = pushes.listing(session, OPERATOR, NANTONG)
    return push


def test_a_demand_is_pushed_taken_and_confirmed(pilot, arrive):  # noqa: F811
    demand_id = in_the_pilot(pilot, last_demand)
    operator: Person = arrive(pilot.url)
    operator.open("dispatch")
    operator.demo_sign_in("operator")
    operator.open("dispatch?show=pushes")
    operator.unfold("pushable")
    operator.press(f"push_{demand_id}")
    operator.sees(words("pushes.begun"))
    operator.is_well()

    push = in_the_pilot(pilot, pushed)
    first, second = (arrive(pilot.url, size=PHONE) for _ in range(2))
    with at_work(pilot):  # Codes to sign in with are delivered.
        for person, told in zip((first, second), push.told, strict=False):
            person.open("task_hall")
            person.code_sign_in(phone_of(pilot, told.caregiver_id))
            expect(person.key(f"take_{push.id}")).to_be_visible(timeout=PATIENCE_MS)
    first.is_well()
    first.press(f"take_{push.id}")
    first.sees(words("pushes.taken"))
    expect(second.key(f"take_{push.id}")).to_have_count(0, timeout=PATIENCE_MS)

    push = in_the_pilot(pilot, pushed)
    assert push.status is PushStatus.ACCEPTED
    operator.open("dispatch?show=pushes")
    operator.sees(words("push_status.accepted"))
    operator.open(f"orders?show=held&order={push.order_id}")
    operator.press(f"confirm_{push.order_id}")
    operator.sees(words("orders_page.confirmed"))
    operator.is_well()
    first.open("my_visits")
    expect(first.key(f"accept_{push.order_id}")).to_have_count(0)
    first.is_well()

    operator.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for view in View:
        operator.open(f"dispatch?show={view}")
        operator.is_well()
