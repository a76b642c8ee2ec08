"""Files that leave the app: one ticket fetches one file once, for the person it was made for."""

from collections.abc import Awaitable, Callable

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import documents
from data.database import transact
from services import credentials, extracts, payout_files, prepared_files, sessions
from services.access import Actor
from services.errors import ServiceError

Take = Callable[[Session, Actor, str], tuple[str, bytes]]
_TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _sends(take: Take) -> Callable[[Request], Awaitable[Response]]:
    """A route that sends what a ticket stands for; 403 without a word to everybody else."""

    async def send(request: Request) -> Response:
        cookie = request.cookies.get(sessions.COOKIE_NAME, "")
        token = credentials.token_of(cookie) if request.method == "GET" and cookie else None
        file = None
        if token is not None:
            file = await run_in_threadpool(_taken, take, token, request.path_params["ticket"])
        if file is None:
            return Response(status_code=403, headers=documents.HEADERS)
        name, content = file
        headers = documents.HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
        kind = _TYPES[name.rpartition(".")[2]]
        return Response(content, media_type=kind, headers=headers)

    return send


def _taken(take: Take, token: str, ticket: str) -> tuple[str, bytes] | None:
    """The file, or nothing: the refusals do not tell themselves apart."""

    def work(session: Session) -> tuple[str, bytes] | None:
        visitor = sessions.resume(session, token)
        return take(session, visitor.actor, ticket) if visitor else None

    try:
        return transact(work)
    except ServiceError:
        return None


figures = _sends(extracts.take)
payouts = _sends(payout_files.take)
files = _sends(prepared_files.take)
