from datetime import timedelta

import pytest
from sqlalchemy import select, update

from components.catalogues import LANGUAGES
from data.consents import Consent, Policy
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.recipients import Recipient
from services import consents, erasure, verifications
from services.errors import Conflict, NotFound
from tests.conftest import ROOT
from tests.factories import (
    LI,
    MOTHER_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_demand,
    make_order,
    make_visit,
)

SENSITIVE = Policy.SENSITIVE_DATA


@pytest.fixture
def nobody_agreed(session):
    """As if nobody had been asked yet."""
    for consent in session.scalars(select(Consent)):
        session.delete(consent)
    session.flush()


def stands(session, actor, policy):
    return next(view for view in consents.mine(session, actor) if view.policy is policy)


def test_a_yes_is_kept_with_version_and_time(session, clock, nobody_agreed):
    assert not consents.given(session, ZHOU.id, SENSITIVE)
    consents.give(session, ZHOU, SENSITIVE)
    consents.give(session, ZHOU, SENSITIVE)

    [kept] = session.scalars(select(Consent)).all()
    assert (kept.account_id, kept.policy) == (ZHOU.id, SENSITIVE)
    assert (kept.policy_version, kept.created_at) == (consents.current(SENSITIVE), clock.moment)
    assert consents.given(session, ZHOU.id, SENSITIVE)
    assert not consents.given(session, STRANGER.id, SENSITIVE)


def test_whoever_never_agreed_is_asked_and_staff_are_not(session, nobody_agreed):
    assert consents.due(session, ZHOU) == consents.due(session, LI) == [*consents.NEEDED]
    assert consents.due(session, OPERATOR) == []


def test_a_newer_version_is_asked_for_again(session, monkeypatch):
    consents.give(session, ZHOU, SENSITIVE)
    assert consents.due(session, ZHOU) == []
    for policy in (Policy.AGREEMENT, SENSITIVE):
        monkeypatch.setitem(consents.VERSIONS, policy, 9)

    assert consents.due(session, ZHOU) == [Policy.AGREEMENT, SENSITIVE]
    assert not consents.given(session, ZHOU.id, SENSITIVE)
    assert stands(session, ZHOU, Policy.AGREEMENT).outdated
    consents.give(session, ZHOU, Policy.AGREEMENT)
    assert consents.due(session, ZHOU) == [SENSITIVE]


def test_it_is_withdrawn_and_can_be_given_anew(session, clock):
    consents.give(session, ZHOU, SENSITIVE)
    clock.move(days=1)
    consents.withdraw(session, ZHOU, SENSITIVE)

    assert not consents.given(session, ZHOU.id, SENSITIVE)
    assert stands(session, ZHOU, SENSITIVE).withdrawn_at == clock.moment
    assert consents.due(session, ZHOU) == []  # It is a choice, not a condition.
    with pytest.raises(NotFound, match="consent_not_given"):
        consents.withdraw(session, ZHOU, SENSITIVE)
    consents.give(session, ZHOU, SENSITIVE)
    assert consents.given(session, ZHOU.id, SENSITIVE)


def test_without_agreement_nobody_stays(session):
    for policy in consents.NEEDED:
        with pytest.raises(Conflict, match="consent_means_leaving"):
            consents.withdraw(session, ZHOU, policy)


def test_it_is_not_withdrawn_while_somebody_is_expected(session):
    for actor in (ZHOU, LI):
        consents.give(session, actor, SENSITIVE)
    make_demand(session)
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHOU, SENSITIVE)
    make_order(session, customer=STRANGER, starts_at=consents.clock.now() + timedelta(days=2))
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, LI, SENSITIVE)


def test_a_paused_plan_is_expected_to_go_on(session):
    consents.give(session, ZHOU, SENSITIVE)
    order_id = make_order(session)
    session.get_one(Order, order_id).status = OrderStatus.PAUSED
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHOU, SENSITIVE)


def test_whoever_stands_in_for_a_visit_is_expected_too(session):
    consents.give(session, ZHAO, SENSITIVE)
    visit_id = make_visit(session)
    session.get_one(Visit, visit_id).caregiver_id = ZHAO.id
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHAO, SENSITIVE)
    with pytest.raises(Conflict, match="erasure_orders"):
        erasure.ask(session, ZHAO)
    session.get_one(Visit, visit_id).status = VisitStatus.CANCELLED
    consents.withdraw(session, ZHAO, SENSITIVE)


def test_it_is_not_withdrawn_while_papers_are_reviewed(session):
    consents.give(session, ZHOU, SENSITIVE)
    session.execute(
        update(verifications.VerificationCase)
        .where(verifications.VerificationCase.account_id == ZHOU.id)
        .values(status="submitted")
    )

    with pytest.raises(Conflict, match="consent_case_submitted"):
        consents.withdraw(session, ZHOU, SENSITIVE)


def test_what_it_covered_goes_with_it(session):
    consents.give(session, ZHOU, SENSITIVE)
    erasure.forget_sensitive(session, ZHOU)
    session.flush()

    mother = session.get_one(Recipient, MOTHER_ID)
    assert (mother.conditions, mother.ward, mother.name) == ("", "", "周奶奶")
    assert not verifications.is_verified(session, ZHOU.id, verifications.CaseKind.CUSTOMER)
    assert session.get_one(Recipient, 2).conditions  # A stranger's stay.


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_document_says_its_newest_version(language):
    word = {"zh_CN": "版本", "en": "Version"}[language]
    for policy in Policy:
        words = (ROOT / "components" / "documents" / f"{policy}.{language}.md").read_text("utf-8")
        assert f"\n{word} {consents.current(policy)}\n" in words, policy
