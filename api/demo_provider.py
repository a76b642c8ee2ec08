"""The demo's own provider: a consent page like those of real ones, with invented people."""

import html
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api import origins
from api.outgoing import Trouble
from api.sessions import short_body
from services import joining, providers
from services.joining import Proven
from services.providers import DEMO, Problem
from services.settings import settings

FRESH = {"Cache-Control": "no-store"}
CALLBACK = f"/auth/{DEMO}/callback"
# Nobody of them is real; the last one keeps the name to herself, as some providers do.
PEOPLE = {"wang": "王小雅", "chen": "陈志远", "liu": ""}
NAMELESS = "刘女士（不提供姓名 · name withheld）"
_PAGE = Template(Path(__file__).with_suffix(".html").read_text("utf-8"))
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class DemoWay:
    """Through our own page; shaped like OIDC, its code is its token."""

    def address(self, _redirect_uri: str, state: str) -> str:
        query = urlencode({"state": state, "nonce": joining.nonce_of(state)})
        return f"/auth/demo-provider/authorize?{query}"

    async def identify(self, code: str, _redirect_uri: str, state: str) -> Proven:
        proven = providers.demo_person(code, joining.nonce_of(state))
        if proven is None:
            raise Trouble(Problem.REFUSED)
        return Proven(DEMO, *proven)


async def authorize(request: Request) -> Response:
    """Ask which of the invented people somebody is; send them back with a code, or with a no."""
    if not settings().demo:
        return Response("not found", 404, headers=FRESH)
    if request.method != "POST":
        return _consent(request)
    if not origins.is_ours(request):
        return Response("origin", 403, headers=FRESH)
    form = parse_qs((await short_body(request)).decode("latin-1"))
    state, nonce, person = (form.get(name, [""])[0] for name in ("state", "nonce", "as"))
    if person in PEOPLE:
        query = {"code": providers.demo_code(person, PEOPLE[person], nonce), "state": state}
    else:
        query = {"error": "access_denied", "state": state}
    return RedirectResponse(f"{CALLBACK}?{urlencode(query)}", 303, headers=FRESH)


def _consent(request: Request) -> Response:
    given = {
        name: html.escape(request.query_params.get(name, "")[:_LONGEST])
        for name in ("state", "nonce")
    }
    people = "\n".join(
        f'<button name="as" value="{key}">{name or NAMELESS}</button>'
        for key, name in PEOPLE.items()
    )
    return HTMLResponse(_PAGE.substitute(given, people=people), headers=FRESH)
