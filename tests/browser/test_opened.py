"""What opens on the pages of money and rules is as well on a phone as the pages are."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.complaints import UNDECIDED, Complaint
from data.compliance import ComplianceFinding, FindingKind
from services import clock
from tests.browser.conftest import PHONE, Person, in_the_pilot
from tests.factories import NANTONG

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def first_of(person: Person, begins: str, ends: str = "") -> str:
    """The key of the first part of the page whose key begins and ends so."""
    found = person.page.locator(f"[class*='st-key-{begins}']")
    found.first.wait_for(state="attached")
    named = found.evaluate_all("all => all.map(one => one.className).join(' ')")
    return re.findall(rf"st-key-({begins}\d+{ends})", named)[0]


def complained(session: Session) -> int:
    """The oldest complaint that nobody has decided."""
    undecided = select(Complaint.id).where(Complaint.status.in_(UNDECIDED))
    return session.scalars(undecided.order_by(Complaint.id)).all()[0]


def found(session: Session) -> int:
    """A finding that waits, of a kind the demo's days need not have."""
    row = ComplianceFinding(
        created_at=clock.now(),
        seen_at=clock.now(),
        city_code=NANTONG,
        kind=FindingKind.IDLE_COMPLAINT,
        key=f"opened:{clock.now()}",
        facts={"days": 4},
    )
    session.add(row)
    session.flush()
    return row.id


@pytest.fixture(params=["light", "dark"])
def operator(request, signed_in) -> Person:
    return signed_in("operator", size=PHONE, theme=request.param)


def test_a_case_with_what_a_decision_would_do(pilot, operator):
    number = in_the_pilot(pilot, complained)
    operator.open(f"complaints?case={number}")
    operator.fill(f"ruling_{number}_points", "2")
    operator.is_well()


def test_a_finding_about_to_be_upheld(pilot, operator):
    number = in_the_pilot(pilot, found)
    operator.open("compliance")
    operator.press(f"uphold_finding_{number}_ask")
    operator.is_well()


def test_the_numbers_of_a_draft_of_the_rules_and_what_they_would_have_changed(operator):
    operator.open("rules")
    operator.press(f"begin_rules_{NANTONG}")
    edit = first_of(operator, "edit_rules_")
    operator.unfold(edit)
    operator.is_well()
    operator.fill(f"{edit}_surcharges_weekend_bp", "10")
    operator.press(f"{edit}_save_surcharges")
    draft = edit.removeprefix("edit_rules_")
    operator.unfold(f"replay_{draft}")
    operator.key(f"replay_{draft}_side").wait_for()
    operator.is_well()


def test_an_invoice_about_to_be_issued(operator):
    operator.open("invoices")
    operator.unfold(first_of(operator, "invoice_", "_buyer_open"))
    operator.press(first_of(operator, "issue_invoice_", "_ask"))
    operator.is_well()


def test_the_lines_of_a_batch(operator):
    operator.open("payouts")
    operator.unfold(first_of(operator, "lines_"))
    operator.is_well()


def test_a_draft_of_a_document(operator):
    operator.open("policies?of=onboarding")
    if operator.key("policy_begin").count():
        operator.press("policy_begin")
    operator.key("policy_draft").wait_for()
    operator.is_well()
