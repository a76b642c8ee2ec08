"""What would have to change: each change is applied, solved anew, and the demand is then served."""

from dataclasses import replace

import pytest

from services.dispatch import batches, counterfactuals
from services.dispatch.counterfactuals import (
    HigherPrice,
    LaterStart,
    MoreCaregivers,
    WithoutPin,
)
from services.dispatch.rules import Rule
from services.errors import NotFound
from tests.services.dispatch import towns


def changes(demand, *caregivers, others=()):
    batch = batches.solve(towns.problem([demand, *others], caregivers))
    assert demand.id not in batch.solution.who
    return {type(one): one for one in counterfactuals.changes(batch, demand.id)}


def served(problem, demand_id, change):
    changed = counterfactuals.applied(problem, demand_id, change)
    return demand_id in batches.solve(changed).solution.who


@pytest.mark.parametrize("seed", range(12))
def test_each_change_serves_the_demand_and_none_smaller_would(seed):
    batch = batches.solve(towns.town(100 + seed, 30, 14))
    problem, kinds = batch.columns.problem, set()
    for line in batch.solution.unserved:
        for change in counterfactuals.changes(batch, line.demand_id):
            assert served(problem, line.demand_id, change)
            match change:
                case MoreCaregivers(count=count):
                    less = [replace(change, count=count - 1)]
                case HigherPrice(more_fen):
                    less = [HigherPrice(more_fen - 1)]
                case LaterStart(minutes):
                    less = [LaterStart(sooner) for sooner in range(minutes - 15, 0, -15)]
            assert not any(served(problem, line.demand_id, one) for one in less)
            kinds.add(type(change))
    assert MoreCaregivers in kinds


def test_one_more_caregiver_of_the_kind_that_lacks_is_named_with_place_and_time():
    demand = towns.demand(certificates=frozenset({"nursing"}), skills=frozenset({"lifting"}))
    found = changes(demand, towns.caregiver())[MoreCaregivers]

    window = demand.windows[0]
    assert (found.count, found.item_id, found.district_code) == (1, 1, "320602")
    assert (found.certificates, found.skills) == (demand.certificates, demand.skills)
    assert (found.free_from, found.free_until) == (window.opens_at, window.closes_at)


def test_of_a_pin_that_cannot_hold_it_is_told_who_comes_without_it():
    demand, able = towns.demand(), towns.caregiver(1)
    unable = towns.caregiver(2, prices={})
    problem = replace(towns.problem([demand], [able, unable]), pins={demand.id: unable.id})
    batch = batches.solve(problem)

    assert batch.solution.unserved[0].rule is Rule.NOT_OFFERED
    [change] = counterfactuals.changes(batch, demand.id)
    assert change == WithoutPin(able.id)
    freed = batches.solve(counterfactuals.applied(problem, demand.id, change))
    assert freed.solution.who[demand.id] == able.id
    nobody = replace(problem, caregivers=(unable,))
    assert counterfactuals.changes(batches.solve(nobody), demand.id) == []


def test_more_are_told_where_others_would_have_the_first():
    soon = [towns.demand(n, windows=(towns.window(0, 2),)) for n in (1, 2)]
    last = towns.demand(9, windows=(towns.window(8, 10),))

    assert changes(last, others=soon)[MoreCaregivers].count == 1
    nearer = [replace(one, windows=(towns.window(7, 10),)) for one in soon]
    assert changes(last, others=nearer)[MoreCaregivers].count == 3


def test_the_least_rise_of_the_price_is_told():
    demand = towns.demand(highest_fen=6000)
    dear, dearer = (towns.caregiver(n, prices={1: fen}) for n, fen in ((1, 7500), (2, 9000)))

    assert changes(demand, dear, dearer)[HigherPrice] == HigherPrice(1500)


def test_the_least_delay_is_told():
    demand = towns.demand(windows=(towns.window(1, 3),))
    late, later = (towns.caregiver(n, free=(towns.free(at, 9),)) for n, at in ((1, 1.5), (2, 4)))

    assert changes(demand, late, later)[LaterStart] == LaterStart(30)


def test_a_delay_ends_on_a_quarter_of_the_clock_at_which_it_still_serves():
    at_ten_past = towns.demand(windows=(towns.window(1 + 1 / 6, 3 + 1 / 6),))
    late = towns.caregiver(free=(towns.free(1.5 + 7 / 60, 9),))
    assert changes(at_ten_past, late)[LaterStart] == LaterStart(35)

    # She could begin at 9:37 and until 9:40, so at no quarter hour.
    busy = towns.caregiver(free=(towns.free(1.5 + 7 / 60, 3.5 + 10 / 60),))
    assert LaterStart not in changes(at_ten_past, busy)


def test_a_window_shorter_than_the_visit_asks_for_the_rest_of_it():
    demand = towns.demand(windows=(towns.window(1, 2),))

    assert changes(demand, towns.caregiver())[LaterStart] == LaterStart(60)


def test_nothing_helps_where_the_place_is_none():
    assert not changes(towns.demand(point=towns.Point(float("nan"), 0.0)), towns.caregiver())


def test_only_unserved_demands_have_any():
    batch = batches.solve(towns.problem([towns.demand()], [towns.caregiver()]))
    with pytest.raises(NotFound):
        counterfactuals.changes(batch, 1)
