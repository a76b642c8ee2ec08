"""Scheduled jobs: each runs under a lease row that also keeps its lamp."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.tasks import Job
from services import (
    audit,
    bookings,
    call_list,
    certificates,
    clock,
    complaint_deadlines,
    confirmation,
    deliveries,
    demands,
    drafts,
    erasure,
    guests,
    idle_demands,
    income,
    joining,
    ledger,
    ledger_checks,
    name_keys,
    notices,
    order_talks,
    pictures,
    plans,
    reminders,
    rule_changes,
    sessions,
    substitutes,
    talks,
    unmet_needs,
    waiting_lists,
    waves,
)
from services.access import SYSTEM, Actor, Permission
from services.analytics import publishing, upkeep
from services.board import runs, unattended
from services.compliance import findings
from services.deliveries import Transact
from services.errors import NotFound

LEASE = timedelta(minutes=2)
IDLE = timedelta(minutes=1)
# A worker with nothing to do still runs its jobs once a minute.
SILENT_AFTER = IDLE + timedelta(seconds=15)
OVERDUE_INTERVALS = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a job runs; one with a `needed` rests up to IDLE while there is nothing to do.

    What `report` tells after a run stays with the lamp. A job that waits for others' answers runs
    `apart`: in transactions of its own making, so that it holds up nobody. One that reads long
    `reads` before it runs, in a reading session of its own, so that it holds up no writer.
    """

    every: timedelta
    run: Callable[[Session], int] = lambda _session: 0
    needed: Callable[[Session], bool] | None = None
    report: Callable[[Session], dict[str, object]] | None = None
    apart: Callable[[Transact], int] | None = None
    reads: Callable[[Session], int] | None = None


class Light(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Lamp:
    """How a job stands; moments and durations are None before its first run.

    `differing` counts what its last run found not to agree, of jobs that check something.
    """

    name: str
    light: Light
    last_run_at: datetime | None
    took: timedelta | None
    done: int
    differing: int
    next_run_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Board:
    """The lamps of all jobs, and when the worker was last heard of."""

    lamps: tuple[Lamp, ...]
    seen_at: datetime | None
    silent: bool


JOBS: dict[str, Schedule] = {
    "deliver_notices": Schedule(timedelta(seconds=1), deliveries.deliver, notices.any_due),
    "chase_complaints": Schedule(
        timedelta(minutes=5), lambda session: complaint_deadlines.chase_due(session, SYSTEM)
    ),
    "send_messages": Schedule(
        timedelta(seconds=1), needed=deliveries.any_due, apart=deliveries.send_due
    ),
    "remind": Schedule(timedelta(minutes=5), lambda session: reminders.remind(session, SYSTEM)),
    "tidy_call_list": Schedule(
        timedelta(minutes=5), lambda session: call_list.drop_moot(session, SYSTEM)
    ),
    "expire_demands": Schedule(
        timedelta(minutes=1), lambda session: demands.expire_due(session, SYSTEM)
    ),
    "reoffer_demands": Schedule(
        timedelta(minutes=10), lambda session: idle_demands.reoffer_due(session, SYSTEM)
    ),
    "send_waves": Schedule(
        timedelta(seconds=5), lambda session: waves.send_due(session, SYSTEM), waves.any_due
    ),
    "dispatch": Schedule(timedelta(minutes=1), apart=unattended.go),
    "close_waiting_lists": Schedule(
        timedelta(minutes=5), lambda session: waiting_lists.close_due(session, SYSTEM)
    ),
    "expire_requests": Schedule(
        timedelta(minutes=1), lambda session: bookings.expire_due(session, SYSTEM)
    ),
    "expire_substitutes": Schedule(
        timedelta(minutes=1), lambda session: substitutes.expire_due(session, SYSTEM)
    ),
    "give_up_unfilled": Schedule(
        timedelta(minutes=5), lambda session: substitutes.give_up_due(session, SYSTEM)
    ),
    "requeue_talks": Schedule(
        timedelta(minutes=1), lambda session: talks.requeue_due(session, SYSTEM)
    ),
    "drop_old_runs": Schedule(timedelta(days=1), lambda session: runs.drop_old(session, SYSTEM)),
    "close_order_talks": Schedule(
        timedelta(hours=6), lambda session: order_talks.close_due(session, SYSTEM)
    ),
    "forget_guests": Schedule(
        timedelta(hours=6), lambda session: guests.forget_due(session, SYSTEM)
    ),
    "extend_plans": Schedule(timedelta(hours=1), lambda session: plans.extend_due(session, SYSTEM)),
    "auto_confirm": Schedule(
        timedelta(hours=1), lambda session: confirmation.confirm_due(session, SYSTEM)
    ),
    "release_pay": Schedule(
        timedelta(hours=1), lambda session: income.release_due(session, SYSTEM)
    ),
    "detect_breaches": Schedule(
        timedelta(days=1), lambda session: findings.detect(session, SYSTEM)
    ),
    "publish_rules": Schedule(
        timedelta(seconds=30),
        lambda session: rule_changes.publish_due(session, SYSTEM),
        rule_changes.any_due,
    ),
    "keep_balances": Schedule(
        timedelta(days=1), lambda session: ledger.keep_balances(session, SYSTEM)
    ),
    "check_ledger": Schedule(
        timedelta(days=1), lambda session: ledger_checks.check(session, SYSTEM)
    ),
    "expire_papers": Schedule(
        timedelta(days=1), lambda session: certificates.tell_expiring(session, SYSTEM)
    ),
    "shred_documents": Schedule(
        timedelta(hours=6), lambda session: pictures.shred_due(session, SYSTEM)
    ),
    "prune_drafts": Schedule(timedelta(days=1), lambda session: drafts.prune_due(session, SYSTEM)),
    "erase": Schedule(timedelta(hours=1), lambda session: erasure.erase_due(session, SYSTEM)),
    "seal_audit": Schedule(timedelta(minutes=5), audit.seal, report=audit.report),
    "note_left_searches": Schedule(
        timedelta(hours=1), lambda session: unmet_needs.note_left(session, SYSTEM)
    ),
    "refresh_figures": Schedule(
        timedelta(minutes=5),
        report=upkeep.report,
        reads=upkeep.refresh,
        apart=upkeep.follow_up,
    ),
    "rebuild_figures": Schedule(
        timedelta(days=1),
        report=upkeep.report,
        reads=upkeep.rebuild,
        apart=upkeep.follow_up,
    ),
    "publish_figures": Schedule(timedelta(hours=1), apart=publishing.publish),
    "fill_name_keys": Schedule(timedelta(minutes=1), name_keys.fill),
    "prune_sign_in": Schedule(
        timedelta(hours=1),
        lambda session: sum(
            prune(session, clock.now() - timedelta(days=1))
            for prune in (sessions.prune, joining.prune)
        ),
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


def renew(session: Session, name: str, worker: str) -> bool:
    """Hold a job that takes long for as long again; False if it is no more this worker's."""
    mine = update(Job).where(Job.name == name, Job.leased_by == worker)
    held = mine.values(leased_until=clock.now() + LEASE).returning(Job.name)
    return session.scalar(held.execution_options(synchronize_session=False)) is not None


def run(session: Session, name: str, done_before: int = 0) -> int:
    """Do a leased job; its deeds and its lamp are saved together. Returns how much it did.

    What it did before, apart or as it read, is counted too.
    """
    schedule = JOBS[name]
    done = done_before + schedule.run(session)
    told = schedule.report(session) if schedule.report else {}
    job = session.get_one(Job, name)
    job.last_finished_at, job.last_error = clock.now(), None
    job.last_result = {"done": done} | told
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


def board(session: Session, actor: Actor) -> Board:
    """Every job with its lamp, in the order they are listed."""
    actor.require(Permission.SEE_JOBS)
    known = {job.name: job for job in session.scalars(select(Job))}
    moments = [
        moment
        for job in known.values()
        for moment in (job.last_started_at, job.last_finished_at)
        if moment is not None
    ]
    seen_at = max(moments, default=None)
    return Board(
        lamps=tuple(_lamp(name, known.get(name)) for name in JOBS),
        seen_at=seen_at,
        silent=seen_at is None or seen_at < clock.now() - SILENT_AFTER,
    )


def run_now(session: Session, actor: Actor, name: str) -> None:
    """Make a job due; the worker takes it at its next look, within a second or so."""
    actor.require(Permission.SEE_JOBS)
    if name not in JOBS:
        raise NotFound("error.job_not_found")
    # One that rests while there is nothing to do is due only after its rest.
    due_at = clock.now() - (IDLE if JOBS[name].needed else timedelta())
    job = session.scalar(select(Job).where(Job.name == name).with_for_update())
    if job is None:
        session.add(Job(name=name, next_run_at=due_at))
    else:
        job.next_run_at = due_at


def _lamp(name: str, job: Job | None) -> Lamp:
    if job is None or job.last_finished_at is None:
        next_run_at = job.next_run_at if job else None
        return Lamp(name, Light.YELLOW, None, None, 0, 0, next_run_at, None)
    schedule = JOBS[name]
    rest = IDLE if schedule.needed else timedelta()
    late = clock.now() > job.next_run_at + OVERDUE_INTERVALS * schedule.every + rest
    told = job.last_result or {}
    differing = len(told.get("differing", ()))
    light = Light.RED if job.last_error else Light.YELLOW if late or differing else Light.GREEN
    started_at = job.last_started_at or job.last_finished_at
    return Lamp(
        name=name,
        light=light,
        last_run_at=job.last_finished_at,
        took=max(job.last_finished_at - started_at, timedelta()),
        done=told.get("done", 0),
        differing=differing,
        next_run_at=job.next_run_at,
        error=job.last_error,
    )
