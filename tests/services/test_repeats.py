from datetime import date, time, timedelta

import pytest
from sqlalchemy import select

from data.catalogue import Skill
from data.demands import Demand
from services import applications, demands, drafts, recurrence, repeats
from services.access import SYSTEM
from services.drafts import DraftFields
from services.errors import Conflict, NotFound
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    HOSPITAL_ID,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHOU,
    demand_of,
    make_application,
    make_booking,
    make_demand,
)


def withdrawn(session, **changes):
    demand_id = make_demand(session, **changes)
    demands.withdraw(session, ZHOU, demand_id)
    session.flush()
    return demand_id


def test_everything_is_filled_in_for_the_same_weekday_and_hour_a_week_later(session, clock):
    former = withdrawn(
        session, place_id=HOSPITAL_ID, skills=(Skill.FEEDING,), words="父亲走路慢", units=3
    )
    repeats.repeat(session, ZHOU, former)

    assert drafts.find(session, ZHOU).lost == ()
    assert drafts.find(session, ZHOU).fields == DraftFields(
        recipient_id=MOTHER_ID,
        item_id=COMPANIONSHIP,
        city_code=NANTONG,
        district_code=CHONGCHUAN,
        place_id=HOSPITAL_ID,
        address="濠河花园 3 幢 502 室",
        day=date(2030, 1, 15),
        start=time(9),
        units=3,
        lowest_fen=3000,
        highest_fen=6000,
        skills=(Skill.FEEDING,),
        words="父亲走路慢",
    )


@pytest.mark.parametrize(
    ("later", "day"),
    [({"days": 1}, 15), ({"days": 8}, 22), ({"days": 7, "hours": 23}, 15), ({"days": 20}, 29)],
)
def test_of_a_long_past_one_it_is_the_first_such_time_ahead(session, clock, later, day):
    former = make_demand(session)
    clock.move(days=1)
    demands.expire_due(session, SYSTEM)
    clock.move(days=-1)
    clock.move(**later)
    repeats.repeat(session, ZHOU, former)

    assert drafts.find(session, ZHOU).fields.day == date(2030, 1, day)


def test_the_neighbourhood_is_kept_where_no_place_was_chosen(session):
    former = withdrawn(session)
    repeats.repeat(session, ZHOU, former)

    assert drafts.find(session, ZHOU).fields.cell == session.get_one(Demand, former).cell


def test_one_that_found_somebody_is_repeated_too(session):
    application_id = make_application(session)
    applications.approve(session, OPERATOR, application_id)
    repeats.repeat(session, ZHOU, demand_of(session, application_id))

    assert drafts.find(session, ZHOU) is not None


def test_an_open_one_is_not(session):
    with pytest.raises(Conflict, match="demand_not_repeatable"):
        repeats.repeat(session, ZHOU, make_demand(session))


def test_nor_one_that_waits_for_a_caregivers_answer(session):
    make_booking(session)
    directed = session.scalars(select(Demand)).one()

    with pytest.raises(Conflict, match="demand_not_repeatable"):
        repeats.repeat(session, ZHOU, directed.id)


def test_nor_a_strangers(session):
    with pytest.raises(NotFound, match="demand_not_found"):
        repeats.repeat(session, STRANGER, withdrawn(session))


@pytest.mark.parametrize("lasts", [timedelta(days=20), None])
def test_a_plan_keeps_its_weekdays_and_how_long_it_lasts(session, lasts):
    first = date(2030, 1, 9)
    former = withdrawn(
        session,
        starts_at=recurrence.moment(first, 14 * 60),
        rule=recurrence.weekly((2, 4), 2, first),
        until_on=first + lasts if lasts else None,
    )
    repeats.repeat(session, ZHOU, former)

    draft = drafts.find(session, ZHOU).fields
    assert (draft.weekdays, draft.weeks) == ((2, 4), 2)
    assert (draft.day, draft.start) == (date(2030, 1, 16), time(14))
    assert draft.until_on == (date(2030, 1, 16) + lasts if lasts else None)


def test_a_draft_that_is_being_written_is_not_thrown_away(session):
    former = withdrawn(session)
    drafts.save(session, ZHOU, DraftFields(words="还没写完"))

    with pytest.raises(Conflict, match="draft_exists"):
        repeats.repeat(session, ZHOU, former)
    assert drafts.find(session, ZHOU).fields.words == "还没写完"


def test_asked_twice_it_is_the_same_draft(session):
    former = withdrawn(session)
    repeats.repeat(session, ZHOU, former)
    repeats.repeat(session, ZHOU, former)

    assert drafts.find(session, ZHOU).fields.words == ""


def test_the_desk_repeats_for_a_caller_only_what_was_the_callers(session):
    former = withdrawn(session)
    repeats.repeat(session, DESK, former, customer_id=ZHOU.id)

    draft = drafts.find(session, DESK, customer_id=ZHOU.id)
    assert (draft.fields.units, draft.fields.address) == (2, "")
    with pytest.raises(NotFound, match="demand_not_found"):
        repeats.repeat(session, DESK, former, customer_id=STRANGER.id)
