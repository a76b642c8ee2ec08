"""A throwaway PostgreSQL for a test run, from Debian's binaries.

`python -m tests.postgres` says in one line if they are missing.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

MISSING = "No PostgreSQL: install it (Debian: apt-get install postgresql)."
# It holds nothing worth keeping: speed over durability.
OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
}


def binaries() -> Path | None:
    """The folder of the newest installed PostgreSQL's programs, or None."""
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    folders += sorted((path.parent for path in debian), key=lambda path: float(path.parts[-2]))
    return folders[-1] if folders else None


# The shell outlives even a killed test run: when our end of its input closes, for whatever reason,
# it ends the cluster and deletes it.
KEEPER = """
"$0/initdb" -N -D data -U carepilot -A trust -E UTF8 --locale C >log 2>&1 &&
    "$0/postgres" -D data "$@" >>log 2>&1 &
trap '' INT TERM
read -r _
kill -QUIT "$(head -n 1 data/postmaster.pid)" 2>/dev/null
wait
rm -rf "$PWD"
"""
START_SECONDS = 60


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster of our own; yield its SQLAlchemy URL; stop and delete it whatever happens."""
    programs = binaries()
    if programs is None:
        raise RuntimeError(MISSING)
    folder = tempfile.mkdtemp(prefix="carepilot-postgres-")
    nobody = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root.
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    port = free_port()
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    keeper = subprocess.Popen(
        ["sh", "-c", KEEPER, str(programs), "-p", str(port), *options],
        cwd=folder,
        stdin=subprocess.PIPE,
        user=nobody and nobody.pw_uid,
        group=nobody and nobody.pw_gid,
        extra_groups=[] if nobody else None,
        start_new_session=True,  # A Ctrl-C of the terminal is ours alone.
    )
    try:
        url = f"postgresql://carepilot@127.0.0.1:{port}/postgres"
        _wait(url, Path(folder, "log"))
        yield url.replace("postgresql:", "postgresql+psycopg:")
    finally:
        keeper.communicate()


def _wait(url: str, log: Path) -> None:
    """Return when the cluster answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL does not start: {log.read_text()}") from None
            time.sleep(0.05)


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    sys.exit(0 if binaries() else MISSING)
