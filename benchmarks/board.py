"""The dispatch board with a proposal of 300 visits for 60 caregivers on one day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from benchmarks import databases, pages, servers
from benchmarks.bulk import orders, people
from benchmarks.bulk.city import City
from benchmarks.bulk.orders import Slot
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import AccountRole, Role
from data.catalogue import Unit
from data.dispatch import DispatchRun
from services import clock, tasks
from services.access import Actor
from services.board import runs
from services.board.runs import Wish
from services.demo.nantong import CITY

VISITS, CAREGIVERS, CUSTOMERS = 300, 60, 300
HOURS = range(7, 19)
TARGET, PICKED_FROM = 1.5, 100
POSTED = timedelta(hours=20)


def measure(folder: Path) -> Iterator[Row]:
    """The page as it is drawn once more, and with another line picked each time."""
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
    tomorrow = clock.today() + timedelta(days=1)
    with database.writing() as session:
        of_city = AccountRole.role == Role.OPERATOR, AccountRole.city_code == CITY
        operator_id = session.scalars(select(AccountRole.account_id).where(*of_city)).first()
        operator = Actor(operator_id, Role.OPERATOR, frozenset({CITY}))
        run_id = runs.ask(session, operator, Wish(CITY, tomorrow, tomorrow))
        session.flush()
        tasks.do_at_once(session, session.get_one(DispatchRun, run_id).task_id or 0)


def _want(city: City, customer_id: int) -> None:
    chance = city.chance
    item = chance.choice([one for one in city.items if one.unit is Unit.HOUR])
    day = clock.in_city(city.now + timedelta(days=1))
    starts_at = day.replace(hour=chance.choice(HOURS), minute=0, second=0, microsecond=0)
    slot = Slot(0, item, starts_at, item.fewest_units)
    recipient_id = chance.choice(city.recipients[customer_id])
    orders.demand(city, slot, customer_id, recipient_id, city.district(), city.now - POSTED)
