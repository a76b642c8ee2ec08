"""The board with 300 visits for 60 caregivers, and what dispatch takes in a city of thousands."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import process_time

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks import databases, pages, search, servers
from benchmarks.bulk import orders, people
from benchmarks.bulk.city import City
from benchmarks.bulk.orders import Slot
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import AccountRole, Role
from data.caregivers import Caregiver
from data.catalogue import Unit
from data.demands import Demand, DemandStatus
from data.dispatch import DispatchRun
from services import clock, tasks, waves
from services.access import Actor
from services.board import runs, solving
from services.board.runs import RunShape, Wish
from services.demo.nantong import CITY

VISITS, CAREGIVERS, CUSTOMERS = 300, 60, 300
# Of a city of thousands, whose caregivers and visits are those that searches are measured with.
CITY_DEMANDS, CITY_CUSTOMERS = 4_900, 2_000
RUN_TARGET, RANKING_TARGET = 1.5, 10.0
WARM_UP, RUNS, DAYS_READ = 1, 7, 14
HOURS = range(7, 19)
TARGET, PICKED_FROM = 1.5, 100
POSTED = timedelta(hours=20)


def measure(folder: Path) -> Iterator[Row]:
    """The page as it is drawn once more, and with another line picked each time; then the city."""
    yield from _pages(folder)
    with databases.at(databases.small_demo(f"sqlite:///{folder / 'thousands'}.db", _crowd)):
        yield from _ranking()
        yield from _run()


def _pages(folder: Path) -> Iterator[Row]:
    url = databases.small_demo(f"sqlite:///{folder / 'board'}.db", _fill)
    with (
        databases.at(url),
        servers.ours(folder, url) as ours,
        servers.stock(folder, "empty") as stock,
        Visitor(stock) as peer,
    ):
        cookie = servers.cookie_of(Role.OPERATOR)
        name = f"page dispatch, {VISITS} visits, {CAREGIVERS} caregivers"
        with Visitor(ours.url, "dispatch", cookie) as visitor:
            yield pages.row(name, visitor, peer, TARGET)
        with _Picking(ours.url, "dispatch", cookie) as visitor:
            yield pages.row(f"{name}, a line picked", visitor, peer, TARGET)


def _ranking() -> Iterator[Row]:
    """Whom to tell first of one demand, against reading plainly when everybody is free."""
    with database.reading() as session:
        wanted = select(Demand).where(Demand.status == DemandStatus.OPEN)
        demand = session.scalars(wanted.order_by(Demand.id.desc()).limit(1)).one()
        ids = list(session.scalars(select(Caregiver.id).where(Caregiver.city_code == CITY)))
        first = clock.today() - timedelta(days=1)
        pairs = [
            (
                _seconds(waves.ranked, session, demand),
                _seconds(search.plain_rows, session, ids, first, DAYS_READ),
            )
            for _ in range(WARM_UP + RUNS)
        ][WARM_UP:]
    ours, plain = (median(each) * 1000 for each in zip(*pairs, strict=True))
    name = f"ranking {len(ids):,} caregivers for a push, against reading their time plainly"
    yield Row(name, ours, plain, "ms", RANKING_TARGET)


def _run() -> Iterator[Row]:
    """A run from the question to its lines, against the engine alone on what was read."""
    with database.writing() as session:
        run_id = _asked(session, RunShape.SINGLE)
        facts = {"run_id": run_id}
        begun = process_time()
        material = solving.read(session, facts)
        read = process_time()
        found = solving.reckon(material, lambda _percent: False)
        reckoned = process_time()
        solving.write(session, facts, found)
        session.flush()
        whole, engine = process_time() - begun, reckoned - read
        session.rollback()
    name = f"run of {CITY_DEMANDS:,} demands from the database, against the engine alone"
    yield Row(name, whole, engine, "s", RUN_TARGET)


def _seconds(work: Callable[..., object], *args: object) -> float:
    started = process_time()
    work(*args)
    return process_time() - started


class _Picking(Visitor):
    """Picks another line of the table each time, which opens it."""

    _times = 0

    def run(self) -> float:
        if self._times:
            self.pick("board_rows", self._times % PICKED_FROM)
        self._times += 1
        return super().run()


def _fill() -> None:
    """The people, what is wanted tomorrow, and a run of it as the worker does it."""
    writable = database.engine().execution_options(sqlite_begin="IMMEDIATE")
    with writable.begin() as connection:
        city = City(connection, 1.0)
        people.customers(city, CUSTOMERS)
        people.caregivers(city, CAREGIVERS)
        for customer_id in city.customer_ids[:VISITS]:
            _want(city, customer_id)
        city.finish()
    with database.writing() as session:
        run_id = _asked(session, RunShape.DAYS)
        tasks.do_at_once(session, session.get_one(DispatchRun, run_id).task_id or 0)


def _crowd() -> None:
    """Thousands of caregivers with their visits, and as much wanted tomorrow as a run may be of."""
    search.fill()
    writable = database.engine().execution_options(sqlite_begin="IMMEDIATE")
    with writable.begin() as connection:
        city = City(connection, 0)
        people.customers(city, CITY_CUSTOMERS)
        for number in range(CITY_DEMANDS):
            _want(city, city.customer_ids[number % CITY_CUSTOMERS])
        city.finish()


def _asked(session: Session, shape: RunShape) -> int:
    """A run of what is wanted tomorrow, asked for by the demo's operator."""
    tomorrow = clock.today() + timedelta(days=1)
    of_city = AccountRole.role == Role.OPERATOR, AccountRole.city_code == CITY
    operator_id = session.scalars(select(AccountRole.account_id).where(*of_city)).first()
    operator = Actor(operator_id, Role.OPERATOR, frozenset({CITY}))
    run_id = runs.ask(session, operator, Wish(CITY, tomorrow, tomorrow, shape))
    session.flush()
    return run_id


def _want(city: City, customer_id: int) -> None:
    chance = city.chance
    item = chance.choice([one for one in city.items if one.unit is Unit.HOUR])
    day = clock.in_city(city.now + timedelta(days=1))
    starts_at = day.replace(hour=chance.choice(HOURS), minute=0, second=0, microsecond=0)
    slot = Slot(0, item, starts_at, item.fewest_units)
    recipient_id = chance.choice(city.recipients[customer_id])
    orders.demand(city, slot, customer_id, recipient_id, city.district(), city.now - POSTED)
