"""Reminders: so many hours before a visit, and after one that nobody redeemed."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.cities import City
from data.notices import NoticeKind
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import agreements, clock, held_pay, notices
from services.access import Actor, Permission

# A worker that was away for longer says nothing late; the next reminder comes in its time.
STILL_TIMELY = timedelta(hours=1)


def remind(session: Session, actor: Actor) -> int:
    """Remind families and caregivers of what comes, and families of what waits; return how many."""
    actor.require(Permission.RUN_JOBS)
    told = 0
    for city in session.scalars(select(City)):
        for hours in city.reminder_hours:
            told += _before(session, city, timedelta(hours=hours))
        told += _unredeemed(session, city)
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
