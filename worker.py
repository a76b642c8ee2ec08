"""The worker: does queued tasks and scheduled jobs, one at a time, until it is told to stop."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from sqlalchemy.exc import OperationalError

from data import database
from services import jobs, settings, startup, tasks

log = logging.getLogger("carepilot.worker")
PAUSE_SECONDS = 0.5


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # It writes whole addresses.
    os.nice(5)  # People who wait for a page come first.
    try:
        startup.prepare()
    except settings.ConfigurationError as refusal:
        sys.exit(f"worker.py: {refusal}")
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("ready")
    while not stopping.is_set():
        if not (run_due_jobs() + run_next_task()):
            stopping.wait(PAUSE_SECONDS)
    log.info("stopped")


def run_due_jobs() -> int:
    """Run every job that is due; return how much they did."""
    done = 0
    with database.reading() as session:
        due = jobs.due(session)
    for name in due:
        done += run_job(name) or 0
    return done


def run_job(name: str) -> int | None:
    """Run a job unless somebody else does; return how much it did, None if it failed."""
    if not database.transact(lambda session: jobs.lease(session, name, _me())):
        return 0
    try:
        done = _done_before(name)
        return database.transact(lambda session: jobs.run(session, name, done))
    except Exception as error:
        log.exception("job %s failed", name)
        kind = type(error).__name__
        database.transact(lambda session: jobs.note_failure(session, name, kind))
        return None


def _done_before(name: str) -> int:
    """What a job does outside of the transaction it runs in, however long that takes."""
    job, done = jobs.JOBS[name], 0
    if job.apart is None and job.reads is None:
        return 0
    with _holding(name):
        if job.reads is not None:
            with database.still() as session:
                done += job.reads(session)
        if job.apart is not None:
            done += job.apart(database.transact)
    return done


@contextmanager
def _holding(name: str) -> Iterator[None]:
    """Renew the lease of a job until the block ends: who is killed in it renews nothing."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(jobs.LEASE.total_seconds() / 4):
            try:
                database.transact(lambda session: jobs.renew(session, name, _me()))
            except OperationalError:
                log.exception("the lease of %s was not renewed", name)

    renewing = threading.Thread(target=renew, name=f"holding {name}", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()


def run_next_task() -> int:
    """Do the oldest waiting task; return 1 if there was one."""
    task_id = database.transact(lambda session: tasks.lease_next(session, _me()))
    if task_id is None:
        return 0
    try:
        made = _made_apart(task_id)
        database.transact(lambda session: tasks.do(session, task_id, made))
    except Exception:
        log.exception("task %s failed", task_id)
        database.transact(lambda session: tasks.give_up(session, task_id, _me()))
    return 1


def _made_apart(task_id: int) -> object:
    """What of a task is read and reckoned outside of any transaction."""
    with database.still() as session:
        if (found := tasks.apart(session, task_id)) is None:
            return None
        apart, facts = found
        material = apart.read(session, facts)
    told_at = 0.0

    def stopped(percent: int) -> bool:
        nonlocal told_at
        if time.monotonic() - told_at < PAUSE_SECONDS:
            return False
        told_at = time.monotonic()
        return not database.transact(lambda session: tasks.go_on(session, task_id, _me(), percent))

    return apart.reckon(material, stopped)


def _me() -> str:
    return f"worker-{os.getpid()}"


if __name__ == "__main__":
    main()
