"""One caregiver who can be booked: what she offers, and when she is free for it."""

from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.catalogue import CareItem
from services import (
    availability,
    calendars,
    catalogue,
    certificates,
    clock,
    gate,
    openings,
    price_bounds,
)
from services.access import Actor, Permission
from services.caregivers import Offer
from services.errors import NotFound


def offers(session: Session, actor: Actor, caregiver_id: int) -> list[Offer]:
    """What a caregiver who can be booked offers now, with her prices."""
    actor.require(Permission.FIND_CAREGIVERS)
    caregiver = _bookable(session, caregiver_id)
    bounds = price_bounds.in_force(session, caregiver.city_code, clock.today())
    held = certificates.held(session, [caregiver_id]).get(caregiver_id, set())
    rows = session.execute(
        select(Rate.item_id, Rate.price_fen, CareItem.required_certificates)
        .join(CareItem, CareItem.id == Rate.item_id)
        .where(Rate.caregiver_id == caregiver_id, CareItem.active)
        .order_by(CareItem.id)
    )
    return [
        Offer(item_id, bounds[item_id, caregiver.level].clamp(price_fen))
        for item_id, price_fen, needed in rows
        if set(needed) <= held
    ]


def free_starts(
    session: Session, actor: Actor, caregiver_id: int, item_id: int, units: int, cell: str | None
) -> dict[str, list[datetime]]:
    """When a visit of this length in this cell can begin, by ISO date of the city.

    Days without such a time are left out; while the cell is unknown she comes from next door.
    """
    actor.require(Permission.FIND_CAREGIVERS)
    caregiver = _bookable(session, caregiver_id)
    item = catalogue.named(session, item_id)
    length = timedelta(hours=units * item.hours_per_unit)
    rules, now = calendars.rules(session, caregiver.city_code), clock.now()
    last = now + rules.horizon + length
    plan = calendars.around(session, [caregiver_id], now, last)[caregiver_id]
    cell = cell or caregiver.cell
    taken = gate.taken(session, caregiver_id, now - calendars.A_WEEK, last + calendars.A_WEEK)
    by_day = {
        day.isoformat(): availability.starts(plan, rules, taken, length, cell, day)
        for day in availability.bookable_days(rules)
    }
    return {day: starts for day, starts in by_day.items() if starts}


def next_starts(
    session: Session,
    actor: Actor,
    caregiver_id: int,
    item_id: int,
    units: int,
    cell: str,
    most: int = 3,
) -> list[datetime]:
    """The first free start of each of the next days on which a visit of this length can begin."""
    actor.require(Permission.FIND_CAREGIVERS)
    caregiver = _bookable(session, caregiver_id)
    length = timedelta(hours=units * catalogue.named(session, item_id).hours_per_unit)
    rules, now = calendars.rules(session, caregiver.city_code), clock.now()
    plans, taken = openings.times(session, [caregiver_id], now, now + rules.horizon + length)
    firsts = (
        starts[0]
        for day in availability.bookable_days(rules)
        if (
            starts := availability.starts(
                plans[caregiver_id], rules, taken.get(caregiver_id, ()), length, cell, day
            )
        )
    )
    return list(islice(firsts, most))


def _bookable(session: Session, caregiver_id: int) -> Caregiver:
    caregiver = session.scalar(
        select(Caregiver).where(
            Caregiver.id == caregiver_id, Caregiver.status == CaregiverStatus.APPROVED
        )
    )
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    return caregiver
