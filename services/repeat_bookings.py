"""Repeats: a caller wants the same once more; the next time for it, and who else could come.

The address goes from the old wish to the new one without being shown to anybody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem
from data.demands import Demand
from data.orders import Order, OrderKind, OrderStatus, Visit
from data.recipients import Recipient
from services import bookable, bookings, callers, clock, search, tariffs, visits
from services.access import Actor, Permission
from services.availability import Obstacle
from services.bookings import BookingForm
from services.errors import NotFound
from services.search import Wanted

__all__ = ["Obstacle"]

A_WEEK = timedelta(days=7)
MOST_TIMES, MOST_OTHERS = 3, 3
# What keeps a caregiver away whatever the time.
FOR_GOOD = (Obstacle.NOT_OFFERED, Obstacle.CERTIFICATE, Obstacle.TOO_FAR)
_WORTH_REPEATING = (
    OrderStatus.REQUESTED,
    OrderStatus.ACCEPTED,
    OrderStatus.CONFIRMED,
    OrderStatus.COMPLETED,
)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who could come when, and what that costs in fen: per unit and in all."""

    caregiver_id: int
    caregiver_name: str
    starts_at: datetime
    ends_at: datetime
    price_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """The last order once more: `choices` begin with the best, the same caregiver's first.

    `wanted_at` is the same weekday and hour, next; `as_before` if the first choice is that, and
    else `obstacle` is what first keeps the same caregiver from it.
    """

    order_id: int
    item_id: int
    recipient_name: str
    caregiver_id: int
    caregiver_name: str
    district_code: str
    units: int
    wanted_at: datetime
    obstacle: Obstacle | None
    choices: tuple[Choice, ...]

    @property
    def as_before(self) -> bool:
        first = self.choices[0] if self.choices else None
        return (
            first is not None
            and first.starts_at == self.wanted_at
            and first.caregiver_id == self.caregiver_id
        )


def propose(session: Session, actor: Actor, customer_id: int) -> Proposal | None:
    """What repeating the caller's last order would be; None if they have none to repeat."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    callers.reach(session, actor, customer_id)
    row = session.execute(
        select(Order, Demand, Visit, Recipient.name, Account.name, CareItem)
        .join(Demand, Demand.id == Order.demand_id)
        .join(Visit, (Visit.order_id == Order.id) & (Visit.id == visits.FOREMOST))
        .join(Recipient, Recipient.id == Order.recipient_id)
        .join(Account, Account.id == Visit.caregiver_id)
        .join(CareItem, CareItem.id == Order.item_id)
        .where(
            Order.customer_id == customer_id,
            Order.city_code.in_(actor.cities),
            Order.kind == OrderKind.SINGLE,
            Order.status.in_(_WORTH_REPEATING),
            CareItem.active,
        )
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    order, demand, visit, recipient_name, caregiver_name, item = row
    wanted_at = _next_week(visit.starts_at)
    wanted = Wanted(
        item_id=order.item_id,
        city_code=order.city_code,
        district_code=order.district_code,
        cell=demand.cell,
        units=order.units,
        starts_at=wanted_at,
    )
    price_fen, obstacle = search.of_one(session, wanted, visit.caregiver_id)
    choices = list[Choice]()
    if price_fen is not None:
        choices = _of_the_same(
            session, actor, order, demand, visit, caregiver_name, price_fen, wanted_at
        )
    if not choices or choices[0].starts_at != wanted_at:
        choices += _of_others(session, actor, order, item, visit.caregiver_id, wanted_at, wanted)
    return Proposal(
        order_id=order.id,
        item_id=order.item_id,
        recipient_name=recipient_name,
        caregiver_id=visit.caregiver_id,
        caregiver_name=caregiver_name,
        district_code=order.district_code,
        units=order.units,
        wanted_at=wanted_at,
        obstacle=obstacle,
        choices=tuple(choices),
    )


def repeat(
    session: Session,
    actor: Actor,
    customer_id: int,
    order_id: int,
    choice: Choice,
    request_key: str,
) -> int:
    """Ask for what was proposed, at the old address; return the order's id.

    What was free or cheaper a moment ago is refused as in any booking.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    row = session.execute(
        select(Order, Demand)
        .join(Demand, Demand.id == Order.demand_id)
        .where(
            Order.id == order_id,
            Order.customer_id == customer_id,
            Order.city_code.in_(actor.cities),
        )
    ).one_or_none()
    if row is None:
        raise NotFound("error.order_not_found")
    order, demand = row
    form = BookingForm(
        caregiver_id=choice.caregiver_id,
        recipient_id=order.recipient_id,
        item_id=order.item_id,
        district_code=order.district_code,
        address=demand.address,
        starts_at=choice.starts_at,
        units=order.units,
        price_fen=choice.price_fen,
        total_fen=choice.total_fen,
        place_id=demand.place_id,
        cell=None if demand.place_id else demand.cell,
        words=demand.words,
    )
    return bookings.request(session, actor, form, request_key, customer_id=customer_id)


def _next_week(starts_at: datetime) -> datetime:
    """The same weekday and hour, as the city's clocks show it, that is still to come."""
    local = clock.in_city(starts_at)
    weeks = max((clock.now() - starts_at) // A_WEEK + 1, 1)
    return local + weeks * A_WEEK


def _of_the_same(
    session: Session,
    actor: Actor,
    order: Order,
    demand: Demand,
    visit: Visit,
    name: str,
    price_fen: int,
    wanted_at: datetime,
) -> list[Choice]:
    """When the same caregiver can come: at the wanted time, else at the nearest to it."""
    free = bookable.free_starts(
        session, actor, visit.caregiver_id, order.item_id, order.units, demand.cell
    )
    starts = [start for of_day in free.values() for start in of_day]
    nearest = [wanted_at] if wanted_at in starts else _nearest(starts, wanted_at)
    length = demand.ends_at - demand.starts_at
    return [
        _choice(session, order, visit.caregiver_id, name, price_fen, start, length)
        for start in nearest
    ]


def _nearest(starts: list[datetime], wanted_at: datetime) -> list[datetime]:
    """The nearest of different days, so that there is something to choose."""
    found: dict[object, datetime] = {}
    for start in sorted(starts, key=lambda one: abs(one - wanted_at)):
        found.setdefault(clock.in_city(start).date(), start)
        if len(found) == MOST_TIMES:
            break
    return list(found.values())


def _of_others(
    session: Session,
    actor: Actor,
    order: Order,
    item: CareItem,
    but_id: int,
    wanted_at: datetime,
    wanted: Wanted,
) -> list[Choice]:
    """Who else could come at the wanted time, the best first."""
    found = search.find(session, actor, wanted, MOST_OTHERS + 1, why=False)
    length = timedelta(hours=order.units * item.hours_per_unit)
    others = [one for one in found.shown if one.id not in (but_id, order.customer_id)]
    return [
        _choice(session, order, one.id, one.name, one.price_fen, wanted_at, length)
        for one in others[:MOST_OTHERS]
    ]


def _choice(
    session: Session,
    order: Order,
    caregiver_id: int,
    name: str,
    price_fen: int,
    starts_at: datetime,
    length: timedelta,
) -> Choice:
    ends_at = starts_at + length
    price = tariffs.quote(
        session, order.city_code, order.item_id, price_fen, order.units, starts_at, ends_at
    )
    return Choice(caregiver_id, name, starts_at, ends_at, price_fen, price.total_fen)
