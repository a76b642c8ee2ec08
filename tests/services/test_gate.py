from datetime import timedelta

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from data import database as engines
from data.caregivers import Caregiver, CaregiverStatus
from data.orders import Visit
from services import gate, places
from services.availability import Taken
from services.errors import Conflict
from tests.factories import (
    CHONGCHUAN,
    LI,
    NOBODY_ID,
    ZHAO,
    ZHOU,
    cancel_order,
    make_order,
    new_visit,
)

# The order's visit takes Tuesday from 9 to 11; hours count from its start.
FREE = [(-2, 0), (2, 4), (24, 26)]
TAKEN = [(0, 2), (-1, 1), (1, 3), (-1, 3), (0.5, 1), (1.99, 5)]


@pytest.fixture
def order_id(session):
    return make_order(session)


def place(session, clock, order_id, span, caregiver=LI):
    start = clock.moment + timedelta(days=1)
    begins, ends = (start + timedelta(hours=hours) for hours in span)
    return gate.place(session, order_id, caregiver.id, [new_visit(begins, ends)])[0]


@pytest.mark.parametrize("span", TAKEN)
def test_two_visits_of_a_caregiver_never_overlap(session, clock, order_id, span):
    with pytest.raises(Conflict, match="caregiver_busy"):
        place(session, clock, order_id, span)


@pytest.mark.parametrize("span", FREE)
def test_visits_may_touch(session, clock, order_id, span):
    visit_id = place(session, clock, order_id, span)

    assert session.get_one(Visit, visit_id).order_id == order_id


def test_another_caregivers_time_is_her_own(session, clock, order_id):
    assert place(session, clock, order_id, (0, 2), ZHAO)


def test_a_cancelled_visit_takes_no_time(session, clock, order_id):
    cancel_order(session, ZHOU, order_id)

    assert place(session, clock, order_id, (0, 2))


@pytest.mark.parametrize("status", [s for s in CaregiverStatus if s != "approved"])
def test_only_an_approved_caregiver_gets_a_visit(session, clock, order_id, status):
    session.execute(update(Caregiver).where(Caregiver.id == LI.id).values(status=status))

    with pytest.raises(Conflict, match="caregiver_not_approved"):
        place(session, clock, order_id, (5, 6))


def test_another_mistake_is_not_taken_for_a_busy_caregiver(database, clock):
    with pytest.raises(IntegrityError), engines.writing() as session:
        place(session, clock, NOBODY_ID, (5, 6))


@pytest.mark.parametrize(("spans", "free"), [(FREE, True), (TAKEN, False)])
def test_asking_beforehand_answers_the_same(session, clock, order_id, spans, free):
    start = clock.moment + timedelta(days=1)
    for first, last in spans:
        window = (start + timedelta(hours=first), start + timedelta(hours=last))
        assert gate.is_free(session, LI.id, *window) is free


def test_taken_times_are_those_between_two_moments(session, clock, order_id):
    start, end = clock.moment + timedelta(days=1), clock.moment + timedelta(days=1, hours=2)

    far = end + timedelta(days=9)
    here = places.cell_of_district(CHONGCHUAN)

    assert gate.taken(session, LI.id, clock.moment, far) == [Taken(start, end, here)]
    assert gate.taken(session, LI.id, end, far) == []
    assert gate.taken(session, LI.id, clock.moment, start) == []
    assert gate.taken(session, ZHAO.id, clock.moment, far) == []


@pytest.mark.postgresql
def test_postgresql_itself_refuses_what_passes_by_the_gate(postgresql_database, clock):
    with engines.writing() as session:
        order_id = make_order(session)
    values = {
        "order_id": order_id,
        "caregiver_id": LI.id,
        "starts_at": clock.moment + timedelta(days=1),
        "ends_at": clock.moment + timedelta(days=1, hours=1),
        "created_at": clock.moment,
        "cell": "",
        "total_fen": 0,
        "commission_fen": 0,
        "price_parts": {},
        "done_tasks": [],
    }

    with (
        pytest.raises(IntegrityError, match="ex_visits_one_at_a_time"),
        engines.writing() as session,
    ):
        session.execute(insert(Visit).values(values))
