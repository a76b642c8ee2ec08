import random
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import update

from data.caregivers import Caregiver
from data.catalogue import ItemGroup
from data.cities import City
from data.demands import DemandStatus
from data.orders import OrderStatus
from services import releases
from services.access import Actor, Role
from services.errors import NotAllowed
from services.releases import Period
from tests.factories import (
    ANALYST,
    CHONGCHUAN,
    COMPANIONSHIP,
    FAR_OPERATOR,
    HOSPITAL_COMPANION,
    LI,
    LUZHOU,
    NANTONG,
    NURSING_ONLY,
    TONGZHOU,
    make_demand,
    make_family,
    make_order,
)
from tests.needs import HOURS, add_need, add_needs

BATH, MATERNITY_NURSE, POSTPARTUM = 7, 11, 12
HAIMEN, RUGAO = "320614", "320682"
SERVED = {"order_status": OrderStatus.COMPLETED}
K = releases.FEWEST_PEOPLE


def by_district(session, period=Period.WEEKS_4, group=None):
    release = releases.by_district(session, ANALYST, NANTONG, period, group)
    return {row["district"]: row for row in release.table.to_dict("records")}


def by_item(session, period=Period.WEEKS_4, district_code=None):
    release = releases.by_item(session, ANALYST, NANTONG, period, district_code)
    return {(row["group"], row["item"]): row for row in release.table.to_dict("records")}


def total(session, period=Period.WEEKS_4):
    return releases.by_district(session, ANALYST, NANTONG, period).total


class TestWithholding:
    @pytest.mark.parametrize(
        ("people", "left_out"),
        [
            ((5, 6, 7), set()),
            ((4, 3, 9), {4, 3}),
            # A single small cell could be worked out from the total: another one goes with it.
            ((4, 9, 6), {4, 6}),
            ((4, 9), {4, 9}),
            ((4,), {4}),
            ((), set()),
            ((1, 2, 3), {1, 2, 3}),
        ],
    )
    def test_leaves_no_cell_of_fewer_than_k_people(self, people, left_out):
        assert releases.withhold({count: count for count in people}, 5) == left_out

    def test_k_is_a_setting(self):
        assert releases.withhold({count: count for count in (9, 12, 8, 14)}, 10) == {9, 8}


class TestWhatCounts:
    def test_a_need_is_served_while_its_order_is_agreed_and_unmet_if_its_time_came_without(
        self, session, clock
    ):
        add_needs(session, 5, order_status=OrderStatus.COMPLETED)
        add_needs(session, 5, order_status=OrderStatus.CONFIRMED)
        for status in (DemandStatus.OPEN, DemandStatus.DIRECTED, DemandStatus.EXPIRED):
            add_needs(session, 2, status=status)

        row = by_district(session)[CHONGCHUAN]

        assert (row["demands"], row["served"], row["fill_rate"]) == (16, 10, 0.62)
        assert (row["wanted_hours"], row["served_hours"]) == (16 * HOURS, 10 * HOURS)
        assert row["gap_hours"] == 6 * HOURS

    def test_what_the_family_gave_up_is_no_need(self, session, clock):
        add_needs(session, 6)
        add_needs(session, 3, status=DemandStatus.WITHDRAWN)
        add_needs(session, 3, order_status=OrderStatus.CANCELLED)

        assert by_district(session)[CHONGCHUAN]["demands"] == 6

    def test_a_demand_posted_through_the_service_counts_once_its_week_has_closed(
        self, session, clock
    ):
        add_needs(session, 5)
        make_demand(session, starts_at=clock() + timedelta(days=1))

        assert by_district(session)[CHONGCHUAN]["demands"] == 5

        clock.move(days=7)
        assert by_district(session)[CHONGCHUAN]["demands"] == 6

    def test_an_order_approved_by_the_operator_is_served(self, session, clock):
        add_needs(session, 5)
        make_order(session, starts_at=clock() + timedelta(days=1))
        clock.move(days=7)

        assert by_district(session)[CHONGCHUAN]["served"] == 1

    @pytest.mark.parametrize(
        ("period", "demands"), [(Period.WEEKS_4, 5), (Period.WEEKS_8, 11), (Period.ALL, 18)]
    )
    def test_periods_are_closed_weeks(self, session, clock, period, demands):
        add_needs(session, 9, weeks_ago=0)  # This week is not over.
        add_needs(session, 5, weeks_ago=4)
        add_needs(session, 6, weeks_ago=5)
        add_needs(session, 7, weeks_ago=30)

        row = by_district(session, period)[CHONGCHUAN]
        assert row["demands"] == demands
        assert releases.last_closed_day().isoformat() == "2030-01-06"

    def test_the_median_time_to_match_is_of_enough_families(self, session, clock):
        for hours in (2, 3, 8, 9):
            add_needs(session, 1, matched_after=hours, **SERVED)
        add_needs(session, 2)
        assert by_district(session)[CHONGCHUAN]["median_hours"] is None

        add_needs(session, 1, matched_after=30, **SERVED)
        assert by_district(session)[CHONGCHUAN]["median_hours"] == 8

    def test_the_largest_gap_comes_first(self, session, clock):
        add_needs(session, 6, **SERVED)
        add_needs(session, 5, district_code=RUGAO)
        add_needs(session, 8, district_code=HAIMEN)

        assert list(by_district(session)) == [HAIMEN, RUGAO, CHONGCHUAN]

    def test_a_group_of_items_can_be_asked_for(self, session, clock):
        add_needs(session, 6)
        add_needs(session, 5, item_id=HOSPITAL_COMPANION)

        assert by_district(session, group=ItemGroup.MEDICAL)[CHONGCHUAN]["demands"] == 5


class TestSupply:
    def test_few_caregivers_are_not_told(self, session, clock):
        add_needs(session, 5)

        row = by_district(session)[CHONGCHUAN]
        assert (row["supply_hours"], row["caregivers"]) == (None, None)

    def test_enough_caregivers_plan_their_weeks(self, session, clock):
        for number in range(3):  # With LI and ZHAO they are five.
            make_caregiver_like(session, LI, number)

        row = by_district(session, Period.WEEKS_8)[CHONGCHUAN]
        assert row["caregivers"] == 5
        assert row["supply_hours"] == 2 * 8 * 7 * 13  # The new ones have planned nothing yet.
        assert (row["demands"], row["weeks"]) == (None, 0)


def make_caregiver_like(session, model, number):
    """Another approved caregiver without a plan."""
    family, _ = make_family(session, 900 + number)
    values = {
        column.key: getattr(session.get_one(Caregiver, model.id), column.key)
        for column in Caregiver.__table__.columns
        if column.key != "version"
    }
    session.add(Caregiver(**(values | {"id": family.id})))
    session.flush()


class TestItems:
    def test_items_of_few_families_stand_together_in_their_group(self, session, clock):
        add_needs(session, 6)
        add_needs(session, 5, item_id=HOSPITAL_COMPANION)
        add_needs(session, 3, item_id=MATERNITY_NURSE)
        add_needs(session, 2, item_id=POSTPARTUM)

        assert {cell: row["demands"] for cell, row in by_item(session).items()} == {
            (ItemGroup.ELDERLY, COMPANIONSHIP): 6,
            (ItemGroup.MEDICAL, HOSPITAL_COMPANION): 5,
            (ItemGroup.MATERNITY, None): 5,
        }

    def test_a_rest_of_few_families_takes_the_smallest_item_with_it(self, session, clock):
        add_needs(session, 9)
        add_needs(session, 6, item_id=BATH)
        add_needs(session, 1, item_id=MATERNITY_NURSE)

        assert {cell: row["demands"] for cell, row in by_item(session).items()} == {
            (ItemGroup.ELDERLY, COMPANIONSHIP): 9,
            (None, None): 7,
        }

    def test_a_districts_items_add_up_to_it(self, session, clock):
        add_needs(session, 6)
        add_needs(session, 1, item_id=MATERNITY_NURSE)
        add_needs(session, 8, district_code=TONGZHOU)

        of_district = by_item(session, district_code=CHONGCHUAN).values()
        assert sum(row["demands"] for row in of_district) == 7
        assert sum(row["demands"] for row in by_item(session).values()) == 15


class TestScope:
    @pytest.mark.parametrize("read", [releases.by_district, releases.by_item])
    def test_another_city_is_refused(self, session, clock, read):
        far = Actor(ANALYST.id, Role.ANALYST, frozenset({LUZHOU}))
        with pytest.raises(NotAllowed):
            read(session, far, NANTONG, Period.ALL)

    def test_another_citys_needs_are_not_in_it(self, session, clock):
        add_needs(session, 6)
        far = Actor(ANALYST.id, Role.ANALYST, frozenset({LUZHOU}))

        assert releases.by_district(session, far, LUZHOU, Period.ALL).table.empty

    def test_operators_are_refused(self, session):
        with pytest.raises(NotAllowed):
            releases.by_district(session, FAR_OPERATOR, LUZHOU, Period.ALL)

    def test_the_citys_own_smallest_cell_counts(self, session, clock):
        add_needs(session, 7)
        session.execute(update(City).values(smallest_cell=8))

        release = releases.by_district(session, ANALYST, NANTONG, Period.ALL)
        assert (release.total.demands, release.smallest_cell) == (0, 8)


class TestAttacks:
    """An analyst who knows everything the services let out, and subtracts."""

    def test_one_family_with_many_needs_is_still_one(self, session, clock):
        family = make_family(session, 1)
        for _ in range(K + 1):
            add_need(session, family)

        assert by_district(session) == {}
        assert total(session, Period.ALL).demands == 0

    def test_the_only_small_district_cannot_be_had_from_a_total_known_elsewhere(
        self, session, clock
    ):
        add_needs(session, 1, district_code=TONGZHOU)
        add_needs(session, 9)
        add_needs(session, 7, district_code=RUGAO)

        assert set(by_district(session)) == {CHONGCHUAN}
        assert total(session).demands == 9

    def test_a_rare_need_is_not_the_difference_of_two_periods(self, session, clock):
        add_needs(session, 9, weeks_ago=2)
        add_needs(session, 1, weeks_ago=6)

        counts = [by_district(session, period)[CHONGCHUAN]["demands"] for period in Period]
        assert counts == [9, 9, 9]

    def test_how_many_families_are_in_two_cells_is_not_told(self, session, clock):
        families = [make_family(session, number) for number in range(7)]
        for family in families:
            add_need(session, family)
        for family in families[:6]:
            add_need(session, family, item_id=HOSPITAL_COMPANION)

        assert by_district(session)[CHONGCHUAN]["people"] == 5
        assert {row["people"] for row in by_item(session).values()} == {5}

    @pytest.mark.parametrize("seed", range(3))
    def test_no_scope_less_a_narrower_one_leaves_one_to_four_families(self, session, clock, seed):
        """Every family has one need here, so that demands count families."""
        chance = random.Random(seed)
        items = (COMPANIONSHIP, BATH, HOSPITAL_COMPANION, NURSING_ONLY, MATERNITY_NURSE)
        for weeks_ago, district, item_id in product(
            (1, 5, 9), (CHONGCHUAN, TONGZHOU, RUGAO), items
        ):
            families = chance.choice((0, 0, 1, 2, 4, 5, 7))
            add_needs(
                session, families, weeks_ago=weeks_ago, district_code=district, item_id=item_id
            )

        told = everything_told(session)

        assert len(told) > 30
        for (scope, wide), (narrower, narrow) in product(told.items(), told.items()):
            if (
                all(
                    mine in (None, other)
                    for mine, other in zip(scope[1:], narrower[1:], strict=True)
                )
                and scope[0] >= narrower[0]
            ):
                assert wide - narrow == 0 or wide - narrow >= K, (scope, narrower)

    def test_cells_do_not_overlap_and_none_is_small(self, session, clock):
        chance = random.Random(7)
        families = [make_family(session, number) for number in range(40)]
        for family in families:
            for _ in range(3):
                add_need(
                    session,
                    family,
                    weeks_ago=chance.choice((1, 2, 6)),
                    district_code=chance.choice((CHONGCHUAN, TONGZHOU, RUGAO, HAIMEN)),
                    item_id=chance.randint(1, 13),
                )

        cells = list(releases._cells(releases._needs(session, NANTONG, Period.ALL), K))

        needs = [id(need) for cell in cells for need in cell.needs]
        assert len(cells) > 10
        assert len(needs) == len(set(needs))
        assert all(len({need.customer_id for need in cell.needs}) >= K for cell in cells)

    def test_cells_are_the_same_in_whatever_order_the_needs_come(self, session, clock):
        items = (COMPANIONSHIP, BATH, HOSPITAL_COMPANION, NURSING_ONLY, MATERNITY_NURSE)
        for district, item_id in product((CHONGCHUAN, TONGZHOU, RUGAO), items):
            add_needs(session, K, district_code=district, item_id=item_id)
            add_needs(session, 1, district_code=district, item_id=POSTPARTUM)
        add_needs(session, 1, district_code=HAIMEN)
        needs = releases._needs(session, NANTONG, Period.ALL)

        cuts = set()
        for seed in range(20):
            random.Random(seed).shuffle(needs)
            cells = releases._cells(needs, K)
            cuts.add(frozenset(frozenset(map(id, cell.needs)) for cell in cells))

        assert len(cuts) == 1


def everything_told(session):
    """Every demand count by its scope: how many stretches, the district, the group, the item.

    A scope left open is None; "rest" is what stands together and holds no certain item.
    """
    told = {}
    for stretches, period in enumerate(Period, 1):
        whole = releases.by_district(session, ANALYST, NANTONG, period)
        told[stretches, None, None, None] = whole.total.demands
        for group in (None, *ItemGroup):
            for code, row in by_district(session, period, group).items():
                if row["demands"]:
                    told[stretches, code, group, None] = row["demands"]
        for code in (None, CHONGCHUAN, TONGZHOU, RUGAO):
            for (group, item), row in by_item(session, period, code).items():
                told[stretches, code, group or "rest", item or "rest"] = row["demands"]
    return told
