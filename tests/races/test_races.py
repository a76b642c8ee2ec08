"""Everything only one may win, wanted by many threads or processes at once."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, insert, select, text

from data import database as engines
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.ledger import LedgerEntry, LedgerEvent, LedgerPosting
from data.orders import Order, Visit, VisitStatus
from data.tasks import Task
from services import applications, demands, gate, jobs, redemption, sessions, tasks
from services import clock as service_clock
from services.errors import Conflict, ServiceError
from tests import factories
from tests.conftest import ROOT, database_at, new_database
from tests.factories import (
    LI,
    OPERATOR,
    ZHAO,
    ZHOU,
    code_of,
    demand_form,
    make_application,
    make_demand,
    make_finished_visit,
    make_order,
    visit_of,
)
from tests.races.rush import THREADS, fill, overlaps, place_through_the_gate, rush

pytestmark = pytest.mark.race


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
                ApplicationStatus.CLOSED,
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
        opened = sessions.open_session(session, ZHOU.id, "Firefox")
    outcomes = rush(
        lambda _: engines.transact(lambda session: sessions.take_ticket(session, opened.ticket))
    )

    assert [token for token in outcomes if token] == [opened.token]


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
