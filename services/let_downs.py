"""Let-downs: a caregiver did not come; what is arranged for the family, and for her other visits.

The operator has called the family: what is sought for it is posted as by phone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from data.accounts import Channel
from data.calendars import Leave
from data.catalogue import CareItem, Skill
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.orders import EndReason, Order, Party, Visit, VisitStatus
from services import availability, calendars, clock, demands, lifecycles, recurrence, to_do, visits
from services.access import Actor, Permission
from services.board import overrides
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.demands import DemandForm
from services.errors import Conflict, Invalid
from services.to_do import ToDoKind

# Whoever is found needs so long to get there.
SOONEST = timedelta(minutes=30)
_MIDNIGHT = 24 * 60


@dataclass(frozen=True, slots=True)
class LetDown:
    """What can still be arranged on the day of a visit whose caregiver did not come.

    `sought` is how far it is with what was posted for the family; `starts` says when somebody could
    begin. `others` are her visits that stand from `since` until the day ends with `until`; those
    for which somebody is sought as she is away are `waiting`.
    """

    sought: DemandStatus | None
    starts: tuple[datetime, ...]
    since: datetime
    until: datetime
    others: tuple[int, ...]
    waiting: int


def today(session: Session, actor: Actor, visit_id: int) -> LetDown | None:
    """What can be arranged; None if a visit was not let down by its caregiver, or not today."""
    actor.require(Permission.DECIDE_REQUEST)
    visit = visits.reach(session, actor, visit_id)
    if not _is_let_down(visit):
        return None
    posted = select(Demand.status).where(Demand.request_key == _key(visit))
    return LetDown(
        session.scalar(posted),
        tuple(_starts(visit.ends_at - visit.starts_at)),
        clock.now(),
        _day_ends(),
        _others(session, visit.caregiver_id),
        _waiting(session, visit.caregiver_id),
    )


def seek(session: Session, actor: Actor, visit_id: int, starts_at: datetime) -> int:
    """Post the same care for later that day, for no more than was agreed; return the demand's id.

    Once for a visit: whoever asks again gets the same one. Dispatch does not propose her for it
    who did not come.
    """
    actor.require(Permission.DECIDE_REQUEST)
    visit = visits.reach(session, actor, visit_id, lock=True)
    if not _is_let_down(visit):
        raise Conflict("error.no_show_not_recorded")
    posted = select(Demand.id).where(Demand.request_key == _key(visit))
    if (before := session.scalar(posted)) is not None:
        return before
    if starts_at + (visit.ends_at - visit.starts_at) > _day_ends():
        raise Invalid("error.only_today")
    order = session.get_one(Order, visit.order_id)
    by_phone = replace(actor, channel=Channel.PHONE)
    form = _form(session, order, visit, starts_at)
    open_one = DemandStatus.OPEN
    made = demands.store(session, by_phone, form, _key(visit), order.customer_id, open_one)
    lifecycles.begin(session, by_phone, Noun.DEMAND, made, "post")
    demands.announce(session, by_phone, made)
    whose, reason = Subject(demand_id=made.id), OverrideReason.KNOWS_THE_CASE
    overrides.lay_down(session, actor, whose, visit.caregiver_id, OverrideKind.FORBID, reason)
    return made.id


def _is_let_down(visit: Visit) -> bool:
    """Whether its caregiver did not come today."""
    hers = visit.end_reason is EndReason.NO_SHOW and visit.ended_by is Party.CAREGIVER
    return hers and clock.in_city(visit.starts_at).date() == clock.today()


def _form(session: Session, order: Order, visit: Visit, starts_at: datetime) -> DemandForm:
    """What was agreed once more; a plan's discount lowers what is paid for a unit of it."""
    demand = session.get_one(Demand, order.demand_id)
    item = session.get_one(CareItem, order.item_id)
    agreed_fen = min(order.unit_price_fen, visit.total_fen // order.units)
    return DemandForm(
        recipient_id=order.recipient_id,
        item_id=order.item_id,
        city_code=order.city_code,
        district_code=order.district_code,
        address=demand.address,
        starts_at=starts_at,
        units=order.units,
        lowest_fen=item.lowest_fen,
        highest_fen=max(item.lowest_fen, agreed_fen),
        place_id=demand.place_id,
        cell=None if demand.place_id else demand.cell,
        skills=tuple(Skill(one) for one in demand.skills),
        wished_sex=demand.wished_sex,
        words=demand.words,
    )


def _starts(length: timedelta) -> Iterator[datetime]:
    """The half hours at which so long a visit could begin today."""
    midnight = recurrence.moment(clock.today(), 0)
    steps = -(-(clock.now() + SOONEST - midnight) // availability.STEP)
    start = midnight + steps * availability.STEP
    while start + length <= _day_ends():
        yield start
        start += availability.STEP


def _day_ends() -> datetime:
    return recurrence.moment(clock.today(), _MIDNIGHT)


def _others(session: Session, caregiver_id: int) -> tuple[int, ...]:
    """Her visits until the day ends; none if she makes one right now, or is on leave then."""
    span = clock.now(), _day_ends()
    on_leave = exists().where(
        Leave.caregiver_id == caregiver_id,
        Leave.withdrawn_at.is_(None),
        Leave.ends_at > span[0],
        Leave.starts_at < span[1],
    )
    if session.scalar(select(on_leave)):
        return ()
    making = (*calendars.TO_MAKE, VisitStatus.IN_PROGRESS)
    found = calendars.appointments(session, caregiver_id, *span, making)
    if any(one.status is VisitStatus.IN_PROGRESS for one in found):
        return ()
    return tuple(one.visit_id for one in found)


def _waiting(session: Session, caregiver_id: int) -> int:
    waiting = (
        select(func.count(Visit.id))
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.caregiver_id == caregiver_id, to_do.visit_waits(ToDoKind.LEAVES))
    )
    return session.scalar(waiting) or 0


def _key(visit: Visit) -> str:
    return f"let-down-{visit.id}"
