"""The demo pilot, staged once per database for the whole file."""

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account, AccountRole
from data.caregivers import Caregiver, CaregiverStatus
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.ledger import LedgerPosting
from data.notices import Notice, OutboxMessage, OutboxStatus
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.reviews import Review
from services import clock, credentials, demo, sessions
from services.access import Role
from tests.both_databases import BOTH
from tests.conftest import database_at, new_database
from tests.factories import MONDAY
from tests.races.rush import overlaps


@pytest.fixture(scope="module", params=BOTH)
def staged(request, tmp_path_factory):
    """A database with the demo, as a first start makes it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    else:
        url = new_database(request.getfixturevalue("cluster"), "demo")
    with database_at(url), pytest.MonkeyPatch.context() as patch, clock.at(MONDAY):
        patch.setattr(credentials, "hash_password", lambda password: "a bcrypt hash")
        engines.upgrade()
        engines.transact(demo.stage)
        yield


@pytest.fixture
def session(staged):
    with engines.reading() as session:
        yield session


def test_it_is_the_city_of_the_issue(session):
    held = select(AccountRole.role, func.count()).group_by(AccountRole.role)

    assert dict(session.execute(held).all()) == {
        Role.CUSTOMER: 40,
        Role.CAREGIVER: 20,
        Role.DESK: 1,
        Role.OPERATOR: 1,
        Role.ANALYST: 1,
    }
    assert session.scalars(select(City.synthetic)).all() == [True]


@pytest.mark.parametrize(
    ("column", "statuses"),
    [
        (Caregiver.status, CaregiverStatus),
        (Demand.status, DemandStatus),
        (Application.status, ApplicationStatus),
        (Order.status, OrderStatus),
        (Visit.status, VisitStatus),
    ],
)
def test_every_status_is_present(session, column, statuses):
    assert set(session.scalars(select(column).distinct())) == set(statuses)


def test_what_was_approved_became_an_order(session):
    with_order = select(Order.id).where(
        Order.demand_id == Application.demand_id, Order.caregiver_id == Application.caregiver_id
    )
    approved = select(Application.id).where(Application.status == ApplicationStatus.APPROVED)
    matched = select(Demand.id).where(Demand.status == DemandStatus.MATCHED)
    ordered = select(Order.id).where(Order.demand_id == Demand.id)

    assert session.scalars(approved.where(~with_order.exists())).all() == []
    assert session.scalars(matched.where(~ordered.exists())).all() == []


def test_no_caregiver_is_in_two_places(session):
    assert overlaps(session) == 0


def test_nothing_happened_in_the_future(session):
    for moment in (Visit.checked_in_at, Visit.checked_out_at, Visit.redeemed_at, Order.created_at):
        assert session.scalar(select(func.max(moment))) <= MONDAY


def test_its_books_are_balanced(session):
    assert session.scalar(select(func.sum(LedgerPosting.amount_fen))) == 0


def test_there_are_reviews_and_some_news_for_everybody_to_read(session):
    assert session.scalar(select(func.count(Review.id))) > 10
    assert session.scalar(select(func.count(Notice.id)).where(Notice.read_at.is_(None))) > 0
    pending = OutboxMessage.status == OutboxStatus.PENDING
    assert session.scalar(select(func.count(OutboxMessage.id)).where(pending)) == 0


def test_only_the_five_who_sign_in_have_a_password(session):
    assert session.scalar(select(func.count(Account.password_hash))) == 5


@pytest.mark.parametrize("role", Role)
def test_one_click_opens_each_role(staged, role):
    with engines.writing() as session:
        opened = sessions.open_demo(session, role, "Firefox")
    with engines.reading() as session:
        assert sessions.resume(session, opened.token).actor.role is role


def test_staging_it_again_changes_nothing(staged):
    with engines.writing() as session:
        before = session.scalar(select(func.count(Account.id)))
        assert demo.is_staged(session)
        demo.stage(session)

        assert session.scalar(select(func.count(Account.id))) == before
