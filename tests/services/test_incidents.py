"""Incidents: reported during a visit, told to the operators at once, closed with words."""

import pytest
from sqlalchemy import select

from data.complaints import Incident, IncidentKind
from data.notices import NoticeKind, OutboxMessage
from services import incidents, income, redemption, to_do, visits
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.to_do import ToDoKind
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_finished_visit,
    make_visit,
    order_of,
)

FALL = IncidentKind.FALL


@pytest.fixture
def visit_id(session):
    return make_finished_visit(session)


def report(session, visit_id, actor=LI, said="下床时滑倒，右手擦伤"):
    incident_id = incidents.report(session, actor, visit_id, FALL, said)
    session.flush()
    return incident_id


def told(session, kind):
    rows = session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind))
    return set(rows)


def seen_by(session, actor, visit_id):
    return incidents.of_orders(session, actor, [order_of(session, visit_id)])


def test_the_operators_are_told_at_once_and_the_family_by_telephone(session, visit_id):
    report(session, visit_id, said=NASTY)

    assert told(session, NoticeKind.INCIDENT_REPORTED) == {OPERATOR.id}
    assert session.scalars(select(Incident)).one().words == NASTY
    [first, *_] = to_do.today(session, OPERATOR)
    assert (first.kind, first.count) == (ToDoKind.INCIDENTS, 1)
    assert to_do.today(session, FAR_OPERATOR)[0].count == 0


def test_the_family_reads_what_kind_it_was_and_not_the_caregivers_words(session, visit_id):
    report(session, visit_id)

    [family], [hers], [operators] = (
        seen_by(session, actor, visit_id) for actor in (ZHOU, LI, OPERATOR)
    )
    assert (family.kind, family.words) == (FALL, "")
    assert hers.words == operators.words == "下床时滑倒，右手擦伤"
    assert seen_by(session, STRANGER, visit_id) == []
    assert seen_by(session, FAR_OPERATOR, visit_id) == []


def test_its_pay_rests_until_an_operator_has_closed_it(session, clock, visit_id):
    incident_id = report(session, visit_id)
    redemption.redeem(session, ZHOU, visit_id, code_of(session, visit_id))
    session.flush()
    clock.move(days=8)
    assert income.release_due(session, SYSTEM) == 0
    incidents.close(session, OPERATOR, incident_id, "已陪同就诊，无大碍")
    session.flush()

    assert income.release_due(session, SYSTEM) == 1
    assert told(session, NoticeKind.INCIDENT_CLOSED) == {ZHOU.id, LI.id}
    assert seen_by(session, ZHOU, visit_id)[0].outcome_words == "已陪同就诊，无大碍"
    with pytest.raises(Conflict, match="incident_moved_on"):
        incidents.close(session, OPERATOR, incident_id, "再次处理")


def test_only_of_a_visit_that_goes_on_or_has_just_been_made(session, clock):
    visit_id = make_visit(session)
    with pytest.raises(Conflict, match="incident_not_now"):
        report(session, visit_id)
    clock.move(days=1)
    visits.check_in(session, LI, visit_id)
    report(session, visit_id)
    with pytest.raises(Conflict, match="incident_open_already"):
        report(session, visit_id)


def test_another_caregiver_finds_no_such_visit(session, visit_id):
    with pytest.raises(NotFound, match="visit_not_found"):
        report(session, visit_id, ZHAO)


def test_another_citys_operator_and_whoever_was_there_do_not_close_it(session, visit_id):
    incident_id = report(session, visit_id)
    with pytest.raises(NotFound, match="incident_not_found"):
        incidents.close(session, FAR_OPERATOR, incident_id, "处理过")
    herself = Actor(LI.id, Role.OPERATOR, frozenset({NANTONG}))
    with pytest.raises(NotAllowed, match="own_dispute"):
        incidents.close(session, herself, incident_id, "处理过")


@pytest.mark.parametrize(("said", "key"), [("", "missing"), ("长" * 501, "too_long")])
def test_words_are_needed_and_bounded(session, visit_id, said, key):
    with pytest.raises(Invalid, match=key):
        report(session, visit_id, said=said)
    incident_id = report(session, visit_id)
    with pytest.raises(Invalid, match=key):
        incidents.close(session, OPERATOR, incident_id, said)
