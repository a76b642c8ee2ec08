"""Penalty points: given, counted for twelve months, and contested once."""

import pytest
from sqlalchemy import select

from data.complaints import ComplaintCategory
from data.compliance import ComplianceFinding, FindingKind
from data.history import AuditEvent
from data.points import PenaltyPoints, PointsStatus
from services import clock as service_clock
from services import complaints, points, to_do
from services.access import Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.to_do import ToDoKind
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_operator,
    make_redeemed_visit,
)


def give(session, count=3, caregiver=LI, reason=NASTY, **source):
    made = points.give(session, OPERATOR, caregiver.id, count, reason, **source)
    session.flush()
    return made


def contest(session, points_id, actor=LI, said="那天封路"):
    points.contest(session, actor, points_id, said)
    session.flush()


class TestGiving:
    def test_is_read_by_her_with_its_reason_and_by_nobody_else(self, session):
        give(session)
        mine = points.mine(session, LI)
        assert (mine.total, [one.words for one in mine.given]) == (3, [NASTY])
        assert points.mine(session, ZHAO).given == ()
        assert points.of_caregiver(session, OPERATOR, LI.id).total == 3
        with pytest.raises(NotFound, match="caregiver_not_found"):
            points.of_caregiver(session, FAR_OPERATOR, LI.id)
        audited = select(AuditEvent.subject_id).where(AuditEvent.action == "give_points")
        assert session.scalars(audited).all() == [LI.id]

    def test_counts_for_twelve_months(self, session, clock):
        give(session)
        clock.move(days=364)
        assert points.mine(session, LI).total == 3
        clock.move(days=2)
        mine = points.mine(session, LI)
        assert (mine.total, mine.given[0].counts) == (0, False)

    @pytest.mark.parametrize("wrong", [0, -3, 13])
    def test_is_bounded(self, session, wrong):
        with pytest.raises(Invalid, match="points_out_of_range"):
            give(session, wrong)

    def test_needs_a_reason(self, session):
        with pytest.raises(Invalid, match="missing"):
            give(session, reason=" ")

    def test_for_a_complaint_reaches_only_whose_visit_it_was(self, session):
        visit_id = make_redeemed_visit(session)
        number = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.PRICE, "乱收费")
        with pytest.raises(Invalid, match="points_not_hers"):
            give(session, caregiver=ZHAO, complaint_id=number)
        assert give(session, complaint_id=number)

    def test_can_come_of_a_finding(self, session):
        finding = ComplianceFinding(
            created_at=service_clock.now(),
            seen_at=service_clock.now(),
            city_code=NANTONG,
            kind=FindingKind.PRICE,
            key="order:1",
            caregiver_id=LI.id,
            facts={},
        )
        session.add(finding)
        session.flush()

        made = give(session, finding_id=finding.id)
        assert session.get_one(PenaltyPoints, made).finding_id == finding.id

    def test_reaches_nobody_elsewhere_nor_oneself(self, session):
        for actor in (OPERATOR, FAR_OPERATOR):
            with pytest.raises(NotFound, match="caregiver_not_found"):
                points.give(session, actor, NOBODY_ID, 1, "没有这个人")
        with pytest.raises(NotFound, match="caregiver_not_found"):
            points.give(session, FAR_OPERATOR, LI.id, 1, "别的城市")
        herself = Actor(LI.id, Role.OPERATOR, frozenset({NANTONG}))
        with pytest.raises(NotAllowed, match="own_dispute"):
            points.give(session, herself, LI.id, 1, "自己")


class TestContesting:
    def test_is_hers_and_once(self, session):
        made = give(session)
        with pytest.raises(NotFound, match="points_not_found"):
            contest(session, made, ZHAO)
        contest(session, made)
        with pytest.raises(Conflict, match="points_moved_on"):
            contest(session, made)
        [seen] = points.contested(session, OPERATOR)
        assert (seen.contest_words, seen.name) == ("那天封路", "李桂兰")
        assert points.contested(session, FAR_OPERATOR) == []

    def test_waits_for_the_operators(self, session):
        contest(session, give(session))
        waits = {one.kind: one.count for one in to_do.today(session, OPERATOR)}
        assert waits[ToDoKind.POINTS] == 1
        assert to_do.things(session, OPERATOR, ToDoKind.POINTS)[0].name == "李桂兰"

    @pytest.mark.parametrize(
        ("move", "total", "status"),
        [("uphold", 3, PointsStatus.UPHELD), ("lift", 0, PointsStatus.LIFTED)],
    )
    def test_is_decided_by_an_operator_who_did_not_give_them(self, session, move, total, status):
        colleague, made = make_operator(session), give(session)
        contest(session, made)
        with pytest.raises(NotAllowed, match="another_decides"):
            points.decide(session, OPERATOR, made, move, "看过了")
        points.decide(session, colleague, made, move, "看过了")
        session.flush()
        [mine] = points.mine(session, LI).given
        assert (points.mine(session, LI).total, mine.status) == (total, status)
        assert (mine.decision_words, mine.moves) == ("看过了", ())

    def test_is_decided_by_the_same_where_there_is_no_other(self, session):
        made = give(session)
        contest(session, made)
        points.decide(session, OPERATOR, made, "lift", "看过了")
        session.flush()
        assert points.mine(session, LI).total == 0

    def test_comes_before_any_decision(self, session):
        made = give(session)
        with pytest.raises(Conflict, match="points_moved_on"):
            points.decide(session, OPERATOR, made, "lift", "看过了")
        contest(session, made)
        with pytest.raises(NotFound, match="points_not_found"):
            points.decide(session, FAR_OPERATOR, made, "lift", "看过了")


def test_what_was_written_goes_with_her(session):
    contest(session, give(session))
    points.forget_of(session, [LI.id])
    session.expire_all()
    row = session.scalars(select(PenaltyPoints)).one()
    assert (row.points, row.words, row.contest_words) == (3, "", "")
