from datetime import timedelta

import h3
import pytest
from sqlalchemy import select

from data.history import AuditEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Visit, VisitStatus
from services import orders, redemption, visits
from services.errors import Conflict, Invalid, NotFound
from tests.factories import (
    FAR_OPERATOR,
    LI,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
    order_of,
)


def visit(session, visit_id):
    return session.get_one(Visit, visit_id)


def openings(session):
    return session.scalars(select(AuditEvent).where(AuditEvent.action == "open_contact")).all()


class TestContact:
    def test_tells_the_assigned_caregiver_what_she_needs(self, session):
        contact = visits.contact(session, LI, make_visit(session))

        assert (contact.customer_name, contact.phone) == ("周晓燕", "13800000001")
        assert contact.address == "濠河花园 3 幢 502 室"
        assert (contact.recipient_name, contact.age) == ("周奶奶", 81)
        assert (contact.conditions, contact.ward) == ("高血压,按时服药", "6 号楼 312 床")
        assert contact.emergency_contact == "周先生 13900001111"

    def test_each_opening_is_audited_without_a_personal_detail(self, session):
        visit_id = make_visit(session)
        visits.contact(session, LI, visit_id)
        visits.contact(session, OPERATOR, visit_id)

        first, second = openings(session)
        assert (first.actor_id, first.role, first.subject_id) == (LI.id, LI.role, visit_id)
        assert second.actor_id == OPERATOR.id
        assert first.detail == {"order_id": order_of(session, visit_id)}

    @pytest.mark.parametrize("actor", [ZHAO, FAR_OPERATOR])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_others_find_no_such_visit_and_nothing_is_opened(self, session, actor, nonexistent):
        visit_id = NOBODY_ID if nonexistent else make_visit(session)

        with pytest.raises(NotFound, match="visit_not_found"):
            visits.contact(session, actor, visit_id)
        assert openings(session) == []

    def test_stays_open_until_redemption(self, session):
        assert visits.contact(session, LI, make_finished_visit(session))

    def test_is_closed_after_redemption(self, session):
        visit_id = make_redeemed_visit(session)

        with pytest.raises(Conflict, match="contact_closed"):
            visits.contact(session, LI, visit_id)
        assert openings(session) == []

    def test_is_closed_after_cancelling(self, session):
        visit_id = make_visit(session)
        cancel_order(session, ZHOU, order_of(session, visit_id))
        session.flush()

        with pytest.raises(Conflict, match="contact_closed"):
            visits.contact(session, LI, visit_id)


class TestCheckingIn:
    def test_begins_the_visit_at_the_earliest_two_hours_before(self, session, clock):
        visit_id = make_visit(session)
        clock.move(hours=21, minutes=59)
        with pytest.raises(Conflict, match="check_in_too_early"):
            visits.check_in(session, LI, visit_id)
        clock.move(minutes=1)
        visits.check_in(session, LI, visit_id)

        row = visit(session, visit_id)
        assert (row.status, row.checked_in_at) == (VisitStatus.IN_PROGRESS, clock.moment)

    def test_keeps_the_neighbourhood_if_it_is_told_and_nothing_finer(self, session, clock):
        visit_id = make_visit(session, starts_at=clock.moment + timedelta(hours=1))
        finer = h3.latlng_to_cell(32.0, 120.9, 9)
        for cell in (finer, "8730a4b6bffffff0", NASTY, ""):
            with pytest.raises(Invalid, match="cell_impossible"):
                visits.check_in(session, LI, visit_id, cell)
        here = visit(session, visit_id).cell
        visits.check_in(session, LI, visit_id, here)
        session.flush()

        assert visit(session, visit_id).checked_in_cell == here
        near = orders.one(session, OPERATOR, order_of(session, visit_id)).checked_in_near
        assert near == "near"

    def test_happens_once(self, session, clock):
        visit_id = make_visit(session, starts_at=clock.moment + timedelta(hours=1))
        visits.check_in(session, LI, visit_id)

        with pytest.raises(Conflict, match="visit_moved_on"):
            visits.check_in(session, LI, visit_id)

    @pytest.mark.parametrize("act", [visits.check_in, lambda *given: visits.check_out(*given, ())])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_nobody_works_anothers_visit(self, session, act, nonexistent):
        visit_id = NOBODY_ID if nonexistent else make_visit(session)

        with pytest.raises(NotFound, match="visit_not_found"):
            act(session, ZHAO, visit_id)

    def test_a_cancelled_visit_does_not_begin(self, session, clock):
        visit_id = make_visit(session, starts_at=clock.moment + timedelta(hours=1))
        cancel_order(session, ZHOU, order_of(session, visit_id))

        with pytest.raises(Conflict, match="visit_moved_on"):
            visits.check_in(session, LI, visit_id)


class TestCheckingOut:
    @pytest.fixture
    def visit_id(self, session, clock):
        visit_id = make_visit(session, starts_at=clock.moment + timedelta(hours=1))
        visits.check_in(session, LI, visit_id)
        return visit_id

    def test_keeps_tasks_and_words_and_tells_the_family(self, session, clock, visit_id):
        clock.move(hours=3)
        visits.check_out(session, LI, visit_id, (0, 2), NASTY)

        row = visit(session, visit_id)
        assert (row.status, row.checked_out_at) == (VisitStatus.FINISHED, clock.moment)
        assert (row.done_tasks, row.report_words) == (["0", "2"], NASTY)
        told = select(OutboxMessage.account_id).where(
            OutboxMessage.kind == NoticeKind.VISIT_FINISHED
        )
        assert session.scalars(told).all() == [ZHOU.id]

    def test_needs_a_check_in(self, session):
        visit_id = make_visit(session, caregiver=ZHAO)

        with pytest.raises(Conflict, match="visit_moved_on"):
            visits.check_out(session, ZHAO, visit_id, ())

    @pytest.mark.parametrize("done", [(99,), (-1,), (0, 99)])
    def test_a_task_that_is_not_on_the_list_is_refused(self, session, visit_id, done):
        with pytest.raises(Invalid, match="task_not_found"):
            visits.check_out(session, LI, visit_id, done)

    def test_words_too_long_are_refused(self, session, visit_id):
        with pytest.raises(Invalid, match="too_long"):
            visits.check_out(session, LI, visit_id, (), "长" * 501)

    def test_happens_once(self, session, visit_id):
        visits.check_out(session, LI, visit_id, ())

        with pytest.raises(Conflict, match="visit_moved_on"):
            visits.check_out(session, LI, visit_id, ())

    def test_comes_too_late_after_redemption(self, session, visit_id):
        visits.check_out(session, LI, visit_id, ())
        redemption.redeem(session, ZHOU, visit_id, code_of(session, visit_id))

        with pytest.raises(Conflict, match="visit_moved_on"):
            visits.check_out(session, LI, visit_id, (), "补充")
