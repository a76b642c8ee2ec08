"""Rulings: what comes of a complaint, and of the one appeal against it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.complaints import Complaint, ComplaintCategory, ComplaintStatus
from data.exclusions import Exclusion
from data.notices import NoticeKind, OutboxMessage
from data.points import PenaltyPoints, PointsStatus
from services import (
    complaint_views,
    complaints,
    income,
    points,
    rulings,
)
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.exclusions import Excluding, Scope
from services.rulings import Ruling
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_operator,
    make_redeemed_visit,
    order_of,
)

BOTH = Ruling("已致歉", apology=True, points=3, excluding=Excluding(Scope.PAIR, "两次冲突"))


@pytest.fixture
def visit_id(session):
    return make_redeemed_visit(session)


@pytest.fixture
def complaint_id(session, visit_id):
    made = complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.ATTITUDE, "说话很难听")
    session.flush()
    return made


@pytest.fixture
def colleague(session):
    return make_operator(session)


def decide(session, complaint_id, ruling=BOTH, actor=OPERATOR):
    rulings.decide(session, actor, complaint_id, ruling)
    session.flush()


def appeal(session, complaint_id, actor=LI, said="家属先骂人"):
    rulings.appeal(session, actor, complaint_id, said)
    session.flush()


def seen_by(session, actor, complaint_id):
    visit_id = session.get_one(Complaint, complaint_id).visit_id
    [seen] = complaint_views.of_orders(session, actor, [order_of(session, visit_id)])
    return seen


def told(session, kind):
    return set(session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)))


class TestDeciding:
    def test_several_things_come_together(self, session, complaint_id):
        decide(session, complaint_id)

        measures = seen_by(session, ZHOU, complaint_id).measures
        assert (measures.apology, measures.points) == (True, 3)
        assert [one.scope for one in measures.exclusions] == [Scope.PAIR]
        assert points.mine(session, LI).total == 3
        assert told(session, NoticeKind.POINTS_GIVEN) == {LI.id}
        assert told(session, NoticeKind.COMPLAINT_CLOSED) == {ZHOU.id, LI.id}

    def test_who_is_kept_out_is_known_to_them_and_the_operators(self, session, complaint_id):
        excluding = Excluding(Scope.CAREGIVER, "多次投诉属实")
        decide(session, complaint_id, Ruling("停止安排", excluding=excluding))

        assert seen_by(session, ZHOU, complaint_id).measures.exclusions == ()
        for actor in (LI, OPERATOR):
            assert len(seen_by(session, actor, complaint_id).measures.exclusions) == 1
        assert told(session, NoticeKind.EXCLUDED) == {LI.id}

    def test_a_refund_comes_with_it(self, session, complaint_id):
        left = rulings.outlook(session, OPERATOR, complaint_id).refundable
        decide(session, complaint_id, Ruling("退一半", 4000, 1000, points=2))
        after = rulings.outlook(session, OPERATOR, complaint_id).refundable
        assert (left.left_fen - after.left_fen, left.pay_left_fen - after.pay_left_fen) == (
            4000,
            1000,
        )
        seen = {
            actor: seen_by(session, actor, complaint_id).measures.refund_fen
            for actor in (ZHOU, LI, OPERATOR)
        }
        assert seen == {ZHOU: 4000, LI: 1000, OPERATOR: 4000}
        assert income.mine(session, LI).frozen_fen == left.pay_left_fen - 1000

    @pytest.mark.parametrize(
        ("amount_fen", "hers_fen", "key"),
        [
            (8001, 0, "refund_too_much"),
            (8000, 6801, "refund_too_much_of_hers"),
            (-1, 0, "refund_parts"),
            (10, 11, "refund_parts"),
        ],
    )
    def test_more_than_can_be_given_back_is_refused_with_all_else(
        self, session, complaint_id, amount_fen, hers_fen, key
    ):
        with pytest.raises((Invalid, Conflict), match=key):
            decide(session, complaint_id, Ruling("退", amount_fen, hers_fen, points=2))
        assert session.get_one(Complaint, complaint_id).status is ComplaintStatus.OPEN
        assert points.mine(session, LI).total == 0

    def test_two_at_once_is_one(self, session, complaint_id, colleague):
        decide(session, complaint_id)
        with pytest.raises(Conflict, match="complaint_moved_on"):
            decide(session, complaint_id, actor=colleague)
        assert len(session.scalars(select(PenaltyPoints)).all()) == 1

    @pytest.mark.parametrize("wrong", [-1, 13, 1000])
    def test_more_points_than_the_rules_allow_are_refused(self, session, complaint_id, wrong):
        with pytest.raises(Invalid, match="points_out_of_range"):
            decide(session, complaint_id, Ruling("扣分", points=wrong))

    def test_needs_words_and_evidence(self, session, complaint_id):
        with pytest.raises(Invalid, match="missing"):
            decide(session, complaint_id, Ruling(" "))
        with pytest.raises(Invalid, match="missing"):
            decide(session, complaint_id, Ruling("停", excluding=Excluding(Scope.PAIR, "")))

    @pytest.mark.parametrize("side", [ZHOU, LI])
    def test_is_for_nobody_who_has_a_part_in_it(self, session, complaint_id, side):
        with pytest.raises(NotAllowed, match="own_dispute"):
            decide(session, complaint_id, actor=Actor(side.id, Role.OPERATOR, frozenset({NANTONG})))
        with pytest.raises(NotFound, match="complaint_not_found"):
            decide(session, complaint_id, actor=FAR_OPERATOR)

    def test_weighs_what_she_has_already(self, session, complaint_id):
        points.give(session, OPERATOR, LI.id, 4, "早先的事")
        found = rulings.outlook(session, OPERATOR, complaint_id)
        assert (found.points, found.limit_points) == (4, 12)


class TestAppealing:
    def test_makes_the_pay_rest_again_until_it_is_decided(
        self, session, clock, complaint_id, colleague
    ):
        decide(session, complaint_id)
        clock.move(days=6)
        appeal(session, complaint_id)
        clock.move(days=8)
        assert income.release_due(session, SYSTEM) == 0
        assert income.mine(session, LI).rows[0].rests
        rulings.uphold(session, colleague, complaint_id, "维持")
        session.flush()
        assert income.release_due(session, SYSTEM) == 1

    def test_holds_back_what_was_due_already(self, session, clock, complaint_id, colleague):
        complaint = session.get_one(Complaint, complaint_id)
        decide(session, complaint_id)
        clock.move(days=7)
        assert income.release_due(session, SYSTEM) == 1
        payable = income.mine(session, LI).payable_fen
        appeal(session, complaint_id, ZHOU)
        assert (payable > 0, income.mine(session, LI).payable_fen) == (True, 0)
        rulings.uphold(session, colleague, complaint.id, "维持")
        session.flush()
        assert income.mine(session, LI).payable_fen == payable

    @pytest.mark.parametrize("actor", [ZHOU, LI, DESK])
    def test_is_open_to_either_side_once(self, session, complaint_id, colleague, actor):
        decide(session, complaint_id)
        assert "appeal" in seen_by(session, actor, complaint_id).moves
        appeal(session, complaint_id, actor)
        for again in (ZHOU, LI):
            with pytest.raises(Conflict, match="appealed_already"):
                appeal(session, complaint_id, again)
        rulings.uphold(session, colleague, complaint_id, "维持")
        session.flush()
        with pytest.raises(Conflict, match="appealed_already"):
            appeal(session, complaint_id, LI)
        assert seen_by(session, actor, complaint_id).moves == ()

    def test_is_open_for_a_week(self, session, clock, complaint_id):
        decide(session, complaint_id)
        clock.move(days=7, seconds=1)
        assert seen_by(session, LI, complaint_id).appeal_until is None
        with pytest.raises(Conflict, match="appeal_too_late"):
            appeal(session, complaint_id)

    def test_needs_an_outcome(self, session, complaint_id):
        with pytest.raises(Conflict, match="nothing_to_appeal"):
            appeal(session, complaint_id)
        complaints.take_back(session, ZHOU, complaint_id)
        session.flush()
        with pytest.raises(Conflict, match="nothing_to_appeal"):
            appeal(session, complaint_id)

    @pytest.mark.parametrize("actor", [STRANGER, ZHAO])
    def test_is_for_nobody_else(self, session, complaint_id, actor):
        decide(session, complaint_id)
        with pytest.raises(NotFound, match="complaint_not_found"):
            appeal(session, complaint_id, actor)

    def test_its_words_the_other_side_does_not_read(self, session, complaint_id):
        decide(session, complaint_id)
        appeal(session, complaint_id)
        said = {
            actor: seen_by(session, actor, complaint_id).appeal.words
            for actor in (LI, OPERATOR, ZHOU)
        }
        assert said == {LI: "家属先骂人", OPERATOR: "家属先骂人", ZHOU: ""}
        assert told(session, NoticeKind.COMPLAINT_APPEALED) == {ZHOU.id, OPERATOR.id}


class TestDecidingAnAppeal:
    @pytest.fixture
    def appealed(self, session, complaint_id):
        decide(session, complaint_id)
        appeal(session, complaint_id)
        return complaint_id

    def test_is_for_another_operator(self, session, appealed, colleague):
        with pytest.raises(NotAllowed, match="another_decides"):
            rulings.uphold(session, OPERATOR, appealed, "维持")
        rulings.uphold(session, colleague, appealed, "维持")
        session.flush()
        found = seen_by(session, ZHOU, appealed).appeal
        assert (found.upheld, found.outcome_words, found.same_judge) == (True, "维持", False)

    def test_is_the_same_operators_where_the_city_has_no_other_and_that_is_said(
        self, session, appealed
    ):
        rulings.uphold(session, OPERATOR, appealed, "维持")
        session.flush()
        assert seen_by(session, ZHOU, appealed).appeal.same_judge

    def test_can_lift_what_was_given_and_give_anew(self, session, appealed, colleague):
        rulings.amend(session, colleague, appealed, Ruling("改记一分", points=1), lift=True)
        session.flush()
        assert points.mine(session, LI).total == 1
        assert seen_by(session, LI, appealed).measures.points == 1
        assert session.scalars(select(Exclusion)).one().lifted_at is not None
        statuses = session.scalars(select(PenaltyPoints.status).order_by(PenaltyPoints.id))
        assert statuses.all() == [PointsStatus.LIFTED, PointsStatus.STANDING]

    def test_can_give_back_more(self, session, complaint_id, colleague):
        decide(session, complaint_id, Ruling("退一半", 4000, 0))
        appeal(session, complaint_id, ZHOU)
        rulings.amend(session, colleague, complaint_id, Ruling("全退", 4000, 0), lift=False)
        session.flush()
        assert seen_by(session, ZHOU, complaint_id).measures.refund_fen == 8000

    def test_can_leave_what_was_given(self, session, appealed, colleague):
        rulings.amend(session, colleague, appealed, Ruling("加记一分", points=1), lift=False)
        session.flush()
        assert points.mine(session, LI).total == 4

    def test_happens_once(self, session, appealed, colleague):
        rulings.uphold(session, colleague, appealed, "维持")
        session.flush()
        with pytest.raises(Conflict, match="complaint_moved_on"):
            rulings.amend(session, colleague, appealed, Ruling("又改"), lift=True)
        assert session.get_one(Complaint, appealed).status is ComplaintStatus.CLOSED

    def test_has_a_deadline_of_its_own(self, session, clock, appealed):
        complaint = session.get_one(Complaint, appealed)
        assert complaint.due_at == clock() + timedelta(days=3)
        assert complaint.owner_id is None
