from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from data import database as engines
from data.cities import City
from data.history import AuditEvent
from data.ledger import LedgerEntry, LedgerEvent
from data.notices import NoticeKind, OutboxMessage
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import calls, orders, redemption
from services.errors import Conflict, Invalid, NotFound
from tests.factories import (
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    NOBODY_ID,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
    order_of,
)

WRONG = "AAAA-AAAA"


@pytest.fixture
def visit_id(session):
    return make_finished_visit(session)


def visit(session, visit_id):
    return session.get_one(Visit, visit_id)


def redeem(session, visit_id, code=None, actor=ZHOU):
    return redemption.redeem(session, actor, visit_id, code or code_of(session, visit_id))


def mistype(session, visit_id, times):
    return [redeem(session, visit_id, WRONG) for _ in range(times)]


def told(session, kind):
    return session.scalars(select(OutboxMessage.account_id).where(OutboxMessage.kind == kind)).all()


class TestCode:
    def test_has_eight_signs_nobody_confuses(self):
        codes = [redemption.derive(visit_id, 1) for visit_id in range(500)]

        assert {len(code) for code in codes} == {8}
        assert set("".join(codes)) == set(redemption.ALPHABET)
        assert not set(redemption.ALPHABET) & set("0O1IL2Z5S8B")

    def test_is_another_for_every_visit_and_issue(self):
        codes = Counter(
            redemption.derive(visit_id, issue) for visit_id in range(300) for issue in (1, 2)
        )

        assert max(codes.values()) == 1

    def test_is_grouped_for_reading_aloud(self):
        assert redemption.grouped("ABCDEFGH") == "ABCD-EFGH"

    def test_is_not_stored(self, session, visit_id):
        code = code_of(session, visit_id)
        session.flush()

        for table in Visit.metadata.sorted_tables:
            assert code not in repr(session.execute(table.select()).all())


class TestRedeeming:
    def test_closes_visit_and_order_and_tells_the_caregiver(self, session, clock, visit_id):
        assert redeem(session, visit_id) is None

        row = visit(session, visit_id)
        assert (row.status, row.redeemed_at) == (VisitStatus.REDEEMED, clock.moment)
        assert session.get_one(Order, row.order_id).status is OrderStatus.COMPLETED
        assert told(session, NoticeKind.VISIT_REDEEMED) == [LI.id]

    def test_takes_the_code_however_it_is_typed(self, session, visit_id):
        code = redemption.grouped(code_of(session, visit_id)).lower()

        assert redeem(session, visit_id, f"  {code.replace('-', ' - ')}\n") is None

    def test_the_desk_redeems_only_what_a_caller_confirmed_when_called_back(
        self, session, visit_id
    ):
        with pytest.raises(Conflict, match="call_back_first"):
            redeem(session, visit_id, actor=DESK)
        code = code_of(session, visit_id)
        assert calls.redeem(session, DESK, visit_id, code, "周女士", "她来了，做得很好") is None

    def test_happens_once(self, session, visit_id):
        redeem(session, visit_id)

        with pytest.raises(Conflict, match="already_redeemed"):
            redeem(session, visit_id)
        booked = select(LedgerEntry.id).where(LedgerEntry.event == LedgerEvent.REDEEMED)
        assert len(session.scalars(booked).all()) == 1

    def test_waits_for_the_caregiver_to_check_out(self, session):
        visit_id = make_visit(session)

        with pytest.raises(Conflict, match="visit_not_finished"):
            redeem(session, visit_id)

    def test_a_cancelled_visit_is_not_redeemed(self, session):
        visit_id = make_visit(session)
        cancel_order(session, ZHOU, order_of(session, visit_id))

        with pytest.raises(Conflict, match="visit_not_finished"):
            redeem(session, visit_id)

    @pytest.mark.parametrize("code", ["", "  ", "-–—", "👵🏽"])
    def test_no_code_is_no_try(self, session, visit_id, code):
        with pytest.raises(Invalid, match="code_missing"):
            redemption.redeem(session, ZHOU, visit_id, code)

    @pytest.mark.parametrize("actor", [STRANGER, FAR_OPERATOR])
    @pytest.mark.parametrize("nonexistent", [False, True])
    def test_others_find_no_such_visit(self, session, visit_id, actor, nonexistent):
        wanted = NOBODY_ID if nonexistent else visit_id
        act = redemption.reissue if actor is FAR_OPERATOR else redeem_with_its_code

        with pytest.raises(NotFound, match="visit_not_found"):
            act(session, actor, wanted)


def redeem_with_its_code(session, actor, visit_id):
    return redemption.redeem(session, actor, visit_id, redemption.derive(visit_id, 1))


class TestWrongCodes:
    def test_are_returned_so_that_the_try_stays_counted(self, session, visit_id):
        refusals = mistype(session, visit_id, 4)

        assert {r.key for r in refusals} == {"error.redemption_wrong"}
        assert [r.values["left"] for r in refusals] == [4, 3, 2, 1]
        assert visit(session, visit_id).wrong_codes == 4
        assert visit(session, visit_id).status is VisitStatus.FINISHED

    @pytest.mark.parametrize("code", ["长" * 8, "<script>", "ABCDEFG", "ABCDEFGHJ" * 1000])
    def test_anything_typed_is_only_a_wrong_code(self, session, visit_id, code):
        assert redeem(session, visit_id, code).key == "error.redemption_wrong"

    def test_the_code_of_another_visit_is_one(self, session, clock, visit_id):
        other = make_finished_visit(session, starts_at=clock.moment - timedelta(days=2))

        refused = redeem(session, visit_id, code_of(session, other))
        assert refused.key == "error.redemption_wrong"

    def test_five_lock_the_visit_and_tell_the_operator(self, session, clock, visit_id):
        refused = mistype(session, visit_id, 5)[-1]

        assert refused.key == "error.redemption_locked"
        assert refused.values["until"] == clock.moment + timedelta(minutes=15)
        assert told(session, NoticeKind.REDEMPTION_LOCKED) == [OPERATOR.id]
        assert session.scalars(select(AuditEvent.action)).all() == ["lock_redemption"]

    def test_a_locked_visit_refuses_even_the_right_code(self, session, visit_id):
        mistype(session, visit_id, 5)

        with pytest.raises(Conflict, match="redemption_locked"):
            redeem(session, visit_id)

    def test_another_visit_is_not_locked(self, session, clock, visit_id):
        other = make_finished_visit(session, starts_at=clock.moment - timedelta(days=2))
        mistype(session, visit_id, 5)

        assert redeem(session, other) is None

    def test_the_lock_ends(self, session, clock, visit_id):
        mistype(session, visit_id, 5)
        clock.move(minutes=15)

        assert redeem(session, visit_id) is None

    def test_five_more_lock_again_and_tell_again(self, session, clock, visit_id):
        mistype(session, visit_id, 5)
        clock.move(minutes=15)

        assert mistype(session, visit_id, 5)[-1].key == "error.redemption_locked"
        assert told(session, NoticeKind.REDEMPTION_LOCKED) == [OPERATOR.id] * 2

    def test_how_long_is_the_citys_setting(self, session, clock, visit_id):
        session.execute(update(City).where(City.code == NANTONG).values(redeem_lock_minutes=60))
        session.expire_all()
        mistype(session, visit_id, 5)

        assert visit(session, visit_id).locked_until == clock.moment + timedelta(hours=1)

    def test_the_count_survives_the_refusal(self, database):
        with engines.writing() as session:
            visit_id = make_finished_visit(session)
        for _ in range(5):
            engines.transact(lambda session: redeem(session, visit_id, WRONG))

        with engines.reading() as session:
            assert visit(session, visit_id).wrong_codes == 5
            assert visit(session, visit_id).locked_until is not None


class TestReissuing:
    def test_makes_the_old_code_worthless(self, session, visit_id):
        old = code_of(session, visit_id)
        redemption.reissue(session, OPERATOR, visit_id)

        assert redeem(session, visit_id, old).key == "error.redemption_wrong"
        assert redeem(session, visit_id) is None

    def test_unlocks_tells_the_caregiver_and_is_audited(self, session, visit_id):
        mistype(session, visit_id, 5)
        redemption.reissue(session, OPERATOR, visit_id)

        row = visit(session, visit_id)
        assert (row.wrong_codes, row.locked_until, row.code_issue) == (0, None, 2)
        assert told(session, NoticeKind.CODE_ISSUED) == [LI.id] * 2
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "reissue_code"))
        assert events.one().detail == {"issue": 2}

    def test_five_wrong_codes_after_it_lock_and_tell_again(self, session, visit_id):
        mistype(session, visit_id, 5)
        redemption.reissue(session, OPERATOR, visit_id)

        assert mistype(session, visit_id, 5)[-1].key == "error.redemption_locked"
        assert told(session, NoticeKind.REDEMPTION_LOCKED) == [OPERATOR.id] * 2

    def test_comes_too_late_after_redemption(self, session):
        visit_id = make_redeemed_visit(session)

        with pytest.raises(Conflict, match="visit_moved_on"):
            redemption.reissue(session, OPERATOR, visit_id)


class TestWhoSeesWhat:
    def test_caregivers_see_their_own_codes_until_redemption(self, session, visit_id):
        code = redemption.grouped(code_of(session, visit_id))

        assert redemption.codes(session, LI) == {visit_id: code}
        assert redemption.codes(session, ZHAO) == {}
        redeem(session, visit_id)
        assert redemption.codes(session, LI) == {}

    def test_customers_see_their_own_finished_visits_waiting(self, session, visit_id):
        make_visit(session)

        [waiting] = redemption.waiting(session, ZHOU)
        assert (waiting.visit_id, waiting.caregiver_name) == (visit_id, "李桂兰")
        assert redemption.waiting(session, STRANGER) == []
        assert [w.visit_id for w in redemption.waiting(session, DESK)] == [visit_id]
        redeem(session, visit_id)
        assert redemption.waiting(session, ZHOU) == []

    def test_the_customer_never_gets_the_code_from_us(self, session, visit_id):
        code = code_of(session, visit_id)

        for shown in (redemption.waiting(session, ZHOU), orders.listing(session, ZHOU)):
            assert code not in repr(shown)
