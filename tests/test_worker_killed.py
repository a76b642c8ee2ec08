"""The worker is killed again and again in the middle of a thousand notices; nobody misses one."""

import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, update

from data import database as engines
from data.notices import (
    Notice,
    NoticeKind,
    NoticePreference,
    OutboxChannel,
    OutboxMessage,
    OutboxStatus,
)
from data.tasks import Job
from services import notices
from tests.both_databases import database
from tests.factories import make_family
from tests.gateways import local_gateway
from tests.live_server import start, stop

__all__ = ["database"]

pytestmark = [pytest.mark.server, pytest.mark.slow]
PEOPLE = 250
KINDS = (
    NoticeKind.VERIFICATION_APPROVED,
    NoticeKind.VERIFICATION_REJECTED,
    NoticeKind.COMPLAINT_CLOSED,
    NoticeKind.PASSWORD_CHANGED,
)
PATIENCE_SECONDS = 240


@pytest.fixture
def people(database, clock):
    """Many, each told of several things at this very moment and in this order."""
    clock.move(to=datetime.now(UTC))  # The worker is a process with the real one.
    with engines.writing() as session:
        people = [make_family(session, number)[0].id for number in range(PEOPLE)]
        for person in people:  # Whatever time of day it is.
            session.add(
                NoticePreference(account_id=person, quiet_from_minute=0, quiet_until_minute=0)
            )
        for kind in KINDS:
            notices.tell_all(session, kind, people, "the test", item_id=1)
    return people


def counted(channel):
    with engines.reading() as session:
        rows = session.execute(
            select(OutboxMessage.status, func.count(OutboxMessage.id))
            .where(OutboxMessage.channel == channel)
            .group_by(OutboxMessage.status)
        )
        return dict(rows.all())


def delivered():
    return counted(OutboxChannel.INBOX).get(OutboxStatus.DELIVERED, 0)


@pytest.mark.timeout(300)
def test_a_thousand_notices_survive_a_worker_that_is_killed(database, people, tmp_path):
    log = tmp_path / "worker.log"
    deadline = time.monotonic() + PATIENCE_SECONDS

    def wait_until(there):
        while not there():
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(0.02)

    with local_gateway() as gateway, ExitStack() as ends:

        def begin():
            worker = start("worker.py", log, environment)
            ends.callback(lambda: worker.poll() is None and stop(worker))
            return worker

        environment = gateway.environment() | {
            "DATABASE_URL": database,
            "CAREPILOT_MODE": "production",
        }
        for progress in (delivered, lambda: len(gateway.asked)) * 2:
            worker = begin()
            before = progress()
            wait_until(lambda progress=progress, before=before: progress() > before)
            worker.kill()
            worker.wait()
            _let_leases_lapse()
        workers = [begin() for _ in range(2)]
        wait_until(lambda: delivered() == PEOPLE * len(KINDS))
        wait_until(lambda: not counted(OutboxChannel.TEXT).get(OutboxStatus.PENDING))
        assert [stop(worker) for worker in workers] == [0, 0]

    with engines.reading() as session:
        rows = session.execute(
            select(Notice.account_id, Notice.kind).where(Notice.account_id.in_(people))
        )
        had = Counter(map(tuple, rows))
    assert had == {(person, kind): 1 for person in people for kind in KINDS}
    assert counted(OutboxChannel.TEXT) == {OutboxStatus.DELIVERED: PEOPLE * len(KINDS)}
    texts = {}
    for text in gateway.sent.values():
        texts.setdefault(text["to"], []).append(text["text"])
    assert len(texts) == PEOPLE
    # Each of them heard the same, in the order in which it happened.
    assert len({tuple(words) for words in texts.values()}) == 1
    assert len(next(iter(texts.values()))) == len(KINDS)


def _let_leases_lapse():
    """As if two minutes went by: what a dead worker held may be taken by the next."""
    with engines.writing() as session:
        session.execute(update(Job).values(leased_until=None, leased_by=None))
        held = OutboxMessage.status == OutboxStatus.PENDING, OutboxMessage.tries > 0
        session.execute(
            update(OutboxMessage).where(*held).values(next_try_at=OutboxMessage.created_at)
        )
