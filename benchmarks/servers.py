"""The two servers compared: ours, and Streamlit's own as it comes."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import database
from services import clock, credentials, sessions
from services.access import Role
from tests.live_server import LiveServer, live_server, stop
from tests.postgres import free_port

STOCK = Path(__file__).parent / "stock"
START_SECONDS = 60


@contextmanager
def ours(folder: Path, url: str) -> Iterator[LiveServer]:
    """server.py on the database at `url`."""
    with live_server(folder, DATABASE_URL=url) as running:
        yield running


@contextmanager
def stock(folder: Path, page: str) -> Iterator[str]:
    """`streamlit run` of one of the stock pages with no settings but the needed two; its URL."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", STOCK / f"{page}.py"]
    command += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with (folder / "stock.log").open("ab") as log:
        server = subprocess.Popen(
            command,
            cwd=STOCK,
            env=os.environ | {"HOME": str(folder)},  # Where it would look for settings.
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/_stcore/health", server)
        yield url
    finally:
        stop(server)


def cookie_of(role: Role | None) -> str:
    """The Cookie header of the demo's person in this role, by a session opened for them."""
    if role is None:
        return ""
    opened = database.transact(
        lambda session: sessions.open_demo(session, role, sessions.Client("benchmark"))
    )
    value = credentials.cookie_value(opened.token, clock.now() + sessions.LIFETIME)
    return f"{sessions.COOKIE_NAME}={value}"


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("Stock Streamlit did not start")
