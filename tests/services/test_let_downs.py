"""What is arranged on the day of a visit whose caregiver did not come."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Channel
from data.demands import Demand, DemandStatus
from data.orders import Order, Party, Visit
from services import changes, leaves, let_downs, no_shows, stand_ins, visits
from services.board import recommendations
from services.errors import Conflict, Invalid, NotFound
from services.leaves import LeaveReason
from tests.factories import (
    FAR_OPERATOR,
    LI,
    MONDAY,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    make_order,
    make_visit,
    visit_of,
)

AN_HOUR = timedelta(hours=1)
STARTS = MONDAY + timedelta(days=1)


@pytest.fixture
def visit_id(session, clock):
    """LI was expected at nine and did not come; it is half past."""
    found = visit_of(session, make_order(session, starts_at=STARTS))
    session.flush()
    clock.move(to=STARTS + AN_HOUR / 2)
    return found


def miss(session, visit_id, party=Party.CAREGIVER):
    changes.miss(session, OPERATOR, visit_id, party, "电话无人接听，用户确认没有人来")
    session.flush()


def today(session, visit_id):
    return let_downs.today(session, OPERATOR, visit_id)


def test_the_same_care_is_sought_for_later_that_day(session, visit_id):
    miss(session, visit_id)
    found = today(session, visit_id)
    assert (found.sought, found.starts[0]) == (None, STARTS + AN_HOUR)
    assert found.starts[-1] == STARTS + 13 * AN_HOUR  # It lasts two hours, until midnight.

    demand_id = let_downs.seek(session, OPERATOR, visit_id, found.starts[2])
    session.flush()
    demand = session.get_one(Demand, demand_id)
    agreed = session.scalars(
        select(Demand)
        .join(Order, Order.demand_id == Demand.id)
        .join(Visit)
        .where(Visit.id == visit_id)
    ).one()
    for what in ("customer_id", "recipient_id", "item_id", "cell", "address", "units", "skills"):
        assert getattr(demand, what) == getattr(agreed, what)
    assert (demand.status, demand.starts_at) == (DemandStatus.OPEN, STARTS + 2 * AN_HOUR)
    assert (demand.highest_fen, demand.channel) == (PRICE_FEN, Channel.PHONE)
    assert today(session, visit_id).sought is DemandStatus.OPEN
    assert let_downs.seek(session, OPERATOR, visit_id, found.starts[3]) == demand_id


def test_who_did_not_come_is_not_proposed_for_it(session, visit_id):
    miss(session, visit_id)
    demand_id = let_downs.seek(session, OPERATOR, visit_id, STARTS + 2 * AN_HOUR)
    session.flush()

    best = recommendations.for_demand(session, OPERATOR, demand_id)
    assert [one.caregiver_id for one in best] == [ZHAO.id]


def test_her_other_visits_that_day_are_at_risk_until_she_is_away(session, visit_id):
    later = make_visit(session, starts_at=STARTS + 5 * AN_HOUR)
    make_visit(session, starts_at=STARTS + timedelta(days=1))
    miss(session, visit_id)
    found = today(session, visit_id)
    assert (found.others, found.waiting) == ((later,), 0)

    leaves.take(session, OPERATOR, LI.id, found.since, found.until, LeaveReason.OTHER, found.others)
    session.flush()
    found = today(session, visit_id)
    assert (found.others, found.waiting) == ((), 1)
    [line] = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert (line.visit_id, line.proposed.id) == (later, ZHAO.id)


def test_who_is_at_another_familys_has_not_vanished(session, visit_id):
    later = make_visit(session, starts_at=STARTS + 2 * AN_HOUR + AN_HOUR / 2)
    make_visit(session, starts_at=STARTS + 6 * AN_HOUR)
    miss(session, visit_id)
    visits.check_in(session, LI, later)
    session.flush()

    assert today(session, visit_id).others == ()


def test_nothing_is_arranged_but_for_a_family_let_down_today(session, clock, visit_id):
    assert today(session, visit_id) is None
    with pytest.raises(NotFound):
        let_downs.today(session, FAR_OPERATOR, visit_id)
    miss(session, visit_id)
    with pytest.raises(Invalid, match="only_today"):
        let_downs.seek(session, OPERATOR, visit_id, STARTS + timedelta(days=1))
    with pytest.raises(Invalid, match="start_in_past"):
        let_downs.seek(session, OPERATOR, visit_id, STARTS)
    clock.move(hours=13)
    assert today(session, visit_id).starts == ()
    clock.move(hours=12)
    assert today(session, visit_id) is None
    with pytest.raises(Conflict, match="no_show_not_recorded"):
        let_downs.seek(session, OPERATOR, visit_id, STARTS + timedelta(days=1, hours=3))


@pytest.mark.parametrize("taken_back", [True, False])
def test_a_family_that_stayed_away_itself_was_not_let_down(session, visit_id, taken_back):
    miss(session, visit_id, Party.CAREGIVER if taken_back else Party.CUSTOMER)
    if taken_back:
        no_shows.take_back(session, OPERATOR, visit_id, "陪护员在场，用户没有开门")

    assert today(session, visit_id) is None
