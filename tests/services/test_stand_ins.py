from datetime import timedelta

import h3
import pytest
from sqlalchemy import event, func, select, update

from data.caregivers import Caregiver, Rate
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit, VisitStatus
from services import exclusions, leaves, stand_ins, substitutes
from services.access import SYSTEM
from services.board import overrides
from services.board.overrides import OverrideKind, OverrideReason, Subject
from services.dispatch.rules import Rule
from services.errors import Invalid, NotFound
from services.exclusions import Excluding, Scope
from services.leaves import LeaveReason
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    MONDAY,
    NAMES,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    add_colleague,
    make_order,
    make_redeemed_visit,
    order_of,
    visit_of,
)

A_DAY = timedelta(days=1)
ENDS = MONDAY + 20 * A_DAY


def fall_ill(session, *visit_ids):
    session.flush()
    begins = MONDAY.replace(hour=0) + A_DAY
    leaves.take(session, LI, LI.id, begins, ENDS, LeaveReason.ILLNESS, visit_ids)
    session.flush()


@pytest.fixture
def visit_ids(session):
    """Three visits of LI on three days, and her leave over all of them."""
    found = [
        visit_of(session, make_order(session, starts_at=MONDAY + number * A_DAY))
        for number in (1, 2, 3)
    ]
    fall_ill(session, *found)
    return found


def proposed(session):
    """Who is proposed for which visit."""
    lines = stand_ins.propose(session, OPERATOR, LI.id).lines
    return {line.visit_id: line.proposed and line.proposed.id for line in lines}


def told(session, account_id):
    session.flush()
    return session.scalar(
        select(func.count()).where(
            OutboxMessage.kind == NoticeKind.SUBSTITUTE_COMES,
            OutboxMessage.account_id == account_id,
        )
    )


def test_every_visit_hit_gets_the_best_who_is_free(session, visit_ids):
    assert proposed(session) == dict.fromkeys(visit_ids, ZHAO.id)
    assert stand_ins.away(session, OPERATOR) == [stand_ins.Away(LI.id, NAMES[LI], 3)]


def test_nobody_is_proposed_for_two_visits_she_cannot_both_make(session):
    first, second = (
        visit_of(session, make_order(session, starts_at=MONDAY + A_DAY + hours))
        for hours in (timedelta(), timedelta(hours=2))
    )
    # Hours go by on the way from one to the other.
    far = sorted(h3.grid_ring(session.get_one(Visit, first).cell, 8))[0]
    session.execute(update(Visit).where(Visit.id == second).values(cell=far))
    fall_ill(session, first, second)

    assert set(proposed(session).values()) == {ZHAO.id, None}
    lines = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert all(line.options for line in lines)  # She could make either.
    colleague = add_colleague(session)
    assert set(proposed(session).values()) == {ZHAO.id, colleague.id}


def test_who_is_needed_more_elsewhere_is_left_for_that(session):
    """The later visit only ZHAO can make; a colleague who is free makes the other."""
    colleague = add_colleague(session)
    first, second = (
        visit_of(session, make_order(session, starts_at=MONDAY + A_DAY + hours))
        for hours in (timedelta(), timedelta(hours=2))
    )
    far = sorted(h3.grid_ring(session.get_one(Visit, first).cell, 8))[0]
    session.execute(update(Visit).where(Visit.id == second).values(cell=far))
    session.get_one(Caregiver, colleague.id).radius_km = 2
    fall_ill(session, first, second)

    assert proposed(session) == {first: colleague.id, second: ZHAO.id}


def test_who_knows_the_recipient_comes_first(session, clock):
    colleague = add_colleague(session)
    visit_id = visit_of(session, make_order(session, starts_at=MONDAY + 3 * A_DAY))
    make_redeemed_visit(session, caregiver=colleague)
    clock.move(to=MONDAY)
    fall_ill(session, visit_id)

    [line] = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert (line.proposed.id, line.proposed.known) == (colleague.id, 1)
    assert [one.id for one in line.options] == [colleague.id, ZHAO.id]


def test_one_face_makes_all_visits_with_a_recipient(session):
    """Two who are alike: each visit by itself could be made by either."""
    colleague = add_colleague(session)
    ids = [
        visit_of(session, make_order(session, starts_at=MONDAY + number * A_DAY))
        for number in range(1, 7)
    ]
    fall_ill(session, *ids)

    lines = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert all({one.id for one in line.options} == {ZHAO.id, colleague.id} for line in lines)
    assert len({line.proposed.id for line in lines}) == 1


def test_what_operators_laid_down_holds(session, visit_ids):
    colleague = add_colleague(session)
    subjects = [Subject(visit_id=one) for one in visit_ids]
    said = OverrideReason.FAMILY_WISH
    for subject, whom in ((subjects[0], ZHAO), (subjects[1], colleague)):
        overrides.lay_down(session, OPERATOR, subject, whom.id, OverrideKind.PIN, said)
    overrides.lay_down(session, OPERATOR, subjects[2], ZHAO.id, OverrideKind.FORBID, said)
    session.flush()

    lines = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert [line.proposed.id for line in lines] == [ZHAO.id, colleague.id, colleague.id]
    assert [len(line.options) for line in lines] == [2, 2, 1]


def test_a_visit_far_ahead_is_arranged_as_any_other(session):
    visit_id = visit_of(session, make_order(session, starts_at=MONDAY + 2 * A_DAY))
    far = {"starts_at": MONDAY + 90 * A_DAY, "ends_at": MONDAY + 90 * A_DAY + timedelta(hours=2)}
    session.execute(update(Visit).where(Visit.id == visit_id).values(**far))
    session.flush()
    ends = MONDAY + 91 * A_DAY
    leaves.take(session, LI, LI.id, MONDAY + A_DAY, ends, LeaveReason.ILLNESS, [visit_id])
    session.flush()

    assert proposed(session) == {visit_id: ZHAO.id}
    assert stand_ins.ask_all(session, OPERATOR, [(visit_id, ZHAO.id)]).asked == 1


def test_care_around_the_clock_and_visits_by_the_hour_are_both_arranged(session):
    """Who makes the one is not proposed for the others."""
    colleague = add_colleague(session)
    first, second = (
        visit_of(session, make_order(session, starts_at=MONDAY + number * A_DAY))
        for number in (1, 4)
    )
    session.execute(update(Visit).where(Visit.id == second).values(ends_at=MONDAY + 6 * A_DAY))
    session.flush()
    fall_ill(session, first, second)

    assert set(proposed(session).values()) == {ZHAO.id, colleague.id}


def test_who_said_no_and_is_kept_apart_since_may_not_be_chosen(session, visit_ids):
    offer_id = substitutes.ask(session, OPERATOR, visit_ids[0], ZHAO.id)
    session.flush()
    substitutes.refuse(session, ZHAO, offer_id)
    words = Excluding(Scope.PAIR, "两次冲突，通话录音已核实", None)
    exclusions.decide(session, OPERATOR, words, ZHOU.id, ZHAO.id, NANTONG)
    session.flush()

    line = stand_ins.propose(session, OPERATOR, LI.id).lines[0]
    assert line.options == ()
    assert line.obstacles == {Rule.REFUSED: 1}


def test_where_nobody_can_come_it_is_said_why(session, visit_ids):
    session.execute(update(Rate).where(Rate.caregiver_id == ZHAO.id).values(price_fen=4100))

    for line in stand_ins.propose(session, OPERATOR, LI.id).lines:
        assert (line.options, line.proposed) == ((), None)
        assert line.obstacles[Rule.PRICE] == 1


def test_all_are_asked_in_one_go_and_wait_for_an_answer(session, visit_ids):
    wishes = [(visit_id, ZHAO.id) for visit_id in visit_ids]
    assert stand_ins.ask_all(session, OPERATOR, wishes) == stand_ins.Outcome(3, ())

    session.flush()
    lines = stand_ins.propose(session, OPERATOR, LI.id).lines
    assert [line.asked for line in lines] == [NAMES[ZHAO]] * 3
    assert all(line.answer_until and line.proposed is None for line in lines)


def test_who_cannot_be_asked_any_more_is_named_and_the_others_are_asked(session, visit_ids):
    make_order(session, caregiver=ZHAO, starts_at=MONDAY + 2 * A_DAY)
    wishes = [(visit_id, ZHAO.id) for visit_id in visit_ids]
    outcome = stand_ins.ask_all(session, OPERATOR, wishes)

    assert outcome.asked == 2
    [refused] = outcome.refused
    assert (refused.name, refused.starts_at) == (NAMES[ZHAO], MONDAY + 2 * A_DAY)
    assert refused.refusal.key == "error.obstacle_busy"
    offers = select(Visit.replaces_id).where(Visit.status == VisitStatus.OFFERED)
    assert set(session.scalars(offers)) == {visit_ids[0], visit_ids[2]}


@pytest.mark.parametrize("expires", [True, False])
def test_a_no_or_no_answer_brings_the_visit_back(session, clock, visit_ids, expires):
    offer_id = substitutes.ask(session, OPERATOR, visit_ids[0], ZHAO.id)
    session.flush()
    if expires:
        clock.move(hours=2)
        substitutes.expire_due(session, SYSTEM)
    else:
        substitutes.refuse(session, ZHAO, offer_id)
    session.flush()

    line = stand_ins.propose(session, OPERATOR, LI.id).lines[0]
    assert (line.visit_id, line.asked, line.proposed) == (visit_ids[0], "", None)
    assert [one.said_no for one in line.options] == [True]
    colleague = add_colleague(session)
    assert proposed(session)[visit_ids[0]] == colleague.id
    assert stand_ins.ask_all(session, OPERATOR, [(visit_ids[0], ZHAO.id)]).asked == 1


def test_a_family_is_told_once_of_a_new_face(session, visit_ids):
    wishes = [(visit_id, ZHAO.id) for visit_id in visit_ids[:2]]
    order_id = order_of(session, visit_ids[0])
    session.execute(update(Visit).where(Visit.id == visit_ids[1]).values(order_id=order_id))
    stand_ins.ask_all(session, OPERATOR, wishes)
    session.flush()
    offers = select(Visit.id).where(Visit.status == VisitStatus.OFFERED)
    for offer_id in session.scalars(offers).all():
        substitutes.accept(session, ZHAO, offer_id)

    assert told(session, ZHOU.id) == 1
    assert told(session, LI.id) == 2
    assert list(proposed(session)) == visit_ids[2:]


def test_the_questions_are_as_many_for_one_visit_as_for_many(session):
    engine = session.get_bind()

    def questions():
        asked = []
        event.listen(engine, "before_cursor_execute", note := lambda *given: asked.append(given[2]))
        session.expire_all()
        found = stand_ins.propose(session, OPERATOR, LI.id)
        event.remove(engine, "before_cursor_execute", note)
        return len(found.lines), len(asked)

    ids = [
        visit_of(session, make_order(session, starts_at=MONDAY + number * A_DAY))
        for number in range(1, 13)
    ]
    fall_ill(session, *ids)
    many = questions()
    cancelled = VisitStatus.CANCELLED
    session.execute(update(Visit).where(Visit.id.in_(ids[1:])).values(status=cancelled))
    assert many == (12, questions()[1])


def test_others_reach_nothing(session, visit_ids):
    for stranger in (FAR_OPERATOR, DESK):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            stand_ins.propose(session, stranger, LI.id)
    assert stand_ins.away(session, FAR_OPERATOR) == []
    with pytest.raises(NotFound, match="order_not_found"):
        stand_ins.ask_all(session, FAR_OPERATOR, [(visit_ids[0], ZHAO.id)])
    with pytest.raises(Invalid, match="nobody_to_ask"):
        stand_ins.ask_all(session, OPERATOR, [])
    with pytest.raises(Invalid, match="too_many_to_ask"):
        stand_ins.ask_all(session, OPERATOR, [(visit_ids[0], ZHAO.id)] * 51)
