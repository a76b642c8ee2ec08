from datetime import timedelta

import pytest
from sqlalchemy import select

from data.accounts import Account, AccountRole, AccountStatus
from data.demands import Demand
from data.history import AuditEvent, Noun, StatusChange
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent
from data.orders import Order
from data.recipients import Recipient
from data.reviews import Review
from services import customers, demands, ledger, notices, orders, reviews, sessions
from services.access import Actor, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.phones import masked
from tests.factories import (
    BROWSER,
    DESK,
    FAR_OPERATOR,
    JIANGYANG,
    LI,
    LUZHOU,
    NANTONG,
    NASTY,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    STRANGERS_FATHER_ID,
    ZHAO,
    ZHOU,
    cancel_order,
    make_demand,
    make_family,
    make_order,
    make_redeemed_visit,
    one_person,
    order_of,
    phone_of,
    price_of,
)


@pytest.fixture
def both(session):
    """Zhou and the stranger both chose Nantong, and may be one person."""
    one_person(session)
    for actor in (ZHOU, STRANGER):
        session.get_one(Account, actor.id).city_code = NANTONG
    session.flush()


def found(session, typed="", actor=OPERATOR):
    return [one.id for one in customers.listing(session, actor, typed)]


def give_role(session, actor, role, city_code=""):
    session.add(
        AccountRole(
            created_at=session.get_one(Account, actor.id).created_at,
            account_id=actor.id,
            role=role,
            city_code=city_code,
        )
    )
    session.flush()


class TestFinding:
    @pytest.mark.parametrize(
        "typed", ["", "周晓", " 晓燕 ", "0001", "13800000001", "+86 138-0000-0001"]
    )
    def test_by_a_part_of_the_name_the_whole_phone_or_its_last_four(self, session, both, typed):
        assert ZHOU.id in found(session, typed)
        assert (STRANGER.id in found(session, typed)) == (typed == "")

    @pytest.mark.parametrize("typed", ["没有这人", NASTY[:40], "%", "_", "9999", "13900009999"])
    def test_nobody_is_found_by_something_else(self, session, both, typed):
        assert found(session, typed) == []
        assert customers.count(session, OPERATOR, typed) == 0

    def test_half_a_phone_is_refused(self, session):
        with pytest.raises(Invalid, match="phone_invalid"):
            found(session, "13800")

    def test_too_many_signs_are_refused(self, session):
        with pytest.raises(Invalid, match="too_long"):
            found(session, "长" * 41)

    def test_by_a_demand_or_an_order_in_the_city_too(self, session):
        assert found(session) == []
        make_demand(session)
        make_order(session, customer=STRANGER)

        assert found(session) == [STRANGER.id, ZHOU.id]
        assert customers.count(session, OPERATOR) == 2

    def test_another_citys_operator_finds_nobody(self, session, both):
        make_order(session)

        assert found(session, actor=FAR_OPERATOR) == []
        assert customers.count(session, FAR_OPERATOR) == 0

    def test_only_families(self, session):
        for actor in (LI, DESK, OPERATOR):
            session.get_one(Account, actor.id).city_code = NANTONG
        session.flush()

        assert found(session) == []

    def test_in_pages(self, session):
        made = [make_family(session, number)[0].id for number in range(3)]
        for account_id in made:
            session.get_one(Account, account_id).city_code = NANTONG
        session.flush()
        pages = [customers.listing(session, OPERATOR, limit=2, offset=at) for at in (0, 2)]

        assert [[one.id for one in page] for page in pages] == [made[:0:-1], made[:1]]

    def test_a_line_says_what_they_ordered_and_owe(self, session, clock):
        order = session.get_one(Order, make_order(session))
        [line] = customers.listing(session, OPERATOR)

        assert (line.name, line.masked_phone) == ("周晓燕", masked(phone_of(ZHOU)))
        assert (line.orders, line.last_order_at) == (1, clock())
        assert (line.owed_fen, line.status) == (
            price_of(session, order.id)[0],
            AccountStatus.ACTIVE,
        )


class TestOne:
    def test_shows_whom_they_book_for_and_the_last_five_orders(self, session, clock):
        made = [make_order(session, starts_at=clock() + timedelta(days=day)) for day in range(1, 7)]
        make_demand(session)
        customer = customers.one(session, OPERATOR, ZHOU.id)

        assert customer.recipients == (("周奶奶", 81),)
        assert [order.id for order in customer.last_orders] == made[:0:-1]
        assert (customer.open_orders, customer.open_demands) == (6, 1)
        assert set(customer.open_moves) == {"suspend", "merge"}

    @pytest.mark.parametrize("customer_id", [STRANGER.id, NOBODY_ID, LI.id])
    def test_nobody_else_is_there(self, session, customer_id):
        make_order(session)

        with pytest.raises(NotFound, match="customer_not_found"):
            customers.one(session, OPERATOR, customer_id)

    def test_orders_of_other_cities_are_not_told(self, session, both):
        order = session.get_one(Order, make_order(session))
        order.city_code = LUZHOU
        session.flush()

        assert customers.one(session, OPERATOR, ZHOU.id).last_orders == ()
        assert customers.listing(session, OPERATOR, "周")[0].orders == 0

    def test_opening_the_whole_phone_is_recorded(self, session, both):
        assert customers.phone(session, OPERATOR, ZHOU.id) == phone_of(ZHOU)
        session.flush()
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.subject_id, event.actor_id) == ("open_phone", 1, OPERATOR.id)

    def test_another_citys_operator_opens_no_phone(self, session, both):
        with pytest.raises(NotFound, match="customer_not_found"):
            customers.phone(session, FAR_OPERATOR, ZHOU.id)
        assert session.scalars(select(AuditEvent)).all() == []


class TestSuspending:
    def test_ends_every_session_and_leaves_history_and_audit(self, session, both):
        token = sessions.open_session(session, ZHOU.id, BROWSER).token
        customers.move(session, OPERATOR, ZHOU.id, "suspend", "恶意取消")
        assert customers.one(session, OPERATOR, ZHOU.id).decision_words == "恶意取消"
        session.flush()

        assert sessions.resume(session, token) is None
        with pytest.raises(NotAllowed, match="account_suspended"):
            sessions.open_session(session, ZHOU.id, BROWSER)
        [change] = session.scalars(select(StatusChange))
        assert (change.noun, change.move, change.subject_id) == (Noun.ACCOUNT, "suspend", ZHOU.id)
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.subject_id) == ("customer_suspend", ZHOU.id)

    def test_leaves_orders_already_agreed_alone(self, session):
        order_id = make_order(session)
        customers.move(session, OPERATOR, ZHOU.id, "suspend", "恶意取消")
        session.flush()

        assert orders.one(session, OPERATOR, order_id).status is customers.OrderStatus.CONFIRMED

    def test_can_be_taken_back(self, session, both):
        customers.move(session, OPERATOR, ZHOU.id, "suspend", "恶意取消")
        customers.move(session, OPERATOR, ZHOU.id, "restore")
        session.flush()

        assert sessions.open_session(session, ZHOU.id, BROWSER).token

    @pytest.mark.parametrize(
        ("because", "key"), [("", "missing"), ("  ", "missing"), ("长" * 301, "too_long")]
    )
    def test_needs_a_reason(self, session, both, because, key):
        with pytest.raises(Invalid, match=key):
            customers.move(session, OPERATOR, ZHOU.id, "suspend", because)

    @pytest.mark.parametrize("name", ["merge", "delete", ""])
    def test_other_moves_are_refused(self, session, both, name):
        with pytest.raises(NotAllowed, match="not_allowed"):
            customers.move(session, OPERATOR, ZHOU.id, name, "原因")

    def test_twice_is_refused(self, session, both):
        customers.move(session, OPERATOR, ZHOU.id, "suspend", "原因")

        with pytest.raises(Conflict, match="account_moved_on"):
            customers.move(session, OPERATOR, ZHOU.id, "suspend", "原因")

    def test_another_citys_operator_finds_nobody_to_suspend(self, session, both):
        with pytest.raises(NotFound, match="customer_not_found"):
            customers.move(session, FAR_OPERATOR, ZHOU.id, "suspend", "原因")

    def test_nobody_decides_on_themselves(self, session, both):
        me = Actor(ZHOU.id, Role.OPERATOR, frozenset({NANTONG}))

        with pytest.raises(NotAllowed, match="own_case"):
            customers.move(session, me, ZHOU.id, "suspend", "原因")

    def test_staff_keep_their_accounts(self, session, both):
        give_role(session, ZHOU, Role.DESK, NANTONG)

        with pytest.raises(Conflict, match="works_here"):
            customers.move(session, OPERATOR, ZHOU.id, "suspend", "原因")

    def test_a_caregiver_whom_families_expect_keeps_hers(self, session):
        give_role(session, LI, Role.CUSTOMER)
        session.get_one(Account, LI.id).city_code = NANTONG
        make_order(session, caregiver=LI)

        with pytest.raises(Conflict, match="has_coming_visits"):
            customers.move(session, OPERATOR, LI.id, "suspend", "原因")


class TestMerging:
    def merge(self, session):
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        session.flush()
        session.expire_all()

    def test_everything_follows_the_account_that_stays(self, session, both, clock):
        visit_id = make_redeemed_visit(
            session, customer=STRANGER, starts_at=clock() - timedelta(days=1)
        )
        order_id = order_of(session, visit_id)
        reviews.write(session, STRANGER, visit_id, reviews.ReviewForm(5, 5, 5, 5, "很好"))
        notices.deliver(session)
        demand_id = make_demand(session, customer=STRANGER)
        self.merge(session)

        assert session.get_one(Recipient, STRANGERS_FATHER_ID).customer_id == ZHOU.id
        assert session.get_one(Order, order_id).customer_id == ZHOU.id
        assert session.get_one(Demand, demand_id).customer_id == ZHOU.id
        assert session.scalars(select(Review.customer_id)).all() == [ZHOU.id]
        assert notices.inbox(session, STRANGER) == []
        assert notices.inbox(session, ZHOU)

    def test_what_is_owed_moves_by_one_entry(self, session, both):
        mine = price_of(session, make_order(session))[0]
        theirs = price_of(session, make_order(session, customer=STRANGER, caregiver=ZHAO))[0]
        self.merge(session)

        owed = [
            ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, actor.id)
            for actor in (ZHOU, STRANGER)
        ]
        assert owed == [mine + theirs, 0]
        [entry] = session.scalars(
            select(LedgerEntry).where(LedgerEntry.event == LedgerEvent.MERGED)
        )
        assert (entry.event_key, entry.order_id) == (f"merged:account:{STRANGER.id}", None)

    def test_nothing_is_booked_where_nothing_is_owed(self, session, both):
        self.merge(session)

        assert session.scalars(select(LedgerEntry)).all() == []

    def test_the_moved_order_can_still_be_cancelled(self, session, both):
        order_id = make_order(session, customer=STRANGER)
        self.merge(session)
        cancel_order(session, ZHOU, order_id)

        assert ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, ZHOU.id) == 0

    def test_the_other_account_closes(self, session, both):
        token = sessions.open_session(session, STRANGER.id, BROWSER).token
        self.merge(session)
        gone = session.get_one(Account, STRANGER.id)

        assert (gone.status, gone.merged_into_id) == (AccountStatus.MERGED, ZHOU.id)
        assert sessions.resume(session, token) is None
        with pytest.raises(NotAllowed, match="account_merged"):
            sessions.open_session(session, STRANGER.id, BROWSER)
        [change] = session.scalars(select(StatusChange))
        assert (change.noun, change.move, change.subject_id) == (Noun.ACCOUNT, "merge", gone.id)
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.detail) == ("customer_merge", {"kept_id": ZHOU.id})

    def test_demands_posted_under_the_same_key_both_stay(self, session, both):
        made = [
            make_demand(session, customer=actor, request_key="one-click")
            for actor in (ZHOU, STRANGER)
        ]
        self.merge(session)

        assert {demand.id for demand in demands.mine(session, ZHOU)} == set(made)

    def test_the_other_one_is_found_by_phone(self, session, both):
        gone = customers.other(session, OPERATOR, ZHOU.id, "138 0000 0002")

        assert gone.line.id == STRANGER.id

    def test_an_unknown_phone_is_refused(self, session, both):
        with pytest.raises(NotFound, match="customer_not_found"):
            customers.other(session, OPERATOR, ZHOU.id, "13900009999")

    def test_with_itself_is_refused(self, session, both):
        with pytest.raises(Invalid, match="merge_with_itself"):
            customers.merge(session, OPERATOR, ZHOU.id, ZHOU.id)
        with pytest.raises(Invalid, match="merge_with_itself"):
            customers.other(session, OPERATOR, ZHOU.id, phone_of(ZHOU))

    @pytest.mark.parametrize("order", [(ZHOU, STRANGER), (STRANGER, ZHOU)])
    def test_a_second_time_is_refused(self, session, both, order):
        self.merge(session)

        with pytest.raises(Conflict, match="already_merged"):
            customers.merge(session, OPERATOR, *(actor.id for actor in order))

    @pytest.mark.parametrize("holder", [ZHOU, STRANGER])
    @pytest.mark.parametrize(
        ("role", "city_code"), [(Role.CAREGIVER, ""), (Role.DESK, NANTONG), (Role.ANALYST, LUZHOU)]
    )
    def test_accounts_with_other_roles_are_refused(self, session, both, holder, role, city_code):
        give_role(session, holder, role, city_code)

        with pytest.raises(Conflict, match="merge_other_roles"):
            customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)

    @pytest.mark.parametrize("far", [ZHOU, STRANGER])
    def test_accounts_of_another_city_are_refused(self, session, both, far):
        account = session.get_one(Account, far.id)
        account.city_code, account.district_code = LUZHOU, JIANGYANG
        session.flush()

        with pytest.raises(NotFound, match="customer_not_found"):
            customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        with pytest.raises(NotFound, match="customer_not_found"):
            customers.merge(session, FAR_OPERATOR, ZHOU.id, STRANGER.id)

    def test_a_suspended_account_can_be_merged_away(self, session, both):
        customers.move(session, OPERATOR, STRANGER.id, "suspend", "重复注册")
        self.merge(session)

        assert session.get_one(Account, STRANGER.id).status is AccountStatus.MERGED

    def test_a_change_made_from_the_old_state_is_noticed(self, session, both):
        demand = session.get_one(Demand, make_demand(session, customer=STRANGER))
        before = demand.version
        self.merge(session)

        assert session.get_one(Demand, demand.id).version == before + 1
