"""Substitutes: another caregiver is asked to make one visit; the family pays what it agreed to."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from data.calendars import Leave
from data.caregivers import Caregiver
from data.catalogue import CareItem
from data.cities import City
from data.history import Noun
from data.notices import NoticeKind
from data.orders import STANDING, EndReason, Order, OrderKind, Visit, VisitStatus
from services import (
    agreements,
    availability,
    bookings,
    calendars,
    clock,
    gate,
    kept_apart,
    ledger,
    lifecycles,
    notices,
    pay,
    price_bounds,
    recurrence,
)
from services.access import Actor, Permission, Role
from services.availability import Pace, Taken
from services.errors import Conflict, NotFound
from services.pricing import Price

# Late enough to find somebody, early enough for a family to make do.
GIVES_UP_BEFORE = timedelta(hours=12)


def ask(session: Session, actor: Actor, visit_id: int, caregiver_id: int) -> int:
    """Ask a caregiver to make a visit; her time is held until she answers. Returns the offer."""
    actor.require(Permission.FOLLOW_CITY_ORDERS)
    order, visit = reach(session, actor, visit_id, lock=True)
    if session.scalar(
        select(Visit.id).where(Visit.replaces_id == visit.id, Visit.status == VisitStatus.OFFERED)
    ):
        raise Conflict("error.substitute_asked_already")
    caregiver = bookings.bookable(session, caregiver_id, order.customer_id)
    if caregiver.id == visit.caregiver_id or caregiver.city_code != order.city_code:
        raise NotFound("error.caregiver_not_found")
    item = session.get_one(CareItem, order.item_id)
    bookings.check_suits(session, caregiver, item, visit.cell)
    asked_fen = price_bounds.asked(session, caregiver, item.id)
    if asked_fen is None or asked_fen > order.unit_price_fen:
        raise Conflict("error.substitute_asks_more")
    gate.hold(session, caregiver.id)
    _check_free(session, order, caregiver, visit)
    city = session.scalars(select(City).where(City.code == order.city_code)).one()
    answer_until = min(clock.now() + timedelta(hours=city.hold_hours), visit.starts_at)
    offer = gate.NewVisit(
        visit.starts_at,
        visit.ends_at,
        visit.cell,
        Price(visit.total_fen, visit.commission_fen, visit.price_parts),
        VisitStatus.OFFERED,
        segment_id=visit.segment_id,
        occurs_on=visit.occurs_on,
        replaces_id=visit.id,
        answer_until=answer_until,
    )
    [offer_id] = gate.place(session, order.id, caregiver.id, [offer])
    _tell(session, NoticeKind.SUBSTITUTE_ASKED, order, offer_id, visit.starts_at, caregiver.id)
    return offer_id


def accept(session: Session, actor: Actor, offer_id: int) -> None:
    """Take over a visit: the old one gives way, and the code is hers now."""
    actor.require(Permission.ANSWER_REQUEST)
    order, offer = _offered(session, actor, offer_id)
    if offer.answer_until is not None and offer.answer_until <= clock.now():
        raise Conflict("error.request_expired")
    old = session.get_one(Visit, offer.replaces_id, with_for_update=True)
    agreed = old.status is VisitStatus.PLANNED
    lifecycles.take(session, actor, Noun.VISIT, old, "give_way")
    lifecycles.take(session, actor, Noun.VISIT, offer, "take_over")
    caregiver = session.get_one(Caregiver, offer.caregiver_id)
    gate.hold(session, caregiver.id)
    kept_apart.check(session, order.customer_id, caregiver.id, order.city_code)
    item = session.get_one(CareItem, order.item_id)
    bookings.check_suits(session, caregiver, item, offer.cell)
    old.end_reason = EndReason.PLAN_CHANGED
    if order.kind is OrderKind.SINGLE:
        order.caregiver_id = offer.caregiver_id
    session.flush()
    if agreed:
        pay.book_cancelled(session, order, old)
    ledger.book_extended(session, order, [offer.id], offer.total_fen)
    comes = NoticeKind.SUBSTITUTE_COMES
    her = (old.caregiver_id,) if agreed else ()
    _tell(session, comes, order, offer.id, offer.starts_at, *her, operators=True)
    named = agreements.facts(order, offer.id)
    once = named | {"due_at": offer.starts_at.isoformat()}
    notices.tell(session, comes, order.customer_id, _occasion(session, order, old, offer), **once)
    about = f"visit-{offer.id}-{offer.code_issue}"
    notices.tell(session, NoticeKind.CODE_ISSUED, offer.caregiver_id, about, **named)


def _occasion(session: Session, order: Order, old: Visit, offer: Visit) -> str:
    """What a family is told of once: in a leave a new face for their order, else each visit."""
    leave_id = session.scalar(
        select(Leave.id)
        .where(
            Leave.caregiver_id == old.caregiver_id,
            Leave.withdrawn_at.is_(None),
            Leave.ends_at > old.starts_at,
            Leave.starts_at < old.ends_at,
        )
        .limit(1)
    )
    if leave_id is None:
        return f"visit-{offer.id}"
    return f"order-{order.id}-leave-{leave_id}-{offer.caregiver_id}"


def refuse(session: Session, actor: Actor, offer_id: int) -> None:
    """Say no to a visit; the operators look for somebody else."""
    actor.require(Permission.ANSWER_REQUEST)
    order, offer = _offered(session, actor, offer_id)
    _turn_down(session, actor, order, offer)


def forgo(session: Session, actor: Actor, visit_id: int) -> None:
    """Seek nobody any more for one visit; it costs nothing."""
    actor.require(Permission.CANCEL_ORDER)
    order, visit = reach(session, actor, visit_id, lock=True)
    if visit.status is not VisitStatus.UNFILLED:
        raise Conflict("error.visit_moved_on")
    agreements.forgo(session, actor, visit)
    if actor.role is not Role.OPERATOR:
        kind = NoticeKind.SUBSTITUTE_UNWANTED
        _tell(session, kind, order, visit.id, visit.starts_at, operators=True)


def give_up_due(session: Session, actor: Actor) -> int:
    """Give up, some hours before, on visits for which nobody was found; return how many.

    Somebody who was asked keeps her time to answer.
    """
    actor.require(Permission.RUN_JOBS)
    asked = aliased(Visit)
    waits = exists().where(asked.replaces_id == Visit.id, asked.status == VisitStatus.OFFERED)
    due = session.scalars(
        select(Visit)
        .where(
            Visit.status == VisitStatus.UNFILLED,
            Visit.starts_at <= clock.now() + GIVES_UP_BEFORE,
            ~waits,
        )
        .with_for_update(skip_locked=True)
    ).all()
    for visit in due:
        order = session.get_one(Order, visit.order_id)
        agreements.forgo(session, actor, visit)
        kind = NoticeKind.SUBSTITUTE_NOT_FOUND
        _tell(session, kind, order, visit.id, visit.starts_at, order.customer_id, operators=True)
    return len(due)


def expire_due(session: Session, actor: Actor) -> int:
    """Give up on those who did not answer in time; return how many."""
    actor.require(Permission.RUN_JOBS)
    due = session.scalars(
        select(Visit)
        .where(Visit.status == VisitStatus.OFFERED, Visit.answer_until <= clock.now())
        .with_for_update(skip_locked=True)
    ).all()
    for offer in due:
        _turn_down(session, actor, session.get_one(Order, offer.order_id), offer)
    return len(due)


def _turn_down(session: Session, actor: Actor, order: Order, offer: Visit) -> None:
    lifecycles.take(session, actor, Noun.VISIT, offer, "turn_down")
    refused = NoticeKind.SUBSTITUTE_REFUSED
    _tell(session, refused, order, offer.id, offer.starts_at, operators=True)


def _tell(
    session: Session,
    kind: NoticeKind,
    order: Order,
    visit_id: int,
    starts_at: datetime,
    *account_ids: int,
    operators: bool = False,
) -> None:
    named = agreements.facts(order, visit_id) | {"due_at": starts_at.isoformat()}
    for account_id in account_ids:
        notices.tell(session, kind, account_id, f"visit-{visit_id}", **named)
    if operators:
        notices.tell_operators(session, kind, order.city_code, f"visit-{visit_id}", **named)


def _check_free(session: Session, order: Order, caregiver: Caregiver, visit: Visit) -> None:
    """Refuse one who cannot come at the time."""
    plan = calendars.around(session, [caregiver.id], visit.starts_at, visit.ends_at)[caregiver.id]
    week = visit.starts_at - calendars.A_WEEK, visit.ends_at + calendars.A_WEEK
    taken = gate.taken(session, caregiver.id, *week)
    rules = _whenever_it_is(session, order.city_code)
    if met := availability.obstacle(plan, rules, taken, _wanted(visit)):
        raise Conflict(f"error.obstacle_{met}")


def _whenever_it_is(session: Session, city_code: str) -> Pace:
    """The rules for a visit that is agreed: nobody minds how soon it is, nor how far ahead."""
    said = calendars.rules(session, city_code)
    return replace(said, notice=timedelta(), horizon=2 * recurrence.A_YEAR)


def _wanted(visit: Visit) -> Taken:
    return Taken(visit.starts_at, visit.ends_at, visit.cell)


def reach(
    session: Session, actor: Actor, visit_id: int, *, lock: bool = False
) -> tuple[Order, Visit]:
    """A visit still to be made, by its caregiver or somebody sought, that this actor may reach."""
    order_id = session.scalar(select(Visit.order_id).where(Visit.id == visit_id))
    order = agreements.reach(session, actor, order_id or 0, lock=lock)
    its = select(Visit).where(Visit.id == visit_id)
    visit = session.scalars(its.with_for_update() if lock else its).one()
    sought = visit.status is VisitStatus.UNFILLED and order.status in STANDING
    if visit.status is not VisitStatus.PLANNED and not sought:
        raise Conflict("error.visit_moved_on")
    return order, visit


def _offered(session: Session, actor: Actor, offer_id: int) -> tuple[Order, Visit]:
    """What this caregiver was asked to take over, locked, its order first."""
    order_id = session.scalar(
        select(Visit.order_id).where(Visit.id == offer_id, Visit.caregiver_id == actor.id)
    )
    if order_id is None:
        raise NotFound("error.visit_not_found")
    order = agreements.reach(session, actor, order_id, lock=True)
    offer = session.get_one(Visit, offer_id, with_for_update=True)
    if offer.status is not VisitStatus.OFFERED:
        raise Conflict("error.visit_moved_on")
    return order, offer
