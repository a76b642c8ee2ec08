"""The workforce for a single work: only the time of those is read who could come."""

from sqlalchemy import update

from data.caregivers import Caregiver, Rate
from data.demands import Demand
from services import clock as service_clock
from services import places
from services.board import open_work, situations
from services.board.open_work import Scope
from services.dispatch import batches, explaining
from tests.factories import (
    COMPANIONSHIP,
    NANTONG,
    PRICE_FEN,
    add_colleague,
    make_application,
    make_demand,
    make_redeemed_visit,
)


def read(session, demand_id):
    """The problem as if nothing else were open, and as a whole run would read it."""
    work = open_work.of_demand(session, session.get_one(Demand, demand_id))
    narrow = situations.alone(session, NANTONG, [work])
    day = service_clock.in_city(work.starts_at).date()
    means = situations.Means(narrow.travel, narrow.weights, 28)
    return narrow, situations.of(session, Scope(NANTONG, day, day), [work], means).problem


def test_who_could_not_come_has_no_time_but_counts_for_evenness(session, clock):
    far, dear, other = (add_colleague(session, number) for number in range(1, 4))
    elsewhere = places.cell_at(121.66, 31.81)
    session.execute(update(Caregiver).where(Caregiver.id == far.id).values(cell=elsewhere))
    of_item = Rate.item_id == COMPANIONSHIP
    session.execute(
        update(Rate).where(Rate.caregiver_id == dear.id, of_item).values(price_fen=PRICE_FEN * 2)
    )
    make_redeemed_visit(session, caregiver=far)
    demand_id = make_demand(session, highest_fen=PRICE_FEN)
    session.flush()
    narrow, wide = read(session, demand_id)
    free = {one.id: one.free for one in narrow.caregivers}
    assert not free[far.id]
    assert not free[dear.id]
    assert free[other.id]
    plans = [batches.solve(one) for one in (narrow, wide)]
    best = [explaining.recommended(plan, 1, 100) for plan in plans]
    assert best[0] == best[1] != []


def test_who_applied_for_less_than_she_lists_could_come(session, clock):
    dear = add_colleague(session)
    demand_id = make_demand(session, highest_fen=PRICE_FEN)
    make_application(session, demand_id, caregiver=dear, price_fen=PRICE_FEN)
    session.execute(
        update(Rate).where(Rate.caregiver_id == dear.id).values(price_fen=PRICE_FEN * 2)
    )
    session.flush()
    narrow, _ = read(session, demand_id)
    assert next(one for one in narrow.caregivers if one.id == dear.id).free
