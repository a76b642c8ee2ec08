"""Who gets a file of figures by its address: the one it was made for, once, for a minute."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from api.headers import SecurityHeaders
from api.routes import ROUTES
from data.database import writing
from services import clock as service_clock
from services import (
    credentials,
    extracts,
    income,
    payout_accounts,
    payout_files,
    payouts,
    prepared_files,
    sessions,
)
from services.access import SYSTEM, Actor
from services.extracts import Scope
from services.payout_accounts import AccountForm
from services.payout_files import FileKind
from tests.conftest import token_of
from tests.factories import (
    ANALYST,
    DESK,
    FAR_OPERATOR,
    LI,
    NANTONG,
    OPERATOR,
    ZHOU,
    make_redeemed_visit,
)

FILE = "需求数\r\n12\r\n".encode("utf-8-sig")
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(database) -> Ask:
    """Ask our routes, behind the headers every answer gets."""
    site = Starlette(routes=ROUTES, middleware=[Middleware(SecurityHeaders)])

    async def answer(address: str, headers: dict[str, str], method: str) -> httpx.Response:
        wire = httpx.ASGITransport(site)
        async with httpx.AsyncClient(transport=wire, base_url="http://carepilot") as browser:
            return await browser.request(method, address, headers=headers)

    return lambda address, headers=None, method="GET": asyncio.run(
        answer(address, headers or {}, method)
    )


@pytest.fixture
def address(database) -> str:
    scope = Scope(NANTONG, "2029-10-01", "2030-01-06", "all", 1, published=True)
    with writing() as session:
        ticket = extracts.prepare(session, ANALYST, "demand_map", FILE, scope)
    return f"/documents/figures/{ticket}"


def cookie(actor: Actor) -> dict[str, str]:
    value = credentials.cookie_value(token_of(actor), service_clock.now() + sessions.LIFETIME)
    return {"Cookie": f"{sessions.COOKIE_NAME}={value}"}


def test_whom_it_was_made_for_gets_it_once(ask, address):
    first = ask(address, cookie(ANALYST))

    assert (first.status_code, first.content) == (200, FILE)
    assert first.headers["content-type"] == "text/csv; charset=utf-8"
    assert first.headers["content-disposition"].startswith('attachment; filename="carepilot-')
    again = ask(address, cookie(ANALYST))
    assert (again.status_code, again.content) == (403, b"")


def test_no_browser_keeps_it_or_guesses_its_type(ask, address):
    for answer in (ask(address, cookie(ANALYST)), ask(address)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR, FAR_OPERATOR])
def test_nobody_else_gets_it_and_it_stays(ask, address, actor):
    assert ask(address, cookie(actor)).status_code == 403
    assert ask(address).status_code == 403
    assert ask(address, cookie(ANALYST)).status_code == 200


def test_after_a_minute_it_is_gone(ask, address, clock):
    clock.move(seconds=61)

    assert ask(address, cookie(ANALYST)).status_code == 403


@pytest.mark.parametrize("ticket", ["x", "a" * 43, "%2e%2e", "漢"])
def test_a_guess_gets_nothing(ask, database, ticket):
    answer = ask(f"/documents/figures/{ticket}", cookie(ANALYST))

    assert (answer.status_code, answer.content) == (403, b"")


class TestBankFiles:
    """The same for what goes to the bank: for the operator who asked for it."""

    @pytest.fixture
    def address(self, database, clock):
        with writing() as session:
            payout_accounts.keep(
                session, LI, AccountForm("工商银行", "李桂兰", "6222021234567890128")
            )
            make_redeemed_visit(session)
        clock.move(days=10)
        with writing() as session:
            income.release_due(session, SYSTEM)
            session.flush()
            batch_id = payouts.lock(session, OPERATOR, NANTONG, 6800)
            session.flush()
            ticket = payout_files.prepare(session, OPERATOR, batch_id, FileKind.XLSX)
        return f"/documents/payouts/{ticket}"

    def test_whom_it_was_made_for_gets_it_once(self, ask, address):
        first = ask(address, cookie(OPERATOR))
        assert first.status_code == 200
        assert first.headers["content-type"].endswith("spreadsheetml.sheet")
        assert first.headers["cache-control"] == "no-store"
        assert ask(address, cookie(OPERATOR)).status_code == 403

    @pytest.mark.parametrize("actor", [ZHOU, LI, DESK, ANALYST, FAR_OPERATOR])
    def test_nobody_else_does(self, ask, address, actor):
        assert ask(address, cookie(actor)).status_code == 403
        assert ask(address).status_code == 403
        assert ask(address, cookie(OPERATOR)).status_code == 200


class TestPreparedFiles:
    """The same for statements and packs: for whom they were made."""

    @pytest.fixture
    def address(self, database):
        with writing() as session:
            ticket = prepared_files.prepare(session, LI, "income", "income.pdf", b"%PDF-1.7")
        return f"/documents/files/{ticket}"

    def test_whom_it_was_made_for_gets_it_once(self, ask, address):
        first = ask(address, cookie(LI))
        assert (first.status_code, first.content) == (200, b"%PDF-1.7")
        assert first.headers["content-type"] == "application/pdf"
        assert first.headers["cache-control"] == "no-store"
        assert ask(address, cookie(LI)).status_code == 403

    @pytest.mark.parametrize("actor", [ZHOU, DESK, OPERATOR, ANALYST])
    def test_nobody_else_does(self, ask, address, actor):
        assert ask(address, cookie(actor)).status_code == 403
        assert ask(address).status_code == 403
        assert ask(address, cookie(LI)).status_code == 200

    def test_after_a_minute_it_is_gone(self, ask, address, clock):
        clock.move(seconds=61)
        assert ask(address, cookie(LI)).status_code == 403
