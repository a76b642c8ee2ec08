"""Acceptance: what of a proposal becomes real; the gate has the last word on every line."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.demands import Demand
from data.dispatch import DispatchLine, RunStatus
from data.orders import Order, Visit
from services import assignments, audit, clock, substitutes
from services.access import Actor, Permission
from services.board import runs
from services.errors import Conflict, Invalid, NotFound, ServiceError

# So many lines are decided in one transaction at most.
MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many lines were accepted, and which were not, by number, with the refusal."""

    accepted: int
    refused: tuple[tuple[int, ServiceError], ...]


def accept(session: Session, actor: Actor, run_id: int, numbers: Collection[int]) -> Outcome:
    """Accept some lines of a proposal: each through the gate by itself, none because of another.

    A demand becomes an order, confirmed or asked for; for a visit the caregiver is asked. What the
    gate refuses stays as a line that says why.
    """
    actor.require(Permission.DISPATCH)
    run = runs.reach(session, actor, run_id)
    if run.status is not RunStatus.PROPOSED:
        raise Conflict("error.dispatch_run_moved_on")
    if not numbers:
        raise Invalid("error.nothing_chosen")
    if len(numbers) > MOST_LINES:
        raise Invalid("error.too_many_accepted", most=MOST_LINES)
    lines = session.scalars(
        select(DispatchLine)
        .where(DispatchLine.run_id == run.id, DispatchLine.number.in_(numbers))
        .order_by(DispatchLine.id)
        .with_for_update()
    ).all()
    if len(lines) < len(set(numbers)):
        raise NotFound("error.line_not_found")
    _hold(session, lines)
    refused = []
    for line in lines:
        try:
            _check(line)
            with session.begin_nested():
                order_id, offer_id = _become_real(session, actor, line)
        except ServiceError as refusal:
            if line.accepted_at is None:
                line.refusal = refusal.key
            refused.append((line.number, refusal))
            continue
        line.order_id, line.offer_id, line.refusal = order_id, offer_id, ""
        line.accepted_at, line.accepted_by_id = clock.now(), actor.id
        audit.record(
            session, actor, "dispatch_accept", "dispatch_line", line.id,
            caregiver=line.caregiver_id,
        )  # fmt: skip
    return Outcome(len(lines) - len(refused), tuple(refused))


def _check(line: DispatchLine) -> None:
    if line.accepted_at is not None:
        raise Conflict("error.line_accepted")
    if line.caregiver_id is None:
        raise Conflict("error.line_has_nobody")
    if line.caregiver_id == line.before_id:
        raise Conflict("error.line_changes_nothing")


def _become_real(
    session: Session, actor: Actor, line: DispatchLine
) -> tuple[int | None, int | None]:
    """The order, or the offer of a visit, that a line becomes."""
    caregiver_id = line.caregiver_id or 0
    if line.demand_id is not None:
        made = assignments.assign(session, actor, line.demand_id, caregiver_id)
        return made.order_id, None
    return None, substitutes.ask(session, actor, line.visit_id or 0, caregiver_id)


def _hold(session: Session, lines: Sequence[DispatchLine]) -> None:
    """Lock demands, orders and caregivers, each by number: who accepts the same takes turns."""
    demand_ids = [one.demand_id for one in lines if one.demand_id is not None]
    visit_ids = [one.visit_id for one in lines if one.visit_id is not None]
    orders = select(Visit.order_id).where(Visit.id.in_(visit_ids))
    people = Caregiver.id.in_({one.caregiver_id for one in lines if one.caregiver_id})
    _lock(session, Demand, Demand.id.in_(demand_ids))
    _lock(session, Order, Order.id.in_(orders))
    session.execute(
        select(Caregiver.id).where(people).order_by(Caregiver.id).with_for_update(key_share=True)
    ).all()


def _lock(
    session: Session, table: type[Demand] | type[Order], condition: ColumnElement[bool]
) -> None:
    session.execute(select(table.id).where(condition).order_by(table.id).with_for_update()).all()
