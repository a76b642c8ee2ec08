from datetime import timedelta

import pytest
from sqlalchemy import func, select

from data.history import AuditEvent
from data.publications import Extract
from services import extracts, sessions
from services.access import Actor, Role
from services.errors import Invalid, NotAllowed, NotFound
from services.extracts import Scope
from tests.factories import ANALYST, DESK, NANTONG, OPERATOR, ZHOU

FILE = "起始日,需求数\r\n2029-12-31,12\r\n".encode("utf-8-sig")
SCOPE = Scope(NANTONG, "2029-10-01", "2030-01-06", "all", 1, published=True)


def prepare(session, actor=ANALYST, page="demand_map", content=FILE):
    ticket = extracts.prepare(session, actor, page, content, SCOPE)
    session.flush()
    return ticket


def kept(session):
    return session.scalar(select(func.count(Extract.id)))


def test_a_file_is_taken_once_and_then_it_is_gone(session, clock):
    ticket = prepare(session)

    name, content = extracts.take(session, ANALYST, ticket)
    session.flush()

    assert content == FILE
    assert name == f"carepilot-demand_map-{NANTONG}-2030-01-06.csv"
    assert kept(session) == 0
    with pytest.raises(NotFound):
        extracts.take(session, ANALYST, ticket)


def test_the_audit_says_who_took_what(session, clock):
    extracts.take(session, ANALYST, prepare(session))
    session.flush()

    [event] = session.scalars(select(AuditEvent).where(AuditEvent.action == "export_figures"))
    assert (event.actor_id, event.role) == (ANALYST.id, Role.ANALYST)
    assert event.detail == {
        "page": "demand_map", "place": NANTONG, "first": "2029-10-01", "last": "2030-01-06",
        "care": "all", "rows": 1, "published": True,
    }  # fmt: skip


def test_it_is_sealed_while_it_waits(session, clock):
    prepare(session)

    [row] = session.scalars(select(Extract))
    assert FILE not in row.content_sealed
    assert row.detail["place"] == NANTONG


def test_it_waits_a_minute(session, clock):
    ticket = prepare(session)
    clock.move(seconds=61)

    with pytest.raises(NotFound):
        extracts.take(session, ANALYST, ticket)


def test_nobody_else_takes_it(session, clock):
    ticket = prepare(session)

    with pytest.raises(NotFound):
        extracts.take(session, OPERATOR, ticket)
    with pytest.raises(NotAllowed):
        extracts.take(session, Actor(ANALYST.id, Role.DESK), ticket)


def test_what_nobody_took_goes_with_the_next(session, clock):
    prepare(session)
    clock.move(minutes=2)
    prepare(session)

    assert kept(session) == 1


def test_what_nobody_took_goes_with_the_tickets_of_yesterday(session, clock):
    prepare(session)

    sessions.prune(session, clock() + timedelta(seconds=1))

    assert kept(session) == 0


@pytest.mark.parametrize("actor", [ZHOU, DESK])
def test_who_reads_no_figures_exports_none(session, clock, actor):
    with pytest.raises(NotAllowed):
        prepare(session, actor)


def test_only_pages_of_figures_have_files_and_none_is_huge(session, clock, monkeypatch):
    with pytest.raises(NotFound):
        prepare(session, page="customers")
    monkeypatch.setattr(extracts, "MOST_BYTES", len(FILE) - 1)
    with pytest.raises(Invalid):
        prepare(session)
