"""The tests say what scipy's say, and many of them together say little by chance."""

import random

import pytest
from scipy import stats

from services.analytics import significance
from services.analytics.significance import Side

SCIPYS = {Side.EITHER: "two-sided", Side.MORE: "greater", Side.LESS: "less"}


@pytest.fixture
def dice():
    return random.Random(7)


@pytest.mark.parametrize("side", Side)
def test_two_counts_are_told_apart_as_by_the_conditional_binomial_test(dice, side):
    for _ in range(40):
        now, before = dice.randint(0, 90), dice.randint(1, 300)
        weeks, weeks_before = dice.choice([(4, 12), (4, 7), (5, 13)])
        expected = stats.binomtest(
            now, now + before, weeks / (weeks + weeks_before), alternative=SCIPYS[side]
        ).pvalue

        p = significance.of_counts(now, weeks, before, weeks_before, side)

        assert p == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("side", Side)
def test_two_shares_are_told_apart_as_by_fishers_exact_test(dice, side):
    for _ in range(40):
        whole, other_whole = dice.randint(1, 60), dice.randint(1, 200)
        part, other_part = dice.randint(0, whole), dice.randint(0, other_whole)
        table = [[part, whole - part], [other_part, other_whole - other_part]]
        expected = stats.fisher_exact(table, alternative=SCIPYS[side]).pvalue

        p = significance.of_shares(part, whole, other_part, other_whole, side)

        assert p == pytest.approx(expected, rel=1e-9)


def test_shares_that_should_differ_by_some_odds_are_noncentral_hypergeometric(dice):
    for _ in range(20):
        whole, other_whole = dice.randint(5, 60), dice.randint(5, 200)
        part, other_part = dice.randint(1, whole), dice.randint(1, other_whole)
        odds = dice.uniform(0.3, 3)
        expected = stats.nchypergeom_fisher.sf(
            part - 1, whole + other_whole, part + other_part, whole, odds
        )

        p = significance.of_shares(part, whole, other_part, other_whole, Side.MORE, odds)

        assert p == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_a_count_is_odd_for_a_mean_as_poisson_has_it(dice):
    for _ in range(40):
        count, mean = dice.randint(0, 80), dice.uniform(0.5, 60)

        p = significance.of_mean(count, mean)

        assert p == pytest.approx(stats.poisson.sf(count - 1, mean), rel=1e-9)


def test_counts_of_millions_are_no_trouble():
    expected = stats.binomtest(310_000, 1_210_000, 0.25).pvalue

    assert significance.of_counts(310_000, 4, 900_000, 12) == pytest.approx(expected, rel=1e-6)


def test_many_are_judged_as_benjamini_and_hochberg_have_it(dice):
    p_values = [dice.random() ** 3 for _ in range(100)] + [0.0002, 0.0004]
    expected = stats.false_discovery_control(p_values, method="bh") <= 0.05

    assert significance.stand_out(p_values) == expected.tolist()
    assert 2 <= sum(expected) < len(p_values)


def test_of_nothing_nothing_stands_out():
    assert significance.stand_out([]) == []
