"""Statements: every line of what a family owed and paid, and in the end the ledger's balance."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, sampled_from, tuples
from sqlalchemy import select, update

from data.accounts import Account
from data.history import AuditEvent
from data.ledger import LedgerAccount
from data.orders import Order, Party, Visit
from data.receipts import Receipt
from services import (
    audit,
    bookings,
    changes,
    customers,
    extra_times,
    ledger,
    no_shows,
    plan_requests,
    receipts,
    recurrence,
    redemption,
    statements,
    visits,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.courses import Course
from services.errors import NotAllowed, NotFound, ServiceError
from services.plan_requests import PlanForm
from services.receipts import ReceiptMethod
from services.statements import StatementKind
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    make_order,
    make_receipt,
    make_redeemed_visit,
    make_visit,
    one_person,
    order_of,
    receipt_form,
    visit_of,
)

K = StatementKind


@pytest.fixture(autouse=True)
def at_home(session):
    session.get_one(Account, ZHOU.id).city_code = NANTONG


def told(session, actor=ZHOU):
    """The lines' kinds and amounts; the statement is tied to the ledger on the way."""
    session.flush()
    seen = statements.mine(session, actor)
    assert_ties(session, seen, actor)
    return [(line.kind, line.amount_fen) for line in seen.lines]


def assert_ties(session, seen, customer):
    balance = ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, customer.id)
    assert seen.owed_fen == balance == sum(line.amount_fen for line in seen.lines)
    running = 0
    for line in seen.lines:
        running += line.amount_fen
        assert line.balance_fen == running


def test_an_order_a_payment_and_its_reversal(session):
    order_id = order_of(session, make_redeemed_visit(session))
    receipt_id = make_receipt(session, order_id=order_id, amount="50")
    receipts.reverse(session, OPERATOR, receipt_id, "记错了")

    assert told(session) == [(K.ORDERED, 8000), (K.RECEIVED, -5000), (K.RECEIPT_REVERSED, 5000)]
    ordered, received, _ = statements.mine(session, ZHOU).lines
    visit = session.get_one(Visit, visit_of(session, order_id))
    assert (ordered.order_id, ordered.starts_at) == (order_id, visit.starts_at)
    assert ordered.item_id == session.get_one(Order, order_id).item_id
    assert received.method is ReceiptMethod.BANK
    assert (received.reference, received.order_id) == ("20300107-0001", order_id)
    assert received.received_on == service_clock.today()


def test_it_says_how_much_is_for_visits_to_come(session):
    make_redeemed_visit(session)
    make_order(session)

    seen = statements.mine(session, ZHOU)
    assert (seen.owed_fen, seen.coming_fen) == (2 * 8000, 8000)
    assert receipts.payer(session, DESK, ZHOU.id).coming_fen == 8000
    assert statements.mine(session, STRANGER).coming_fen == 0


def test_what_was_called_off_in_time_costs_nothing(session):
    cancel_order(session, ZHOU, make_order(session))

    assert told(session) == [(K.ORDERED, 8000), (K.CANCELLED, -8000)]


def test_a_late_cancelling_leaves_its_fee(session, clock):
    order_id = make_order(session, starts_at=clock() + timedelta(hours=10))
    clock.move(hours=8)
    cancel_order(session, ZHOU, order_id)

    assert told(session) == [(K.ORDERED, 8000), (K.CANCELLED, -8000), (K.FEE, 4000)]


def test_a_no_show_whose_fee_is_the_price_is_told_and_so_is_its_end(session, clock):
    visit_id = make_visit(session)
    clock.move(days=1, hours=1)
    changes.miss(session, OPERATOR, visit_id, Party.CUSTOMER, "家里没人")
    full = [(K.ORDERED, 8000), (K.CANCELLED, -8000), (K.FEE, 8000)]
    assert told(session) == full
    no_shows.take_back(session, OPERATOR, visit_id, "门铃坏了")

    assert told(session) == [*full, (K.FEE_REVERSED, -8000)]


def test_extra_time_is_a_line_of_its_own(session, clock):
    visit_id = make_visit(session, starts_at=clock() + timedelta(hours=7))
    clock.move(hours=7)
    visits.check_in(session, LI, visit_id)
    clock.move(to=session.get_one(Visit, visit_id).ends_at + timedelta(minutes=30))
    visits.check_out(session, LI, visit_id, ())
    session.flush()
    extra_times.ask(session, LI, visit_id)
    session.flush()
    extra_times.agree(session, ZHOU, visit_id)

    assert told(session) == [(K.ORDERED, 8000), (K.EXTRA_TIME, 2000)]


def test_a_moved_visit_is_ordered_anew(session, clock):
    visit_id = make_visit(session, starts_at=clock() + timedelta(days=3))
    changes.reschedule(session, ZHOU, visit_id, clock() + timedelta(days=4), 8000)

    assert told(session) == [(K.ORDERED, 8000), (K.CANCELLED, -8000), (K.ORDERED, 8000)]
    days = [line.starts_at.day for line in statements.mine(session, ZHOU).lines]
    assert days == [10, 10, 11]


def test_each_visit_of_a_plan_has_its_line(session):
    first = service_clock.today() + timedelta(days=7)
    course = Course(
        rule=recurrence.weekly(range(5), 1, first),
        starts_minute=8 * 60,
        units=2,
        unit_price_fen=PRICE_FEN,
        first_on=first,
        last_on=first + timedelta(days=11),
    )
    form = PlanForm(LI.id, MOTHER_ID, COMPANIONSHIP, CHONGCHUAN, "濠河花园", course)
    order_id = plan_requests.request(session, ZHOU, form, "plan")
    session.flush()
    bookings.accept(session, LI, order_id)
    session.flush()
    planned = session.scalars(select(Visit).where(Visit.order_id == order_id).order_by(Visit.id))
    visits_of_it = planned.all()

    assert len(visits_of_it) == 10
    assert told(session) == [(K.ORDERED, visit.total_fen) for visit in visits_of_it]
    seen = statements.mine(session, ZHOU).lines
    assert [line.starts_at for line in seen] == [visit.starts_at for visit in visits_of_it]


def test_visits_that_do_not_come_to_the_amount_are_told_in_one_line(session):
    order_id = make_order(session)
    session.execute(update(Visit).where(Visit.order_id == order_id).values(total_fen=8001))

    assert told(session) == [(K.ORDERED, 8000)]
    [line] = statements.mine(session, ZHOU).lines
    assert line.starts_at is None


def test_the_kept_account_takes_the_balance_over(session):
    one_person(session)
    session.get_one(Account, STRANGER.id).city_code = NANTONG
    make_order(session, customer=STRANGER)
    make_receipt(session, customer_id=STRANGER.id, amount="30")
    customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)

    assert told(session) == [(K.MERGED, 5000)]
    assert told(session, STRANGER)[-1] == (K.MERGED, -5000)


@pytest.mark.parametrize("actor", [DESK, OPERATOR])
def test_a_look_by_staff_is_recorded_and_the_family_sees_it(session, actor):
    make_order(session)
    seen = statements.of_customer(session, actor, ZHOU.id)
    session.flush()

    assert seen == statements.mine(session, ZHOU)
    looks = select(AuditEvent).where(AuditEvent.action == "open_statement")
    [look] = session.scalars(looks)
    assert (look.subject, look.subject_id, look.actor_id) == ("account", ZHOU.id, actor.id)
    assert [(one.action, one.role) for one in audit.looks(session, ZHOU)] == [
        ("open_statement", actor.role)
    ]
    statements.mine(session, ZHOU)
    session.flush()
    assert len(session.scalars(looks).all()) == 1


def test_strangers_and_other_cities_see_nothing(session):
    make_order(session)
    assert statements.mine(session, STRANGER).lines == ()
    with pytest.raises(NotFound, match="customer_not_found"):
        statements.of_customer(session, FAR_OPERATOR, ZHOU.id)
    for actor in (ZHOU, LI):
        with pytest.raises(NotAllowed):
            statements.of_customer(session, actor, ZHOU.id)
    assert (
        session.scalars(select(AuditEvent).where(AuditEvent.action == "open_statement")).all() == []
    )


def test_of_another_city_staff_read_the_amount_alone(session):
    order_id = make_order(session)
    make_receipt(session, order_id=order_id, amount="30")
    session.execute(update(Order).values(city_code=LUZHOU))
    session.execute(update(Receipt).values(city_code=LUZHOU))

    seen = statements.of_customer(session, OPERATOR, ZHOU.id)
    assert [(line.amount_fen, line.elsewhere) for line in seen.lines] == [
        (8000, True),
        (-3000, True),
    ]
    assert {(line.order_id, line.starts_at, line.method) for line in seen.lines} == {
        (None, None, None)
    }
    assert_ties(session, seen, ZHOU)
    assert not any(line.elsewhere for line in statements.mine(session, ZHOU).lines)


class History:
    """Deeds upon whatever there is; what is refused changes nothing."""

    def __init__(self, session, clock):
        self.session, self.clock, self.done = session, clock, Counter()

    def live(self, happened):
        begun = self.clock.moment
        with self.session.begin_nested() as life:
            for number, (deed, chance) in enumerate(happened):
                with suppress(ServiceError), self.session.begin_nested():
                    self.done[deed] += bool(getattr(self, deed)(chance, number))
                assert_ties(self.session, statements.mine(self.session, ZHOU), ZHOU)
            life.rollback()
        self.clock.move(to=begun)

    def visit(self, chance):
        ours = self.session.scalars(select(Visit).order_by(Visit.id)).all()
        return ours[chance % len(ours)] if ours else None

    def order(self, chance, number):
        starts_at = self.clock() + timedelta(days=1 + chance, hours=number)
        return make_order(self.session, caregiver=(LI, ZHAO)[chance % 2], starts_at=starts_at)

    def redeem(self, chance, _number):
        if visit := self.visit(chance):
            carer = LI if visit.caregiver_id == LI.id else ZHAO
            self.clock.move(to=max(self.clock(), visit.starts_at))
            visits.check_in(self.session, carer, visit.id)
            self.clock.move(to=max(self.clock(), visit.ends_at))
            visits.check_out(self.session, carer, visit.id, ())
            redemption.redeem(self.session, ZHOU, visit.id, code_of(self.session, visit.id))
        return visit

    def cancel(self, chance, _number):
        if visit := self.visit(chance):
            cancel_order(self.session, ZHOU, visit.order_id)
        return visit

    def miss(self, chance, _number):
        if visit := self.visit(chance):
            self.clock.move(to=max(self.clock(), visit.starts_at + timedelta(hours=1)))
            changes.miss(self.session, OPERATOR, visit.id, Party.CUSTOMER, "家里没人")
        return visit

    def pay(self, chance, number):
        visit = self.visit(chance)
        form = receipt_form(
            amount=f"{1 + chance * 13}.{chance}{number % 10}",
            reference=str(number),
            order_id=visit.order_id if visit and chance % 2 else None,
        )
        return receipts.record(self.session, OPERATOR, form, f"click {number}")

    def take_back(self, chance, _number):
        found = receipts.listing(self.session, OPERATOR)[chance % 2 :][:1]
        for one in found:
            receipts.reverse(self.session, OPERATOR, one.id, "记错了")
        return found

    def keep_balances(self, _chance, _number):
        return ledger.keep_balances(self.session, SYSTEM)

    def time_passes(self, chance, _number):
        self.clock.move(hours=5 * chance)
        return True


DEEDS = (
    "order", "redeem", "cancel", "miss", "pay", "take_back", "keep_balances", "time_passes",
)  # fmt: skip


def test_whatever_happens_the_statement_ties_to_the_ledger(session, clock):
    history = History(session, clock)

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(lists(tuples(sampled_from(DEEDS), integers(0, 9)), min_size=4, max_size=16))
    def lived(happened):
        history.live([("order", 1), ("pay", 1), *happened])

    lived()
    assert all(history.done[deed] > 3 for deed in DEEDS), history.done
