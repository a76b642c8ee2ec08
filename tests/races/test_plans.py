"""Whole plans asked for, changed and handed over at once, on both databases."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.demands import Application, ApplicationStatus
from data.ledger import LedgerAccount, LedgerPosting
from data.orders import Order, OrderKind, OrderStatus, Visit, VisitStatus
from services import applications, bookings, ledger, plan_requests, plans, recurrence
from services.access import SYSTEM
from services.courses import Course
from services.errors import ServiceError
from services.plan_requests import PlanForm
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    LI,
    MOTHER_ID,
    OPERATOR,
    PRICE_FEN,
    ZHAO,
    ZHOU,
    make_application,
    make_booking,
    make_demand,
    make_family,
)
from tests.races.rush import overlaps, rush

pytestmark = pytest.mark.race

FIRST = date(2030, 1, 14)
FAMILIES = 16
VISITS = 100


def course(minute=8 * 60, **changes):
    """A hundred visits on as many days."""
    values = {
        "rule": recurrence.weekly(range(7), 1, FIRST),
        "starts_minute": minute,
        "units": 2,
        "unit_price_fen": PRICE_FEN,
        "first_on": FIRST,
        "last_on": FIRST + timedelta(days=VISITS - 1),
    }
    return Course(**(values | changes))


def ask(session, family, minute=8 * 60):
    customer, recipient_id = family
    form = PlanForm(LI.id, recipient_id, COMPANIONSHIP, CHONGCHUAN, "濠河花园 3 幢", course(minute))
    return plan_requests.request(session, customer, form, f"plan {customer.id}")


def agreed(session):
    order_id = ask(session, (ZHOU, MOTHER_ID))
    bookings.accept(session, LI, order_id)
    return order_id


@pytest.fixture
def families(database):
    with engines.writing() as session:
        return [make_family(session, number) for number in range(FAMILIES)]


def made(outcomes):
    return [one for one in outcomes if not isinstance(one, ServiceError)]


def count(column, *conditions):
    with engines.reading() as session:
        return session.scalar(select(func.count(column)).where(*conditions))


def test_of_families_who_want_the_same_hundred_visits_one_gets_them_all(families):
    outcomes = rush(
        lambda number: engines.transact(lambda session: ask(session, families[number])), FAMILIES
    )

    assert len(made(outcomes)) == 1
    assert {one.key for one in outcomes if isinstance(one, ServiceError)} == {"error.plan_clashes"}
    assert (count(Order.id), count(Visit.id)) == (1, VISITS)


def test_plans_and_single_requests_never_share_a_caregiver(families, clock):
    def want(number):
        if number % 2:
            return engines.transact(
                lambda session: ask(session, families[number], 8 * 60 + number * 30)
            )
        customer, recipient_id = families[number]
        starts_at = recurrence.moment(FIRST + timedelta(days=number), 9 * 60)
        return engines.transact(
            lambda session: make_booking(
                session, customer=customer, recipient_id=recipient_id, starts_at=starts_at
            )
        )

    got = made(rush(want, FAMILIES))

    assert got
    with engines.reading() as session:
        assert overlaps(session) == 0
    assert count(Visit.id) % VISITS in range(FAMILIES)


def test_a_plan_changed_swapped_and_extended_at_once_keeps_its_books_and_days(database):
    with engines.writing() as session:
        order_id = agreed(session)
    later = course(14 * 60, first_on=FIRST + timedelta(days=10))
    handed = course(first_on=FIRST + timedelta(days=20))

    def deed(number):
        match number % 4:
            case 0:
                return engines.transact(
                    lambda session: plans.change(session, ZHOU, order_id, later)
                )
            case 1:
                return engines.transact(
                    lambda session: plans.swap(session, OPERATOR, order_id, ZHAO.id, handed)
                )
            case 2:
                return engines.transact(
                    lambda session: plans.end(
                        session, ZHOU, order_id, FIRST + timedelta(days=30 + number)
                    )
                )
            case _:
                return engines.transact(lambda session: plans.extend_due(session, SYSTEM))

    rush(deed, 12)

    with engines.reading() as session:
        assert overlaps(session) == 0
        days = session.scalars(
            select(Visit.occurs_on).where(Visit.status == VisitStatus.PLANNED)
        ).all()
        assert len(days) == len(set(days))
        assert session.get_one(Order, order_id).status is OrderStatus.CONFIRMED
        assert not session.scalar(select(func.sum(LedgerPosting.amount_fen)))
        owed = select(func.sum(Visit.total_fen)).where(Visit.status == VisitStatus.PLANNED)
        committed = ledger.balance(session, LedgerAccount.ORDERS_COMMITTED)
        assert -committed == session.scalar(owed)


def test_of_two_applicants_for_an_open_plan_chosen_at_once_one_gets_it(database):
    with engines.writing() as session:
        laid = course()
        demand_id = make_demand(
            session,
            starts_at=recurrence.moment(FIRST, laid.starts_minute),
            rule=laid.rule,
            until_on=laid.last_on,
        )
        ids = [make_application(session, demand_id, caregiver=one) for one in (LI, ZHAO)]

    outcomes = rush(
        lambda number: engines.transact(
            lambda session: applications.approve(session, OPERATOR, ids[number % 2])
        ),
        FAMILIES,
    )

    assert len(made(outcomes)) == 1
    assert count(Order.id, Order.kind == OrderKind.MONTHLY) == 1
    assert count(Visit.id, Visit.status == VisitStatus.PLANNED) == VISITS
    assert count(Application.id, Application.status == ApplicationStatus.WAITLISTED) == 1
    with engines.reading() as session:
        assert overlaps(session) == 0


def test_two_open_plans_of_the_same_time_never_overlap_for_one_caregiver(families):
    with engines.writing() as session:
        ids = []
        for customer, recipient_id in families[:2]:
            demand_id = make_demand(
                session,
                customer=customer,
                recipient_id=recipient_id,
                starts_at=recurrence.moment(FIRST, 8 * 60),
                rule=course().rule,
                until_on=course().last_on,
            )
            ids.append(make_application(session, demand_id))

    outcomes = rush(
        lambda number: engines.transact(
            lambda session: applications.approve(session, OPERATOR, ids[number])
        ),
        2,
    )

    assert len(made(outcomes)) == 1
    assert count(Visit.id) == VISITS
    with engines.reading() as session:
        assert overlaps(session) == 0
