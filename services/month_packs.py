"""Who takes a month's workbook: made at once while it is small, else by the worker."""

from datetime import date
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.tasks import Task, TaskStatus
from services import month_end, month_files, prepared_files, tasks
from services.access import Actor, Permission

# As many rows are written in about a second.
MOST_AT_ONCE = 5_000
_WAITING = TaskStatus.QUEUED, TaskStatus.RUNNING


class Stage(StrEnum):
    """How far a workbook is: not asked for, being made by the worker, or there."""

    NONE = "none"
    BEING_MADE = "being_made"
    READY = "ready"


def prepare(
    session: Session, actor: Actor, city_code: str, month: date, language: str
) -> str | None:
    """The ticket that fetches a month's workbook within a minute; None if the worker makes it."""
    actor.require(Permission.CLOSE_MONTH)
    month_end.check_city(actor, city_code)
    about = _about(city_code, month, language)
    if prepared_files.waits(session, actor, about):
        return prepared_files.claim(session, actor, about)
    if _rows(session, city_code, month) > MOST_AT_ONCE:
        if _task(session, actor, about) is None:
            facts = {"city_code": city_code, "month": month.isoformat(), "language": language}
            tasks.ask(session, actor, month_files.KIND, account_id=actor.id, about=about, **facts)
        return None
    name, content = month_files.made(session, city_code, month, language)
    return prepared_files.prepare(session, actor, about, name, content)


def stage(session: Session, actor: Actor, city_code: str, month: date, language: str) -> Stage:
    """How far the actor's workbook of a month is."""
    actor.require(Permission.CLOSE_MONTH)
    month_end.check_city(actor, city_code)
    about = _about(city_code, month, language)
    if prepared_files.waits(session, actor, about):
        return Stage.READY
    return Stage.BEING_MADE if _task(session, actor, about) is not None else Stage.NONE


def _about(city_code: str, month: date, language: str) -> str:
    return f"{month_files.KIND}:{city_code}:{month:%Y-%m}:{language}"


def _task(session: Session, actor: Actor, about: str) -> int | None:
    found = select(Task.id).where(
        Task.kind == month_files.KIND,
        Task.status.in_(_WAITING),
        Task.asked_by_id == actor.id,
        Task.facts["about"].as_string() == about,
    )
    return session.scalar(found.limit(1))


def _rows(session: Session, city_code: str, month: date) -> int:
    """About how many rows a workbook has."""
    found = select(func.count()).select_from(month_files.of_month(city_code, month).subquery())
    return session.scalar(found) or 0
