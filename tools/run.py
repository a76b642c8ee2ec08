"""Run server and worker side by side until one ends or Ctrl-C (or SIGTERM) ends both."""

import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("server.py", "worker.py")
PATIENCE_SECONDS = 30


def main() -> int:
    """Return 0 when asked to stop and both ended well, else the first bad exit code."""
    asked = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)

    # A session of their own: a Ctrl-C of the terminal reaches them once, through us.
    children = [
        subprocess.Popen([sys.executable, ROOT / program], cwd=ROOT, start_new_session=True)
        for program in PROGRAMS
    ]
    while not asked and all(child.poll() is None for child in children):
        time.sleep(0.1)

    ended_alone = [] if asked else [child.poll() for child in children]
    for child in children:
        child.terminate()
    codes = [_wait(child) for child in children]
    bad = [code for code in (*ended_alone, *codes) if code]
    if bad:
        return 128 - bad[0] if bad[0] < 0 else bad[0]
    return 0 if asked else 1


def _wait(child: subprocess.Popen[bytes]) -> int:
    """The exit code, after killing a child that does not stop in time."""
    try:
        return child.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


if __name__ == "__main__":
    sys.exit(main())
