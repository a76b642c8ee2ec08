"""Notes, shared numbers, duplicates and repeats: what the desk keeps of its callers."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from data.accounts import Account, AccountStatus, ContactPhone
from data.calls import Call, NoteKind
from data.caregivers import Caregiver, CaregiverStatus, Certificate, Rate
from data.demands import Demand
from data.history import AuditEvent
from data.orders import Order, Visit
from services import (
    accounts,
    callers,
    calls,
    contact_phones,
    customers,
    duplicates,
    erasure,
    notes,
    places,
    repeat_bookings,
    sessions,
    visits,
)
from services.access import SYSTEM, Role
from services.availability import Obstacle
from services.duplicates import Alike
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    BROWSER,
    COMPANIONSHIP,
    DESK,
    JIANGYANG,
    LI,
    MOTHER_ID,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    make_booking,
    make_order,
    make_recipient,
    make_rules,
    phone_of,
    visit_of,
)

SHARED = "051385550000"
OWN = "13912345678"


def enter(session, name="顾阿姨", phone=OWN, **options):
    number = callers.register(session, DESK, name, phone, NANTONG, **options)
    session.flush()
    return number


def found(session, typed):
    return [one.id for one in callers.find(session, DESK, typed)]


class TestNotes:
    def test_promises_come_first_by_their_day_and_are_overdue_after_it(self, session, clock):
        today = clock().date()
        notes.add(session, DESK, ZHOU.id, NoteKind.NOTE, "耳背，说慢点", today)
        later = notes.add(session, DESK, ZHOU.id, NoteKind.PROMISE, "寄发票", today + timedelta(3))
        soon = notes.add(session, DESK, ZHOU.id, NoteKind.PROMISE, "回电话", today)
        standing = notes.listing(session, DESK, ZHOU.id)
        assert [one.id for one in standing[:2]] == [soon, later]
        assert [one.due_on for one in standing[2:]] == [None]
        clock.move(days=1)
        assert [one.overdue for one in notes.listing(session, DESK, ZHOU.id)][:2] == [True, False]
        notes.tick(session, DESK, soon)
        notes.tick(session, DESK, soon)
        assert later == notes.listing(session, DESK, ZHOU.id)[0].id

    @pytest.mark.parametrize(
        ("said", "day", "key"),
        [
            ("", date(2030, 1, 8), "missing"),
            ("长" * 301, date(2030, 1, 8), "too_long"),
            ("回电话", None, "missing"),
            ("回电话", date(2030, 1, 6), "promise_day"),
            ("回电话", date(2032, 1, 1), "promise_day"),
        ],
    )
    def test_what_nobody_could_keep_is_refused(self, session, said, day, key):
        with pytest.raises(Invalid, match=key):
            notes.add(session, DESK, ZHOU.id, NoteKind.PROMISE, said, day)

    def test_only_the_desk_reads_and_writes_them(self, session):
        number = notes.add(session, DESK, ZHOU.id, NoteKind.NOTE, "耳背")
        for actor in (ZHOU, LI, OPERATOR):
            with pytest.raises(NotAllowed):
                notes.listing(session, actor, ZHOU.id)
            with pytest.raises(NotAllowed):
                notes.tick(session, actor, number)


class TestSharedNumbers:
    def test_somebody_at_a_shared_number_has_no_way_in(self, session):
        number = enter(session, phone=SHARED, shared=True, said="邻居小店")
        account = session.get_one(Account, number)
        assert callers.one(session, DESK, number).masked_phone == ""
        assert found(session, SHARED) == found(session, "0000") == [number]
        for typed in (account.phone, SHARED):
            with pytest.raises((Invalid, Conflict)):
                accounts.request_code(session, account.phone, "sign_in")
            opened = None
            try:
                opened = accounts.sign_in_by_code(session, typed, "123456", BROWSER)
            except Invalid:
                continue
            assert not isinstance(opened, sessions.Opened)

    def test_a_family_shares_a_number_and_each_is_found_by_it(self, session):
        owner = enter(session)
        with pytest.raises(Conflict, match="phone_known"):
            enter(session, "顾叔叔")
        other = enter(session, "顾叔叔", shared=True, said="老伴的手机")
        assert set(found(session, OWN)) == {owner, other}
        assert [one.words for one in callers.numbers(session, DESK, other)] == ["老伴的手机"]

    def test_the_caregiver_gets_the_number_they_are_reached_at(self, session):
        number = enter(session, phone=SHARED, shared=True)
        order_id = make_order(session)
        session.get_one(Order, order_id).customer_id = number
        session.flush()
        contact = visits.contact(session, LI, visit_of(session, order_id))
        assert contact.phone == SHARED

    def test_a_look_at_the_whole_number_is_noted(self, session):
        callers.numbers(session, DESK, ZHOU.id)
        session.flush()
        [event] = session.scalars(select(AuditEvent))
        assert (event.action, event.subject_id) == ("open_phone", ZHOU.id)

    def test_the_last_number_of_somebody_without_their_own_stays(self, session):
        number = enter(session, phone=SHARED, shared=True)
        [only] = contact_phones.of(session, DESK, number)
        with pytest.raises(Invalid, match="last_contact_phone"):
            contact_phones.drop(session, DESK, only.id)
        contact_phones.add(session, DESK, number, OWN, "女儿")
        contact_phones.drop(session, DESK, only.id)
        assert [one.words for one in contact_phones.of(session, DESK, number)] == ["女儿"]

    def test_a_handful_is_enough(self, session):
        for tail in range(callers.MOST_CONTACT_PHONES):
            contact_phones.add(session, DESK, ZHOU.id, f"1391111000{tail}", "")
        contact_phones.add(session, DESK, ZHOU.id, "13911110000", "再说一次")
        with pytest.raises(Invalid, match="too_many_contact_phones"):
            contact_phones.add(session, DESK, ZHOU.id, "13911119999", "")

    def test_a_caller_who_is_also_a_caregiver_is_found_and_told_so(self, session):
        accounts.take_up_role(session, LI, Role.CUSTOMER)
        session.flush()
        [one] = [one for one in callers.find(session, DESK, "liguilan") if one.id == LI.id]
        assert one.is_caregiver

    def test_an_order_leads_to_whose_it_is(self, session):
        order_id = make_order(session)
        assert found(session, str(order_id)) == found(session, f"#{order_id}") == [ZHOU.id]

    def test_erasure_forgets_the_numbers(self, session, clock):
        contact_phones.add(session, DESK, ZHOU.id, OWN, "女儿")
        erasure.ask(session, ZHOU)
        clock.move(days=8)
        erasure.erase_due(session, SYSTEM)
        assert session.scalars(select(ContactPhone)).all() == []


class TestDuplicates:
    def twins(self, session):
        """One person entered twice, whose mother was too."""
        pair = enter(session), enter(session, phone=SHARED, shared=True)
        for number in pair:
            make_recipient(session, type(ZHOU)(number, Role.CUSTOMER), name="顾奶奶")
        return pair

    def test_the_same_name_with_the_same_family_warns(self, session):
        one, other = self.twins(session)
        [double] = duplicates.of(session, DESK, one)
        assert (double.caller.id, double.alike, double.mergeable) == (other, Alike.NAME, True)

    def test_the_same_number_is_told(self, session):
        one = enter(session)
        other = enter(session, "顾叔叔", shared=True)
        [double] = duplicates.of(session, DESK, other)
        assert (double.caller.id, double.alike) == (one, Alike.NUMBER)

    def test_merging_keeps_both_histories(self, session):
        kept, gone = self.twins(session)
        call_id = calls.begin(session, DESK, gone)
        notes.add(session, DESK, gone, NoteKind.NOTE, "耳背")
        duplicates.merge(session, DESK, kept, gone)
        session.flush()
        session.expire_all()
        assert session.get_one(Account, gone).status is AccountStatus.MERGED
        assert session.get_one(Call, call_id).customer_id == kept
        assert [one.words for one in notes.listing(session, DESK, kept)] == ["耳背"]
        assert found(session, SHARED) == found(session, OWN) == found(session, "顾阿姨") == [kept]

    def test_whoever_has_signed_in_is_an_operators_business(self, session):
        kept, gone = self.twins(session)
        sessions.open_session(session, gone, BROWSER)
        session.flush()
        assert not duplicates.of(session, DESK, kept)[0].mergeable
        with pytest.raises(Conflict, match="merge_ask_operator"):
            duplicates.merge(session, DESK, kept, gone)

    def test_strangers_are_not_merged(self, session):
        with pytest.raises(Conflict, match="merge_not_alike"):
            duplicates.merge(session, DESK, ZHOU.id, STRANGER.id)

    @pytest.mark.parametrize("actor", [ZHOU, LI, OPERATOR])
    def test_only_the_desk_merges_so(self, session, actor):
        with pytest.raises(NotAllowed):
            duplicates.merge(session, actor, ZHOU.id, STRANGER.id)


class TestRepeating:
    def repeated(self, session, proposal, number=0, key="k"):
        return repeat_bookings.repeat(
            session, DESK, ZHOU.id, proposal.order_id, proposal.choices[number], key
        )

    def test_without_an_order_there_is_nothing_to_repeat(self, session):
        assert repeat_bookings.propose(session, DESK, ZHOU.id) is None

    def test_the_same_care_is_booked_a_week_later_at_the_same_address(self, session, clock):
        order_id = make_order(session)
        before = session.get_one(Visit, visit_of(session, order_id))
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)
        assert proposal.as_before
        assert proposal.choices[0].starts_at == before.starts_at + timedelta(days=7)
        again = session.get_one(Order, self.repeated(session, proposal))
        demand = session.get_one(Demand, again.demand_id)
        old = session.get_one(Demand, session.get_one(Order, order_id).demand_id)
        assert (demand.address, demand.recipient_id, again.caregiver_id) == (
            old.address,
            MOTHER_ID,
            LI.id,
        )
        assert self.repeated(session, proposal) == again.id

    def test_an_old_order_is_repeated_in_the_week_to_come(self, session, clock):
        make_order(session)
        clock.move(days=30)
        wanted = repeat_bookings.propose(session, DESK, ZHOU.id).wanted_at
        assert clock() < wanted <= clock() + timedelta(days=7)

    def test_if_she_is_busy_her_nearest_times_and_others_are_offered(self, session, clock):
        make_order(session)
        taken = repeat_bookings.propose(session, DESK, ZHOU.id).wanted_at
        make_booking(session, customer=STRANGER, starts_at=taken)
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)
        assert not proposal.as_before
        assert proposal.obstacle is Obstacle.BUSY
        mine = [one for one in proposal.choices if one.caregiver_id == LI.id]
        assert mine
        assert taken not in [one.starts_at for one in mine]
        assert (ZHAO.id, taken) in [(one.caregiver_id, one.starts_at) for one in proposal.choices]

    @pytest.mark.parametrize(
        ("changed", "obstacle"),
        [
            (
                update(Certificate)
                .where(Certificate.caregiver_id == LI.id)
                .values(expires_on=date(2030, 1, 8)),
                Obstacle.CERTIFICATE,
            ),
            (
                update(Caregiver)
                .where(Caregiver.id == LI.id)
                .values(status=CaregiverStatus.SUSPENDED),
                Obstacle.NOT_OFFERED,
            ),
            (delete(Rate).where(Rate.caregiver_id == LI.id), Obstacle.NOT_OFFERED),
            (
                update(Caregiver)
                .where(Caregiver.id == LI.id)
                .values(cell=places.cell_of_district(JIANGYANG)),
                Obstacle.TOO_FAR,
            ),
        ],
    )
    def test_who_cannot_come_at_any_time_is_not_offered_and_it_is_said_why(
        self, session, clock, changed, obstacle
    ):
        make_order(session)
        clock.move(days=3)
        session.execute(changed)
        session.expire_all()
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)

        assert proposal.obstacle is obstacle
        assert {one.caregiver_id for one in proposal.choices} == {ZHAO.id}

    def test_her_price_is_the_one_the_city_allows_by_now(self, session):
        make_order(session)
        make_rules(session, prices={str(COMPANIONSHIP): {"intermediate": [4500, 5000]}})
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)

        assert proposal.choices[0].price_fen == 4500
        assert self.repeated(session, proposal)

    def test_what_was_taken_meanwhile_is_refused(self, session):
        make_order(session)
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)
        make_booking(session, customer=STRANGER, starts_at=proposal.wanted_at)
        with pytest.raises(Conflict, match="obstacle"):
            self.repeated(session, proposal)

    def test_another_customers_order_is_not_repeated_for_this_one(self, session):
        make_order(session)
        proposal = repeat_bookings.propose(session, DESK, ZHOU.id)
        with pytest.raises(NotFound, match="order_not_found"):
            repeat_bookings.repeat(
                session, DESK, STRANGER.id, proposal.order_id, proposal.choices[0], "k"
            )


def test_an_account_merged_meanwhile_gets_no_new_demand(session):
    kept, gone = enter(session), enter(session, phone=SHARED, shared=True)
    customers.merge_proven(session, type(ZHOU)(kept, Role.CUSTOMER), kept, gone)
    session.flush()
    with pytest.raises(NotFound, match="customer_not_found"):
        callers.reach(session, DESK, gone)
    assert phone_of(ZHOU) not in found(session, SHARED)
