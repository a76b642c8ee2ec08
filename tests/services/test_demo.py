"""The demo pilot: a small one, staged once per database for the whole file, and the whole one."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from data import database as engines
from data.accounts import Account, AccountRole, AccountStatus, Channel
from data.caregivers import Caregiver, CaregiverStatus, Photo, Rate
from data.cities import City, Place
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.dispatch import AutoMode, DispatchLine, DispatchMode, DispatchOverride
from data.invoices import Invoice, InvoiceStatus
from data.ledger import LedgerPosting
from data.notices import Notice, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.pushes import DemandPush, PushedCaregiver, PushStatus
from data.receipts import Receipt, ReceiptMethod
from data.reviews import Review
from data.verifications import CaseKind, CaseStatus, VerificationCase
from services import (
    clock,
    demo,
    regions,
    resident_ids,
    sessions,
    to_do,
    verifications,
)
from services.access import Actor, Role
from services.demo import portraits, story, words
from services.photos import SIDE_PIXELS
from services.recipients import Sex
from services.to_do import ToDoKind
from tests.both_databases import BOTH
from tests.conftest import database_at, new_database
from tests.factories import BROWSER, MONDAY, NANTONG
from tests.races.rush import overlaps

# Nothing of these waits: the one fall was seen to, and nobody is away.
SEEN_TO = {ToDoKind.INCIDENTS, ToDoKind.LEAVES}
STATUSES = [
    (Account.status, set(AccountStatus) - {AccountStatus.ERASED}),
    (Caregiver.status, CaregiverStatus),
    (Demand.status, DemandStatus),
    (Application.status, ApplicationStatus),
    (Order.status, OrderStatus),
    (Visit.status, VisitStatus),
]


def staged_at(moment, **size):
    """Stage a demo into the database at DATABASE_URL as if it were this moment."""
    with pytest.MonkeyPatch.context() as patch, clock.at(moment):
        patch.setattr(story.LOGGER, "warning", pytest.fail)  # No episode may be refused.
        engines.upgrade()
        engines.transact(partial(demo.stage, **size))


@pytest.fixture(scope="module", params=BOTH)
def staged(request, tmp_path_factory):
    """A database with the small demo, as a first start makes it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    else:
        url = new_database(request.getfixturevalue("cluster"), "demo")
    with database_at(url), clock.at(MONDAY):
        staged_at(MONDAY, **demo.SMALL)
        yield


@pytest.fixture
def session(staged):
    with engines.reading() as session:
        yield session


def demo_actor(session, role):
    """Who the sign-in page's button for this role signs in."""
    phone = sessions.phones.whole_hash(sessions.DEMO_PHONES[role])
    account_id = session.scalars(select(Account.id).where(Account.phone_hash == phone)).one()
    return Actor(account_id, role, frozenset({NANTONG}))


def waiting(session):
    """How many things of each kind wait for the operator."""
    return {one.kind: one.count for one in to_do.today(session, demo_actor(session, Role.OPERATOR))}


def test_it_is_one_city_with_everybody_in_it(session):
    held = select(AccountRole.role, func.count()).group_by(AccountRole.role)

    assert dict(session.execute(held).all()) == {
        Role.CUSTOMER: demo.SMALL["customer_count"],
        Role.CAREGIVER: demo.SMALL["caregiver_count"],
        Role.DESK: 1,
        Role.OPERATOR: 1,
        Role.ANALYST: 1,
    }
    assert session.scalars(select(City.synthetic)).all() == [True]


@pytest.mark.parametrize(("column", "statuses"), STATUSES)
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


def test_most_visits_are_paid_for_and_one_receipt_was_a_mistake(session):
    made = session.scalar(select(func.count(Visit.id)).where(Visit.status == VisitStatus.REDEEMED))
    recorded, reversed_ = session.execute(
        select(func.count(Receipt.id), func.count(Receipt.reversed_at))
    ).one()

    assert made / 2 < recorded < made
    assert reversed_ == 1
    assert set(session.scalars(select(Receipt.method))) == set(ReceiptMethod)


def test_invoices_wait_and_were_issued_and_refused(session):
    assert set(session.scalars(select(Invoice.status))) == {
        InvoiceStatus.ASKED, InvoiceStatus.ISSUED, InvoiceStatus.REFUSED,
    }  # fmt: skip


def test_a_demand_is_pushed_in_two_waves_and_one_item_is_proposed_by_itself(session):
    push = session.scalars(select(DemandPush)).one()
    told = select(PushedCaregiver.wave).where(PushedCaregiver.push_id == push.id)
    assert (push.status, push.waves) == (PushStatus.UNDER_WAY, 2)
    assert set(session.scalars(told)) == {1, 2}
    assert session.scalars(select(DispatchMode.mode)).all() == [AutoMode.SUGGEST]


def test_whom_the_operator_pinned_is_proposed(session):
    pin = session.scalars(select(DispatchOverride)).one()
    line = session.scalars(select(DispatchLine).where(DispatchLine.demand_id == pin.demand_id))
    assert pin.caregiver_id in {one.caregiver_id for one in line}


def test_there_are_reviews_and_some_news_for_everybody_to_read(session):
    assert session.scalar(select(func.count(Review.id))) > 10
    assert session.scalar(select(func.count(Notice.id)).where(Notice.read_at.is_(None))) > 0
    pending = OutboxMessage.status == OutboxStatus.PENDING
    for_inboxes = OutboxMessage.channel == OutboxChannel.INBOX
    left = select(func.count(OutboxMessage.id)).where(pending, for_inboxes)
    assert session.scalar(left) == 0  # Calls wait for the desk, texts for the morning.


def test_whoever_can_be_booked_has_prices_and_most_a_portrait(session):
    priced = select(Rate.id).where(Rate.caregiver_id == Caregiver.id)
    without = select(Caregiver.id).where(~priced.exists())

    assert session.scalars(without).all() == []
    assert session.scalar(select(func.count(Photo.caregiver_id))) > 15


def test_some_of_it_came_by_phone(session):
    by_phone = select(func.count(Order.id)).where(Order.channel == Channel.PHONE)
    assert session.scalar(by_phone) > 5


def test_the_operator_has_a_few_things_of_each_kind_to_do(session):
    waits = waiting(session)

    assert set(waits) >= set(ToDoKind)
    # Nobody of the cast has lost a certificate that a coming visit needs.
    assert waits[ToDoKind.UNQUALIFIED] == 0
    unusual = {*SEEN_TO, ToDoKind.UNQUALIFIED}
    usual = {kind: count for kind, count in waits.items() if kind not in unusual}
    assert {kind: count for kind, count in usual.items() if not 1 <= count <= 8} == {}
    assert (waits[ToDoKind.CASES], waits[ToDoKind.LOCKED]) == (4, 1)


def test_the_customer_who_signs_in_has_something_of_everything(session):
    zhou = demo_actor(session, Role.CUSTOMER)
    mine = select(Order.status, Visit.status).join(Visit, Visit.order_id == Order.id)
    held = {tuple(row) for row in session.execute(mine.where(Order.customer_id == zhou.id))}
    reviewed = select(Review.id).where(Review.visit_id == Visit.id).exists()
    to_review = select(Visit.id).join(Order, Order.id == Visit.order_id).where(
        Order.customer_id == zhou.id, Visit.status == VisitStatus.REDEEMED, ~reviewed
    )  # fmt: skip

    assert held >= {
        (OrderStatus.REQUESTED, VisitStatus.HELD),
        (OrderStatus.CONFIRMED, VisitStatus.PLANNED),
        (OrderStatus.CONFIRMED, VisitStatus.FINISHED),
        (OrderStatus.COMPLETED, VisitStatus.REDEEMED),
    }
    assert session.scalars(to_review).first() is not None


def test_the_caregiver_who_signs_in_has_a_full_week_and_two_requests(session):
    li = demo_actor(session, Role.CAREGIVER)
    hers = select(func.count(Visit.id)).where(Visit.caregiver_id == li.id)
    coming = hers.where(Visit.status == VisitStatus.PLANNED)

    assert session.scalar(hers.where(Visit.status == VisitStatus.HELD)) == 2
    assert session.scalar(coming.where(Visit.starts_at < MONDAY + timedelta(days=7))) >= 6
    assert session.scalar(hers.where(Visit.status == VisitStatus.REDEEMED)) > 10


def test_she_is_free_when_somebody_tries_the_demo(session):
    li = demo_actor(session, Role.CAREGIVER)
    about_now = select(Visit.id).where(
        Visit.caregiver_id == li.id,
        Visit.status != VisitStatus.CANCELLED,
        Visit.ends_at > MONDAY,
        Visit.starts_at < MONDAY + timedelta(hours=6),
    )

    assert session.scalars(about_now).all() == []


def test_every_place_lies_in_its_district(session):
    for place in session.scalars(select(Place)):
        found = regions.district_at(place.lng, place.lat, NANTONG)
        assert found
        assert found.code == place.district_code


def test_only_the_five_who_sign_in_have_a_password(session):
    assert session.scalar(select(func.count(Account.password_hash))) == 5


@pytest.mark.parametrize("role", Role)
def test_one_click_opens_each_role(staged, role):
    with engines.writing() as session:
        opened = sessions.open_demo(session, role, BROWSER)
    with engines.reading() as session:
        assert sessions.resume(session, opened.token).actor.role is role


def test_everybody_who_books_in_the_app_was_verified_before(session):
    verified = select(VerificationCase.id).where(
        VerificationCase.account_id == Order.customer_id,
        VerificationCase.kind == CaseKind.CUSTOMER,
        VerificationCase.status == CaseStatus.APPROVED,
        VerificationCase.decided_at <= Order.created_at,
    )
    in_app = select(Order.id).where(Order.channel == Channel.APP)

    assert session.scalars(in_app).first() is not None
    assert session.scalars(in_app.where(~verified.exists())).all() == []


def test_some_cases_wait_and_one_family_has_to_mend_something(session):
    operator = demo_actor(session, Role.OPERATOR)
    queue = verifications.queue(session, operator, 10)
    rejected = select(VerificationCase.kind).where(
        VerificationCase.status == CaseStatus.REJECTED, VerificationCase.reasons != []
    )

    assert [line.kind for line in queue.lines] == ["caregiver", "customer", "caregiver", "customer"]
    assert len({line.submitted_at for line in queue.lines}) == 4
    assert sorted(session.scalars(rejected)) == ["caregiver", "customer"]


def test_nobody_real_can_have_one_of_its_numbers(session):
    numbers = [row.id_number for row in session.scalars(select(VerificationCase))]

    assert len(set(numbers)) == len(numbers) > 40
    assert not any(resident_ids.read(number).area_known for number in numbers)


def test_staging_it_again_changes_nothing(staged):
    with engines.writing() as session:
        before = session.scalar(select(func.count(Account.id)))
        assert demo.is_staged(session)
        demo.stage(session)

        assert session.scalar(select(func.count(Account.id))) == before


def test_families_say_many_different_things():
    said = [praise for group in words.PRAISES.values() for _, praise in group if praise]

    assert len(set(said)) == len(said) >= 60


def test_the_same_caregiver_is_always_drawn_alike():
    drawn = [portraits.portrait(number, Sex.FEMALE, 45).tobytes() for number in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert portraits.portrait(3, Sex.MALE, 60).size == (SIDE_PIXELS, SIDE_PIXELS)


@pytest.mark.slow
@pytest.mark.parametrize("hours", [18.2, 40.95, 147.5], ids=["night", "midnight", "sunday"])
def test_it_can_be_staged_at_any_hour(empty_sqlite, hours):
    moment = MONDAY + timedelta(hours=hours)
    staged_at(moment, **demo.SMALL)

    with engines.reading() as session, clock.at(moment):
        for column, statuses in STATUSES:
            assert set(session.scalars(select(column).distinct())) == set(statuses)
        assert waiting(session)[ToDoKind.LATE] >= 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_whole_pilot_is_the_size_it_says(empty_sqlite):
    told = []
    staged_at(MONDAY, progress=lambda done, total: told.append(done / total))

    with engines.reading() as session, clock.at(MONDAY):
        waits = waiting(session)
        counted = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Caregiver, AccountRole, Demand)
        ]
    assert counted[:2] == [60, 363]
    assert 850 <= counted[2] <= 1250
    assert sum(waits.values()) < 40
    assert told == sorted(told)
    assert told[-1] == 1
