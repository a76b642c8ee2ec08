import pytest
from sqlalchemy import select

from data.notices import NoticeKind, OutboxMessage
from data.tasks import Task, TaskStatus
from services import tasks
from tests.factories import LI, OPERATOR, ZHAO, ZHOU, make_demand


@pytest.fixture
def task_id(session):
    """The announcement of a new demand."""
    make_demand(session)
    return session.scalars(select(Task.id)).one()


def task(session, task_id):
    session.flush()
    return session.get_one(Task, task_id)


def lease(session, worker="one"):
    session.flush()
    return tasks.lease_next(session, worker)


def test_the_oldest_goes_first_and_to_one_worker(session, task_id):
    newer = tasks.ask(session, ZHOU, "announce_demand", demand_id=1)

    assert [lease(session), lease(session, "two"), lease(session)] == [task_id, newer, None]
    assert task(session, newer).leased_by == "two"


def test_doing_it_saves_result_and_end(session, clock, task_id):
    tasks.do(session, lease(session))

    row = task(session, task_id)
    assert (row.status, row.progress, row.result) == (TaskStatus.DONE, 100, {"told": 2})
    assert row.finished_at == clock.moment
    assert row.leased_by is None


def test_doing_it_twice_tells_nobody_twice(session, task_id):
    lease(session)
    tasks.do(session, task_id)
    tasks.do(session, task_id)

    told = select(OutboxMessage.account_id).where(OutboxMessage.kind == NoticeKind.DEMAND_POSTED)
    assert sorted(session.scalars(told)) == [LI.id, ZHAO.id]


def test_a_silent_workers_task_is_taken_over_when_its_lease_has_lapsed(session, clock, task_id):
    lease(session, "silent")
    clock.move(seconds=tasks.LEASE.total_seconds())
    assert lease(session, "two") is None
    clock.move(seconds=1)

    assert lease(session, "two") == task_id
    assert (task(session, task_id).leased_by, task(session, task_id).tries) == ("two", 2)


def test_a_worker_whose_lease_lapsed_cannot_give_up_what_another_does(session, clock, task_id):
    lease(session, "slow")
    clock.move(minutes=6)
    tasks.do(session, lease(session, "two"))

    tasks.give_up(session, task_id, "slow")

    assert task(session, task_id).status is TaskStatus.DONE


def test_a_crash_puts_it_back_until_it_has_been_tried_enough(session, task_id):
    for _ in range(tasks.MOST_TRIES):
        assert task(session, task_id).status is TaskStatus.QUEUED
        tasks.give_up(session, lease(session), "one")

    assert task(session, task_id).status is TaskStatus.FAILED
    assert lease(session) is None


def test_a_task_that_kills_its_workers_is_failed_in_the_end(session, clock, task_id):
    for _ in range(tasks.MOST_TRIES):
        assert lease(session) == task_id
        clock.move(minutes=6)

    assert lease(session) is None
    assert task(session, task_id).status is TaskStatus.FAILED


def test_a_task_somebody_cancelled_is_not_begun(session, task_id):
    task(session, task_id).cancel_asked = True

    assert lease(session) is None
    assert task(session, task_id).status is TaskStatus.CANCELLED


def test_the_queue_counts_by_status_and_names_what_failed(session, clock, task_id):
    tasks.ask(session, ZHOU, "announce_demand", demand_id=1)
    for _ in range(tasks.MOST_TRIES):
        assert lease(session) == task_id
        tasks.give_up(session, task_id, "one")
    session.flush()
    queue = tasks.queue(session, OPERATOR)

    assert queue.counts == {TaskStatus.QUEUED: 1, TaskStatus.FAILED: 1}
    assert queue.failed == (tasks.FailedTask(task_id, "announce_demand", clock.moment),)
