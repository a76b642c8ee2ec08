from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.consents import Consent
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.policies import Policy
from data.recipients import Recipient
from services import consents, erasure, policies, verifications
from services.access import Role
from services.errors import Conflict, NotFound
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
from tests.policies import publish

SENSITIVE = Policy.SENSITIVE_DATA


@pytest.fixture
def nobody_agreed(session):
    """As if nobody had been asked yet."""
    for consent in session.scalars(select(Consent)):
        session.delete(consent)
    session.flush()


def say_yes(session, actor, policy):
    consents.give(session, actor, policy, policies.numbers(session)[policy])


def stands(session, actor, policy):
    return next(view for view in consents.mine(session, actor) if view.policy is policy)


def test_a_yes_is_kept_with_version_and_time(session, clock, nobody_agreed):
    assert not consents.given(session, ZHOU.id, SENSITIVE)
    say_yes(session, ZHOU, SENSITIVE)
    say_yes(session, ZHOU, SENSITIVE)

    [kept] = session.scalars(select(Consent)).all()
    assert (kept.account_id, kept.policy) == (ZHOU.id, SENSITIVE)
    assert (kept.policy_version, kept.created_at) == (
        policies.numbers(session)[SENSITIVE],
        clock.moment,
    )
    assert consents.given(session, ZHOU.id, SENSITIVE)
    assert not consents.given(session, STRANGER.id, SENSITIVE)


def due(session, actor):
    return [view.policy for view in consents.due(session, actor)]


def test_whoever_never_agreed_is_asked_by_their_role_and_staff_are_not(session, nobody_agreed):
    families = [Policy.AGREEMENT, Policy.PRIVACY, Policy.COMPLAINT_HANDLING]
    assert due(session, ZHOU) == families
    assert set(due(session, LI)) == {*families, Policy.ONBOARDING}
    assert due(session, OPERATOR) == []


def test_a_newer_version_is_asked_for_again_from_its_day_on(session, clock):
    assert due(session, ZHOU) == []
    for policy in (Policy.AGREEMENT, SENSITIVE):
        publish(session, policy, clock().date() + timedelta(days=3))
    assert due(session, ZHOU) == []
    clock.move(days=3)

    assert due(session, ZHOU) == [Policy.AGREEMENT, SENSITIVE]
    assert not consents.given(session, ZHOU.id, SENSITIVE)
    assert stands(session, ZHOU, Policy.AGREEMENT).outdated
    say_yes(session, ZHOU, Policy.AGREEMENT)
    assert due(session, ZHOU) == [SENSITIVE]


def test_a_yes_is_to_the_version_that_was_seen(session, clock):
    publish(session, Policy.AGREEMENT, clock().date())
    with pytest.raises(Conflict, match="policy_changed"):
        consents.give(session, ZHOU, Policy.AGREEMENT, 1)
    assert due(session, ZHOU) == [Policy.AGREEMENT]


def test_the_standard_for_caregivers_concerns_nobody_else(session):
    assert Policy.ONBOARDING in {view.policy for view in consents.mine(session, LI)}
    assert Policy.ONBOARDING not in {view.policy for view in consents.mine(session, ZHOU)}


def test_it_is_withdrawn_and_can_be_given_anew(session, clock):
    say_yes(session, ZHOU, SENSITIVE)
    clock.move(days=1)
    consents.withdraw(session, ZHOU, SENSITIVE)

    assert not consents.given(session, ZHOU.id, SENSITIVE)
    assert stands(session, ZHOU, SENSITIVE).withdrawn_at == clock.moment
    assert due(session, ZHOU) == []  # It is a choice, not a condition.
    with pytest.raises(NotFound, match="consent_not_given"):
        consents.withdraw(session, ZHOU, SENSITIVE)
    say_yes(session, ZHOU, SENSITIVE)
    assert consents.given(session, ZHOU.id, SENSITIVE)


def test_without_agreement_nobody_stays(session):
    for policy in consents.NEEDED[Role.CAREGIVER]:
        with pytest.raises(Conflict, match="consent_means_leaving"):
            consents.withdraw(session, LI, policy)


def test_it_is_not_withdrawn_while_somebody_is_expected(session):
    for actor in (ZHOU, LI):
        say_yes(session, actor, SENSITIVE)
    make_demand(session)
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHOU, SENSITIVE)
    make_order(session, customer=STRANGER, starts_at=consents.clock.now() + timedelta(days=2))
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, LI, SENSITIVE)


def test_a_paused_plan_is_expected_to_go_on(session):
    say_yes(session, ZHOU, SENSITIVE)
    order_id = make_order(session)
    session.get_one(Order, order_id).status = OrderStatus.PAUSED
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHOU, SENSITIVE)


def test_whoever_stands_in_for_a_visit_is_expected_too(session):
    say_yes(session, ZHAO, SENSITIVE)
    visit_id = make_visit(session)
    session.get_one(Visit, visit_id).caregiver_id = ZHAO.id
    with pytest.raises(Conflict, match="consent_order_open"):
        consents.withdraw(session, ZHAO, SENSITIVE)
    with pytest.raises(Conflict, match="erasure_orders"):
        erasure.ask(session, ZHAO)
    session.get_one(Visit, visit_id).status = VisitStatus.CANCELLED
    consents.withdraw(session, ZHAO, SENSITIVE)


def test_it_is_not_withdrawn_while_papers_are_reviewed(session):
    say_yes(session, ZHOU, SENSITIVE)
    session.execute(
        update(verifications.VerificationCase)
        .where(verifications.VerificationCase.account_id == ZHOU.id)
        .values(status="submitted")
    )

    with pytest.raises(Conflict, match="consent_case_submitted"):
        consents.withdraw(session, ZHOU, SENSITIVE)


def test_what_it_covered_goes_with_it(session):
    say_yes(session, ZHOU, SENSITIVE)
    erasure.forget_sensitive(session, ZHOU)
    session.flush()

    mother = session.get_one(Recipient, MOTHER_ID)
    assert (mother.conditions, mother.ward, mother.name) == ("", "", "周奶奶")
    assert not verifications.is_verified(session, ZHOU.id, verifications.CaseKind.CUSTOMER)
    assert session.get_one(Recipient, 2).conditions  # A stranger's stay.
