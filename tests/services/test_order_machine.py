"""Orders lived at random: whatever people do in whatever sequence, the books and the times hold.

CAREPILOT_EXAMPLES=5000 lives as many lives; without it some, as every run of the tests does.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, integers, sampled_from
from sqlalchemy import func, select

from data import database as engines
from data.accounts import AccountStatus
from data.caregivers import Caregiver, CaregiverStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import (
    ASIDE,
    WAITING,
    EndReason,
    Order,
    OrderStatus,
    Party,
    Visit,
    VisitStatus,
)
from data.reviews import Review
from services import (
    applications,
    bookings,
    caregivers,
    changes,
    cities,
    customers,
    demands,
    lifecycles,
    orders,
    redemption,
    reviews,
    visits,
    waiting_lists,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.bookings import BookingForm
from services.errors import ServiceError
from services.pricing import BASIS_POINTS
from tests.conftest import Clock
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    LI,
    MONDAY,
    MOTHER_ID,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    code_of,
    demand_form,
    order_of,
    visit_of,
)
from tests.lives import Books, begin_anew, how_many
from tests.races.rush import overlaps

LIVES = how_many(24)
WRONG = "AAAA-AAAA"
# The tables an order's life writes to; the cast stays, as it was.
LIVED = ("ledger_entries", "demands", "status_changes", "notices", "outbox_messages", "tasks")
RESTORED = (
    f"UPDATE accounts SET status = '{AccountStatus.ACTIVE}', merged_into_id = NULL",
    f"UPDATE caregivers SET status = '{CaregiverStatus.APPROVED}' WHERE id IN ({LI.id}, {ZHAO.id})",
    f"UPDATE recipients SET customer_id = {STRANGER.id} WHERE id = {STRANGERS_FATHER_ID}",
    "UPDATE cities SET operator_approves = FALSE, verify_customers = FALSE",
    # Two people who are both verified are never merged.
    f"DELETE FROM verification_cases WHERE account_id = {STRANGER.id}",
)
LIVE = {*WAITING, OrderStatus.CONFIRMED, OrderStatus.COMPLETED}
# What each step of a confirmed order books.
BOOKED = {
    OrderStatus.CONFIRMED: LedgerEvent.CONFIRMED,
    OrderStatus.COMPLETED: LedgerEvent.REDEEMED,
    OrderStatus.CANCELLED: LedgerEvent.CANCELLED,
    OrderStatus.MISSED: LedgerEvent.CANCELLED,
}
NOUNS = {
    Noun.DEMAND: Demand,
    Noun.APPLICATION: Application,
    Noun.ORDER: Order,
    Noun.VISIT: Visit,
    Noun.CAREGIVER: Caregiver,
}
VISIT_STATUSES = {
    status: {one for one, fits in orders._ORDER_STATUSES.items() if status in fits}
    for status in OrderStatus
}
TABLES = {noun: {(m.name, m.source, m.target) for m in lifecycles.MOVES[noun]} for noun in NOUNS}
# Visits and caregivers of the cast begin without a history row, in one of these.
FIRST = {
    Noun.VISIT: {VisitStatus.HELD, VisitStatus.PLANNED},
    Noun.CAREGIVER: {CaregiverStatus.APPROVED, CaregiverStatus.DRAFT},
}
EVERY_STATUS = {
    Noun.DEMAND: set(DemandStatus),
    Noun.APPLICATION: set(ApplicationStatus),
    # Of single orders that nobody moves; plans and moves have their own tests.
    Noun.ORDER: set(OrderStatus) - {OrderStatus.PAUSED},
    Noun.VISIT: set(VisitStatus) - {*ASIDE},
}
# What must be able to succeed, for the machine to prove anything.
EVERY_DEED = {
    f"services.{deed}"
    for deed in (
        "applications.apply",
        "applications.approve",
        "applications.decline",
        "applications.withdraw",
        "bookings.accept",
        "bookings.block",
        "bookings.call_off",
        "bookings.confirm",
        "bookings.expire_due",
        "bookings.refuse",
        "bookings.request",
        "changes.cancel_visit",
        "changes.miss",
        "changes.quote",
        "caregivers.move",
        "cities.keep_settings",
        "customers.merge",
        "customers.move",
        "demands.expire_due",
        "demands.post",
        "demands.withdraw",
        "orders.decline",
        "redemption.redeem",
        "redemption.reissue",
        "reviews.write",
        "visits.check_in",
        "visits.check_out",
        "waiting_lists.close_due",
    )
}
# What the invariants ask, made once.
HISTORY = (
    select(
        StatusChange.noun,
        StatusChange.subject_id,
        StatusChange.move,
        StatusChange.old_status,
        StatusChange.new_status,
    )
    .where(StatusChange.noun.in_(NOUNS))
    .order_by(StatusChange.id)
)
STATUSES = {noun: select(table.id, table.status) for noun, table in NOUNS.items()}
# Every visit with its order, and whether somebody reviewed it.
VISITS = (
    select(
        Order.id,
        Order.demand_id,
        Order.customer_id,
        Order.status,
        Order.answer_until,
        Order.commission_bp,
        Visit.status.label("visit_status"),
        Visit.total_fen,
        Visit.commission_fen,
        Visit.fee_fen,
        Visit.penalty_fen,
        Review.id.label("review_id"),
    )
    .outerjoin(Visit, Visit.order_id == Order.id)
    .outerjoin(Review, Review.visit_id == Visit.id)
    .order_by(Order.id)
)
UNBALANCED = (
    select(LedgerEntry.id)
    .outerjoin(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
    .group_by(LedgerEntry.id)
    .having(func.coalesce(func.sum(LedgerPosting.amount_fen), 1) != 0)
)
BOOKINGS = select(LedgerEntry.order_id, LedgerEntry.event).order_by(LedgerEntry.id)
CHOSEN = select(Application.demand_id, Application.status)
families = sampled_from((ZHOU, STRANGER))
carers = sampled_from((LI, ZHAO))
# Who acts on a visit: mostly its own customer, sometimes somebody else.
people = sampled_from(("customer", "customer", "stranger", "desk", "operator"))
# What becomes of a request: who answers what, one after the other.
YES, LAST_WORD = (bookings.accept, "caregiver"), (bookings.confirm, "operator")
REFUSAL, CHANGE_OF_MIND = (bookings.refuse, "caregiver"), (bookings.call_off, "customer")
STOP = (bookings.block, "operator", "重复的请求")
ANSWERS = (
    (YES,),
    (YES, LAST_WORD),
    ((bookings.accept, "customer"),),
    (REFUSAL,),
    (CHANGE_OF_MIND,),
    ((bookings.call_off, "stranger"),),
    ((bookings.call_off, "desk"),),
    (STOP,),
)


class OrderLife(RuleBasedStateMachine):
    """Each rule is one transaction; whatever is raised and is no refusal fails the test."""

    demand_ids = Bundle("demands")
    application_ids = Bundle("applications")
    visit_ids = Bundle("visits")
    clock: Clock  # The fixture's, set by the test.
    succeeded: Counter[str]
    reached: defaultdict[Noun, set[str]]

    def __init__(self):
        super().__init__()
        self.clock.move(to=MONDAY)
        self.posted = 0
        self.merged = False
        self.unchecked = False
        begin_anew(LIVED, *RESTORED)

    def act(self, service, *given, **named):
        """Run a service as pages do; the refusal if it refused."""
        try:
            outcome = engines.transact(lambda session: service(session, *given, **named))
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

    @initialize(target=visit_ids, last_word=booleans())
    def a_caregiver_who_is_asked(self, last_word):
        with engines.reading() as session:
            [city] = cities.mine(session, OPERATOR)
        kept = replace(city.settings, operator_approves=last_word)
        self.act(cities.keep_settings, OPERATOR, city.code, kept)
        return self.request(STRANGER, ZHAO, days=1, hour=10, by_phone=False)

    @rule(
        target=demand_ids,
        customer=families,
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
        owner = self.who_is(customer)
        demand_id = self.act(demands.post, owner, form, f"request {self.posted}")
        assert isinstance(demand_id, int)
        return demand_id

    @rule(demand_id=demand_ids)
    def withdraw(self, demand_id):
        with engines.reading() as session:
            owner = replace(ZHOU, id=session.get_one(Demand, demand_id).customer_id)
        self.act(demands.withdraw, owner, demand_id)

    @rule(
        target=application_ids,
        demand_id=demand_ids,
        caregiver=carers,
        price_fen=sampled_from((3000, 3333, 6000)),
    )
    def apply(self, demand_id, caregiver, price_fen):
        applied = self.act(applications.apply, caregiver, demand_id, price_fen)
        return applied if isinstance(applied, int) else multiple()

    @rule(target=visit_ids, application_id=application_ids)
    def approve(self, application_id):
        return self.visit(self.act(applications.approve, OPERATOR, application_id))

    @rule(application_id=application_ids, by_the_operator=booleans())
    def end_application(self, application_id, by_the_operator):
        with engines.reading() as session:
            application = session.get_one(Application, application_id)
        applicant = replace(LI, id=application.caregiver_id)
        if by_the_operator:
            self.act(applications.decline, OPERATOR, application_id)
        else:
            self.act(applications.withdraw, applicant, application.demand_id)

    @rule(
        target=visit_ids,
        customer=families,
        caregiver=carers,
        days=integers(0, 2),
        hour=integers(7, 18),
        by_phone=booleans(),
        answers=sampled_from(((), (), *ANSWERS)),
    )
    def request(self, customer, caregiver, days, hour, by_phone, answers=()):
        self.posted += 1
        owner = self.who_is(customer)
        day = service_clock.today() + timedelta(days=days)
        form = BookingForm(
            caregiver_id=caregiver.id,
            recipient_id=STRANGERS_FATHER_ID if customer is STRANGER else MOTHER_ID,
            item_id=COMPANIONSHIP,
            district_code=CHONGCHUAN,
            address="濠河花园 3 幢 502 室",
            starts_at=datetime.combine(day, time(hour), service_clock.CITY_TIME),
            units=2,
            price_fen=PRICE_FEN,
        )
        key = f"request {self.posted}"
        if by_phone:
            asked = self.act(bookings.request, DESK, form, key, customer_id=owner.id)
        else:
            asked = self.act(bookings.request, owner, form, key)
        visit_id = self.visit(asked)
        if isinstance(visit_id, int):
            self.answer(visit_id, answers)
        return visit_id

    @rule(visit_id=visit_ids, answers=sampled_from(ANSWERS))
    def answer(self, visit_id, answers):
        for service, who, *words in answers:
            order_id, actor = self.order(visit_id, who)
            self.act(service, actor, order_id, *words)

    @rule(visit_id=visit_ids, who=people)
    def decline(self, visit_id, who):
        order_id, actor = self.order(visit_id, who)
        self.act(orders.decline, actor, order_id)

    @rule(visit_id=visit_ids, who=people, by_the_caregiver=booleans(), shown=booleans())
    def cancel(self, visit_id, who, by_the_caregiver, shown):
        _, actor = self.order(visit_id, "caregiver" if by_the_caregiver else who)
        seen = self.act(changes.quote, actor, visit_id)
        if not isinstance(seen, ServiceError):
            fee_fen = seen.fee_fen if shown else seen.fee_fen + 1
            plans_changed = EndReason.PLANS_CHANGED
            self.act(changes.cancel_visit, actor, visit_id, plans_changed, "不需要了", fee_fen)

    @rule(visit_id=visit_ids, party=sampled_from((Party.CUSTOMER, Party.CAREGIVER)))
    def miss(self, visit_id, party):
        self.act(changes.miss, OPERATOR, visit_id, party, "到点后电话联系不上")

    @rule(
        visit_id=visit_ids,
        caregiver=carers,
        step=sampled_from(((visits.check_in,), (visits.check_out, (0,)))),
    )
    def work(self, visit_id, caregiver, step):
        service, *rest = step
        self.act(service, caregiver, visit_id, *rest)

    @rule(visit_id=visit_ids, to_the_end=booleans())
    def live_as_planned(self, visit_id, to_the_end):
        with engines.reading() as session:
            visit = session.get_one(Visit, visit_id)
        for service, moment, *rest in (
            (visits.check_in, visit.starts_at),
            (visits.check_out, visit.ends_at, (0, 1)),
        ):
            self.clock.move(to=max(moment, self.clock.moment))
            self.act(service, replace(LI, id=visit.caregiver_id), visit_id, *rest)
        if to_the_end:
            self.type_the_code(visit_id, "customer", right=True, anew=False)
            self.review(visit_id, "customer")

    @rule(visit_id=visit_ids, who=people, right=booleans(), anew=booleans())
    def type_the_code(self, visit_id, who, right, anew):
        _, actor = self.order(visit_id, who)
        if anew:
            self.act(redemption.reissue, OPERATOR, visit_id)
        with engines.reading() as session:
            code = code_of(session, visit_id) if right else WRONG
        refusal = self.act(redemption.redeem, actor, visit_id, code)
        assert right or refusal is not None

    @rule(visit_id=visit_ids, who=people)
    def review(self, visit_id, who):
        _, actor = self.order(visit_id, who)
        self.act(reviews.write, actor, visit_id, reviews.ReviewForm(5, 5, 5, 5))

    @rule(hours=sampled_from((1, 2, 24)))
    def time_passes(self, hours):
        self.clock.move(hours=hours)

    @rule(hours=sampled_from((0, 2)))
    def the_worker_runs(self, hours):
        self.clock.move(hours=hours)
        for job in (demands.expire_due, bookings.expire_due, waiting_lists.close_due):
            self.act(job, SYSTEM)

    @rule(
        service_and_person=sampled_from(
            ((caregivers.move, LI), (caregivers.move, ZHAO), (customers.move, STRANGER))
        )
    )
    def suspend_or_restore(self, service_and_person):
        service, person = service_and_person
        if isinstance(self.act(service, OPERATOR, person.id, "suspend", "投诉"), ServiceError):
            self.act(service, OPERATOR, person.id, "restore")

    @precondition(lambda self: self.posted > 4 and not self.merged)
    @rule()
    def merge(self):
        self.merged = self.act(customers.merge, OPERATOR, ZHOU.id, STRANGER.id) is None

    def who_is(self, customer):
        """The account that a customer uses: a merged one is nobody's any more."""
        return ZHOU if self.merged else customer

    def visit(self, outcome):
        """The visit of the order that was made, if one was."""
        if not isinstance(outcome, int):
            return multiple()
        with engines.reading() as session:
            return visit_of(session, outcome)

    def order(self, visit_id, who):
        """The order of a visit, and one of the people who might act on it."""
        with engines.reading() as session:
            order = session.get_one(Order, order_of(session, visit_id))
        own, other = (ZHOU, STRANGER) if order.customer_id == ZHOU.id else (STRANGER, ZHOU)
        actors = {
            "customer": own,
            "stranger": other,
            "caregiver": replace(LI, id=order.caregiver_id),
            "desk": DESK,
            "operator": OPERATOR,
        }
        return order.id, actors[who]

    # --- What must hold whatever they did

    @invariant()
    def everything_holds(self):
        if not self.unchecked:
            return
        self.unchecked = False
        with engines.reading() as session:
            paths, statuses = self.every_status_is_where_its_history_led(session)
            assert overlaps(session) == 0
            lived = session.execute(VISITS).all()
            self.the_books_are_those_of_the_visits(Books(session), lived)
            self.each_order_booked_what_it_lived_through(session, paths[Noun.ORDER])
            self.every_order_has_one_visit_in_a_status_that_fits(lived)
            self.a_demand_has_the_live_order_its_status_says(lived, statuses[Noun.DEMAND])
            self.a_matched_demand_has_one_chosen_caregiver_and_nobody_waiting(
                session, lived, statuses[Noun.DEMAND]
            )

    def every_status_is_where_its_history_led(self, session):
        """Walk every history; return each subject's statuses in turn, and those that stand."""
        paths = defaultdict(dict)
        for noun, subject_id, name, old, new in session.execute(HISTORY):
            if (path := paths[noun].get(subject_id)) is None:
                assert old in FIRST.get(noun, {""})
                path = paths[noun][subject_id] = []
            else:
                assert old == path[-1]
            assert not old or (name, old, new) in TABLES[noun]
            path.append(new)
            self.reached[noun] |= {old, new} - {""}
        statuses = {noun: dict(session.execute(asked).all()) for noun, asked in STATUSES.items()}
        for noun, found in statuses.items():
            for subject_id, status in found.items():
                path = paths[noun].get(subject_id)
                assert status == path[-1] if path else status in FIRST[noun]
        return paths, statuses

    def the_books_are_those_of_the_visits(self, books, lived):
        """Pay is what was redeemed; everybody owes the price of their orders, or the fee."""
        assert books.sum_to_zero()
        pay = sum(
            one.total_fen - one.commission_fen
            for one in lived
            if one.visit_status is VisitStatus.REDEEMED
        )
        fees = sum(one.fee_fen - one.fee_fen * one.commission_bp // BASIS_POINTS for one in lived)
        assert -books.accounts[LedgerAccount.CAREGIVER_FROZEN] == pay + fees
        penalties = sum(one.penalty_fen for one in lived)
        assert -books.accounts[LedgerAccount.PENALTY] == penalties
        assert books.accounts[LedgerAccount.CAREGIVER_PAYABLE] == penalties
        promised = sum(one.total_fen for one in lived if one.status is OrderStatus.CONFIRMED)
        assert -books.accounts[LedgerAccount.ORDERS_COMMITTED] == promised
        agreed = (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
        owed = Counter()
        for one in lived:
            owed[one.customer_id] += one.total_fen if one.status in agreed else one.fee_fen
        for customer in (ZHOU, STRANGER):
            account = LedgerAccount.CUSTOMER_RECEIVABLE
            assert books.parties[account, customer.id] == owed.pop(customer.id, 0)
        assert not any(owed.values())

    def each_order_booked_what_it_lived_through(self, session, paths):
        assert session.scalars(UNBALANCED).all() == []
        booked = defaultdict(list)
        for order_id, event in session.execute(BOOKINGS):
            if event is not LedgerEvent.MERGED:
                booked[order_id].append(event)
        for order_id, path in paths.items():
            stood = OrderStatus.CONFIRMED in path
            lived = [BOOKED[step] for step in path if step in BOOKED] if stood else []
            assert booked.pop(order_id, []) == lived
        assert not booked

    def every_order_has_one_visit_in_a_status_that_fits(self, lived):
        """And only what was redeemed is reviewed, once."""
        assert len(lived) == len({one.id for one in lived})
        for one in lived:
            assert one.visit_status in VISIT_STATUSES[one.status]
            assert one.review_id is None or one.visit_status is VisitStatus.REDEEMED

    def a_demand_has_the_live_order_its_status_says(self, lived, statuses):
        live = defaultdict(list)
        for one in lived:
            if one.status in LIVE:
                live[one.demand_id].append(one.status)
        for demand_id, status in statuses.items():
            agreed = live[demand_id]
            match status:
                case DemandStatus.DIRECTED:
                    assert len(agreed) == 1
                    assert agreed[0] in WAITING
                case DemandStatus.MATCHED:  # One whose order was cancelled stays matched.
                    assert len(agreed) <= 1
                    assert not set(agreed) & set(WAITING)
                case _:
                    assert not agreed

    def a_matched_demand_has_one_chosen_caregiver_and_nobody_waiting(
        self, session, lived, statuses
    ):
        chosen = Counter(session.execute(CHOSEN).all())
        # Of the orders a demand had, only the last can be the one that matched it.
        asked = {one.demand_id: one.answer_until for one in lived}
        for demand_id, answer_until in asked.items():
            if statuses[demand_id] is DemandStatus.MATCHED:
                applied = answer_until is None  # One who was asked directly never applied.
                assert chosen[demand_id, ApplicationStatus.APPROVED] == applied
                assert chosen[demand_id, ApplicationStatus.SUBMITTED] == 0


@pytest.fixture
def life(database, clock):
    """The machine as a class of the test's own, so that its counts are too."""

    class Life(OrderLife):
        succeeded = Counter()
        reached = defaultdict(set)

    Life.clock = clock
    return Life


def test_whatever_people_do_books_times_and_statuses_hold(life):
    bounded = settings(
        max_examples=LIVES,
        stateful_step_count=36,
        deadline=None,
        derandomize=LIVES < 1000,
        database=None,
        print_blob=False,
    )
    run_state_machine_as_test(life, settings=bounded)

    assert life.succeeded.total() > LIVES * 10


def test_every_deed_can_be_done_and_every_status_be_reached(life):
    """One life by hand: what chance need not find in its few steps is possible, and holds."""
    lived = life()
    visit_id = lived.an_order_and_a_caregiver_who_waits()
    lived.type_the_code(visit_id, "customer", right=False, anew=True)
    agreed_id = lived.a_caregiver_who_is_asked(last_word=True)
    for hour, answer in enumerate((*ANSWERS[1], REFUSAL, CHANGE_OF_MIND, STOP), start=10):
        asked_id = agreed_id
        if answer not in ANSWERS[1]:
            asked_id = lived.request(ZHOU, LI, days=1, hour=hour, by_phone=True)
        lived.answer(asked_id, (answer,))
        lived.everything_holds()
    lived.request(STRANGER, LI, days=1, hour=9, by_phone=False)
    lived.the_worker_runs(hours=2)
    lived.everything_holds()
    for by_the_operator in (True, False):
        applied = lived.apply(lived.post(ZHOU, hours=30, units=2), LI, 3333)
        lived.end_application(applied, by_the_operator)
    lived.withdraw(lived.post(STRANGER, hours=30, units=2))
    wanted_id = lived.post(STRANGER, hours=10, units=2)
    chosen, _ = [lived.apply(wanted_id, one, 3333) for one in (LI, ZHAO)]
    lived.approve(chosen)
    lived.everything_holds()
    agreed_ids = [
        lived.approve(lived.apply(lived.post(ZHOU, hours=hours, units=2), LI, 3333))
        for hours in (29, 24, 20, 1)
    ]
    lived.decline(agreed_ids[0], "customer")
    lived.clock.move(hours=3)
    lived.cancel(agreed_ids[1], "customer", by_the_caregiver=False, shown=True)
    lived.cancel(agreed_ids[2], "customer", by_the_caregiver=True, shown=True)
    lived.miss(agreed_ids[3], Party.CUSTOMER)
    lived.everything_holds()
    for person in ((caregivers.move, LI), (customers.move, STRANGER)) * 2:
        lived.suspend_or_restore(person)
        lived.everything_holds()
    for planned_id in (visit_id, agreed_id):
        lived.live_as_planned(planned_id, to_the_end=True)
        lived.everything_holds()
    lived.merge()
    lived.clock.move(days=2)
    lived.the_worker_runs(hours=0)
    lived.everything_holds()

    assert set(lived.succeeded) == EVERY_DEED
    assert {noun: lived.reached[noun] for noun in EVERY_STATUS} == EVERY_STATUS
