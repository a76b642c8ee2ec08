"""The talk of family and caregiver about one order: open while it runs, and some days after."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from data.chat import Talk, TalkKind, TalkStatus
from data.history import Noun
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import audit, clock, held_pay, lifecycles
from services.access import Actor, Permission, Role
from services.errors import Conflict, NotFound

STAYS_OPEN = timedelta(days=7)
LIVE = VisitStatus.PLANNED, VisitStatus.IN_PROGRESS, VisitStatus.FINISHED
_OVER = VisitStatus.REDEEMED, VisitStatus.MISSED, VisitStatus.CANCELLED
_RUNNING = OrderStatus.CONFIRMED, OrderStatus.PAUSED
_ENDED = OrderStatus.COMPLETED, OrderStatus.MISSED, OrderStatus.CANCELLED
_comes, _runs = aliased(Visit), aliased(Visit)


def opens_for(status: OrderStatus, visit_status: VisitStatus, ends_at: datetime) -> bool:
    """Whether both sides of an order with such a visit may talk about it."""
    if visit_status in LIVE or status in _RUNNING:
        return status in _RUNNING
    began = (VisitStatus.REDEEMED, VisitStatus.MISSED)
    return visit_status in began and ends_at > clock.now() - STAYS_OPEN


def opens(session: Session, actor: Actor, order_id: int) -> Talk:
    """The talk about an order the actor may speak about, locked; begun with the first message."""
    actor.require(Permission.CHAT)
    order = session.scalar(select(Order).where(Order.id == order_id, speaks(actor)))
    if order is None:
        raise NotFound("error.order_not_found")
    talk = _of(session, order_id)
    writable = (*_RUNNING, *(_ENDED if talk else _ENDED[:2]))
    if order.status not in writable or (talk and talk.status is TalkStatus.CLOSED):
        raise Conflict("error.order_talk_closed")
    if talk is not None:
        return talk
    talk = Talk(
        created_at=clock.now(),
        kind=TalkKind.ORDER,
        status=TalkStatus.OPEN,
        city_code=order.city_code,
        account_id=order.customer_id,
        order_id=order.id,
    )
    try:
        with session.begin_nested():
            session.add(talk)
    except IntegrityError:  # The other side said something at the same moment.
        if (begun := _of(session, order_id)) is None:
            raise
        return begun
    lifecycles.begin(session, actor, Noun.TALK, talk, "begin")
    return talk


def visible_to(actor: Actor) -> Select[Talk]:
    """The family's, and those of the caregivers who come; nobody else's."""
    talks = select(Talk).join(Order, Order.id == Talk.order_id)
    return talks.where(Talk.kind == TalkKind.ORDER, speaks(actor))


def speaks(actor: Actor) -> ColumnElement[bool]:
    """Of orders: the family's, and the caregiver's who comes; when all is over, who came lately."""
    match actor.role:
        case Role.CUSTOMER:
            return Order.customer_id == actor.id
        case Role.CAREGIVER:
            hers = select(_comes.order_id).where(_comes.caregiver_id == actor.id)
            live = exists().where(_runs.order_id == Order.id, _runs.status.in_(LIVE))
            # The moment it is asked, not the one in which it was written.
            open_since = bindparam(None, callable_=lambda: clock.now() - STAYS_OPEN)
            lately = and_(_comes.status.in_(_OVER), _comes.ends_at > open_since)
            return or_(
                Order.id.in_(hers.where(_comes.status.in_(LIVE))),
                and_(~live.correlate(Order), Order.id.in_(hers.where(lately))),
            )
        case _:
            return false()


def disputed(session: Session, actor: Actor, order_id: int) -> Talk | None:
    """The talk about an order in dispute, for its operators; leaves an audit row."""
    actor.require(Permission.DECIDE_COMPLAINT)
    found = session.scalar(in_dispute(actor).where(Talk.order_id == order_id))
    if found is not None:
        audit.record(session, actor, "read_order_talk", "order", order_id, talk_id=found.id)
    return found


def in_dispute(actor: Actor) -> Select[Talk]:
    """For operators the talks of their cities' orders with an open complaint or incident.

    Not those of their own family or visits; for everybody else none.
    """
    disputes = exists().where(Visit.order_id == Order.id, held_pay.rests()).correlate(Order)
    theirs = exists().where(Visit.order_id == Order.id, Visit.caregiver_id == actor.id)
    return (
        select(Talk)
        .join(Order, Order.id == Talk.order_id)
        .where(
            Order.city_code.in_(actor.cities if actor.role is Role.OPERATOR else ()),
            Order.customer_id != actor.id,
            ~theirs.correlate(Order),
            disputes,
        )
    )


def close_due(session: Session, actor: Actor) -> int:
    """Close the talks of orders that ended a week ago; return how many."""
    actor.require(Permission.RUN_JOBS)
    lately = exists().where(
        Visit.order_id == Order.id,
        or_(Visit.status.in_(LIVE), Visit.ends_at > clock.now() - STAYS_OPEN),
    )
    over = session.scalars(
        select(Talk)
        .join(Order, Order.id == Talk.order_id)
        .where(
            Talk.status == TalkStatus.OPEN,
            Order.status.not_in(_RUNNING),
            ~lately.correlate(Order),
        )
        .with_for_update(skip_locked=True, of=Talk)
    ).all()
    for talk in over:
        lifecycles.take(session, actor, Noun.TALK, talk, "close")
    return len(over)


def _of(session: Session, order_id: int) -> Talk | None:
    return session.scalar(
        select(Talk)
        .where(Talk.order_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
