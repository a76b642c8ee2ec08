"""Automation: what goes by itself in a city, item by item, and the switch that stops it all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem
from data.cities import City
from data.demands import Demand
from data.dispatch import AutoMode, DispatchLine, DispatchMode, DispatchRun, DispatchStop
from data.orders import Order, Visit
from services import audit, clock, recurrence
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["AutoMode"]

MOST_A_DAY = 1000
USUAL_A_DAY = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Within what an item is dispatched by itself; the price is fen a unit, None for any."""

    mode: AutoMode = AutoMode.OFF
    most_a_day: int = USUAL_A_DAY
    most_fen: int | None = None
    only_offered: bool = True


@dataclass(frozen=True, slots=True)
class ModeView:
    """What goes by itself for an item, and how many were assigned so today."""

    item_id: int
    limits: Limits
    assigned_today: int


@dataclass(frozen=True, slots=True)
class StopView:
    """Who stopped everything, when and why."""

    by: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Automation:
    """How a city stands: stopped or not, item by item, and when it was last looked at."""

    stop: StopView | None
    modes: tuple[ModeView, ...]
    last_run_at: datetime | None

    @property
    def assigned_today(self) -> int:
        return sum(one.assigned_today for one in self.modes)


def state(session: Session, actor: Actor, city_code: str) -> Automation:
    """What goes by itself in a city of the actor's, for every item of the catalogue."""
    actor.require(Permission.DISPATCH)
    _check_city(actor, city_code)
    kept = {one.item_id: one for one in session.scalars(_of_city(city_code))}
    today = assigned_today(session, city_code)
    items = session.scalars(select(CareItem.id).order_by(CareItem.id))
    stopped = session.execute(
        select(Account.name, DispatchStop.created_at, DispatchStop.words)
        .join(Account, Account.id == DispatchStop.stopped_by_id)
        .where(DispatchStop.city_code == city_code, DispatchStop.lifted_at.is_(None))
    ).one_or_none()
    last = select(func.max(DispatchRun.created_at)).where(
        DispatchRun.city_code == city_code,
        DispatchRun.asked_by_id.is_(None),
    )
    return Automation(
        stop=StopView(*stopped) if stopped else None,
        modes=tuple(
            ModeView(one, _limits(kept.get(one)), today.get(one, 0)) for one in items.all()
        ),
        last_run_at=session.scalar(last),
    )


def set_mode(session: Session, actor: Actor, city_code: str, item_id: int, wanted: Limits) -> None:
    """Say what goes by itself for an item in a city, and within which limits."""
    actor.require(Permission.DISPATCH)
    _check_city(actor, city_code)
    item = session.get(CareItem, item_id)
    if item is None:
        raise NotFound("error.item_not_found")
    if not 1 <= wanted.most_a_day <= MOST_A_DAY:
        raise Invalid("error.number_out_of_range", field="most_a_day", fewest=1, most=MOST_A_DAY)
    most_fen = item.highest_fen if wanted.most_fen is None else wanted.most_fen
    if not item.lowest_fen <= most_fen <= item.highest_fen:
        raise Invalid(
            "error.price_out_of_range", lowest_fen=item.lowest_fen, highest_fen=item.highest_fen
        )
    hold(session, city_code)
    row = session.scalar(_of_city(city_code).where(DispatchMode.item_id == item_id))
    if row is None:
        row = DispatchMode(created_at=clock.now(), city_code=city_code, item_id=item_id)
        session.add(row)
    row.mode, row.most_a_day = wanted.mode, wanted.most_a_day
    row.most_fen, row.only_offered = wanted.most_fen, wanted.only_offered
    row.changed_by_id = actor.id or 0
    session.flush()
    audit.record(
        session, actor, "dispatch_mode", "dispatch_mode", row.id,
        mode=str(row.mode), most_a_day=row.most_a_day, most_fen=row.most_fen,
        only_offered=row.only_offered,
    )  # fmt: skip


def stop(session: Session, actor: Actor, city_code: str, said: str) -> None:
    """Let nothing go by itself in a city until somebody lifts it; what is under way ends first."""
    actor.require(Permission.DISPATCH)
    _check_city(actor, city_code)
    said = words(said, "reason", 300)
    hold(session, city_code)
    if is_stopped(session, city_code):
        raise Conflict("error.dispatch_stopped_already")
    row = DispatchStop(
        created_at=clock.now(), city_code=city_code, stopped_by_id=actor.id, words=said
    )
    session.add(row)
    session.flush()
    audit.record(session, actor, "dispatch_stop", "dispatch_stop", row.id)


def go_on(session: Session, actor: Actor, city_code: str) -> None:
    """Let things go by themselves again, as their modes say."""
    actor.require(Permission.DISPATCH)
    _check_city(actor, city_code)
    hold(session, city_code)
    row = session.scalar(
        select(DispatchStop).where(
            DispatchStop.city_code == city_code, DispatchStop.lifted_at.is_(None)
        )
    )
    if row is None:
        raise Conflict("error.dispatch_not_stopped")
    row.lifted_at, row.lifted_by_id = clock.now(), actor.id
    audit.record(session, actor, "dispatch_go_on", "dispatch_stop", row.id)


def is_stopped(session: Session, city_code: str) -> bool:
    """Whether somebody stopped what goes by itself in a city."""
    standing = select(DispatchStop.id).where(
        DispatchStop.city_code == city_code, DispatchStop.lifted_at.is_(None)
    )
    return session.scalar(standing) is not None


def hold(session: Session, city_code: str) -> None:
    """Wait for what is being assigned by itself at this moment, and let nothing else begin.

    Orders may refer to the city meanwhile.
    """
    city = select(City.id).where(City.code == city_code)
    session.execute(city.with_for_update(key_share=True)).one()
    hold_modes = _of_city(city_code).order_by(DispatchMode.id).with_for_update()
    session.scalars(hold_modes.execution_options(populate_existing=True)).all()


def assigned_today(session: Session, city_code: str) -> dict[int, int]:
    """By item how many lines were accepted by themselves in a city on this day of the city's."""
    item_id = func.coalesce(Order.item_id, Demand.item_id)
    rows = session.execute(
        select(item_id, func.count())
        .select_from(DispatchLine)
        .join(DispatchRun, DispatchRun.id == DispatchLine.run_id)
        .outerjoin(Demand, Demand.id == DispatchLine.demand_id)
        .outerjoin(Visit, Visit.id == DispatchLine.visit_id)
        .outerjoin(Order, Order.id == Visit.order_id)
        .where(
            DispatchRun.city_code == city_code,
            DispatchLine.accepted_by_id.is_(None),
            DispatchLine.accepted_at >= recurrence.moment(clock.today(), 0),
        )
        .group_by(item_id)
    )
    return dict(rows.all())


def _of_city(city_code: str) -> Select[*tuple[DispatchMode]]:
    return select(DispatchMode).where(DispatchMode.city_code == city_code)


def _limits(row: DispatchMode | None) -> Limits:
    if row is None:
        return Limits()
    return Limits(row.mode, row.most_a_day, row.most_fen, row.only_offered)


def _check_city(actor: Actor, city_code: str) -> None:
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
