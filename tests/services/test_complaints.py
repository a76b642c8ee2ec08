"""Complaints: lodged by either side, closed by an operator who has no part in it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.complaints import Complaint, ComplaintCategory, ComplaintStatus
from data.history import AuditEvent
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import EndReason, Party, Visit
from services import (
    changes,
    complaint_views,
    complaints,
    histories,
    income,
    ledger,
    no_shows,
    orders,
    to_do,
)
from services.access import SYSTEM, Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.to_do import ToDoKind
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
    order_of,
)

QUALITY = ComplaintCategory.QUALITY


@pytest.fixture
def visit_id(session):
    return make_redeemed_visit(session)


def lodge(session, visit_id, actor=ZHOU, said="迟到四十分钟"):
    complaint_id = complaints.lodge(session, actor, visit_id, QUALITY, said)
    session.flush()
    return complaint_id


def told(session, kind):
    rows = session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind))
    return set(rows)


def seen_by(session, actor, visit_id):
    [seen] = complaint_views.of_orders(session, actor, [order_of(session, visit_id)])
    return seen


class TestLodging:
    def test_is_told_to_the_other_side_and_the_operators_and_audited(self, session, visit_id):
        lodge(session, visit_id, said=NASTY)

        assert told(session, NoticeKind.COMPLAINT_OPENED) == {LI.id, OPERATOR.id}
        assert session.scalars(select(Complaint)).one().words == NASTY
        audited = select(AuditEvent.subject_id).where(AuditEvent.action == "open_complaint")
        assert session.scalars(audited).all() == [visit_id]

    def test_each_side_has_one_at_a_time(self, session, visit_id):
        lodge(session, visit_id)
        lodge(session, visit_id, LI, "家属没有开门")
        with pytest.raises(Conflict, match="complaint_open_already"):
            lodge(session, visit_id)
        with pytest.raises(Conflict, match="complaint_open_already"):
            lodge(session, visit_id, DESK)

    def test_what_the_desk_writes_down_is_the_callers(self, session, visit_id):
        lodge(session, visit_id, DESK)

        assert session.scalars(select(Complaint)).one().opened_by_id == ZHOU.id
        assert seen_by(session, ZHOU, visit_id).moves == ("take_back",)

    def test_the_other_side_reads_what_it_is_about_but_not_the_words(self, session, visit_id):
        lodge(session, visit_id)

        hers = seen_by(session, LI, visit_id)
        assert (hers.category, hers.words, hers.moves) == (QUALITY, "", ())
        assert seen_by(session, OPERATOR, visit_id).words == "迟到四十分钟"

    @pytest.mark.parametrize("actor", [STRANGER, ZHAO])
    def test_strangers_find_no_such_visit(self, session, visit_id, actor):
        with pytest.raises(NotFound, match="visit_not_found"):
            lodge(session, visit_id, actor)
        with pytest.raises(NotFound, match="visit_not_found"):
            lodge(session, NOBODY_ID, actor)

    def test_a_visit_still_to_come_gives_no_reason_a_missed_start_does(self, session, clock):
        visit_id = make_visit(session)
        with pytest.raises(Conflict, match="complaint_not_now"):
            lodge(session, visit_id)
        clock.move(days=1, minutes=20)
        assert lodge(session, visit_id)

    def test_a_month_later_it_is_too_late(self, session, clock, visit_id):
        clock.move(days=31)
        with pytest.raises(Conflict, match="complaint_not_now"):
            lodge(session, visit_id)

    @pytest.mark.parametrize(("said", "key"), [("  ", "missing"), ("长" * 501, "too_long")])
    def test_words_are_needed_and_bounded(self, session, visit_id, said, key):
        with pytest.raises(Invalid, match=key):
            lodge(session, visit_id, said=said)


class TestTheEnd:
    def test_an_operator_says_what_came_of_it_to_both_sides(self, session, visit_id):
        complaints.close(session, OPERATOR, lodge(session, visit_id), "已致歉，下次免服务费")
        session.flush()

        assert told(session, NoticeKind.COMPLAINT_CLOSED) == {ZHOU.id, LI.id}
        assert seen_by(session, LI, visit_id).outcome_words == "已致歉，下次免服务费"
        history = histories.of_order(session, ZHOU, order_of(session, visit_id))
        steps = [f"{step.noun}_{step.move}" for step in history]
        assert steps[-2:] == ["complaint_open", "complaint_close"]

    def test_whoever_lodged_it_may_take_it_back_nobody_else(self, session, visit_id):
        complaint_id = lodge(session, visit_id)
        with pytest.raises(NotAllowed, match="not_your_complaint"):
            complaints.take_back(session, LI, complaint_id)
        complaints.take_back(session, ZHOU, complaint_id)
        session.flush()
        with pytest.raises(Conflict, match="complaint_moved_on"):
            complaints.close(session, OPERATOR, complaint_id, "处理过")

        assert session.get_one(Complaint, complaint_id).status is ComplaintStatus.CLOSED
        assert lodge(session, visit_id) != complaint_id

    def test_another_citys_operator_neither_sees_nor_closes_it(self, session, visit_id):
        complaint_id = lodge(session, visit_id)
        with pytest.raises(NotFound, match="complaint_not_found"):
            complaints.close(session, FAR_OPERATOR, complaint_id, "处理过")

        order_id = order_of(session, visit_id)
        assert complaint_views.of_orders(session, FAR_OPERATOR, [order_id]) == []
        assert complaint_views.of_orders(session, STRANGER, [order_id]) == []

    @pytest.mark.parametrize("side", [ZHOU, LI])
    def test_nobody_closes_one_about_a_visit_of_their_own(self, session, visit_id, side):
        complaint_id = lodge(session, visit_id)
        as_operator = Actor(side.id, Role.OPERATOR, frozenset({NANTONG}))
        with pytest.raises(NotAllowed, match="own_dispute"):
            complaints.close(session, as_operator, complaint_id, "没有问题")
        assert seen_by(session, as_operator, visit_id).moves == ()


class TestItsPay:
    def test_rests_while_it_is_open_and_is_released_afterwards(self, session, clock, visit_id):
        complaint_id = lodge(session, visit_id)
        clock.move(days=8)
        assert income.release_due(session, SYSTEM) == 0
        assert income.mine(session, LI).rows[0].rests
        complaints.close(session, OPERATOR, complaint_id, "双方已和解")
        session.flush()

        assert income.release_due(session, SYSTEM) == 1
        assert income.release_due(session, SYSTEM) == 0
        assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, LI.id) == 0

    def test_anothers_is_not_held_back_by_it(self, session, clock, visit_id):
        lodge(session, visit_id)
        make_redeemed_visit(
            session, caregiver=ZHAO, customer=STRANGER, starts_at=clock() - timedelta(days=2)
        )
        clock.move(days=8)

        assert income.release_due(session, SYSTEM) == 1


def test_it_waits_for_the_operator_of_its_city_only(session, clock):
    lodge(session, make_finished_visit(session))

    def count(actor):
        waits = {one.kind: one.count for one in to_do.today(session, actor)}
        return waits[ToDoKind.COMPLAINTS], orders.alerts(session, actor)[ToDoKind.COMPLAINTS]

    assert count(OPERATOR) == (1, 1)
    assert count(FAR_OPERATOR) == (0, 0)
    assert len(orders.listing(session, OPERATOR, alert=ToDoKind.COMPLAINTS)) == 1
    assert to_do.things(session, OPERATOR, ToDoKind.COMPLAINTS)[0].since == clock()


class TestContestingANoShow:
    @pytest.fixture
    def missed(self, session, clock):
        """A visit the family is said to have stayed away from."""
        made = make_visit(session)
        clock.move(to=session.get_one(Visit, made).starts_at)
        changes.miss(session, OPERATOR, made, Party.CUSTOMER, "敲门无人应")
        session.flush()
        return made

    def contest(self, session, visit_id, actor=ZHOU):
        made = complaints.lodge(session, actor, visit_id, ComplaintCategory.NO_SHOW, "我们一直在家")
        session.flush()
        return made

    @pytest.mark.parametrize("actor", [ZHOU, DESK])
    def test_is_for_the_side_it_is_held_against(self, session, missed, actor):
        assert complaints.categories(actor, EndReason.NO_SHOW, Party.CUSTOMER)[0] == "no_show"
        with pytest.raises(Conflict, match="no_show_not_yours"):
            self.contest(session, missed, LI)
        assert self.contest(session, missed, actor)

    def test_needs_a_no_show(self, session):
        with pytest.raises(Conflict, match="no_show_not_yours"):
            self.contest(session, make_finished_visit(session))

    def test_keeps_the_fee_until_it_is_settled(self, session, clock, missed):
        number = self.contest(session, missed)
        clock.move(days=10)
        assert income.release_due(session, SYSTEM) == 0
        complaints.close(session, OPERATOR, number, "门铃坏了不算")
        session.flush()
        assert income.release_due(session, SYSTEM) == 1

    def test_ends_with_the_no_show(self, session, clock, missed):
        number = self.contest(session, missed)
        no_shows.take_back(session, OPERATOR, missed, "家属提供了录像")
        session.flush()
        closed = session.get_one(Complaint, number)
        assert (closed.status, closed.outcome_words) == ("closed", "家属提供了录像")
        clock.move(days=10)
        assert income.release_due(session, SYSTEM) == 0
        with pytest.raises(Conflict, match="no_show_not_yours"):
            self.contest(session, missed)
