"""SQLite means one server process: a second one must not start."""

import fcntl
from functools import cache
from pathlib import Path
from typing import TextIO

from sqlalchemy import make_url

from data.database import database_url


class AnotherServer(Exception):
    """Another server process has this database open."""


@cache
def claim() -> TextIO | None:
    """Lock a file beside the SQLite database for the life of this process; needless elsewhere."""
    url = make_url(database_url())
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    path = Path(f"{url.database}.server.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a")  # Stays open, and so locked, as long as we live.
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AnotherServer(
            "Another server already serves this SQLite database; replicas need PostgreSQL."
        ) from None
    return lock
