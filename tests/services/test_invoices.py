"""Invoices: a receipt is in one at a time, and what was issued is cancelled before it is undone."""

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text
from sqlalchemy import func, select

from data.accounts import Account
from data.history import AuditEvent, Noun, StatusChange
from data.invoices import Invoice, InvoicedReceipt
from data.notices import NoticeKind, OutboxMessage
from data.receipts import Receipt
from data.repayments import Repayment
from services import audit, customers, erasure, invoices, proofs, receipts, repayments, tax_numbers
from services import clock as service_clock
from services.access import SYSTEM
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.invoices import BuyerKind, InvoiceForm, InvoiceStatus
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHOU,
    empty_page,
    make_receipt,
    one_person,
    receipt_form,
)

CODE = "91320600MA00000002"
NUMBER, RED_NUMBER = "30320000000000000001", "30320000000000000002"


@pytest.fixture
def paid(session):
    """Zhou lives in Nantong and paid twice: 80 and 20 yuan."""
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    return [make_receipt(session, amount=amount, reference=amount) for amount in ("80", "20")]


def form(receipt_ids, **changes):
    values = {"buyer": BuyerKind.PERSONAL, "title": "周晓燕"}
    return InvoiceForm(tuple(receipt_ids), **(values | changes))


def ask(session, receipt_ids, actor=ZHOU, key="one click", **changes):
    made = invoices.ask(session, actor, form(receipt_ids, **changes), key)
    session.flush()
    return made


def issue(session, invoice_id, number=NUMBER, **changes):
    invoices.issue(session, OPERATOR, invoice_id, number, service_clock.today(), **changes)
    session.flush()


def told(session, kind):
    asked = select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)
    return session.scalars(asked).all()


def free(session):
    return [one.id for one in invoices.open_receipts(session, ZHOU)]


def test_an_invoice_is_for_what_was_chosen_and_for_no_more(session, paid):
    invoice_id = ask(session, paid, title=NASTY, buyer=BuyerKind.COMPANY, tax_number=CODE)

    [seen] = invoices.queue(session, OPERATOR)
    assert (seen.id, seen.amount_fen, seen.status) == (invoice_id, 10000, InvoiceStatus.ASKED)
    assert free(session) == []
    assert told(session, NoticeKind.INVOICE_ASKED) == [OPERATOR.id]
    buyer = invoices.buyer(session, OPERATOR, invoice_id)
    assert (buyer.title, buyer.tax_number) == (NASTY, CODE)
    assert [one.id for one in buyer.receipts] == paid
    [look] = [one for one in audit.looks(session, ZHOU) if one.action == "open_invoice"]
    assert look.role is OPERATOR.role
    stored = session.get_one(Invoice, invoice_id)
    assert NASTY.encode() not in stored.title_sealed
    assert CODE.encode() not in stored.tax_number_sealed


def test_what_is_in_an_invoice_is_not_asked_for_again(session, paid):
    first = ask(session, paid[:1])
    assert ask(session, paid[:1]) == first
    with pytest.raises(Conflict, match="receipt_in_invoice"):
        ask(session, paid, key="another click")
    assert session.scalar(select(func.count(Invoice.id))) == 1
    issue(session, first)
    with pytest.raises(Conflict, match="receipt_in_invoice"):
        ask(session, paid[:1], key="another click")
    assert free(session) == paid[1:]


def test_neither_nothing_nor_what_was_taken_back_nor_others_money_is_invoiced(session, paid):
    with pytest.raises(Invalid, match="missing"):
        ask(session, [])
    receipts.reverse(session, OPERATOR, paid[0], "记错了")
    session.flush()
    for wrong in (paid[0], NOBODY_ID):
        with pytest.raises(Conflict, match="receipt_in_invoice"):
            ask(session, [wrong])
    with pytest.raises(Conflict, match="receipt_in_invoice"):
        ask(session, [paid[1]], actor=STRANGER)
    assert free(session) == [paid[1]]


def test_what_a_family_got_back_is_not_invoiced(session, paid):
    repayments.record(session, OPERATOR, receipt_form(amount="30", reference="back"), "back")
    assert invoices.most(session, ZHOU) == 7000
    made = ask(session, paid[1:]), ask(session, paid[:1], key="another click")
    amounts = [session.get_one(Invoice, one).amount_fen for one in made]
    assert amounts == [2000, 5000]
    assert invoices.most(session, ZHOU) == 0
    repayments.take_back(session, OPERATOR, session.scalars(select(Repayment.id)).one(), "记错了")
    assert invoices.most(session, ZHOU) == 3000
    assert free(session) == []


def test_nothing_is_invoiced_of_money_that_has_all_gone_back(session, paid):
    repayments.record(session, OPERATOR, receipt_form(amount="100", reference="back"), "back")
    session.flush()
    with pytest.raises(Conflict, match="nothing_to_invoice"):
        ask(session, paid)
    assert invoices.most(session, ZHOU) == 0


def test_the_receipts_of_two_cities_are_two_invoices(session, paid):
    session.get_one(Receipt, paid[1]).city_code = LUZHOU
    with pytest.raises(Invalid, match="invoice_of_one_city"):
        ask(session, paid)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", "missing"),
        (CODE[:-1], "tax_number"),
        (CODE[:-1] + "I", "tax_number"),
        ("91320600MA00000003", "tax_number_mistyped"),
        ("19320600MA00000002", "tax_number_mistyped"),
    ],
)
def test_a_company_says_a_code_that_can_be(session, paid, typed, refusal):
    with pytest.raises(Invalid, match=f"error.{refusal}"):
        ask(session, paid, buyer=BuyerKind.COMPANY, tax_number=typed)
    assert len(free(session)) == 2


def test_a_code_is_read_as_people_type_it():
    assert tax_numbers.checked(" 9132 0600-ma00000002 ") == CODE
    assert tax_numbers.checked("９１３２０６００ＭＡ０００００００２") == CODE


@given(text(tax_numbers.SIGNS, min_size=17, max_size=17), sampled_from(range(17)))
def test_one_sign_mistyped_is_noticed(first_17, place):
    code = first_17 + tax_numbers.check_sign(first_17)
    assert tax_numbers.checked(code) == code
    other = tax_numbers.SIGNS[(tax_numbers.SIGNS.index(code[place]) + 1) % 31]
    with pytest.raises(Invalid, match="tax_number_mistyped"):
        tax_numbers.checked(code[:place] + other + code[place + 1 :])


def test_a_person_needs_a_title_and_no_number(session, paid):
    with pytest.raises(Invalid, match="missing"):
        ask(session, paid, title=" ")
    invoice_id = ask(session, paid, tax_number="not asked")
    assert invoices.buyer(session, ZHOU, invoice_id).tax_number == ""


def test_what_was_issued_has_a_number_a_day_and_a_picture_for_the_family(session, clock, paid):
    invoice_id = ask(session, paid)
    for wrong in ("12345", "x" * 20, "1" * 19, "٣" * 20):
        with pytest.raises(Invalid, match="invoice_number"):
            issue(session, invoice_id, wrong)
    with pytest.raises(Invalid, match="missing"):
        issue(session, invoice_id, " ")
    clock.move(days=1)
    issue(session, invoice_id, pages=[empty_page()])

    [seen] = invoices.of_customer(session, ZHOU)
    assert (seen.status, seen.number) == (InvoiceStatus.ISSUED, NUMBER)
    assert seen.issued_on == service_clock.today()
    assert told(session, NoticeKind.INVOICE_ISSUED) == [ZHOU.id]
    assert len(proofs.of_invoices(session, ZHOU, [invoice_id])[invoice_id]) == 1
    assert proofs.of_invoices(session, STRANGER, [invoice_id]) == {}
    with pytest.raises(Conflict, match="invoice_moved_on"):
        issue(session, invoice_id, RED_NUMBER)


def test_the_day_of_issue_lies_between_the_request_and_today(session, clock, paid):
    invoice_id = ask(session, paid)
    today = service_clock.today()
    for days in (-1, 1):
        day = today.replace(day=today.day + days)
        with pytest.raises(Invalid, match="invoice_day"), session.begin_nested():
            invoices.issue(session, OPERATOR, invoice_id, NUMBER, day)
    assert invoices.queue(session, OPERATOR)[0].status is InvoiceStatus.ASKED


def test_a_number_is_used_once(session, paid):
    issue(session, ask(session, paid[:1]))
    second = ask(session, paid[1:], key="another click")
    with pytest.raises(Conflict, match="invoice_number_used"), session.begin_nested():
        issue(session, second)


def test_what_is_refused_or_withdrawn_can_be_asked_for_again(session, paid):
    refused = ask(session, paid)
    with pytest.raises(Invalid, match="missing"):
        invoices.refuse(session, OPERATOR, refused, " ")
    invoices.refuse(session, OPERATOR, refused, "抬头不对")
    withdrawn = ask(session, paid, key="2")
    invoices.withdraw(session, ZHOU, withdrawn)
    last = ask(session, paid, key="3")

    seen = invoices.of_customer(session, ZHOU)
    assert [(one.id, str(one.status)) for one in seen] == [
        (last, "asked"), (withdrawn, "withdrawn"), (refused, "refused"),
    ]  # fmt: skip
    assert seen[2].words == "抬头不对"
    assert told(session, NoticeKind.INVOICE_REFUSED) == [ZHOU.id]
    with pytest.raises(Conflict, match="invoice_moved_on"):
        invoices.withdraw(session, ZHOU, refused)
    moves = select(StatusChange.move).where(StatusChange.noun == Noun.INVOICE)
    assert session.scalars(moves.order_by(StatusChange.id)).all() == [
        "ask", "refuse", "ask", "withdraw", "ask",
    ]  # fmt: skip


def test_a_receipt_in_an_invoice_is_not_taken_back_before_that_is_cancelled(session, paid):
    invoice_id = ask(session, paid)
    with pytest.raises(Conflict, match="receipt_to_be_invoiced"):
        receipts.reverse(session, OPERATOR, paid[0], "记错了")
    issue(session, invoice_id)
    with pytest.raises(Conflict, match="receipt_invoiced"):
        receipts.reverse(session, OPERATOR, paid[0], "记错了")
    with pytest.raises(Invalid, match="invoice_red_number"):
        invoices.cancel(session, OPERATOR, invoice_id, NUMBER, "抬头开错")
    invoices.cancel(session, OPERATOR, invoice_id, RED_NUMBER, "抬头开错")
    session.flush()
    receipts.reverse(session, OPERATOR, paid[0], "记错了")

    [seen] = invoices.of_customer(session, ZHOU)
    assert (seen.status, seen.red_number) == (InvoiceStatus.CANCELLED, RED_NUMBER)
    assert told(session, NoticeKind.INVOICE_CANCELLED) == [ZHOU.id]
    assert free(session) == paid[1:]


def test_money_that_an_invoice_holds_does_not_go_back_before_that_is_cancelled(session, paid):
    def repay(amount):
        form = receipt_form(amount=amount, reference=amount)
        return repayments.record(session, OPERATOR, form, amount)

    invoice_id = ask(session, paid[:1])
    issue(session, invoice_id)
    with pytest.raises(Conflict, match="money_invoiced") as refused:
        repay("20.01")
    assert refused.value.values == {"left_fen": 2000, "number": invoice_id}
    assert repay("20") is not None
    session.flush()
    with pytest.raises(Conflict, match="money_invoiced") as refused:
        receipts.reverse(session, OPERATOR, paid[1], "记错了")
    assert refused.value.values == {"left_fen": 0, "number": invoice_id}
    invoices.cancel(session, OPERATOR, invoice_id, RED_NUMBER, "已退款")
    session.flush()
    assert repay("30") is not None
    session.flush()
    assert session.get_one(Invoice, ask(session, paid[:1], key="again")).amount_fen == 5000


def test_a_request_for_an_invoice_holds_the_money_too_until_it_is_refused(session, paid):
    asked = ask(session, paid)
    form = receipt_form(amount="1", reference="back")
    with pytest.raises(Conflict, match="money_invoiced"):
        repayments.record(session, OPERATOR, form, "back")
    invoices.refuse(session, OPERATOR, asked, "要退款")
    session.flush()
    assert repayments.record(session, OPERATOR, form, "back") is not None


def test_staff_ask_for_callers_and_another_city_sees_nothing(session, paid):
    invoice_id = ask(session, paid, actor=DESK, customer_id=ZHOU.id)

    assert [one.id for one in invoices.of_customer(session, ZHOU)] == [invoice_id]
    for stranger in (FAR_OPERATOR, STRANGER):
        with pytest.raises(NotFound, match="customer_not_found"):
            invoices.open_receipts(session, stranger, ZHOU.id)
        with pytest.raises(NotFound, match="invoice_not_found"):
            invoices.buyer(session, stranger, invoice_id)
        with pytest.raises(NotFound, match="invoice_not_found"):
            invoices.withdraw(session, stranger, invoice_id)
    assert invoices.queue(session, FAR_OPERATOR) == []
    with pytest.raises(NotFound, match="customer_not_found"):
        invoices.open_receipts(session, DESK)
    for nobody in (LI, DESK):
        with pytest.raises(NotAllowed):
            invoices.issue(session, nobody, invoice_id, NUMBER, service_clock.today())


def test_invoices_follow_to_the_account_that_is_kept(session, paid):
    one_person(session)
    session.get_one(Account, STRANGER.id).city_code = NANTONG
    theirs = make_receipt(session, customer_id=STRANGER.id, reference="3")
    invoice_id = ask(session, [theirs], actor=STRANGER)
    issue(session, invoice_id, pages=[empty_page()])
    customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
    session.flush()
    session.expire_all()

    assert [one.id for one in invoices.of_customer(session, ZHOU)] == [invoice_id]
    assert invoice_id in proofs.of_invoices(session, ZHOU, [invoice_id])


def test_an_open_request_keeps_a_person_and_then_title_and_number_go(session, clock, paid):
    invoice_id = ask(session, paid, buyer=BuyerKind.COMPANY, tax_number=CODE)
    with pytest.raises(Conflict, match="erasure_invoices"):
        erasure.ask(session, ZHOU)
    issue(session, invoice_id, pages=[empty_page()])
    erasure.ask(session, ZHOU)
    clock.move(days=7)
    assert erasure.erase_due(session, SYSTEM) == 1
    session.flush()
    session.expire_all()

    kept = session.get_one(Invoice, invoice_id)
    assert (kept.title, kept.tax_number, kept.issued_number) == ("—", "", NUMBER)
    assert proofs.of_invoices(session, OPERATOR, [invoice_id]) == {}


def test_every_deed_is_in_the_audit_and_every_line_stays(session, paid):
    invoice_id = ask(session, paid)
    issue(session, invoice_id)
    invoices.cancel(session, OPERATOR, invoice_id, RED_NUMBER, "抬头开错")
    session.flush()

    deeds = select(AuditEvent.action).where(AuditEvent.subject == "invoice")
    assert session.scalars(deeds.order_by(AuditEvent.id)).all() == [
        "ask_invoice", "issue_invoice", "cancel_invoice",
    ]  # fmt: skip
    assert session.scalar(select(func.count(InvoicedReceipt.let_go_at))) == 2
