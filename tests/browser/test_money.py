"""Pay from a family's complaint to the bank: frozen, decided, due again, told, arrived."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from components import formats
from components.catalogues import say
from data.accounts import Account
from data.ledger import LedgerAccount
from data.orders import Order, Visit
from services import income, ledger, pay, phones
from services.access import SYSTEM, Role
from services.sessions import DEMO_PHONES
from tests.browser.conftest import PATIENCE_MS, PHONE, Person, in_the_pilot
from tests.factories import NANTONG
from tests.live_server import LiveServer, live_server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
COMPLAINED, OUTCOME = "提前二十分钟走了，没有说一声", "属实，退还一部分，双方各担一些"
REFUND_FEN, HERS_FEN = 60_00, 20_50


@dataclass(frozen=True, slots=True)
class Earned:
    """A visit whose pay is due, and the pay in fen."""

    visit_id: int
    pay_fen: int


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, demo_file) -> Iterator[LiveServer]:
    """Without a worker: no money moves but by the people of the test."""
    with live_server(tmp_path_factory.mktemp("pilot"), demo=demo_file) as server:
        yield server


def words(key: str, **values: object) -> str:
    return say("zh_CN", key, **values)


def due_visit(session: Session) -> Earned:
    """The newest visit of Li's to the family whose pay has waited long enough."""
    while income.release_due(session, SYSTEM):
        session.flush()
    family, li = (
        select(Account.id)
        .where(Account.phone_hash == phones.whole_hash(DEMO_PHONES[role]))
        .scalar_subquery()
        for role in (Role.CUSTOMER, Role.CAREGIVER)
    )
    visit = session.scalars(
        select(Visit)
        .join(Order, Order.id == Visit.order_id)
        .where(Order.customer_id == family, Visit.caregiver_id == li, pay.released())
        .order_by(Visit.redeemed_at.desc())
    ).first()
    assert visit is not None
    return Earned(visit.id, pay.payable(session, visit))


def told_to_the_bank(session: Session) -> int:
    """What the ledger says the bank has still to pay out, in fen."""
    return -ledger.balance(session, LedgerAccount.PAYOUT_SENT)


def in_fen(shown: str) -> int:
    return round(float(re.sub(r"[¥,]", "", shown)) * 100)


def metric(person: Person, word: str) -> int:
    """An amount in fen as the page shows it under this word."""
    found = person.page.get_by_test_id("stMetric").filter(has_text=words(word))
    return in_fen(found.get_by_test_id("stMetricValue").inner_text(timeout=PATIENCE_MS))


def her_income(caregiver: Person) -> tuple[int, int]:
    """What can be paid out to her and what is frozen, in fen."""
    caregiver.open("income")
    return metric(caregiver, "income.payable"), metric(caregiver, "income.frozen")


def due_now(operator: Person) -> int:
    """What the city's next batch would come to, in fen."""
    operator.open("payouts")
    return metric(operator, "payouts.due")


def complain(family: Person, visit_id: int) -> str:
    """Complain of a visit; the complaint's number."""
    key = f"complain_{visit_id}"
    family.open("my_orders")
    family.press(f"{key}_ask")
    family.fill(f"{key}_words", COMPLAINED)
    family.press(key)
    family.sees(words("complaint.lodged"))
    lodged = family.page.locator("[class*='st-key-complaint_']").filter(has_text=COMPLAINED).first
    [number] = re.findall(r"st-key-complaint_(\d+)", lodged.get_attribute("class") or "")
    return number


def decide(operator: Person, number: str) -> None:
    """Give a part back, at the cost of both, and see what that means before it is final."""
    key = f"ruling_{number}"
    operator.open(f"complaints?case={number}")
    operator.sees(COMPLAINED)
    operator.fill(f"{key}_words", OUTCOME)
    operator.fill(f"{key}_refund", f"{REFUND_FEN / 100:.2f}")
    operator.fill(f"{key}_hers", f"{HERS_FEN / 100:.2f}")
    parts = {"amount": REFUND_FEN, "hers": HERS_FEN, "ours": REFUND_FEN - HERS_FEN}
    said = {name: formats.money(fen) for name, fen in parts.items()}
    operator.sees(words("ruling.refund_is", **said))
    operator.is_well()
    operator.press(f"decide_{number}_ask")
    operator.press(f"decide_{number}")
    operator.sees(words("complaint.closed"))


def lock(operator: Person) -> str:
    """Set aside what the city owes; the number of the batch."""
    operator.press(f"lock_{NANTONG}_ask")
    operator.press(f"lock_{NANTONG}")
    operator.sees(words("payouts.locked"))
    newest = operator.page.locator("[class*='st-key-batch_']").first
    expect(newest).to_contain_text(words("batch_status.locked"), timeout=PATIENCE_MS)
    [number] = re.findall(r"st-key-batch_(\d+)", newest.get_attribute("class") or "")
    return number


def bank_file(operator: Person, batch: str) -> dict[str, int]:
    """Take the batch's file as Excel: its accounts, and what goes there in fen."""
    with operator.page.expect_download(timeout=PATIENCE_MS) as taking:
        operator.press(f"take_xlsx_{batch}")
    taken = taking.value
    assert taken.suggested_filename.startswith(f"carepilot-payouts-{batch}-")
    table = pd.read_excel(taken.path(), dtype=str)
    assert table["收款账号"].is_unique
    return dict(zip(table["收款账号"], table["金额（元）"].map(in_fen), strict=True))


def test_from_the_complaint_to_the_bank(pilot, signed_in):
    visit = in_the_pilot(pilot, due_visit)
    family, caregiver = signed_in("customer", size=PHONE), signed_in("caregiver", size=PHONE)
    operator = signed_in("operator")
    payable, frozen = her_income(caregiver)
    due = due_now(operator)

    number = complain(family, visit.visit_id)
    assert her_income(caregiver) == (payable - visit.pay_fen, frozen + visit.pay_fen)
    assert due_now(operator) == due - visit.pay_fen

    decide(operator, number)
    assert her_income(caregiver) == (payable - HERS_FEN, frozen)
    assert due_now(operator) == due - HERS_FEN
    operator.is_well()
    family.open("my_orders")
    family.sees(words("complaint.refunded", amount=formats.money(REFUND_FEN)))
    expect(family.page.get_by_text(formats.money(HERS_FEN))).to_have_count(0)

    batch = lock(operator)
    told = bank_file(operator, batch)
    total = sum(told.values())
    assert total == due - HERS_FEN
    assert payable - HERS_FEN in told.values()
    assert in_the_pilot(pilot, told_to_the_bank) == total
    card = operator.key(f"batch_{batch}")
    waiting = words("payouts.sum_waiting", count=len(told), total=formats.money(total))
    expect(card).to_contain_text(waiting, timeout=PATIENCE_MS)
    expect(card).to_contain_text(words("batch_status.sent"))
    operator.is_well()

    operator.press(f"arrived_{batch}_ask")
    operator.press(f"arrived_{batch}")
    operator.sees(words("payouts.noted"))
    paid = words("payouts.sum_paid", count=len(told), total=formats.money(total))
    expect(card).to_contain_text(paid, timeout=PATIENCE_MS)
    expect(card).to_contain_text(words("batch_status.closed"))
    assert in_the_pilot(pilot, told_to_the_bank) == 0
    assert her_income(caregiver) == (0, frozen)
    caregiver.is_well()
    operator.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    operator.open("payouts")
    operator.is_well()
