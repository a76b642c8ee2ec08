"""The phone desk's search among 200,000 customers: a whole rerun of the page each."""

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks import databases, pages, servers
from benchmarks.bulk import people
from benchmarks.bulk.city import City
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import Role
from services import startup

CUSTOMERS = 200_000
RUNS = 60
TYPED = {"digits": "0001", "name": "周晓", "pinyin": "zhouxiao", "initials": "zx"}


def measure(folder: Path) -> Iterator[Row]:
    """Whole reruns with something typed, the empty page in turn; their 95th percentiles."""
    url = _crowded(folder)
    with (
        databases.at(url),
        servers.ours(folder, url) as ours,
        servers.stock(folder, "empty") as stock,
        Visitor(stock) as peer,
    ):
        for way, typed in TYPED.items():
            with Visitor(ours.url, "take_call", servers.cookie_of(Role.DESK)) as visitor:
                for _ in range(pages.WARM_UP):
                    visitor.run()
                    peer.run()
                visitor.type("caller_field", typed)
                pairs = [(visitor.run(), peer.run()) for _ in range(RUNS)]
                theirs, others = (_p95(each) * 1000 for each in zip(*pairs, strict=True))
                yield Row(f"desk search by {way}, {CUSTOMERS:,} customers, p95", theirs, others,
                          "ms", 1.0)  # fmt: skip


def _p95(seconds: tuple[float, ...]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)]


def _crowded(folder: Path) -> str:
    """The URL of a small demo with that many customers more; filled once."""
    file = folder / f"callers_{CUSTOMERS}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        os.environ["CAREPILOT_DEMO"] = "small"
        try:
            with databases.at(url):
                startup.prepare()
                _fill()
        finally:
            del os.environ["CAREPILOT_DEMO"]
    return url


def _fill() -> None:
    """Customers with those they care for, and the keys of all their names."""
    with database.engine().execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        city = City(connection, 0)
        people.customers(city, CUSTOMERS)
        city.write()
