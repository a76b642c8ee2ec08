"""Pay that is due goes to the bank in batches: nothing is lost, nothing is paid twice."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from data import database as engines
from data.caregivers import Caregiver
from data.history import AuditEvent
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit
from data.payouts import BatchStatus, FileKind, Payout, PayoutAccount, PayoutStatus
from services import (
    complaints,
    income,
    ledger,
    ledger_checks,
    payout_accounts,
    payout_files,
    payouts,
)
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from services.errors import Conflict, Invalid, NotFound
from services.payout_accounts import AccountForm
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_redeemed_visit,
)

CARD = "6222 0212 3456 7890 128"
PAY_FEN = 6800
A = LedgerAccount


def account(session, caregiver=LI, **changes):
    values = {"bank": "工商银行南通分行", "holder": "李桂兰", "number": CARD}
    payout_accounts.keep(session, caregiver, AccountForm(**(values | changes)))
    session.flush()


def earn(session, clock, caregiver=LI):
    """A visit that was made, redeemed and has waited long enough."""
    visit_id = make_redeemed_visit(session, caregiver=caregiver)
    clock.move(days=10)
    income.release_due(session, SYSTEM)
    session.flush()
    return visit_id


def lock(session, seen_fen=PAY_FEN):
    batch_id = payouts.lock(session, OPERATOR, NANTONG, seen_fen)
    session.flush()
    return batch_id


def send(session, batch_id, kind=FileKind.CSV):
    ticket = payout_files.prepare(session, OPERATOR, batch_id, kind)
    session.flush()
    return payout_files.take(session, OPERATOR, ticket)


def of(session, caregiver=LI):
    """Frozen, payable, sent and paid, as amounts owed or given."""
    accounts = A.CAREGIVER_FROZEN, A.CAREGIVER_PAYABLE, A.PAYOUT_SENT, A.PAID_OUT
    return tuple(-ledger.balance(session, one, caregiver.id) for one in accounts)


@pytest.fixture
def due(session, clock):
    account(session)
    return earn(session, clock)


@pytest.fixture
def batch_id(session, due):
    return lock(session)


@pytest.fixture
def line_id(session, batch_id):
    return session.scalars(select(Payout.id).where(Payout.batch_id == batch_id)).one()


class TestAccount:
    def test_is_kept_sealed_and_told_by_its_last_digits(self, session):
        account(session)
        now = payout_accounts.mine(session, LI)
        assert (now.bank, now.tail) == ("工商银行南通分行", "0128")
        stored = session.scalars(select(PayoutAccount)).one()
        assert CARD.replace(" ", "").encode() not in stored.number_sealed
        assert payout_accounts.mine(session, ZHAO) is None

    def test_another_one_takes_its_place(self, session):
        account(session)
        account(session)
        account(session, bank="农业银行")
        assert payout_accounts.mine(session, LI).bank == "农业银行"
        assert len(session.scalars(select(PayoutAccount)).all()) == 2
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.PAYOUT_ACCOUNT_CHANGED
        )
        assert set(session.scalars(told)) == {LI.id}

    @pytest.mark.parametrize("number", ["", "12345", "6222021234567890129", "62220２12345678", "x"])
    def test_a_number_that_cannot_be_is_refused(self, session, number):
        with pytest.raises(Invalid, match="account_number"):
            account(session, number=number)

    def test_a_passbook_has_no_check_digit(self, session):
        account(session, number="320600123456")
        assert payout_accounts.mine(session, LI).tail == "3456"


class TestPreview:
    def test_shows_what_has_waited_and_who_lacks_an_account(self, session, clock):
        earn(session, clock)
        found = payouts.preview(session, OPERATOR, NANTONG)
        assert (found.ready, found.total_fen) == ((), 0)
        assert [one.caregiver_id for one in found.without_account] == [LI.id]

        account(session)
        [one] = payouts.preview(session, OPERATOR, NANTONG).ready
        assert (one.caregiver_id, one.amount_fen, one.tail) == (LI.id, PAY_FEN, "0128")

    def test_is_for_the_operators_of_the_city(self, session, due):
        with pytest.raises(NotFound):
            payouts.preview(session, FAR_OPERATOR, NANTONG)


class TestBatch:
    def test_sets_amounts_aside(self, session, batch_id):
        assert of(session) == (0, 0, PAY_FEN, 0)
        assert payouts.preview(session, OPERATOR, NANTONG).ready == ()
        [batch] = payouts.batches(session, OPERATOR)
        assert (batch.status, batch.sums) == (BatchStatus.LOCKED, {PayoutStatus.WAITING: PAY_FEN})
        assert payouts.batches(session, FAR_OPERATOR) == []

    def test_is_locked_once(self, session, batch_id):
        with pytest.raises(Conflict, match="nothing_to_pay_out"):
            lock(session)

    def test_is_not_locked_for_another_amount_than_was_seen(self, session, due):
        with pytest.raises(Conflict, match="payout_changed"):
            lock(session, PAY_FEN - 1)
        assert of(session) == (0, PAY_FEN, 0, 0)

    def test_is_taken_back_before_the_bank_has_it(self, session, batch_id):
        payouts.withdraw(session, OPERATOR, batch_id)
        session.flush()
        assert of(session) == (0, PAY_FEN, 0, 0)
        assert lock(session) != batch_id

    def test_is_not_taken_back_afterwards(self, session, batch_id):
        send(session, batch_id)
        with pytest.raises(Conflict, match="payout_batch_moved_on"):
            payouts.withdraw(session, OPERATOR, batch_id)

    def test_no_answer_before_the_bank_has_it(self, session, batch_id, line_id):
        with pytest.raises(Conflict, match="payout_batch_moved_on"):
            payouts.arrived(session, OPERATOR, batch_id, [line_id])

    def test_what_arrived_is_paid_once(self, session, batch_id, line_id):
        send(session, batch_id)
        assert payouts.arrived(session, OPERATOR, batch_id, [line_id]) == 1
        session.flush()
        assert of(session) == (0, 0, 0, PAY_FEN)
        assert payouts.batches(session, OPERATOR)[0].status is BatchStatus.CLOSED
        with pytest.raises(Conflict, match="payout_batch_moved_on"):
            payouts.arrived(session, OPERATOR, batch_id, [line_id])
        [mine] = payouts.mine(session, LI)
        assert (mine.amount_fen, mine.status) == (PAY_FEN, PayoutStatus.PAID)
        assert payouts.mine(session, ZHAO) == []
        told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.PAID_OUT)
        assert set(session.scalars(told)) == {LI.id}

    def test_what_came_back_is_due_again(self, session, batch_id, line_id):
        send(session, batch_id)
        payouts.came_back(session, OPERATOR, line_id, "户名不符")
        session.flush()
        assert of(session) == (0, PAY_FEN, 0, 0)
        [line] = payouts.lines(session, OPERATOR, batch_id)
        assert (line.status, line.failure_words) == (PayoutStatus.FAILED, "户名不符")
        assert lock(session) != batch_id

    def test_some_arrive_and_some_come_back(self, session, clock):
        for caregiver in (LI, ZHAO):
            account(session, caregiver)
            earn(session, clock, caregiver)
        batch_id = lock(session, 2 * PAY_FEN)
        send(session, batch_id)
        lines = {one.caregiver_id: one.id for one in payouts.lines(session, OPERATOR, batch_id)}
        payouts.came_back(session, OPERATOR, lines[LI.id], "账户冻结")
        assert payouts.batches(session, OPERATOR)[0].status is BatchStatus.SENT
        assert payouts.arrived(session, OPERATOR, batch_id, list(lines.values())) == 1
        assert payouts.batches(session, OPERATOR)[0].status is BatchStatus.CLOSED
        assert (of(session), of(session, ZHAO)) == ((0, PAY_FEN, 0, 0), (0, 0, 0, PAY_FEN))

    @pytest.mark.parametrize(
        "deed",
        [
            lambda session, batch_id: payouts.lines(session, FAR_OPERATOR, batch_id),
            lambda session, batch_id: payouts.withdraw(session, FAR_OPERATOR, batch_id),
            lambda session, batch_id: payouts.arrived(session, FAR_OPERATOR, batch_id, []),
            lambda session, batch_id: payout_files.prepare(
                session, FAR_OPERATOR, batch_id, FileKind.CSV
            ),
        ],
    )
    def test_another_citys_is_no_batch(self, session, batch_id, deed):
        with pytest.raises(NotFound):
            deed(session, batch_id)


class TestFile:
    def test_tells_the_bank_who_gets_what(self, session, batch_id):
        name, content = send(session, batch_id)
        [head, row] = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert name.endswith(".csv")
        assert head[1:5] == ["收款户名", "收款账号", "开户行", "金额（元）"]
        assert row[1:5] == ["李桂兰", CARD.replace(" ", ""), "工商银行南通分行", "68.00"]
        audits = select(AuditEvent.action).where(AuditEvent.action == "export_payouts")
        assert session.scalars(audits).all() == ["export_payouts"]

    def test_is_read_by_table_programs_to_the_last_digit(self, session, batch_id):
        name, content = send(session, batch_id, FileKind.XLSX)
        rows = pd.read_excel(io.BytesIO(content), dtype=str)
        assert name.endswith(".xlsx")
        assert list(rows["收款账号"]) == [CARD.replace(" ", "")]
        assert sum(rows["金额（元）"].astype(float)) * 100 == PAY_FEN

    def test_no_name_is_a_formula(self, session, clock):
        account(session, holder="=HYPERLINK(1)", bank="+银行")
        earn(session, clock)
        _, content = send(session, lock(session))
        [_, row] = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert (row[1], row[3]) == ("'=HYPERLINK(1)", "'+银行")

    def test_a_ticket_is_good_once_for_one_and_for_a_minute(self, session, clock, batch_id):
        ticket = payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)
        session.flush()
        with pytest.raises(NotFound):
            payout_files.take(session, FAR_OPERATOR, ticket)
        assert payout_files.take(session, OPERATOR, ticket)
        session.flush()
        with pytest.raises(NotFound):
            payout_files.take(session, OPERATOR, ticket)
        late = payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)
        session.flush()
        clock.move(minutes=2)
        with pytest.raises(NotFound):
            payout_files.take(session, OPERATOR, late)

    def test_what_was_answered_is_not_told_again(self, session, batch_id, line_id):
        send(session, batch_id)
        payouts.arrived(session, OPERATOR, batch_id, [line_id])
        session.flush()
        with pytest.raises(Conflict, match="payout_batch_moved_on"):
            payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV)


class TestWhatIsAmiss:
    """Pay that is due already is frozen by a complaint or an incident, until it is closed."""

    def complain(self, session, visit_id):
        number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "没有做饭")
        session.flush()
        return number

    def test_a_complaint_freezes_what_is_due(self, session, due):
        number = self.complain(session, due)
        assert of(session) == (PAY_FEN, 0, 0, 0)
        assert payouts.preview(session, OPERATOR, NANTONG).ready == ()
        assert income.release_due(session, SYSTEM) == 0
        complaints.close(session, OPERATOR, number, "已沟通")
        session.flush()
        assert of(session) == (0, PAY_FEN, 0, 0)

    def test_it_thaws_with_the_last_of_them(self, session, due):
        number = self.complain(session, due)
        hers = complaints.lodge(session, LI, due, ComplaintCategory.ATTITUDE, "言语不当")
        session.flush()
        complaints.close(session, OPERATOR, number, "已沟通")
        session.flush()
        assert of(session) == (PAY_FEN, 0, 0, 0)
        complaints.close(session, OPERATOR, hers, "已致歉")
        session.flush()
        assert of(session) == (0, PAY_FEN, 0, 0)
        self.complain(session, due)
        assert of(session) == (PAY_FEN, 0, 0, 0)

    def test_what_the_bank_has_is_not_called_back(self, session, due):
        lock(session)
        self.complain(session, due)
        assert of(session) == (0, 0, PAY_FEN, 0)


STEPS = st.lists(
    st.sampled_from(("earn", "complain", "close", "lock", "send", "arrive", "back", "withdraw")),
    min_size=4,
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def walk(fixture, steps):
    fixture(steps)


def test_whatever_happens_all_that_was_earned_is_somewhere(database, clock):
    """Frozen, due, with the bank and paid come to what was earned; nothing due is negative."""
    with engines.writing() as session:
        account(session)
    earned = [0]

    def live(steps):
        complained, visits = [], []
        for step in steps:
            with engines.writing() as session:
                open_ones = payouts.batches(session, OPERATOR)
                newest = open_ones[0] if open_ones else None
                try:
                    match step:
                        case "earn":
                            visits.append(earn(session, clock))
                            earned[0] += session.get_one(Visit, visits[-1]).pay_fen
                        case "complain" if visits:
                            complained.append(
                                complaints.lodge(
                                    session, ZHOU, visits[-1], ComplaintCategory.OTHER, "不满意"
                                )
                            )
                        case "close" if complained:
                            complaints.close(session, OPERATOR, complained.pop(), "已处理")
                        case "lock":
                            seen = payouts.preview(session, OPERATOR, NANTONG).total_fen
                            payouts.lock(session, OPERATOR, NANTONG, seen)
                        case "send" if newest:
                            payout_files.prepare(session, OPERATOR, newest.id, FileKind.CSV)
                        case "arrive" | "back" if newest:
                            lines = payouts.lines(session, OPERATOR, newest.id)
                            for line in lines:
                                if step == "arrive":
                                    payouts.arrived(session, OPERATOR, newest.id, [line.id])
                                else:
                                    payouts.came_back(session, OPERATOR, line.id, "退回")
                        case "withdraw" if newest:
                            payouts.withdraw(session, OPERATOR, newest.id)
                except (Conflict, NotFound):
                    session.rollback()
            with engines.reading() as session:
                frozen, payable, sent, paid = of(session)
                assert frozen + payable + sent + paid == earned[0]
                assert min(frozen, payable, sent, paid) >= 0
        with engines.reading() as session:
            ledger_checks.check(session, SYSTEM)

    walk(live)


def test_a_suspended_caregiver_is_still_paid(session, due):
    session.execute(update(Caregiver).where(Caregiver.id == LI.id).values(status="suspended"))
    assert payouts.preview(session, OPERATOR, NANTONG).total_fen == PAY_FEN


def test_pay_within_its_days_is_not_due(session, clock):
    account(session)
    make_redeemed_visit(session)
    clock.move(hours=1)
    income.release_due(session, SYSTEM)
    assert payouts.preview(session, OPERATOR, NANTONG).total_fen == 0
