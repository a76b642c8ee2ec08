"""Bookings: a family asks one caregiver directly; the request holds her time until answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem
from data.cities import City
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import WAITING, Order, OrderStatus, Visit, VisitStatus
from services import (
    agreements,
    audit,
    calendars,
    callers,
    calls,
    catalogue,
    certificates,
    clock,
    demands,
    gate,
    kept_apart,
    ledger,
    lifecycles,
    notices,
    places,
    price_bounds,
    waiting_lists,
)
from services.access import Actor, Permission
from services.availability import Taken
from services.calls import Outcome
from services.demands import DemandForm
from services.errors import Conflict, NotFound
from services.wording import words


@dataclass(frozen=True, slots=True)
class BookingForm:
    """Whom a family asks for what; `price_fen` per unit is what the page showed them.

    So is `total_fen`; None where no page showed one.
    """

    caregiver_id: int
    recipient_id: int
    item_id: int
    district_code: str
    address: str
    starts_at: datetime
    units: int
    price_fen: int
    total_fen: int | None = None
    place_id: int | None = None
    cell: str | None = None
    words: str = ""


def request(
    session: Session,
    actor: Actor,
    form: BookingForm,
    request_key: str,
    *,
    customer_id: int | None = None,
) -> int:
    """Ask a caregiver for a visit; her time is held, she and the operators are told.

    Returns the order's id; the same request key asks once. A directed demand stands behind the
    order, so that what is not accepted can be offered to everybody.
    """
    actor.require(Permission.REQUEST_ORDER)
    owner_id = callers.acted_for(session, actor, customer_id)
    if (before := asked_before(session, owner_id, request_key)) is not None:
        return before
    caregiver = bookable(session, form.caregiver_id, owner_id)
    item = catalogue.named(session, form.item_id)
    check_rate(session, caregiver, item.id, form.price_fen)
    demand = demands.store(
        session,
        actor,
        DemandForm(
            recipient_id=form.recipient_id,
            item_id=form.item_id,
            city_code=caregiver.city_code,
            district_code=form.district_code,
            address=form.address,
            starts_at=form.starts_at,
            units=form.units,
            lowest_fen=item.lowest_fen,
            highest_fen=form.price_fen,
            place_id=form.place_id,
            cell=form.cell,
            words=form.words,
        ),
        request_key,
        owner_id,
        DemandStatus.DIRECTED,
    )
    _check_she_can(session, caregiver, item, demand)
    city = session.scalars(select(City).where(City.code == demand.city_code)).one()
    order = agreements.begin(
        session,
        demand,
        caregiver.id,
        form.price_fen,
        city,
        status=OrderStatus.REQUESTED,
        answer_until=min(
            clock.now() + timedelta(hours=city.hold_hours), demand.starts_at - timedelta(hours=1)
        ),
    )
    visit_id = agreements.place_visit(session, order, demand, VisitStatus.HELD)
    if form.total_fen not in (None, session.get_one(Visit, visit_id).total_fen):
        raise Conflict("error.price_changed")
    tell_requested(session, actor, demand, order, visit_id)
    calls.mark(session, actor, Outcome.BOOKED, owner_id, order.city_code, order_id=order.id)
    return order.id


def tell_requested(
    session: Session, actor: Actor, demand: Demand, order: Order, visit_id: int
) -> None:
    """Begin the history of a request, and tell the caregiver and the operators of it."""
    lifecycles.begin(session, actor, Noun.DEMAND, demand, "direct")
    lifecycles.begin(session, actor, Noun.ORDER, order, "request")
    facts = agreements.facts(order, visit_id)
    about = f"order-{order.id}"
    notices.tell(session, NoticeKind.REQUEST_RECEIVED, order.caregiver_id, about, **facts)
    notices.tell_operators(session, NoticeKind.REQUEST_PLACED, order.city_code, about, **facts)


def asked_before(session: Session, owner_id: int, request_key: str) -> int | None:
    """The order that this family's request of the same key made already."""
    return session.scalar(
        select(Order.id)
        .join(Demand, Demand.id == Order.demand_id)
        .where(Demand.customer_id == owner_id, Demand.request_key == request_key)
    )


def accept(session: Session, actor: Actor, order_id: int) -> None:
    """The caregiver says yes: the order stands, or waits for the operator where the city asks."""
    actor.require(Permission.ANSWER_REQUEST)
    order = _waiting(session, actor, order_id)
    city = _held_city(session, order)
    if not city.operator_approves:
        _confirm(session, actor, order, "accept", city)
        return
    lifecycles.take(session, actor, Noun.ORDER, order, "agree")
    _check_she_may_work(session, order)
    notices.tell_operators(
        session,
        NoticeKind.REQUEST_TO_APPROVE,
        order.city_code,
        f"order-{order.id}",
        **agreements.facts(order, agreements.locked_visits(session, order)[0].id),
    )


def confirm(session: Session, actor: Actor, order_id: int) -> None:
    """The operator's yes to what a caregiver accepted."""
    actor.require(Permission.DECIDE_REQUEST)
    order = _waiting(session, actor, order_id)
    city = _held_city(session, order)
    _confirm(session, actor, order, "confirm", city)


def refuse(session: Session, actor: Actor, order_id: int) -> None:
    """The caregiver says no: her time is free again and the demand goes to the task hall."""
    actor.require(Permission.ANSWER_REQUEST)
    order = _waiting(session, actor, order_id)
    _let_go(session, actor, order, "refuse", NoticeKind.REQUEST_REFUSED)
    _offer(session, actor, order)


def block(session: Session, actor: Actor, order_id: int, because: str) -> None:
    """The operator stops a request and says why; the demand is called off with it.

    One that the family had posted for everybody is open again.
    """
    actor.require(Permission.DECIDE_REQUEST)
    because = words(because, "reason", 300)
    order = _waiting(session, actor, order_id)
    posted = session.get_one(Demand, order.demand_id).offers > 0
    told = None if posted else NoticeKind.REQUEST_BLOCKED
    visit = _let_go(session, actor, order, "block", told)
    order.decision_words = because
    audit.record(session, actor, "block_request", "order", order.id)
    notices.tell(
        session,
        NoticeKind.REQUEST_BLOCKED,
        order.caregiver_id,
        f"order-{order.id}",
        **agreements.facts(order, visit.id),
    )
    (_offer if posted else _call_off_demand)(session, actor, order)


def call_off(session: Session, actor: Actor, order_id: int) -> None:
    """The family, or staff for them, takes a request back before it is agreed."""
    actor.require(Permission.CANCEL_ORDER)
    order = _waiting(session, actor, order_id)
    visit = _let_go(session, actor, order, "call_off", None)
    notices.tell(
        session,
        NoticeKind.ORDER_CANCELLED,
        order.caregiver_id,
        f"order-{order.id}",
        **agreements.facts(order, visit.id),
    )
    _call_off_demand(session, actor, order)
    calls.mark(
        session, actor, Outcome.CANCELLED, order.customer_id, order.city_code, order_id=order.id
    )


def expire_due(session: Session, actor: Actor) -> int:
    """End the requests nobody answered in time and offer them to everybody; return how many.

    To one that the caregiver had said yes to, it was the operators who did not answer.
    """
    actor.require(Permission.RUN_JOBS)
    due = session.scalars(
        select(Order)
        .where(Order.status.in_(WAITING), Order.answer_until <= clock.now())
        .with_for_update(skip_locked=True)
    ).all()
    for order in due:
        _run_out(session, actor, order)
        _offer(session, actor, order)
    return len(due)


def bookable(session: Session, caregiver_id: int, owner_id: int) -> Caregiver:
    """A caregiver whom this family can book."""
    caregiver = session.get(Caregiver, caregiver_id)
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    if caregiver.status is not CaregiverStatus.APPROVED:
        raise Conflict("error.caregiver_not_approved")
    if caregiver.id == owner_id:
        raise Conflict("error.booking_oneself")
    kept_apart.check(session, owner_id, caregiver.id, caregiver.city_code)
    return caregiver


def check_rate(session: Session, caregiver: Caregiver, item_id: int, price_fen: int) -> None:
    """Refuse a price in fen per unit that is not what the caregiver asks now."""
    if price_bounds.asked(session, caregiver, item_id) != price_fen:
        raise Conflict("error.price_changed")


def _check_she_can(session: Session, caregiver: Caregiver, item: CareItem, demand: Demand) -> None:
    """Refuse what the search would not have offered; nobody else books her meanwhile."""
    check_suits(session, caregiver, item, demand.cell)
    gate.hold(session, caregiver.id)
    wanted = Taken(demand.starts_at, demand.ends_at, demand.cell)
    if met := calendars.obstacle(session, caregiver, wanted):
        raise Conflict(f"error.obstacle_{met}")


def check_suits(session: Session, caregiver: Caregiver, item: CareItem, cell: str) -> None:
    """Refuse a caregiver without the certificates, or who does not travel that far."""
    if not certificates.holds_all(session, caregiver.id, item.required_certificates):
        raise Conflict("error.caregiver_lacks_certificate")
    if places.distance_km(caregiver.cell, cell) > caregiver.radius_km:
        raise Conflict("error.caregiver_too_far")


def _confirm(session: Session, actor: Actor, order: Order, move: str, city: City) -> None:
    held = agreements.locked_visits(session, order)
    if held and held[0].starts_at <= clock.now():
        raise Conflict("error.start_in_past")
    demand = session.get_one(Demand, order.demand_id, with_for_update=True)
    lifecycles.take(session, actor, Noun.ORDER, order, move)
    for visit in held:
        lifecycles.take(session, actor, Noun.VISIT, visit, "confirm")
    lifecycles.take(session, actor, Noun.DEMAND, demand, "match")
    waiting_lists.put(session, actor, demand)
    _check_she_may_work(session, order)
    order.decline_until = agreements.free_until(city, held[0].starts_at)
    ledger.book_confirmed(session, order, sum(visit.total_fen for visit in held))
    agreements.tell_confirmed(session, order, held[0].id)
    agreements.seek_stand_ins(session, order)


def _check_she_may_work(session: Session, order: Order) -> None:
    """Refuse for a caregiver suspended or kept apart since, or whose certificate has expired.

    Nobody suspends her meanwhile.
    """
    standing = session.scalar(
        select(Caregiver.status)
        .where(Caregiver.id == order.caregiver_id)
        .with_for_update(read=True)
    )
    if standing is not CaregiverStatus.APPROVED:
        raise Conflict("error.caregiver_not_approved")
    kept_apart.check(session, order.customer_id, order.caregiver_id, order.city_code)
    item = session.get_one(CareItem, order.item_id)
    if not certificates.holds_all(session, order.caregiver_id, item.required_certificates):
        raise Conflict("error.caregiver_lacks_certificate")


def _let_go(
    session: Session, actor: Actor, order: Order, move: str, kind: NoticeKind | None
) -> Visit:
    """End a request by this move, free the time it held and tell the family; its first visit."""
    held = agreements.locked_visits(session, order)
    lifecycles.take(session, actor, Noun.ORDER, order, move)
    for visit in held:
        lifecycles.take(session, actor, Noun.VISIT, visit, "let_go")
    agreements.forgo(session, actor, *agreements.unfilled(session, order))
    if kind is not None:
        about = f"order-{order.id}"
        notices.tell(session, kind, order.customer_id, about, **agreements.facts(order, held[0].id))
    return held[0]


def _run_out(session: Session, actor: Actor, order: Order) -> None:
    """End a request whose time has run out, and tell everybody whom it concerns why."""
    move, kind = "expire", NoticeKind.REQUEST_EXPIRED
    if said_yes := order.status is OrderStatus.ACCEPTED:
        move, kind = "lapse", NoticeKind.REQUEST_LAPSED
    over = session.get_one(Demand, order.demand_id).starts_at <= clock.now()
    visit = _let_go(session, actor, order, move, None if over else kind)
    facts = agreements.facts(order, visit.id)
    if said_yes:
        about = f"order-{order.id}"
        notices.tell(session, NoticeKind.YES_LAPSED, order.caregiver_id, about, **facts)


def _offer(session: Session, actor: Actor, order: Order) -> None:
    """Offer the demand to everybody, a plan like a visit, unless its time has come."""
    demand = session.get_one(Demand, order.demand_id, with_for_update=True)
    if demand.starts_at <= clock.now():
        demands.expire(session, actor, demand)
        return
    lifecycles.take(session, actor, Noun.DEMAND, demand, "offer")
    demands.announce(session, actor, demand)


def _call_off_demand(session: Session, actor: Actor, order: Order) -> None:
    demand = session.get_one(Demand, order.demand_id, with_for_update=True)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "call_off")
    demands.close_applications(session, actor, demand)


def _waiting(session: Session, actor: Actor, order_id: int) -> Order:
    """A request this actor may reach, locked; one whose time has run out is refused."""
    order = agreements.reach(session, actor, order_id, lock=True)
    if order.status in WAITING and order.answer_until and order.answer_until <= clock.now():
        raise Conflict("error.request_expired")
    return order


def _held_city(session: Session, order: Order) -> City:
    """The city of an order, which nobody closes or changes until it stands."""
    held = select(City).where(City.code == order.city_code).with_for_update(read=True)
    return session.scalars(held).one()
