"""Orders: followed from approval to redemption, and cancelled before the visit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, Channel
from data.demands import Application, ApplicationStatus, Demand
from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.recipients import Recipient
from data.reviews import Review
from services import clock, ledger, lifecycles, notices, to_do, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotFound
from services.to_do import ToDoKind

__all__ = ["OrderStatus", "OrderView", "Step", "VisitStatus"]

MOST_SHOWN = 50
# Made once: a new alias for every query costs as much as the query.
_customer, _caregiver = aliased(Account), aliased(Account)
ALERTS = (ToDoKind.LATE, ToDoKind.LOCKED, ToDoKind.UNREDEEMED)
_ENDED = {
    OrderStatus.COMPLETED: VisitStatus.REDEEMED,
    OrderStatus.CANCELLED: VisitStatus.CANCELLED,
}
# The status an order has while its visit has this one; it lets the city's index find a page.
_ORDER_STATUS = {
    VisitStatus.PLANNED: OrderStatus.CONFIRMED,
    VisitStatus.IN_PROGRESS: OrderStatus.CONFIRMED,
    VisitStatus.FINISHED: OrderStatus.CONFIRMED,
    VisitStatus.REDEEMED: OrderStatus.COMPLETED,
    VisitStatus.CANCELLED: OrderStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order with its visit, as everybody who may follow it sees it; no contact, no address."""

    id: int
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
    status: OrderStatus
    visit_status: VisitStatus
    decline_until: datetime
    checked_in_at: datetime | None
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


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an order's history."""

    at: datetime
    noun: Noun
    move: str
    role: Role | None
    channel: Channel


def listing(
    session: Session,
    actor: Actor,
    *,
    visit_statuses: tuple[VisitStatus, ...] = (),
    alert: ToDoKind | None = None,
    soonest_first: bool = False,
    limit: int = MOST_SHOWN,
    offset: int = 0,
) -> list[OrderView]:
    """The orders this actor may follow: latest visit first, for staff newest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    staff = actor.role in (Role.OPERATOR, Role.DESK)
    newest = (Order.created_at.desc(), Order.id.desc())
    order_by = newest if staff else (Visit.starts_at.desc(), Order.id.desc())
    if soonest_first:
        order_by = (Visit.starts_at, Order.id)
    # First the ids of one page, from indexes alone; only then everything about those few.
    page = _visible_to(actor).with_only_columns(Order.id)
    if visit_statuses or alert or soonest_first or not staff:
        page = page.join(Visit, Visit.order_id == Order.id)
    if visit_statuses:
        by_order = {_ORDER_STATUS[status] for status in visit_statuses}
        page = page.where(Order.status.in_(by_order))
        # Often that says it all; asked for the status of visits too, SQLite reads everybody's.
        if {one for one, its in _ORDER_STATUS.items() if its in by_order} - set(visit_statuses):
            page = page.where(Visit.status.in_(visit_statuses))
    if alert:
        page = page.where(to_do.visit_waits(alert))
    ids = session.scalars(page.order_by(*order_by).limit(limit).offset(offset)).all()
    rows = _with_parts(select(Order).where(Order.id.in_(ids))).order_by(*order_by)
    return [_view(actor, *row) for row in session.execute(rows)]


def one(session: Session, actor: Actor, order_id: int) -> OrderView:
    """One order this actor may follow."""
    actor.require(Permission.FOLLOW_ORDERS)
    row = session.execute(_with_parts(_visible_to(actor).where(Order.id == order_id))).one_or_none()
    if row is None:
        raise NotFound("error.order_not_found")
    return _view(actor, *row)


def counts(session: Session, actor: Actor) -> dict[VisitStatus, int]:
    """How many visits stand in each status, of the orders this actor may follow."""
    actor.require(Permission.FOLLOW_ORDERS)
    # Most orders are over, and an order that is has its one visit's status: no need to look.
    by_order = session.execute(
        _visible_to(actor)
        .with_only_columns(Order.status, func.count(Order.id))
        .group_by(Order.status)
    )
    counted = {_ENDED[status]: count for status, count in by_order if status in _ENDED}
    by_visit = session.execute(
        _visible_to(actor)
        .where(Order.status == OrderStatus.CONFIRMED)
        .join(Visit, Visit.order_id == Order.id)
        .with_only_columns(Visit.status, func.count(Visit.id))
        .group_by(Visit.status)
    )
    return counted | dict(by_visit.all())


def alerts(session: Session, actor: Actor) -> dict[ToDoKind, int]:
    """How many visits of the actor's cities need somebody, by what is wrong."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    mine = _visible_to(actor).join(Visit, Visit.order_id == Order.id)
    counted = session.execute(
        mine.with_only_columns(
            *(func.count(Visit.id).filter(to_do.visit_waits(kind)) for kind in ALERTS)
        ).where(
            Visit.status.in_((VisitStatus.PLANNED, VisitStatus.FINISHED)),
            Order.status == OrderStatus.CONFIRMED,
        )
    ).one()
    return dict(zip(ALERTS, counted, strict=True))


def history(session: Session, actor: Actor, order_id: int) -> list[Step]:
    """Every step of an order's life, from its demand on, oldest first."""
    actor.require(Permission.FOLLOW_ORDERS)
    order = _reach(session, actor, order_id)
    visit_ids = select(Visit.id).where(Visit.order_id == order.id)
    application_ids = select(Application.id).where(
        Application.demand_id == order.demand_id, Application.caregiver_id == order.caregiver_id
    )
    of_this_order = (
        ((StatusChange.noun == Noun.ORDER) & (StatusChange.subject_id == order.id))
        | ((StatusChange.noun == Noun.DEMAND) & (StatusChange.subject_id == order.demand_id))
        | ((StatusChange.noun == Noun.VISIT) & StatusChange.subject_id.in_(visit_ids))
        | ((StatusChange.noun == Noun.APPLICATION) & StatusChange.subject_id.in_(application_ids))
    )
    rows = session.scalars(select(StatusChange).where(of_this_order).order_by(StatusChange.id))
    return [Step(row.created_at, row.noun, row.move, row.role, row.channel) for row in rows]


def cancel(session: Session, actor: Actor, order_id: int) -> None:
    """Cancel an order whose visit has not begun; nobody owes anything."""
    actor.require(Permission.CANCEL_ORDER)
    _end(session, actor, _reach(session, actor, order_id, lock=True), "cancel")


def decline(session: Session, actor: Actor, order_id: int) -> None:
    """Ask for somebody else within the free time: the order ends, its demand opens again."""
    actor.require(Permission.CANCEL_ORDER)
    order = _reach(session, actor, order_id, lock=True)
    if clock.now() > order.decline_until:
        raise Conflict("error.decline_too_late")
    _end(session, actor, order, "decline")
    demand = session.get_one(Demand, order.demand_id)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "reopen")
    chosen = session.scalars(
        select(Application).where(
            Application.demand_id == demand.id, Application.status == ApplicationStatus.APPROVED
        )
    ).one()
    lifecycles.take(session, actor, Noun.APPLICATION, chosen, "turn_down")


def _end(session: Session, actor: Actor, order: Order, move: str) -> None:
    visit = session.scalars(select(Visit).where(Visit.order_id == order.id).with_for_update()).one()
    lifecycles.take(session, actor, Noun.VISIT, visit, "cancel")
    lifecycles.take(session, actor, Noun.ORDER, order, move)
    ledger.book_cancelled(session, order)
    facts = {"order_id": order.id, "visit_id": visit.id, "item_id": order.item_id}
    for account_id in {order.customer_id, order.caregiver_id} - {actor.id}:
        notices.tell(session, NoticeKind.ORDER_CANCELLED, account_id, f"order-{order.id}", **facts)
    if actor.role is not Role.OPERATOR:
        notices.tell_operators(
            session, NoticeKind.ORDER_CANCELLED, order.city_code, f"order-{order.id}", **facts
        )


def _reach(session: Session, actor: Actor, order_id: int, *, lock: bool = False) -> Order:
    query = _visible_to(actor).where(Order.id == order_id)
    order = session.scalar(query.with_for_update(of=Order) if lock else query)
    if order is None:
        raise NotFound("error.order_not_found")
    return order


def _with_parts(orders: Select[Order]) -> Select[Any]:
    return (
        orders.join(Visit, Visit.order_id == Order.id)
        .join(_customer, _customer.id == Order.customer_id)
        .join(_caregiver, _caregiver.id == Order.caregiver_id)
        .join(Recipient, Recipient.id == Order.recipient_id)
        .outerjoin(Review, Review.visit_id == Visit.id)
        .add_columns(Visit, _customer.name, _caregiver.name, Recipient.name, Review.id)
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
    if clock.now() > order.decline_until:
        moves.discard("decline")
    moves.discard("complete")
    return OrderView(
        id=order.id,
        visit_id=visit.id,
        item_id=order.item_id,
        district_code=order.district_code,
        customer_name=customer_name,
        recipient_name=recipient_name,
        caregiver_id=order.caregiver_id,
        caregiver_name=caregiver_name,
        channel=order.channel,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        units=order.units,
        unit_price_fen=order.unit_price_fen,
        total_fen=order.total_fen,
        commission_fen=order.commission_fen,
        status=order.status,
        visit_status=visit.status,
        decline_until=order.decline_until,
        checked_in_at=visit.checked_in_at,
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


def _visible_to(actor: Actor) -> Select[Order]:
    """The one place that decides whose orders an actor can reach."""
    orders = select(Order)
    match actor.role:
        case Role.CUSTOMER:
            return orders.where(Order.customer_id == actor.id)
        case Role.CAREGIVER:
            return orders.where(Order.caregiver_id == actor.id)
        case Role.DESK | Role.OPERATOR:
            return orders.where(Order.city_code.in_(actor.cities))
        case _:
            return orders.where(false())
