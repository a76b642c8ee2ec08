"""Server-sent events that say "something new for you" and no more; one task asks for everybody."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.sessions import FRESH, guest_of, token_of
from data.database import reading
from services import clock, news, sessions
from services.news import News, Seen, Topic

EVERY_SECONDS = 0.5
# So long it is remembered when news were found; older pages are drawn anew when they come back.
KEPT_SECONDS = 600.0
# So often a stream without news says that it lives, and asks whether its session still does.
BEAT_SECONDS = 15.0
_log = logging.getLogger("carepilot.events")


@dataclass(eq=False)
class Listener:
    """One open page: what concerns it, and when what it was not told yet was found."""

    concerns: frozenset[News]
    untold: dict[Topic, float] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, found: dict[News, float]) -> None:
        for one in self.concerns & found.keys():
            # Somebody may hear of a topic in two ways: the newer moment counts.
            self.untold[one.topic] = max(found[one], self.untold.get(one.topic, 0.0))
            self.woken.set()


class Newsroom:
    """Looks for news while anybody listens, and passes them on.

    Moments are seconds since 1970 at which news were found: a page drawn before needs drawing
    anew. What happened before `since` is not known here.
    """

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.found: dict[News, float] = {}
        self.since = 0.0
        self.watch: asyncio.Task[None] | None = None
        self.closed = False

    def enter(self, concerns: frozenset[News]) -> Listener:
        listener = Listener(concerns)
        self.listeners.add(listener)
        if self.watch is None or self.watch.done():
            self.watch = asyncio.create_task(self._look())
        elif self.since:
            listener.tell({one: self.found.get(one, self.since) for one in concerns})
        return listener

    def leave(self, listener: Listener) -> None:
        self.listeners.discard(listener)

    def close(self) -> None:
        """End every stream: the server stops."""
        self.closed = True
        for listener in self.listeners:
            listener.woken.set()

    async def _look(self) -> None:
        """Look twice a second, until nobody listens any more."""
        seen: Seen = {}
        self.found, self.since = {}, 0.0
        while self.listeners and not self.closed:
            try:
                fresh, seen = await run_in_threadpool(_look, seen)
            except Exception:
                _log.exception("no news")  # The database is away: the next look finds them.
                await asyncio.sleep(BEAT_SECONDS)
                continue
            now = clock.now().timestamp()
            found = dict.fromkeys(fresh, now)
            if not self.since:
                self.since = now
                found = {one: now for listener in self.listeners for one in listener.concerns}
            else:
                self._remember(found, now)
            for listener in self.listeners:
                listener.tell(found)
            await asyncio.sleep(EVERY_SECONDS)

    def _remember(self, found: dict[News, float], now: float) -> None:
        self.found |= found
        if self.since < now - 2 * KEPT_SECONDS:
            self.since = now - KEPT_SECONDS
            self.found = {one: at for one, at in self.found.items() if at > self.since}


room = Newsroom()


async def listen(request: Request) -> Response:
    """The stream of one page; 403 without a session that may act, nor a guest's talk."""
    tokens = token_of(request), guest_of(request)
    concerns = await run_in_threadpool(_concerns, *tokens)
    if concerns is None:
        return Response(status_code=403, headers=FRESH)
    return StreamingResponse(
        _stream(tokens, concerns),
        media_type="text/event-stream",
        headers=FRESH | {"X-Accel-Buffering": "no"},
    )


async def _stream(
    tokens: tuple[str | None, str | None], concerns: frozenset[News]
) -> AsyncIterator[str]:
    listener = room.enter(concerns)
    try:
        yield "retry: 2000\n\n"
        while not room.closed:
            try:
                await asyncio.wait_for(listener.woken.wait(), BEAT_SECONDS)
            except TimeoutError:
                still = await run_in_threadpool(_concerns, *tokens)
                if still is None:
                    return
                listener.concerns = still
                yield ": \n\n"
                continue
            listener.woken.clear()
            told, listener.untold = listener.untold, {}
            for topic, moment in told.items():
                yield f"event: {topic}\ndata: {moment}\n\n"
    finally:
        room.leave(listener)


def _look(seen: Seen) -> tuple[set[News], Seen]:
    with reading() as session:
        return news.look(session, seen)


def _concerns(token: str | None, guest: str | None) -> frozenset[News] | None:
    """What concerns whoever holds these tokens now; None if they open nothing (any more)."""
    with reading() as session:
        visitor = sessions.resume(session, token) if token else None
        if visitor is not None and visitor.awaits_factor is None:
            return news.concerning(session, visitor.actor)
        return news.concerning_guest(session, guest) if guest and visitor is None else None
