"""Needs whose time has come, written straight into the tables: the figures are about many."""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.orm import Session

from data.accounts import Channel
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.orders import Order, OrderStatus
from services import clock, lifecycles, places
from services.access import Actor
from tests.factories import CHONGCHUAN, COMPANIONSHIP, LI, NANTONG, OPERATOR, make_family

HOURS = 3


def add_need(
    session: Session,
    family: tuple[Actor, int],
    *,
    district_code: str = CHONGCHUAN,
    item_id: int = COMPANIONSHIP,
    weeks_ago: int = 1,
    status: DemandStatus = DemandStatus.OPEN,
    order_status: OrderStatus | None = None,
    matched_after: float = 6,
) -> None:
    """What a family wanted on the Wednesday so many weeks ago; an order of it makes it matched."""
    customer, recipient_id = family
    starts_at = _wednesday() - timedelta(weeks=weeks_ago)
    posted_at = starts_at - timedelta(days=3)
    of_both = {
        "customer_id": customer.id,
        "recipient_id": recipient_id,
        "item_id": item_id,
        "city_code": NANTONG,
        "district_code": district_code,
        "channel": Channel.APP,
        "units": HOURS,
    }
    demand = Demand(
        created_at=posted_at,
        placed_by_id=customer.id,
        request_key=uuid4().hex,
        cell=places.cell_of_district(district_code),
        address="濠河花园 3 幢 502 室",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=HOURS),
        lowest_fen=3000,
        highest_fen=6000,
        skills=[],
        status=DemandStatus.MATCHED if order_status else status,
        **of_both,
    )
    session.add(demand)
    session.flush()
    if order_status is None:
        return
    order = Order(
        created_at=posted_at,
        demand_id=demand.id,
        caregiver_id=LI.id,
        unit_price_fen=4000,
        commission_bp=0,
        terms={},
        decline_until=posted_at,
        status=OrderStatus.CONFIRMED,
        **of_both,
    )
    session.add(order)
    session.flush()
    with clock.at(posted_at + timedelta(hours=matched_after)):
        lifecycles.begin(session, OPERATOR, Noun.ORDER, order, "approve")
    order.status = order_status


def add_needs(session: Session, families: int, **wanted: object) -> None:
    """The same need of so many families, each of which is seen only this once."""
    for _ in range(families):
        add_need(session, make_family(session, _next_family(session)), **wanted)


def _next_family(session: Session) -> int:
    session.info["families"] = session.info.get("families", 0) + 1
    return session.info["families"]


def _wednesday() -> datetime:
    today = clock.in_city(clock.now()).replace(hour=10, minute=0, second=0, microsecond=0)
    return today + timedelta(days=2 - today.weekday())
