import pytest

from data.demands import Demand, DemandStatus
from data.tasks import Job
from services import jobs, notices
from tests.factories import ZHOU, make_demand, make_order

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
        clock.move(hours=2)

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
    assert set(jobs.due(session)) == {"deliver_notices", NAME}
