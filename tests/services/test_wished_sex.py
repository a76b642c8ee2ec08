"""A family wishes for a woman, or a man: who is of the other sex cannot take the demand."""

import pytest
from sqlalchemy import update

from data.caregivers import Caregiver
from data.demands import Demand
from data.recipients import Sex
from services import announcements, applications, assignments, demands, drafts, hall, repeats
from services.board import recommendations
from services.errors import Conflict
from services.hall import HallFilter
from tests.factories import (
    LI,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    demand_form,
    make_application,
    make_demand,
)


@pytest.fixture
def demand_id(session, clock):
    """A demand for a woman; ZHAO is a man here."""
    session.execute(update(Caregiver).where(Caregiver.id == ZHAO.id).values(sex=Sex.MALE))
    found = make_demand(session, wished_sex=Sex.FEMALE)
    session.flush()
    return found


def test_the_hall_says_so_and_lets_no_man_apply(session, demand_id):
    [hers], [his] = (hall.tasks(session, one, HallFilter()).shown for one in (LI, ZHAO))
    assert (hers.wished_sex, hers.open_moves) == (Sex.FEMALE, ("apply",))
    assert his.open_moves == ()
    with pytest.raises(Conflict, match="other_sex_wished"):
        make_application(session, demand_id, caregiver=ZHAO)
    assert make_application(session, demand_id, caregiver=LI)


def test_men_are_not_told_of_it_nor_sent(session, demand_id):
    assert announcements.announce_demand(session, {"demand_id": demand_id}) == {"told": 1}
    [only] = recommendations.for_demand(session, OPERATOR, demand_id)
    assert only.caregiver_id == LI.id
    with pytest.raises(Conflict, match="caregiver_of_other_sex"):
        assignments.assign(session, OPERATOR, demand_id, ZHAO.id)
    assert assignments.assign(session, OPERATOR, demand_id, LI.id).asked


def test_without_a_wish_either_may_come(session, demand_id):
    other = make_demand(session)
    assert applications.apply(session, ZHAO, other, PRICE_FEN)
    assert announcements.announce_demand(session, {"demand_id": other})["told"] == 2


def test_a_draft_and_a_repeated_demand_keep_the_wish(session, demand_id):
    demands.withdraw(session, ZHOU, demand_id)
    session.flush()
    repeats.repeat(session, ZHOU, demand_id)
    session.flush()
    kept = drafts.find(session, ZHOU)
    assert kept.fields.wished_sex is Sex.FEMALE
    assert session.get_one(Demand, demand_id).wished_sex is Sex.FEMALE
    assert demand_form().wished_sex is None
