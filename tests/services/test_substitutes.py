from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data.caregivers import Rate
from data.ledger import LedgerAccount
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, Visit, VisitStatus
from services import changes, ledger, orders, redemption, stand_ins, substitutes, visits
from services.access import SYSTEM
from services.errors import Conflict, NotFound
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    OPERATOR,
    PRICE_FEN,
    STRANGER,
    ZHAO,
    ZHOU,
    code_of,
    make_order,
    make_visit,
    order_of,
)


@pytest.fixture
def visit_id(session):
    return make_visit(session)


@pytest.fixture
def offer_id(session, visit_id):
    found = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    session.flush()
    return found


def told(session, kind):
    return set(session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)))


def status(session, visit_id):
    return session.get_one(Visit, visit_id).status


def test_those_who_can_come_for_no_more_are_found(session, visit_id):
    [found] = stand_ins.for_visit(session, DESK, visit_id)
    assert (found.id, found.known, found.said_no) == (ZHAO.id, 0, False)

    session.execute(update(Rate).where(Rate.caregiver_id == ZHAO.id).values(price_fen=4100))
    assert stand_ins.for_visit(session, DESK, visit_id) == ()


def test_who_is_busy_is_not_found_and_not_asked(session, visit_id):
    make_order(session, caregiver=ZHAO)

    assert stand_ins.for_visit(session, OPERATOR, visit_id) == ()
    with pytest.raises(Conflict, match="obstacle_busy"):
        substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)


def test_her_yes_gives_her_the_visit_and_its_pay_at_the_agreed_price(
    session, clock, visit_id, offer_id
):
    substitutes.accept(session, ZHAO, offer_id)
    session.flush()

    assert status(session, visit_id) is VisitStatus.DROPPED
    assert status(session, offer_id) is VisitStatus.PLANNED
    assert orders.one(session, ZHOU, order_of(session, visit_id)).caregiver_id == ZHAO.id
    assert told(session, NoticeKind.SUBSTITUTE_COMES) == {ZHOU.id, LI.id, OPERATOR.id}
    assert offer_id in redemption.codes(session, ZHAO)
    assert redemption.codes(session, LI) == {}
    assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) == 2 * PRICE_FEN
    clock.move(days=1)
    visits.check_in(session, ZHAO, offer_id)
    visits.check_out(session, ZHAO, offer_id, ())
    assert redemption.redeem(session, ZHOU, offer_id, code_of(session, offer_id)) is None
    assert ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, ZHAO.id) == -6800
    assert ledger.balance(session, LedgerAccount.ORDERS_COMMITTED) == 0


def test_until_she_answers_the_first_one_comes(session, visit_id, offer_id):
    assert orders.one(session, ZHOU, order_of(session, visit_id)).caregiver_id == LI.id
    assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE) == 2 * PRICE_FEN
    with pytest.raises(Conflict, match="asked_already"):
        substitutes.ask(session, DESK, visit_id, ZHAO.id)


def test_her_no_leaves_all_as_it_was(session, visit_id, offer_id):
    substitutes.refuse(session, ZHAO, offer_id)
    session.flush()

    assert status(session, visit_id) is VisitStatus.PLANNED
    assert told(session, NoticeKind.SUBSTITUTE_REFUSED) == {OPERATOR.id}
    assert substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)


def test_who_does_not_answer_in_time_is_asked_no_more(session, clock, offer_id):
    assert substitutes.expire_due(session, SYSTEM) == 0
    clock.move(hours=2)
    with pytest.raises(Conflict, match="request_expired"):
        substitutes.accept(session, ZHAO, offer_id)
    assert substitutes.expire_due(session, SYSTEM) == 1
    assert substitutes.expire_due(session, SYSTEM) == 0

    assert status(session, offer_id) is VisitStatus.DROPPED


def test_a_visit_that_is_called_off_needs_nobody(session, clock, visit_id, offer_id):
    changes.cancel_visit(session, ZHOU, visit_id, changes.EndReason.OTHER, "", 0)
    session.flush()

    assert status(session, offer_id) is VisitStatus.DROPPED
    with pytest.raises(Conflict, match="visit_moved_on"):
        substitutes.accept(session, ZHAO, offer_id)


def test_an_order_that_is_declined_needs_nobody(session, visit_id, offer_id):
    orders.decline(session, ZHOU, order_of(session, visit_id))

    assert status(session, offer_id) is VisitStatus.DROPPED
    with pytest.raises(Conflict, match="visit_moved_on"):
        substitutes.accept(session, ZHAO, offer_id)


def test_where_the_first_one_has_come_nobody_is_needed(session, clock, visit_id):
    clock.move(to=session.get_one(Visit, visit_id).starts_at - timedelta(hours=1))
    offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    visits.check_in(session, LI, visit_id)
    clock.move(hours=1)

    assert status(session, offer_id) is VisitStatus.DROPPED
    with pytest.raises(Conflict, match="visit_moved_on"):
        substitutes.accept(session, ZHAO, offer_id)
    assert substitutes.expire_due(session, SYSTEM) == 0
    assert told(session, NoticeKind.SUBSTITUTE_REFUSED) == set()


def test_a_double_click_takes_over_once(session, visit_id, offer_id):
    substitutes.accept(session, ZHAO, offer_id)
    session.flush()

    with pytest.raises(Conflict, match="visit_moved_on"):
        substitutes.accept(session, ZHAO, offer_id)


def test_at_short_notice_somebody_may_be_asked(session, clock, visit_id):
    clock.move(hours=23)

    offer_id = substitutes.ask(session, OPERATOR, visit_id, ZHAO.id)
    offer = session.get_one(Visit, offer_id)
    assert offer.answer_until == clock.moment + timedelta(hours=1)


def test_others_have_nothing_to_say(session, visit_id, offer_id):
    with pytest.raises(NotFound):
        substitutes.ask(session, FAR_OPERATOR, visit_id, ZHAO.id)
    with pytest.raises(NotFound):
        stand_ins.for_visit(session, FAR_OPERATOR, visit_id)
    for answer in (substitutes.accept, substitutes.refuse):
        with pytest.raises(NotFound):
            answer(session, LI, offer_id)
    with pytest.raises(NotFound):
        orders.one(session, STRANGER, session.get_one(Order, order_of(session, visit_id)).id)
