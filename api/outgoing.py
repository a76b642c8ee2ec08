"""Requests to providers: short, small, and never led elsewhere."""

import json
import ssl
from functools import cache
from typing import Any

import anyio
import httpx

from services.providers import Problem

SECONDS = 5.0
MOST_BYTES = 200_000


class Trouble(Exception):
    """A provider could not or would not say who somebody is; carries what to tell the person."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


async def ask(method: str, address: str, **given: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401
    """Status and JSON object of one answer; Trouble when there is none in time or it is no such.

    Nothing of the request is ever part of an exception: it holds codes and secrets.
    """
    try:
        with anyio.fail_after(SECONDS):
            async with (
                httpx.AsyncClient(
                    timeout=SECONDS, follow_redirects=False, verify=_authorities()
                ) as client,
                client.stream(
                    method, address, headers={"Accept": "application/json"}, **given
                ) as answer,
            ):
                body = await _body(answer)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        raise Trouble(Problem.UNREACHABLE) from None
    if answer.status_code >= 500:
        raise Trouble(Problem.UNREACHABLE)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Trouble(Problem.REFUSED) from None
    if not isinstance(said, dict):
        raise Trouble(Problem.REFUSED)
    return answer.status_code, said


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are trusted; read once, because it takes a while."""
    return httpx.create_ssl_context()


async def _body(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes(8_192):
        body += chunk
        if len(body) > MOST_BYTES:
            raise Trouble(Problem.REFUSED)
    return body
