"""Everything only one may win, wanted by many threads or processes at once."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, insert, select, text

from data import database as engines
from data.accounts import Account
from data.cities import City, CityStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import StatusChange
from data.ledger import LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.tasks import Task
from data.verifications import CaseStatus
from services import (
    applications,
    bookings,
    caregivers,
    cities,
    demands,
    documents,
    gate,
    jobs,
    pictures,
    redemption,
    report_photos,
    resident_ids,
    sessions,
    tasks,
    verifications,
)
from services import clock as service_clock
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, ServiceError
from services.pictures import PictureKind
from tests import factories
from tests.conftest import ROOT, database_at, new_database
from tests.factories import (
    BROWSER,
    DRAFT,
    LI,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    code_of,
    demand_form,
    empty_page,
    make_application,
    make_booking,
    make_case,
    make_demand,
    make_family,
    make_finished_visit,
    make_newcomer,
    make_order,
    visit_of,
)
from tests.races.rush import THREADS, fill, overlaps, place_through_the_gate, rush

pytestmark = pytest.mark.race

# What an accepted, a called-off, an expired and a refused request leave behind.
OUTCOMES = (
    (OrderStatus.CONFIRMED, VisitStatus.PLANNED, DemandStatus.MATCHED),
    (OrderStatus.CANCELLED, VisitStatus.CANCELLED, DemandStatus.WITHDRAWN),
    (OrderStatus.EXPIRED, VisitStatus.CANCELLED, DemandStatus.OPEN),
    (OrderStatus.REFUSED, VisitStatus.CANCELLED, DemandStatus.OPEN),
)
# From 9:00 on, every 20 minutes, two hours each: the last cannot, her day ends at 20:00.
STARTS_TOO_LATE = 4


@pytest.fixture
def order_id(database):
    """An order to hang visits on; its own visit takes nobody's time."""
    return lone_order()


def lone_order() -> int:
    with engines.writing() as session:
        order_id = make_order(session)
        session.get_one(Visit, visit_of(session, order_id)).status = VisitStatus.CANCELLED
        session.execute(text("DELETE FROM visits"))
    return order_id


@pytest.fixture
def unguarded(request, database):
    """The database; on PostgreSQL one that lacks the constraint."""
    if database.startswith("sqlite"):
        yield
        return
    with database_at(new_database(request.getfixturevalue("cluster"), "unguarded")):
        engines.upgrade()
        with engines.writing() as session:
            session.execute(text("ALTER TABLE visits DROP CONSTRAINT ex_visits_one_at_a_time"))
            factories.add_cast(session)
        yield


def stored(column=Visit.id):
    with engines.reading() as session:
        return session.scalar(select(func.count(column)))


def refusals(outcomes):
    """How often each refusal came."""
    return Counter(o.key for o in outcomes if isinstance(o, ServiceError))


class TestGate:
    def test_threads_book_nobody_twice_and_every_visit_they_got_is_stored(self, order_id):
        got = fill(place_through_the_gate, order_id)

        assert got == stored() > 20
        with engines.reading() as session:
            assert overlaps(session) == 0

    @pytest.mark.postgresql
    def test_processes_book_nobody_twice_either(self, postgresql_database):
        order_id = lone_order()
        programs = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.races.rush", str(order_id), str(seed)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in range(4)
        ]
        said = [program.communicate(timeout=100)[0] for program in programs]

        assert [program.returncode for program in programs] == [0] * 4
        assert sum(map(int, said)) == stored() > 20
        with engines.reading() as session:
            assert overlaps(session) == 0

    def test_the_same_test_catches_a_gate_that_looks_first_and_books_then(self, unguarded):
        order_id = lone_order()
        # All look before any books, as happens by chance in a gate like this one.
        looked = Barrier(THREADS)

        def place_naively(order_id, caregiver_id, starts_at, ends_at):
            with engines.reading() as session:
                free = gate.is_free(session, caregiver_id, starts_at, ends_at)
            looked.wait(timeout=60)
            if not free:
                raise Conflict("error.caregiver_busy")
            with engines.writing() as session:
                session.execute(
                    insert(Visit).values(
                        order_id=order_id,
                        caregiver_id=caregiver_id,
                        starts_at=starts_at,
                        ends_at=ends_at,
                        created_at=service_clock.now(),
                        cell="",
                        total_fen=0,
                        commission_fen=0,
                        price_parts={},
                        done_tasks=[],
                    )
                )

        got = fill(place_naively, order_id)

        assert got == stored()
        with engines.reading() as session:
            assert overlaps(session) > 0


class TestRedemption:
    @pytest.fixture
    def visit_id(self, database):
        with engines.writing() as session:
            return make_finished_visit(session)

    def redeem(self, visit_id, code):
        return rush(
            lambda _: engines.transact(
                lambda session: redemption.redeem(session, ZHOU, visit_id, code)
            )
        )

    def test_one_of_many_wins_and_the_pay_is_booked_once(self, visit_id):
        with engines.reading() as session:
            code = code_of(session, visit_id)
        outcomes = self.redeem(visit_id, code)

        assert outcomes.count(None) == 1
        assert refusals(outcomes) == {"error.already_redeemed": THREADS - 1}
        with engines.reading() as session:
            booked = select(func.count()).where(LedgerEntry.event == LedgerEvent.REDEEMED)
            assert session.scalar(booked) == 1
            assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0

    def test_guesses_made_at_once_are_all_counted(self, visit_id):
        outcomes = self.redeem(visit_id, "AAAA-AAAA")

        assert refusals(outcomes) == {
            "error.redemption_wrong": 4,
            "error.redemption_locked": THREADS - 4,
        }
        with engines.reading() as session:
            assert session.get_one(Visit, visit_id).wrong_codes == 5


class TestApproval:
    def approve(self, application_ids):
        return rush(
            lambda number: engines.transact(
                lambda session: applications.approve(
                    session, OPERATOR, application_ids[number % len(application_ids)]
                )
            ),
            threads=16,
        )

    def test_rivals_for_one_demand_leave_one_order(self, database):
        with engines.writing() as session:
            demand_id = make_demand(session)
            ids = [make_application(session, demand_id, caregiver=c) for c in (LI, ZHAO)]
        outcomes = self.approve(ids)

        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        assert refusals(outcomes) == {"error.application_moved_on": 15}
        assert (stored(Order.id), stored(Visit.id)) == (1, 1)
        with engines.reading() as session:
            assert set(session.scalars(select(Application.status))) == {
                ApplicationStatus.APPROVED,
                ApplicationStatus.WAITLISTED,
            }

    def test_overlapping_demands_get_one_caregiver_once(self, database, clock):
        with engines.writing() as session:
            ids = [
                make_application(session, starts_at=clock.moment + timedelta(days=1, minutes=step))
                for step in range(0, 80, 5)
            ]
        outcomes = self.approve(ids)

        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        assert refusals(outcomes) == {"error.caregiver_busy": 15}
        assert (stored(Order.id), stored(Visit.id)) == (1, 1)
        with engines.reading() as session:
            # Who lost keeps a demand that is open and an application that waits, nothing half.
            statuses = Counter(session.scalars(select(Demand.status)))
            assert statuses == {DemandStatus.MATCHED: 1, DemandStatus.OPEN: 15}
            assert session.scalar(select(func.count(LedgerEntry.id))) == 1


class TestRequests:
    """A request holds a caregiver's time; what is answered, is answered once."""

    def ask(self, family, **changes):
        """One family's request for LI tomorrow, in a transaction of its own."""
        customer, recipient_id = family
        return engines.transact(
            lambda session: make_booking(
                session, customer=customer, recipient_id=recipient_id, **changes
            )
        )

    @pytest.fixture
    def families(self, database):
        with engines.writing() as session:
            return [make_family(session, number) for number in range(THREADS)]

    @pytest.fixture
    def asked_id(self, database):
        with engines.writing() as session:
            return make_booking(session)

    def test_one_of_many_families_holds_her_time_and_nothing_of_the_others_is_kept(self, families):
        outcomes = rush(lambda number: self.ask(families[number]))

        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        assert refusals(outcomes) == {"error.obstacle_busy": THREADS - 1}
        assert (stored(Demand.id), stored(Order.id), stored(Visit.id)) == (1, 1, 1)
        assert stored(StatusChange.id) == 2

    def test_families_who_want_overlapping_times_never_share_her(self, families, clock):
        starts = [clock.moment + timedelta(days=1, minutes=20 * step) for step in range(THREADS)]
        outcomes = rush(lambda number: self.ask(families[number], starts_at=starts[number]))

        held = sum(isinstance(outcome, int) for outcome in outcomes)
        assert refusals(outcomes) == {
            "error.obstacle_busy": THREADS - held - STARTS_TOO_LATE,
            "error.obstacle_off_hours": STARTS_TOO_LATE,
        }
        assert stored(Demand.id) == stored(Order.id) == stored(Visit.id) == held >= 3
        with engines.reading() as session:
            assert overlaps(session) == 0

    def test_a_double_click_asks_once(self, database, clock):
        form = bookings.BookingForm(
            caregiver_id=LI.id,
            recipient_id=factories.MOTHER_ID,
            item_id=factories.COMPANIONSHIP,
            district_code=factories.CHONGCHUAN,
            address="濠河花园 3 幢 502 室",
            starts_at=clock.moment + timedelta(days=1),
            units=2,
            price_fen=factories.PRICE_FEN,
        )
        outcomes = rush(
            lambda _: engines.transact(
                lambda session: bookings.request(session, ZHOU, form, "double click")
            ),
            threads=16,
        )

        assert {outcome for outcome in outcomes if isinstance(outcome, int)} == {1}
        assert set(refusals(outcomes)) <= {"error.already_posted"}
        assert (stored(Demand.id), stored(Order.id), stored(Visit.id)) == (1, 1, 1)

    def test_an_answer_a_change_of_mind_and_the_clock_leave_one_outcome(self, asked_id, clock):
        def expire(session):
            with service_clock.at(clock.moment + timedelta(hours=2)):
                return bookings.expire_due(session, SYSTEM)

        deeds = (
            lambda session: bookings.accept(session, LI, asked_id),
            lambda session: bookings.call_off(session, ZHOU, asked_id),
            expire,
            lambda session: bookings.refuse(session, LI, asked_id),
        )
        outcomes = rush(lambda number: engines.transact(deeds[number % len(deeds)]))

        # The job that finds nothing due has done nothing, and says so by a 0.
        won = [number for number, outcome in enumerate(outcomes) if outcome in (None, 1)]
        assert len(won) == 1
        assert set(refusals(outcomes)) == {"error.order_moved_on"}
        with engines.reading() as session:
            order, visit = session.get_one(Order, asked_id), session.get_one(Visit, 1)
            statuses = (order.status, visit.status, session.get_one(Demand, 1).status)
            entries = session.scalar(select(func.count(LedgerEntry.id)))
            moves = session.scalars(select(StatusChange.move).order_by(StatusChange.id)).all()
        assert statuses == OUTCOMES[won[0] % len(deeds)]
        assert entries == (statuses[0] is OrderStatus.CONFIRMED)
        assert len(moves) == 2 + 3

    def test_a_request_and_an_approval_for_one_time_leave_one_visit(self, families):
        with engines.writing() as session:
            application_ids = [make_application(session) for _ in range(THREADS // 2)]

        def want(number):
            if number % 2:
                return self.ask(families[number])
            return engines.transact(
                lambda session: applications.approve(
                    session, OPERATOR, application_ids[number // 2]
                )
            )

        outcomes = rush(want)

        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        refused = refusals(outcomes)
        assert set(refused) <= {"error.caregiver_busy", "error.obstacle_busy"}
        assert refused.total() == THREADS - 1
        assert (stored(Order.id), stored(Visit.id)) == (1, 1)
        with engines.reading() as session:
            directed = select(func.count()).where(Demand.status == DemandStatus.DIRECTED)
            confirmed = select(func.count()).where(Order.status == OrderStatus.CONFIRMED)
            assert session.scalar(directed) + session.scalar(confirmed) == 1
            assert session.scalar(select(func.count(LedgerEntry.id))) == session.scalar(confirmed)

    def test_her_yes_and_her_suspension_take_turns(self, asked_id):
        deeds = (
            lambda session: bookings.accept(session, LI, asked_id),
            lambda session: caregivers.move(session, OPERATOR, LI.id, "suspend", "健康证到期"),
        )
        outcomes = rush(lambda number: engines.transact(deeds[number % 2]), threads=2)

        assert outcomes[1] is None
        assert outcomes[0] is None or outcomes[0].key == "error.caregiver_not_approved"
        with engines.reading() as session:
            stands = session.get_one(Order, asked_id).status is OrderStatus.CONFIRMED
            moves = session.scalars(select(StatusChange.move).order_by(StatusChange.id)).all()
        assert stands == (outcomes[0] is None)
        assert moves[-1] == "suspend"  # Never a yes after it.


def test_nothing_is_posted_into_a_city_that_closes(database):
    """Whoever comes first: an open demand keeps the city open, a closed city takes none."""
    with engines.writing() as session:
        families = [make_family(session, number) for number in range(8)]

    def act(number):
        if number == len(families):
            return engines.transact(
                lambda session: cities.move(session, OPERATOR, NANTONG, "close")
            )
        customer, recipient_id = families[number]
        form = demand_form(recipient_id=recipient_id)
        return engines.transact(lambda session: demands.post(session, customer, form, "wish"))

    outcomes = rush(act, threads=len(families) + 1)

    with engines.reading() as session:
        city = session.scalars(select(City).where(City.code == NANTONG)).one()
    closed = city.status is CityStatus.CLOSED
    assert stored(Demand.id) == (0 if closed else len(families))
    assert refusals(outcomes) == (
        {"error.city_not_open": len(families)} if closed else {"error.city_has_demands": 1}
    )


def test_a_request_key_posts_one_demand(database):
    outcomes = rush(
        lambda _: engines.transact(
            lambda session: demands.post(session, ZHOU, demand_form(), "double click")
        ),
        threads=16,
    )

    assert stored(Demand.id) == stored(Task.id) == 1
    posted = {outcome for outcome in outcomes if isinstance(outcome, int)}
    assert len(posted) == 1
    assert set(refusals(outcomes)) <= {"error.already_posted"}


def test_a_ticket_is_taken_once(database):
    with engines.writing() as session:
        opened = sessions.open_session(session, ZHOU.id, BROWSER)
    outcomes = rush(
        lambda _: engines.transact(lambda session: sessions.take_ticket(session, opened.ticket))
    )

    assert [token for token in outcomes if token] == [opened.token]


class TestCases:
    """Who reviews whom: one operator each, one person per number, one look per ticket."""

    @pytest.fixture
    def operators(self, database):
        with engines.writing() as session:
            made = [make_newcomer(session, n, Role.OPERATOR) for n in range(THREADS)]
        return [Actor(one.id, Role.OPERATOR, frozenset({NANTONG})) for one in made]

    def take(self, operators, case_id=None):
        return rush(
            lambda number: engines.transact(
                lambda session: verifications.take(session, operators[number], case_id)
            )
        )

    def test_one_of_many_operators_takes_a_case(self, operators):
        with engines.writing() as session:
            case_id = make_case(session, DRAFT, CaseStatus.SUBMITTED)
        outcomes = self.take(operators, case_id)

        assert outcomes.count(case_id) == 1
        assert refusals(outcomes) == {"error.case_taken": THREADS - 1}

    def test_the_next_case_is_never_the_same_for_two(self, operators):
        with engines.writing() as session:
            for number in range(THREADS // 2):
                someone = make_newcomer(session, 1000 + number)
                make_case(session, someone, CaseStatus.SUBMITTED)
        outcomes = self.take(operators)

        taken = [outcome for outcome in outcomes if isinstance(outcome, int)]
        assert len(set(taken)) == len(taken) <= THREADS // 2
        assert set(refusals(outcomes)) == {"error.no_case_waits"}

    def test_one_number_is_approved_for_one_person(self, operators):
        with engines.writing() as session:
            number = resident_ids.whole_hash("one number")
            ids = [
                make_case(
                    session,
                    make_newcomer(session, 1000 + n),
                    CaseStatus.SUBMITTED,
                    id_number_hash=number,
                    reviewer_id=operators[n].id,
                    reviewing_until=session.get_one(Account, 1).created_at,
                )
                for n in range(8)
            ]
        outcomes = rush(
            lambda n: engines.transact(
                lambda session: verifications.decide(session, operators[n], ids[n], "approve")
            ),
            threads=8,
        )

        assert outcomes.count(None) == 1
        assert refusals(outcomes) == {"error.id_number_in_use": 7}

    def test_a_ticket_shows_a_document_once(self, database):
        with engines.writing() as session:
            case_id = make_case(session, ZHOU, CaseStatus.EXPIRED, with_documents=True)
            [page, _] = documents.of_case(session, case_id)
            ticket = pictures.ticket(session, ZHOU, PictureKind.DOCUMENT, page.id, "own")
        outcomes = rush(
            lambda _: engines.transact(lambda session: pictures.use(session, ZHOU, ticket))
        )

        assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
        assert refusals(outcomes) == {"error.document_not_found": THREADS - 1}

    def test_a_report_takes_six_photos_whoever_comes_first(self, database):
        with engines.writing() as session:
            visit_id = make_finished_visit(session)
        outcomes = rush(
            lambda _: engines.transact(
                lambda session: report_photos.add(session, LI, visit_id, [empty_page()])
            ),
            threads=12,
        )

        assert outcomes.count(None) == report_photos.MOST
        assert refusals(outcomes) == {"error.report_photos_full": 12 - report_photos.MOST}

    def test_two_tabs_make_one_draft(self, database):
        with engines.writing() as session:
            newcomer = make_newcomer(session)
        form = verifications.IdentityForm("", "")
        kind = verifications.CaseKind.CUSTOMER
        outcomes = rush(
            lambda _: engines.transact(
                lambda session: verifications.save(session, newcomer, kind, form)
            ),
            threads=8,
        )

        assert len(set(outcomes)) == 1


def test_a_job_nobody_has_run_yet_is_leased_once(database):
    outcomes = rush(
        lambda number: engines.transact(
            lambda session: jobs.lease(session, "expire_demands", str(number))
        ),
        threads=16,
    )

    assert outcomes.count(True) == 1


def test_a_task_is_leased_once(database):
    with engines.writing() as session:
        make_demand(session)
    outcomes = rush(
        lambda number: engines.transact(lambda session: tasks.lease_next(session, str(number))),
        threads=16,
    )

    assert [outcome for outcome in outcomes if outcome is not None] == [1]
