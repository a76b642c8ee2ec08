"""What is told of: that there is something, to those whom it concerns, once."""

import pytest
from sqlalchemy import insert, select

from data import database as engines
from data.chat import Talk
from data.notices import Notice, NoticeKind
from services import calls, demands, messages, news, notices
from services import clock as service_clock
from services.access import Actor
from services.errors import NotAllowed
from services.messages import Said
from services.news import News, Topic
from tests.factories import ANALYST, DESK, LI, NANTONG, OPERATOR, ZHOU, make_demand, make_order


@pytest.fixture
def seen(database):
    """What was there before the test."""
    with engines.reading() as session:
        found, seen = news.look(session, {})
    assert found == set()
    return seen


def look(seen):
    with engines.reading() as session:
        return news.look(session, seen)


def put(*rows):
    with engines.writing() as session:
        for number, account in rows:
            kind, now = NoticeKind.DEMAND_POSTED, service_clock.now()
            session.execute(
                insert(Notice).values(
                    id=number, account_id=account.id, kind=kind, facts={}, created_at=now,
                    dedupe_key=str(number),
                )
            )  # fmt: skip


def test_a_delivered_notice_is_news_to_its_reader_only(seen):
    with engines.writing() as session:
        notices.tell(session, NoticeKind.DEMAND_POSTED, LI.id, "demand-1")
    assert look(seen)[0] == set()
    with engines.writing() as session:
        notices.deliver(session)

    found, seen = look(seen)
    assert found == {News(Topic.INBOX, LI.id)}
    assert look(seen)[0] == set()


def test_a_demand_that_comes_or_goes_is_news_to_the_hall_of_its_city(seen):
    with engines.writing() as session:
        demand_id = make_demand(session)
    found, seen = look(seen)
    assert News(Topic.HALL, NANTONG) in found
    with engines.writing() as session:
        demands.withdraw(session, ZHOU, demand_id)

    assert News(Topic.HALL, NANTONG) in look(seen)[0]


def test_a_row_that_was_numbered_before_but_saved_after_others_is_news_too(seen):
    put((1002, LI))
    found, seen = look(seen)
    assert found == {News(Topic.INBOX, LI.id)}
    put((1001, ZHOU))

    assert look(seen)[0] == {News(Topic.INBOX, ZHOU.id)}


def test_what_is_saved_between_two_questions_of_a_look_reaches_everybody(seen, monkeypatch):
    said = []

    def answer_then_say(statement):
        rows = asked(statement).all()
        if "talks.account_id" in str(statement) and not said:
            asks = Said("在吗", "1")
            said.append(engines.transact(lambda one: messages.ask(one, ZHOU, asks, NANTONG)))
        return rows

    with engines.reading() as session:
        asked = session.execute
        monkeypatch.setattr(session, "execute", answer_then_say)
        at_first, seen = news.look(session, seen)

    assert said
    assert at_first | look(seen)[0] == {News(Topic.CHAT, ZHOU.id), News(Topic.CHAT, NANTONG)}


def test_caregivers_hear_of_their_hall_and_everybody_of_their_own_inbox(session):
    inbox = {actor: News(Topic.INBOX, actor.id) for actor in (LI, ZHOU, OPERATOR, ANALYST)}

    assert news.concerning(session, ANALYST) == {inbox[ANALYST]}
    chats = {actor: News(Topic.CHAT, actor.id) for actor in (LI, ZHOU)}
    assert news.concerning(session, LI) == {inbox[LI], chats[LI], News(Topic.HALL, NANTONG)}
    assert news.concerning(session, ZHOU) == {inbox[ZHOU], chats[ZHOU]}
    assert news.concerning(session, OPERATOR) == {inbox[OPERATOR], News(Topic.CHAT, NANTONG)}
    here = {News(Topic.CHAT, NANTONG), News(Topic.CALLS, NANTONG)}
    assert news.concerning(session, DESK) == {News(Topic.INBOX, DESK.id)} | here


def test_a_call_that_is_taken_is_news_to_the_desks_of_its_city_only(seen):
    with engines.writing() as session:
        calls.begin(session, DESK, ZHOU.id)

    found, seen = look(seen)
    assert found == {News(Topic.CALLS, NANTONG)}
    assert look(seen)[0] == set()


def test_what_is_said_is_news_to_those_who_may_read_it(seen):
    with engines.writing() as session:
        messages.ask(session, ZHOU, Said("在吗", "1"), NANTONG)
        order_id = make_order(session)
    found, seen = look(seen)
    assert {News(Topic.CHAT, ZHOU.id), News(Topic.CHAT, NANTONG)} <= found
    with engines.writing() as session:
        talk_id = session.scalars(select(Talk.id)).one()
        messages.jot(session, OPERATOR, talk_id, Said("备注", "2"))
    found, seen = look(seen)
    assert found == {News(Topic.CHAT, NANTONG)}
    with engines.writing() as session:
        messages.say_about(session, ZHOU, order_id, Said("几点到", "3"))

    assert look(seen)[0] == {News(Topic.CHAT, ZHOU.id), News(Topic.CHAT, LI.id)}


def test_who_holds_no_role_is_told_nothing(session):
    with pytest.raises(NotAllowed):
        news.concerning(session, Actor(ZHOU.id, None))
