"""The session cookie: only a response can set it, no script can."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import origins
from data.database import reading, writing
from services import clock, credentials, guests, sessions

LONGEST_BODY_BYTES = 2_000
FRESH = {"Cache-Control": "no-store"}


async def sign_in(request: Request) -> Response:
    """Trade the one-time ticket in the body (JSON or form) for the session cookie; 204 or 403."""
    if not origins.is_ours(request):
        return Response("origin", 403, headers=FRESH)
    ticket = await _ticket(request)
    token = await run_in_threadpool(_take, sessions.take_ticket, ticket) if ticket else None
    if token is None:
        return Response("ticket", 403, headers=FRESH)

    response = Response(status_code=204, headers=FRESH)
    put_cookie(response, request, token)
    return response


async def let_guest_talk(request: Request) -> Response:
    """Trade the one-time ticket in the body for a guest's cookie; 204 or 403."""
    if not origins.is_ours(request):
        return Response("origin", 403, headers=FRESH)
    ticket = await _ticket(request)
    token = await run_in_threadpool(_take, guests.take_ticket, ticket) if ticket else None
    if token is None:
        return Response("ticket", 403, headers=FRESH)

    response = Response(status_code=204, headers=FRESH)
    value = credentials.cookie_value(token, clock.now() + guests.LIFETIME)
    put_secret(response, request, guests.COOKIE_NAME, value, guests.LIFETIME)
    return response


def put_cookie(response: Response, request: Request, token: str) -> None:
    """Have the browser keep the session with this token."""
    value = credentials.cookie_value(token, clock.now() + sessions.LIFETIME)
    put_secret(response, request, sessions.COOKIE_NAME, value, sessions.LIFETIME)


def put_secret(
    response: Response, request: Request, name: str, value: str, lifetime: timedelta
) -> None:
    """Set a cookie that no script can read and no other site's form sends along."""
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def token_of(request: Request) -> str | None:
    """The token in this browser's cookie, if it is one of ours."""
    return credentials.token_of(request.cookies.get(sessions.COOKIE_NAME, ""))


def guest_of(request: Request) -> str | None:
    """The token in this browser's guest cookie, if it is one of ours."""
    return credentials.token_of(request.cookies.get(guests.COOKIE_NAME, ""))


def visitor_of(request: Request) -> sessions.Visitor | None:
    """Who this browser's cookie says is signed in; it asks the database."""
    token = token_of(request)
    if token is None:
        return None
    with reading() as session:
        return sessions.resume(session, token)


def client_of(request: Request) -> sessions.Client:
    """The browser that asks, as it calls itself."""
    address = request.client.host if request.client else ""
    return sessions.Client(request.headers.get("user-agent", "")[:200], address)


def _take(take: Callable[[Session, str], str | None], ticket: str) -> str | None:
    with writing() as session:
        return take(session, ticket)


async def short_body(request: Request) -> bytes:
    """The body, or nothing when it is too long for what our forms send."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY_BYTES:
            return b""
    return body


async def _ticket(request: Request) -> str:
    """The body's ticket, or nothing when the body is too long or not as agreed."""
    body = await short_body(request)
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            fields = json.loads(body)
            ticket = fields.get("ticket") if isinstance(fields, dict) else None
            return ticket if isinstance(ticket, str) else ""
        return parse_qs(body.decode()).get("ticket", [""])[0]
    except ValueError:  # Neither JSON nor text.
        return ""
