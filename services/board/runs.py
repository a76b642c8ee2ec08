"""Runs: asked for by an operator, worked out by the worker, kept to be replayed and compared."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem
from data.cities import City
from data.dispatch import DispatchLine, DispatchRun, RunShape, RunStatus
from data.history import Noun
from data.tasks import Task
from services import clock, lifecycles, regions, rule_book, rules, tasks
from services.access import Actor, Permission
from services.board import open_work, solving
from services.board.open_work import Scope
from services.errors import Conflict, Invalid, NotFound

__all__ = ["RunShape", "RunStatus", "RunView"]

MOST_DAYS = 14
FURTHEST = timedelta(days=90)
MOST_WORKS = 5_000
BUDGETS = (2, 5, 10, 30, 60)
USUAL_BUDGET = 5
MOST_LISTED = 50
KEPT = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Wish:
    """What an operator wants dispatched, and how."""

    city_code: str
    first_on: date
    last_on: date
    shape: RunShape = RunShape.DAYS
    district_codes: tuple[str, ...] = ()
    item_ids: tuple[int, ...] = ()
    movable: bool = False
    budget_seconds: int = USUAL_BUDGET


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much work waits on each day, and how many regular plans wait to be decided one by one."""

    by_day: tuple[int, ...]
    plans: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, who asked for it (nobody: it ran by itself), how far it is, and what it came to.

    `percent` is None unless it is being worked out; `accepted` counts the lines that were.
    """

    id: int
    city_code: str
    asked_by: str
    asked_at: datetime
    replays_id: int | None
    shape: RunShape
    first_on: date
    last_on: date
    district_codes: tuple[str, ...]
    item_ids: tuple[int, ...]
    movable: bool
    budget_seconds: int
    weights: dict[str, float]
    status: RunStatus
    percent: int | None
    quality: str
    outcome: dict[str, Any]
    finished_at: datetime | None
    accepted: int
    moves: tuple[str, ...]


def ask(session: Session, actor: Actor, wish: Wish) -> int:
    """Have a proposal worked out for open work; return the run's id.

    Its weights are those of the rule book today. One run of a city is worked out at a time.
    """
    actor.require(Permission.DISPATCH)
    if wish.city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    _check(session, wish)
    return begin(session, actor, wish)


def begin(session: Session, actor: Actor, wish: Wish, replays_id: int | None = None) -> int:
    """Store a run and queue its work; called by services, whose permission covers it."""
    _hold_city(session, wish.city_code)
    waiting = select(DispatchRun.id).where(
        DispatchRun.city_code == wish.city_code, DispatchRun.status == RunStatus.ASKED
    )
    if session.scalar(waiting.limit(1)) is not None:
        raise Conflict("error.run_under_way")
    version = rules.on(session, wish.city_code, clock.today())
    said = rule_book.weights(rules.values(session, wish.city_code, version))
    run = DispatchRun(
        created_at=clock.now(),
        city_code=wish.city_code,
        asked_by_id=actor.id,
        replays_id=replays_id,
        rule_version_id=version.id if version else None,
        shape=wish.shape,
        first_on=wish.first_on,
        last_on=wish.last_on,
        district_codes=list(wish.district_codes),
        item_ids=list(wish.item_ids),
        movable=wish.movable,
        budget_seconds=wish.budget_seconds,
        weights={name: getattr(said, name) for name in said.__slots__},
        outcome={},
        status=RunStatus.ASKED,
    )
    session.add(run)
    session.flush()
    lifecycles.begin(session, actor, Noun.DISPATCH_RUN, run, "ask")
    run.task_id = tasks.ask(session, actor, solving.KIND, run_id=run.id)
    return run.id


def replay(session: Session, actor: Actor, run_id: int) -> int:
    """Work a run out once more, with all it depended on as it was; return the new run's id."""
    actor.require(Permission.DISPATCH)
    run = reach(session, actor, run_id)
    if run.status is not RunStatus.PROPOSED:
        raise Conflict("error.dispatch_run_moved_on")
    wish = Wish(
        run.city_code,
        run.first_on,
        run.last_on,
        run.shape,
        tuple(run.district_codes),
        tuple(run.item_ids),
        run.movable,
        run.budget_seconds,
    )
    return begin(session, actor, wish, replays_id=run.id)


def cancel(session: Session, actor: Actor, run_id: int) -> None:
    """Stop a run that is being worked out; nothing comes of it."""
    actor.require(Permission.DISPATCH)
    run = reach(session, actor, run_id, lock=True)
    lifecycles.take(session, actor, Noun.DISPATCH_RUN, run, "cancel")
    run.finished_at = clock.now()
    if run.task_id is not None:
        session.get_one(Task, run.task_id).cancel_asked = True


def listing(session: Session, actor: Actor, city_code: str) -> list[RunView]:
    """The latest runs of a city of the actor's, newest first."""
    actor.require(Permission.DISPATCH)
    newest = _visible_to(actor).where(DispatchRun.city_code == city_code)
    return _views(session, actor, newest.order_by(DispatchRun.id.desc()).limit(MOST_LISTED))


def latest(
    session: Session, actor: Actor, city_code: str, *, by_hand: bool = False
) -> RunView | None:
    """The newest run of a city of the actor's that is no replay, or that somebody asked for."""
    actor.require(Permission.DISPATCH)
    newest = _visible_to(actor).where(
        DispatchRun.city_code == city_code, DispatchRun.replays_id.is_(None)
    )
    if by_hand:
        newest = newest.where(DispatchRun.asked_by_id.is_not(None))
    return next(iter(_views(session, actor, newest.order_by(DispatchRun.id.desc()).limit(1))), None)


def view(session: Session, actor: Actor, run_id: int) -> RunView:
    """One run of a city of the actor's."""
    actor.require(Permission.DISPATCH)
    found = _views(session, actor, _visible_to(actor).where(DispatchRun.id == run_id))
    if not found:
        raise NotFound("error.run_not_found")
    return found[0]


def waiting(session: Session, actor: Actor, city_code: str, first: date, last: date) -> Waiting:
    """What is open in a city: on each day from first to last, and in plans."""
    actor.require(Permission.DISPATCH)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    by_day = open_work.counts(session, city_code, first, last)
    return Waiting(tuple(by_day.values()), open_work.plans_waiting(session, city_code))


def drop_old(session: Session, actor: Actor) -> int:
    """Delete runs, lines and all, that are too old to be asked about; return how many."""
    actor.require(Permission.RUN_JOBS)
    old = session.scalars(
        select(DispatchRun.id).where(DispatchRun.created_at < clock.now() - KEPT)
    ).all()
    session.execute(
        update(DispatchRun).where(DispatchRun.replays_id.in_(old)).values(replays_id=None)
    )
    session.execute(delete(DispatchRun).where(DispatchRun.id.in_(old)))
    return len(old)


def reach(session: Session, actor: Actor, run_id: int, *, lock: bool = False) -> DispatchRun:
    """A run of a city of the actor's, locked until the transaction ends if asked."""
    query = _visible_to(actor).where(DispatchRun.id == run_id)
    run = session.scalar(query.with_for_update() if lock else query)
    if run is None:
        raise NotFound("error.run_not_found")
    return run


def _check(session: Session, wish: Wish) -> None:
    """Refuse days that are over, upside down or too many, and what is not the city's."""
    if not clock.today() <= wish.first_on <= wish.last_on:
        raise Invalid("error.end_before_start")
    if (wish.last_on - wish.first_on).days >= MOST_DAYS:
        raise Invalid("error.too_many_days", most=MOST_DAYS)
    if wish.last_on > clock.today() + FURTHEST:
        raise Invalid("error.day_too_far", days=FURTHEST.days)
    if wish.budget_seconds not in BUDGETS:
        raise Invalid("error.number_out_of_range", field="budget", fewest=1, most=BUDGETS[-1])
    if any(not regions.district_of_city(one, wish.city_code) for one in wish.district_codes):
        raise Invalid("error.district_of_another_city")
    known = session.scalars(select(CareItem.id).where(CareItem.id.in_(wish.item_ids)))
    if set(wish.item_ids) - set(known):
        raise NotFound("error.item_not_found")
    found = open_work.find(session, _scope(wish))
    if not found:
        raise Conflict("error.nothing_to_dispatch")
    if len(found) > MOST_WORKS:
        raise Invalid("error.too_much_to_dispatch", most=MOST_WORKS)


def _scope(wish: Wish) -> Scope:
    return Scope(
        wish.city_code,
        wish.first_on,
        wish.last_on,
        wish.district_codes,
        wish.item_ids,
        movable=wish.movable,
        hourly=wish.shape is RunShape.DAYS,
    )


def _hold_city(session: Session, city_code: str) -> None:
    """Let nobody else ask for a run of a city until the transaction ends."""
    session.scalars(select(City.id).where(City.code == city_code).with_for_update()).one()


def _views(session: Session, actor: Actor, runs: Select[*tuple[DispatchRun]]) -> list[RunView]:
    rows = session.scalars(runs).all()
    ids = [run.id for run in rows]
    named = select(Account.id, Account.name).where(
        Account.id.in_({run.asked_by_id for run in rows if run.asked_by_id})
    )
    names = dict(session.execute(named).all())
    accepted = dict(
        session.execute(
            select(DispatchLine.run_id, func.count())
            .where(DispatchLine.run_id.in_(ids), DispatchLine.accepted_at.is_not(None))
            .group_by(DispatchLine.run_id)
        ).all()
    )
    progress = dict(
        session.execute(
            select(Task.id, Task.progress).where(
                Task.id.in_([run.task_id for run in rows if run.status is RunStatus.ASKED])
            )
        ).all()
    )
    return [
        RunView(
            id=run.id,
            city_code=run.city_code,
            asked_by=names.get(run.asked_by_id or 0, ""),
            asked_at=run.created_at,
            replays_id=run.replays_id,
            shape=run.shape,
            first_on=run.first_on,
            last_on=run.last_on,
            district_codes=tuple(run.district_codes),
            item_ids=tuple(run.item_ids),
            movable=run.movable,
            budget_seconds=run.budget_seconds,
            weights=run.weights,
            status=run.status,
            percent=progress.get(run.task_id or 0),
            quality=run.quality,
            outcome=run.outcome,
            finished_at=run.finished_at,
            accepted=accepted.get(run.id, 0),
            moves=lifecycles.open_moves(Noun.DISPATCH_RUN, run.status, actor),
        )
        for run in rows
    ]


def _visible_to(actor: Actor) -> Select[*tuple[DispatchRun]]:
    """An operator's cities'."""
    return select(DispatchRun).where(DispatchRun.city_code.in_(actor.cities))
