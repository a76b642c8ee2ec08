import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import worker
from data import database as engines
from data.demands import Demand, DemandStatus
from data.history import AuditEvent
from data.tasks import Job
from services import jobs, notices
from services.analytics import checks, lake
from services.analytics.checks import Difference
from services.analytics.schemas import Fact
from services.errors import NotFound
from services.jobs import Light
from tests.factories import OPERATOR, ZHOU, make_demand, make_order
from tools import run_jobs

NAME = "expire_demands"


def lease(session, name=NAME, worker="one"):
    taken = jobs.lease(session, name, worker)
    session.flush()
    return taken


def test_a_job_is_run_by_one_worker_at_a_time(session):
    assert [lease(session), lease(session, worker="two")] == [True, False]


def test_it_waits_until_it_is_due_again(session, clock):
    lease(session)
    jobs.run(session, NAME)
    clock.move(seconds=59)
    assert not lease(session)
    clock.move(seconds=1)

    assert lease(session)


def test_a_lapsed_lease_is_taken_over(session, clock):
    lease(session, worker="silent")
    clock.move(seconds=jobs.LEASE.total_seconds())

    assert lease(session, worker="two")
    assert session.get_one(Job, NAME).leased_by == "two"


def test_its_lamp_tells_how_the_last_run_went(session, clock):
    make_demand(session)
    clock.move(days=1)
    lease(session)

    assert jobs.run(session, NAME) == 1
    lamp = session.get_one(Job, NAME)
    assert (lamp.last_result, lamp.last_error, lamp.leased_by) == ({"done": 1}, None, None)
    assert lamp.last_finished_at == clock.moment
    clock.move(minutes=1)
    lease(session)
    jobs.note_failure(session, NAME, "OperationalError" * 20)
    assert lamp.last_error.startswith("OperationalError")
    assert len(lamp.last_error) == 80


def test_a_failed_job_is_tried_again_when_it_is_due(session, clock):
    lease(session)
    jobs.note_failure(session, NAME, "OperationalError")
    clock.move(minutes=1)

    assert lease(session)


@pytest.mark.parametrize("name", jobs.JOBS)
def test_every_job_runs_twice_without_harm(session, clock, name):
    make_order(session)
    make_demand(session)
    clock.move(days=2)
    done = []
    for _ in range(2):
        assert lease(session, name)
        done.append(jobs.run(session, name))
        clock.move(days=1)

    assert done[1] == 0


def test_notices_arrive_and_demands_expire_by_themselves(session, clock):
    demand_id = make_demand(session)
    clock.move(days=1)
    for name in ("expire_demands", "deliver_notices"):
        lease(session, name)
        jobs.run(session, name)
        session.flush()

    assert session.get_one(Demand, demand_id).status is DemandStatus.EXPIRED
    assert [n.kind for n in notices.inbox(session, ZHOU)] == ["demand_expired"]


def test_an_idle_worker_finds_nothing_due_and_writes_nothing(session, clock):
    for name in jobs.JOBS:
        lease(session, name)
        jobs.run(session, name)
    clock.move(seconds=5)

    assert jobs.due(session) == []
    make_order(session)
    assert jobs.due(session) == ["deliver_notices"]
    clock.move(minutes=2)
    frequent = {name for name, job in jobs.JOBS.items() if job.every <= timedelta(minutes=1)}
    assert set(jobs.due(session)) == frequent >= {"deliver_notices", NAME}


class TestReading:
    """Jobs that read long do so before they run, in a session that holds up nobody."""

    @pytest.fixture
    def read(self, monkeypatch, database):
        """What a job that reads has seen, as the worker ran it."""

        def reads(session):
            seen.append(session.scalar(select(func.count(Demand.id))))
            with engines.writing() as other:
                make_demand(other)
            seen.append(session.scalar(select(func.count(Demand.id))))
            return 2

        seen = []
        monkeypatch.setitem(jobs.JOBS, NAME, replace(jobs.JOBS[NAME], reads=reads))
        return seen

    def test_it_writes_nothing_meanwhile_and_sees_what_there_was(self, read):
        assert worker.run_job(NAME) == 2
        assert read == [0, 0]
        with engines.reading() as session:
            assert session.get_one(Job, NAME).last_result == {"done": 2}

    def test_one_that_takes_long_keeps_its_lease(self, monkeypatch, database, clock):
        monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.2))
        renewed, enough = [], threading.Event()

        def reads(session):
            clock.move(seconds=0.1)
            assert enough.wait(30)
            with engines.writing() as session:
                assert not jobs.lease(session, NAME, "another")
            return 0

        def renew(session, name, me, renew=jobs.renew):
            renewed.append(renew(session, name, me))
            if len(renewed) == 2:
                enough.set()
            return renewed[-1]

        monkeypatch.setattr(jobs, "renew", renew)
        monkeypatch.setitem(jobs.JOBS, NAME, replace(jobs.JOBS[NAME], reads=reads))
        assert worker.run_job(NAME) == 0
        assert set(renewed) == {True}
        assert not [one for one in threading.enumerate() if one.name.startswith("holding")]

    def test_a_lease_that_was_lost_is_not_taken_back(self, session, clock):
        lease(session)
        clock.move(seconds=jobs.LEASE.total_seconds())
        lease(session, worker="two")

        assert not jobs.renew(session, NAME, "one")
        assert jobs.renew(session, NAME, "two")

    def test_one_whose_reading_fails_turns_red_and_ends_its_renewing(self, monkeypatch, database):
        def fail(_session):
            raise ValueError("a bug")

        monkeypatch.setitem(jobs.JOBS, NAME, replace(jobs.JOBS[NAME], reads=fail))
        assert worker.run_job(NAME) is None
        with engines.reading() as session:
            assert session.get_one(Job, NAME).last_error == "ValueError"
        assert not [one for one in threading.enumerate() if one.name.startswith("holding")]


class TestFigures:
    def test_the_worker_exports_them_every_few_minutes_and_checks_them_daily(
        self, database, clock, caplog
    ):
        with engines.writing() as session:
            make_order(session)
        assert worker.run_job("refresh_figures") > 0
        clock.move(minutes=5)
        assert worker.run_job("refresh_figures") == 0
        lake.path(Fact.NEEDS, "2030-01").unlink()
        with engines.writing() as session:
            session.execute(update(Demand).values(units=3))
        clock.move(minutes=5)
        assert worker.run_job("refresh_figures") == 1
        with engines.reading() as session:
            told = session.get_one(Job, "refresh_figures").last_result
        assert told == {"done": 1, "mended": 1, "differing": []}
        assert worker.run_job("rebuild_figures") == 0
        with engines.reading() as session:
            opened = select(AuditEvent).where(AuditEvent.action == "open_id_numbers")
            assert [row.detail for row in session.scalars(opened)] == [{"count": 2}]
            kept = session.get_one(Job, "rebuild_figures").last_result
        assert kept == {"done": 0, "mended": 0, "differing": []}

    def test_what_differs_stays_with_the_lamp(self, database, monkeypatch):
        found = Difference(Fact.NEEDS, "rows 320600 open", 3, 2)
        monkeypatch.setattr(checks, "differences", lambda _session: [found])
        worker.run_job("rebuild_figures")

        with engines.reading() as session:
            kept = session.get_one(Job, "rebuild_figures").last_result
            [lamp] = [
                lamp for lamp in jobs.board(session, OPERATOR).lamps
                if lamp.name == "rebuild_figures"
            ]  # fmt: skip
        assert kept["differing"] == ["needs rows 320600 open: 3 live, 2 in the facts"]
        assert (lamp.light, lamp.differing, lamp.error) == (Light.YELLOW, 1, None)


def lamp_of(session, name=NAME):
    session.flush()
    return next(lamp for lamp in jobs.board(session, OPERATOR).lamps if lamp.name == name)


def run(session, name=NAME):
    lease(session, name)
    jobs.run(session, name)


class TestBoard:
    def test_every_job_has_a_lamp_and_shines_yellow_before_its_first_run(self, session):
        board = jobs.board(session, OPERATOR)

        assert [lamp.name for lamp in board.lamps] == list(jobs.JOBS)
        assert {lamp.light for lamp in board.lamps} == {Light.YELLOW}
        assert (board.seen_at, board.silent) == (None, True)

    def test_a_run_that_went_well_shines_green_and_says_what_it_did(self, session, clock):
        make_demand(session)
        clock.move(days=1)
        lease(session)
        clock.move(seconds=2)
        jobs.run(session, NAME)
        lamp = lamp_of(session)

        assert (lamp.light, lamp.done, lamp.error) == (Light.GREEN, 1, None)
        assert (lamp.last_run_at, lamp.took.total_seconds()) == (clock.moment, 2)
        assert lamp.next_run_at == clock.moment + jobs.JOBS[NAME].every

    @pytest.mark.parametrize(
        ("minutes", "light"), [(4, Light.GREEN), (5, Light.YELLOW), (60, Light.YELLOW)]
    )
    def test_one_overdue_by_three_intervals_shines_yellow(self, session, clock, minutes, light):
        run(session)
        clock.move(minutes=minutes)

        assert lamp_of(session).light is light

    def test_one_that_rests_while_there_is_nothing_to_do_is_not_overdue(self, session, clock):
        run(session, "deliver_notices")
        clock.move(seconds=60)
        assert lamp_of(session, "deliver_notices").light is Light.GREEN
        clock.move(seconds=10)
        assert lamp_of(session, "deliver_notices").light is Light.YELLOW

    def test_a_failure_shines_red_with_its_kind_alone(self, session):
        lease(session)
        jobs.note_failure(session, NAME, "OperationalError")
        lamp = lamp_of(session)

        assert (lamp.light, lamp.error) == (Light.RED, "OperationalError")

    def test_a_worker_silent_for_over_a_minute_is_told(self, session, clock):
        run(session)
        seen_at = clock.moment
        clock.move(seconds=61)
        assert not jobs.board(session, OPERATOR).silent
        clock.move(seconds=30)

        board = jobs.board(session, OPERATOR)
        assert (board.seen_at, board.silent) == (seen_at, True)


class TestRunNow:
    @pytest.mark.parametrize("name", jobs.JOBS)
    def test_makes_any_job_due(self, session, clock, name):
        for each in jobs.JOBS:
            run(session, each)
        clock.move(seconds=1)
        assert jobs.due(session) == []
        jobs.run_now(session, OPERATOR, name)
        session.flush()

        assert jobs.due(session) == [name]
        assert lease(session, name)

    @pytest.mark.parametrize("name", jobs.JOBS)
    def test_one_that_never_ran_too(self, session, name):
        jobs.run_now(session, OPERATOR, name)
        session.flush()

        assert lease(session, name)

    @pytest.mark.parametrize("name", ["", "😀", "drop_tables"])
    def test_an_unknown_one_is_refused(self, session, name):
        with pytest.raises(NotFound, match="job_not_found"):
            jobs.run_now(session, OPERATOR, name)


class TestFromCron:
    @pytest.fixture(autouse=True)
    def prepared(self, monkeypatch, database):
        monkeypatch.setattr(run_jobs.startup, "prepare", lambda: None)

    def test_every_due_job_runs_once(self, capsys):
        assert run_jobs.main() == 0
        assert f"{len(jobs.JOBS)} of {len(jobs.JOBS)} jobs were due." in capsys.readouterr().out
        assert run_jobs.main() == 0
        assert f"0 of {len(jobs.JOBS)} jobs were due." in capsys.readouterr().out

    def test_one_that_fails_is_named_turns_red_and_stops_no_other(self, capsys, monkeypatch):
        def fail(_session):
            raise ValueError("a bug")

        monkeypatch.setitem(jobs.JOBS, NAME, replace(jobs.JOBS[NAME], run=fail))
        assert run_jobs.main() == 1
        assert f"{NAME}: FAILED" in capsys.readouterr().out
        with engines.reading() as session:
            lights = {lamp.name: lamp.light for lamp in jobs.board(session, OPERATOR).lamps}
        assert {name for name, light in lights.items() if light is Light.RED} == {NAME}
        assert Light.YELLOW not in lights.values()
