"""Runs of dispatch as the worker does them, in one go."""

from datetime import timedelta

from services.access import Actor
from services.board import proposals, runs, solving
from services.board.runs import RunShape, Wish
from tests.factories import NANTONG, OPERATOR, add_colleague, make_demand, make_family

A_DAY = timedelta(days=1)


def wish(clock, **changes):
    usual = {
        "city_code": NANTONG,
        "first_on": clock.moment.date(),
        "last_on": clock.moment.date() + 2 * A_DAY,
        "shape": RunShape.SINGLE,
        "budget_seconds": 2,
    }
    return Wish(**usual | changes)


def run(session, clock, actor: Actor = OPERATOR, **changes):
    """Ask for a run and have it worked out; its id."""
    run_id = runs.ask(session, actor, wish(clock, **changes))
    session.flush()
    work_out(session, run_id)
    return run_id


def work_out(session, run_id):
    facts = {"run_id": run_id}
    found = solving.reckon(solving.read(session, facts), lambda percent: False)
    solving.write(session, facts, found)
    session.flush()


def lines(session, run_id, actor: Actor = OPERATOR):
    """The lines of a run by demand or visit."""
    return {(one.demand_id, one.visit_id): one for one in proposals.lines(session, actor, run_id)}


def of_demand(session, run_id, demand_id):
    return lines(session, run_id)[demand_id, None]


def of_visit(session, run_id, visit_id):
    return lines(session, run_id)[None, visit_id]


def many_demands(session, count, first=100, **changes):
    """Demands at one time of as many families."""
    found = []
    for number in range(count):
        customer, recipient_id = make_family(session, first + number)
        found.append(make_demand(session, customer=customer, recipient_id=recipient_id, **changes))
    return found


def colleagues(session, count):
    return [add_colleague(session, number) for number in range(1, count + 1)]
