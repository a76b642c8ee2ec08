"""Unattended: what the worker does where modes let dispatch go by itself, within their limits.

Each line is accepted in a transaction of its own, which asks the stop switch once more.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from data.demands import Application, ApplicationStatus, Demand
from data.dispatch import (
    AutoMode,
    DispatchLine,
    DispatchMode,
    DispatchOverride,
    DispatchRun,
    DispatchStop,
    OverrideKind,
    RunShape,
    RunStatus,
)
from data.notices import NoticeKind
from data.orders import Order, Visit
from data.pushes import DemandPush, PushStatus
from services import audit, clock, notices
from services.access import Actor, Role
from services.board import acceptance, automation, open_work, proposals, runs
from services.board.open_work import A_DAY, Scope, Work
from services.board.proposals import LineState
from services.board.runs import Wish
from services.deliveries import Transact

EVERY = timedelta(minutes=15)


def go(transact: Transact) -> int:
    """Begin the runs that are due, and do what their proposals allow; return how much was done."""
    done = sum(transact(partial(_begin, city_code=code)) for code in transact(_cities))
    for run_id, numbers in transact(_ready):
        done += sum(transact(partial(_accept, run_id=run_id, number=one)) for one in numbers)
        done += transact(partial(_conclude, run_id=run_id))
    return done


def _cities(session: Session) -> Sequence[str]:
    """Where anything may go by itself."""
    active = select(DispatchMode.city_code).where(DispatchMode.mode != AutoMode.OFF)
    return session.scalars(active.distinct().order_by(DispatchMode.city_code)).all()


def _begin(session: Session, city_code: str) -> int:
    """Begin a run of a city unless it is stopped, too soon, or nothing has changed since."""
    automation.hold(session, city_code)
    if automation.is_stopped(session, city_code) or _is_busy(session, city_code):
        return 0
    modes = session.scalars(_active(city_code).order_by(DispatchMode.item_id)).all()
    today = clock.today()
    scope = Scope(
        city_code,
        today,
        today + (runs.MOST_DAYS - 1) * A_DAY,
        item_ids=tuple(one.item_id for one in modes),
    )
    works = open_work.find(session, scope)
    mark = _mark(session, city_code, works, modes)
    if not works or len(works) > runs.MOST_WORKS or mark == _last_mark(session, city_code):
        return 0
    live_in = any(one.live_in for one in works)
    wish = Wish(
        city_code,
        scope.first_on,
        scope.last_on,
        # Days of several visits have no room for live-in care.
        RunShape.SINGLE if live_in else RunShape.DAYS,
        item_ids=scope.item_ids,
    )
    run_id = runs.begin(session, _nobody(city_code), wish)
    session.get_one(DispatchRun, run_id).mark = mark
    return 1


def _is_busy(session: Session, city_code: str) -> bool:
    """Whether a run is worked out, or one began by itself a moment ago."""
    lately = _by_itself().where(DispatchRun.created_at > clock.now() - EVERY)
    asked = select(DispatchRun.id).where(DispatchRun.status == RunStatus.ASKED)
    return any(
        session.scalar(one.where(DispatchRun.city_code == city_code).limit(1)) is not None
        for one in (lately, asked)
    )


def _mark(
    session: Session, city_code: str, works: Sequence[Work], modes: Sequence[DispatchMode]
) -> str:
    """What a run would be about: another mark means that something has changed."""
    demand_ids = [one.demand_id for one in works if one.demand_id is not None]
    visit_ids = [one.visit_id for one in works if one.visit_id is not None]
    counted = (
        select(func.count(DispatchStop.id)).where(DispatchStop.city_code == city_code),
        # Somebody was asked already, and said no.
        select(func.count(Order.id)).where(Order.demand_id.in_(demand_ids)),
        select(func.count(Visit.id)).where(Visit.replaces_id.in_(visit_ids)),
    )
    said = repr((
        [session.scalar(one) for one in counted],
        [(one.item_id, one.version) for one in modes],
        [(one.key, one.starts_at, one.ends_at, one.highest_fen) for one in works],
    ))  # fmt: skip
    return hashlib.sha256(said.encode()).hexdigest()


def _last_mark(session: Session, city_code: str) -> str | None:
    last = _by_itself().where(DispatchRun.city_code == city_code).order_by(DispatchRun.id.desc())
    return session.scalar(last.with_only_columns(DispatchRun.mark).limit(1))


def _ready(session: Session) -> list[tuple[int, list[int]]]:
    """The proposals nobody has looked at yet, and the lines of each that name somebody."""
    ready = _by_itself().where(
        DispatchRun.status == RunStatus.PROPOSED, DispatchRun.acted_at.is_(None)
    )
    return [
        (
            run_id,
            list(
                session.scalars(
                    select(DispatchLine.number)
                    .where(
                        DispatchLine.run_id == run_id,
                        DispatchLine.caregiver_id.is_not(None),
                        DispatchLine.accepted_at.is_(None),
                        DispatchLine.refusal == "",
                    )
                    .order_by(DispatchLine.starts_at, DispatchLine.number)
                )
            ),
        )
        for run_id in session.scalars(ready.order_by(DispatchRun.id)).all()
    ]


def _accept(session: Session, run_id: int, number: int) -> int:
    """Accept one line if its item's mode lets it, through the gate; return 1 if it was.

    Whoever stops the city or changes a mode waits until this is saved.
    """
    run = session.get_one(DispatchRun, run_id)
    held = _active(run.city_code).order_by(DispatchMode.id).with_for_update()
    modes = {one.item_id: one for one in session.scalars(held).all()}
    if automation.is_stopped(session, run.city_code):
        return 0
    line, item_id = session.execute(
        select(DispatchLine, func.coalesce(Order.item_id, Demand.item_id))
        .outerjoin(Demand, Demand.id == DispatchLine.demand_id)
        .outerjoin(Visit, Visit.id == DispatchLine.visit_id)
        .outerjoin(Order, Order.id == Visit.order_id)
        .where(DispatchLine.run_id == run_id, DispatchLine.number == number)
    ).one()
    mode = modes.get(item_id)
    if mode is None or not _allows(session, mode, line):
        return 0
    actor = _nobody(run.city_code)
    if not acceptance.accept(session, actor, run_id, [number]).accepted:
        return 0
    audit.record(
        session, actor, "dispatch_by_itself", "dispatch_line", line.id,
        mode=mode.id, version=mode.version, price_fen=line.price_fen,
    )  # fmt: skip
    return 1


def _allows(session: Session, mode: DispatchMode, line: DispatchLine) -> bool:
    """Whether a line is within an item's limits, and nobody has laid down or begun otherwise."""
    if mode.mode is not AutoMode.ASSIGN:
        return False
    if mode.most_fen is not None and line.price_fen > mode.most_fen:
        return False
    if automation.assigned_today(session, mode.city_code).get(mode.item_id, 0) >= mode.most_a_day:
        return False
    if mode.only_offered and not session.scalar(select(_offered(line))):
        return False
    return not session.scalar(select(or_(_laid_down(line), _pushed(line))))


def _offered(line: DispatchLine) -> ColumnElement[bool]:
    """She applied for it."""
    return exists().where(
        Application.demand_id == line.demand_id,
        Application.caregiver_id == line.caregiver_id,
        Application.status == ApplicationStatus.SUBMITTED,
    )


def _laid_down(line: DispatchLine) -> ColumnElement[bool]:
    """An operator wants somebody else for it, or not her."""
    subject = (
        DispatchOverride.demand_id == line.demand_id
        if line.demand_id is not None
        else DispatchOverride.visit_id == line.visit_id
    )
    hers = DispatchOverride.caregiver_id == line.caregiver_id
    pinned = DispatchOverride.kind == OverrideKind.PIN
    return exists().where(
        subject, DispatchOverride.lifted_at.is_(None), or_(pinned & ~hers, ~pinned & hers)
    )


def _pushed(line: DispatchLine) -> ColumnElement[bool]:
    """Others were told that the first of them to take it has it."""
    return exists().where(
        DemandPush.demand_id == line.demand_id, DemandPush.status == PushStatus.UNDER_WAY
    )


def _conclude(session: Session, run_id: int) -> int:
    """Tell the operators what was assigned and what waits for them; a run is acted on once."""
    run = session.get_one(DispatchRun, run_id, with_for_update=True)
    if run.acted_at is not None:
        return 0
    run.acted_at = clock.now()
    lines = proposals.lines(session, _nobody(run.city_code), run.id)
    waiting = sum(one.state in proposals.OPEN for one in lines)
    assigned = sum(one.state in (LineState.ASKED, LineState.STANDS) for one in lines)
    if not assigned and (not waiting or automation.is_stopped(session, run.city_code)):
        return 0
    kind = NoticeKind.DISPATCH_ASSIGNED if assigned else NoticeKind.DISPATCH_SUGGESTED
    notices.tell_operators(
        session, kind, run.city_code, f"run-{run.id}", count=assigned, number=waiting
    )
    return 1


def _active(city_code: str) -> Select[*tuple[DispatchMode]]:
    return select(DispatchMode).where(
        DispatchMode.city_code == city_code, DispatchMode.mode != AutoMode.OFF
    )


def _by_itself() -> Select[int]:
    """The runs that nobody asked for."""
    return select(DispatchRun.id).where(
        DispatchRun.asked_by_id.is_(None), DispatchRun.replays_id.is_(None)
    )


def _nobody(city_code: str) -> Actor:
    """No person, in an operator's place in one city."""
    return Actor(None, Role.OPERATOR, frozenset({city_code}))
