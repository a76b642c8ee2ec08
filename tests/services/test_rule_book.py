from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.complaints import ComplaintCategory
from services import catalogue, rule_book
from services.board.leaving_limits import Limits
from services.complaint_limits import MOST_HOURS
from services.dispatch.weights import Weights
from services.errors import Invalid
from services.pricing import Rules
from services.rule_book import PARAMETERS, Kind
from tests.factories import COMPANIONSHIP, NOBODY_ID

ITEM = str(COMPANIONSHIP)
NUMBERS = [name for name, one in PARAMETERS.items() if one.kind not in (
    Kind.STEPS, Kind.BY_ITEM, Kind.BOUNDS, Kind.SWITCH
)]  # fmt: skip


# All deadlines as far away as can be, and reminders just then.
UNHURRIED = {
    "due_soon_hours": 0,
    "appeal_hours": MOST_HOURS,
    **dict.fromkeys(rule_book.COMPLAINT_HOURS.values(), MOST_HOURS),
}


@pytest.fixture
def items(session):
    return catalogue.every_item(session)


def test_what_is_usual_is_what_cities_and_tariffs_begin_with(session, items):
    usual = rule_book.usual()

    assert rule_book.checked(usual, items) == usual
    assert rule_book.tariff(usual) == Rules()
    assert usual["commission_bp"] == 1500


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_is_within_its_limits(items, name):
    one = PARAMETERS[name]
    for value in (one.fewest, one.most):
        assert rule_book.checked(UNHURRIED | {name: value}, items)[name] == value
    for value in (one.fewest - 1, one.most + 1, 1.5, "3", None, True, 10**20):
        with pytest.raises(Invalid, match="number_out_of_range") as refused:
            rule_book.checked(UNHURRIED | {name: value}, items)
        assert refused.value.values["field"] == name


def test_a_share_out_of_range_is_refused_in_per_cent(items):
    with pytest.raises(Invalid) as refused:
        rule_book.checked({"commission_bp": 10_100}, items)
    assert refused.value.values == {"field": "commission_bp", "fewest": "0", "most": "50"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"customer_fees": [[4, 1000], [4, 2000]]}, "steps_doubled"),
        ({"customer_fees": [[1, 4000], [2, 3000], [3, 2000], [4, 1000]]}, "steps_doubled"),
        ({"customer_fees": [[4, 1000], [24, 2000]]}, "steps_out_of_order"),
        ({"caregiver_fees": [[0, 1000]]}, "number_out_of_range"),
        ({"monthly_steps": [[8, 10_001]]}, "share_out_of_range"),
        ({"commissions": {ITEM: 5001}}, "number_out_of_range"),
        ({"commissions": {str(NOBODY_ID): 100}}, "item_not_found"),
        ({"prices": {str(NOBODY_ID): {"junior": [3000, 4000]}}}, "item_not_found"),
        ({"prices": {ITEM: {"chief": [3000, 4000]}}}, "item_not_found"),
        ({"prices": {ITEM: {"junior": [5000, 4500]}}}, "price_upside_down"),
        ({"prices": {ITEM: {"junior": [2900, 4500]}}}, "price_out_of_range"),
        ({"prices": {ITEM: {"junior": [4500, 6100]}}}, "price_out_of_range"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(items, changes, error):
    with pytest.raises(Invalid, match=error):
        rule_book.checked(changes, items)


def test_a_reminder_comes_before_the_shortest_deadline(items):
    with pytest.raises(Invalid, match="due_soon_too_long") as refused:
        rule_book.checked({"complaint_hours_safety": 4, "due_soon_hours": 4}, items)
    assert refused.value.values == {"most": 3}
    soon = rule_book.complaints({"complaint_hours_safety": 4, "due_soon_hours": 3})
    assert (soon.hours[ComplaintCategory.SAFETY], soon.due_soon_hours) == (4, 3)


def test_steps_are_put_in_order(items):
    checked = rule_book.checked(
        {"customer_fees": [[24, 2000], [4, 5000]], "monthly_steps": [[8, 500], [20, 1000]]}, items
    )

    assert checked["customer_fees"] == [[4, 5000], [24, 2000]]
    assert checked["monthly_steps"] == [[20, 1000], [8, 500]]


@given(st.dictionaries(st.sampled_from(NUMBERS), st.integers(0, 3)))
def test_only_what_differs_is_a_change(changes):
    before = rule_book.usual()

    told = rule_book.changes(before, before | changes)
    assert told == {
        name: (before[name], value) for name, value in changes.items() if value != before[name]
    }


def test_a_number_that_came_later_is_as_usual_in_older_versions():
    older = {name: value for name, value in rule_book.usual().items() if name != "week_hours"}

    assert rule_book.complete(older)["week_hours"] == 60
    assert rule_book.changes(older, rule_book.usual()) == {}


def test_an_items_own_commission_comes_before_the_usual_one():
    values = rule_book.usual() | {"commissions": {ITEM: 900}}

    assert rule_book.commission_bp(values, COMPANIONSHIP) == 900
    assert rule_book.commission_bp(values, NOBODY_ID) == 1500


def test_every_weight_of_dispatch_is_a_number_of_the_rule_book(items):
    usual = Weights()
    assert rule_book.weights(rule_book.usual()) == usual

    twice = {f"weight_{one.name}": 2 * round(getattr(usual, one.name)) for one in fields(Weights)}
    assert rule_book.weights(rule_book.checked(twice, items)) == Weights(
        **{one.name: 2 * getattr(usual, one.name) for one in fields(Weights)}
    )


def test_every_limit_of_the_signs_of_leaving_is_a_number_of_the_rule_book(items):
    assert rule_book.leaving(rule_book.usual()) == Limits()

    most = {name: PARAMETERS[name].most for name in rule_book.LIMITS}
    assert rule_book.leaving(rule_book.checked(most, items)) == Limits(
        **{limit: most[name] for name, limit in rule_book.LIMITS.items()}
    )


def test_stars_out_of_range_are_refused_in_whole_ones(items):
    with pytest.raises(Invalid) as refused:
        rule_book.checked({"sign_stars_tenths": 31}, items)
    assert refused.value.values == {"field": "sign_stars_tenths", "fewest": "0.1", "most": "3"}


@pytest.mark.parametrize("value", [1, 0, "on", None])
def test_a_switch_is_on_or_off_and_nothing_else(items, value):
    with pytest.raises(Invalid, match="number_out_of_range"):
        rule_book.checked({"withholds_tax": value}, items)
    assert rule_book.checked({"withholds_tax": False}, items)["withholds_tax"] is False
