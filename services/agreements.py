"""Agreements: how an order comes to stand, whose it is, and what of it is still to come."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from data.cities import City
from data.demands import Demand
from data.history import Noun
from data.notices import NoticeKind
from data.orders import (
    AHEAD,
    ASIDE,
    GONE,
    STANDING,
    WAITING,
    Order,
    OrderKind,
    OrderStatus,
    Visit,
    VisitStatus,
)
from services import clock, gate, lifecycles, notices, pricing, rule_book, rules, tariffs
from services.access import Actor, Role
from services.errors import NotFound


def begin(
    session: Session,
    demand: Demand,
    caregiver_id: int,
    price_fen: int,
    city: City,
    *,
    status: OrderStatus,
    kind: OrderKind = OrderKind.SINGLE,
    answer_until: datetime | None = None,
) -> Order:
    """A new order for a demand at a price in fen per unit; what rules say of it is frozen."""
    version = rules.on(session, city.code, clock.today())
    said = rules.values(session, city.code, version)
    order = Order(
        created_at=clock.now(),
        kind=kind,
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
        commission_bp=rule_book.commission_bp(said, demand.item_id),
        terms=tariffs.terms(rule_book.tariff(said)),
        rule_version_id=version.id if version else None,
        answer_until=answer_until,
        decline_until=free_until(city, demand.starts_at),
        status=status,
    )
    session.add(order)
    session.flush()
    return order


def place_visit(session: Session, order: Order, demand: Demand, status: VisitStatus) -> int:
    """Put the one visit of a new order into its caregiver's time; return its id."""
    price = pricing.price(
        tariffs.around(session, order.city_code, demand.starts_at, demand.ends_at),
        order.unit_price_fen,
        order.units,
        demand.starts_at,
        demand.ends_at,
        order.commission_bp,
        demand.created_at,
    )
    visit = gate.NewVisit(demand.starts_at, demand.ends_at, demand.cell, price, status)
    return gate.place(session, order.id, order.caregiver_id, [visit])[0]


def free_until(city: City, starts_at: datetime) -> datetime:
    """Until when the family may ask for somebody else without reason or cost."""
    return min(clock.now() + timedelta(hours=city.decline_hours), starts_at)


def tell_confirmed(
    session: Session, order: Order, visit_id: int, *, skipped: Sequence[date] = ()
) -> None:
    """Tell the family who comes, and when she cannot; give the caregiver her code."""
    named = facts(order, visit_id)
    about = f"order-{order.id}"
    missed = {"skipped": [day.isoformat() for day in skipped]} if skipped else {}
    notices.tell(session, NoticeKind.ORDER_CONFIRMED, order.customer_id, about, **named, **missed)
    notices.tell(
        session, NoticeKind.CODE_ISSUED, order.caregiver_id, f"visit-{visit_id}-1", **named
    )


def facts(order: Order, visit_id: int) -> dict[str, int]:
    """What notices about an order are made of."""
    return {"order_id": order.id, "visit_id": visit_id, "item_id": order.item_id}


def locked_visits(session: Session, order: Order) -> list[Visit]:
    """The visits an order promises, soonest first, locked until the transaction ends."""
    its = select(Visit).where(Visit.order_id == order.id, Visit.status.not_in((*GONE, *ASIDE)))
    return list(session.scalars(its.order_by(Visit.starts_at).with_for_update()))


def binds(account_id: int) -> ColumnElement[bool]:
    """Of orders: those not over in which a person has a part, be it one visit they stand in for."""
    comes = exists().where(
        Visit.order_id == Order.id,
        Visit.caregiver_id == account_id,
        Visit.status.in_((*AHEAD, VisitStatus.FINISHED)),
    )
    return and_(
        Order.status.in_((*WAITING, *STANDING)),
        or_(Order.customer_id == account_id, Order.caregiver_id == account_id, comes),
    )


def drop_offers(session: Session, actor: Actor, *visits: Visit) -> None:
    """Whoever was asked to come instead is asked no more."""
    replaced = [visit.id for visit in visits]
    offers = session.scalars(
        select(Visit)
        .where(Visit.replaces_id.in_(replaced), Visit.status == VisitStatus.OFFERED)
        .order_by(Visit.id)
        .with_for_update()
    )
    for offer in offers.all():
        lifecycles.take(session, actor, Noun.VISIT, offer, "turn_down")


def unfilled(session: Session, order: Order) -> list[Visit]:
    """The visits of an order for which somebody else is sought, soonest first, locked."""
    its = select(Visit).where(Visit.order_id == order.id, Visit.status == VisitStatus.UNFILLED)
    return list(session.scalars(its.order_by(Visit.starts_at).with_for_update()))


def seek_stand_ins(session: Session, order: Order) -> None:
    """Tell the operators of a standing order's visits that its caregiver cannot make."""
    if its := unfilled(session, order):
        soonest = its[0].starts_at.isoformat()
        named = facts(order, its[0].id) | {"count": len(its), "due_at": soonest}
        about = f"visit-{its[0].id}"
        notices.tell_operators(
            session, NoticeKind.SUBSTITUTE_WANTED, order.city_code, about, **named
        )


def forgo(session: Session, actor: Actor, *visits: Visit) -> None:
    """Seek nobody any more for unfilled visits."""
    drop_offers(session, actor, *visits)
    for visit in visits:
        lifecycles.take(session, actor, Noun.VISIT, visit, "forgo")


def reach(session: Session, actor: Actor, order_id: int, *, lock: bool = False) -> Order:
    """An order this actor may reach, locked until the transaction ends if asked."""
    query = visible_to(actor).where(Order.id == order_id)
    order = session.scalar(query.with_for_update(of=Order) if lock else query)
    if order is None:
        raise NotFound("error.order_not_found")
    return order


def visible_to(actor: Actor) -> Select[Order]:
    """The one place that decides whose orders an actor can reach."""
    orders = select(Order)
    match actor.role:
        case Role.CUSTOMER:
            return orders.where(Order.customer_id == actor.id)
        case Role.CAREGIVER:
            hers = exists().where(Visit.order_id == Order.id, Visit.caregiver_id == actor.id)
            return orders.where(hers.correlate(Order))
        case Role.DESK | Role.OPERATOR:
            return orders.where(Order.city_code.in_(actor.cities))
        case _:
            return orders.where(false())
