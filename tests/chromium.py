"""The Chromium that browser tests drive: the system's first, then Playwright's own.

`python -m tests.chromium` says which one, or fails in one line.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    # A page lives for seconds: what compiling its scripts well would cost never comes back.
    "--js-flags=--no-opt --no-maglev",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Maps need WebGL, here drawn by the processor.
MAP_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
MISSING = "No Chromium: install it (Debian: apt-get install chromium)."


def executable(playwright: Playwright) -> str | None:
    """The path of a Chromium, or None."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def launch_options(playwright: Playwright, *, maps: bool = False) -> dict[str, Any]:
    """What to give to `playwright.chromium.launch`."""
    path = executable(playwright)
    if path is None:
        raise RuntimeError(MISSING)
    return {"executable_path": path, "args": FLAGS + (MAP_FLAGS if maps else [])}


@contextmanager
def browser(*, maps: bool = False) -> Iterator[Browser]:
    """A running Chromium; one per test module is enough, each visitor is a context of it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(**launch_options(playwright, maps=maps))
        try:
            yield chromium
        finally:
            chromium.close()


if __name__ == "__main__":
    with sync_playwright() as found:
        sys.exit(0 if executable(found) else MISSING)
