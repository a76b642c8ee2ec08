"""The real server, and the worker if wished, as processes of their own for a test."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.log_watch import personal_in
from tests.postgres import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90
STOP_SECONDS = 20
DEMO = {"CAREPILOT_MODE": "demo", "CAREPILOT_DEMO": "small"}


@dataclass(frozen=True, slots=True)
class LiveServer:
    url: str
    log: Path
    pid: int

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


def staged_demo(folder: Path) -> Path:
    """The small demo on SQLite, as a first start with our environment makes it, staged once.

    Whoever comes meanwhile, from whatever process, waits for it.
    """
    file = folder / "demo.db"
    with (folder / "demo.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not file.exists():
            made = folder / "staging.db"
            subprocess.run(
                [sys.executable, "-c", "from services import startup; startup.prepare()"],
                cwd=ROOT,
                env=os.environ | DEMO | {"DATABASE_URL": f"sqlite:///{made}"},
                check=True,
            )
            made.rename(file)
    return file


@contextmanager
def live_server(
    folder: Path, *, worker: bool = False, demo: Path | None = None, **environment: str
) -> Iterator[LiveServer]:
    """Serve on a free port with a SQLite file in `folder`, unless DATABASE_URL is given.

    The file is a copy of `demo`; without one the server has to prepare its database itself.
    """
    port = free_port()
    if demo is not None:
        shutil.copy(demo, folder / "live.db")
    environment = {
        "DATABASE_URL": f"sqlite:///{folder / 'live.db'}",
        **DEMO,
        **environment,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    log = folder / "server.log"
    server = start("server.py", log, environment)
    programs = [server]
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/readyz", server, log)
        if worker:
            programs.append(start("worker.py", folder / "worker.log", environment))
        yield LiveServer(f"http://127.0.0.1:{port}", log, server.pid)
    finally:
        codes = [stop(program) for program in reversed(programs)]
    told = {file.name: personal_in(file.read_text("utf-8")) for file in folder.glob("*.log")}
    assert not any(told.values()), f"the log tells of people: {told}"
    assert not any(codes), f"server or worker did not stop cleanly: {codes}\n{log.read_text()}"


def start(program: str, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Run one of our programs, from a folder that is not the repository's."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, ROOT / program],
            cwd=log.parent,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def stop(program: subprocess.Popen[bytes]) -> int:
    """Ask it to stop; return its exit code, after killing it if it does not."""
    program.send_signal(signal.SIGTERM)
    try:
        return program.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait()


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server says it is ready; fail with its log when it ends or is too slow."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError as unready:
            unready.close()
        except OSError:
            pass  # Not listening yet.
        time.sleep(0.1)
    raise AssertionError(f"The server did not become ready:\n{log.read_text()}")
