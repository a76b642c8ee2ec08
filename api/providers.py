"""One-click sign-in: to a provider and back."""

import logging
from typing import Protocol
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import oidc, origins
from api.demo_provider import DemoWay
from api.outgoing import Trouble
from api.sessions import client_of, put_cookie, put_secret, visitor_of
from api.wechat import WeChatWay
from data.database import transact
from services import attempts, joining, providers
from services.errors import Conflict, NotAllowed, ServiceError
from services.joining import Claim, FlowKind, Proven
from services.providers import DEMO, WECHAT, Problem

LOGGER = logging.getLogger(__name__)
FRESH = {"Cache-Control": "no-store"}
# A refusal of a service that has a sentence of its own; for the rest the account is closed.
_PROBLEMS = {"error.identity_held": Problem.TAKEN, "error.not_allowed": Problem.SESSION}
_LONGEST = 2_000


class Way(Protocol):
    """How one provider is spoken with."""

    def address(self, redirect_uri: str, state: str, /) -> str: ...

    async def identify(self, code: str, redirect_uri: str, state: str, /) -> Proven: ...


async def start(request: Request) -> Response:
    """Send the person to the provider, with a state that only this browser can bring back."""
    provider = request.path_params["provider"]
    back_to = providers.own_path(request.query_params.get("back_to", "/"))
    kind = FlowKind.LINK if "link" in request.query_params else FlowKind.SIGN_IN
    if not _is_offered(provider, request):
        return Response("provider", 404, headers=FRESH)
    account_id = None
    if kind is FlowKind.LINK:
        visitor = await run_in_threadpool(visitor_of, request)
        # What changes an account begins with a click on our own page, nowhere else.
        if visitor is None or visitor.awaits_factor or not origins.leads_from_ours(request):
            return _back(kind, back_to, Problem.SESSION)
        account_id = visitor.actor.id
    try:
        await run_in_threadpool(_count, request)
        way = await _way(provider, request)
    except Conflict:
        return _back(kind, back_to, Problem.TOO_OFTEN)
    except Trouble as trouble:
        return _back(kind, back_to, trouble.problem)
    trip = await run_in_threadpool(
        transact,
        lambda session: joining.set_out(session, provider, kind, back_to, account_id),
    )
    address = way.address(_redirect_uri(provider, request), trip.state)
    answer = RedirectResponse(address, 303, headers=FRESH)
    put_secret(answer, request, joining.FLOW_COOKIE, trip.browser, joining.TRIP_LIFETIME)
    return answer


async def callback(request: Request) -> Response:
    """Back from the provider: come in, be asked for the rest, or be told what went wrong."""
    provider, query = request.path_params["provider"], request.query_params
    state, browser = query.get("state", ""), request.cookies.get(joining.FLOW_COOKIE, "")
    claimed = await run_in_threadpool(_claim, provider, state[:_LONGEST], browser[:_LONGEST])
    if claimed is None:
        return _back(FlowKind.SIGN_IN, "/", Problem.STATE)
    try:
        way = await _way(provider, request)
        code = _code(query, way)
        proven = await way.identify(code, _redirect_uri(provider, request), state)
    except Trouble as trouble:
        LOGGER.info("A sign-in through %s ended: %s", provider, trouble.problem)
        return _back(claimed.kind, claimed.back_to, trouble.problem)
    try:
        return await run_in_threadpool(_arrive, request, claimed, proven)
    except ServiceError as refusal:
        problem = _PROBLEMS.get(refusal.key, Problem.CLOSED)
        return _back(claimed.kind, claimed.back_to, problem)


def _count(request: Request) -> None:
    transact(lambda session: attempts.count_trip(session, client_of(request).address))


def _is_offered(provider: str, request: Request) -> bool:
    agent = request.headers.get("user-agent", "")
    return provider in {offer.name for offer in providers.offered(agent)}


async def _way(provider: str, request: Request) -> Way:
    if not _is_offered(provider, request):
        raise Trouble(Problem.REFUSED)
    if provider == DEMO:
        return DemoWay()
    if provider == WECHAT:
        app = providers.wechat_for(request.headers.get("user-agent", ""))
        if app is None:
            raise Trouble(Problem.REFUSED)
        return WeChatWay(app)
    return await oidc.way_through(providers.configured().oidc[provider])


def _code(query: QueryParams, way: Way) -> str:
    """The code that came back; WeChat says no by leaving it out, others by an error."""
    if (error := query.get("error")) is not None:
        raise Trouble(Problem.DENIED if error == "access_denied" else Problem.REFUSED)
    # RFC 9207: an answer that says whose it is must be its.
    if isinstance(way, oidc.OidcWay) and query.get("iss") not in (None, way.provider.issuer):
        raise Trouble(Problem.STATE)
    code = query.get("code", "")
    if not code:
        raise Trouble(Problem.DENIED)
    if len(code) > _LONGEST:
        raise Trouble(Problem.REFUSED)
    return code


def _claim(provider: str, state: str, browser: str) -> Claim | None:
    return transact(lambda session: joining.claim(session, provider, state, browser))


def _arrive(request: Request, claimed: Claim, proven: Proven) -> Response:
    if claimed.kind is FlowKind.LINK:
        return _linked(request, claimed, proven)
    client = client_of(request)
    opened = transact(lambda session: joining.come_in(session, claimed, proven, client))
    if opened is None:
        answer = RedirectResponse("/join", 303, headers=FRESH)
        _keep_flow_cookie(answer, request)
        return answer
    answer = RedirectResponse(claimed.back_to, 303, headers=FRESH)
    put_cookie(answer, request, opened.token)
    answer.delete_cookie(joining.FLOW_COOKIE)
    return answer


def _linked(request: Request, claimed: Claim, proven: Proven) -> Response:
    visitor = visitor_of(request)
    if visitor is None:
        raise NotAllowed("error.not_allowed")
    done = transact(lambda session: joining.link(session, visitor.actor, claimed, proven))
    answer = RedirectResponse(claimed.back_to, 303, headers=FRESH)
    if done:
        answer.delete_cookie(joining.FLOW_COOKIE)
    else:  # The page offers to join the two accounts: it finds the trip by this cookie.
        _keep_flow_cookie(answer, request)
    return answer


def _back(kind: FlowKind, back_to: str, problem: Problem) -> Response:
    """To the page the person came from, which says in one sentence what to do."""
    page = "/security" if kind is FlowKind.LINK else "/sign_in"
    query = {"problem": problem} | ({} if back_to == "/" else {"back_to": back_to})
    return RedirectResponse(f"{page}?{urlencode(query)}", 303, headers=FRESH)


def _redirect_uri(provider: str, request: Request) -> str:
    base = providers.configured().public_url or f"{request.url.scheme}://{request.url.netloc}"
    return f"{base}/auth/{provider}/callback"


def _keep_flow_cookie(answer: Response, request: Request) -> None:
    browser = request.cookies.get(joining.FLOW_COOKIE, "")
    put_secret(answer, request, joining.FLOW_COOKIE, browser, joining.FORM_LIFETIME)
