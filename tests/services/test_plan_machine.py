"""Plans lived at random: changed, handed over, cancelled, left, and yet nobody is in two places.

CAREPILOT_EXAMPLES=5000 lives as many lives; without it 300, as every run of the tests does.
"""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, integers, sampled_from
from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from data import database as engines
from data.calendars import LeaveReason
from data.demands import Application, ApplicationStatus
from data.ledger import LedgerAccount
from data.orders import GONE, WAITING, EndReason, Order, OrderStatus, Party, Visit, VisitStatus
from services import (
    applications,
    bookings,
    changes,
    demands,
    leaves,
    orders,
    plan_requests,
    plans,
    recurrence,
    redemption,
    substitutes,
    visits,
)
from services import clock as service_clock
from services.access import SYSTEM
from services.courses import Course
from services.errors import ServiceError
from services.plan_requests import PlanForm
from tests.conftest import Clock
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    LI,
    MONDAY,
    MOTHER_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    demand_form,
)
from tests.lives import Books, Stage, bounded, how_many, seconds, stage
from tests.races.rush import overlaps

STEPS = 10
# So many deeds later everything is looked through once more, as it is when a life ends.
UNCHECKED = 8
LIVED = (
    "ledger_entries", "demands", "leaves", "open_searches", "unmet_needs", "status_changes",
    "notices", "outbox_messages", "tasks",
)  # fmt: skip
# A shorter look ahead than a city's usual one: fewer visits to make, and more often some are due.
RESTORED = ("UPDATE cities SET plan_ahead_days = 10",)
EVERY_DEED = {
    "applications.apply", "applications.approve", "demands.post",
    "bookings.accept", "bookings.refuse", "changes.cancel_visit", "changes.miss",
    "changes.reschedule", "leaves.take", "orders.decline", "plan_requests.request",
    "plans.change", "plans.end", "plans.extend_due", "plans.pause", "plans.swap",
    "redemption.redeem", "substitutes.accept", "substitutes.ask", "substitutes.expire_due",
    "substitutes.refuse", "substitutes.forgo", "substitutes.give_up_due",
}  # fmt: skip
STANDING = (OrderStatus.CONFIRMED, OrderStatus.PAUSED)
OWED = (
    VisitStatus.PLANNED,
    VisitStatus.IN_PROGRESS,
    VisitStatus.FINISHED,
    VisitStatus.REDEEMED,
)
SCENES = ("agreed", "busy", "begun")
CARERS = {LI.id: LI, ZHAO.id: ZHAO}
# What deeds choose from, and what the invariants ask, made once.
APPLICATIONS = select(Application.id).order_by(Application.id)
ORDERS = select(Order.id, Order.caregiver_id).order_by(Order.id)
VISITS = select(
    Visit.id, Visit.caregiver_id, Visit.starts_at, Visit.ends_at, Visit.code_issue
).order_by(Visit.id)
PAIRS = select(Visit.status, Order.status).join(Order, Order.id == Visit.order_id).distinct()
DAYS = select(Visit.segment_id, Visit.occurs_on).where(
    Visit.status.in_((VisitStatus.PLANNED, VisitStatus.HELD, VisitStatus.REDEEMED))
)
KEPT = select(func.count()).select_from(Visit).where(Visit.status.not_in(GONE))
_replaced = aliased(Visit)
REPLACED = (
    select(_replaced.status)
    .select_from(Visit)
    .outerjoin(_replaced, _replaced.id == Visit.replaces_id)
    .where(Visit.status == VisitStatus.OFFERED)
)
_stands = Visit.status.in_(OWED) & Order.status.not_in(WAITING)


def _sum(amount):
    return func.coalesce(func.sum(amount), 0)


PRICES = select(
    _sum(case((_stands, Visit.total_fen), else_=0)),
    _sum(case((_stands & (Visit.status != VisitStatus.REDEEMED), Visit.total_fen), else_=0)),
    _sum(Visit.fee_fen),
    _sum(Visit.penalty_fen),
).join(Order, Order.id == Visit.order_id)
number = integers(0, 5)
days_ahead = integers(0, 20)


class PlanLife(RuleBasedStateMachine):
    """Each rule is one transaction; whatever is raised and is no refusal fails the test."""

    clock: Clock  # The fixture's, set by the test, like all that follow.
    stage: Stage
    scenes: dict[str, tuple[datetime, int]]
    succeeded: Counter[str]
    refused: Counter[str]

    def __init__(self):
        super().__init__()
        self.clock.move(to=MONDAY)
        self.asked = 0
        self.unchecked = 0

    @classmethod
    def prepare(cls):
        """Live what comes before each life once, and put it aside."""
        life = cls()
        life.stage.clear()
        life.ask(LI, (0, 2, 4), 1, 8, 25)
        life.answer(0, True)
        life.put_aside("agreed")
        life.offer(LI, (5, 6), 1, 10, 25, rival=True)
        life.ask(ZHAO, (1, 3), 1, 14, 25)
        life.change_one(3, "ask", 0)
        life.put_aside("busy")
        life.live_through(0)
        life.time_passes(24)
        life.put_aside("begun")

    def put_aside(self, name):
        self.everything_holds()
        self.stage.put_aside(name)
        self.scenes[name] = self.clock.moment, self.asked

    @initialize(scene=sampled_from(SCENES))
    def begin(self, scene):
        self.stage.set(scene)
        moment, self.asked = self.scenes[scene]
        self.clock.move(to=moment)

    def act(self, service, *given, **named):
        """Run a service as pages do; None if it refused."""
        name = f"{service.__module__.removeprefix('services.')}.{service.__name__}"
        try:
            outcome = engines.transact(lambda session: service(session, *given, **named))
        except ServiceError as refusal:
            self.refused[refusal.key] += 1
            return None
        if isinstance(outcome, ServiceError):
            return None
        self.unchecked += 1
        self.succeeded[name] += 1
        return outcome

    def one(self, what, nth, *conditions):
        """The n-th of what there is, counted round and round; None of nothing."""
        with engines.reading() as session:
            found = session.execute(what.where(*conditions)).all()
        return found[nth % len(found)] if found else None

    def course(self, weekdays, weeks, hour, last, first=3, *, stand_ins=False):
        """A course; with stand-ins, somebody else comes wherever she cannot."""
        first_on = service_clock.today() + timedelta(days=first)
        return Course(
            rule=recurrence.weekly(weekdays, weeks, first_on),
            starts_minute=hour * 60,
            units=2,
            unit_price_fen=PRICE_FEN,
            first_on=first_on,
            last_on=first_on + timedelta(days=last) if last else None,
            stand_ins=frozenset(first_on + timedelta(days=n) for n in range(60 * stand_ins)),
        )

    weekdays = sampled_from(((0,), (0, 2, 4), (5, 6), tuple(range(7))))
    hours = integers(7, 17)
    lasts = sampled_from((None, 6, 13))
    carers = sampled_from((LI, ZHAO))

    @rule(
        caregiver=carers, weekdays=weekdays, weeks=integers(1, 2), hour=hours, last=lasts,
        answer=sampled_from((None, False, True, True)), stand_ins=booleans(),
    )  # fmt: skip
    def ask(self, caregiver, weekdays, weeks, hour, last, answer=None, stand_ins=False):
        self.asked += 1
        course = self.course(weekdays, weeks, hour, last, stand_ins=stand_ins)
        form = PlanForm(caregiver.id, MOTHER_ID, COMPANIONSHIP, CHONGCHUAN, "1", course)
        order_id = self.act(plan_requests.request, ZHOU, form, f"plan {self.asked}")
        if order_id is not None and answer is not None:
            self.act(bookings.accept if answer else bookings.refuse, caregiver, order_id)

    @rule(
        caregiver=carers, weekdays=weekdays, weeks=integers(1, 2), hour=hours, last=lasts,
        rival=booleans(),
    )  # fmt: skip
    def offer(self, caregiver, weekdays, weeks, hour, last, rival):
        """A plan posted to everybody, and one or two who apply."""
        self.asked += 1
        course = self.course(weekdays, weeks, hour, last)
        first = recurrence.first_day(course.rule, course.first_on)
        form = demand_form(
            starts_at=recurrence.moment(first, course.starts_minute),
            rule=course.rule,
            until_on=course.last_on,
        )
        demand_id = self.act(demands.post, ZHOU, form, f"open plan {self.asked}")
        if demand_id is None:
            return
        for one in {caregiver, ZHAO} if rival else {caregiver}:
            self.act(applications.apply, one, demand_id, PRICE_FEN)

    @rule(nth=number)
    def choose(self, nth):
        waiting = Application.status == ApplicationStatus.SUBMITTED
        if found := self.one(APPLICATIONS, nth, waiting):
            self.act(applications.approve, OPERATOR, found.id)

    @rule(nth=number, yes=booleans())
    def answer(self, nth, yes):
        if asked := self.one(ORDERS, nth, Order.status.in_(WAITING)):
            caregiver = CARERS[asked.caregiver_id]
            self.act(bookings.accept if yes else bookings.refuse, caregiver, asked.id)

    @rule(nth=number, what=sampled_from(("change", "pause", "end", "swap", "decline")),
          ahead=days_ahead, weekdays=weekdays, hour=hours, last=lasts)  # fmt: skip
    def turn(self, nth, what, ahead, weekdays, hour, last):
        found = self.one(ORDERS, nth, Order.status.in_(STANDING))
        if found is None:
            return
        order_id = found.id
        day = service_clock.today() + timedelta(days=ahead)
        match what:
            case "change":
                course = self.course(weekdays, 1, hour, last, ahead, stand_ins=nth % 2 == 1)
                self.act(plans.change, ZHOU, order_id, course)
            case "pause":
                self.act(plans.pause, ZHOU, order_id, day)
            case "end":
                self.act(plans.end, ZHOU, order_id, day)
            case "swap":
                other = ZHAO if ahead % 2 else LI
                course = self.course(weekdays, 1, hour, last, ahead)
                self.act(plans.swap, OPERATOR, order_id, other.id, course)
            case _:
                self.act(orders.decline, ZHOU, order_id)

    @rule(nth=number, how=sampled_from(("cancel", "stop", "move", "ask", "miss")), days=days_ahead)
    def change_one(self, nth, how, days):
        over = Visit.starts_at < service_clock.now()
        which = over if how == "miss" else ~over
        visit = self.one(VISITS, nth, Visit.status == VisitStatus.PLANNED, which)
        if visit is None:
            return
        visit_id, hers = visit.id, CARERS[visit.caregiver_id]
        reason = EndReason.ILLNESS
        match how:
            case "cancel" | "stop":
                who = ZHOU if how == "cancel" else hers
                seen = self.act(changes.quote, who, visit_id)
                if seen is not None:
                    given = (visit_id, reason, "病了", seen.fee_fen)
                    self.act(changes.cancel_visit, who, *given)
            case "move":
                starts_at = visit.starts_at + timedelta(days=days - 3, hours=1)
                price = self.act(changes.moved_price, ZHOU, visit_id, starts_at)
                if price is not None:
                    total = price.total_fen
                    self.act(changes.reschedule, ZHOU, visit_id, starts_at, total)
            case "ask":
                other = ZHAO if hers is LI else LI
                self.act(substitutes.ask, OPERATOR, visit_id, other.id)
            case _:
                self.act(changes.miss, OPERATOR, visit_id, Party.CAREGIVER, "没有到")

    @rule(nth=number, caregiver=sampled_from((None, LI, ZHAO)))
    def seek(self, nth, caregiver):
        """Somebody is asked to make a visit its caregiver cannot, or it is not wanted any more."""
        if (unfilled := self.one(VISITS, nth, Visit.status == VisitStatus.UNFILLED)) is None:
            return
        if caregiver is None:
            self.act(substitutes.forgo, ZHOU, unfilled.id)
        else:
            self.act(substitutes.ask, OPERATOR, unfilled.id, caregiver.id)

    @rule(nth=number, yes=booleans())
    def stand_in(self, nth, yes):
        if offer := self.one(VISITS, nth, Visit.status == VisitStatus.OFFERED):
            caregiver = CARERS[offer.caregiver_id]
            self.act(substitutes.accept if yes else substitutes.refuse, caregiver, offer.id)

    @rule(caregiver=carers, ahead=integers(1, 10), length=integers(1, 4))
    def take_leave(self, caregiver, ahead, length):
        starts_at = service_clock.now() + timedelta(days=ahead)
        ends_at = starts_at + timedelta(days=length)
        with engines.reading() as session:
            hit = leaves.hits(session, caregiver, caregiver.id, starts_at, ends_at)
        seen = [one.visit_id for one in hit]
        given = (caregiver.id, starts_at, ends_at, LeaveReason.ILLNESS, seen)
        self.act(leaves.take, caregiver, *given)

    @rule(nth=number)
    def live_through(self, nth):
        """The next visit of somebody takes place and is redeemed."""
        soon = service_clock.now() + timedelta(days=3)
        visit = self.one(
            VISITS, nth, Visit.status == VisitStatus.PLANNED, Visit.starts_at < soon,
            Visit.starts_at > service_clock.now(),
        )  # fmt: skip
        if visit is None:
            return
        caregiver = CARERS[visit.caregiver_id]
        self.clock.move(to=visit.starts_at)
        self.act(visits.check_in, caregiver, visit.id)
        self.clock.move(to=visit.ends_at)
        self.act(visits.check_out, caregiver, visit.id, (0,))
        code = redemption.derive(visit.id, visit.code_issue)
        self.act(redemption.redeem, ZHOU, visit.id, code)

    @rule(hours=sampled_from((3, 24, 100)))
    def time_passes(self, hours):
        self.clock.move(hours=hours)
        for job in (
            bookings.expire_due,
            substitutes.expire_due,
            substitutes.give_up_due,
            plans.extend_due,
        ):
            self.act(job, SYSTEM)

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
            assert overlaps(session) == 0
            self.every_visit_has_an_order_that_stands_for_it(session)
            assert set(session.scalars(REPLACED)) <= {VisitStatus.PLANNED, VisitStatus.UNFILLED}
            self.the_books_are_those_of_the_visits(session)

    def every_visit_has_an_order_that_stands_for_it(self, session):
        for visit_status, order_status in session.execute(PAIRS):
            match visit_status:
                case VisitStatus.HELD:
                    assert order_status in WAITING
                case VisitStatus.UNFILLED:
                    assert order_status in (*WAITING, *STANDING)
                case VisitStatus.PLANNED | VisitStatus.IN_PROGRESS | VisitStatus.FINISHED:
                    assert order_status in STANDING
        found = session.execute(DAYS).all()
        assert len(found) == len(set(found)) <= session.scalar(KEPT)

    def the_books_are_those_of_the_visits(self, session):
        books = Books(session)
        assert books.sum_to_zero()
        prices, still, fees, penalties = session.execute(PRICES).one()
        assert books.accounts[LedgerAccount.CUSTOMER_RECEIVABLE] == prices + fees
        assert -books.accounts[LedgerAccount.ORDERS_COMMITTED] == still
        assert -books.accounts[LedgerAccount.PENALTY] == penalties


@pytest.fixture
def life(database, clock):
    """The machine as a class of the test's own, so that its counts and scenes are too."""

    class Life(PlanLife):
        scenes = {}
        succeeded = Counter()
        refused = Counter()

    Life.clock = clock
    with stage(LIVED, *RESTORED) as Life.stage:
        Life.prepare()
        yield Life


@pytest.mark.timeout(seconds())
def test_whatever_becomes_of_plans_times_books_and_days_hold(life):
    run_state_machine_as_test(life, settings=bounded(STEPS))

    assert life.succeeded.total() > how_many() * 5
    assert life.refused


def test_every_deed_can_be_done(life):
    """One life by hand: what chance need not find in its few steps is possible, and holds."""
    lived = life()
    lived.begin("agreed")
    deeds = (
        lambda: lived.ask(ZHAO, (1, 3), 1, 14, 25),
        lambda: lived.answer(0, False),
        lambda: lived.offer(LI, (5, 6), 1, 10, 25, rival=True),
        lambda: lived.choose(0),
        lambda: lived.offer(ZHAO, (5, 6), 1, 15, 25, rival=False),
        lambda: lived.ask(ZHAO, (1, 3), 1, 14, 25),
        lambda: lived.answer(0, True),
        lambda: lived.turn(1, "decline", 0, (0,), 8, None),
        lambda: lived.ask(ZHAO, tuple(range(7)), 1, 14, 13, True, stand_ins=True),
        lambda: lived.ask(ZHAO, (0, 2), 1, 14, 25, True, stand_ins=True),
        lambda: lived.seek(0, LI),
        lambda: lived.stand_in(0, True),
        lambda: lived.seek(0, None),
        lambda: lived.change_one(3, "ask", 0),
        lambda: lived.stand_in(0, True),
        lambda: lived.change_one(2, "ask", 0),
        lambda: lived.stand_in(0, False),
        lambda: lived.change_one(4, "move", 3),
        lambda: lived.change_one(5, "cancel", 0),
        lambda: lived.turn(0, "change", 6, (0, 2, 4), 10, None),
        lambda: lived.take_leave(LI, 9, 1),
        lambda: lived.turn(0, "swap", 9, (0, 2, 4), 10, None),
        lambda: lived.time_passes(24),
        lambda: lived.time_passes(24),
        lambda: lived.live_through(0),
        lambda: lived.time_passes(100),
        lambda: lived.change_one(0, "miss", 0),
        lambda: lived.turn(0, "pause", 12, (0,), 8, None),
        lambda: lived.turn(0, "end", 16, (0,), 8, None),
    )
    for deed in deeds:
        deed()
        lived.everything_holds()

    assert sorted(EVERY_DEED - set(lived.succeeded)) == []
