"""Orders lived at random: whatever people do in whatever sequence, the books and the times hold."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import integers, sampled_from
from sqlalchemy import func, select, text

from data import database as engines
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.ledger import LedgerAccount, LedgerPosting
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from services import applications, demands, ledger, lifecycles, orders, redemption, reviews, visits
from services.access import SYSTEM
from services.errors import ServiceError
from tests.conftest import Clock
from tests.factories import (
    DESK,
    LI,
    MONDAY,
    MOTHER_ID,
    OPERATOR,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    code_of,
    demand_form,
    order_of,
    visit_of,
)
from tests.races.rush import overlaps

WRONG = "AAAA-AAAA"
# The tables an order's life writes to; the cast stays.
LIVED = (
    "reviews", "ledger_postings", "ledger_entries", "visits", "orders", "applications", "demands",
    "status_changes", "audit_events", "notices", "outbox_messages", "tasks",
)  # fmt: skip
VISIT_OF_ORDER = {
    OrderStatus.CONFIRMED: {VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED},
    OrderStatus.COMPLETED: {VisitStatus.REDEEMED},
    OrderStatus.CANCELLED: {VisitStatus.CANCELLED},
}
# What must have succeeded at least once, for the run to prove anything.
EVERY_DEED = {
    f"services.{deed}"
    for deed in (
        "applications.apply",
        "applications.approve",
        "applications.decline",
        "applications.withdraw",
        "demands.expire_due",
        "demands.post",
        "demands.withdraw",
        "orders.cancel",
        "orders.decline",
        "redemption.redeem",
        "redemption.reissue",
        "reviews.write",
        "visits.check_in",
        "visits.check_out",
    )
}
caregivers = sampled_from((LI, ZHAO))
# Who acts on a visit: mostly its own customer, sometimes somebody else.
people = sampled_from(("customer", "customer", "stranger", "desk", "operator"))


class OrderLife(RuleBasedStateMachine):
    """Each rule is one transaction; whatever is raised and is no refusal fails the test."""

    demand_ids = Bundle("demands")
    application_ids = Bundle("applications")
    visit_ids = Bundle("visits")
    clock: Clock  # The fixture's, set by the test.
    succeeded: Counter[str]

    def __init__(self):
        super().__init__()
        self.clock.move(to=MONDAY)
        self.posted = 0
        self.unchecked = False
        with engines.writing() as session:
            for table in LIVED:
                session.execute(text(f"DELETE FROM {table}"))

    def act(self, service, *given):
        """Run a service as pages do; the refusal if it refused."""
        try:
            outcome = engines.transact(lambda session: service(session, *given))
        except ServiceError as refusal:
            outcome = refusal
        if not isinstance(outcome, ServiceError):
            self.unchecked = True
            self.succeeded[f"{service.__module__}.{service.__name__}"] += 1
        return outcome

    # --- What people do

    @initialize(target=visit_ids)
    def an_order_and_a_caregiver_who_waits(self):
        application_ids = [
            self.apply(self.post(customer, hours=20, units=2), caregiver, 4000)
            for customer, caregiver in ((ZHOU, LI), (STRANGER, ZHAO))
        ]
        return self.approve(application_ids[0])

    @rule(
        target=demand_ids,
        customer=sampled_from((ZHOU, STRANGER)),
        hours=integers(1, 30),
        units=integers(2, 4),
    )
    def post(self, customer, hours, units):
        self.posted += 1
        form = demand_form(
            recipient_id=STRANGERS_FATHER_ID if customer is STRANGER else MOTHER_ID,
            starts_at=self.clock.moment + timedelta(hours=hours),
            units=units,
        )
        demand_id = self.act(demands.post, customer, form, f"request {self.posted}")
        assert isinstance(demand_id, int)
        return demand_id

    @rule(demand_id=demand_ids, customer=sampled_from((ZHOU, STRANGER)))
    def withdraw(self, demand_id, customer):
        self.act(demands.withdraw, customer, demand_id)

    @rule(
        target=application_ids,
        demand_id=demand_ids,
        caregiver=caregivers,
        price_fen=sampled_from((3000, 3333, 6000)),
    )
    def apply(self, demand_id, caregiver, price_fen):
        applied = self.act(applications.apply, caregiver, demand_id, price_fen)
        return applied if isinstance(applied, int) else multiple()

    @rule(demand_id=demand_ids, caregiver=caregivers)
    def withdraw_application(self, demand_id, caregiver):
        self.act(applications.withdraw, caregiver, demand_id)

    @rule(target=visit_ids, application_id=application_ids)
    def approve(self, application_id):
        order_id = self.act(applications.approve, OPERATOR, application_id)
        if not isinstance(order_id, int):
            return multiple()
        with engines.reading() as session:
            return visit_of(session, order_id)

    @rule(application_id=application_ids)
    def turn_away(self, application_id):
        self.act(applications.decline, OPERATOR, application_id)

    @rule(visit_id=visit_ids, who=people)
    def cancel(self, visit_id, who):
        order_id, actor = self.order(visit_id, who)
        self.act(orders.cancel, actor, order_id)

    @rule(visit_id=visit_ids, who=people)
    def decline(self, visit_id, who):
        order_id, actor = self.order(visit_id, who)
        self.act(orders.decline, actor, order_id)

    @rule(visit_id=visit_ids, caregiver=caregivers)
    def check_in(self, visit_id, caregiver):
        self.act(visits.check_in, caregiver, visit_id)

    @rule(visit_id=visit_ids, caregiver=caregivers)
    def check_out(self, visit_id, caregiver):
        self.act(visits.check_out, caregiver, visit_id, (0,))

    @rule(visit_id=visit_ids)
    def live_as_planned(self, visit_id):
        with engines.reading() as session:
            visit = session.get_one(Visit, visit_id)
        for service, moment, *rest in (
            (visits.check_in, visit.starts_at),
            (visits.check_out, visit.ends_at, (0, 1)),
        ):
            self.clock.move(to=max(moment, self.clock.moment))
            self.act(service, replace(LI, id=visit.caregiver_id), visit_id, *rest)

    @rule(visit_id=visit_ids, who=people)
    def type_a_wrong_code(self, visit_id, who):
        _, actor = self.order(visit_id, who)
        assert isinstance(self.act(redemption.redeem, actor, visit_id, WRONG), ServiceError)

    @rule(visit_id=visit_ids, who=people)
    def redeem(self, visit_id, who):
        _, actor = self.order(visit_id, who)
        with engines.reading() as session:
            code = code_of(session, visit_id)
        self.act(redemption.redeem, actor, visit_id, code)

    @rule(visit_id=visit_ids)
    def reissue(self, visit_id):
        self.act(redemption.reissue, OPERATOR, visit_id)

    @rule(visit_id=visit_ids, who=people)
    def review(self, visit_id, who):
        _, actor = self.order(visit_id, who)
        self.act(reviews.write, actor, visit_id, reviews.ReviewForm(5, 5, 5, 5))

    @rule(hours=sampled_from((1, 2, 24)))
    def time_passes(self, hours):
        self.clock.move(hours=hours)

    @rule()
    def expire(self):
        self.act(demands.expire_due, SYSTEM)

    def order(self, visit_id, who):
        """The order of a visit, and one of the people who might act on it."""
        with engines.reading() as session:
            order = session.get_one(Order, order_of(session, visit_id))
        own, other = (ZHOU, STRANGER) if order.customer_id == ZHOU.id else (STRANGER, ZHOU)
        actors = {"customer": own, "stranger": other, "desk": DESK, "operator": OPERATOR}
        return order.id, actors[who]

    # --- What must hold whatever they did

    @invariant()
    def everything_holds(self):
        if not self.unchecked:
            return
        self.unchecked = False
        with engines.reading() as session:
            self.nobody_is_in_two_places(session)
            self.the_books_are_balanced_and_the_pay_is_what_was_redeemed(session)
            self.every_order_has_one_visit_in_a_status_that_fits(session)
            self.a_matched_demand_has_one_chosen_caregiver_and_nobody_waiting(session)
            self.only_redeemed_visits_are_reviewed(session)
            self.every_status_is_the_one_its_last_history_row_says(session)
            self.every_step_ever_taken_stands_in_a_table(session)

    def nobody_is_in_two_places(self, session):
        assert overlaps(session) == 0

    def the_books_are_balanced_and_the_pay_is_what_was_redeemed(self, session):
        assert not session.scalar(select(func.sum(LedgerPosting.amount_fen)))
        pay = select(func.sum(Order.total_fen - Order.commission_fen)).where(
            Order.status == OrderStatus.COMPLETED
        )
        frozen = ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN)
        assert -frozen == (session.scalar(pay) or 0)
        committed = select(func.sum(Order.total_fen)).where(Order.status == OrderStatus.CONFIRMED)
        promised = ledger.balance(session, LedgerAccount.ORDERS_COMMITTED)
        assert -promised == (session.scalar(committed) or 0)

    def every_order_has_one_visit_in_a_status_that_fits(self, session):
        rows = session.execute(
            select(Order.id, Order.status, Visit.status).join(Visit, Visit.order_id == Order.id)
        ).all()
        assert len(rows) == len({row[0] for row in rows})
        assert len(rows) == session.scalar(select(func.count(Order.id)))
        for _, order_status, visit_status in rows:
            assert visit_status in VISIT_OF_ORDER[order_status]

    def a_matched_demand_has_one_chosen_caregiver_and_nobody_waiting(self, session):
        chosen = Counter(
            session.execute(
                select(Application.demand_id, Application.status)
                .join(Demand, Demand.id == Application.demand_id)
                .where(Demand.status == DemandStatus.MATCHED)
            ).all()
        )
        matched = session.scalars(select(Demand.id).where(Demand.status == DemandStatus.MATCHED))
        for demand_id in matched:
            assert chosen[demand_id, ApplicationStatus.APPROVED] == 1
            assert chosen[demand_id, ApplicationStatus.SUBMITTED] == 0

    def only_redeemed_visits_are_reviewed(self, session):
        reviewed = select(Visit.status).join(Review, Review.visit_id == Visit.id)
        assert set(session.scalars(reviewed)) <= {VisitStatus.REDEEMED}

    def every_status_is_the_one_its_last_history_row_says(self, session):
        tables = {Noun.DEMAND: Demand, Noun.APPLICATION: Application, Noun.ORDER: Order}
        for noun, table in tables.items():
            last = (
                select(StatusChange.new_status)
                .where(StatusChange.noun == noun, StatusChange.subject_id == table.id)
                .order_by(StatusChange.id.desc())
                .limit(1)
                .scalar_subquery()
            )
            assert session.scalars(select(table.id).where(table.status != last)).all() == []

    def every_step_ever_taken_stands_in_a_table(self, session):
        steps = session.execute(
            select(
                StatusChange.noun,
                StatusChange.move,
                StatusChange.old_status,
                StatusChange.new_status,
            )
            .where(StatusChange.old_status != "")
            .distinct()
        )
        for noun, name, old, new in steps:
            moves = {(m.name, m.source, m.target) for m in lifecycles.MOVES[noun]}
            assert (name, old, new) in moves


def test_whatever_people_do_books_times_and_statuses_hold(database, clock):
    class Life(OrderLife):
        succeeded = Counter()

    Life.clock = clock
    bounded = settings(
        max_examples=30,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
    )
    run_state_machine_as_test(Life, settings=bounded)

    assert set(Life.succeeded) == EVERY_DEED
