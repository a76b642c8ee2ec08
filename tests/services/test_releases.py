from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import update

from data.cities import City
from services import releases
from services.access import Actor, Role
from tests.factories import (
    ANALYST,
    CHONGCHUAN,
    LUZHOU,
    TONGZHOU,
    make_family,
    make_order,
    make_redeemed_visit,
)


def table(*people):
    return pd.DataFrame({"district": range(len(people)), "people": people})


def released(*people, k=5):
    release = releases.withhold(table(*people), k)
    return sorted(release.table["people"]), release.withheld


class TestWithholding:
    @pytest.mark.parametrize(
        ("people", "shown"),
        [
            ((5, 6, 7), [5, 6, 7]),
            ((4, 3, 9), [9]),
            # A single small cell could be worked out from the total: another one goes with it.
            ((4, 9, 6), [9]),
            ((4, 6, 6, 9), [6, 9]),
            ((4, 9), []),
            ((4,), []),
            ((), []),
            ((1, 2, 3), []),
        ],
    )
    def test_leaves_no_cell_of_fewer_than_k_people(self, people, shown):
        assert released(*people) == (shown, len(people) - len(shown))

    def test_k_is_a_setting(self):
        assert released(9, 12, 8, 14, k=10) == ([12, 14], 2)


class TestOrders:
    @pytest.fixture(autouse=True)
    def orders(self, session, clock):
        """Seven families in one district, of which one ordered twice; four in another."""
        for number in range(11):
            customer, recipient_id = make_family(session, number)
            near = number < 7
            make_order(
                session,
                customer=customer,
                recipient_id=recipient_id,
                district_code=CHONGCHUAN if near else TONGZHOU,
                starts_at=clock.moment + timedelta(days=1 + number),
            )
        make_redeemed_visit(session, customer=customer, recipient_id=recipient_id)

    def test_cells_of_few_people_are_withheld_even_if_they_hold_many_orders(self, session):
        release = releases.orders_by(session, ANALYST, "district")

        # Chongchuan: 7 and the redeemed one's family. Tongzhou's four go, so the other must too.
        assert release.table.empty
        assert (release.withheld, release.smallest_cell) == (2, 5)

    def test_a_group_of_enough_people_is_shown_with_its_figures(self, session):
        release = releases.orders_by(session, ANALYST, "group")

        [row] = release.table.to_dict("records")
        assert row == {"group": "elderly", "orders": 12, "redeemed": 1, "people": 11}

    def test_the_citys_own_smallest_cell_counts(self, session):
        session.execute(update(City).values(smallest_cell=12))

        assert releases.orders_by(session, ANALYST, "group").table.empty

    def test_an_analyst_of_another_city_gets_nothing_of_it(self, session):
        elsewhere = Actor(ANALYST.id, Role.ANALYST, frozenset({LUZHOU}))

        release = releases.orders_by(session, elsewhere, "group")
        assert (len(release.table), release.withheld) == (0, 0)

    def test_no_released_column_names_a_person(self, session):
        release = releases.orders_by(session, ANALYST, "group")

        assert list(release.table.columns) == ["group", "orders", "redeemed", "people"]
