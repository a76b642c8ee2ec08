"""Both themes can be read, and all parts draw under our Content-Security-Policy."""

import subprocess
import sys
import time
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Request

from tests import chromium
from tests.live_server import ROOT, stop
from tests.postgres import free_port

pytestmark = pytest.mark.browser
SERVER = """
import sys

import streamlit as st
import uvicorn
from starlette.middleware import Middleware

from api.headers import SecurityHeaders

app = st.App("tests/showcase.py", middleware=[Middleware(SecurityHeaders)])
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, ws="websockets-sansio")
"""
REMEMBER_VIOLATIONS = """
window.violations = []
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`))
"""


@pytest.fixture(scope="module")
def showcase(tmp_path_factory):
    """The address of a server that draws tests/showcase.py."""
    port = free_port()
    log = tmp_path_factory.mktemp("showcase") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port)],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield url
    finally:
        stop(server)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_draws_readably_and_within_the_policy(showcase, scheme):
    outside, errors = [], []

    def note_request(request: Request) -> None:
        if not request.url.startswith((showcase, "data:", "blob:")):
            outside.append(request.url)

    def note_message(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    # Tall, so that everything is in view: axe does not look at what is scrolled away.
    with chromium.browser(maps=True) as browser:
        page = browser.new_page(
            color_scheme=scheme, viewport={"width": 1280, "height": 5000}, locale="zh-CN"
        )
        page.on("request", note_request)
        page.on("console", note_message)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(REMEMBER_VIOLATIONS)
        page.goto(showcase)

        page.get_by_text("component ran").wait_for()
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        page.locator("[data-testid=stDeckGlJsonChart] canvas").first.wait_for()
        page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
        page.locator("input[type=file]").set_input_files(
            {"name": "words.txt", "mimeType": "text/plain", "buffer": b"words"}
        )
        page.get_by_text("words.txt").wait_for()
        page.get_by_text("Words, a link").wait_for()

        assert page.evaluate("window.violations") == []
        assert not outside
        assert not errors
        found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        assert not [
            (node["html"][:200], node["any"][0]["data"]) for rule in found for node in rule["nodes"]
        ]
