"""What 5,000 reruns leave behind in the server's memory."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from benchmarks import databases, servers
from benchmarks.pages import open_all
from benchmarks.table import Row

TARGET = 1.05
WARM_UP, RUNS = 500, 5_000


def measure(folder: Path) -> Iterator[Row]:
    """Resident memory after all reruns against that after the first 500, over all pages."""
    url = databases.filled_sqlite(folder)
    with ExitStack() as stack:
        stack.enter_context(databases.at(url))
        server = stack.enter_context(servers.ours(folder, url))
        visitors = cycle(open_all(stack, server.url))
        for visitor in islice(visitors, WARM_UP):
            visitor.run()
        warm = _resident_mib(server.pid)
        for visitor in islice(visitors, RUNS - WARM_UP):
            visitor.run()
        yield Row("memory", _resident_mib(server.pid), warm, "MiB", TARGET)


def _resident_mib(pid: int) -> float:
    """Resident set size from proc(5)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
