"""Long work: queued by services, done by the worker under a lease, safe to run twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from data.tasks import Task, TaskStatus
from services import announcements, clock, month_files, policy_news
from services.access import Actor, Permission
from services.board import solving

__all__ = ["KINDS", "FailedTask", "Queue", "TaskStatus"]

LEASE = timedelta(minutes=5)
MOST_TRIES = 3
FAILED_SHOWN = 20

# What can be asked for: the kind, and the function that does it and returns its result.
KINDS: dict[str, Callable[[Session, dict[str, Any]], dict[str, Any]]] = {
    announcements.KIND: announcements.announce_demand,
    policy_news.KIND: policy_news.announce_policy,
    month_files.KIND: month_files.make,
}


@dataclass(frozen=True, slots=True)
class Apart:
    """Work that takes too long for a transaction: read, reckoned, then written; or given up.

    While it is reckoned it says how far it is (percent) and is told whether to stop.
    """

    read: Callable[[Session, dict[str, Any]], Any]
    reckon: Callable[[Any, Callable[[int], bool]], Any]
    write: Callable[[Session, dict[str, Any], Any], dict[str, Any]]
    fail: Callable[[Session, dict[str, Any]], None]


APART: dict[str, Apart] = {
    solving.KIND: Apart(solving.read, solving.reckon, solving.write, solving.fail),
}


@dataclass(frozen=True, slots=True)
class FailedTask:
    id: int
    kind: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Queue:
    """How many tasks stand in each status, and the newest of those that failed."""

    counts: dict[TaskStatus, int]
    failed: tuple[FailedTask, ...]


def queue(session: Session, actor: Actor) -> Queue:
    """The long work that waits, is done or failed."""
    actor.require(Permission.SEE_JOBS)
    counted = session.execute(select(Task.status, func.count(Task.id)).group_by(Task.status))
    failed = session.execute(
        select(Task.id, Task.kind, Task.created_at)
        .where(Task.status == TaskStatus.FAILED)
        .order_by(Task.id.desc())
        .limit(FAILED_SHOWN)
    )
    return Queue(dict(counted.all()), tuple(FailedTask(*row) for row in failed))


def ask(session: Session, actor: Actor, kind: str, **facts: object) -> int:
    """Queue a piece of long work; called by services, whose permission covers it."""
    task = Task(created_at=clock.now(), kind=kind, facts=facts, asked_by_id=actor.id)
    session.add(task)
    session.flush()
    return task.id


def lease_next(session: Session, worker: str) -> int | None:
    """Take the oldest task nobody works on, or whose worker fell silent."""
    task = session.scalar(
        select(Task)
        .where(
            or_(
                Task.status == TaskStatus.QUEUED,
                (Task.status == TaskStatus.RUNNING) & (Task.leased_until < clock.now()),
            )
        )
        .order_by(Task.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if task is None:
        return None
    task.tries += 1
    if task.cancel_asked or task.tries > MOST_TRIES:
        _end_badly(session, task)
        return None
    task.status, task.leased_by = TaskStatus.RUNNING, worker
    task.leased_until = clock.now() + LEASE
    return task.id


def apart(session: Session, task_id: int) -> tuple[Apart, dict[str, Any]] | None:
    """How a leased task is reckoned apart of its transaction, and its facts; None if it is not."""
    task = session.get_one(Task, task_id)
    own = APART.get(task.kind)
    return (own, task.facts) if own else None


def do(session: Session, task_id: int, made: object = None) -> None:
    """Do a leased task; deed and result are saved together. `made` is what was reckoned apart."""
    task = session.get_one(Task, task_id)
    if (own := APART.get(task.kind)) is not None:
        task.result = own.write(session, task.facts, made)
    else:
        task.result = KINDS[task.kind](session, task.facts)
    stopped = task.cancel_asked
    task.status = TaskStatus.CANCELLED if stopped else TaskStatus.DONE
    task.progress, task.finished_at = 100, clock.now()
    task.leased_by = task.leased_until = None


def do_at_once(session: Session, task_id: int) -> None:
    """Do a task, what is reckoned apart included, in one transaction."""
    made = None
    if (found := apart(session, task_id)) is not None:
        own, facts = found
        made = own.reckon(own.read(session, facts), lambda _percent: False)
    do(session, task_id, made)


def go_on(session: Session, task_id: int, worker: str, percent: int) -> bool:
    """Note how far a task is and hold it for longer; whether its worker shall go on."""
    task = session.get_one(Task, task_id)
    if task.leased_by != worker:
        return False
    task.progress, task.leased_until = percent, clock.now() + LEASE
    return not task.cancel_asked


def give_up(session: Session, task_id: int, worker: str) -> None:
    """Put a task that crashed back into the queue, or fail it after too many tries."""
    task = session.get_one(Task, task_id)
    if task.leased_by != worker:
        return  # The lease lapsed, and somebody else has taken or even done it.
    task.leased_by = task.leased_until = None
    if task.tries >= MOST_TRIES:
        _end_badly(session, task)
    else:
        task.status = TaskStatus.QUEUED


def _end_badly(session: Session, task: Task) -> None:
    """End a task that somebody stopped, or that failed too often."""
    task.status = TaskStatus.CANCELLED if task.cancel_asked else TaskStatus.FAILED
    task.finished_at = clock.now()
    if (own := APART.get(task.kind)) is not None:
        own.fail(session, task.facts)
