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
        task.status = TaskStatus.CANCELLED if task.cancel_asked else TaskStatus.FAILED
        task.finished_at = clock.now()
        return None
    task.status, task.leased_by = TaskStatus.RUNNING, worker
    task.leased_until = clock.now() + LEASE
    return task.id


def do(session: Session, task_id: int) -> None:
    """Do a leased task; deed and result are saved together."""
    task = session.get_one(Task, task_id)
    task.result = KINDS[task.kind](session, task.facts)
    task.status, task.progress, task.finished_at = TaskStatus.DONE, 100, clock.now()
    task.leased_by = task.leased_until = None


def give_up(session: Session, task_id: int, worker: str) -> None:
    """Put a task that crashed back into the queue, or fail it after too many tries."""
    task = session.get_one(Task, task_id)
    if task.leased_by != worker:
        return  # The lease lapsed, and somebody else has taken or even done it.
    failed = task.tries >= MOST_TRIES
    task.status = TaskStatus.FAILED if failed else TaskStatus.QUEUED
    task.finished_at = clock.now() if failed else None
    task.leased_by = task.leased_until = None
