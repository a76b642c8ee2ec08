"""Real browsers against the real server: people with keys for hands, and a watch on the wire."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from data.database import writing
from tests import chromium
from tests.conftest import database_at
from tests.live_server import LiveServer, live_server

PHONE, DESKTOP = (390, 844), (1440, 900)
# A machine that is busy with other things may stand still for half a minute.
PATIENCE_MS = 60_000
REMEMBER_VIOLATIONS = """
window.violations = []
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`))
"""
# Two rules need sheets and sounds fetched once more: one is off by default, one never serious.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}
# Colours on their way are not yet those the theme has chosen. What stands still is not waited for.
AT_REST = """Promise.race([
  Promise.all(document.getAnimations()
    .filter((one) => one.playState === "running")
    .filter((one) => one.effect.getTiming().iterations !== Infinity)
    .map((one) => one.finished.catch(() => undefined))),
  new Promise((done) => setTimeout(done, 5000)),
])"""


@dataclass
class Person:
    """One person's browser window."""

    page: Page
    base: str
    outside: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.page.goto(f"{self.base}/{address}")
        # Before the first run there is nothing under way either.
        drawn = self.page.locator("[data-testid=stMain] [data-testid=stElementContainer]")
        drawn.first.wait_for(state="attached", timeout=PATIENCE_MS)
        self.settle()

    def follow(self, address: str) -> None:
        """Go to a page by its link in the menu, which a phone keeps folded away."""
        link = self.page.locator(f"[data-testid=stSidebarNavLink][href$='/{address}']")
        link.evaluate("link => link.click()", timeout=PATIENCE_MS)
        self.page.wait_for_url(f"{self.base}/{address}", timeout=PATIENCE_MS)
        self.settle()

    def settle(self) -> None:
        """Wait until no run of the app is under way; it takes a moment to get under way."""
        self.page.wait_for_timeout(300)
        # Looks at every frame; expect() would look again after half a second, then a whole one.
        at_rest = self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
        at_rest.wait_for(state="attached", timeout=PATIENCE_MS)

    def key(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key}").first

    def press(self, key: str) -> None:
        """Click the button under this key; where it opens a sheet, until the sheet is open."""
        self._click(self.key(key).locator("button").first)
        closed = self.key(key).locator("button[aria-haspopup=dialog][aria-expanded=false]")
        for _ in range(2):  # A page drawn anew meanwhile may close it again.
            if closed.count():
                self._click(closed.first)

    def _click(self, button: Locator) -> None:
        """Click what a hand could click, in one go: a page that moves cannot slip away under it."""
        button.click(trial=True, timeout=PATIENCE_MS)
        button.evaluate("button => { button.focus(); button.click() }")
        self.settle()

    def unfold(self, key: str) -> None:
        """Open what is folded under this key, unless it is open already."""
        folded = self.key(key).locator("details").first
        folded.wait_for()
        inside = folded.locator("[data-testid=stElementContainer]").first
        for _ in range(3):  # A page still moving may slip away under a click, or miss it.
            if folded.get_attribute("open") is None:
                folded.locator("summary").first.click()
                self.settle()
            with suppress(TimeoutError):
                inside.wait_for(timeout=PATIENCE_MS / 4)
                break
            folded.locator("summary").first.click()
            self.settle()
        expect(inside).to_be_visible(timeout=PATIENCE_MS)
        self.page.evaluate(AT_REST)  # A list opened in it while it grows would close again.

    def fill(self, key: str, text: str) -> None:
        box = self.key(key).locator("input, textarea").first
        box.fill(text, timeout=PATIENCE_MS)
        box.press("Tab")
        self.settle()

    def pick(self, key: str, word: str) -> None:
        """Press the button with this word in a group of them."""
        self.key(key).get_by_role("radio").or_(self.key(key).get_by_role("button")).filter(
            has_text=word
        ).first.click(timeout=PATIENCE_MS)
        self.settle()

    def choose(self, key: str, word: str) -> None:
        """Choose an option of a select box."""
        self.choose_in(self.key(key), word)

    def choose_in(self, box: Locator, word: str) -> None:
        """Choose an option of a box that was found otherwise."""
        option = self.page.get_by_role("option", name=word).first
        for _ in range(3):  # A page still moving may close the list again.
            box.locator("input").first.focus(timeout=PATIENCE_MS)
            self.page.keyboard.press("ArrowDown")
            with suppress(TimeoutError):
                option.click(timeout=PATIENCE_MS / 4)
                break
            self.page.keyboard.press("Escape")
        else:
            raise AssertionError(f"There is no {word} to choose")
        self.settle()

    def type_digits(self, key: str, digits: str) -> None:
        """Type a date or a time, part by part, as its field wants it."""
        self.key(key).get_by_role("spinbutton").first.click(timeout=PATIENCE_MS)
        self.page.keyboard.type(digits, delay=30)
        self.page.keyboard.press("Tab")
        self.settle()

    def sees(self, words: str | Pattern[str]) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)

    def demo_sign_in(self, role: str) -> None:
        self.press(f"demo_sign_in_{role}")
        expect(self.key("sign_out")).to_be_attached(timeout=PATIENCE_MS)
        self.settle()

    def code_sign_in(self, phone: str) -> None:
        """Sign in by the one-time code, which the demo shows instead of sending it."""
        self.pick("sign_in_way", "验证码")
        self.fill("code_phone", phone)
        self.press("code_send")
        text = self.page.get_by_text(re.compile(r"\d{6}")).first
        expect(text).to_be_visible(timeout=PATIENCE_MS)
        code = re.search(r"\d{6}", text.inner_text())
        assert code
        self.fill("code_code", code[0])
        self.press("code_submit")
        expect(self.key("sign_out")).to_be_attached(timeout=PATIENCE_MS)
        self.settle()

    def cookie(self) -> dict[str, Any]:
        """The session cookie, waited for: the browser fetches it after the page is drawn."""
        for _ in range(PATIENCE_MS // 100):
            for cookie in self.page.context.cookies():
                if cookie["name"] == "carepilot_session":
                    return dict(cookie)
            self.page.wait_for_timeout(100)
        raise AssertionError("The cookie never came")

    def _serious(self) -> list[tuple[str, str]]:
        """What axe finds that is serious, and where."""
        self.page.evaluate(AT_REST)
        if not self.page.evaluate("'axe' in window"):  # It is half a megabyte.
            self.page.evaluate(AXE_SCRIPT)
        found = self.page.evaluate("options => axe.run(document, options)", AXE_OPTIONS)
        return [
            (rule["id"], node["html"][:200])
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    def is_well(self) -> None:
        """No axe violation that is serious, no sideways scroll, nothing against the policy."""
        serious = self._serious()
        if serious:  # Colours may still be on their way; what is wrong stays wrong.
            self.page.wait_for_timeout(1000)
            serious = self._serious()
        assert not serious
        main = "document.querySelector('[data-testid=stMain]')"
        assert self.page.evaluate(f"{main}.scrollWidth <= {main}.clientWidth"), "scrolls sideways"
        assert self.page.evaluate("window.violations") == []
        assert self.page.get_by_test_id("stException").count() == 0


def in_the_pilot(server, deed):
    """Do something in the server's database, as another process of the pilot would."""
    with database_at(f"sqlite:///{server.log.parent / 'live.db'}"), writing() as session:
        return deed(session)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One Chromium a module: Playwright's loop must end before other tests run theirs."""
    with chromium.browser(maps=True) as browser:
        yield browser


@pytest.fixture(scope="module")
def pilot(tmp_path_factory, demo_file) -> Iterator[LiveServer]:
    """Server and worker with a demo on SQLite that nobody has touched."""
    with live_server(tmp_path_factory.mktemp("pilot"), worker=True, demo=demo_file) as server:
        yield server


@pytest.fixture
def arrive(chrome) -> Iterator[Callable[..., Person]]:
    """A person comes with a browser of their own; at the end nobody has asked anything outside."""
    people: list[Person] = []

    def arrive(
        base: str, *, size: tuple[int, int] = DESKTOP, language: str = "zh-CN", theme: str = "light"
    ) -> Person:
        context = chrome.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            color_scheme=theme,
            timezone_id="Asia/Shanghai",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REMEMBER_VIOLATIONS)
        person = Person(context.new_page(), base)
        own = (base, base.replace("http", "ws", 1), "data:", "blob:")

        def note(url: str) -> None:
            if not url.startswith(own):
                person.outside.append(url)

        context.on("request", lambda request: note(request.url))
        person.page.on("websocket", lambda socket: note(socket.url))
        people.append(person)
        return person

    yield arrive
    for person in people:
        person.page.context.close()
        assert person.outside == []


@pytest.fixture
def signed_in(pilot, arrive) -> Callable[..., Person]:
    """Somebody of the demo comes to the pilot and signs in."""

    def signed_in(role: str, **options: Any) -> Person:
        person = arrive(pilot.url, **options)
        person.open("sign_in")
        person.demo_sign_in(role)
        person.cookie()
        return person

    return signed_in
