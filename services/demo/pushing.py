"""Pushes of the demo: a demand pushed in two waves; and an item proposed for by itself."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from data.catalogue import CareItem
from services import clock, places, pushes, recurrence, waves
from services.access import SYSTEM
from services.board import automation
from services.board.automation import AutoMode, Limits
from services.demo import story
from services.demo.cast import Carer, Family
from services.demo.nantong import CITY
from services.demo.plan import Planner, Wish
from services.demo.story import World

ITEM = "companionship"
# The second wave goes out after the first had its time.
POSTED, BEGUN, GOES_ON = (timedelta(minutes=minutes) for minutes in (55, 18, 2))
# Late enough that many are free, at three in the afternoon.
IN_DAYS, STARTS_MINUTE = range(6, 13), 15 * 60
NEAREST = 8


def push(world: World, planner: Planner, families: Sequence[Family], li: Carer) -> None:
    """The operators push what was just posted, and let its item be proposed for by itself."""
    session, operator, now = world.session, world.operator, world.now
    with clock.at(now - POSTED):
        demand_id = story.post(world, _wish(world, planner, families, li))
        item_id = session.scalars(select(CareItem.id).where(CareItem.code == ITEM)).one()
        automation.set_mode(session, operator, CITY, item_id, Limits(AutoMode.SUGGEST))
        session.flush()
    with clock.at(now - BEGUN):
        pushes.begin(session, operator, demand_id)
        session.flush()
    with clock.at(now - GOES_ON):
        waves.send_due(session, SYSTEM)


def _wish(world: World, planner: Planner, families: Sequence[Family], li: Carer) -> Wish:
    """What a family near Li wants, on the day on which most caregivers could come."""
    booking = [one for one in families if one.called_for is None]
    near = sorted(booking, key=lambda one: places.distance_km(one.home.cell, li.cell))[:NEAREST]
    starts = [
        recurrence.moment(clock.today() + timedelta(days=day), STARTS_MINUTE) for day in IN_DAYS
    ]
    wishes = [
        planner.wish(family, ITEM, at, clock.now(), units=2) for family in near for at in starts
    ]
    everybody = (li, *world.carers)
    return max(
        wishes, key=lambda wish: sum(one.can(wish.item, wish.cell, wish.span) for one in everybody)
    )
