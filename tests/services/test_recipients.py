from datetime import date

import pytest
from sqlalchemy import delete, select

from data.accounts import Account
from data.consents import Consent
from data.history import AuditEvent
from data.policies import Policy
from services import consents, erasure, recipients
from services.access import Channel
from services.errors import Invalid, NotAllowed, NotFound
from services.recipients import Mobility, RecipientForm, Relation, Sex
from tests.factories import (
    DESK,
    LI,
    LUZHOU,
    MOTHER_ID,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHOU,
)


def form(**changes):
    values = {
        "name": "周爷爷",
        "sex": Sex.MALE,
        "birth_date": date(1945, 6, 1),
        "relation": Relation.GRANDPARENT,
        "mobility": Mobility.WITH_AID,
    }
    return RecipientForm(**(values | changes))


def test_what_was_saved_can_be_edited_again(session):
    given = form(language="南通话", conditions="糖尿病", ward="3 床", emergency_contact="周先生")
    recipient_id = recipients.save(session, ZHOU, given)

    assert recipients.details(session, ZHOU, recipient_id) == given


def test_a_change_replaces_the_old(session):
    recipients.save(session, ZHOU, form(), MOTHER_ID)

    assert recipients.details(session, ZHOU, MOTHER_ID) == form()
    assert len(recipients.listing(session, ZHOU)) == 1


def test_they_are_listed_in_the_order_they_were_added(session):
    recipients.save(session, ZHOU, form())

    assert [r.name for r in recipients.listing(session, ZHOU)] == ["周奶奶", "周爷爷"]


@pytest.mark.parametrize("field", ["language", "conditions", "ward", "emergency_contact", "name"])
def test_words_are_kept_as_typed(session, field):
    typed = NASTY[:40].strip()
    recipient_id = recipients.save(session, ZHOU, form(**{field: typed}))

    assert getattr(recipients.details(session, ZHOU, recipient_id), field) == typed


@pytest.mark.parametrize("recipient_id", [MOTHER_ID, NOBODY_ID])
def test_a_strangers_recipient_is_no_recipient(session, recipient_id):
    for ask in (
        lambda: recipients.details(session, STRANGER, recipient_id),
        lambda: recipients.save(session, STRANGER, form(), recipient_id),
    ):
        with pytest.raises(NotFound, match="recipient_not_found"):
            ask()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"name": ""}, "missing"),
        ({"name": "长" * 41}, "too_long"),
        ({"language": "长" * 41}, "too_long"),
        ({"conditions": "长" * 501}, "too_long"),
        ({"ward": "长" * 101}, "too_long"),
        ({"emergency_contact": "长" * 101}, "too_long"),
        ({"birth_date": date(2030, 1, 8)}, "birth_date_impossible"),
        ({"birth_date": date(1909, 12, 31)}, "birth_date_impossible"),
    ],
)
def test_bad_input_is_refused(session, changes, key):
    with pytest.raises(Invalid, match=key):
        recipients.save(session, ZHOU, form(**changes))

    assert len(recipients.listing(session, ZHOU)) == 1


def test_there_is_an_end_to_how_many_one_customer_keeps(session):
    for _ in range(recipients.MOST_RECIPIENTS - 1):
        recipients.save(session, ZHOU, form())

    with pytest.raises(Invalid, match="too_many_recipients"):
        recipients.save(session, ZHOU, form())
    recipients.save(session, ZHOU, form(), MOTHER_ID)


@pytest.mark.parametrize(
    ("born", "years"),
    [(date(1950, 1, 7), 80), (date(1950, 1, 8), 79), (date(2030, 1, 7), 0)],
)
def test_age_counts_full_years(clock, born, years):
    assert recipients.age(born) == years


def test_the_desk_keeps_a_callers_recipients(session):
    added = recipients.save(session, DESK, form(), customer_id=ZHOU.id)
    recipients.save(session, DESK, form(name="周老太"), MOTHER_ID, customer_id=ZHOU.id)

    names = ["周老太", "周爷爷"]
    assert [r.name for r in recipients.listing(session, ZHOU)] == names
    assert [r.name for r in recipients.listing(session, DESK, customer_id=ZHOU.id)] == names
    assert recipients.details(session, ZHOU, added) == form()


def test_each_look_of_the_desks_at_health_notes_is_noted(session):
    seen = recipients.details(session, DESK, MOTHER_ID, customer_id=ZHOU.id)
    session.flush()

    assert seen == recipients.details(session, ZHOU, MOTHER_ID)
    [event] = session.scalars(select(AuditEvent))
    assert (event.action, event.subject, event.subject_id, event.actor_id) == (
        "open_recipient",
        "recipient",
        MOTHER_ID,
        DESK.id,
    )


def test_the_desk_reaches_no_strangers_recipient_through_a_caller(session):
    for ask in (
        lambda: recipients.details(session, DESK, STRANGERS_FATHER_ID, customer_id=ZHOU.id),
        lambda: recipients.save(session, DESK, form(), STRANGERS_FATHER_ID, customer_id=ZHOU.id),
    ):
        with pytest.raises(NotFound, match="recipient_not_found"):
            ask()
    assert not session.scalars(select(AuditEvent)).all()


def test_the_desk_reaches_no_recipient_of_another_citys_customer(session):
    session.get_one(Account, ZHOU.id).city_code = LUZHOU
    session.flush()

    for ask in (
        lambda: recipients.listing(session, DESK, customer_id=ZHOU.id),
        lambda: recipients.details(session, DESK, MOTHER_ID, customer_id=ZHOU.id),
        lambda: recipients.save(session, DESK, form(), customer_id=ZHOU.id),
    ):
        with pytest.raises(NotFound, match="customer_not_found"):
            ask()


@pytest.fixture
def unasked(session):
    """Nobody has consented to sensitive data yet."""
    session.execute(delete(Consent).where(Consent.policy == Policy.SENSITIVE_DATA))


@pytest.mark.parametrize("notes", [{"conditions": "糖尿病"}, {"ward": "3 床"}])
def test_health_notes_wait_for_the_familys_consent(session, unasked, notes):
    assert recipients.asks_consent(session, ZHOU)
    for given in (None, MOTHER_ID):
        with pytest.raises(Invalid, match="health_notes_consent"):
            recipients.save(session, ZHOU, form(**notes), given)
    assert len(recipients.listing(session, ZHOU)) == 1
    recipients.save(session, ZHOU, form(**notes, agreed=True))

    assert not recipients.asks_consent(session, ZHOU)
    recipients.save(session, ZHOU, form(**notes))  # Said once, it holds.
    [consent] = session.scalars(select(Consent).where(Consent.policy == Policy.SENSITIVE_DATA))
    assert (consent.account_id, consent.created_at) == (ZHOU.id, consents.clock.now())
    [event] = session.scalars(select(AuditEvent))
    assert (event.action, event.actor_id, event.detail["channel"]) == (
        "give_consent", ZHOU.id, Channel.APP
    )  # fmt: skip


def test_without_health_notes_nobody_is_asked_and_a_tick_says_nothing(session, unasked):
    recipients.save(session, ZHOU, form(agreed=True, emergency_contact="周先生"))

    assert recipients.asks_consent(session, ZHOU)


def test_a_callers_consent_is_taken_down_by_the_desk(session, unasked):
    with pytest.raises(Invalid, match="health_notes_consent"):
        recipients.save(session, DESK, form(conditions="糖尿病"), customer_id=ZHOU.id)
    assert recipients.asks_consent(session, DESK, customer_id=ZHOU.id)
    told = form(conditions="糖尿病", agreed=True)
    recipients.save(session, DESK, told, customer_id=ZHOU.id)
    session.flush()

    assert consents.given(session, ZHOU.id, Policy.SENSITIVE_DATA)
    assert not consents.given(session, DESK.id, Policy.SENSITIVE_DATA)
    [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "give_consent"))
    assert (event.actor_id, event.role, event.subject_id) == (DESK.id, DESK.role, ZHOU.id)
    assert event.detail == {"policy": "sensitive_data", "version": 1, "channel": "phone"}


def test_a_consent_taken_back_is_asked_for_again(session):
    erasure.forget_sensitive(session, ZHOU)

    with pytest.raises(Invalid, match="health_notes_consent"):
        recipients.save(session, ZHOU, form(conditions="糖尿病"), MOTHER_ID)


@pytest.mark.parametrize("actor", [STRANGER, LI, OPERATOR])
def test_nobody_else_keeps_recipients_for_others(session, actor):
    for ask in (
        lambda: recipients.listing(session, actor, customer_id=ZHOU.id),
        lambda: recipients.details(session, actor, MOTHER_ID, customer_id=ZHOU.id),
        lambda: recipients.save(session, actor, form(), customer_id=ZHOU.id),
    ):
        with pytest.raises(NotAllowed):
            ask()
