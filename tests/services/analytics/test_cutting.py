from itertools import product
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics import rounding
from services.analytics.cutting import Cell, apart, components, cut, in_order, runs
from services.analytics.rounding import draws, part, quartiles, rounded, total

K = 5
DRAW = draws("a test")
CHANCES = [number / 200 for number in range(200)]


def rows_of(counts):
    """One row of a family of its own for each that is counted."""
    return [(*where, f"{where}{number}") for where, n in counts.items() for number in range(n)]


def family(row):
    return row[-1]


def of_at_most(most, parts):
    """Every way to have from K to so many needs in so many parts."""
    worlds = product(range(most + 1), repeat=parts)
    return (world for world in worlds if K <= sum(world) <= most)


def cells_of(counts, draw=DRAW):
    cells = cut(rows_of(counts), (lambda row: row[0], lambda row: row[1]), family, K, draw)
    return {(cell.label(0), cell.label(1)): len(cell.rows) for cell in cells}


counts = st.dictionaries(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("xyz")), st.integers(1, 9), max_size=12
)


class TestCutting:
    def test_what_has_enough_families_stands_alone(self):
        assert cells_of({("A", "x"): 6, ("A", "y"): 5, ("B", "x"): 7}) == {
            ("A", "x"): 6,
            ("A", "y"): 5,
            ("B", "x"): 7,
        }

    def test_districts_that_are_too_small_stand_together_and_are_then_cut_by_group(self):
        assert cells_of({("A", "x"): 3, ("B", "x"): 3, ("B", "y"): 1, ("C", "x"): 8}) == {
            ("C", "x"): 8,
            (None, None): 7,
        }
        assert cells_of({("A", "x"): 4, ("B", "x"): 4, ("A", "y"): 0, ("C", "x"): 8}) == {
            ("C", "x"): 8,
            (None, "x"): 8,
        }

    def test_a_rest_that_is_too_small_takes_another_with_it(self):
        assert cells_of({("A", "x"): 2, ("B", "x"): 6}) == {(None, "x"): 8}

    def test_too_few_families_are_no_cell(self):
        assert cells_of({("A", "x"): 4}) == {}

    def test_one_family_with_many_needs_is_still_one(self):
        rows = [("A", "x", "the same")] * 20
        assert cut(rows, (lambda row: row[0],), family, K, DRAW) == []

    @given(counts)
    def test_every_cell_is_of_enough_families_and_nobody_is_left_over(self, counts):
        rows = rows_of(counts)
        cells = cut(rows, (lambda row: row[0], lambda row: row[1]), family, K, DRAW)

        assert all(len(cell.rows) >= K for cell in cells)
        told = [row for cell in cells for row in cell.rows]
        assert sorted(told) == (sorted(rows) if len(rows) >= K else [])
        for cell in cells:
            assert {row[:2] for row in cell.rows} <= cell.atoms()

    @given(counts, st.randoms())
    def test_the_order_of_the_rows_does_not_matter(self, counts, chance):
        rows = rows_of(counts)
        levels = (lambda row: row[0], lambda row: row[1])
        first = [(cell.values, sorted(cell.rows)) for cell in cut(rows, levels, family, K, DRAW)]
        chance.shuffle(rows)

        again = [(cell.values, sorted(cell.rows)) for cell in cut(rows, levels, family, K, DRAW)]
        assert again == first

    def test_whoever_joins_a_rest_is_more_likely_small_but_may_be_anybody(self):
        def joined(seed):
            parts = apart(
                rows_of({("A",): 5, ("B",): 5, ("C",): 20, ("D",): 1}),
                lambda row: row[0],
                family,
                K,
                draws(seed),
            )
            return sorted(parts[-1][0] - {"D"})[0]

        tally = [joined(seed) for seed in range(400)]
        assert tally.count("C") < tally.count("A")
        assert {"A", "B", "C"} == set(tally)


class TestRuns:
    def test_neighbours_stand_together_and_nobodys_values_with_them(self):
        rows = rows_of({("b",): 2, ("c",): 4, ("d",): 6, ("f",): 1})

        assert [
            (name, len(some)) for name, some in in_order(rows, lambda r: r[0], "abcdefg", family, K)
        ] == [("a|c", 6), ("d|g", 7)]

    def test_one_stretch_has_no_name(self):
        rows = rows_of({("a",): 9})
        assert in_order(rows, lambda row: row[0], "ab", family, K) == [(None, rows)]

    @given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
    def test_stretches_make_up_the_order(self, counts):
        order = [str(number) for number in range(len(counts))]
        found = runs(order, lambda some: sum(counts[int(one)] for one in some) >= K)

        assert [one for stretch in found for one in stretch] == order
        if sum(counts) >= K:
            assert all(sum(counts[int(one)] for one in stretch) >= K for stretch in found)


class TestComponents:
    def test_cells_that_share_an_atom_are_one_block(self):
        def cell(districts, groups):
            return Cell((frozenset(districts), frozenset(groups)), [])

        cells = [
            cell("A", "x"), cell("A", "xy"), cell("A", "z"), cell("BC", "x"), cell("C", "x"),
            cell("D", "z"),
        ]  # fmt: skip
        blocks = [[cells.index(one) for one in block] for block in components(cells, levels=2)]

        assert blocks == [[0, 1], [2], [3, 4], [5]]
        by_district = [len(block) for block in components(cells, levels=1)]
        assert by_district == [3, 2, 1]


class TestRounding:
    @pytest.mark.parametrize("value", [0, 1, 4, 5, 8.5, 13])
    def test_it_is_right_on_average_and_never_more_than_a_step_off(self, value):
        told = [rounded(value, K, chance) for chance in CHANCES]

        assert fmean(told) == pytest.approx(value, abs=0.1)
        assert {one % K for one in told} == {0}
        assert max(abs(one - value) for one in told) < K

    @pytest.mark.parametrize(("value", "of"), [(0, 6), (1, 6), (5, 6), (6, 6), (7, 12), (11, 13)])
    def test_a_part_is_right_on_average_and_never_more_than_the_whole(self, value, of):
        told = [part(value, of, of, K, chance) for chance in CHANCES]

        assert fmean(told) == pytest.approx(value, abs=0.1)
        assert max(told) <= of

    def test_a_part_of_what_is_told_rounded_is_right_on_average_too(self):
        told = [
            part(4, 7, rounded(7, K, DRAW("whole", n)), K, DRAW("part", n)) for n in range(4000)
        ]
        assert fmean(told) == pytest.approx(4, abs=0.2)

    def test_keys_are_even_and_stable(self):
        told = [draws("a key", key)("a cell") for key in range(2000)]

        assert fmean(told) == pytest.approx(0.5, abs=0.02)
        assert told == [draws("a key", key)("a cell") for key in range(2000)]

    def test_a_sum_is_right_on_average(self):
        hours = [(number, hours) for number, hours in enumerate([2, 3, 4, 4, 6, 8])]
        told = [total(hours, lambda row: row, chance, least=1) for chance in CHANCES]
        assert fmean(told) == pytest.approx(27, abs=1)

    def test_quartiles_are_means_of_k_and_only_of_enough(self):
        assert quartiles([1.0] * 4, K) == (None, None, None)
        assert quartiles([1, 2, 3, 4, 100], K) == (None, 22, None)
        assert quartiles([float(n) for n in range(20)], K) == (5, 10, 14)

    def test_a_median_is_of_people_not_of_needs(self):
        values = [("busy", 90.0)] * 10 + [(name, 1.0) for name in "abcd"]
        assert rounding.middle(values, lambda row: row, K) == 1
        assert rounding.middle(values[:13], lambda row: row, K) is None


class TestWhoKnowsTheRules:
    """Whoever knows how cells are cut, and that every family has one need, and asks which tables
    of needs would look like this: in none may fewer than k be the only answer."""

    @staticmethod
    def pinned(worlds):
        """The few that are the same in every world that looks the same."""
        looks = {}
        for told, world in worlds:
            looks.setdefault(told, set()).add(world)
        found = []
        for told, alike in looks.items():
            size = len(next(iter(alike)))
            for wanted in product((0, 1), repeat=size):
                sums = {sum(n for n, w in zip(world, wanted, strict=True) if w) for world in alike}
                if len(sums) == 1 and 0 < min(sums) < K:
                    found.append((told, wanted, sums))
        return found

    @pytest.mark.parametrize(
        ("atoms", "most"),
        [
            ([("A", "x"), ("B", "x"), ("C", "x")], 16),
            ([("A", "x"), ("A", "y"), ("A", "z")], 16),
            ([("A", "x"), ("A", "y"), ("B", "x"), ("B", "y")], 12),
        ],
    )
    def test_cells(self, atoms, most):
        # Whoever may join a rest: with each of these draws another one does.
        liked = [
            lambda *of, liked=liked: 1 - 1e-9 if of[-1] in liked else 0.1
            for liked in product("ABC", "xyz")
        ]
        worlds = (
            (tuple(sorted(cells_of(counts, draw).items(), key=str)), world)
            for world in of_at_most(most, len(atoms))
            for counts in [dict(zip(atoms, world, strict=True))]
            for draw in liked
        )
        assert not self.pinned(worlds)

    def test_cells_would_be_pinned_if_the_smallest_always_joined(self):
        atoms = [("A", "x"), ("B", "x"), ("C", "x")]
        worlds = (
            (tuple(sorted(cells_of(counts, lambda *_: 0.5).items(), key=str)), world)
            for world in of_at_most(16, 3)
            for counts in [dict(zip(atoms, world, strict=True))]
        )
        assert self.pinned(worlds)

    def test_stretches(self):
        def told(world):
            rows = rows_of({(name,): n for name, n in zip("abcd", world, strict=True)})
            return tuple(
                (name, len(some))
                for name, some in in_order(rows, lambda r: r[0], "abcd", family, K)
            )

        assert not self.pinned((told(world), world) for world in of_at_most(20, 4))

    @pytest.mark.parametrize("of", range(K, 4 * K))
    def test_parts_that_hold_one_another(self, of):
        """The served are among the matched, and a median is told where k of them have a value."""

        def told(served, matched, chance):
            parts = [part(one, of, of, K, chance) for one in (served, matched)]
            return (*parts, *(one >= K and shown > 0 for one, shown in
                              zip((served, matched), parts, strict=True)))  # fmt: skip

        worlds = (
            (told(served, matched, chance), (served, matched - served, of - matched))
            for matched in range(of + 1)
            for served in range(matched + 1)
            for chance in [number / 60 + 0.001 for number in range(60)]
        )
        assert not self.pinned(worlds)

    @pytest.mark.parametrize(("short", "long"), [(3, 24), (8, 24), (2, 168), (1, 2)])
    @pytest.mark.parametrize("count", [K, 8, 20])
    def test_hours_do_not_tell_what_they_are_made_of(self, short, long, count):
        """Whatever is told but once in a hundred times, might be told with one long need more or
        less."""

        def told(longs, chances):
            hours = [(n, long if n < longs else short) for n in range(count)]
            return {total(hours, lambda row: row, chance, least=1) for chance in chances}

        usual = [number / 100 for number in range(1, 100)]
        rarely = {longs: told(longs, (0.4998, 0.9998)) for longs in range(count + 1)}
        for longs in range(1, count):
            others = rarely[longs - 1], rarely[longs + 1]
            for one in told(longs, usual):
                assert any(min(some) <= one <= max(some) for some in others)

    def test_exact_hours_would(self):
        worlds = (
            ((count, 3 * (count - longs) + 24 * longs), (count - longs, longs))
            for count in range(K, 4 * K)
            for longs in range(count)
        )
        assert self.pinned(worlds)
