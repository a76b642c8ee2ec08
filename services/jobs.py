"""Scheduled jobs: each runs under a lease row that also keeps its lamp."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.tasks import Job
from services import clock, demands, notices, sessions
from services.access import SYSTEM

LEASE = timedelta(minutes=2)
IDLE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a job runs; one with a `needed` rests up to IDLE while there is nothing to do."""

    every: timedelta
    run: Callable[[Session], int]
    needed: Callable[[Session], bool] | None = None


JOBS: dict[str, Schedule] = {
    "deliver_notices": Schedule(timedelta(seconds=1), notices.deliver, notices.any_due),
    "expire_demands": Schedule(
        timedelta(minutes=1), lambda session: demands.expire_due(session, SYSTEM)
    ),
    "prune_sign_in": Schedule(
        timedelta(hours=1),
        lambda session: sessions.prune(session, clock.now() - timedelta(days=1)),
    ),
}


def due(session: Session) -> list[str]:
    """The jobs whose time has come, found without writing: an idle worker leaves the disk alone."""
    lamps = {job.name: job for job in session.scalars(select(Job))}
    now = clock.now()

    def is_due(name: str, schedule: Schedule) -> bool:
        job = lamps.get(name)
        if job is None or schedule.needed is None:
            return job is None or job.next_run_at <= now
        rested = job.next_run_at <= now - IDLE
        return rested or (job.next_run_at <= now and schedule.needed(session))

    return [name for name, schedule in JOBS.items() if is_due(name, schedule)]


def lease(session: Session, name: str, worker: str) -> bool:
    """Take a job that is due and that nobody else is running."""
    job = session.scalar(select(Job).where(Job.name == name).with_for_update(skip_locked=True))
    now = clock.now()
    if job is None:
        if session.get(Job, name) is not None:
            return False  # Another worker holds the row at this moment.
        job = Job(name=name, next_run_at=now)
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:
            return False  # Another worker made the row at this moment.
    if job.next_run_at > now or (job.leased_until is not None and job.leased_until > now):
        return False
    job.leased_by, job.leased_until, job.last_started_at = worker, now + LEASE, now
    return True


def run(session: Session, name: str) -> int:
    """Do a leased job; its deeds and its lamp are saved together. Returns how much it did."""
    done = JOBS[name].run(session)
    job = session.get_one(Job, name)
    job.last_finished_at, job.last_result, job.last_error = clock.now(), {"done": done}, None
    _release(job)
    return done


def note_failure(session: Session, name: str, error: str) -> None:
    """Turn a job's lamp red; it is tried again when it is next due."""
    job = session.get_one(Job, name)
    job.last_finished_at, job.last_error = clock.now(), error[:80]
    _release(job)


def _release(job: Job) -> None:
    job.leased_by = job.leased_until = None
    job.next_run_at = clock.now() + JOBS[job.name].every
