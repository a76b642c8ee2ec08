"""Reminders: before a visit, after one that nobody redeemed, and before a yes lapses."""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.cities import City
from data.history import Noun, StatusChange
from data.notices import NoticeKind
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import agreements, clock, held_pay, notices, visits
from services.access import Actor, Permission

# Operators are reminded when a third of the time that they have to decide is left.
PART_LEFT = 3
# A worker that was away for longer says nothing late; the next reminder comes in its time.
STILL_TIMELY = timedelta(hours=1)


def remind(session: Session, actor: Actor) -> int:
    """Remind families and caregivers of what comes, and whoever lets it wait; return how many."""
    actor.require(Permission.RUN_JOBS)
    told = 0
    for city in session.scalars(select(City)):
        for hours in city.reminder_hours:
            told += _before(session, city, timedelta(hours=hours))
        told += _unredeemed(session, city)
        told += _undecided(session, city)
    return told


def _before(session: Session, city: City, ahead: timedelta) -> int:
    """Those whose visit begins in so much time; who agreed later than that knows anyway."""
    now = clock.now()
    coming = session.execute(
        select(Order, Visit)
        .join(Visit, Visit.order_id == Order.id)
        .where(
            Order.city_code == city.code,
            Order.status == OrderStatus.CONFIRMED,
            Visit.status == VisitStatus.PLANNED,
            Visit.starts_at > now + ahead - STILL_TIMELY,
            Visit.starts_at <= now + ahead,
        )
    )
    told = 0
    for order, visit in coming.all():
        if visit.created_at > visit.starts_at - ahead:
            continue
        named = agreements.facts(order, visit.id) | {"due_at": visit.starts_at.isoformat()}
        about = f"visit-{visit.id}-{ahead // timedelta(hours=1)}h"
        both = [order.customer_id, visit.caregiver_id]
        told += notices.tell_all(session, NoticeKind.VISIT_REMINDER, both, about, **named)
    return told


def _unredeemed(session: Session, city: City) -> int:
    """Families whose visit is made and not redeemed after the city's hours, once."""
    waiting = session.execute(
        select(Order, Visit)
        .join(Visit, Visit.order_id == Order.id)
        .where(
            Order.city_code == city.code,
            Visit.status == VisitStatus.FINISHED,
            Visit.checked_out_at <= clock.now() - timedelta(hours=city.redeem_reminder_hours),
            ~held_pay.rests(),
        )
    )
    told = 0
    for order, visit in waiting.all():
        named = agreements.facts(order, visit.id)
        about = f"visit-{visit.id}-waits"
        family = [order.customer_id]
        told += notices.tell_all(session, NoticeKind.REDEEM_REMINDER, family, about, **named)
    return told


def _undecided(session: Session, city: City) -> int:
    """Operators of a request whose caregiver said yes and that soon lapses, once."""
    agreed_at = (
        select(func.max(StatusChange.created_at))
        .where(
            StatusChange.noun == Noun.ORDER,
            StatusChange.subject_id == Order.id,
            StatusChange.new_status == OrderStatus.ACCEPTED,
        )
        .correlate(Order)
        .scalar_subquery()
    )
    waiting = session.execute(
        select(Order, Visit.id, agreed_at)
        .join(Visit, Visit.id == visits.FOREMOST)
        .where(
            Order.city_code == city.code,
            Order.status == OrderStatus.ACCEPTED,
            Order.answer_until > clock.now(),
        )
    )
    told = 0
    for order, visit_id, since in waiting.all():
        until = order.answer_until
        if until is None or (until - clock.now()) * PART_LEFT > until - since:
            continue
        named, about = agreements.facts(order, visit_id), f"order-{order.id}"
        told += notices.tell_operators(
            session, NoticeKind.APPROVAL_DUE, order.city_code, about, **named
        )
    return told
