"""The detectors: each looks for one kind of breach in a city's data, and changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.chat import Message, Side, Talk
from data.complaints import UNDECIDED, Complaint
from data.compliance import FindingKind
from data.demands import Demand
from data.orders import Order, Visit, VisitStatus
from data.reviews import Review
from services import certificates, clock, places, price_bounds
from services.compliance import contacts
from services.rule_book import Values

__all__ = ["DETECTORS", "Detector", "FindingKind", "Found"]

LOOKED_BACK = timedelta(days=35)
BEST = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One thing found: the same key is the same thing, found again; facts are plain numbers."""

    key: str
    caregiver_id: int | None = None
    order_id: int | None = None
    demand_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


Detector = Callable[[Session, str, Values], Iterator[Found]]


def price_outside(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Orders agreed at another price than the base prices of their day allowed."""
    bounds = dict[date, dict[price_bounds.Key, price_bounds.Bounds]]()
    for order, level in session.execute(
        select(Order, Caregiver.level)
        .join(Caregiver, Caregiver.id == Order.caregiver_id)
        .where(Order.city_code == city_code, Order.created_at >= _since())
        .order_by(Order.id)
    ):
        day = clock.in_city(order.created_at).date()
        if day not in bounds:
            bounds[day] = price_bounds.in_force(session, city_code, day)
        allowed = bounds[day][order.item_id, level]
        if allowed.clamp(order.unit_price_fen) != order.unit_price_fen:
            yield Found(
                f"order:{order.id}",
                order.caregiver_id,
                order.id,
                facts={
                    "price_fen": order.unit_price_fen,
                    "lowest_fen": allowed.lowest_fen,
                    "highest_fen": allowed.highest_fen,
                },
            )


def late_cancellations(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Caregivers who let families down too often in a calendar month, at a penalty."""
    let_down = defaultdict[tuple[int, str], list[int]](list)
    rows = session.execute(
        select(Visit.caregiver_id, Visit.starts_at, Visit.order_id)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.city_code == city_code,
            Visit.status.in_((VisitStatus.CANCELLED, VisitStatus.MISSED)),
            Visit.penalty_fen > 0,
            Visit.starts_at >= _since(),
        )
        .order_by(Visit.starts_at)
    )
    for caregiver_id, starts_at, order_id in rows:
        let_down[caregiver_id, f"{clock.in_city(starts_at):%Y-%m}"].append(order_id)
    for (caregiver_id, month), order_ids in let_down.items():
        if len(order_ids) >= values["late_cancellations"]:
            yield Found(
                f"caregiver:{caregiver_id}:{month}",
                caregiver_id,
                order_ids[-1],
                facts={"count": len(order_ids), "month": month},
            )


def contacts_exchanged(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Demands whose words hold a phone number or account, and chats of orders in which one is told.

    In an order's chat, what the family or the caregiver wrote; what staff wrote is theirs to know.
    """
    for demand_id, said in session.execute(
        select(Demand.id, Demand.words)
        .where(Demand.city_code == city_code, Demand.created_at >= _since(), Demand.words != "")
        .order_by(Demand.id)
    ):
        if contacts.told_in(said):
            yield Found(f"demand:{demand_id}", demand_id=demand_id, facts={"place": "demand"})
    for order_id, caregiver_id, message_id, side, said in session.execute(
        select(Order.id, Order.caregiver_id, Message.id, Message.side, Message.words)
        .join(Talk, Talk.id == Message.talk_id)
        .join(Order, Order.id == Talk.order_id)
        .where(
            Order.city_code == city_code,
            Message.created_at >= _since(),
            Message.side.in_((Side.CUSTOMER, Side.CAREGIVER)),
        )
        .order_by(Message.id)
    ):
        if contacts.told_in(said):
            hers = side is Side.CAREGIVER
            yield Found(
                f"message:{message_id}",
                caregiver_id if hers else None,
                order_id,
                facts={"place": "chat", "side": str(side)},
            )


def traded_reviews(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Pairs who review each other, and caregivers praised by one family mostly."""
    other = aliased(Review)
    for mine_id, hers_id, caregiver_id, order_id in session.execute(
        select(Review.id, other.id, Review.caregiver_id, Review.order_id)
        .join(
            other,
            (other.caregiver_id == Review.customer_id)
            & (other.customer_id == Review.caregiver_id)
            & (Review.id < other.id),
        )
        .join(Order, Order.id == Review.order_id)
        .where(Order.city_code == city_code, other.created_at >= _since())
    ):
        yield Found(
            f"mutual:{mine_id}:{hers_id}", caregiver_id, order_id, facts={"place": "mutual"}
        )
    best = (
        select(
            Review.caregiver_id,
            Review.customer_id,
            func.count().label("count"),
            func.max(Review.order_id).label("order_id"),
        )
        .join(Order, Order.id == Review.order_id)
        .where(
            Order.city_code == city_code,
            Review.created_at >= _since(),
            Review.hidden_at.is_(None),
            Review.overall == BEST,
        )
        .group_by(Review.caregiver_id, Review.customer_id)
    ).subquery()
    whole = (
        select(best.c.caregiver_id, func.sum(best.c.count).label("count"))
        .group_by(best.c.caregiver_id)
        .subquery()
    )
    for caregiver_id, customer_id, count, order_id, of in session.execute(
        select(best, whole.c.count)
        .join(whole, whole.c.caregiver_id == best.c.caregiver_id)
        .where(best.c.count >= values["pair_reviews"], 2 * best.c.count > whole.c.count)
    ):
        yield Found(
            f"pair:{caregiver_id}:{customer_id}:{clock.today():%Y-%m}",
            caregiver_id,
            order_id,
            facts={"place": "pair", "count": count, "of": int(of)},
        )


def far_check_ins(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Visits checked in far from where they were to be."""
    for visit_id, caregiver_id, order_id, cell, was_in in session.execute(
        select(Visit.id, Visit.caregiver_id, Visit.order_id, Visit.cell, Visit.checked_in_cell)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.city_code == city_code,
            Visit.checked_in_at >= _since(),
            Visit.checked_in_cell.is_not(None),
            Visit.checked_in_cell != Visit.cell,
        )
        .order_by(Visit.id)
    ):
        km = places.distance_km(cell, was_in or cell)
        if km > values["far_km"]:
            yield Found(f"visit:{visit_id}", caregiver_id, order_id, facts={"km": round(km, 1)})


def expired_papers(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Visits to come whose caregiver's certificates for them have ended by then."""
    planned = session.execute(
        select(
            Visit.id,
            Visit.caregiver_id,
            Visit.order_id,
            Visit.starts_at,
            CareItem.required_certificates,
        )
        .join(Order, Order.id == Visit.order_id)
        .join(CareItem, CareItem.id == Order.item_id)
        .where(
            Order.city_code == city_code,
            Visit.status == VisitStatus.PLANNED,
            Visit.starts_at >= clock.now(),
        )
        .order_by(Visit.id)
    ).all()
    until = certificates.hold_until(session, {row.caregiver_id for row in planned})
    for visit_id, caregiver_id, order_id, starts_at, needed in planned:
        day = clock.in_city(starts_at).date()
        lacking = [kind for kind in needed if until.get((caregiver_id, kind), date.min) < day]
        if lacking:
            yield Found(f"visit:{visit_id}", caregiver_id, order_id, facts={"lacking": lacking})


def idle_complaints(session: Session, city_code: str, values: Values) -> Iterator[Found]:
    """Complaints that should have been decided days ago."""
    late = clock.now() - timedelta(days=values["idle_days"])
    for complaint_id, order_id, due_at in session.execute(
        select(Complaint.id, Visit.order_id, Complaint.due_at)
        .join(Visit, Visit.id == Complaint.visit_id)
        .where(
            Complaint.city_code == city_code,
            Complaint.status.in_(UNDECIDED),
            Complaint.due_at <= late,
        )
        .order_by(Complaint.id)
    ):
        days = (clock.now() - due_at).days
        yield Found(f"complaint:{complaint_id}", order_id=order_id, facts={"days": days})


def _since() -> datetime:
    return clock.now() - LOOKED_BACK


DETECTORS: dict[FindingKind, Detector] = {
    FindingKind.PRICE: price_outside,
    FindingKind.LATE_CANCELLATIONS: late_cancellations,
    FindingKind.CONTACTS: contacts_exchanged,
    FindingKind.TRADED_REVIEWS: traded_reviews,
    FindingKind.FAR_CHECK_IN: far_check_ins,
    FindingKind.EXPIRED_PAPERS: expired_papers,
    FindingKind.IDLE_COMPLAINT: idle_complaints,
}
