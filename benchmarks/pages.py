"""How long a page takes with 20,000 orders, against an empty page of Streamlit as it comes."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks import databases, servers
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data.accounts import Role

TARGET, MAP_TARGET = 1.0, 1.5
MAPS = ("demand_map",)
WARM_UP, RUNS = 5, 60
PUBLIC = ("welcome", "sign_in")


def measure(folder: Path) -> Iterator[Row]:
    """Each page of each role, ours and the empty page in turn."""
    url = databases.filled_sqlite(folder)
    with (
        databases.at(url),
        servers.ours(folder, url) as ours,
        servers.stock(folder, "empty") as stock,
        Visitor(stock) as peer,
    ):
        for role, page, cookie in every_page(ours.url):
            with Visitor(ours.url, page, cookie) as visitor:
                yield row(f"page {page} ({role or 'nobody'})", visitor, peer)


def every_page(url: str) -> list[tuple[Role | None, str, str]]:
    """Role, page and cookie of every page in a role's menu; the public ones signed out."""
    found: list[tuple[Role | None, str, str]] = [(None, page, "") for page in PUBLIC]
    for role in Role:
        cookie = servers.cookie_of(role)
        with Visitor(url, cookie=cookie) as visitor:
            visitor.run()
            menu = [page for page in visitor.pages if page not in (*PUBLIC, "start", "join", "")]
        found += [(role, page, cookie) for page in menu]
    return found


def open_all(stack: ExitStack, url: str) -> list[Visitor]:
    """A visitor on every page, each in a session of its own."""
    return [stack.enter_context(Visitor(url, page, cookie)) for _, page, cookie in every_page(url)]


def row(name: str, visitor: Visitor, peer: Visitor, target: float = TARGET) -> Row:
    """One page against the empty one."""
    for _ in range(WARM_UP):
        visitor.run()
        peer.run()
    pairs = [(visitor.run(), peer.run()) for _ in range(RUNS)]
    ours, theirs = (median(seconds) * 1000 for seconds in zip(*pairs, strict=True))
    return Row(name, ours, theirs, "ms", MAP_TARGET if visitor.page in MAPS else target)
