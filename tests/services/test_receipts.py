"""Receipts: recorded once, taken back once, and the ledger follows to the fen."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.accounts import Account
from data.cities import City
from data.history import AuditEvent
from data.invoices import Proof
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.receipts import Receipt
from services import audit, customers, erasure, ledger, pictures, proofs, receipts
from services import clock as service_clock
from services.access import SYSTEM
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.payment_providers import STAFF
from services.receipts import ReceiptMethod
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHOU,
    empty_page,
    make_order,
    make_receipt,
    make_redeemed_visit,
    one_person,
    order_of,
    phone_of,
    receipt_form,
)

RECEIVED = {
    ReceiptMethod.CASH: LedgerAccount.RECEIVED_CASH,
    ReceiptMethod.BANK: LedgerAccount.RECEIVED_BANK,
    ReceiptMethod.WECHAT: LedgerAccount.RECEIVED_WECHAT,
    ReceiptMethod.SPLIT: LedgerAccount.RECEIVED_SPLIT,
}


@pytest.fixture
def order_id(session):
    """Zhou lives in Nantong, and owes 80 yuan for a visit that was made."""
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    return order_of(session, make_redeemed_visit(session))


def owed(session, customer=ZHOU):
    return ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, customer.id)


def lines(session, event):
    return session.execute(
        select(LedgerPosting.account, LedgerPosting.party_id, LedgerPosting.amount_fen)
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.event == event)
        .order_by(LedgerPosting.number)
    ).all()


@pytest.mark.parametrize("method", ReceiptMethod)
@pytest.mark.parametrize("actor", [DESK, OPERATOR])
def test_what_was_paid_is_owed_no_more(session, order_id, actor, method):
    receipt_id = make_receipt(
        session, actor=actor, method=method, order_id=order_id, amount="￥80.00", words=NASTY
    )

    assert owed(session) == 0
    assert ledger.balance(session, RECEIVED[method]) == 8000
    [seen] = receipts.listing(session, actor, order_id=order_id)
    assert (seen.id, seen.amount_fen, seen.method, seen.words) == (receipt_id, 8000, method, NASTY)
    assert seen.reversible == (actor is OPERATOR)
    assert session.get_one(Receipt, receipt_id).city_code == NANTONG
    assert receipts.payer(session, actor, ZHOU.id).owed_fen == 0
    done = select(AuditEvent.subject_id).where(AuditEvent.action == "record_receipt")
    assert session.scalars(done).all() == [receipt_id]
    entry = select(LedgerEntry).where(LedgerEntry.event == LedgerEvent.RECEIVED)
    [booked] = session.scalars(entry)
    assert (booked.event_key, booked.order_id) == (f"received:receipt:{receipt_id}", order_id)


def test_a_double_click_records_once(session, order_id):
    first = receipts.record(session, OPERATOR, receipt_form(), "one click")
    again = receipts.record(session, OPERATOR, receipt_form(), "one click")

    assert first == again
    assert owed(session) == 0
    assert session.scalar(select(func.count(Receipt.id))) == 1


def test_a_reference_is_recorded_once_unless_it_was_taken_back(session, order_id):
    first = make_receipt(session)
    with pytest.raises(Conflict, match="reference_recorded"):
        make_receipt(session, actor=DESK, reference=" ２０３００１０７-0001 ")
    make_receipt(session, method=ReceiptMethod.WECHAT)
    receipts.reverse(session, OPERATOR, first, "记错了")
    make_receipt(session)

    assert owed(session) == 8000 - 2 * 8000


def test_only_cash_needs_no_reference(session, order_id):
    for _ in range(2):
        make_receipt(session, method=ReceiptMethod.CASH, reference="", amount="0.01")
    for method in set(ReceiptMethod) - {ReceiptMethod.CASH}:
        with pytest.raises(Invalid, match="missing"):
            make_receipt(session, method=method, reference=" ")
    assert owed(session) == 8000 - 2


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", "missing"),
        ("八十", "amount_unreadable"),
        ("1,23", "amount_unreadable"),
        ("8e1", "amount_unreadable"),
        ("٨٠", "amount_unreadable"),
        ("nan", "amount_unreadable"),
        ("-80", "amount_negative"),
        ("−0.01", "amount_negative"),
        ("80.001", "amount_below_a_fen"),
        ("0", "amount_out_of_range"),
        ("0.00", "amount_out_of_range"),
        ("100000.01", "amount_out_of_range"),
        ("9" * 400, "amount_out_of_range"),
    ],
)
def test_amounts_that_cannot_be_are_refused_in_words(session, order_id, typed, refusal):
    with pytest.raises(Invalid, match=f"error.{refusal}"):
        make_receipt(session, amount=typed)
    assert owed(session) == 8000


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("80", 8000),
        (" 80.5 元", 8050),
        ("¥1,234.50", 123450),
        ("０.０１", 1),
        ("100000", 10_000_000),
    ],
)
def test_amounts_are_read_as_people_type_them(typed, fen):
    assert receipts.fen(typed) == fen


def test_the_day_is_no_later_than_today_and_no_older_than_a_year(session, order_id):
    today = service_clock.today()
    with pytest.raises(Invalid, match="received_in_future"):
        make_receipt(session, received_on=today + timedelta(days=1))
    with pytest.raises(Invalid, match="received_too_long_ago"):
        make_receipt(session, received_on=today - timedelta(days=366))
    make_receipt(session, received_on=today - timedelta(days=365))


def test_words_are_bounded(session, order_id):
    with pytest.raises(Invalid, match="too_long"):
        make_receipt(session, reference="7" * 61)
    with pytest.raises(Invalid, match="too_long"):
        make_receipt(session, words="长" * 201)


def test_only_an_order_of_that_family_can_be_paid(session, order_id):
    theirs = make_order(session, customer=STRANGER)
    for wrong in (theirs, NOBODY_ID):
        with pytest.raises(NotFound, match="order_not_found"):
            make_receipt(session, order_id=wrong)
    assert owed(session) == 8000


def test_another_city_neither_records_nor_sees_nor_takes_back(session, order_id):
    receipt_id = make_receipt(session)

    for customer_id in (ZHOU.id, LI.id, NOBODY_ID):
        with pytest.raises(NotFound, match="customer_not_found"):
            make_receipt(session, actor=FAR_OPERATOR, customer_id=customer_id, reference="another")
    with pytest.raises(NotFound, match="customer_not_found"):
        receipts.payer(session, FAR_OPERATOR, ZHOU.id)
    with pytest.raises(NotFound, match="receipt_not_found"):
        receipts.reverse(session, FAR_OPERATOR, receipt_id, "记错了")
    assert receipts.listing(session, FAR_OPERATOR) == []
    assert receipts.payers(session, FAR_OPERATOR, "周") == []


def test_a_family_without_a_home_pays_where_it_asked_for_care(session):
    make_order(session, customer=STRANGER)
    receipt_id = make_receipt(session, customer_id=STRANGER.id)

    assert session.get_one(Account, STRANGER.id).city_code is None
    assert session.get_one(Receipt, receipt_id).city_code == NANTONG


def test_a_mistake_is_taken_back_once_and_exactly(session, order_id):
    receipt_id = make_receipt(session, order_id=order_id, amount="33.33")
    with pytest.raises(NotAllowed):
        receipts.reverse(session, DESK, receipt_id, "记错了")
    with pytest.raises(Invalid, match="missing"):
        receipts.reverse(session, OPERATOR, receipt_id, " ")
    receipts.reverse(session, OPERATOR, receipt_id, "记错了家庭")
    with pytest.raises(Conflict, match="receipt_reversed_already"):
        receipts.reverse(session, OPERATOR, receipt_id, "再来一次")

    there = lines(session, LedgerEvent.RECEIVED)
    back = lines(session, LedgerEvent.RECEIPT_REVERSED)
    assert [(*place, -fen) for *place, fen in there] == [tuple(line) for line in back]
    assert owed(session) == 8000
    [seen] = receipts.listing(session, OPERATOR)
    assert (seen.reversal_words, seen.reversible) == ("记错了家庭", False)
    assert seen.reversed_by == "陈立军"


def test_families_are_found_as_one_knows_them(session, order_id):
    for typed in ("周", phone_of(ZHOU), phone_of(ZHOU)[-4:]):
        assert [one.id for one in receipts.payers(session, DESK, typed)] == [ZHOU.id]
    assert receipts.payers(session, DESK, " ") == []
    [found] = receipts.payers(session, DESK, "晓燕")
    assert (found.owed_fen, found.masked_phone, found.pays) == (8000, "138****0001", True)


def test_the_list_is_of_days_and_as_long_as_asked(session, clock, order_id):
    today = service_clock.today()
    ids = [
        make_receipt(session, reference=str(days), received_on=today - timedelta(days=days))
        for days in (3, 2, 1, 0)
    ]

    def listed(**asked):
        return [one.id for one in receipts.listing(session, DESK, **asked)]

    assert listed() == ids[::-1]
    assert listed(limit=1) == ids[-1:]
    window = {"first": today - timedelta(days=2), "last": today - timedelta(days=1)}
    assert listed(**window) == [ids[2], ids[1]]
    assert listed(customer_id=STRANGER.id) == []


@pytest.fixture
def merged(session, order_id):
    """What was recorded of Stranger's account before it was merged into Zhou's."""
    one_person(session)
    session.get_one(Account, STRANGER.id).city_code = NANTONG
    make_order(session, customer=STRANGER)
    receipt_id = make_receipt(session, customer_id=STRANGER.id, amount="30")
    customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
    session.flush()
    session.expire_all()
    return receipt_id


def test_receipts_follow_to_the_account_that_is_kept(session, merged):
    assert [one.id for one in receipts.listing(session, DESK, customer_id=ZHOU.id)] == [merged]
    assert (owed(session), owed(session, STRANGER)) == (2 * 8000 - 3000, 0)
    receipts.reverse(session, OPERATOR, merged, "记错了")

    assert (owed(session), owed(session, STRANGER)) == (2 * 8000, 0)
    with pytest.raises(Conflict, match="payer_merged"):
        make_receipt(session, customer_id=STRANGER.id, reference="another")


def test_what_was_written_of_who_is_erased_goes_and_amounts_stay(session, clock, order_id):
    mistake = make_receipt(session, words="周奶奶的儿子付的")
    receipts.reverse(session, OPERATOR, mistake, "周家的另一笔")
    kept = make_receipt(session, reference="ZHOU-1")
    erasure.ask(session, ZHOU)
    clock.move(days=7)
    assert erasure.erase_due(session, SYSTEM) == 1
    session.flush()
    session.expire_all()

    rows = session.scalars(select(Receipt).where(Receipt.customer_id == ZHOU.id)).all()
    assert {(one.words, one.reference, one.reversal_words) for one in rows} == {("", "", "")}
    assert [one.amount_fen for one in rows] == [8000, 8000]
    assert owed(session) == 0
    with pytest.raises(Conflict, match="account_erased"):
        make_receipt(session, reference="another")
    receipts.reverse(session, OPERATOR, kept, "退回")
    assert owed(session) == 8000


@pytest.fixture
def proof(session, order_id):
    """A payment with two pictures that prove it, and the first of them."""
    receipt_id = receipts.record(session, DESK, receipt_form(), "proven", [empty_page()] * 2)
    session.flush()
    return proofs.of_receipts(session, DESK, [receipt_id])[receipt_id][0]


def test_a_proof_is_seen_by_staff_marked_and_noted_and_by_the_family_as_it_is(session, proof):
    def shown(actor, purpose):
        kind = pictures.PictureKind.PROOF
        return pictures.use(
            session, actor, pictures.ticket(session, actor, kind, proof.id, purpose)
        )

    assert shown(ZHOU, "own") == (empty_page().image, "")
    assert "operator 7" in shown(OPERATOR, "receipt")[1]
    [look] = [one for one in audit.looks(session, ZHOU) if one.action == "open_proof"]
    assert look.role is OPERATOR.role
    for actor, purpose in (
        (ZHOU, "receipt"), (OPERATOR, "own"), (STRANGER, "own"),
        (FAR_OPERATOR, "receipt"), (LI, "own"), (LI, "receipt"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            shown(actor, purpose)
    assert proofs.of_receipts(session, STRANGER, [proof.subject_id]) == {}
    assert len(proofs.of_receipts(session, ZHOU, [proof.subject_id])[proof.subject_id]) == 2


def test_too_many_proofs_are_refused_and_nothing_is_recorded(session, order_id):
    with pytest.raises(Invalid, match="proofs_too_many"), session.begin_nested():
        receipts.record(session, DESK, receipt_form(), "many", [empty_page()] * (proofs.MOST + 1))
    assert receipts.listing(session, DESK) == []
    assert owed(session) == 8000


def test_proofs_go_in_time_and_with_who_is_erased(session, clock, proof):
    assert pictures.shred_due(session, SYSTEM) == 0
    clock.move(days=session.scalars(select(City.document_days)).first() + 1)
    assert proofs.shred_due(session, SYSTEM) == 2
    assert proofs.of_receipts(session, DESK, [proof.subject_id]) == {}

    receipts.record(session, DESK, receipt_form(reference="2"), "another", [empty_page()])
    erasure.ask(session, ZHOU)
    clock.move(days=7)
    assert erasure.erase_due(session, SYSTEM) == 1
    session.flush()
    kept = select(func.count(Proof.id)).where(Proof.content_sealed.is_not(None))
    assert session.scalar(kept) == 0


def test_another_provider_is_one_more_way_to_read_a_payment(session, order_id):
    told = STAFF.payment("split-1", receipt_form(method=ReceiptMethod.SPLIT, amount="12.34"))

    assert (told.id, told.amount_fen, told.method) == ("split-1", 1234, ReceiptMethod.SPLIT)
    assert told.received_on == service_clock.today()
    with pytest.raises(Invalid, match="amount_below_a_fen"):
        STAFF.payment("split-2", receipt_form(amount="12.345"))
