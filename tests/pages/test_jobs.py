import pytest

from data.database import reading, writing
from data.tasks import Job
from services import audit, jobs, tasks
from tests import factories
from tests.factories import OPERATOR
from tests.pages.screen import said, successes, words

PAGE = "pages/operator/jobs.py"
NAME = "expire_demands"


@pytest.fixture
def ran(database):
    """Every job ran just now."""
    with writing() as session:
        for name in jobs.JOBS:
            jobs.lease(session, name, "one")
            session.flush()
            jobs.run(session, name)


def test_a_worker_that_never_ran_is_told(open_app):
    app = open_app(PAGE, OPERATOR)

    assert [warning.value for warning in app.warning] == [words("jobs.never_seen")]
    assert words("jobs.never_run") in said(app)


def test_every_job_has_its_lamp(open_app, ran):
    app = open_app(PAGE, OPERATOR)

    assert [warning.value for warning in app.warning] == []
    assert all(words(f"job.{name}") in said(app) for name in jobs.JOBS)
    assert said(app).count(f" {words('jobs.light_green')}]") == len(jobs.JOBS)


def test_the_head_of_the_sealed_audit_is_shown_to_be_noted(open_app):
    with writing() as session:
        for number in range(3):
            audit.record(session, OPERATOR, "reissue_code", "visit", number)
            session.flush()
        audit.seal(session)
        head = audit.tail(session, OPERATOR).head
    shown = said(open_app(PAGE, OPERATOR))

    assert words("jobs.chain", sealed="3", head=head[: audit.HEAD_SHOWN]) in shown
    assert words("jobs.chain_whole") in shown


def test_a_worker_that_fell_silent_is_told(open_app, ran, clock):
    clock.move(minutes=10)
    app = open_app(PAGE, OPERATOR)

    assert [warning.value for warning in app.warning] == [words("jobs.silent", ago="10 分钟前")]
    assert words("jobs.light_yellow") in said(app)


def test_a_failure_shows_its_kind_alone(open_app, ran):
    with writing() as session:
        jobs.note_failure(session, NAME, "OperationalError")
    shown = said(open_app(PAGE, OPERATOR))

    assert words("jobs.failed_with", error="OperationalError") in shown
    assert words("jobs.light_red") in shown


def test_a_job_is_asked_to_run_now(open_app, ran, clock):
    clock.move(seconds=5)
    app = open_app(PAGE, OPERATOR)
    app.button(key=f"run_{NAME}").click().run()

    assert successes(app) == [words("jobs.asked")]
    with reading() as session:
        assert session.get_one(Job, NAME).next_run_at == clock.moment
        assert NAME in jobs.due(session)


def test_the_queue_says_what_failed(open_app):
    with writing() as session:
        factories.make_demand(session)
    for _ in range(tasks.MOST_TRIES):
        with writing() as session:
            task_id = tasks.lease_next(session, "one")
            session.flush()
            tasks.give_up(session, task_id, "one")
    shown = said(open_app(PAGE, OPERATOR))

    assert words("task.announce_demand") in shown
    assert f"{words('task_status.failed')} 1" in shown
