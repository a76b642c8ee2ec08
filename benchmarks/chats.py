"""200 open chats: what they cost, and how soon each hears that something was said in it."""

import os
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks import databases, servers
from benchmarks.table import Row
from data import database
from services import accounts, clock, credentials, messages, sessions, startup
from services.access import Actor, Role
from services.demo.nantong import CITY
from services.messages import Said
from services.sessions import Client

CHATS, MESSAGES, PAUSE_SECONDS, SETTLE_SECONDS = 200, 40, 0.5, 8.0
MOST_CORE, MEDIAN_SECONDS, P95_SECONDS = 0.15, 1.0, 2.0
READ_BYTES = 1 << 16


def measure(folder: Path) -> Iterator[Row]:
    """The share of a core over 20 seconds with two messages a second, and how late news come.

    From the commit of a message to the event on its reader's stream; drawing comes on top.
    """
    url = f"sqlite:///{folder / 'chats.db'}"
    with databases.at(url), ExitStack() as stack:
        people = _people()
        server = stack.enter_context(servers.ours(folder, url))
        streams = {person.id: _listen(server.url, person) for person in people}
        for stream in streams.values():
            stack.enter_context(stream)
        heard = _Ears(streams)
        stack.callback(heard.stop)
        time.sleep(SETTLE_SECONDS)  # Every new stream is told once to look.
        busy, began = _cpu_seconds(server.pid), time.monotonic()
        sent: list[tuple[int, float]] = []
        for person in people[:MESSAGES]:
            heard.at.pop(person.id or 0, None)
            _say(person)
            said = time.monotonic()
            time.sleep(PAUSE_SECONDS)
            sent.append((person.id or 0, said))
        time.sleep(P95_SECONDS)
        core = (_cpu_seconds(server.pid) - busy) / (time.monotonic() - began)
        late = [heard.at.get(number, float("inf")) - said for number, said in sent]
    yield Row(f"core of {CHATS} open chats", core, MOST_CORE, "cores", 1.0)
    yield Row("news of a chat, median", statistics.median(late), MEDIAN_SECONDS, "s", 1.0)
    p95 = sorted(late)[int(0.95 * len(late))]
    yield Row("news of a chat, p95", p95, P95_SECONDS, "s", 1.0)


class _Ears:
    """One thread that reads every stream, and when each was told of a chat last."""

    def __init__(self, streams: dict[int | None, socket.socket]) -> None:
        self.at: dict[int, float] = {}
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        for number, stream in streams.items():
            self._selector.register(stream, selectors.EVENT_READ, number)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        self._selector.close()

    def _read(self) -> None:
        while not self._over.is_set():
            for ready, _ in self._selector.select(0.1):
                said = ready.fileobj.recv(READ_BYTES)  # pyright: ignore[reportAttributeAccessIssue]
                if not said:
                    self._selector.unregister(ready.fileobj)
                elif b"event: chat" in said:
                    self.at.setdefault(ready.data, time.monotonic())


def _people() -> list[Actor]:
    """A small demo, and as many families more as there are chats."""
    os.environ["CAREPILOT_DEMO"] = "small"
    try:
        startup.prepare()
    finally:
        del os.environ["CAREPILOT_DEMO"]
    with database.writing() as session:
        made = [
            accounts.new(session, f"家属{number}", f"+86166{number:08d}", Role.CUSTOMER)
            for number in range(CHATS)
        ]
        session.flush()
        for account in made:
            account.city_code = CITY
        return [Actor(account.id, Role.CUSTOMER) for account in made]


def _say(person: Actor) -> None:
    said = Said("在吗？", uuid4().hex)
    database.transact(lambda session: messages.ask(session, person, said, CITY))


def _listen(url: str, person: Actor) -> socket.socket:
    opened = database.transact(
        lambda session: sessions.open_session(
            session, person.id or 0, Client("benchmark"), role=Role.CUSTOMER
        )
    )
    cookie = credentials.cookie_value(opened.token, clock.now() + sessions.LIFETIME)
    address = urlsplit(url)
    stream = socket.create_connection((address.hostname, address.port))
    stream.sendall(
        f"GET /events HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Cookie: {sessions.COOKIE_NAME}={cookie}\r\n\r\n".encode()
    )
    return stream


def _cpu_seconds(pid: int) -> float:
    """User and system time from proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
