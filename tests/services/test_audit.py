import pytest
from sqlalchemy import select

from data.history import AuditEvent
from services import audit, visits
from services.access import SYSTEM
from tests.factories import LI, MOTHER_ID, OPERATOR, make_visit


def test_an_act_is_kept_with_who_did_it_and_when(session, clock):
    audit.record(session, OPERATOR, "reissue_code", "visit", 7, issue=2)

    event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.subject, event.subject_id) == ("reissue_code", "visit", 7)
    assert (event.actor_id, event.role) == (OPERATOR.id, OPERATOR.role)
    assert (event.detail, event.created_at) == ({"issue": 2}, clock.moment)


def test_the_system_acts_without_an_account(session):
    audit.record(session, SYSTEM, "seal_events", "event", 1)

    event = session.scalars(select(AuditEvent)).one()
    assert (event.actor_id, event.role) == (None, None)


@pytest.mark.parametrize("secret", ["138000", "濠河花园", "高血压", "周奶奶"])
def test_no_event_holds_a_personal_detail(session, secret):
    visits.contact(session, LI, make_visit(session, recipient_id=MOTHER_ID))

    rows = session.execute(select(AuditEvent.__table__)).all()
    assert len(rows) == 1
    assert secret not in repr(rows)
