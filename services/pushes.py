"""Pushes: qualifying caregivers are told of a demand in waves, and the first to take it has it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, OrderStatus, VisitStatus
from data.pushes import STANDING, DemandPush, PushedCaregiver, PushStatus
from services import (
    agreements,
    assignments,
    bookings,
    certificates,
    clock,
    demands,
    gate,
    lifecycles,
    notices,
    price_bounds,
    to_do,
    waves,
)
from services.access import Actor, Permission
from services.availability import Obstacle
from services.errors import Conflict, Invalid, NotFound

__all__ = ["PushStatus"]

# For so long an ended push stays on the board, and so many of each kind are shown.
SHOWN_FOR, MOST_SHOWN = timedelta(days=2), 50


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told, in which wave and when; by fit she was the `rank`th."""

    caregiver_id: int
    name: str
    wave: int
    rank: int
    told_at: datetime
    said_no: bool
    took_it: bool


@dataclass(frozen=True, slots=True)
class PushView:
    """A push as operators follow it, with everybody who was told, the best fit first."""

    id: int
    demand_id: int
    item_id: int
    district_code: str
    starts_at: datetime
    ends_at: datetime
    begun_by: str
    begun_at: datetime
    status: PushStatus
    waves: int
    next_wave_at: datetime
    order_id: int | None
    told: tuple[Told, ...]
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pushable:
    """An open demand for one visit that nobody applied for and no push is about."""

    demand_id: int
    item_id: int
    district_code: str
    starts_at: datetime
    ends_at: datetime
    posted_at: datetime


def begin(session: Session, actor: Actor, demand_id: int) -> int:
    """Push an open demand for one visit: the best few are told at once. Returns the push's id."""
    actor.require(Permission.DISPATCH)
    demand = demands.locked(session, actor, demand_id)
    if demand.status is not DemandStatus.OPEN or demand.starts_at <= clock.now():
        raise Conflict("error.demand_not_open")
    if demand.rule is not None:
        raise Conflict("error.plans_are_chosen")
    standing = select(DemandPush.id).where(
        DemandPush.demand_id == demand.id, DemandPush.status.in_(STANDING)
    )
    if session.scalar(standing) is not None:
        raise Conflict("error.push_under_way")
    order = waves.ranked(session, demand)
    if not order:
        raise Conflict("error.nobody_to_push")
    push = DemandPush(
        created_at=clock.now(),
        demand_id=demand.id,
        begun_by_id=actor.id,
        status=PushStatus.UNDER_WAY,
        waves=0,
        next_wave_at=clock.now(),
    )
    session.add(push)
    session.flush()
    lifecycles.begin(session, actor, Noun.PUSH, push, "begin")
    waves.send(session, push, demand, order)
    return push.id


def stop(session: Session, actor: Actor, push_id: int) -> None:
    """Tell nobody else; those who were told can take the demand no more."""
    actor.require(Permission.DISPATCH)
    push = session.scalar(
        _visible_to(actor).where(DemandPush.id == push_id).with_for_update(of=DemandPush)
    )
    if push is None:
        raise NotFound("error.push_not_found")
    lifecycles.take(session, actor, Noun.PUSH, push, "stop")
    waves.call_back(session, push, session.get_one(Demand, push.demand_id))


def take(session: Session, actor: Actor, push_id: int, price_fen: int) -> int:
    """Take a demand the actor was told of, at her own price in fen per unit; the order's id.

    The first has it: her time is held until an operator decides, and the others are told.
    """
    actor.require(Permission.ANSWER_REQUEST)
    push, demand = _told(session, actor, push_id)
    if push.status is PushStatus.ACCEPTED:
        return _hers(session, actor, push)
    if (
        push.status is not PushStatus.UNDER_WAY
        or demand.status is not DemandStatus.OPEN
        or demand.starts_at <= clock.now()
    ):
        raise Conflict("error.push_over")
    me = bookings.bookable(session, actor.id or 0, demand.customer_id)
    _check_she_can(session, me, demand)
    if price_fen != _price(session, me, demand):
        raise Conflict("error.price_changed")
    _need_no_application(session, actor, demand)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "take")
    order = _agree(session, actor, me, demand, price_fen)
    lifecycles.take(session, actor, Noun.PUSH, push, "accept")
    push.order_id = order.id
    waves.call_back(session, push, demand, but_for=me.id)
    return order.id


def say_no(session: Session, actor: Actor, push_id: int) -> None:
    """Tell that she does not want a demand; she is not asked for it again by this push."""
    actor.require(Permission.ANSWER_REQUEST)
    push, _ = _told(session, actor, push_id)
    if push.status is not PushStatus.UNDER_WAY:
        raise Conflict("error.push_over")
    hers = session.scalars(
        select(PushedCaregiver).where(
            PushedCaregiver.push_id == push.id, PushedCaregiver.caregiver_id == actor.id
        )
    ).one()
    hers.said_no_at = hers.said_no_at or clock.now()


def listing(session: Session, actor: Actor, city_code: str) -> list[PushView]:
    """The pushes of a city that stand, or ended lately, newest first."""
    actor.require(Permission.DISPATCH)
    begun_by = aliased(Account)
    recent = DemandPush.created_at > clock.now() - SHOWN_FOR
    rows = session.execute(
        _visible_to(actor)
        .join(begun_by, begun_by.id == DemandPush.begun_by_id)
        .where(
            Demand.city_code == city_code,
            or_(DemandPush.status == PushStatus.UNDER_WAY, recent),
        )
        .add_columns(Demand, begun_by.name, Order.caregiver_id)
        .outerjoin(Order, Order.id == DemandPush.order_id)
        .order_by(DemandPush.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    told = _who_was_told(session, {push.id: taker for push, _, _, taker in rows})
    return [
        PushView(
            id=push.id,
            demand_id=demand.id,
            item_id=demand.item_id,
            district_code=demand.district_code,
            starts_at=demand.starts_at,
            ends_at=demand.ends_at,
            begun_by=name,
            begun_at=push.created_at,
            status=push.status,
            waves=push.waves,
            next_wave_at=push.next_wave_at,
            order_id=push.order_id,
            told=tuple(told[push.id]),
            moves=lifecycles.open_moves(Noun.PUSH, push.status, actor),
        )
        for push, demand, name, _ in rows
    ]


def pushable(session: Session, actor: Actor, city_code: str) -> list[Pushable]:
    """The demands of a city that a push would help, soonest first."""
    actor.require(Permission.DISPATCH)
    pushed = select(DemandPush.demand_id).where(DemandPush.status.in_(STANDING))
    rows = session.execute(
        demands.visible_to(actor)
        .with_only_columns(
            Demand.id,
            Demand.item_id,
            Demand.district_code,
            Demand.starts_at,
            Demand.ends_at,
            Demand.created_at,
        )
        .where(
            Demand.city_code == city_code,
            Demand.status == DemandStatus.OPEN,
            Demand.rule.is_(None),
            Demand.starts_at > clock.now(),
            to_do.nobody_to_choose(),
            Demand.id.not_in(pushed),
        )
        .order_by(Demand.starts_at, Demand.id)
        .limit(MOST_SHOWN)
    )
    return [Pushable(*row) for row in rows]


def under_way(session: Session, actor: Actor) -> dict[int, int]:
    """By demand of the actor's cities how many a push under way has told so far."""
    actor.require(Permission.DISPATCH)
    told = (
        select(func.count(PushedCaregiver.id))
        .where(PushedCaregiver.push_id == DemandPush.id)
        .scalar_subquery()
    )
    rows = session.execute(
        _visible_to(actor)
        .where(DemandPush.status == PushStatus.UNDER_WAY)
        .with_only_columns(DemandPush.demand_id, told)
    )
    return dict(rows.all())


def _told(session: Session, actor: Actor, push_id: int) -> tuple[DemandPush, Demand]:
    """A push of which the actor was told, and its demand, both locked, the demand first."""
    demand_id = session.scalar(
        select(DemandPush.demand_id)
        .join(PushedCaregiver, PushedCaregiver.push_id == DemandPush.id)
        .where(DemandPush.id == push_id, PushedCaregiver.caregiver_id == actor.id)
    )
    if demand_id is None:
        raise NotFound("error.push_not_found")
    demand = session.get_one(Demand, demand_id, with_for_update=True, populate_existing=True)
    push = session.get_one(DemandPush, push_id, with_for_update=True, populate_existing=True)
    return push, demand


def _hers(session: Session, actor: Actor, push: DemandPush) -> int:
    """The order of a push that is taken, if it is hers: a second click finds it done."""
    order = session.get_one(Order, push.order_id)
    if order.caregiver_id != actor.id:
        raise Conflict("error.push_taken")
    return order.id


def _check_she_can(session: Session, me: Caregiver, demand: Demand) -> None:
    """Refuse one whose papers or time, or the family's wishes, have changed since she was told.

    Nobody else books her meanwhile.
    """
    item = session.get_one(CareItem, demand.item_id)
    if not certificates.holds_all(session, me.id, item.required_certificates):
        raise Conflict("error.certificate_missing")
    if demand.wished_sex not in (None, me.sex):
        raise Conflict("error.other_sex_wished")
    gate.hold(session, me.id)
    met = assignments.obstacle(session, me, demand)
    if met is not None:
        busy = met is Obstacle.BUSY
        raise Conflict("error.you_are_busy" if busy else "error.time_does_not_fit")


def _price(session: Session, me: Caregiver, demand: Demand) -> int:
    """What she asks for a unit today in fen, within what the family pays."""
    asked_fen = price_bounds.asked(session, me, demand.item_id)
    if asked_fen is None or asked_fen > demand.highest_fen:
        raise Invalid(
            "error.price_out_of_range",
            lowest_fen=demand.lowest_fen,
            highest_fen=demand.highest_fen,
        )
    return max(asked_fen, demand.lowest_fen)


def _need_no_application(session: Session, actor: Actor, demand: Demand) -> None:
    """What she takes needs no application of hers any more."""
    mine = session.scalar(
        select(Application).where(
            Application.demand_id == demand.id,
            Application.caregiver_id == actor.id,
            Application.status == ApplicationStatus.SUBMITTED,
        )
    )
    if mine is not None:
        lifecycles.take(session, actor, Noun.APPLICATION, mine, "withdraw")


def _agree(session: Session, actor: Actor, me: Caregiver, demand: Demand, price_fen: int) -> Order:
    """The order she has said yes to, which holds her time; the operators are asked to decide."""
    city = session.scalars(select(City).where(City.code == demand.city_code)).one()
    order = agreements.begin(
        session,
        demand,
        me.id,
        price_fen,
        city,
        status=OrderStatus.REQUESTED,
        answer_until=min(clock.now() + timedelta(hours=city.hold_hours), demand.starts_at),
    )
    visit_id = agreements.place_visit(session, order, demand, VisitStatus.HELD)
    lifecycles.begin(session, actor, Noun.ORDER, order, "request")
    lifecycles.take(session, actor, Noun.ORDER, order, "agree")
    facts, about = agreements.facts(order, visit_id), f"order-{order.id}"
    to_approve = NoticeKind.REQUEST_TO_APPROVE
    notices.tell_operators(session, to_approve, order.city_code, about, **facts)
    return order


def _who_was_told(session: Session, takers: dict[int, int | None]) -> defaultdict[int, list[Told]]:
    """By push everybody who was told; `takers` says whose order each push has come to."""
    rows = session.execute(
        select(PushedCaregiver, Account.name)
        .join(Account, Account.id == PushedCaregiver.caregiver_id)
        .where(PushedCaregiver.push_id.in_(takers))
        .order_by(PushedCaregiver.rank)
    )
    found = defaultdict[int, list[Told]](list)
    for one, name in rows:
        found[one.push_id].append(
            Told(
                one.caregiver_id,
                name,
                one.wave,
                one.rank,
                one.created_at,
                said_no=one.said_no_at is not None,
                took_it=takers[one.push_id] == one.caregiver_id,
            )
        )
    return found


def _visible_to(actor: Actor) -> Select[*tuple[DemandPush]]:
    """Those about demands of an operator's cities."""
    return (
        select(DemandPush)
        .join(Demand, Demand.id == DemandPush.demand_id)
        .where(Demand.city_code.in_(actor.cities))
    )
