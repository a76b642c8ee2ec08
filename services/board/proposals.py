"""Proposals: what a run proposes beside how things are, line by line, and the days it is about."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.demands import Demand, DemandStatus
from data.dispatch import DispatchLine, RunShape, RunStatus
from data.orders import AHEAD, Order, OrderStatus, Visit, VisitStatus
from services import clock, recurrence
from services.access import Actor, Permission
from services.availability import A_DAY
from services.board import runs, snapshots
from services.dispatch import batches, counterfactuals, day_plans, explaining
from services.dispatch.counterfactuals import Change
from services.dispatch.explaining import Candidate
from services.dispatch.plans import Plan
from services.dispatch.rules import Rule
from services.errors import Conflict, NotFound

__all__ = ["LineView"]


class LineState(StrEnum):
    """A change that waits, one that the gate refused, or one accepted, asked for or standing.

    NOBODY: nobody can come. LAPSED: no operator confirmed her yes in time. KEPT: whoever is to
    come comes. MOOT: others settled it meanwhile.
    """

    PROPOSED = "proposed"
    REFUSED = "refused"
    NOBODY = "nobody"
    ASKED = "asked"
    STANDS = "stands"
    SAID_NO = "said_no"
    LAPSED = "lapsed"
    KEPT = "kept"
    MOOT = "moot"


# What has become of an accepted line that does not stand.
_COME_TO: dict[OrderStatus | VisitStatus, LineState] = {
    OrderStatus.REQUESTED: LineState.ASKED,
    OrderStatus.ACCEPTED: LineState.ASKED,
    OrderStatus.REFUSED: LineState.SAID_NO,
    OrderStatus.EXPIRED: LineState.SAID_NO,
    OrderStatus.LAPSED: LineState.LAPSED,
    OrderStatus.BLOCKED: LineState.MOOT,
    OrderStatus.CANCELLED: LineState.MOOT,
    VisitStatus.OFFERED: LineState.ASKED,
    VisitStatus.DROPPED: LineState.SAID_NO,
    VisitStatus.CANCELLED: LineState.MOOT,
}
# What an operator can still accept.
OPEN = LineState.PROPOSED, LineState.REFUSED


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a proposal with what stands behind it; cells are neighbourhoods.

    `rule` says why nobody comes; `refusal` what the gate said.
    """

    number: int
    demand_id: int | None
    visit_id: int | None
    state: LineState
    item_id: int
    district_code: str
    cell: str
    family_name: str
    starts_at: datetime
    ends_at: datetime
    caregiver_id: int | None
    caregiver_name: str
    home_cell: str | None
    before_id: int | None
    before_name: str
    price_fen: int
    units: int
    cost: float
    rule: Rule | None
    refusal: str
    order_id: int | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A visit that somebody is to make already, as it stands in the timetable."""

    visit_id: int
    order_id: int
    caregiver_id: int
    caregiver_name: str
    item_id: int
    family_name: str
    cell: str
    starts_at: datetime
    ends_at: datetime
    status: VisitStatus


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one demand or visit what two runs propose: names, empty for nobody."""

    number: int
    starts_at: datetime
    item_id: int
    here: str
    there: str


_before, _chosen, _family = aliased(Account), aliased(Account), aliased(Account)
_accepted, _offer = aliased(Order), aliased(Visit)


def lines(session: Session, actor: Actor, run_id: int) -> list[LineView]:
    """The lines of a proposal, soonest first."""
    actor.require(Permission.DISPATCH)
    run = runs.reach(session, actor, run_id)
    return [_view(row) for row in session.execute(_rows(), {"run_id": run.id})]


def explanation(session: Session, actor: Actor, run_id: int, number: int) -> dict[str, Any]:
    """Why whoever is proposed for a line is: figures by their names, terms in minutes."""
    actor.require(Permission.DISPATCH)
    run = runs.reach(session, actor, run_id)
    told = session.scalar(
        select(DispatchLine.explanation).where(
            DispatchLine.run_id == run.id, DispatchLine.number == number
        )
    )
    if told is None:
        raise NotFound("error.line_not_found")
    return told


def names(session: Session, actor: Actor, caregiver_ids: Collection[int]) -> dict[int, str]:
    """The names of caregivers of the actor's cities."""
    actor.require(Permission.DISPATCH)
    rows = session.execute(
        select(Caregiver.id, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.id.in_(caregiver_ids), Caregiver.city_code.in_(actor.cities))
    )
    return dict(rows.all())


def timetable(session: Session, actor: Actor, city_code: str, first: date, last: date) -> list[Bar]:
    """The visits of a city's days that somebody is to make, by caregiver and soonest first."""
    actor.require(Permission.DISPATCH)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    rows = session.execute(
        select(
            Visit.id,
            Order.id,
            Visit.caregiver_id,
            _chosen.name,
            Order.item_id,
            _family.name,
            Visit.cell,
            Visit.starts_at,
            Visit.ends_at,
            Visit.status,
        )
        .join(Order, Order.id == Visit.order_id)
        .join(_chosen, _chosen.id == Visit.caregiver_id)
        .join(_family, _family.id == Order.customer_id)
        .where(
            Order.city_code == city_code,
            Visit.status.in_((*AHEAD, VisitStatus.OFFERED)),
            Visit.ends_at > recurrence.moment(first, 0),
            Visit.starts_at < recurrence.moment(last + A_DAY, 0),
        )
        .order_by(_chosen.name, Visit.caregiver_id, Visit.starts_at)
    )
    return [Bar(*row) for row in rows]


def compared(session: Session, actor: Actor, run_id: int, other_id: int) -> list[Difference]:
    """Where two runs propose somebody else for the same demand or visit, soonest first."""
    actor.require(Permission.DISPATCH)
    mine, others = (
        {(one.demand_id, one.visit_id): one for one in lines(session, actor, number)}
        for number in (run_id, other_id)
    )
    return [
        Difference(
            one.number,
            one.starts_at,
            one.item_id,
            one.caregiver_name,
            others[key].caregiver_name,
        )
        for key, one in mine.items()
        if key in others and one.caregiver_id != others[key].caregiver_id
    ]


def pin_cost(
    session: Session, actor: Actor, run_id: int, number: int, caregiver_id: int
) -> float | Rule:
    """What the whole plan costs more, in minutes, if she comes to this; or the rule against it."""
    actor.require(Permission.DISPATCH)
    return explaining.pin_cost(plan(session, actor, run_id), number, caregiver_id)


def recommended(session: Session, actor: Actor, run_id: int, number: int) -> list[Candidate]:
    """The best five for a line, with what each would cost."""
    actor.require(Permission.DISPATCH)
    return explaining.recommended(plan(session, actor, run_id), number)


def changes(session: Session, actor: Actor, run_id: int, number: int) -> list[Change]:
    """What would have to change so that somebody comes: each tried before it is said."""
    actor.require(Permission.DISPATCH)
    return counterfactuals.changes(plan(session, actor, run_id), number)


def plan(session: Session, actor: Actor, run_id: int) -> Plan:
    """The plan that a run found, as it was."""
    actor.require(Permission.DISPATCH)
    run = runs.reach(session, actor, run_id)
    if run.status is not RunStatus.PROPOSED:
        raise Conflict("error.dispatch_run_moved_on")
    problem = snapshots.unpacked(run.problem)
    if run.shape is RunShape.SINGLE:
        return batches.solve(problem)
    found = session.execute(
        select(DispatchLine.number, DispatchLine.caregiver_id, DispatchLine.starts_at)
        .where(DispatchLine.run_id == run.id, DispatchLine.caregiver_id.is_not(None))
        .order_by(DispatchLine.starts_at)
    )
    visits = [(number, who or 0, starts_at) for number, who, starts_at in found]
    return day_plans.restored(problem, visits)


@cache
def _rows() -> Select[*tuple[Any, ...]]:
    """Of a run, `run_id`."""
    return (
        select(
            DispatchLine.number,
            DispatchLine.demand_id,
            DispatchLine.visit_id,
            DispatchLine.caregiver_id,
            DispatchLine.before_id,
            DispatchLine.starts_at,
            DispatchLine.ends_at,
            DispatchLine.price_fen,
            DispatchLine.cost,
            DispatchLine.rule,
            DispatchLine.refusal,
            DispatchLine.accepted_at,
            DispatchLine.order_id,
            Demand.status.label("demand_status"),
            Visit.status.label("visit_status"),
            func.coalesce(Order.item_id, Demand.item_id).label("item_id"),
            func.coalesce(Order.district_code, Demand.district_code).label("district_code"),
            func.coalesce(Visit.cell, Demand.cell).label("cell"),
            func.coalesce(Order.units, Demand.units).label("units"),
            _family.name.label("family_name"),
            _chosen.name.label("chosen_name"),
            _before.name.label("before_name"),
            Caregiver.cell.label("home_cell"),
            _accepted.status.label("order_status"),
            _offer.status.label("offer_status"),
            _offer.order_id.label("offer_order_id"),
        )
        .outerjoin(Demand, Demand.id == DispatchLine.demand_id)
        .outerjoin(Visit, Visit.id == DispatchLine.visit_id)
        .outerjoin(Order, Order.id == Visit.order_id)
        .join(_family, _family.id == func.coalesce(Order.customer_id, Demand.customer_id))
        .outerjoin(Caregiver, Caregiver.id == DispatchLine.caregiver_id)
        .outerjoin(_chosen, _chosen.id == DispatchLine.caregiver_id)
        .outerjoin(_before, _before.id == DispatchLine.before_id)
        .outerjoin(_accepted, _accepted.id == DispatchLine.order_id)
        .outerjoin(_offer, _offer.id == DispatchLine.offer_id)
        .where(DispatchLine.run_id == bindparam("run_id"))
        .order_by(DispatchLine.starts_at, DispatchLine.number)
    )


def _view(row: Row[Any]) -> LineView:
    return LineView(
        number=row.number,
        demand_id=row.demand_id,
        visit_id=row.visit_id,
        state=_state(row),
        item_id=row.item_id,
        district_code=row.district_code,
        cell=row.cell,
        family_name=row.family_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        caregiver_id=row.caregiver_id,
        caregiver_name=row.chosen_name or "",
        home_cell=row.home_cell,
        before_id=row.before_id,
        before_name=row.before_name or "",
        price_fen=row.price_fen,
        units=row.units,
        cost=row.cost,
        rule=Rule(row.rule) if row.rule else None,
        refusal=row.refusal,
        order_id=row.order_id or row.offer_order_id,
    )


def _state(row: Row[Any]) -> LineState:
    if row.accepted_at is not None:
        return _became(row)
    if row.caregiver_id is not None and row.caregiver_id == row.before_id:
        return LineState.KEPT
    gone = (
        row.demand_status is not DemandStatus.OPEN
        if row.demand_id is not None
        else row.visit_status not in (VisitStatus.PLANNED, VisitStatus.UNFILLED)
    )
    if gone or row.starts_at <= clock.now():
        return LineState.MOOT
    if row.caregiver_id is None:
        return LineState.NOBODY
    return LineState.REFUSED if row.refusal else LineState.PROPOSED


def _became(row: Row[Any]) -> LineState:
    """What an accepted line has come to: its order, or the offer of a visit."""
    return _COME_TO.get(row.order_status or row.offer_status, LineState.STANDS)
