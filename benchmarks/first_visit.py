"""The first visitor of a fresh server, against stock Streamlit's of a page with our imports."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import databases, servers
from benchmarks.table import Row
from benchmarks.visitor import Visitor

TARGET = 0.25
ROUNDS = 3


def measure(folder: Path) -> Iterator[Row]:
    """From opening the websocket to the end of the first run, of the front door."""
    url = databases.filled_sqlite(folder)
    ours, theirs = [], []
    for round_ in range(ROUNDS + 1):
        with databases.at(url), servers.ours(folder, url) as running:
            mine = _first_visit(running.url)
        with servers.stock(folder, "imports") as stock:
            peer = _first_visit(stock)
        if round_:  # The first round warms the disk's cache for both.
            ours.append(mine)
            theirs.append(peer)
    yield Row("first visit", median(ours) * 1000, median(theirs) * 1000, "ms", TARGET)


def _first_visit(url: str) -> float:
    started = perf_counter()
    with Visitor(url) as visitor:
        visitor.run()
        return perf_counter() - started
