"""Every claim as a ratio: `python -m benchmarks [pages | first_visit | memory | booking …]`."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

# Keys are derived once per process, so the secret stands before anything else does.
os.environ["CAREPILOT_SECRET"] = "the secret that every benchmark knows"
os.environ["CAREPILOT_MODE"] = "demo"
os.environ.pop("DATABASE_URL", None)

from benchmarks import (
    analytics,
    board,
    booking,
    chats,
    complaints,
    desk,
    dispatch,
    first_visit,
    memory,
    money,
    pages,
    plans,
    search,
    verifications,
)
from benchmarks.table import Row, show

BENCHMARKS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "booking": booking.measure,
    "plans": plans.measure,
    "money": money.measure,
    "first_visit": first_visit.measure,
    "pages": pages.measure,
    "verifications": verifications.measure,
    "complaints": complaints.measure,
    "search": search.measure,
    "chats": chats.measure,
    "desk": desk.measure,
    "analytics": analytics.measure,
    "dispatch": dispatch.measure,
    "board": board.measure,
    "memory": memory.measure,
}


LIMIT_SECONDS = 60 * 60


class TimeIsUp(Exception):
    """The machine is too slow or too busy for a fair measurement."""


def main(names: list[str]) -> int:
    """Measure what is named, or everything, and print the table; a short claim is no failure."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"No benchmark {', '.join(sorted(unknown))}: there are {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(LIMIT_SECONDS)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="carepilot-bench-") as folder:
        try:
            for name in names or BENCHMARKS:
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                for row in BENCHMARKS[name](Path(folder)):
                    print(f"  {row.name}: {row.ratio:.2f}", file=sys.stderr, flush=True)
                    rows.append(row)
        except TimeIsUp:
            print("Time is up: the table is not complete.", file=sys.stderr)
            return 1
        finally:
            signal.alarm(0)
            show(rows)
    return 0


def _stop(_signal: int, _frame: object) -> None:
    raise TimeIsUp


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
