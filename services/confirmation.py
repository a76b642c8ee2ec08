"""Confirmation: visits no family redeemed confirm themselves, unless something is amiss."""

from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from data.cities import City
from data.history import Noun
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from services import agreements, clock, held_pay, lifecycles, notices, redemption
from services.access import Actor, Permission

REMINDED_BEFORE = timedelta(days=1)
MOST_AT_ONCE = 200


def confirm_due(session: Session, actor: Actor) -> int:
    """Confirm the visits whose days are over, and remind the families a day before.

    Return how many were confirmed; what another worker holds at this moment is left to it.
    """
    actor.require(Permission.RUN_JOBS)
    confirmed = 0
    for city in session.scalars(select(City)):
        until = clock.now() - timedelta(days=city.auto_confirm_days)
        for order, visit in session.execute(_left(city, until, until + REMINDED_BEFORE)):
            _remind(session, order, visit)
        confirmed += _confirm(session, actor, city, until)
    return confirmed


def _confirm(session: Session, actor: Actor, city: City, until: datetime) -> int:
    due = session.execute(
        _left(city, None, until)
        .order_by(Visit.checked_out_at)
        .limit(MOST_AT_ONCE)
        .with_for_update(of=[Visit, Order], skip_locked=True)
    ).all()
    resting = held_pay.resting(session, [visit.id for _, visit in due])
    done = [(order, visit) for order, visit in due if visit.id not in resting]
    done.sort(key=lambda one: one[1].caregiver_id)  # The order of locks: services/pay.py.
    for order, visit in done:
        lifecycles.take(session, actor, Noun.VISIT, visit, "auto_confirm")
        redemption.settle(session, actor, order, visit)
        named, about = agreements.facts(order, visit.id), f"visit-{visit.id}"
        notices.tell(session, NoticeKind.VISIT_CONFIRMED, order.customer_id, about, **named)
        notices.tell(
            session,
            NoticeKind.VISIT_CONFIRMED,
            visit.caregiver_id,
            about,
            **named,
            pay_fen=visit.pay_fen,
        )
    return len(done)


def _remind(session: Session, order: Order, visit: Visit) -> None:
    notices.tell(
        session,
        NoticeKind.REDEEM_REMINDER,
        order.customer_id,
        f"visit-{visit.id}-before",
        **agreements.facts(order, visit.id),
    )


def _left(city: City, after: datetime | None, until: datetime) -> Select[Order, Visit]:
    """The city's visits that were made until then, wait for their code, and are undisputed."""
    left = (
        select(Order, Visit)
        .join(Visit, Visit.order_id == Order.id)
        .where(
            Order.city_code == city.code,
            Visit.status == VisitStatus.FINISHED,
            Visit.checked_out_at <= until,
            ~held_pay.rests(),
        )
    )
    return left.where(Visit.checked_out_at > after) if after else left
