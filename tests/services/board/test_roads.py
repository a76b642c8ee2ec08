"""A routing service on loopback: asked for tables, or failing in every way."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from services.board import proposals, roads, runs, snapshots
from services.board.runs import RunShape
from services.dispatch import batches
from services.settings import ConfigurationError
from tests.factories import OPERATOR, make_demand
from tests.services.board.working_out import lines, of_demand, run, work_out
from tests.services.dispatch import towns

PLACES = 130


@pytest.fixture
def service(monkeypatch):
    """Answers a minute a place apart; `told` makes it answer something else."""
    state = SimpleNamespace(told=None, status=200, asked=[])

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            wanted = parse_qs(address.query)
            state.asked.append(address.path)
            counts = [len(wanted[name][0].split(";")) for name in ("sources", "destinations")]
            said = state.told or {"durations": np.full(counts, 600.0).tolist()}
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CAREPILOT_ROADS_URL", f"http://127.0.0.1:{server.server_port}")
    yield state
    server.shutdown()
    server.server_close()


def test_nobody_is_asked_unless_somebody_configured_it(monkeypatch):
    monkeypatch.delenv("CAREPILOT_ROADS_URL", raising=False)
    problem = towns.town(1, 5, 5)
    assert roads.measured(problem) is problem
    monkeypatch.setenv("CAREPILOT_ROADS_URL", "ftp://somewhere")
    with pytest.raises(ConfigurationError):
        roads.address()


def test_many_places_are_asked_in_parts_and_the_minutes_are_its_own(service):
    problem = towns.town(2, PLACES, 3)
    travel = roads.measured(problem).travel
    assert len(service.asked) > 4
    here = np.array([tuple(problem.demands[0].point)])
    there = np.array([tuple(problem.demands[-1].point)])
    assert travel.matrix(here, there, towns.NOW) == pytest.approx(10)
    rush = towns.NOW.replace(hour=23, minute=30)  # Half past seven in the city.
    assert travel.matrix(here, there, rush) == pytest.approx(10 / 0.75)
    at = np.array([rush.timestamp() / 60])
    assert travel.pairs(here, there, at) == pytest.approx(10 / 0.75)


def test_measured_ways_are_kept_with_the_problem(service):
    problem = roads.measured(towns.town(3, 12, 8))
    kept = snapshots.unpacked(snapshots.packed(problem))
    assert batches.solve(kept).solution == batches.solve(problem).solution
    assert kept.travel.table == problem.travel.table


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (None, 503),
        (b"no table", 200),
        ({"code": "NoTable"}, 200),
        ({"durations": [[1, 2, 3]]}, 200),
        ({"durations": [[None]]}, 200),
    ],
)
def test_a_service_that_fails_is_said_so_and_straight_lines_stand_in(
    session, clock, service, told, status
):
    service.told, service.status = told, status
    demand_id = make_demand(session)
    make_demand(session)
    run_id = run(session, clock)
    assert runs.view(session, OPERATOR, run_id).outcome["roadless"] is True
    number = of_demand(session, run_id, demand_id).number
    assert proposals.explanation(session, OPERATOR, run_id, number)["way_minutes"] == 0


def test_a_run_uses_it_and_a_replay_asks_it_no_more(session, clock, service):
    demand_id = make_demand(session, district_code="320612")
    run_id = run(session, clock, shape=RunShape.DAYS)
    line = lines(session, run_id)[demand_id, None]
    told = proposals.explanation(session, OPERATOR, run_id, line.number)
    assert told["way_minutes"] == pytest.approx(10)
    asked = len(service.asked)
    again = runs.replay(session, OPERATOR, run_id)
    session.flush()
    work_out(session, again)
    assert len(service.asked) == asked
    assert lines(session, again)[demand_id, None].cost == pytest.approx(line.cost)
    other = told["rivals"][0]["caregiver_id"]
    assert proposals.pin_cost(session, OPERATOR, run_id, line.number, other) is not None


def test_it_is_told_neighbourhoods_and_no_homes(session, clock, service):
    make_demand(session, district_code="320612")
    run(session, clock)
    told = {spot for path in service.asked for spot in path.split("/")[-1].split(";")}
    assert len(told) == 2
