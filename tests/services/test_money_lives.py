"""Money lived at random: whatever is earned, refunded, paid out and given back, the books hold."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account
from data.ledger import LedgerEntry, LedgerEvent
from data.orders import Party, Visit
from services import (
    changes,
    complaints,
    income,
    ledger,
    ledger_checks,
    no_shows,
    payout_accounts,
    payout_files,
    payouts,
    receipts,
    refunds,
    repayments,
)
from services.access import SYSTEM
from services.complaints import ComplaintCategory
from services.errors import ServiceError
from services.payout_accounts import AccountForm
from services.payout_files import FileKind
from tests.books import balances_of, owed_by
from tests.factories import (
    LI,
    NANTONG,
    OPERATOR,
    ZHOU,
    make_receipt,
    make_redeemed_visit,
    make_visit,
    receipt_form,
)
from tests.lives import Books

RELEASES = (
    select(func.count(LedgerEntry.id))
    .where(LedgerEntry.event == LedgerEvent.RELEASED)
    .group_by(LedgerEntry.visit_id)
)


class Life:
    """One caregiver, one family and an operator; what they should come to is counted by hand."""

    def __init__(self, clock):
        self.clock = clock
        self.number = 0
        self.hers = self.charged = 0
        self.visits, self.missed, self.lodged = [], [], []
        self.refunded, self.received, self.repaid = [], [], []

    def begin(self, session):
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        account = AccountForm("工商银行", "李桂兰", "6222021234567890128")
        payout_accounts.keep(session, LI, account)

    def work(self, session, _share):
        self.visits.append(make_redeemed_visit(session))
        visit = session.get_one(Visit, self.visits[-1])
        self.hers += visit.pay_fen
        self.charged += visit.total_fen
        self.clock.move(days=1)

    def miss(self, session, share):
        """One side does not come, and owes what its terms say."""
        starts_at = self.clock.moment + timedelta(hours=5)
        visit = session.get_one(Visit, make_visit(session, starts_at=starts_at))
        self.clock.move(to=starts_at)
        party = Party.CUSTOMER if share % 2 else Party.CAREGIVER
        changes.miss(session, OPERATOR, visit.id, party, "没有来")
        left = refunds.left(session, OPERATOR, visit.id)
        owed = left.pay_left_fen - visit.penalty_fen, left.charged_fen
        self.hers += owed[0]
        self.charged += owed[1]
        self.visits.append(visit.id)
        self.missed.append((visit.id, *owed))
        self.clock.move(days=1)

    def take_back_no_show(self, session, share):
        visit_id, hers, charged = self.missed[share % len(self.missed)]
        no_shows.take_back(session, OPERATOR, visit_id, "弄错了")
        self.hers -= hers
        self.charged -= charged
        self.missed.remove((visit_id, hers, charged))

    def wait(self, session, _share):
        self.clock.move(days=8)
        income.release_due(session, SYSTEM)

    def complain(self, session, share):
        visit_id = self.visits[-1 - share % len(self.visits)]
        said = ComplaintCategory.QUALITY, "不满意"
        self.lodged.append(complaints.lodge(session, ZHOU, visit_id, *said))

    def close(self, session, share):
        number = self.lodged[share % len(self.lodged)]
        complaints.close(session, OPERATOR, number, "已处理")
        self.lodged.remove(number)

    def refund(self, session, share):
        visit_id = self.visits[-1 - share % len(self.visits)]
        left = refunds.left(session, OPERATOR, visit_id)
        amount_fen = left.left_fen * (1 + share) // 100
        hers_fen = min(left.pay_left_fen, amount_fen) * (share % 5) // 4
        self.number += 1
        refund_id = refunds.grant(
            session, OPERATOR, visit_id, amount_fen, hers_fen, "退", request_key=str(self.number)
        )
        self.refunded.append((refund_id, amount_fen, hers_fen))
        self.charged -= amount_fen
        self.hers -= hers_fen

    def take_back_refund(self, session, share):
        refund_id, amount_fen, hers_fen = self.refunded.pop(share % len(self.refunded))
        refunds.take_back(session, OPERATOR, refund_id, "记错了")
        self.charged += amount_fen
        self.hers += hers_fen

    def lock(self, session, _share):
        seen_fen = payouts.preview(session, OPERATOR, NANTONG).total_fen
        payouts.lock(session, OPERATOR, NANTONG, seen_fen)

    def answer(self, session, share):
        """The newest batch is withdrawn, or goes to the bank and arrives, or comes back."""
        batch = payouts.batches(session, OPERATOR)[0]
        if share % 3 == 0:
            payouts.withdraw(session, OPERATOR, batch.id)
            return
        payout_files.prepare(session, OPERATOR, batch.id, FileKind.CSV)
        session.flush()
        for line in payouts.lines(session, OPERATOR, batch.id):
            if share % 3 == 1:
                payouts.arrived(session, OPERATOR, batch.id, [line.id])
            else:
                payouts.came_back(session, OPERATOR, line.id, "退回")

    def pay(self, session, share):
        self.number += 1
        number = make_receipt(session, amount=str(1 + share), reference=str(self.number))
        self.received.append((number, 100 * (1 + share)))
        self.charged -= self.received[-1][1]

    def take_back_receipt(self, session, share):
        receipt_id, amount_fen = self.received.pop(share % len(self.received))
        receipts.reverse(session, OPERATOR, receipt_id, "记错了")
        self.charged += amount_fen

    def repay(self, session, share):
        self.number += 1
        form = receipt_form(amount=str(1 + share // 2), reference=f"B{self.number}")
        number = repayments.record(session, OPERATOR, form, str(self.number))
        self.repaid.append((number, 100 * (1 + share // 2)))
        self.charged += self.repaid[-1][1]

    def take_back_repayment(self, session, share):
        number, amount_fen = self.repaid.pop(share % len(self.repaid))
        repayments.take_back(session, OPERATOR, number, "记错了")
        self.charged -= amount_fen

    def keep_balances(self, session, _share):
        ledger.keep_balances(session, SYSTEM)

    NEEDS = {
        "complain": "visits",
        "refund": "visits",
        "close": "lodged",
        "take_back_no_show": "missed",
        "take_back_refund": "refunded",
        "take_back_receipt": "received",
        "take_back_repayment": "repaid",
    }

    def take(self, step, share):
        """Take one step in a transaction of its own; False if it was refused, without a trace."""
        needed = self.NEEDS.get(step)
        if needed and not getattr(self, needed):
            return False
        before = {
            name: value.copy() for name, value in vars(self).items() if isinstance(value, list)
        }
        sums = self.hers, self.charged
        try:
            with engines.writing() as session:
                getattr(self, step)(session, share)
        except (ServiceError, IndexError):
            vars(self).update(before)
            self.hers, self.charged = sums
            return False
        return True

    def check(self):
        with engines.reading() as session:
            frozen, due, sent, paid, debt = balances_of(session, LI)
            assert frozen + due + sent + paid - debt == self.hers
            assert min(frozen, due, sent, paid, debt) >= 0
            assert min(due, debt) == 0
            assert owed_by(session, ZHOU) == self.charged
            assert set(session.scalars(RELEASES)) <= {1}
            assert Books(session).sum_to_zero()
            ledger_checks.check(session, SYSTEM)


STEPS = (
    *("work", "wait", "refund", "lock", "answer") * 2,
    *("miss", "take_back_no_show", "complain", "close", "take_back_refund", "pay"),
    *("take_back_receipt", "repay", "take_back_repayment", "keep_balances"),
)


@settings(max_examples=20, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), min_size=6, max_size=20)
)
def walk(live, steps):
    live(steps)


def test_whatever_happens_to_money_the_books_hold(database, clock):
    life = Life(clock)
    with engines.writing() as session:
        life.begin(session)

    def live(steps):
        for step, share in steps:
            life.take(step, share)
            life.check()

    walk(live)


def test_every_step_can_be_taken(database, clock):
    """One life by hand, so that chance need not find what each step waits for."""
    life = Life(clock)
    with engines.writing() as session:
        life.begin(session)
    for step, share in (
        ("work", 0), ("wait", 0), ("lock", 0), ("answer", 1), ("refund", 49), ("work", 0),
        ("complain", 0), ("refund", 24), ("wait", 0), ("close", 0), ("wait", 0), ("lock", 0),
        ("answer", 2), ("take_back_refund", 0), ("miss", 0), ("miss", 1), ("take_back_no_show", 1),
        ("pay", 99), ("pay", 99), ("pay", 10), ("take_back_receipt", 2), ("repay", 1),
        ("take_back_repayment", 0), ("keep_balances", 0),
    ):  # fmt: skip
        assert life.take(step, share), step
        life.check()
