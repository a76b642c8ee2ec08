"""Chat under haste: one talk for one person, one message for a key, one colleague for a talk."""

import os
import subprocess
import sys
from uuid import uuid4

from sqlalchemy import func, select

from data import database as engines
from data.chat import Message, Side, Talk
from services import messages, talks
from services.errors import Conflict
from services.messages import Said
from tests.conftest import ROOT
from tests.factories import DESK, NANTONG, OPERATOR, ZHOU
from tests.races.rush import THREADS, rush

SAY_AND_DIE = """
import os, sys
from data.database import transact
from services import messages
from services.messages import Said
from tests.factories import NANTONG, ZHOU
transact(lambda session: messages.ask(session, ZHOU, Said("还在吗", sys.argv[1]), NANTONG))
os._exit(9)
"""


def ask(key):
    said = Said("在吗", key)
    return engines.transact(lambda session: messages.ask(session, ZHOU, said, NANTONG))


def count(table, *where):
    with engines.reading() as session:
        return session.scalar(select(func.count(table.id)).where(*where))


def test_a_key_sent_by_many_threads_at_once_is_said_once(database):
    numbers = rush(lambda _: ask("once"))

    assert len(set(numbers)) == 1
    assert (count(Talk), count(Message)) == (1, 1)


def test_fifty_messages_at_once_are_ten_and_the_others_are_refused(database):
    got = rush(lambda _: ask(uuid4().hex))

    assert sum(isinstance(one, int) for one in got) == messages.MOST_AT_ONCE
    assert count(Message) == messages.MOST_AT_ONCE
    assert sum(isinstance(one, Conflict) for one in got) == THREADS - messages.MOST_AT_ONCE


def test_two_colleagues_who_take_a_talk_are_one_and_a_refusal(database):
    ask("key")
    with engines.reading() as session:
        talk_id = session.scalars(select(Talk.id)).one()

    def take(number):
        actor = (DESK, OPERATOR)[number % 2]
        return engines.transact(lambda session: talks.take(session, actor, talk_id))

    got = rush(take, 8)

    assert got.count(None) == 1
    assert {one.key for one in got if one is not None} == {"error.talk_moved_on"}
    assert count(Message, Message.side == Side.PLATFORM) == 1


def test_two_colleagues_who_answer_at_once_are_one_answer_and_a_name(database):
    ask("key")
    with engines.reading() as session:
        talk_id = session.scalars(select(Talk.id)).one()

    def answer(number):
        actor, said = (DESK, OPERATOR)[number], Said("您好", uuid4().hex)
        return engines.transact(lambda session: messages.answer(session, actor, talk_id, said))

    got = rush(answer, 2)

    [refused] = [one for one in got if isinstance(one, Conflict)]
    assert refused.key == "error.talk_taken"
    assert count(Message, Message.side == Side.STAFF) == 1


def test_what_was_said_is_there_though_the_server_died_before_it_was_shown(database):
    for _ in range(2):  # The browser, that heard nothing, sends the same once more.
        died = subprocess.run(
            [sys.executable, "-c", SAY_AND_DIE, "the key"], cwd=ROOT, env=os.environ, timeout=60
        )
        assert died.returncode == 9

    with engines.reading() as session:
        talk_id = session.scalars(select(Talk.id)).one()
        assert [one.words for one in messages.thread(session, ZHOU, talk_id)] == ["还在吗"]
