from datetime import timedelta

import pytest
from sqlalchemy import select

from data.caregivers import Certificate
from data.demands import Application, ApplicationStatus
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit
from services import caregivers, orders, rosters, sessions
from services.caregivers import CaregiverStatus
from services.errors import Conflict, Invalid, NotFound
from services.phones import masked
from tests.factories import (
    BROWSER,
    DRAFT,
    FAR_OPERATOR,
    LI,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_application,
    make_demand,
    make_order,
    make_redeemed_visit,
    phone_of,
)


def found(session, typed="", status=None, actor=OPERATOR):
    return [one.id for one in rosters.listing(session, actor, typed, status)]


class TestFinding:
    @pytest.mark.parametrize("typed", ["李桂", "0003", "13800000003", "+86 138 0000 0003"])
    def test_by_a_part_of_the_name_the_whole_phone_or_its_last_four(self, session, typed):
        assert found(session, typed) == [LI.id]
        assert rosters.counts(session, OPERATOR, typed) == {CaregiverStatus.APPROVED: 1}

    @pytest.mark.parametrize("typed", ["没有这人", NASTY[:40], "%", "0001"])
    def test_nobody_is_found_by_something_else(self, session, typed):
        assert found(session, typed) == []

    def test_half_a_phone_is_refused(self, session):
        with pytest.raises(Invalid, match="phone_invalid"):
            found(session, "138000")

    def test_by_status(self, session):
        assert found(session) == [DRAFT.id, ZHAO.id, LI.id]
        assert found(session, status=CaregiverStatus.DRAFT) == [DRAFT.id]
        assert rosters.counts(session, OPERATOR) == {
            CaregiverStatus.APPROVED: 2,
            CaregiverStatus.DRAFT: 1,
        }

    def test_in_pages(self, session):
        pages = [rosters.listing(session, OPERATOR, limit=2, offset=at) for at in (0, 2)]

        assert [[one.id for one in page] for page in pages] == [[DRAFT.id, ZHAO.id], [LI.id]]

    def test_another_citys_operator_finds_nobody(self, session):
        assert found(session, actor=FAR_OPERATOR) == []
        assert rosters.counts(session, FAR_OPERATOR) == {}

    def test_a_line_says_what_was_done_and_what_is_ahead(self, session, clock):
        done = session.get_one(Visit, make_redeemed_visit(session))
        make_order(session)
        [line] = rosters.listing(session, OPERATOR, "李桂兰")

        assert (line.visits_done, line.visits_ahead) == (1, 1)
        assert line.frozen_fen == done.pay_fen
        assert line.masked_phone == masked(phone_of(LI))
        assert line.expires_on is None

    @pytest.mark.parametrize(("days", "shown"), [(-1, True), (0, True), (30, True), (31, False)])
    def test_a_certificate_that_ends_within_a_month_is_told(self, session, clock, days, shown):
        ends = clock().date() + timedelta(days=days)
        one = select(Certificate).where(Certificate.caregiver_id == LI.id).limit(1)
        session.scalars(one).one().expires_on = ends
        session.flush()
        [line] = rosters.listing(session, OPERATOR, "李桂兰")

        assert line.expires_on == (ends if shown else None)


class TestCommitments:
    def test_name_every_coming_visit_with_its_family(self, session, clock):
        later, sooner = (
            make_order(session, starts_at=clock() + timedelta(days=days)) for days in (3, 1)
        )
        make_redeemed_visit(session, starts_at=clock() - timedelta(days=2))
        make_application(session, starts_at=clock() + timedelta(days=5))
        held = rosters.commitments(session, OPERATOR, LI.id)

        assert [visit.order_id for visit in held.visits] == [sooner, later]
        assert {visit.family_name for visit in held.visits} == {"周晓燕"}
        assert (held.requests, held.open_applications) == ((), 1)
        assert held.frozen_fen > 0

    @pytest.mark.parametrize("caregiver_id", [NOBODY_ID, ZHOU.id])
    def test_nobody_else_has_any(self, session, caregiver_id):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            rosters.commitments(session, OPERATOR, caregiver_id)

    def test_another_citys_operator_sees_none_and_opens_no_phone(self, session):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            rosters.commitments(session, FAR_OPERATOR, LI.id)
        with pytest.raises(NotFound, match="caregiver_not_found"):
            rosters.phone(session, FAR_OPERATOR, LI.id)

    def test_opening_the_whole_phone_is_recorded(self, session):
        assert rosters.phone(session, OPERATOR, LI.id) == phone_of(LI)
        session.flush()
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.subject_id) == ("open_phone", LI.id)


class TestSuspending:
    def suspend(self, session):
        caregivers.move(session, OPERATOR, LI.id, "suspend", "家属投诉")
        session.flush()

    def told(self, session):
        return list(
            session.scalars(select(OutboxMessage.kind).where(OutboxMessage.account_id == LI.id))
        )

    def test_closes_open_applications_and_cancels_no_visit(self, session, clock):
        order_id = make_order(session)
        mine = make_application(session, starts_at=clock() + timedelta(days=2))
        rivals = make_application(session, caregiver=ZHAO)
        self.suspend(session)

        assert session.get_one(Application, mine).status is ApplicationStatus.CLOSED
        assert session.get_one(Application, rivals).status is ApplicationStatus.SUBMITTED
        assert orders.one(session, OPERATOR, order_id).visit_status is rosters.VisitStatus.PLANNED
        assert len(rosters.commitments(session, OPERATOR, LI.id).visits) == 1

    def test_tells_her_why_and_leaves_her_signed_in(self, session):
        token = sessions.open_session(session, LI.id, BROWSER).token
        self.suspend(session)

        assert self.told(session) == [NoticeKind.CAREGIVER_SUSPENDED]
        assert caregivers.standing(session, LI).decision_words == "家属投诉"
        assert sessions.resume(session, token) is not None

    def test_no_new_work_can_be_taken(self, session):
        self.suspend(session)

        with pytest.raises(Conflict, match="caregiver_not_approved"):
            make_application(session, make_demand(session))

    def test_restoring_needs_no_words_and_tells_her(self, session):
        self.suspend(session)
        caregivers.move(session, OPERATOR, LI.id, "restore")
        session.flush()

        assert self.told(session)[-1] is NoticeKind.CAREGIVER_RESTORED
        assert caregivers.standing(session, LI).may_work
        assert make_application(session)
