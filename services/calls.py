"""Calls: begun when a caller is chosen, marked by what is done for them, ended with an outcome."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.calls import Call, Direction, Outcome
from data.orders import Order, Visit
from services import callers, clock, redemption
from services.access import Actor, Permission, Role
from services.errors import Invalid, NotFound, ServiceError
from services.wording import words

__all__ = ["Direction", "Outcome"]

# Nobody talks for hours: whatever is open longer was not ended by mistake.
FORGOTTEN = timedelta(hours=2)
FARTHEST = timedelta(days=366)
MOST_SHOWN, MOST_DUE = 5, 50
_customer, _taker = aliased(Account), aliased(Account)


@dataclass(frozen=True, slots=True)
class CallView:
    """One call as the desk sees it; without a customer the caller is unknown."""

    id: int
    customer_id: int | None
    customer_name: str
    taken_by: str
    direction: Direction
    outcome: Outcome | None
    words: str
    spoke_with: str
    order_id: int | None
    visit_id: int | None
    began_at: datetime
    ended_at: datetime | None
    next_call_at: datetime | None


def begin(
    session: Session,
    actor: Actor,
    customer_id: int | None = None,
    direction: Direction = Direction.IN,
) -> int:
    """Take a call, or call somebody; the same caller's goes on, any other open one ends.

    An unknown caller who turns out to be this one stays on the same call.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    home = None
    if customer_id is not None:
        home = callers.reach(session, actor, customer_id).city_code
    for one in session.scalars(_open_of(actor).with_for_update()):
        if one.customer_id in (None, customer_id) and _is_fresh(one):
            one.customer_id = customer_id or one.customer_id
            return one.id
        one.ended_at = min(clock.now(), one.created_at + FORGOTTEN)
    return _new(session, actor, customer_id, home, direction).id


def mark(
    session: Session,
    actor: Actor,
    outcome: Outcome,
    customer_id: int,
    city_code: str,
    *,
    order_id: int | None = None,
    visit_id: int | None = None,
) -> None:
    """What the desk has just done for a caller becomes the outcome of their call.

    A call whose words prove a redemption is not written over: another one begins.
    """
    if actor.role is not Role.DESK:
        return
    call = session.scalars(
        _open_of(actor).where(_fresh(), Call.customer_id == customer_id).limit(1).with_for_update()
    ).one_or_none()
    if call is not None and call.outcome is Outcome.REDEEMED:
        call.ended_at, call = clock.now(), None
    if call is None:
        call = _new(session, actor, customer_id, city_code, Direction.IN)
    call.outcome, call.order_id, call.visit_id = outcome, order_id, visit_id


def redeem(
    session: Session, actor: Actor, visit_id: int, code: str, spoke_with: str, said: str
) -> ServiceError | None:
    """Redeem for a family that was called back: first who it was and what they said is kept.

    A wrong code is returned, not raised: the try must stay counted, and the call with it.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    spoke_with = words(spoke_with, "spoke_with", 40)
    said = words(said, "call_words", 500)
    order = session.scalar(
        select(Order)
        .join(Visit, Visit.order_id == Order.id)
        .where(Visit.id == visit_id, Order.city_code.in_(actor.cities))
    )
    if order is None:
        raise NotFound("error.visit_not_found")
    mark(
        session, actor, Outcome.OTHER, order.customer_id, order.city_code,
        order_id=order.id, visit_id=visit_id,
    )  # fmt: skip
    about = _open_of(actor).where(_fresh(), Call.visit_id == visit_id)
    call = session.scalars(about.order_by(Call.id.desc()).limit(1)).one()
    call.direction, call.spoke_with, call.words = Direction.OUT, spoke_with, said
    session.flush()
    if (refused := redemption.redeem(session, actor, visit_id, code)) is not None:
        return refused
    call.outcome = Outcome.REDEEMED
    return None


def end(
    session: Session,
    actor: Actor,
    call_id: int,
    outcome: Outcome | None,
    said: str = "",
    next_call_at: datetime | None = None,
) -> None:
    """Say how one's own call ended, what was said and when to call next; changed the same way."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    call = session.scalar(
        select(Call).where(Call.id == call_id, Call.taken_by_id == actor.id).with_for_update()
    )
    if call is None:
        raise NotFound("error.call_not_found")
    redeemed = call.outcome is Outcome.REDEEMED
    said = words(said, "call_words", 500, required=redeemed)
    if outcome is None:
        raise Invalid("error.missing", field="outcome")
    if outcome is Outcome.CALL_AGAIN and next_call_at is None:
        raise Invalid("error.missing", field="next_call")
    if next_call_at is not None:
        if call.customer_id is None:
            raise Invalid("error.next_call_to_nobody")
        if not clock.now() < next_call_at <= clock.now() + FARTHEST:
            raise Invalid("error.next_call_time")
    call.outcome = Outcome.REDEEMED if redeemed else outcome
    call.words, call.next_call_at = said, next_call_at
    call.next_call_done_at = None
    call.ended_at = call.ended_at or clock.now()


def current(session: Session, actor: Actor, customer_id: int | None) -> CallView | None:
    """The actor's own open call with this customer, or with somebody unknown."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    theirs = Call.customer_id == customer_id
    mine = _rows().where(Call.taken_by_id == actor.id, Call.ended_at.is_(None), theirs)
    row = session.execute(mine.order_by(Call.id.desc()).limit(1)).one_or_none()
    return _view(*row) if row and _is_fresh(row[0]) else None


def others_on(session: Session, actor: Actor, customer_id: int) -> list[CallView]:
    """Colleagues who have the same caller on the phone at this moment."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    theirs = _rows().where(
        Call.customer_id == customer_id,
        Call.city_code.in_(actor.cities),
        Call.taken_by_id != actor.id,
        Call.ended_at.is_(None),
        _fresh(),
    )
    return [_view(*row) for row in session.execute(theirs.order_by(Call.id))]


def of_customer(session: Session, actor: Actor, customer_id: int) -> list[CallView]:
    """The last calls with a caller that have ended, newest first."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    callers.reach(session, actor, customer_id)
    theirs = _rows().where(
        Call.customer_id == customer_id,
        Call.city_code.in_(actor.cities),
        or_(Call.ended_at.is_not(None), ~_fresh()),
    )
    return [
        _view(*row) for row in session.execute(theirs.order_by(Call.id.desc()).limit(MOST_SHOWN))
    ]


def due(session: Session, actor: Actor) -> list[CallView]:
    """Who is to be called by the end of this day, the longest due first."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    tonight = datetime.combine(clock.today() + timedelta(days=1), time(), clock.CITY_TIME)
    waiting = _rows().where(
        Call.city_code.in_(actor.cities),
        Call.next_call_at < tonight,
        Call.next_call_done_at.is_(None),
        _customer.id.is_not(None),
    )
    return [
        _view(*row)
        for row in session.execute(waiting.order_by(Call.next_call_at, Call.id).limit(MOST_DUE))
    ]


def tick_next(session: Session, actor: Actor, call_id: int) -> None:
    """The next call of this one has been made, or is needed no more."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    call = session.scalar(
        select(Call).where(Call.id == call_id, Call.city_code.in_(actor.cities)).with_for_update()
    )
    if call is None or call.next_call_at is None:
        raise NotFound("error.call_not_found")
    call.next_call_done_at = call.next_call_done_at or clock.now()


def _new(
    session: Session,
    actor: Actor,
    customer_id: int | None,
    city_code: str | None,
    direction: Direction,
) -> Call:
    if not actor.cities:
        raise Invalid("error.city_not_open")
    call = Call(
        created_at=clock.now(),
        city_code=city_code if city_code in actor.cities else min(actor.cities),
        customer_id=customer_id,
        taken_by_id=actor.id,
        direction=direction,
    )
    session.add(call)
    session.flush()
    return call


def _open_of(actor: Actor) -> Select[Call]:
    return select(Call).where(Call.taken_by_id == actor.id, Call.ended_at.is_(None))


def _fresh() -> ColumnElement[bool]:
    return Call.created_at > clock.now() - FORGOTTEN


def _is_fresh(call: Call) -> bool:
    """Whether it may still be going on: nobody talks for hours."""
    return call.created_at > clock.now() - FORGOTTEN


def _rows() -> Select[Call, str, str]:
    return (
        select(Call, _customer.name, _taker.name)
        .outerjoin(_customer, _customer.id == Call.customer_id)
        .join(_taker, _taker.id == Call.taken_by_id)
    )


def _view(call: Call, customer_name: str | None, taken_by: str) -> CallView:
    return CallView(
        id=call.id,
        customer_id=call.customer_id,
        customer_name=customer_name or "",
        taken_by=taken_by,
        direction=call.direction,
        outcome=call.outcome,
        words=call.words,
        spoke_with=call.spoke_with,
        order_id=call.order_id,
        visit_id=call.visit_id,
        began_at=call.created_at,
        ended_at=call.ended_at,
        next_call_at=call.next_call_at,
    )
