"""Orders lived at random: whatever people do in whatever sequence, the books and the times hold.

CAREPILOT_EXAMPLES=5000 lives as many lives; without it 300, as every run of the tests does.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

import pytest
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
from sqlalchemy import String, func, literal, select, type_coerce, union_all

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
    moves,
    orders,
    redemption,
    reviews,
    visits,
    waiting_lists,
)
from services import clock as service_clock
from services.access import SYSTEM, Actor
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
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    code_of,
    demand_form,
)
from tests.lives import Books, Stage, bounded, how_many, seconds, stage
from tests.races.rush import overlaps

STEPS = 13
# So many deeds later everything is looked through once more, as it is when a life ends.
UNCHECKED = 8
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
TABLES = {noun: {(m.name, m.source, m.target) for m in moves.MOVES[noun]} for noun in NOUNS}
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
STATUSES = union_all(
    *(
        select(literal(noun), table.id, type_coerce(table.status, String))
        for noun, table in NOUNS.items()
    )
)
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
WHEN = select(Visit.id, Visit.starts_at, Visit.ends_at)
SCENES = ("morning", "evening")
families = sampled_from((ZHOU, STRANGER))
carers = sampled_from((LI, ZHAO))
# Who acts on a visit: mostly its own customer, sometimes somebody else.
people = sampled_from((*["customer"] * 4, "stranger", "desk", "operator"))
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

# What becomes of a visit that takes place, in this order.
DEEDS = (visits.check_in, visits.check_out, redemption.redeem, reviews.write)


@dataclass(frozen=True)
class Posted:
    """A demand, whose it was when it was posted, and the application of each who applied."""

    id: int
    customer: Actor
    applied: dict[Actor, int]


@dataclass(frozen=True)
class Planned:
    """A visit, and the order it is of."""

    id: int
    order_id: int
    customer: Actor
    caregiver: Actor
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Scene:
    """Where a life begins: what somebody lived before it."""

    moment: datetime
    posted: int
    visits: tuple[Planned, ...]


class OrderLife(RuleBasedStateMachine):
    """Each rule is one transaction; whatever is raised and is no refusal fails the test."""

    a_demand = Bundle("demands")
    a_visit = Bundle("visits")
    clock: Clock  # The fixture's, set by the test, like all that follow.
    stage: Stage
    scenes: dict[str, Scene]
    open: Posted
    kept: cities.CitySettings
    succeeded: Counter[str]
    reached: defaultdict[Noun, set[str]]

    def __init__(self):
        super().__init__()
        self.clock.move(to=MONDAY)
        self.posted = 0
        self.merged = False
        self.unchecked = 0

    def act(self, service, *given, **named):
        """Run a service as pages do; the refusal if it refused."""
        try:
            outcome = engines.transact(lambda session: service(session, *given, **named))
        except ServiceError as refusal:
            outcome = refusal
        if not isinstance(outcome, ServiceError):
            self.unchecked += 1
            self.succeeded[f"{service.__module__}.{service.__name__}"] += 1
        return outcome

    # --- Where lives begin

    @classmethod
    def prepare(cls):
        """Live what comes before each life once, and put it aside."""
        life = cls()
        life.stage.clear()
        with engines.reading() as session:
            [city] = cities.mine(session, OPERATOR)
        cls.kept = city.settings
        first, cls.open = [
            life.post(customer, hours=hours, units=2, applicants=(caregiver,))
            for customer, caregiver, hours in ((ZHOU, LI, 20), (STRANGER, ZHAO, 48))
        ]
        chosen = life.approve(first, LI)
        agreed = life.request(STRANGER, ZHAO, days=1, hour=14, answers=(YES,))
        asked = life.request(STRANGER, ZHAO, days=1, hour=10)
        life.put_aside("morning", chosen, agreed, asked)
        life.live(chosen, visits.check_out, "customer")
        life.put_aside("evening", chosen, agreed, asked)

    def put_aside(self, name, *planned):
        self.everything_holds()
        self.stage.put_aside(name)
        self.scenes[name] = Scene(self.clock.moment, self.posted, planned)

    @initialize(target=a_visit, scene=sampled_from(SCENES), last_word=booleans())
    def begin(self, scene, last_word):
        begun = self.scenes[scene]
        self.stage.set(scene)
        self.clock.move(to=begun.moment)
        self.posted = begun.posted
        if last_word:
            wanted = replace(self.kept, operator_approves=True)
            self.act(cities.keep_settings, OPERATOR, NANTONG, wanted)
        return multiple(*begun.visits)

    @initialize(target=a_demand)
    def somebody_waits(self):
        return replace(self.open, applied=dict(self.open.applied))

    # --- What people do

    @rule(
        target=a_demand,
        customer=families,
        hours=integers(1, 30),
        units=integers(2, 4),
        applicants=sampled_from(((LI,), (ZHAO,), (LI, ZHAO))),
    )
    def post(self, customer, hours, units, applicants=()):
        self.posted += 1
        form = demand_form(
            recipient_id=STRANGERS_FATHER_ID if customer is STRANGER else MOTHER_ID,
            starts_at=self.clock.moment + timedelta(hours=hours),
            units=units,
        )
        demand_id = self.act(demands.post, self.who_is(customer), form, f"request {self.posted}")
        assert isinstance(demand_id, int)
        demand = Posted(demand_id, customer, {})
        for caregiver in applicants:
            self.apply(demand, caregiver, PRICE_FEN)
        return demand

    @rule(demand=a_demand, caregiver=carers, price_fen=sampled_from((3000, 3333, 6000)))
    def apply(self, demand, caregiver, price_fen):
        application_id = self.act(applications.apply, caregiver, demand.id, price_fen)
        if isinstance(application_id, int):
            demand.applied[caregiver] = application_id

    @rule(target=a_visit, demand=a_demand, caregiver=carers)
    def approve(self, demand, caregiver):
        """Choose her, or if she did not apply whoever did."""
        for one in sorted(demand.applied, key=lambda applicant: applicant != caregiver)[:1]:
            approved = self.act(applications.approve, OPERATOR, demand.applied[one])
            return self.planned(approved, demand.customer, one)
        return multiple()

    @rule(demand=a_demand, caregiver=carers, who=sampled_from(("family", "caregiver", "operator")))
    def give_up(self, demand, caregiver, who):
        """A demand is withdrawn, or an application to it, or the application is declined."""
        if who == "family":
            self.act(demands.withdraw, self.who_is(demand.customer), demand.id)
        elif caregiver in demand.applied:
            if who == "caregiver":
                self.act(applications.withdraw, caregiver, demand.id)
            else:
                self.act(applications.decline, OPERATOR, demand.applied[caregiver])

    def form(self, customer, caregiver, days, hour):
        """What a family asks for, and a key nothing was asked for by."""
        self.posted += 1
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
        return form, f"request {self.posted}"

    @rule(
        target=a_visit,
        customer=families,
        caregiver=carers,
        days=integers(0, 2),
        hour=integers(7, 18),
        answers=sampled_from(((), *ANSWERS)),
    )
    def request(self, customer, caregiver, days, hour, answers=()):
        form = self.form(customer, caregiver, days, hour)
        asked = self.act(bookings.request, self.who_is(customer), *form)
        return self.answered(self.planned(asked, customer, caregiver), answers)

    @rule(
        target=a_visit,
        customer=families,
        caregiver=carers,
        days=integers(0, 2),
        hour=integers(7, 18),
        answers=sampled_from(((), *ANSWERS)),
    )
    def request_by_phone(self, customer, caregiver, days, hour, answers=()):
        form = self.form(customer, caregiver, days, hour)
        asked = self.act(bookings.request, DESK, *form, customer_id=self.who_is(customer).id)
        return self.answered(self.planned(asked, customer, caregiver), answers)

    def answered(self, visit, answers):
        if isinstance(visit, Planned):
            self.answer(visit, answers)
        return visit

    @rule(visit=a_visit, answers=sampled_from(ANSWERS))
    def answer(self, visit, answers):
        for service, who, *words in answers:
            self.act(service, self.actor(visit, who), visit.order_id, *words)

    @rule(visit=a_visit, who=people)
    def decline(self, visit, who):
        self.act(orders.decline, self.actor(visit, who), visit.order_id)

    @rule(visit=a_visit, who=people, by_the_caregiver=booleans(), shown=booleans())
    def cancel(self, visit, who, by_the_caregiver, shown):
        actor = self.actor(visit, "caregiver" if by_the_caregiver else who)
        seen = self.act(changes.quote, actor, visit.id)
        if not isinstance(seen, ServiceError):
            fee_fen = seen.fee_fen if shown else seen.fee_fen + 1
            plans_changed = EndReason.PLANS_CHANGED
            self.act(changes.cancel_visit, actor, visit.id, plans_changed, "不需要了", fee_fen)

    @rule(visit=a_visit, party=sampled_from((Party.CUSTOMER, Party.CAREGIVER)))
    def miss(self, visit, party):
        self.act(changes.miss, OPERATOR, visit.id, party, "到点后电话联系不上")

    def do(self, deed, visit, who):
        """One of the deeds that follow one another, by one of the people who might do it."""
        match deed:
            case redemption.redeem:
                with engines.reading() as session:
                    given = [code_of(session, visit.id)]
            case reviews.write:
                given = [reviews.ReviewForm(5, 5, 5, 5)]
            case visits.check_out:
                given = [(0, 1)]
            case _:
                given = []
        self.act(deed, self.actor(visit, who), visit.id, *given)

    @rule(visit=a_visit, deed=sampled_from(DEEDS), who=people)
    def out_of_turn(self, visit, deed, who):
        self.do(deed, visit, who)

    @rule(visit=a_visit, last=sampled_from((*DEEDS, DEEDS[-1])), who=people)
    def live(self, visit, last, who):
        """One deed after the other, in their time, up to the last; who acts as the family does."""
        for deed in DEEDS[: DEEDS.index(last) + 1]:
            by_her = deed in (visits.check_in, visits.check_out)
            moment = visit.starts_at if deed is visits.check_in else visit.ends_at
            self.clock.move(to=max(moment, self.clock.moment))
            self.do(deed, visit, "caregiver" if by_her else who)

    @rule(visit=a_visit, who=people, anew=booleans())
    def type_a_wrong_code(self, visit, who, anew):
        if anew:
            self.act(redemption.reissue, OPERATOR, visit.id)
        assert self.act(redemption.redeem, self.actor(visit, who), visit.id, WRONG) is not None

    @rule(hours=sampled_from((0, 1, 2, 24)), works=booleans())
    def time_passes(self, hours, works):
        """And the worker runs, or has not run yet."""
        self.clock.move(hours=hours)
        if works:
            for job in (demands.expire_due, bookings.expire_due, waiting_lists.close_due):
                self.act(job, SYSTEM)

    @precondition(lambda self: self.posted > 5)
    @rule(
        service_and_person=sampled_from(
            ((caregivers.move, LI), (caregivers.move, ZHAO), (customers.move, STRANGER))
        )
    )
    def suspend_or_restore(self, service_and_person):
        service, person = service_and_person
        if isinstance(self.act(service, OPERATOR, person.id, "suspend", "投诉"), ServiceError):
            self.act(service, OPERATOR, person.id, "restore")

    @precondition(lambda self: self.posted > 6 and not self.merged)
    @rule()
    def merge(self):
        self.merged = self.act(customers.merge, OPERATOR, ZHOU.id, STRANGER.id) is None

    def who_is(self, customer):
        """The account that a customer uses: a merged one is nobody's any more."""
        return ZHOU if self.merged else customer

    def planned(self, order_id, customer, caregiver):
        """The visit of the order that was made, if one was."""
        if not isinstance(order_id, int):
            return multiple()
        with engines.reading() as session:
            asked = WHEN.where(Visit.order_id == order_id)
            visit_id, starts_at, ends_at = session.execute(asked).one()
        return Planned(visit_id, order_id, customer, caregiver, starts_at, ends_at)

    def actor(self, visit, who):
        """One of the people who might act on a visit."""
        own = self.who_is(visit.customer)
        actors = {
            "customer": own,
            "stranger": STRANGER if own is ZHOU else ZHOU,
            "caregiver": visit.caregiver,
            "desk": DESK,
            "operator": OPERATOR,
        }
        return actors[who]

    # --- What must hold whatever they did

    @invariant()
    def everything_holds_on_the_way(self):
        if self.unchecked >= UNCHECKED:
            self.everything_holds()

    def teardown(self):
        if self.unchecked:
            self.everything_holds()

    def everything_holds(self):
        self.unchecked = 0
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
        statuses = {noun: {} for noun in NOUNS}
        for noun, subject_id, status in session.execute(STATUSES):
            path = paths[noun].get(subject_id)
            assert status == path[-1] if path else status in FIRST[noun]
            statuses[noun][subject_id] = status
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
        assert books.accounts[LedgerAccount.CAREGIVER_DEBT] == penalties
        assert not books.accounts[LedgerAccount.CAREGIVER_PAYABLE]
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
            if statuses[demand_id] == DemandStatus.MATCHED:
                applied = answer_until is None  # One who was asked directly never applied.
                assert chosen[demand_id, ApplicationStatus.APPROVED] == applied
                assert chosen[demand_id, ApplicationStatus.SUBMITTED] == 0


@pytest.fixture
def life(database, clock):
    """The machine as a class of the test's own, so that its counts and scenes are too."""

    class Life(OrderLife):
        scenes = {}
        succeeded = Counter()
        reached = defaultdict(set)

    Life.clock = clock
    with stage(LIVED, *RESTORED) as Life.stage:
        Life.prepare()
        yield Life


@pytest.mark.timeout(seconds())
def test_whatever_people_do_books_times_and_statuses_hold(life):
    run_state_machine_as_test(life, settings=bounded(STEPS))

    assert life.succeeded.total() > how_many() * 6


def test_every_deed_can_be_done_and_every_status_be_reached(life):
    """One life by hand: what chance need not find in its few steps is possible, and holds."""
    lived = life()
    chosen, agreed, asked = lived.begin("morning", last_word=True).values
    lived.type_a_wrong_code(chosen, "customer", anew=True)
    for hour, answer in enumerate((*ANSWERS[1], REFUSAL, CHANGE_OF_MIND, STOP), start=10):
        if answer not in ANSWERS[1]:
            asked = lived.request_by_phone(ZHOU, LI, days=1, hour=hour)
        lived.answer(asked, (answer,))
        lived.everything_holds()
    lived.request(STRANGER, LI, days=1, hour=9)
    lived.request(STRANGER, ZHAO, days=1, hour=12, answers=(YES,))
    lived.time_passes(hours=2, works=True)
    lived.everything_holds()
    for who in ("operator", "caregiver"):
        declined = lived.post(ZHOU, hours=30, units=2, applicants=(LI,))
        lived.give_up(declined, LI, who)
    lived.give_up(lived.post(STRANGER, hours=30, units=2), LI, "family")
    lived.approve(lived.post(STRANGER, hours=10, units=2, applicants=(LI, ZHAO)), LI)
    lived.everything_holds()
    others = [
        lived.approve(lived.post(ZHOU, hours=hours, units=2, applicants=(LI,)), LI)
        for hours in (29, 24, 20, 1)
    ]
    lived.decline(others[0], "customer")
    lived.clock.move(hours=3)
    lived.cancel(others[1], "customer", by_the_caregiver=False, shown=True)
    lived.cancel(others[2], "customer", by_the_caregiver=True, shown=True)
    lived.miss(others[3], Party.CUSTOMER)
    lived.everything_holds()
    for person in ((caregivers.move, LI), (customers.move, STRANGER)) * 2:
        lived.suspend_or_restore(person)
        lived.everything_holds()
    for planned in (chosen, agreed):
        lived.live(planned, reviews.write, "customer")
        lived.everything_holds()
    lived.merge()
    lived.clock.move(days=2)
    lived.time_passes(hours=0, works=True)
    lived.everything_holds()

    assert set(lived.succeeded) == EVERY_DEED
    assert {noun: lived.reached[noun] for noun in EVERY_STATUS} == EVERY_STATUS
