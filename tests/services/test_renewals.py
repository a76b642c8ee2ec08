import pytest
from sqlalchemy import select

from data.accounts import Account, Channel
from data.consents import Consent
from data.history import AuditEvent
from data.policies import Policy
from services import callers, consents, renewals
from services.errors import Conflict, NotFound
from tests.factories import DESK, FAR_OPERATOR, LUZHOU, NANTONG, STRANGER, ZHOU
from tests.policies import publish

SENSITIVE = Policy.SENSITIVE_DATA


@pytest.fixture
def called(session):
    """Zhou is of the desk's city."""
    session.get_one(Account, ZHOU.id).city_code = NANTONG
    session.get_one(Account, STRANGER.id).city_code = LUZHOU
    session.flush()


def asked(session):
    return [view.policy for view in renewals.of_caller(session, DESK, ZHOU.id)]


def test_a_caller_is_asked_for_what_changed_since_their_yes(session, clock, called):
    assert asked(session) == []
    publish(session, SENSITIVE, clock().date())
    assert asked(session) == [SENSITIVE]

    renewals.take_down(session, DESK, ZHOU.id, SENSITIVE, 2)

    assert asked(session) == []
    assert consents.given(session, ZHOU.id, SENSITIVE)
    [done] = session.scalars(select(AuditEvent).where(AuditEvent.action == "give_consent"))
    assert (done.actor_id, done.subject_id) == (DESK.id, ZHOU.id)
    assert done.detail == {"policy": SENSITIVE, "version": 2, "channel": Channel.PHONE}


def test_a_caller_is_not_asked_for_what_they_never_accepted(session, clock):
    new = callers.register(session, DESK, "邻居王", "13700001234", NANTONG)
    publish(session, SENSITIVE, clock().date())
    assert renewals.of_caller(session, DESK, new) == []
    with pytest.raises(Conflict, match="consent_not_due"):
        renewals.take_down(session, DESK, new, SENSITIVE, 2)
    assert not session.scalars(select(Consent).where(Consent.account_id == new)).all()


def test_a_yes_to_words_that_changed_meanwhile_is_not_kept(session, clock, called):
    publish(session, SENSITIVE, clock().date())
    with pytest.raises(Conflict, match="policy_changed"):
        renewals.take_down(session, DESK, ZHOU.id, SENSITIVE, 1)


def test_another_citys_caller_is_not_the_desks(session, clock, called):
    publish(session, SENSITIVE, clock().date())
    with pytest.raises(NotFound, match="customer_not_found"):
        renewals.of_caller(session, DESK, STRANGER.id)
    assert FAR_OPERATOR.cities == {LUZHOU}
