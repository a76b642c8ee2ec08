"""Orders: followed from approval to redemption, and cancelled before the visit."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, Channel
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand
from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.orders import WAITING, Order, OrderStatus, Visit, VisitStatus
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
BASIS_POINTS = 10_000
# The statuses an order can have while its visit has this one: the city's index finds a page by it.
_ORDER_STATUSES = {
    VisitStatus.HELD: {*WAITING},
    VisitStatus.PLANNED: {OrderStatus.CONFIRMED},
    VisitStatus.IN_PROGRESS: {OrderStatus.CONFIRMED},
    VisitStatus.FINISHED: {OrderStatus.CONFIRMED},
    VisitStatus.REDEEMED: {OrderStatus.COMPLETED},
    VisitStatus.CANCELLED: {
        OrderStatus.CANCELLED,
        OrderStatus.REFUSED,
        OrderStatus.EXPIRED,
        OrderStatus.BLOCKED,
    },
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
    answer_until: datetime | None
    decline_until: datetime
    decision_words: str
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
    between: tuple[datetime, datetime] | None = None,
    customer_id: int | None = None,
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
    if customer_id is not None:
        page = page.where(Order.customer_id == customer_id)
    if visit_statuses or alert or between or soonest_first or not staff:
        page = page.join(Visit, Visit.order_id == Order.id)
    if visit_statuses:
        by_order = set[OrderStatus]().union(*(_ORDER_STATUSES[one] for one in visit_statuses))
        page = page.where(Order.status.in_(by_order))
        # Often that says it all; asked for the status of visits too, SQLite reads everybody's.
        if {one for one, its in _ORDER_STATUSES.items() if its & by_order} - set(visit_statuses):
            page = page.where(Visit.status.in_(visit_statuses))
    if between:
        page = page.where(Visit.starts_at >= between[0], Visit.starts_at < between[1])
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
    # But for a confirmed one, an order's status tells its one visit's: no need to look.
    by_order = session.execute(
        _visible_to(actor)
        .with_only_columns(Order.status, func.count(Order.id))
        .group_by(Order.status)
    )
    by_status = dict(by_order.all())
    counted = {
        visit_status: sum(by_status.get(one, 0) for one in order_statuses)
        for visit_status, order_statuses in _ORDER_STATUSES.items()
        if OrderStatus.CONFIRMED not in order_statuses and order_statuses & set(by_status)
    }
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
    order = reach(session, actor, order_id)
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
    _end(session, actor, reach(session, actor, order_id, lock=True), "cancel")


def decline(session: Session, actor: Actor, order_id: int) -> None:
    """Ask for somebody else within the free time: the order ends, its demand opens again."""
    actor.require(Permission.CANCEL_ORDER)
    order = reach(session, actor, order_id, lock=True)
    if clock.now() > order.decline_until:
        raise Conflict("error.decline_too_late")
    _end(session, actor, order, "decline")
    demand = session.get_one(Demand, order.demand_id)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "reopen")
    chosen = session.scalars(
        select(Application).where(
            Application.demand_id == demand.id, Application.status == ApplicationStatus.APPROVED
        )
    ).one_or_none()
    if chosen is not None:  # One who was asked directly never applied.
        lifecycles.take(session, actor, Noun.APPLICATION, chosen, "turn_down")


def _end(session: Session, actor: Actor, order: Order, move: str) -> None:
    visit = locked_visit(session, order)
    lifecycles.take(session, actor, Noun.VISIT, visit, "cancel")
    lifecycles.take(session, actor, Noun.ORDER, order, move)
    ledger.book_cancelled(session, order)
    named = facts(order, visit.id)
    for account_id in {order.customer_id, order.caregiver_id} - {actor.id}:
        notices.tell(session, NoticeKind.ORDER_CANCELLED, account_id, f"order-{order.id}", **named)
    if actor.role is not Role.OPERATOR:
        notices.tell_operators(
            session, NoticeKind.ORDER_CANCELLED, order.city_code, f"order-{order.id}", **named
        )


def begin(
    session: Session,
    demand: Demand,
    caregiver_id: int,
    price_fen: int,
    city: City,
    *,
    status: OrderStatus,
    answer_until: datetime | None = None,
) -> Order:
    """A new order for a demand at a price in fen per unit; price and commission are frozen."""
    total_fen = price_fen * demand.units
    order = Order(
        created_at=clock.now(),
        demand_id=demand.id,
        customer_id=demand.customer_id,
        caregiver_id=caregiver_id,
        recipient_id=demand.recipient_id,
        item_id=demand.item_id,
        city_code=demand.city_code,
        district_code=demand.district_code,
        channel=demand.channel,
        units=demand.units,
        unit_price_fen=price_fen,
        total_fen=total_fen,
        commission_fen=total_fen * city.commission_bp // BASIS_POINTS,
        answer_until=answer_until,
        decline_until=free_until(city, demand.starts_at),
        status=status,
    )
    session.add(order)
    session.flush()
    return order


def free_until(city: City, starts_at: datetime) -> datetime:
    """Until when the family may ask for somebody else without reason or cost."""
    return min(clock.now() + timedelta(hours=city.decline_hours), starts_at)


def tell_confirmed(session: Session, order: Order, visit_id: int) -> None:
    """Tell the family who comes, and give the caregiver her code."""
    named = facts(order, visit_id)
    about = f"order-{order.id}"
    notices.tell(session, NoticeKind.ORDER_CONFIRMED, order.customer_id, about, **named)
    notices.tell(
        session, NoticeKind.CODE_ISSUED, order.caregiver_id, f"visit-{visit_id}-1", **named
    )


def facts(order: Order, visit_id: int) -> dict[str, int]:
    """What notices about an order are made of."""
    return {"order_id": order.id, "visit_id": visit_id, "item_id": order.item_id}


def locked_visit(session: Session, order: Order) -> Visit:
    """The visit of an order, locked until the transaction ends."""
    return session.scalars(select(Visit).where(Visit.order_id == order.id).with_for_update()).one()


def reach(session: Session, actor: Actor, order_id: int, *, lock: bool = False) -> Order:
    """An order this actor may reach, locked until the transaction ends if asked."""
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
    if order.answer_until is not None and clock.now() >= order.answer_until:
        moves -= {"accept", "refuse", "confirm", "block", "call_off"}
    moves -= {"complete", "agree"}  # Taken by other deeds: redeeming, accepting.
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
        answer_until=order.answer_until,
        decline_until=order.decline_until,
        decision_words=order.decision_words,
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
