from dataclasses import replace
from datetime import timedelta

import pytest

from services import applications, places
from services.board import recommendations
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.search import Wanted
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    FAR_OPERATOR,
    LI,
    MONDAY,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    PRICE_FEN,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    add_colleague,
    make_application,
    make_demand,
    make_redeemed_visit,
    make_visit,
)
from tests.services.board.working_out import A_DAY


def wanted(**changes):
    usual = {
        "item_id": COMPANIONSHIP,
        "city_code": NANTONG,
        "district_code": CHONGCHUAN,
        "cell": places.cell_of_district(CHONGCHUAN),
        "units": 2,
        "starts_at": MONDAY + A_DAY,
    }
    return Wanted(**usual | changes)


def ids(found):
    return [one.caregiver_id for one in found]


def test_the_best_come_first_with_what_the_others_cost_more(session, clock):
    make_redeemed_visit(session, caregiver=ZHAO)
    demand_id = make_demand(session)
    first, second = recommendations.for_demand(session, OPERATOR, demand_id)
    assert (first.caregiver_id, second.caregiver_id) == (ZHAO.id, LI.id)
    assert (first.figures["visits"], second.figures["visits"]) == (1, 0)
    assert second.more["continuity"] > 0
    assert set(first.more.values()) == {0}


def test_there_are_five_at_most_and_whoever_offered_herself_is_told(session, clock):
    colleagues = [add_colleague(session, number) for number in range(1, 7)]
    demand_id = make_demand(session)
    make_application(session, demand_id, caregiver=colleagues[5], price_fen=PRICE_FEN)
    session.flush()
    found = recommendations.for_demand(session, OPERATOR, demand_id)
    assert len(found) == 5
    assert (found[0].caregiver_id, found[0].applied) == (colleagues[5].id, True)
    assert not any(one.applied for one in found[1:])


def test_who_is_busy_is_not_among_them(session, clock):
    make_visit(session, caregiver=LI)
    demand_id = make_demand(session)
    assert ids(recommendations.for_demand(session, OPERATOR, demand_id)) == [ZHAO.id]


def test_plans_settled_demands_and_other_cities_are_refused(session, clock):
    demand_id = make_demand(session)
    with pytest.raises(NotFound):
        recommendations.for_demand(session, FAR_OPERATOR, demand_id)
    with pytest.raises(NotAllowed):
        recommendations.for_demand(session, DESK, demand_id)
    make_visit(session)
    matched = make_application(session, demand_id, caregiver=ZHAO)
    applications.approve(session, OPERATOR, matched)
    session.flush()
    with pytest.raises(NotFound):
        recommendations.for_demand(session, OPERATOR, demand_id)
    plan = make_demand(
        session, rule="DTSTART:20300108T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=TU"
    )
    with pytest.raises(Conflict, match="plans_are_chosen"):
        recommendations.for_demand(session, OPERATOR, plan)


def test_a_caller_is_told_the_best_for_a_time_and_a_recipient(session, clock):
    make_redeemed_visit(session, caregiver=ZHAO)
    found = recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, wanted())
    assert ids(found) == [ZHAO.id, LI.id]
    dear = replace(wanted(), most_fen=PRICE_FEN - 1)
    assert recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, dear) == []
    night = replace(wanted(), starts_at=MONDAY + A_DAY + timedelta(hours=14))
    assert recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, night) == []


def test_a_wish_without_a_time_or_for_somebody_elses_kin_is_refused(session, clock):
    with pytest.raises(Invalid):
        recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, wanted(starts_at=None))
    with pytest.raises(NotFound):
        recommendations.for_wish(session, DESK, ZHOU.id, STRANGERS_FATHER_ID, wanted())
    with pytest.raises(NotFound):
        recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, wanted(city_code="510500"))
    with pytest.raises(NotFound):
        recommendations.for_wish(session, DESK, ZHOU.id, MOTHER_ID, wanted(item_id=9999))
    with pytest.raises(NotAllowed):
        recommendations.for_wish(session, OPERATOR, ZHOU.id, MOTHER_ID, wanted())
