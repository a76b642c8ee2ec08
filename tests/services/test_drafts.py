import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select, text, update

from data.catalogue import CareItem, Skill
from data.cities import City, CityStatus, Place
from data.consents import ErasureRequest
from data.database import transact
from data.demands import Draft
from data.recipients import Recipient
from services import customers, demands, drafts, erasure, places
from services.access import SYSTEM
from services.drafts import DraftFields, Lost
from services.errors import Invalid, NotAllowed, NotFound
from tests.factories import (
    CHONGCHUAN,
    COMPANIONSHIP,
    DESK,
    HOSPITAL_ID,
    LI,
    LUZHOU,
    MOTHER_ID,
    NANTONG,
    NASTY,
    OPERATOR,
    STRANGER,
    ZHOU,
    demand_form,
    make_demand,
    one_person,
)

WRITTEN = DraftFields(
    recipient_id=MOTHER_ID,
    item_id=COMPANIONSHIP,
    city_code=NANTONG,
    district_code=CHONGCHUAN,
    place_id=HOSPITAL_ID,
    address=NASTY,
    day=date(2030, 1, 10),
    start=time(14, 30),
    units=3,
    lowest_fen=3500,
    highest_fen=5000,
    skills=(Skill.DIALECT, Skill.COOKING),
    words=NASTY,
)


def save(session, actor=ZHOU, customer_id=None, **changes):
    drafts.save(session, actor, replace(WRITTEN, **changes), customer_id=customer_id)
    session.flush()
    session.expire_all()


def found(session, actor=ZHOU, **given):
    return drafts.find(session, actor, **given)


def count(session):
    return session.scalar(select(func.count(Draft.id)))


class TestSaving:
    def test_what_was_written_is_found_again_as_it_was(self, session, clock):
        save(session)

        assert found(session) == drafts.DraftView(clock.moment, WRITTEN, ())

    def test_the_last_word_stays_and_there_is_one_draft(self, session, clock):
        save(session)
        clock.move(minutes=5)
        save(session, words="请会说本地话的", skills=())

        assert found(session).fields == replace(WRITTEN, words="请会说本地话的", skills=())
        assert found(session).saved_at == clock.moment
        assert count(session) == 1

    def test_saving_the_same_once_more_changes_nothing(self, session, clock):
        save(session)
        before = clock.moment
        clock.move(minutes=5)
        save(session)

        assert found(session).saved_at == before

    def test_a_form_hardly_begun_can_be_kept(self, session):
        drafts.save(session, ZHOU, DraftFields(words="刚开始写"))

        assert found(session).fields == DraftFields(words="刚开始写")

    @pytest.mark.parametrize("weekdays", [(), (0, 2, 4)])
    def test_a_plans_course_is_kept_whether_complete_or_not(self, session, weekdays):
        save(session, weekdays=weekdays, weeks=2, until_on=date(2030, 3, 31))

        kept = found(session).fields
        assert (kept.weekdays, kept.weeks) == (weekdays, 2)
        assert (kept.day, kept.start, kept.until_on) == (
            date(2030, 1, 10),
            time(14, 30),
            date(2030, 3, 31),
        )

    def test_one_kept_before_there_were_plans_is_a_single_visits(self, session):
        save(session)
        draft = session.scalars(select(Draft)).one()
        body = json.loads(draft.body)
        for new in ("weekdays", "weeks", "until_on"):
            del body[new]
        draft.body = json.dumps(body)
        session.flush()

        assert found(session).fields == WRITTEN

    def test_nothing_of_it_stands_outside_the_sealed_body(self, session):
        save(session, address="濠河花园 3 幢 502 室", words="父亲走路慢")
        row = session.execute(text("SELECT * FROM drafts")).mappings().one()

        assert set(row) == {
            "id", "created_at", "author_id", "customer_id", "saved_at", "sealed_id", "body_sealed"
        }  # fmt: skip
        sealed = bytes(row["body_sealed"])
        assert not [word for word in ("address", "濠河花园") if word.encode() in sealed]

    @pytest.mark.parametrize("field", ["address", "words"])
    def test_too_many_words_are_refused(self, session, field):
        with pytest.raises(Invalid, match="too_long"):
            save(session, **{field: "长" * 501})

    def test_two_tabs_at_once_leave_one_draft(self, database):
        def save_in_a_tab(number):
            transact(lambda one: drafts.save(one, ZHOU, replace(WRITTEN, words=f"第 {number} 页")))

        with ThreadPoolExecutor(8) as tabs:
            list(tabs.map(save_in_a_tab, range(16)))

        assert transact(count) == 1
        assert transact(found).fields.words.startswith("第 ")


class TestWhose:
    def test_nobody_else_finds_it(self, session):
        save(session)

        assert found(session, STRANGER) is None

    def test_the_desks_draft_for_a_caller_is_the_desks(self, session):
        save(session, DESK, ZHOU.id)

        assert found(session) is None
        assert found(session, DESK, customer_id=ZHOU.id).fields == WRITTEN
        assert found(session, DESK, customer_id=STRANGER.id) is None

    def test_a_customer_keeps_none_for_somebody_else(self, session):
        with pytest.raises(NotAllowed):
            save(session, ZHOU, STRANGER.id)

    def test_a_caregiver_keeps_none(self, session):
        with pytest.raises(NotAllowed):
            save(session, LI)

    def test_the_desk_keeps_none_for_whom_it_cannot_reach(self, session):
        with pytest.raises(NotFound, match="customer_not_found"):
            save(session, DESK, LI.id)


class TestWhatNoLongerHolds:
    def check(self, session, lost, **gone):
        draft = found(session)
        assert draft.lost == (lost,)
        assert draft.fields == replace(WRITTEN, **gone)

    def test_a_recipient_who_is_gone(self, session):
        save(session)
        session.execute(update(Recipient).values(customer_id=STRANGER.id))

        self.check(session, Lost.RECIPIENT, recipient_id=None)

    def test_an_item_that_was_withdrawn_goes_with_its_units_and_price(self, session):
        save(session)
        session.execute(update(CareItem).values(active=False))

        gone = {"item_id": None, "units": None, "lowest_fen": None, "highest_fen": None}
        self.check(session, Lost.ITEM, **gone)

    def test_a_price_that_is_out_of_the_range_now(self, session):
        save(session)
        session.execute(update(CareItem).values(lowest_fen=4000))

        self.check(session, Lost.PRICE, lowest_fen=None, highest_fen=None)

    def test_a_length_that_is_out_of_the_range_now(self, session):
        save(session)
        session.execute(update(CareItem).where(CareItem.id == COMPANIONSHIP).values(fewest_units=4))

        self.check(session, Lost.UNITS, units=None)

    def test_a_place_that_was_retired_while_its_district_stays(self, session, clock):
        save(session)
        session.get_one(Place, HOSPITAL_ID).retired_at = clock.moment

        self.check(session, Lost.PLACE, place_id=None)

    def test_a_neighbourhood_of_another_district(self, session):
        save(session, place_id=None, cell="8a30a2c0c47ffff")

        assert found(session).lost == (Lost.PLACE,)
        assert found(session).fields.cell is None

    def test_a_neighbourhood_of_the_district_holds(self, session):
        cell = min(places.cells_of_district(CHONGCHUAN))
        save(session, place_id=None, cell=cell)

        assert (found(session).lost, found(session).fields.cell) == ((), cell)

    def test_a_city_that_was_closed(self, session):
        save(session)
        session.execute(update(City).where(City.code == NANTONG).values(status=CityStatus.CLOSED))

        gone = {"city_code": None, "district_code": None, "place_id": None}
        self.check(session, Lost.CITY, **gone)

    def test_a_city_the_desk_does_not_work_for(self, session):
        save(session, DESK, ZHOU.id, city_code=LUZHOU, district_code="510502", place_id=None)

        assert found(session, DESK, customer_id=ZHOU.id).lost == (Lost.CITY,)

    def test_a_day_that_has_passed_while_the_hour_stays(self, session, clock):
        save(session)
        clock.move(days=3, hours=6)

        self.check(session, Lost.TIME, day=None)

    def test_a_day_beyond_the_citys_horizon(self, session):
        save(session)
        session.execute(update(City).values(horizon_days=2))

        self.check(session, Lost.TIME, day=None)

    def test_many_things_at_once(self, session, clock):
        save(session)
        session.execute(update(CareItem).values(active=False))
        clock.move(days=20)

        assert found(session).lost == (Lost.ITEM, Lost.TIME)


class TestItsEnd:
    def test_posting_deletes_it(self, session):
        save(session)
        make_demand(session)

        assert count(session) == 0

    def test_a_refused_post_leaves_it(self, session):
        save(session)
        with pytest.raises(Invalid):
            make_demand(session, address=" ")

        assert found(session).fields == WRITTEN

    def test_the_desks_post_for_a_caller_leaves_the_familys_own(self, session):
        save(session)
        save(session, DESK, ZHOU.id)
        demands.post(session, DESK, demand_form(), "call", customer_id=ZHOU.id)

        assert found(session) is not None
        assert found(session, DESK, customer_id=ZHOU.id) is None

    def test_it_is_discarded_by_its_author_alone(self, session):
        save(session)
        drafts.discard(session, STRANGER)
        assert count(session) == 1
        drafts.discard(session, ZHOU)
        drafts.discard(session, ZHOU)

        assert count(session) == 0

    def test_after_thirty_days_it_is_deleted(self, session, clock):
        save(session)
        clock.move(days=29)
        save(session, STRANGER)
        assert drafts.prune_due(session, SYSTEM) == 0
        clock.move(days=1)

        assert [drafts.prune_due(session, SYSTEM) for _ in range(2)] == [1, 0]
        assert found(session) is None
        assert found(session, STRANGER) is not None

    def test_it_goes_with_whom_it_was_for(self, session, clock):
        save(session)
        save(session, DESK, ZHOU.id)
        save(session, STRANGER)
        due = clock.moment + timedelta(days=7)
        session.add(ErasureRequest(created_at=clock.moment, account_id=ZHOU.id, due_at=due))
        clock.move(days=8)

        assert erasure.erase_due(session, SYSTEM) == 1
        assert session.scalars(select(Draft.author_id)).all() == [STRANGER.id]


class TestMerging:
    @pytest.fixture(autouse=True)
    def known_to_the_operator(self, session):
        for customer in (ZHOU, STRANGER):
            make_demand(session, customer=customer)

    def merge(self, session):
        one_person(session)
        customers.merge(session, OPERATOR, ZHOU.id, STRANGER.id)
        session.flush()
        session.expire_all()

    def test_the_kept_account_takes_it_over(self, session):
        save(session, STRANGER, words="另一个账户写的")
        save(session, DESK, STRANGER.id)
        self.merge(session)

        assert found(session).fields.words == "另一个账户写的"
        assert found(session, DESK, customer_id=ZHOU.id) is not None

    @pytest.mark.parametrize(("first", "last"), [(ZHOU, STRANGER), (STRANGER, ZHOU)])
    def test_of_two_the_later_stays(self, session, clock, first, last):
        save(session, first, words="先写的")
        clock.move(minutes=1)
        save(session, last, words="后写的")
        self.merge(session)

        assert found(session).fields.words == "后写的"
        assert count(session) == 1
