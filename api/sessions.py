"""The session cookie: only a response can set it, no script can."""

import json
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import origins
from data.database import writing
from services import clock, credentials, sessions

LONGEST_BODY_BYTES = 2_000
FRESH = {"Cache-Control": "no-store"}


async def sign_in(request: Request) -> Response:
    """Trade the one-time ticket in the body (JSON or form) for the session cookie; 204 or 403."""
    if not origins.is_ours(request):
        return Response("origin", 403, headers=FRESH)
    ticket = await _ticket(request)
    token = await run_in_threadpool(_take, ticket) if ticket else None
    if token is None:
        return Response("ticket", 403, headers=FRESH)

    response = Response(status_code=204, headers=FRESH)
    response.set_cookie(
        sessions.COOKIE_NAME,
        credentials.cookie_value(token, clock.now() + sessions.LIFETIME),
        max_age=int(sessions.LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


def _take(ticket: str) -> str | None:
    with writing() as session:
        return sessions.take_ticket(session, ticket)


async def _ticket(request: Request) -> str:
    """The body's ticket, or nothing when the body is too long or not as agreed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY_BYTES:
            return ""
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            fields = json.loads(body)
            ticket = fields.get("ticket") if isinstance(fields, dict) else None
            return ticket if isinstance(ticket, str) else ""
        return parse_qs(body.decode()).get("ticket", [""])[0]
    except ValueError:  # Neither JSON nor text.
        return ""
