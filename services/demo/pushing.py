"""Pushes of the demo: a demand pushed in two waves; and an item proposed for by itself."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.catalogue import CareItem
from data.demands import Demand
from services import clock, pushes, rules, waves
from services.access import SYSTEM, Actor
from services.board import automation
from services.board.automation import AutoMode, Limits
from services.demo.nantong import CITY

SUGGESTED = "companionship"
# The second wave goes out after the first had its time.
BEGUN, GOES_ON = timedelta(minutes=18), timedelta(minutes=2)


def push(session: Session, operator: Actor, now: datetime) -> None:
    """The operators push what nobody applied for, and let one item be proposed by itself."""
    with clock.at(now - BEGUN):
        item_id = session.scalars(select(CareItem.id).where(CareItem.code == SUGGESTED)).one()
        automation.set_mode(session, operator, CITY, item_id, Limits(AutoMode.SUGGEST))
        demand_id = _for_two_waves(session, operator)
        if demand_id is None:
            return
        pushes.begin(session, operator, demand_id)
        session.flush()
    with clock.at(now - GOES_ON):
        waves.send_due(session, SYSTEM)


def _for_two_waves(session: Session, operator: Actor) -> int | None:
    """A demand for which more caregivers qualify than are told at once."""
    size = rules.now(session, CITY)["wave_size"]
    for one in pushes.pushable(session, operator, CITY):
        demand = session.get_one(Demand, one.demand_id)
        is_old = demand.created_at < clock.now()
        if is_old and len(waves.ranked(session, demand)) > size:
            return demand.id
    return None
