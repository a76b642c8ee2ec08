"""Documents and photos: one ticket shows one image once, to the person it was made for."""

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from data.database import transact
from services import credentials, pictures, sessions
from services.errors import ServiceError

# Kept nowhere, opened by no other site, and inert whatever the bytes were.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": 'inline; filename="document.webp"',
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def show(request: Request) -> Response:
    """The image a ticket stands for; 403 without a word when it is not this visitor's to see."""
    cookie = request.cookies.get(sessions.COOKIE_NAME, "")
    token = credentials.token_of(cookie) if request.method == "GET" and cookie else None
    image = None
    if token is not None:
        image = await run_in_threadpool(_take, token, request.path_params["ticket"])
    if image is None:
        return Response(status_code=403, headers=HEADERS)
    return Response(image, media_type="image/webp", headers=HEADERS)


def _take(token: str, ticket: str) -> bytes | None:
    """The image, or nothing: the refusals do not tell themselves apart."""

    def work(session: Session) -> tuple[bytes, str] | None:
        visitor = sessions.resume(session, token)
        return pictures.use(session, visitor.actor, ticket) if visitor else None

    try:
        used = transact(work)
    except ServiceError:
        return None
    return pictures.marked(*used) if used else None
