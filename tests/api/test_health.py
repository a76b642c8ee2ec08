import asyncio
import time

import pytest

from api import health
from data import database


@pytest.mark.parametrize("trouble", [OSError("no route"), RuntimeError("refused")])
def test_a_database_that_does_not_answer_makes_the_server_unready(monkeypatch, trouble):
    def broken() -> bool:
        raise trouble

    monkeypatch.setattr(database, "is_current", broken)

    answer = asyncio.run(health.readyz())

    assert (answer.status_code, answer.body) == (503, b"database")


def test_a_database_that_hangs_makes_the_server_unready_in_time(monkeypatch):
    monkeypatch.setattr(health, "DATABASE_SECONDS", 0.05)
    monkeypatch.setattr(database, "is_current", lambda: time.sleep(0.5) or True)

    answer = asyncio.run(health.readyz())

    assert (answer.status_code, answer.body) == (503, b"database")
