"""Photograph every page of every role from a fresh demo: `make screenshots`, in parts with TAKE.

`python -m tools.screenshots --help` lists what a run can be limited to.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from components.navigation import PAGES
from services.access import Role
from tests import chromium
from tests.live_server import ROOT, live_server

VISITOR = "visitor"
ROLES = (VISITOR, *Role)
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
THEMES = ("light", "dark")
HEIGHTS = {1440: 900, 390: 844}
TALLEST = 4000
PATIENCE_MS = 60_000
REST_MS, MAP_MS = 1_000, 4_000
# The page is as tall as what scrolls inside it.
MAIN_HEIGHT = "document.querySelector('[data-testid=stMain]').scrollHeight"


def main() -> int:
    """Take the pictures asked for; 1 when none fits."""
    wishes = _wishes()
    wishes.folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    with _server(wishes.server) as base, chromium.browser(maps=True) as browser:
        for role, language in product(wishes.role, wishes.language):
            pages = [name for name in pages_of(role) if name in wishes.page]
            if pages:
                taken += _as_one(browser, base, role, language, pages, wishes)
    print(f"{taken} pictures in {wishes.folder}")
    return 0 if taken else 1


def pages_of(role: str) -> list[str]:
    """The pages in this role's menu; booking, which a family opens from a caregiver's card."""
    if role == VISITOR:
        return ["welcome", "policy", "sign_in"]
    menu = [page.name for page in PAGES if page.in_menu and page.opens_for(Role(role))]
    return [*menu, "book"] if role == Role.CUSTOMER else menu


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    names = sorted({page.name for page in PAGES})
    limits: list[tuple[str, type, list]] = [
        ("role", str, list(ROLES)),
        ("page", str, names),
        ("language", str, list(LANGUAGES)),
        ("theme", str, list(THEMES)),
        ("width", int, list(HEIGHTS)),
    ]
    for limit, kind, choices in limits:
        parser.add_argument(f"--{limit}", type=kind, nargs="+", choices=choices, default=choices)
    parser.add_argument("--scale", type=float, default=1, help="pixels of the picture a pixel")
    parser.add_argument("--whole", action="store_true", help="the whole page, not the window")
    parser.add_argument("--server", help="the address of a demo that runs already")
    return parser.parse_args()


@contextmanager
def _server(running: str | None) -> Iterator[str]:
    """The address of the demo: one that runs already, or server and worker of our own."""
    if running:
        yield running.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "DATABASE_URL": f"sqlite:///{folder}/live.db",
            "CAREPILOT_MODE": "demo",
            "CAREPILOT_DEMO": "full",
            "CAREPILOT_SECRET": "for the time of the pictures only",
        }
        # Staged first: it may take longer than a server is waited for.
        subprocess.run(
            [sys.executable, "-m", "services.demo"],
            cwd=ROOT,
            env=os.environ | environment,
            check=True,
        )
        with live_server(Path(folder), worker=True, demo=None, **environment) as server:
            yield server.url


def _as_one(
    browser: Browser,
    base: str,
    role: str,
    language: str,
    pages: list[str],
    wishes: argparse.Namespace,
) -> int:
    """The pictures of one role in one language, from one signed-in window; how many."""
    window = browser.new_context(
        locale=LANGUAGES[language], timezone_id="Asia/Shanghai", device_scale_factor=wishes.scale
    )
    page = window.new_page()
    page.set_default_timeout(PATIENCE_MS)
    if role != VISITOR:
        _sign_in(page, base, role)
    wanted: list[tuple[str, str, int]] = list(product(pages, wishes.theme, wishes.width))
    for name, theme, width in wanted:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        _open(page, base, name)
        if wishes.whole:
            height = min(page.evaluate(MAIN_HEIGHT), TALLEST)
            page.set_viewport_size({"width": width, "height": max(height, HEIGHTS[width])})
            _settle(page)
        picture = f"{role}-{name}-{language}-{theme}-{width}.png"
        page.screenshot(path=wishes.folder / picture)
        print(picture, flush=True)
    window.close()
    return len(wanted)


def _sign_in(page: Page, base: str, role: str) -> None:
    page.goto(f"{base}/sign_in")
    with page.expect_response("**/auth/session"):  # The cookie comes after the page.
        page.locator(f".st-key-demo_sign_in_{role} button").click()


def _open(page: Page, base: str, name: str) -> None:
    """Open a page and wait until it stands still."""
    page.goto(f"{base}/{'find_caregivers' if name == 'book' else name}")
    _settle(page)
    if name == "book":
        page.locator("[class*='st-key-book_'] button").first.click()
        page.locator(".st-key-booked").wait_for()
        page.goto(page.url)  # At its top, where a family reads first.
        _settle(page)


def _settle(page: Page) -> None:
    page.wait_for_timeout(300)
    app = page.locator("[data-testid=stApp]")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=PATIENCE_MS)
    # Charts and maps are fetched when they are first drawn.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)
    page.wait_for_timeout(MAP_MS if page.get_by_test_id("stDeckGlJsonChart").count() else REST_MS)


if __name__ == "__main__":
    sys.exit(main())
