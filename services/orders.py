"""Orders: followed from approval to redemption; a caregiver is declined while that is free."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, Channel
from data.history import Noun
from data.notices import NoticeKind
from data.orders import (
    ASIDE,
    OPEN,
    WAITING,
    EndReason,
    Order,
    OrderKind,
    OrderStatus,
    Party,
    Visit,
    VisitStatus,
)
from data.recipients import Recipient
from data.reviews import Review
from services import (
    agreements,
    calls,
    clock,
    lifecycles,
    notices,
    pay,
    places,
    to_do,
    visits,
    waiting_lists,
)
from services.access import Actor, Permission, Role
from services.calls import Outcome
from services.errors import Conflict
from services.places import DistanceBand
from services.to_do import ToDoKind

__all__ = ["OrderKind", "OrderStatus", "OrderView", "VisitStatus"]

MOST_SHOWN = 50
# Made once: a new alias for every query costs as much as the query.
_customer, _caregiver = aliased(Account), aliased(Account)
_ON_THE_WAY = (
    ToDoKind.MISSING,
    ToDoKind.LATE,
    ToDoKind.OVERLONG,
    ToDoKind.LEAVES,
    ToDoKind.UNQUALIFIED,
    ToDoKind.LOCKED,
    ToDoKind.EARLY,
    ToDoKind.UNREDEEMED,
)
ALERTS = (*to_do.CONTESTED, *_ON_THE_WAY)
# The statuses a single order can have while its visit has this one: an index finds a page by it.
_ORDER_STATUSES = {
    VisitStatus.HELD: {*WAITING},
    VisitStatus.PLANNED: {OrderStatus.CONFIRMED},
    VisitStatus.IN_PROGRESS: {OrderStatus.CONFIRMED},
    VisitStatus.FINISHED: {OrderStatus.CONFIRMED},
    VisitStatus.REDEEMED: {OrderStatus.COMPLETED},
    VisitStatus.MISSED: {OrderStatus.MISSED},
    VisitStatus.CANCELLED: {
        OrderStatus.CANCELLED,
        OrderStatus.REFUSED,
        OrderStatus.EXPIRED,
        OrderStatus.LAPSED,
        OrderStatus.BLOCKED,
    },
}

# Orders with each visit of theirs and the names, and with the one that stands for the order.
_EACH_VISIT = (
    select(Order, Visit, _customer.name, _caregiver.name, Recipient.name, Review.id)
    .select_from(Order)
    .join(Visit, Visit.order_id == Order.id)
    .join(_customer, _customer.id == Order.customer_id)
    .join(_caregiver, _caregiver.id == Visit.caregiver_id)
    .join(Recipient, Recipient.id == Order.recipient_id)
    .outerjoin(Review, Review.visit_id == Visit.id)
)
_SOONEST_FIRST = _EACH_VISIT.where(Visit.id.in_(bindparam("ids", expanding=True))).order_by(
    Visit.starts_at, Visit.id
)
_FOREMOST = _EACH_VISIT.where(Visit.id == visits.FOREMOST)


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with one visit of it, as everybody who may follow it sees it; no contact or address.

    Of a plan it is the next visit, or the last.
    """

    id: int
    kind: OrderKind
    demand_id: int
    visit_id: int
    item_id: int
    district_code: str
    customer_name: str
    recipient_name: str
    caregiver_id: int
    caregiver_name: str
    channel: Channel
    starts_at: datetime
    ends_at: datetime
    units: int
    unit_price_fen: int
    total_fen: int
    commission_fen: int
    price_parts: dict[str, int]
    fee_fen: int
    penalty_fen: int
    ended_by: Party | None
    end_reason: EndReason | None
    end_words: str
    status: OrderStatus
    visit_status: VisitStatus
    answer_until: datetime | None
    decline_until: datetime
    decision_words: str
    checked_in_at: datetime | None
    checked_in_near: DistanceBand | None
    checked_out_at: datetime | None
    redeemed_at: datetime | None
    done_tasks: tuple[str, ...]
    report_words: str
    locked_until: datetime | None
    reviewed: bool
    open_moves: tuple[str, ...]
    visit_moves: tuple[str, ...]

    @property
    def pay_fen(self) -> int:
        """What the caregiver earns."""
        return self.total_fen - self.commission_fen


def listing(
    session: Session,
    actor: Actor,
    *,
    kind: OrderKind | None = None,
    visit_statuses: tuple[VisitStatus, ...] = (),
    alert: ToDoKind | None = None,
    customer_id: int | None = None,
    soonest_first: bool = False,
    limit: int = MOST_SHOWN,
    offset: int = 0,
) -> list[OrderView]:
    """The orders this actor may follow: latest visit first, for staff newest first.

    By the status of their visit only single ones are looked for; an alert is of any visit.
    """
    actor.require(Permission.FOLLOW_ORDERS)
    if alert:
        return _with_alert(session, actor, alert, limit, offset)
    # First the ids of one page, from indexes alone; only then everything about those few.
    page, each = _listed(actor, kind, visit_statuses, soonest_first)
    if customer_id is not None:
        page = page.where(Order.customer_id == customer_id)
    ids = session.scalars(page, {"limit": limit, "offset": offset}).all()
    return [_view(actor, *row) for row in session.execute(each, {"ids": ids})]


# What every page of orders asks is kept as it was written: that takes longer than the answer.
@lru_cache(maxsize=1000)
def _listed(
    actor: Actor,
    kind: OrderKind | None,
    visit_statuses: tuple[VisitStatus, ...],
    soonest_first: bool,
) -> tuple[Select[int], Select[*tuple[Any, ...]]]:
    """The ids of a page of orders, and everything about some of them, in the same order."""
    page = agreements.visible_to(actor).with_only_columns(Order.id)
    if kind or visit_statuses:
        page = page.where(Order.kind == (kind or OrderKind.SINGLE))
    order_by: tuple[Any, ...] = (Order.created_at.desc(), Order.id.desc())
    if visit_statuses or soonest_first or actor.role not in (Role.OPERATOR, Role.DESK):
        page = page.join(Visit, Visit.id == visits.FOREMOST)
        order_by = (Visit.starts_at.desc(), Order.id.desc())
    if soonest_first:
        order_by = (Visit.starts_at, Order.id)
    if visit_statuses:
        by_order = set[OrderStatus]().union(*(_ORDER_STATUSES[one] for one in visit_statuses))
        page = page.where(Order.status.in_(by_order))
        # Often that says it all; asked for the status of visits too, SQLite reads everybody's.
        if {one for one, its in _ORDER_STATUSES.items() if its & by_order} - set(visit_statuses):
            page = page.where(Visit.status.in_(visit_statuses))
    return (
        page.order_by(*order_by).limit(bindparam("limit")).offset(bindparam("offset")),
        _FOREMOST.where(Order.id.in_(bindparam("ids", expanding=True))).order_by(*order_by),
    )


def visits_of(
    session: Session,
    actor: Actor,
    statuses: tuple[VisitStatus, ...],
    *,
    between: tuple[datetime, datetime] | None = None,
    order_id: int | None = None,
    limit: int = MOST_SHOWN,
) -> list[OrderView]:
    """Visits this actor may follow, each with its order, soonest first; a caregiver's own only."""
    actor.require(Permission.FOLLOW_ORDERS)
    page = _visits(actor)
    if between:
        page = page.where(Visit.starts_at >= between[0], Visit.starts_at < between[1])
    if order_id is not None:
        page = page.where(Order.id == order_id)
    ids = session.scalars(page, {"statuses": statuses, "limit": limit}).all()
    return [_view(actor, *row) for row in session.execute(_SOONEST_FIRST, {"ids": ids})]


@lru_cache(maxsize=1000)
def _visits(actor: Actor) -> Select[int]:
    """The ids of visits in some statuses that this actor may follow, soonest first."""
    page = (
        agreements.visible_to(actor)
        .join(Visit, Visit.order_id == Order.id)
        .with_only_columns(Visit.id)
        .where(Visit.status.in_(bindparam("statuses", expanding=True)))
        .order_by(Visit.starts_at, Visit.id)
        .limit(bindparam("limit"))
    )
    return page.where(Visit.caregiver_id == actor.id) if actor.role is Role.CAREGIVER else page


def _with_alert(
    session: Session, actor: Actor, alert: ToDoKind, limit: int, offset: int
) -> list[OrderView]:
    """The visits something is wrong with, newest order first."""
    page = (
        agreements.visible_to(actor)
        .join(Visit, Visit.order_id == Order.id)
        .with_only_columns(Visit.id)
    )
    newest = (Order.created_at.desc(), Visit.id.desc())
    waiting = page.where(to_do.visit_waits(alert)).order_by(*newest).limit(limit).offset(offset)
    rows = _EACH_VISIT.where(Visit.id.in_(session.scalars(waiting).all())).order_by(*newest)
    return [_view(actor, *row) for row in session.execute(rows)]


def one(session: Session, actor: Actor, order_id: int) -> OrderView:
    """One order this actor may follow."""
    actor.require(Permission.FOLLOW_ORDERS)
    agreements.reach(session, actor, order_id)
    row = session.execute(_FOREMOST.where(Order.id == order_id)).one()
    return _view(actor, *row)


def counts(session: Session, actor: Actor) -> dict[VisitStatus, int]:
    """How many single orders have a visit in each status, of those this actor may follow."""
    actor.require(Permission.FOLLOW_ORDERS)
    single = agreements.visible_to(actor).where(Order.kind == OrderKind.SINGLE)
    # But for a confirmed one, an order's status tells its visit's: no need to look.
    by_order = session.execute(
        single.with_only_columns(Order.status, func.count(Order.id)).group_by(Order.status)
    )
    by_status = dict(by_order.all())
    counted = {
        visit_status: sum(by_status.get(one, 0) for one in order_statuses)
        for visit_status, order_statuses in _ORDER_STATUSES.items()
        if OrderStatus.CONFIRMED not in order_statuses and order_statuses & set(by_status)
    }
    by_visit = session.execute(
        single.where(Order.status == OrderStatus.CONFIRMED)
        .join(Visit, Visit.order_id == Order.id)
        .where(Visit.status.not_in(ASIDE))
        .with_only_columns(Visit.status, func.count(Visit.id))
        .group_by(Visit.status)
    )
    return counted | dict(by_visit.all())


def alerts(session: Session, actor: Actor) -> dict[ToDoKind, int]:
    """How many visits of the actor's cities need somebody, by what is wrong."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    mine = agreements.visible_to(actor).join(Visit, Visit.order_id == Order.id)
    counted = session.execute(
        mine.with_only_columns(
            *(func.count(Visit.id).filter(to_do.visit_waits(kind)) for kind in _ON_THE_WAY)
        ).where(Visit.status.in_(OPEN), Order.status == OrderStatus.CONFIRMED)
    ).one()
    number = mine.with_only_columns(func.count(Visit.id))
    contested = {
        kind: session.scalar(number.where(to_do.visit_waits(kind))) or 0 for kind in to_do.CONTESTED
    }
    return contested | dict(zip(_ON_THE_WAY, counted, strict=True))


def decline(session: Session, actor: Actor, order_id: int) -> None:
    """Ask for somebody else within the free time: the order ends, its demand opens again."""
    actor.require(Permission.CANCEL_ORDER)
    order = agreements.reach(session, actor, order_id, lock=True)
    if clock.now() > order.decline_until:
        raise Conflict("error.decline_too_late")
    _end(session, actor, order)
    calls.mark(
        session, actor, Outcome.CANCELLED, order.customer_id, order.city_code, order_id=order.id
    )
    waiting_lists.reopen(session, actor, order.demand_id, "turn_down")


def _end(session: Session, actor: Actor, order: Order) -> None:
    its = agreements.locked_visits(session, order)
    if not its:  # A plan that was ended before its first visit.
        raise Conflict("error.order_moved_on")
    for visit in its:
        lifecycles.take(session, actor, Noun.VISIT, visit, "cancel")
        pay.book_cancelled(session, order, visit)
    agreements.drop_offers(session, actor, *its)
    agreements.forgo(session, actor, *agreements.unfilled(session, order))
    lifecycles.take(session, actor, Noun.ORDER, order, "decline")
    named = agreements.facts(order, its[0].id)
    for account_id in {order.customer_id, order.caregiver_id} - {actor.id}:
        notices.tell(session, NoticeKind.ORDER_CANCELLED, account_id, f"order-{order.id}", **named)
    if actor.role is not Role.OPERATOR:
        notices.tell_operators(
            session, NoticeKind.ORDER_CANCELLED, order.city_code, f"order-{order.id}", **named
        )


def _view(
    actor: Actor,
    order: Order,
    visit: Visit,
    customer_name: str,
    caregiver_name: str,
    recipient_name: str,
    review_id: int | None,
) -> OrderView:
    moves = set(lifecycles.open_moves(Noun.ORDER, order.status, actor))
    if visit.status is not VisitStatus.PLANNED:
        moves -= {"cancel", "decline"}
    if order.kind is OrderKind.MONTHLY:
        moves.discard("cancel")
    if order.kind is OrderKind.SINGLE:
        moves -= {"pause", "resume"}
    if clock.now() > order.decline_until:
        moves.discard("decline")
    if order.answer_until is not None and clock.now() >= order.answer_until:
        moves -= {"accept", "refuse", "confirm", "block", "call_off"}
    moves -= {"complete", "agree", "miss"}  # Taken by other deeds: redeeming, accepting.
    return OrderView(
        id=order.id,
        kind=order.kind,
        demand_id=order.demand_id,
        visit_id=visit.id,
        item_id=order.item_id,
        district_code=order.district_code,
        customer_name=customer_name,
        recipient_name=recipient_name,
        caregiver_id=visit.caregiver_id,
        caregiver_name=caregiver_name,
        channel=order.channel,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        units=order.units,
        unit_price_fen=order.unit_price_fen,
        total_fen=visit.total_fen,
        commission_fen=visit.commission_fen,
        price_parts=visit.price_parts,
        fee_fen=visit.fee_fen,
        penalty_fen=visit.penalty_fen,
        ended_by=visit.ended_by,
        end_reason=visit.end_reason,
        end_words=visit.end_words,
        status=order.status,
        visit_status=visit.status,
        answer_until=order.answer_until,
        decline_until=order.decline_until,
        decision_words=order.decision_words,
        checked_in_at=visit.checked_in_at,
        checked_in_near=places.near(visit.checked_in_cell, visit.cell),
        checked_out_at=visit.checked_out_at,
        redeemed_at=visit.redeemed_at,
        done_tasks=tuple(visit.done_tasks),
        report_words=visit.report_words,
        locked_until=visit.locked_until,
        reviewed=review_id is not None,
        open_moves=tuple(sorted(moves)),
        visit_moves=_visit_moves(actor, visit),
    )


def _visit_moves(actor: Actor, visit: Visit) -> tuple[str, ...]:
    """What the caregiver may do now; checking in waits for its time."""
    moves = lifecycles.open_moves(Noun.VISIT, visit.status, actor)
    early = clock.now() < visits.check_in_opens(visit.starts_at)
    return tuple(move for move in moves if move in ("check_in", "check_out") and not early)
