"""Every stated difference is computed anew; what a pin costs is what the whole then costs."""

import pytest

from services.dispatch import batches, day_plans, explaining
from services.dispatch.rules import Rule
from services.dispatch.weights import Term
from services.errors import NotFound
from tests.services.dispatch import checker, towns


@pytest.fixture(scope="module")
def batch():
    return batches.solve(towns.town(21, 60, 50))


def terms(problem, visit):
    demand = next(one for one in problem.demands if one.id == visit.demand_id)
    her = next(one for one in problem.caregivers if one.id == visit.caregiver_id)
    _, place = checker.earliest(problem, demand, her)
    return checker.terms(problem, demand, her, place)


def test_each_difference_to_the_next_two_is_true(batch):
    problem, compared = batch.columns.problem, 0
    for line in batch.solution.assignments:
        told = explaining.explain(batch, line.demand_id)
        mine = terms(problem, line)

        assert told.chosen.visit == line
        assert checker.same(mine, line.terms)
        for rival in told.rivals:
            hers = terms(problem, rival.candidate.visit)
            differences = {term: hers.get(term, 0) - mine.get(term, 0) for term in Term}
            assert checker.same(differences, rival.more, within=0.02)
            assert rival.cost == pytest.approx(rival.candidate.visit.cost - line.cost)
            compared += 1
    assert compared > 50


def test_the_next_two_are_the_cheapest_but_the_one_who_is_sent(batch):
    every = checker.costs(batch.columns.problem)
    for line in batch.solution.assignments:
        others = sorted(
            cost
            for (demand_id, caregiver_id), cost in every.items()
            if demand_id == line.demand_id and caregiver_id != line.caregiver_id
        )
        told = explaining.explain(batch, line.demand_id)
        assert [one.candidate.visit.cost for one in told.rivals] == pytest.approx(
            others[:2], abs=0.02
        )


def test_the_figures_of_a_candidate_are_hers(batch):
    people = {one.id: one for one in batch.columns.caregivers}
    sent = {one.caregiver_id: one.demand_id for one in batch.solution.assignments}
    demands = {one.id: one for one in batch.columns.demands}
    for line in batch.solution.assignments:
        for one in explaining.recommended(batch, line.demand_id):
            her = people[one.visit.caregiver_id]
            week = her.weeks[towns.MONDAY]
            demand = demands[line.demand_id]
            assert (one.rating, one.booked, one.available) == (
                her.rating,
                week.booked,
                week.available,
            )
            assert one.visits == demand.visits_by.get(her.id, 0)
            assert one.elsewhere == (None if sent.get(her.id) == demand.id else sent.get(her.id))


def test_the_recommended_are_the_best_five_whatever_the_others_want(batch):
    every = checker.costs(batch.columns.problem)
    for demand in batch.columns.demands:
        best = sorted(cost for (demand_id, _), cost in every.items() if demand_id == demand.id)
        told = [one.visit.cost for one in explaining.recommended(batch, demand.id)]
        assert told == pytest.approx(best[:5], abs=0.02)


def test_a_pin_costs_what_the_whole_then_costs_more():
    batch = batches.solve(towns.town(23, 12, 9))
    problem, tried = batch.columns.problem, 0
    for demand_id, caregiver_id in checker.costs(problem):
        cost = explaining.pin_cost(batch, demand_id, caregiver_id)
        other = explaining.pinned(batch, demand_id, caregiver_id).solution

        assert other.who[demand_id] == caregiver_id
        before, after = (checker.value(problem, one.who) for one in (batch.solution, other))
        assert cost == pytest.approx(after - before, abs=0.05)
        assert cost > -0.01
        tried += 1
    assert tried > 10


@pytest.mark.parametrize("solve", [batches.solve, day_plans.solve])
def test_who_could_come_but_for_a_pin_is_told(solve):
    caregivers = [towns.caregiver(n, point=towns.near(n)) for n in (1, 2, 3)]
    told = explaining.explain(solve(towns.problem([towns.demand()], caregivers, pins={1: 3})), 1)

    assert told.chosen.visit.caregiver_id == 3
    assert [one.candidate.visit.caregiver_id for one in told.rivals] == [1, 2]
    assert all(one.cost < 0 for one in told.rivals)


def test_pinning_somebody_who_cannot_come_names_the_rule():
    batch = batches.solve(
        towns.problem([towns.demand(sex="female")], [towns.caregiver(1, sex="male")])
    )

    assert explaining.pin_cost(batch, 1, 1) is Rule.SEX
    assert explaining.pin_cost(batch, 1, 99) is Rule.NOBODY


def test_a_demand_that_is_none_or_unserved_is_not_found(batch):
    unserved = batch.solution.unserved[0].demand_id
    for number in (unserved, 999_999):
        with pytest.raises(NotFound):
            explaining.explain(batch, number)
    with pytest.raises(NotFound):
        explaining.recommended(batch, 999_999)
