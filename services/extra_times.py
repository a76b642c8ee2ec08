"""Extra time: what a caregiver worked beyond the planned end, charged once the family agrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from data.complaints import ExtraTime, ExtraTimeStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from services import agreements, audit, clock, ledger, lifecycles, notices, pay, pricing, visits
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.pricing import Price

__all__ = ["ExtraTimeStatus", "ExtraTimeView"]

STEP_MINUTES = 15
# Who seems to have stayed longer has rather forgotten to check out.
MOST_MINUTES = 240


@dataclass(frozen=True, slots=True)
class ExtraTimeView:
    """Minutes asked for and their price in fen; `open` while the family can still answer."""

    order_id: int
    visit_id: int
    minutes: int
    total_fen: int
    commission_fen: int
    status: ExtraTimeStatus
    open: bool
    moves: tuple[str, ...]

    @property
    def pay_fen(self) -> int:
        """What the caregiver earns by it."""
        return self.total_fen - self.commission_fen


def minutes_over(ends_at: datetime, checked_out_at: datetime | None) -> int:
    """Whole quarters of an hour beyond the planned end, four hours at most."""
    if checked_out_at is None:
        return 0
    steps = (checked_out_at - ends_at) // timedelta(minutes=STEP_MINUTES)
    return min(max(steps, 0) * STEP_MINUTES, MOST_MINUTES)


def ask(session: Session, actor: Actor, visit_id: int) -> None:
    """Ask the family to pay the time beyond the planned end, once, before the visit is redeemed.

    The price is the base price of the visit pro rata: surcharges were agreed for planned hours.
    """
    actor.require(Permission.WORK_VISIT)
    visit = visits.reach(session, actor, visit_id, lock=True)
    if visit.status is not VisitStatus.FINISHED:
        raise Conflict("error.extra_time_not_now")
    minutes = minutes_over(visit.ends_at, visit.checked_out_at)
    if not minutes:
        raise Conflict("error.extra_time_too_short", minutes=STEP_MINUTES)
    if session.scalar(select(ExtraTime.id).where(ExtraTime.visit_id == visit.id)) is not None:
        raise Conflict("error.extra_time_asked_already")
    order = session.get_one(Order, visit.order_id)
    price = _price(visit, order, minutes)
    extra = ExtraTime(
        created_at=clock.now(),
        visit_id=visit.id,
        minutes=minutes,
        total_fen=price.total_fen,
        commission_fen=price.commission_fen,
    )
    session.add(extra)
    session.flush()
    lifecycles.begin(session, actor, Noun.EXTRA_TIME, extra, "ask")
    notices.tell(
        session,
        NoticeKind.EXTRA_TIME_ASKED,
        order.customer_id,
        f"visit-{visit.id}",
        **agreements.facts(order, visit.id),
        pay_fen=extra.total_fen,
    )


def quote(session: Session, actor: Actor, visit_id: int) -> Price | None:
    """What the time beyond the planned end would cost; None where there is nothing to ask for."""
    actor.require(Permission.WORK_VISIT)
    visit = visits.reach(session, actor, visit_id)
    minutes = minutes_over(visit.ends_at, visit.checked_out_at)
    if visit.status is not VisitStatus.FINISHED or not minutes:
        return None
    return _price(visit, session.get_one(Order, visit.order_id), minutes)


def agree(session: Session, actor: Actor, visit_id: int) -> None:
    """The family owes the extra time, and the caregiver has earned it; booked once."""
    actor.require(Permission.ANSWER_EXTRA_TIME)
    extra, visit, order = _answered(session, actor, visit_id, "agree")
    session.flush()
    ledger.book_extra_time(session, order, visit, extra)
    audit.record(session, actor, "agree_extra_time", "visit", visit.id, minutes=extra.minutes)
    _tell_caregiver(session, NoticeKind.EXTRA_TIME_AGREED, extra, visit, order)


def refuse(session: Session, actor: Actor, visit_id: int) -> None:
    """The family does not pay the extra time; nothing is booked."""
    actor.require(Permission.ANSWER_EXTRA_TIME)
    extra, visit, order = _answered(session, actor, visit_id, "refuse")
    _tell_caregiver(session, NoticeKind.EXTRA_TIME_REFUSED, extra, visit, order)


def of_orders(session: Session, actor: Actor, order_ids: Sequence[int]) -> list[ExtraTimeView]:
    """The extra times of these orders that this actor may know of."""
    actor.require(Permission.FOLLOW_ORDERS)
    rows = session.execute(_of_orders(actor), {"orders": order_ids})
    return [
        ExtraTimeView(
            order_id=visit.order_id,
            visit_id=visit.id,
            minutes=extra.minutes,
            total_fen=extra.total_fen,
            commission_fen=extra.commission_fen,
            status=extra.status,
            open=extra.status is ExtraTimeStatus.ASKED and not settled,
            moves=() if settled else lifecycles.open_moves(Noun.EXTRA_TIME, extra.status, actor),
        )
        for extra, visit, settled in rows
    ]


# Asked with every list of orders: writing it takes longer than the answer.
@lru_cache(maxsize=1000)
def _of_orders(actor: Actor) -> Select[ExtraTime, Visit, bool]:
    return (
        select(ExtraTime, Visit, pay.released())
        .join(Visit, Visit.id == ExtraTime.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Visit.order_id.in_(bindparam("orders", expanding=True)), visits.are_visible_to(actor)
        )
        .order_by(ExtraTime.id.desc())
    )


def _price(visit: Visit, order: Order, minutes: int) -> Price:
    planned = (visit.ends_at - visit.starts_at) // timedelta(minutes=1)
    base_fen = visit.price_parts.get("base", visit.total_fen)
    return pricing.of_parts({"base": base_fen * minutes // planned}, order.commission_bp)


def _answered(
    session: Session, actor: Actor, visit_id: int, move: str
) -> tuple[ExtraTime, Visit, Order]:
    """Take the family's answer, as long as the visit's pay is not paid out."""
    visit = visits.reach(session, actor, visit_id, lock=True)
    asked = select(ExtraTime).where(ExtraTime.visit_id == visit.id)
    extra = session.scalar(asked.with_for_update())
    if extra is None:
        raise NotFound("error.extra_time_not_found")
    if session.scalar(select(Visit.id).where(Visit.id == visit.id, pay.released())) is not None:
        raise Conflict("error.extra_time_settled")
    lifecycles.take(session, actor, Noun.EXTRA_TIME, extra, move)
    extra.answered_at = clock.now()
    return extra, visit, session.get_one(Order, visit.order_id)


def _tell_caregiver(
    session: Session, kind: NoticeKind, extra: ExtraTime, visit: Visit, order: Order
) -> None:
    notices.tell(
        session,
        kind,
        visit.caregiver_id,
        f"visit-{visit.id}",
        **agreements.facts(order, visit.id),
        pay_fen=extra.total_fen - extra.commission_fen,
    )
