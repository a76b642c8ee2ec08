"""Whether the process lives, and whether it can serve."""

import logging

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from data import database

LOGGER = logging.getLogger(__name__)
DATABASE_SECONDS = 5
FRESH = {"Cache-Control": "no-store"}


async def healthz(_request: Request | None = None) -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok", headers=FRESH)


async def readyz(_request: Request | None = None) -> PlainTextResponse:
    """200 "ok", or 503 with what is missing: "database" or "migrations"."""
    try:
        with anyio.fail_after(DATABASE_SECONDS):
            current = await anyio.to_thread.run_sync(database.is_current, abandon_on_cancel=True)
    except Exception as trouble:  # Whatever keeps the database from answering makes us not ready.
        LOGGER.warning("Not ready: the database does not answer (%s)", type(trouble).__name__)
        return PlainTextResponse("database", 503, headers=FRESH)
    if not current:
        return PlainTextResponse("migrations", 503, headers=FRESH)
    return PlainTextResponse("ok", headers=FRESH)
