"""Attacks on everything that is published: who knows all sheets, and how they are made, but not
the key, must not work out a cell of fewer than k families."""

import random
from datetime import timedelta
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.publications import SheetName
from services.analytics import composing, cutting
from services.analytics.cutting import grouped, head_count, within
from services.analytics.rounding import draws
from services.analytics.terms import Dimension
from tests.services.analytics.attackers import (
    GROUPS,
    VALUES,
    Attacker,
    learn_groups,
    learn_needs,
    overheard,
    pinned,
)
from tests.services.analytics.planted import (
    CHONGCHUAN,
    HAIMEN,
    NANTONG,
    NEXT,
    RUGAO,
    TONGZHOU,
    WEEKS,
    caregiver,
    export,
    family,
    need,
    needs,
    supply,
    unmet,
    visit,
)

K = 5
DISTRICTS = (CHONGCHUAN, TONGZHOU, HAIMEN, RUGAO)
MONTH = WEEKS[0].replace(day=1)
MEDICAL, ELDERLY, MATERNITY = GROUPS
WEEK, DISTRICT, GROUP, FIRST, SECOND = range(5)
# What he asks for: single atoms, and unions of some.
SUMS = [
    (WEEK, DISTRICT, GROUP, FIRST, SECOND),
    (WEEK, DISTRICT, GROUP),
    (WEEK, DISTRICT, FIRST),
    (DISTRICT, GROUP, FIRST),
    (DISTRICT, FIRST, SECOND),
    (WEEK, DISTRICT),
    (DISTRICT, FIRST),
    (WEEK, GROUP),
    (FIRST, SECOND),
]


class Published:
    """A month of a city, published week by week and then as a month."""

    def __init__(self, monkeypatch, rows, weeks=tuple(WEEKS), k=K, **others):
        known = export(needs=rows, as_of="2030-02-11T09:00", **others)
        self.k, self.mondays = k, weeks
        self.weeks = [composing.sheets_of_week(known, NANTONG, monday, k) for monday in weeks]
        self.sheets, self.told = overheard(
            monkeypatch,
            lambda: composing.sheets_of_month(known, NANTONG, MONTH, self.weeks, k),
        )
        self.needs = [
            (week.monday, one)
            for week in self.weeks
            for one in chain(week.left, *(cell.rows for cell in week.cells))
        ]

    def attack(self, first=Dimension.AGE, second=Dimension.SEX):
        """An attacker who has read all sheets of needs and of groups of people."""
        attacker = Attacker(self.mondays, DISTRICTS, GROUPS, VALUES[first], VALUES[second])
        for week in self.weeks:
            rows = week.sheets[SheetName.NEEDS]
            learn_needs(attacker, [week.monday], rows, DISTRICTS)
        small = [week.monday for week in self.weeks if not week.cells]
        learn_needs(attacker, small, self.sheets[SheetName.NEEDS], DISTRICTS)
        cells = [((week.monday,), cell) for week in self.weeks for cell in week.cells]
        left = [one for week in self.weeks for one in week.left]
        pool = composing._cut(left, self.k, self._draw)
        cells += [(small, cell) for cell in pool]
        learn_groups(attacker, self.told, cells, {first: FIRST, second: SECOND}, self.k)
        return attacker

    def pinned(self, first=Dimension.AGE, second=Dimension.SEX, sums=SUMS):
        """What he knows of fewer than k families."""
        weeks = {id(one): monday for monday, one in self.needs}
        return pinned(
            self.attack(first, second),
            [one for _, one in self.needs],
            lambda one: (
                weeks[id(one)],
                one.district,
                one.item_group,
                getattr(one, first),
                getattr(one, second),
            ),
            self.k,
            sums,
        )

    @staticmethod
    def _draw(*of):
        return draws(NANTONG, "month", MONTH)(SheetName.NEEDS, *of)


def rare_people():
    """A month with people who are the only ones of their kind."""
    rows = []
    for week in WEEKS:
        rows += needs(9, week, CHONGCHUAN)
        rows += needs(6, week, CHONGCHUAN, sex="male", age="60_69")
        rows += needs(6, week, CHONGCHUAN, MEDICAL, age="50_59")
        rows += needs(7, week, TONGZHOU, age="60_69")
        rows += needs(5, week, HAIMEN, MEDICAL, channel="phone", age="60_69")
    # One man over eighty needs medical care in a small district.
    rows += needs(1, WEEKS[1], RUGAO, MEDICAL, age="80", sex="male")
    # One family has ten needs.
    rows += [need("ten", WEEKS[2], RUGAO, MATERNITY, age="30_39", day=n % 7) for n in range(10)]
    # One baby among elders, in another week than the others of its district.
    rows += needs(1, WEEKS[3], TONGZHOU, MATERNITY, age="0_2")
    return rows


class TestRarePeople:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (Dimension.AGE, Dimension.SEX),
            (Dimension.AGE, Dimension.CHANNEL),
            (Dimension.CHANNEL, Dimension.SEX),
        ],
    )
    def test_nobody_is_found(self, monkeypatch, first, second):
        published = Published(monkeypatch, rare_people())

        assert len(published.sheets[SheetName.GROUPS_OF_PEOPLE]) > 10
        assert published.pinned(first, second) == []

    def test_a_family_that_is_there_in_one_small_week_only(self, monkeypatch):
        rows = [row for row in rare_people() if row["starts_at"].date() >= WEEKS[2]]
        rows += [*needs(4, WEEKS[0]), need("once", WEEKS[1], RUGAO, MEDICAL, age="80")]
        published = Published(monkeypatch, rows)

        assert published.sheets[SheetName.NEEDS][0]["weeks"] == 2
        assert published.pinned() == []

    def test_a_family_that_stays_alone_is_in_no_sheet_at_all(self, monkeypatch):
        rows = [row for row in rare_people() if row["starts_at"].date() >= WEEKS[1]]
        with_it = Published(monkeypatch, [*rows, need("alone", WEEKS[0], RUGAO, age="80")])
        without = Published(monkeypatch, rows)

        funnel = with_it.sheets.pop(SheetName.FUNNEL), without.sheets.pop(SheetName.FUNNEL)
        assert with_it.sheets == without.sheets
        # The funnel is of all families, and so is rounded.
        assert all(row["count"] % K == 0 for sheet in funnel for row in sheet)

    def test_who_knows_what_ages_go_with_what_care(self, monkeypatch):
        """A baby is no elder: exact counts by age would tell how many needs are a baby's."""
        published = Published(monkeypatch, rare_people())
        attacker = published.attack()
        young, old = VALUES[Dimension.AGE][:5], VALUES[Dimension.AGE][5:]
        attacker.learn(lambda atom: atom[GROUP] == MATERNITY and atom[FIRST] in old, 0, 0)
        attacker.learn(lambda atom: atom[GROUP] != MATERNITY and atom[FIRST] in young, 0, 0)

        low, high = attacker.bounds(
            lambda a: (a[WEEK], a[DISTRICT], a[GROUP]) == (WEEKS[3], TONGZHOU, MATERNITY)
        )
        assert low < high

    def test_two_months_say_no_more_than_each(self, monkeypatch):
        """Cells of different weeks share nobody's need: whoever came or went is in one of them."""
        before = Published(monkeypatch, rare_people())
        later = [
            row | {"starts_at": row["starts_at"] + timedelta(weeks=4)} for row in rare_people()
        ]
        known = export(needs=[*rare_people(), *later[1:]], as_of="2030-02-11T09:00")
        week = composing.sheets_of_week(known, NANTONG, NEXT, K)

        assert {id(one) for _, one in before.needs}.isdisjoint(
            id(one) for cell in week.cells for one in cell.rows
        )
        assert all(len({one.family for one in cell.rows}) >= K for cell in week.cells)


small_cities = st.lists(
    st.tuples(
        st.sampled_from(WEEKS[:2]),
        st.sampled_from(DISTRICTS[:3]),
        st.sampled_from(GROUPS),
        st.sampled_from(["0_2", "60_69", "80"]),
        st.sampled_from(["female", "male"]),
        st.integers(1, 30),
    ),
    min_size=8,
    max_size=60,
)


class TestAnyCity:
    @given(small_cities)
    @settings(
        max_examples=12,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_no_small_city_gives_anybody_away(self, monkeypatch, of):
        rows = [
            need(f"family{number}", week, district, group, age=age, sex=sex)
            for week, district, group, age, sex, number in of
        ]
        published = Published(monkeypatch, rows, WEEKS[:2])

        assert published.pinned(sums=SUMS[:1] + SUMS[5:]) == []

    @pytest.mark.parametrize("seed", range(2))
    def test_nor_does_a_larger_one(self, monkeypatch, seed):
        chance = random.Random(seed)
        rows = [
            need(
                f"family{chance.randrange(150)}",
                chance.choice(WEEKS),
                chance.choices(DISTRICTS, (8, 4, 2, 1))[0],
                chance.choices(GROUPS, (4, 8, 1))[0],
                age=chance.choices(VALUES[Dimension.AGE], (0, 1, 0, 1, 1, 1, 2, 6, 9, 5))[0],
                sex=chance.choice(("female", "male")),
            )
            for _ in range(300)
        ]
        published = Published(monkeypatch, rows)

        assert published.pinned(sums=SUMS[1:3] + SUMS[5:]) == []

    def test_the_order_of_the_rows_does_not_matter(self, monkeypatch):
        rows = rare_people()
        first = Published(monkeypatch, rows)
        random.Random(1).shuffle(rows)
        again = Published(monkeypatch, rows)

        assert again.sheets == first.sheets
        assert [week.sheets for week in again.weeks] == [week.sheets for week in first.weeks]

    def test_all_cells_add_up_to_all_needs(self, monkeypatch):
        rows = rare_people()
        published = Published(monkeypatch, rows)

        told = sum(row["needs"] for week in published.weeks for row in week.sheets["needs"])
        assert told == len(rows)
        for dimension in set(Dimension) - {Dimension.HOME}:
            # Where groups of items are mixed, each count is rounded.
            counts = [
                (row["needs"], exact)
                for _, of, some, exact in published.told
                if of is dimension
                for row in some
            ]
            off = (K - 1) * sum(not exact for _, exact in counts)
            assert abs(sum(count for count, _ in counts) - len(rows)) <= off

    def test_another_city_is_in_none_of_it(self, monkeypatch):
        rows = rare_people()
        alone = Published(monkeypatch, rows)
        both = Published(monkeypatch, [*rows, *needs(20, WEEKS[1], "510502", city="510500")])

        assert both.sheets == alone.sheets


class TestMutants:
    """What the attackers must find where a rule is left out; else they would prove nothing."""

    AXES = (WEEKS[:2], DISTRICTS, GROUPS, VALUES[Dimension.AGE], VALUES[Dimension.SEX])

    def test_small_cells_left_out_beside_a_total(self):
        attacker = Attacker(*self.AXES)
        attacker.learn(lambda atom: atom[WEEK] == WEEKS[0], 21, 21)
        for district, count in ((CHONGCHUAN, 12), (TONGZHOU, 8)):
            attacker.learn(
                lambda a, d=district: a[WEEK] == WEEKS[0] and a[DISTRICT] == d, count, count
            )
        attacker.learn(lambda atom: atom[DISTRICT] == HAIMEN, 0, 0)

        assert attacker.bounds(lambda a: a[WEEK] == WEEKS[0] and a[DISTRICT] == RUGAO) == (1, 1)

    def test_small_cells_told_for_want_of_another_to_join(self, monkeypatch):
        def apart(rows, by, people, k, draw):
            parts = grouped(rows, by)
            small = [value for value, some in parts.items() if head_count(some, people) < k]
            large = [(frozenset({v}), parts[v]) for v in sorted(parts.keys() - small)]
            return [*large, (frozenset(small), within(parts, small))] if small else large

        rows = [row for district in DISTRICTS[:3] for row in needs(6, WEEKS[0], district)]
        rows += needs(1, WEEKS[0], RUGAO)
        assert Published(monkeypatch, rows, WEEKS[:2]).pinned() == []

        monkeypatch.setattr(cutting, "apart", apart)
        assert Published(monkeypatch, rows, WEEKS[:2]).pinned(sums=SUMS[5:6])

    def test_calendar_months_beside_weeks(self):
        """The week from 26 November is over in December: its cell, less November, is its rest."""
        parts = ("19 November", "26 November, until the 30th", "26 November, from the 1st on")
        attacker = Attacker(parts)
        attacker.learn(lambda atom: atom[0] == parts[0], 20, 20)
        attacker.learn(lambda atom: atom[0] != parts[0], 9, 9)
        attacker.learn(lambda atom: atom[0] != parts[2], 28, 28)

        assert attacker.bounds(lambda atom: atom[0] == parts[2]) == (1, 1)

    def test_groups_of_people_over_needs_that_no_sheet_of_needs_tells(self, monkeypatch):
        rows = [*needs(9, WEEKS[1]), *needs(9, WEEKS[1], sex="male")]
        rows.append(need("alone", WEEKS[0], age="80"))
        published = Published(monkeypatch, rows, WEEKS[:2])
        assert published.pinned() == []

        attacker = published.attack()
        attacker.learn(lambda _: True, len(rows), len(rows))
        assert attacker.bounds(lambda atom: atom[WEEK] == WEEKS[0]) == (1, 1)

    def test_exact_counts_of_who_was_served(self, monkeypatch):
        rows = [*needs(5, WEEKS[0]), *needs(1, WEEKS[0], served=False)]
        published = Published(monkeypatch, rows)
        [told] = published.weeks[0].sheets["needs"]
        exact, rounded = Attacker(("served", "unmet")), Attacker(("served", "unmet"))
        for attacker in (exact, rounded):
            attacker.learn(lambda _: True, told["needs"], told["needs"])
        exact.learn(lambda atom: atom == ("served",), 5, 5)
        rounded.learn(lambda atom: atom == ("served",), *((1, 6) if told["served"] else (0, 5)))

        assert exact.bounds(lambda atom: atom == ("unmet",)) == (1, 1)
        assert rounded.bounds(lambda atom: atom == ("unmet",)) in ((0, 5), (1, 6))
        assert told["served"] in (0, 6)

    def test_exact_counts_by_age_where_groups_of_items_are_mixed(self, monkeypatch):
        """Seven needs are of the young, and six of these are told to be a group's of its own."""
        rows = [
            *needs(9, WEEKS[0]),
            *needs(6, WEEKS[0], group=MATERNITY, age="0_2"),
            *needs(9, WEEKS[1]),
            *needs(1, WEEKS[1], group=MATERNITY, age="0_2"),
        ]
        published = Published(monkeypatch, rows, WEEKS[:2])
        young = VALUES[Dimension.AGE][:5]

        def found(attacker):
            attacker.learn(lambda a: (a[GROUP] == MATERNITY) != (a[FIRST] in young), 0, 0)
            return attacker.bounds(lambda a: a[WEEK] == WEEKS[1] and a[GROUP] == MATERNITY)

        low, high = found(published.attack())
        assert low < high
        exact = published.attack()
        exact.learn(lambda atom: atom[FIRST] in young, 7, 7)
        assert found(exact) == (1, 1)

    def test_a_month_made_anew_after_a_need_was_called_off(self, monkeypatch):
        rows = [*needs(9, WEEKS[0]), *needs(9, WEEKS[0], sex="male")]
        published = Published(monkeypatch, rows)
        rows[0]["order_status"] = "cancelled"
        anew = Published(monkeypatch, rows)

        def told(one):
            return sum(row["needs"] for row in one.sheets["groups_of_people"]
                       if row["dimension"] == "sex")  # fmt: skip

        [cell] = published.weeks[0].sheets["needs"]
        assert cell["needs"] - told(anew) == 1
        assert cell["needs"] - told(published) == 0


class TestOtherSheets:
    def busy(self, monkeypatch, **others):
        rows = [row | {"family": f"f{n % 40}"} for n, row in enumerate(rare_people())]
        return Published(monkeypatch, rows, **others)

    def test_a_caregiver_alone_in_her_district_is_not_told_of(self, monkeypatch):
        hers = [row for week in WEEKS for n in range(12) for row in supply(f"c{n}", week)]
        hers += [row for week in WEEKS for n in range(7) for row in supply(f"t{n}", week, TONGZHOU)]
        hers += [row for week in WEEKS for row in supply("alone", week, RUGAO, hours=1)]
        sheet = self.busy(monkeypatch, supply=hers).sheets[SheetName.SUPPLY]

        assert RUGAO not in {row["district"] for row in sheet}
        assert {row["caregivers"] % K for row in sheet} == {0}
        assert min(row["caregivers"] for row in sheet) >= K

    def test_fewer_than_k_caregivers_are_told_of_nowhere(self, monkeypatch):
        hers = [row for n in range(4) for row in supply(f"c{n}", WEEKS[0])]
        sheets = self.busy(
            monkeypatch,
            supply=hers,
            caregivers=[caregiver(f"c{n}") for n in range(4)],
            visits=[visit(f"c{n}", "f1", WEEKS[0]) for n in range(4)],
        ).sheets

        assert sheets[SheetName.SUPPLY] == []
        assert sheets[SheetName.CAREGIVERS] == []

    def test_what_one_caregiver_earns_is_no_quartile(self, monkeypatch):
        hers = [caregiver(f"c{n}") for n in range(24)]
        visits = [visit(f"c{n}", "f1", WEEKS[0], total_fen=10_007 * (n + 1)) for n in range(24)]
        sheet = self.busy(monkeypatch, caregivers=hers, visits=visits).sheets[SheetName.CAREGIVERS]

        [pay] = [row for row in sheet if row["measure"] == "pay_fen"]
        assert (pay["p25"], pay["p50"], pay["p75"]) == (63_000, 120_000, 160_000)

    def test_a_cohort_of_one_is_told_with_its_neighbours(self, monkeypatch):
        people = [family(f"f{n}", joined=WEEKS[n % 4]) for n in range(39)]
        people.append(family("f39", joined=WEEKS[0] - timedelta(days=400)))
        sheet = self.busy(monkeypatch, families=people).sheets[SheetName.FAMILIES]

        cohorts = [row["bucket"] for row in sheet if row["dimension"] == "cohort"]
        assert cohorts == [None]
        ages = [row["bucket"] for row in sheet if row["dimension"] == "holder_age"]
        assert ages == [None]

    def test_how_many_families_had_two_needs_is_not_the_difference_of_two_sheets(self, monkeypatch):
        rows = [*needs(30, WEEKS[0])]
        rows.append(rows[0] | {"starts_at": rows[0]["starts_at"] + timedelta(hours=5)})
        published = Published(monkeypatch, rows)

        [count] = {row["needs"] for row in published.weeks[0].sheets["needs"]}
        sheet = published.sheets[SheetName.FAMILIES]
        low, high = 0, count
        for dimension in {row["dimension"] for row in sheet}:
            told = [row["families"] for row in sheet if row["dimension"] == dimension]
            low = max(low, sum(max(K, one - K + 1) for one in told))
            high = min(high, sum(one + K - 1 for one in told))
        assert high - low > 1

    @pytest.mark.parametrize("count", [1, 4, 6])
    def test_obstacles_and_stages_of_few_are_rounded(self, monkeypatch, count):
        rows = [unmet(WEEKS[0]) for _ in range(9)]
        rows += [unmet(WEEKS[0], RUGAO, obstacle="price") for _ in range(count)]
        sheets = self.busy(monkeypatch, unmet=rows).sheets

        told = {row["obstacle"]: row["count"] for row in sheets[SheetName.OBSTACLES]}
        assert all(value % K == 0 for value in told.values())
        assert (RUGAO in {row["district"] for row in sheets[SheetName.OBSTACLES]}) <= (count >= K)

    def test_medians_are_of_k_families_and_whole(self, monkeypatch):
        rows = needs(4, WEEKS[0]) + [
            need("ten", WEEKS[0], price=9_990, matched_after=31.7, day=n % 7) for n in range(10)
        ]
        rows += needs(1, WEEKS[0], served=False)
        [cell] = Published(monkeypatch, rows).weeks[0].sheets["needs"]
        assert (cell["wait_hours"], cell["price_fen"]) == (6, 5000)

        [cell] = Published(monkeypatch, rows[1:]).weeks[0].sheets["needs"] or [{}]
        assert cell.get("wait_hours") is None


def test_no_sheet_holds_a_pseudonym(monkeypatch):
    published = Published(monkeypatch, rare_people())
    words = {
        str(value)
        for rows in chain(published.sheets.values(), [published.weeks[0].sheets["needs"]])
        for row in rows
        for value in row.values()
    }
    families = {one.family for _, one in published.needs}
    assert families.isdisjoint(words)
