"""Files of figures: one ticket fetches one file once, for the person it was made for."""

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import documents
from data.database import transact
from services import credentials, extracts, sessions
from services.errors import ServiceError


async def send(request: Request) -> Response:
    """The file a ticket stands for; 403 without a word when it is not this visitor's to fetch."""
    cookie = request.cookies.get(sessions.COOKIE_NAME, "")
    token = credentials.token_of(cookie) if request.method == "GET" and cookie else None
    file = None
    if token is not None:
        file = await run_in_threadpool(_take, token, request.path_params["ticket"])
    if file is None:
        return Response(status_code=403, headers=documents.HEADERS)
    name, content = file
    headers = documents.HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _take(token: str, ticket: str) -> tuple[str, bytes] | None:
    """The file, or nothing: the refusals do not tell themselves apart."""

    def work(session: Session) -> tuple[str, bytes] | None:
        visitor = sessions.resume(session, token)
        return extracts.take(session, visitor.actor, ticket) if visitor else None

    try:
        return transact(work)
    except ServiceError:
        return None
