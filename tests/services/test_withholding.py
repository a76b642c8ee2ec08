"""Withholding: the bands of the announcement, at their edges and just beyond."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from services import withholding
from services.withholding import TaxMode, TaxRule, withheld_fen
from tests.factories import NANTONG, make_rules

RULE = TaxRule()


@pytest.mark.parametrize(
    ("income_yuan", "tax_yuan"),
    [
        (0, 0),
        (800, 0),
        (801, 0.20),
        (2000, 240),  # (2,000 - 800) x 20 %
        (4000, 640),
        (4001, 640.16),  # 4,001 x 80 % x 20 %
        (25_000, 4000),
        (30_000, 5200),  # 24,000 x 30 % - 2,000
        (62_500, 13_000),
        (100_000, 25_000),  # 80,000 x 40 % - 7,000
    ],
)
def test_a_month_of_pay_for_labour(income_yuan, tax_yuan):
    assert withheld_fen(income_yuan * 100, RULE) == round(tax_yuan * 100)


@given(integers(-(10**6), 10**9), integers(1, 10**6))
def test_more_pay_is_never_less_after_tax(income_fen, more_fen):
    less, more = (withheld_fen(one, RULE) for one in (income_fen, income_fen + more_fen))

    assert 0 <= less <= more + 1  # Half a fen either way.
    assert more - less <= more_fen


def test_what_is_switched_off_is_nothing():
    assert withheld_fen(10_000_000, TaxRule(mode=TaxMode.OFF)) == 0


def test_a_city_may_leave_the_tax_out(session):
    assert withholding.of(session, NANTONG) == TaxRule()
    make_rules(session, withholds_tax=False)

    assert withholding.of(session, NANTONG).mode is TaxMode.OFF
