"""The stream of news: for whom it opens, what it says, and when it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from api import events
from data import database as engines
from data.notices import NoticeKind
from services import clock as service_clock
from services import credentials, guests, notices, sessions
from services.news import News, Topic
from tests.conftest import token_of
from tests.factories import BROWSER, LI, NANTONG, ZHOU, make_demand


@pytest.fixture
def room(monkeypatch):
    """A newsroom of the test's own, that looks often."""
    room = events.Newsroom()
    monkeypatch.setattr(events, "room", room)
    monkeypatch.setattr(events, "EVERY_SECONDS", 0.01)
    return room


def request(actor=None, cookie=None, guest=None):
    if actor is not None:
        until = service_clock.now() + sessions.LIFETIME
        cookie = credentials.cookie_value(token_of(actor), until)
    cookies = {sessions.COOKIE_NAME: cookie, guests.COOKIE_NAME: guest}
    named = [(b"cookie", f"{name}={value}".encode()) for name, value in cookies.items() if value]
    return Request({"type": "http", "method": "GET", "path": "/events", "headers": named})


class Stream:
    """An open page's end of the stream."""

    def __init__(self, chunks: AsyncIterator[str]) -> None:
        self.chunks = chunks

    async def next(self) -> str:
        return await asyncio.wait_for(anext(self.chunks), 20)

    async def topics(self, count: int) -> set[str]:
        """The topics of the next so many events."""
        said = [await self.next() for _ in range(count)]
        return {one.partition("\n")[0].removeprefix("event: ") for one in said}


async def opened(actor) -> Stream:
    answer = await events.listen(request(actor))
    assert (answer.status_code, answer.media_type) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    stream = Stream(answer.body_iterator)
    assert await stream.next() == "retry: 2000\n\n"
    return stream


def save(deed):
    with engines.writing() as session:
        deed(session)


def deliver_to(actor, about):
    def deed(session):
        notices.tell(session, NoticeKind.DEMAND_POSTED, actor.id, about)
        notices.deliver(session)

    return deed


@pytest.mark.parametrize("cookie", [None, "forged"])
def test_without_a_session_there_is_no_stream(database, room, cookie):
    answer = asyncio.run(events.listen(request(cookie=cookie)))

    assert answer.status_code == 403
    assert room.listeners == set()


def test_a_guest_hears_of_his_own_talk_by_his_cookie(database, room):
    with engines.writing() as session:
        token = guests.arrive(session, "", "13711112222", NANTONG, BROWSER).token
    until = service_clock.now() + guests.LIFETIME

    async def live() -> None:
        cookie = credentials.cookie_value(token, until)
        answer = await events.listen(request(guest=cookie))
        guest = Stream(answer.body_iterator)
        assert await guest.next() == "retry: 2000\n\n"
        assert await guest.topics(1) == {Topic.CHAT}
        await asyncio.to_thread(save, make_demand)
        await asyncio.to_thread(save, lambda session: guests.say(session, token, "在吗", "1"))
        assert await guest.topics(1) == {Topic.CHAT}
        room.close()

    asyncio.run(live())
    assert asyncio.run(events.listen(request(guest="forged"))).status_code == 403


def test_each_hears_of_what_concerns_them_and_of_nothing_else(database, room):
    async def live() -> None:
        li, zhou = await opened(LI), await opened(ZHOU)
        # What happened before the first look nobody knows, so everybody looks once.
        assert await li.topics(3) == {Topic.INBOX, Topic.HALL, Topic.CHAT}
        assert await zhou.topics(2) == {Topic.INBOX, Topic.CHAT}
        await asyncio.to_thread(save, make_demand)
        assert await li.topics(1) == {Topic.HALL}
        await asyncio.to_thread(save, deliver_to(ZHOU, "1"))
        assert await zhou.topics(1) == {Topic.INBOX}
        room.close()
        for stream in (li, zhou):
            with pytest.raises(StopAsyncIteration):
                await stream.next()
        assert room.listeners == set()

    asyncio.run(live())


def test_a_page_that_comes_later_is_told_when_something_was_found_last(database, room, clock):
    async def live() -> None:
        first = await opened(LI)
        await first.topics(3)
        before = clock.moment.timestamp()
        clock.move(minutes=1)
        await asyncio.to_thread(save, make_demand)
        await first.topics(1)
        second = await opened(LI)
        said = {await second.next(), await second.next(), await second.next()}
        assert said == {
            f"event: inbox\ndata: {before}\n\n",
            f"event: hall\ndata: {before + 60}\n\n",
            f"event: chat\ndata: {before}\n\n",
        }
        room.close()

    asyncio.run(live())


def test_what_was_found_long_ago_is_forgotten_and_older_pages_look_again(database, room):
    async def live() -> None:
        room.since = 1000.0
        room._remember({}, 1000.0 + events.KEPT_SECONDS)
        assert room.since == 1000.0
        later = 1000.0 + 3 * events.KEPT_SECONDS
        room._remember({}, later)
        assert room.since == later - events.KEPT_SECONDS

    asyncio.run(live())


def test_a_session_that_ends_ends_its_stream(database, room, monkeypatch):
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.05)

    async def live() -> None:
        zhou = await opened(ZHOU)
        await zhou.topics(2)
        assert await zhou.next() == ": \n\n"
        await asyncio.to_thread(save, lambda session: sessions.end_of(session, ZHOU.id))
        assert {chunk async for chunk in zhou.chunks} <= {": \n\n"}
        room.close()

    asyncio.run(live())


def test_when_nobody_listens_any_more_nobody_looks(database, room):
    async def live() -> None:
        zhou = await opened(ZHOU)
        await zhou.topics(2)
        await zhou.chunks.aclose()
        assert room.listeners == set()
        await asyncio.wait_for(room.watch, 10)

    asyncio.run(live())


def test_a_database_that_is_away_for_a_moment_ends_no_stream(database, room, monkeypatch, caplog):
    monkeypatch.setattr(events, "BEAT_SECONDS", 0.05)
    look, calls = events._look, []

    def fail_once(seen):
        calls.append(1)
        if len(calls) == 2:
            raise OSError("away")
        return look(seen)

    monkeypatch.setattr(events, "_look", fail_once)

    async def live() -> None:
        li = await opened(LI)
        await li.topics(3)
        await asyncio.to_thread(save, make_demand)
        while (said := await li.next()) == ": \n\n":
            pass
        assert said.startswith("event: hall")
        room.close()

    asyncio.run(live())
    assert "no news" in caplog.text


def test_of_two_ways_to_hear_of_a_topic_the_newer_moment_is_told():
    ways = [News(Topic.CHAT, 1), News(Topic.CHAT, "320600")]
    for old, new in (ways, ways[::-1]):
        listener = events.Listener(frozenset(ways))
        listener.tell({old: 1.0, new: 2.0})
        assert listener.untold == {Topic.CHAT: 2.0}
