"""Guests: a phone is enough to talk, a token is all they have; after 90 days nothing is left."""

from uuid import uuid4

import pytest
from sqlalchemy import func, select

from data.chat import Guest, Message, Talk
from services import chat_desk, guests, messages, news, sessions, talks
from services.access import SYSTEM
from services.chat_desk import Box
from services.errors import Conflict, Invalid, NotFound
from services.messages import Said
from services.news import News, Topic
from tests.factories import BROWSER, DESK, LUZHOU, NANTONG, OPERATOR, empty_page

PHONE = "137 1111 2222"


def arrive(session, phone=PHONE, name="林", client=BROWSER, city=NANTONG):
    return guests.arrive(session, name, phone, city, client)


def say(session, token, text="一天多少钱？", key=""):
    return guests.say(session, token, text, key or uuid4().hex)


def talk_id_of(session):
    return session.scalars(select(Talk.id)).one()


def test_a_guest_asks_and_is_answered(session):
    token = arrive(session).token
    say(session, token)
    [view] = chat_desk.inbox(session, DESK, Box.QUEUE)
    assert (view.name, view.account_id, view.masked_phone) == ("林", None, "137****2222")
    messages.answer(session, DESK, view.id, Said("180 到 260 元", uuid4().hex))

    found = guests.standing(session, token)
    assert found.unread == 1
    assert [one.words for one in guests.thread(session, token)][::2] == [
        "一天多少钱？",
        "180 到 260 元",
    ]
    guests.mark_read(session, token, guests.thread(session, token)[-1].id)
    assert guests.standing(session, token).unread == 0


def test_a_forged_or_empty_token_opens_nothing(session):
    arrive(session)
    for token in ("", "forged"):
        assert guests.standing(session, token) is None
        assert news.concerning_guest(session, token) is None
        with pytest.raises(NotFound, match="guest_gone"):
            say(session, token)


def test_the_same_phone_elsewhere_opens_nothing_of_the_talk(session):
    first = arrive(session).token
    say(session, first)
    second = arrive(session).token

    assert guests.thread(session, second) == []


def test_the_ticket_sets_the_cookie_once_and_signs_nobody_in(session):
    came = arrive(session)

    assert sessions.take_ticket(session, came.ticket) is None
    assert guests.take_ticket(session, came.ticket) == came.token
    assert guests.take_ticket(session, came.ticket) is None


@pytest.mark.parametrize(
    ("changes", "key"), [({"phone": "12"}, "phone_invalid"), ({"city": "110100"}, "chat_city")]
)
def test_who_cannot_be_called_or_lives_elsewhere_is_told(session, changes, key):
    with pytest.raises(Invalid, match=key):
        arrive(session, **changes)


def test_a_phone_and_an_address_begin_only_so_many(session):
    for _ in range(3):
        arrive(session)
    with pytest.raises(Conflict, match="try_in"):
        arrive(session)
    for number in range(17):
        arrive(session, phone=f"1381234{number:04d}")
    with pytest.raises(Conflict, match="try_in"):
        arrive(session, phone="13912340000")


def test_what_is_said_twice_with_a_key_is_said_once_and_not_too_fast(session):
    token = arrive(session).token
    assert say(session, token, key="k") == say(session, token, key="k")
    for _ in range(9):
        say(session, token)
    with pytest.raises(Conflict, match="chat_too_fast"):
        say(session, token)
    assert session.scalar(select(func.count(Message.id))) == 10


def test_guests_receive_words_only(session):
    say(session, arrive(session).token)

    with pytest.raises(Invalid, match="guest_words_only"):
        messages.answer(session, DESK, talk_id_of(session), Said("", uuid4().hex, [empty_page()]))


def test_a_settled_talk_is_scored_and_opened_again_by_a_message(session):
    token = arrive(session).token
    say(session, token)
    talks.settle(session, DESK, talk_id_of(session))
    guests.rate(session, token, 5, "很快")
    say(session, token, "还有")

    assert chat_desk.one(session, OPERATOR, talk_id_of(session)).score == 5
    assert len(chat_desk.inbox(session, DESK, Box.QUEUE)) == 1


def test_news_of_a_guest_go_by_the_token_and_to_the_city(session):
    token = arrive(session, city=LUZHOU).token
    concerns = news.concerning_guest(session, token)
    session.flush()
    _, seen = news.look(session, {})
    say(session, token)
    session.flush()

    assert news.look(session, seen)[0] == concerns | {News(Topic.CHAT, LUZHOU)}


def test_after_ninety_days_nothing_is_left(session, clock):
    token = arrive(session).token
    say(session, token)
    guests.mark_read(session, token, 1)
    clock.move(days=89)
    assert guests.forget_due(session, SYSTEM) == 0
    clock.move(days=1)

    assert guests.standing(session, token) is None
    assert guests.forget_due(session, SYSTEM) == 1
    for table in (Guest, Talk, Message):
        assert session.scalar(select(func.count(table.id))) == 0
