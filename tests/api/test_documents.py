"""Who gets a document's image by its address: the one it was made for, once, for a minute."""

import asyncio
import io
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from sqlalchemy import func, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from api import documents as route
from api.headers import SecurityHeaders
from data.accounts import Account, AccountStatus
from data.database import reading, writing
from data.history import AuditEvent
from data.verifications import DocumentKind
from services import (
    clock,
    credentials,
    documents,
    pictures,
    report_photos,
    sessions,
    verifications,
)
from services.access import Actor
from services.pictures import PictureKind
from services.verifications import CaseKind, IdentityForm
from tests import factories
from tests.conftest import token_of
from tests.factories import ANALYST, DESK, FAR_OPERATOR, LI, OPERATOR, ZHOU, make_newcomer

OTHERS = (ZHOU, LI, DESK, OPERATOR, FAR_OPERATOR, ANALYST)


Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(database) -> Ask:
    """Ask the route, behind the headers every answer gets."""
    shown = Route("/documents/{ticket}", route.show)
    site = Starlette(routes=[shown], middleware=[Middleware(SecurityHeaders)])

    async def answer(method: str, address: str, headers: dict[str, str]) -> httpx.Response:
        wire = httpx.ASGITransport(site)
        async with httpx.AsyncClient(transport=wire, base_url="http://carepilot") as browser:
            return await browser.request(method, address, headers=headers)

    def ask(
        address: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> httpx.Response:
        return asyncio.run(answer(method, address, headers or {}))

    return ask


@pytest.fixture
def owner(database) -> Actor:
    """A family that hands in its papers."""
    with writing() as session:
        return make_newcomer(session)


@pytest.fixture
def document_id(owner) -> int:
    """A page of a draft of the owner's."""
    picture = io.BytesIO()
    Image.new("RGB", (400, 250), "white").save(picture, "PNG")
    [page] = documents.pages_of(picture.getvalue())
    with writing() as session:
        case_id = verifications.save(session, owner, CaseKind.CUSTOMER, IdentityForm("", ""))
        documents.attach(session, owner, case_id, DocumentKind.ID_FRONT, [page])
        case = verifications.mine(session, owner, CaseKind.CUSTOMER)
    assert case is not None
    return case.documents[0].id


@pytest.fixture
def address(owner, document_id) -> str:
    with writing() as session:
        ticket = pictures.ticket(session, owner, PictureKind.DOCUMENT, document_id, "own")
    return f"/documents/{ticket}"


def cookie(actor: Actor) -> dict[str, str]:
    value = credentials.cookie_value(token_of(actor), clock.now() + sessions.LIFETIME)
    return {"Cookie": f"{sessions.COOKIE_NAME}={value}"}


def openings() -> int:
    with reading() as session:
        opened = AuditEvent.action == "open_document"
        return session.scalar(select(func.count(AuditEvent.id)).where(opened)) or 0


def test_its_owner_sees_it_once_and_the_look_is_recorded(ask, address, owner):
    first = ask(address, cookie(owner))

    assert (first.status_code, first.headers["content-type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(first.content)) as image:
        assert (image.format, image.size) == ("WEBP", (400, 250))
        assert image.convert("L").getextrema()[0] < 255, "no watermark"
    assert openings() == 1
    again = ask(address, cookie(owner))
    assert (again.status_code, again.content) == (403, b"")
    assert openings() == 1


def test_no_browser_keeps_it_guesses_its_type_or_runs_it(ask, address, owner):
    for answer in (ask(address, cookie(owner)), ask(address)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["content-disposition"] == 'inline; filename="document.webp"'


def test_everybody_else_gets_nothing_and_does_not_use_it_up(ask, address, owner):
    forged = {"Cookie": f"{sessions.COOKIE_NAME}=eyJhbGciOiJub25lIn0.e30."}
    for headers in ({}, forged, *(cookie(actor) for actor in OTHERS)):
        answer = ask(address, headers)
        assert (answer.status_code, answer.content) == (403, b"")

    assert openings() == 0
    assert ask(address, cookie(owner)).status_code == 200


def test_after_a_minute_it_opens_nothing(ask, address, owner, clock):
    clock.move(seconds=61)

    assert ask(address, cookie(owner)).status_code == 403


def test_an_unknown_ticket_answers_like_a_refused_one(ask, address, owner):
    unknown = ask("/documents/nothing-of-ours", cookie(owner))
    refused = ask(address, cookie(ZHOU))

    assert (unknown.status_code, unknown.content) == (refused.status_code, refused.content)
    assert dict(unknown.headers) == dict(refused.headers)


def test_whoever_is_suspended_meanwhile_sees_nothing(ask, address, owner):
    headers = cookie(owner)
    with writing() as session:
        session.get_one(Account, owner.id).status = AccountStatus.SUSPENDED

    assert ask(address, headers).status_code == 403


def test_a_session_that_was_ended_opens_nothing(ask, address, owner):
    headers = cookie(owner)
    with writing() as session:
        sessions.end_of(session, owner.id or 0)

    assert ask(address, headers).status_code == 403


def test_the_family_gets_a_photo_of_a_report_as_it_is(ask):
    photo = factories.empty_page()
    with writing() as session:
        visit_id = factories.make_finished_visit(session)
        report_photos.add(session, LI, visit_id, [photo])
        session.flush()
        [shown] = report_photos.of_visits(session, ZHOU, [visit_id])[visit_id]
        ticket = pictures.ticket(session, ZHOU, PictureKind.REPORT_PHOTO, shown.id, "own")

    for actor in (LI, DESK, OPERATOR):
        assert ask(f"/documents/{ticket}", cookie(actor)).status_code == 403
    answer = ask(f"/documents/{ticket}", cookie(ZHOU))
    assert (answer.status_code, answer.content) == (200, photo.image)
    assert answer.headers["cache-control"] == "no-store"
    assert ask(f"/documents/{ticket}", cookie(ZHOU)).status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_only_ever_got(ask, address, owner, method):
    answer = ask(address, cookie(owner), method)

    assert answer.status_code in (403, 405)
    assert b"WEBP" not in answer.content
    assert ask(address, cookie(owner)).status_code == 200
