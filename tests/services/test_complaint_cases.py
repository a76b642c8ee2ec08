"""Cases: a queue by deadline, who has taken what, what is written and handed in, and escalation."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from data.complaints import Complaint, ComplaintCategory, ComplaintEvidence, ComplaintMessage
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Party
from services import (
    complaint_cases,
    complaint_deadlines,
    complaint_evidence,
    complaint_messages,
    complaint_views,
    complaints,
    pictures,
    rulings,
)
from services.access import SYSTEM, Actor, Role
from services.complaint_cases import Queue
from services.complaint_messages import Audience
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.pictures import PictureKind
from services.rulings import Ruling
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    empty_page,
    make_operator,
    make_redeemed_visit,
    order_of,
)

SAFETY, QUALITY = ComplaintCategory.SAFETY, ComplaintCategory.QUALITY


@pytest.fixture
def visit_id(session):
    return make_redeemed_visit(session)


@pytest.fixture
def complaint_id(session, visit_id):
    """ZHOU's complaint of LI, with two photos."""
    pages = [empty_page(), empty_page()]
    made = complaints.lodge(session, ZHOU, visit_id, QUALITY, "迟到四十分钟", pages)
    session.flush()
    return made


def told(session, kind):
    rows = session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind))
    return set(rows)


def listed(session, queue, actor=OPERATOR, category=None):
    return [one.id for one in complaint_cases.listing(session, actor, queue, category)]


class TestTheQueue:
    def test_has_the_most_pressing_first(self, session, clock, complaint_id):
        hers = make_redeemed_visit(
            session, caregiver=ZHAO, customer=STRANGER, starts_at=clock() - timedelta(days=2)
        )
        urgent = complaints.lodge(session, STRANGER, hers, SAFETY, "差点摔倒")
        session.flush()

        assert listed(session, Queue.UNDECIDED) == [urgent, complaint_id]
        assert listed(session, Queue.UNDECIDED, category=QUALITY) == [complaint_id]
        assert listed(session, Queue.UNDECIDED, FAR_OPERATOR) == []

    def test_counts_what_it_lists(self, session, clock, complaint_id):
        def counted():
            found = complaint_cases.counts(session, OPERATOR)
            assert found == {queue: len(listed(session, queue)) for queue in Queue}
            return {queue for queue, count in found.items() if count}

        assert counted() == {Queue.UNDECIDED, Queue.UNOWNED}
        complaint_cases.take(session, OPERATOR, complaint_id)
        clock.move(days=10)
        session.flush()
        assert counted() == {Queue.UNDECIDED, Queue.MINE, Queue.OVERDUE}
        rulings.decide(session, OPERATOR, complaint_id, Ruling("已致歉"))
        session.flush()
        assert counted() == {Queue.DECIDED}
        rulings.appeal(session, LI, complaint_id, "我没有迟到")
        session.flush()
        assert counted() == {Queue.UNDECIDED, Queue.UNOWNED, Queue.APPEALED}

    def test_a_page_is_as_long_as_it_is_asked_for(self, session, complaint_id):
        assert complaint_cases.listing(session, OPERATOR, Queue.UNDECIDED, offset=1) == []


class TestAnOwner:
    def test_takes_a_case_and_hands_it_over(self, session, complaint_id):
        colleague = make_operator(session)
        complaint_cases.take(session, OPERATOR, complaint_id)
        assert [one.id for one in complaint_cases.colleagues(session, OPERATOR, complaint_id)] == [
            colleague.id
        ]
        complaint_cases.hand_over(session, OPERATOR, complaint_id, colleague.id)
        session.flush()

        case = complaint_cases.one(session, colleague, complaint_id)
        assert case.owner_id == colleague.id
        assert [step.move for step in case.steps] == ["open", "take", "hand_over"]
        assert told(session, NoticeKind.COMPLAINT_HANDED_OVER) == {colleague.id}

    @pytest.mark.parametrize("nobody", [ZHOU.id, DESK.id, FAR_OPERATOR.id, OPERATOR.id])
    def test_is_an_operator_of_the_city(self, session, complaint_id, nobody):
        complaint_cases.take(session, OPERATOR, complaint_id)
        with pytest.raises(Invalid, match="not_an_operator_there"):
            complaint_cases.hand_over(session, OPERATOR, complaint_id, nobody)

    def test_has_no_part_in_it(self, session, complaint_id):
        own = Actor(LI.id, Role.OPERATOR, frozenset({NANTONG}))
        with pytest.raises(NotAllowed, match="own_dispute"):
            complaint_cases.take(session, own, complaint_id)
        assert complaint_messages.of(session, own, complaint_id) == []
        assert complaint_evidence.of(session, own, complaint_id) == []
        assert complaint_cases.one(session, own, complaint_id).complaint.moves == ()

    def test_of_another_city_finds_no_such_case(self, session, complaint_id):
        for deed in (complaint_cases.take, complaint_cases.one, rulings.outlook):
            with pytest.raises(NotFound, match="complaint_not_found"):
                deed(session, FAR_OPERATOR, complaint_id)


class TestDeadlines:
    def chase(self, session):
        done = complaint_deadlines.chase_due(session, SYSTEM)
        session.flush()
        return done

    def test_count_working_hours_by_category(self, session, clock, complaint_id):
        complaint = session.get_one(Complaint, complaint_id)
        # Monday nine o'clock; the desk is there from eight to twenty.
        assert complaint.due_at == clock() + timedelta(days=3)
        assert complaint.due_soon_at == clock() + timedelta(days=2, hours=8)

    def test_coming_near_tell_the_owner_once(self, session, clock, complaint_id):
        complaint_cases.take(session, OPERATOR, complaint_id)
        make_operator(session)
        clock.move(days=2, hours=9)
        assert self.chase(session) == self.chase(session) == 0
        assert told(session, NoticeKind.COMPLAINT_DUE) == {OPERATOR.id}

    def test_coming_near_tell_everybody_where_nobody_owns_it(self, session, clock, complaint_id):
        colleague = make_operator(session)
        clock.move(days=2, hours=9)
        self.chase(session)
        assert told(session, NoticeKind.COMPLAINT_DUE) == {OPERATOR.id, colleague.id}

    def test_passed_are_escalated_to_every_operator_once(self, session, clock, complaint_id):
        complaint_cases.take(session, OPERATOR, complaint_id)
        colleague = make_operator(session)
        clock.move(days=3, minutes=1)
        assert (self.chase(session), self.chase(session)) == (1, 0)
        assert told(session, NoticeKind.COMPLAINT_OVERDUE) == {OPERATOR.id, colleague.id}
        [seen] = complaint_views.of_orders(
            session, ZHOU, [order_of(session, session.get_one(Complaint, complaint_id).visit_id)]
        )
        assert seen.escalated

    def test_of_what_is_decided_concern_nobody(self, session, clock, complaint_id):
        rulings.decide(session, OPERATOR, complaint_id, Ruling("已致歉"))
        session.flush()
        clock.move(days=30)
        assert self.chase(session) == 0


class TestMessages:
    def write(self, session, complaint_id, actor, said, audience=None, key="a"):
        complaint_messages.write(session, actor, complaint_id, said, key, audience)
        session.flush()

    def read(self, session, complaint_id, actor):
        return [one.words for one in complaint_messages.of(session, actor, complaint_id)]

    def test_of_a_side_only_it_and_the_operators_read(self, session, complaint_id):
        self.write(session, complaint_id, ZHOU, NASTY)
        self.write(session, complaint_id, LI, "路上堵车", key="b")

        assert self.read(session, complaint_id, ZHOU) == [NASTY]
        assert self.read(session, complaint_id, DESK) == [NASTY]
        assert self.read(session, complaint_id, LI) == ["路上堵车"]
        assert self.read(session, complaint_id, OPERATOR) == [NASTY, "路上堵车"]
        for stranger in (STRANGER, ZHAO, FAR_OPERATOR):
            assert self.read(session, complaint_id, stranger) == []

    @pytest.mark.parametrize(
        ("audience", "readers"),
        [
            (Audience.CUSTOMER, {ZHOU}),
            (Audience.CAREGIVER, {LI}),
            (Audience.BOTH, {ZHOU, LI}),
            (Audience.STAFF, set()),
        ],
    )
    def test_of_the_platform_those_read_whom_it_writes_to(
        self, session, complaint_id, audience, readers
    ):
        self.write(session, complaint_id, OPERATOR, "请说明情况", audience)
        assert {one for one in (ZHOU, LI) if self.read(session, complaint_id, one)} == readers
        assert told(session, NoticeKind.COMPLAINT_MESSAGE) == {one.id for one in readers}
        assert self.read(session, complaint_id, OPERATOR) == ["请说明情况"]

    def test_of_a_side_are_told_to_the_owner_alone(self, session, complaint_id):
        make_operator(session)
        complaint_cases.take(session, OPERATOR, complaint_id)
        self.write(session, complaint_id, LI, "路上堵车")
        assert told(session, NoticeKind.COMPLAINT_MESSAGE) == {OPERATOR.id}

    def test_sent_twice_by_a_double_click_are_one(self, session, complaint_id):
        self.write(session, complaint_id, ZHOU, "补充一点")
        self.write(session, complaint_id, ZHOU, "补充一点")
        assert len(session.scalars(select(ComplaintMessage)).all()) == 1

    def test_are_refused_without_words_and_after_the_end(self, session, complaint_id):
        with pytest.raises(Invalid, match="missing"):
            self.write(session, complaint_id, ZHOU, " ")
        with pytest.raises(NotFound, match="complaint_not_found"):
            self.write(session, complaint_id, STRANGER, "我也要说")
        rulings.decide(session, OPERATOR, complaint_id, Ruling("已致歉"))
        with pytest.raises(Conflict, match="complaint_moved_on"):
            self.write(session, complaint_id, ZHOU, "还有一点")


class TestEvidence:
    def first(self, session):
        return session.scalars(select(ComplaintEvidence.id).order_by(ComplaintEvidence.id)).first()

    def opens(self, session, actor, evidence_id, purpose):
        made = pictures.ticket(session, actor, PictureKind.EVIDENCE, evidence_id, purpose)
        session.flush()
        return pictures.take(session, actor, made)[:4] == b"RIFF"

    def test_is_sealed_and_seen_by_its_side_and_the_operators(self, session, complaint_id):
        first = self.first(session)
        assert self.opens(session, ZHOU, first, "own")
        assert self.opens(session, OPERATOR, first, "complaint")
        opened = select(AuditEvent.actor_id).where(AuditEvent.action == "open_evidence")
        assert session.scalars(opened).all() == [OPERATOR.id]
        for other in (LI, STRANGER, ZHAO):
            with pytest.raises(NotFound, match="document_not_found"):
                self.opens(session, other, first, "own")
        with pytest.raises(NotFound, match="document_not_found"):
            self.opens(session, FAR_OPERATOR, first, "complaint")

    def test_the_desk_hands_in_what_a_caller_sends_for_the_family(self, session, complaint_id):
        complaint_evidence.add(session, DESK, complaint_id, [empty_page()])
        session.flush()
        handed_in = complaint_evidence.of(session, ZHOU, complaint_id)
        assert [(one.number, one.by) for one in handed_in] == [
            (number, Party.CUSTOMER) for number in (1, 2, 3)
        ]
        third = handed_in[-1].id
        assert complaint_evidence.of(session, LI, complaint_id) == []
        assert self.opens(session, ZHOU, third, "own")
        assert self.opens(session, DESK, third, "complaint")
        deeds = select(AuditEvent.actor_id).where(AuditEvent.action == "hand_in_evidence")
        assert session.scalars(deeds).all() == [DESK.id]
        far_desk = Actor(DESK.id, Role.DESK, frozenset({LUZHOU}))
        with pytest.raises(NotFound, match="complaint_not_found"):
            complaint_evidence.add(session, far_desk, complaint_id, [empty_page()])

    def test_the_desk_lodges_with_what_the_caller_sent(self, session, visit_id):
        made = complaints.lodge(session, DESK, visit_id, QUALITY, "来电：迟到", [empty_page()])
        session.flush()
        [page] = complaint_evidence.of(session, ZHOU, made)
        assert page.by is Party.CUSTOMER
        with pytest.raises(Invalid, match="evidence_full"):
            complaint_evidence.add(session, DESK, made, [empty_page()] * 10)
        rulings.decide(session, OPERATOR, made, Ruling("已致歉"))
        with pytest.raises(Conflict, match="complaint_moved_on"):
            complaint_evidence.add(session, DESK, made, [empty_page()])

    def test_is_shown_to_the_other_side_once_it_is_shared(self, session, complaint_id):
        first = self.first(session)
        complaint_evidence.share(session, OPERATOR, first)
        session.flush()
        assert [one.id for one in complaint_evidence.of(session, LI, complaint_id)] == [first]
        assert self.opens(session, LI, first, "own")

    def test_is_bounded_for_each_side(self, session, complaint_id):
        with pytest.raises(Invalid, match="evidence_full"):
            complaint_evidence.add(session, ZHOU, complaint_id, [empty_page()] * 9)
        complaint_evidence.add(session, LI, complaint_id, [empty_page()] * 10)
        with pytest.raises(Invalid, match="document_unreadable"):
            complaint_evidence.add(session, ZHOU, complaint_id, [])

    def test_too_much_of_it_keeps_a_complaint_from_being_lodged(self, session, visit_id):
        with pytest.raises(Invalid, match="evidence_full"):
            complaints.lodge(session, ZHOU, visit_id, QUALITY, "迟到", [empty_page()] * 11)

    def test_is_shredded_when_its_days_are_over(self, session, clock, complaint_id):
        clock.move(days=91)
        assert complaint_evidence.shred_due(session, SYSTEM) == 0
        rulings.decide(session, OPERATOR, complaint_id, Ruling("已致歉"))
        session.flush()
        assert complaint_evidence.shred_due(session, SYSTEM) == 0
        clock.move(days=91)
        assert complaint_evidence.shred_due(session, SYSTEM) == 2
        assert all(one.shredded for one in complaint_evidence.of(session, ZHOU, complaint_id))
        with pytest.raises(NotFound, match="document_not_found"):
            self.opens(session, ZHOU, self.first(session), "own")
