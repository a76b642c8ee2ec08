import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from data import database as engines
from data.chat import Attachment, Talk
from data.complaints import ComplaintCategory
from data.history import AuditEvent
from data.tasks import Job
from services import (
    audit,
    callers,
    chat_desk,
    complaints,
    customers,
    jobs,
    messages,
    pictures,
    recipients,
    visits,
)
from services.access import SYSTEM
from services.messages import Said
from services.pictures import PictureKind
from tests import log_watch
from tests.factories import (
    DESK,
    LI,
    MOTHER_ID,
    NAMES,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    empty_page,
    make_finished_visit,
    make_visit,
    order_of,
)
from tests.log_watch import only_codes
from tools import audit_verify


def leave(session, number, **detail):
    """So many rows, one after the other."""
    for subject_id in range(1, number + 1):
        audit.record(session, OPERATOR, "reissue_code", "visit", subject_id, **detail)
        session.flush()


def unguarded(session, statement):
    """Do what somebody with the database's own key could do: first take the triggers away."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(statement)
        session.execute(text("SET LOCAL session_replication_role = origin"))
        return
    names = session.scalars(
        text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'")
    ).all()
    for name in names:
        session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(statement)


def id_at(session, position):
    return session.scalar(select(AuditEvent.id).where(AuditEvent.position == position))


class TestRecord:
    def test_an_act_is_kept_with_who_did_it_and_when(self, session, clock):
        audit.record(session, OPERATOR, "reissue_code", "visit", 7, issue=2)

        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.subject, event.subject_id) == ("reissue_code", "visit", 7)
        assert (event.actor_id, event.role) == (OPERATOR.id, OPERATOR.role)
        assert (event.detail, event.created_at) == ({"issue": 2}, clock.moment)

    def test_the_system_acts_without_an_account(self, session):
        audit.record(session, SYSTEM, "seal_events", "event", 1)

        event = session.scalars(select(AuditEvent)).one()
        assert (event.actor_id, event.role) == (None, None)

    @pytest.mark.parametrize("secret", ["138000", "濠河花园", "高血压", "周奶奶"])
    def test_no_event_holds_a_personal_detail(self, session, secret):
        visits.contact(session, LI, make_visit(session, recipient_id=MOTHER_ID))

        rows = session.execute(select(AuditEvent.__table__)).all()
        assert len(rows) == 1
        assert secret not in repr(rows)


def test_a_detail_is_numbers_and_short_codes():
    assert only_codes({"before": {"status": "open", "fen": 3}, "kinds": ["id_front"]})
    for personal in ("周晓燕", "13800000001", {"name": "Zhou Xiaoyan"}, [1.5]):
        assert not only_codes(personal)


def test_a_detail_that_tells_of_a_person_is_noticed_in_any_test(session):
    audit.record(session, OPERATOR, "note", "account", 1, name=NAMES[ZHOU])
    session.flush()

    assert len(log_watch.found) == 1
    log_watch.found.clear()


class TestSealing:
    def test_each_row_continues_the_one_before(self, session):
        leave(session, 3)

        assert audit.seal(session) == 3
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [row.position for row in rows] == [1, 2, 3]
        assert len({row.hash for row in rows}) == 3
        assert audit.verify(session) == audit.Verdict(3, rows[-1].hash, None, 0, None)

    def test_the_hash_is_made_as_written_down(self, session):
        leave(session, 1, issue=2)
        audit.seal(session)
        event = session.scalars(select(AuditEvent)).one()

        payload = (
            '{"action":"reissue_code","actor_id":7,'
            '"created_at":"2030-01-07T01:00:00.000000+00:00","detail":{"issue":2},'
            f'"id":{event.id},"position":1,"role":"operator","subject":"visit","subject_id":1}}'
        )
        line = f"{'0' * 64}\n{payload}"
        assert event.hash == hashlib.sha256(line.encode()).hexdigest()

    def test_it_takes_no_more_than_a_batch_and_goes_on_where_it_stopped(self, session, monkeypatch):
        monkeypatch.setattr(audit, "BATCH", 2)
        leave(session, 5)

        assert [audit.seal(session) for _ in range(4)] == [2, 2, 1, 0]
        assert audit.verify(session).sealed == 5

    def test_two_workers_at_once_seal_nothing_twice(self, database, monkeypatch):
        monkeypatch.setattr(audit, "BATCH", 3)
        with engines.writing() as session:
            leave(session, 20)
        with ThreadPoolExecutor(2) as workers:
            sealed = list(workers.map(lambda _: engines.transact(audit.seal), range(8)))

        assert sum(sealed) == 20
        with engines.reading() as session:
            assert audit.verify(session).sealed == 20

    def test_the_tail_says_how_much_waits_since_when(self, session, clock):
        leave(session, 1)
        audit.seal(session)
        clock.move(minutes=3)
        leave(session, 2)

        tail = audit.tail(session, OPERATOR)
        assert (tail.sealed, tail.unsealed, tail.unsealed_since) == (1, 2, clock.moment)

    def test_the_lamp_keeps_the_head(self, session):
        leave(session, 2)
        jobs.lease(session, "seal_audit", "one")
        session.flush()
        jobs.run(session, "seal_audit")

        kept = session.get_one(Job, "seal_audit").last_result
        head = session.scalar(select(AuditEvent.hash).where(AuditEvent.position == 2))
        assert kept == {
            "done": 2, "head": head[:16], "sealed": 2, "unsealed": 0, "unsealed_since": None
        }  # fmt: skip


class TestVerifying:
    @pytest.fixture
    def sealed(self, session):
        leave(session, 5)
        audit.seal(session)
        return session

    def test_an_untouched_chain_is_whole(self, sealed):
        verdict = audit.verify(sealed)

        assert (verdict.sealed, verdict.first_broken_id) == (5, None)

    def test_it_names_a_changed_row(self, sealed):
        changed, after = id_at(sealed, 3), id_at(sealed, 4)
        later = sealed.get_one(AuditEvent, changed).created_at + timedelta(microseconds=1)
        for values in (
            {"action": "open_city"}, {"subject_id": 9}, {"actor_id": 1}, {"role": None},
            {"detail": {"issue": 3}}, {"created_at": later}, {"hash": "f" * 64},
        ):  # fmt: skip
            with sealed.begin_nested() as undone:
                change = update(AuditEvent).where(AuditEvent.id == changed).values(values)
                unguarded(sealed, change)
                verdict = audit.verify(sealed)
                undone.rollback()
            assert (verdict.sealed, verdict.first_broken_id) == (2, changed), values

        unguarded(sealed, update(AuditEvent).where(AuditEvent.id == changed).values(position=99))
        assert audit.verify(sealed).first_broken_id == after

    def test_it_names_the_row_after_a_removed_one(self, sealed):
        after = id_at(sealed, 3)
        unguarded(sealed, delete(AuditEvent).where(AuditEvent.position == 2))

        assert audit.verify(sealed).first_broken_id == after

    def test_it_names_a_row_put_in_front(self, sealed):
        leave(sealed, 1)
        extra = sealed.scalar(select(func.max(AuditEvent.id)))
        put = update(AuditEvent).where(AuditEvent.id == extra).values(position=0, hash="0" * 64)
        unguarded(sealed, put)

        assert audit.verify(sealed).first_broken_id == extra

    def test_a_sealed_row_without_a_place_breaks_it(self, sealed):
        leave(sealed, 1)
        extra = sealed.scalar(select(func.max(AuditEvent.id)))
        unguarded(sealed, update(AuditEvent).where(AuditEvent.id == extra).values(hash="0" * 64))

        assert audit.verify(sealed).first_broken_id == extra

    def test_the_command_tells_and_its_code_says_it_too(self, database, clock, capsys):
        with engines.writing() as session:
            leave(session, 2)
            audit.seal(session)
            leave(session, 1)
        clock.move(minutes=7)
        assert audit_verify.main() == 0
        assert "2 sealed events, head " in (told := capsys.readouterr().out)
        assert "1 events wait to be sealed, the oldest for 7 minutes." in told
        with engines.writing() as session:
            broken = id_at(session, 2)
            unguarded(
                session, update(AuditEvent).where(AuditEvent.id == broken).values(subject_id=77)
            )

        assert audit_verify.main() == 1
        assert f"BROKEN at the row with id {broken}" in capsys.readouterr().out


class TestTriggers:
    @pytest.mark.parametrize("sealed", [False, True])
    def test_nothing_is_changed_or_taken_away(self, session, sealed):
        leave(session, 1, issue=1)
        if sealed:
            audit.seal(session)
        [number] = session.scalars(select(AuditEvent.id)).all()
        for deed in (
            f"UPDATE audit_events SET action = 'nothing' WHERE id = {number}",
            f"UPDATE audit_events SET detail = '{{}}' WHERE id = {number}",
            f"UPDATE audit_events SET created_at = '2020-01-01' WHERE id = {number}",
            "UPDATE audit_events SET actor_id = NULL",
            "UPDATE audit_events SET id = 500",
            f"DELETE FROM audit_events WHERE id = {number}",
            "DELETE FROM audit_events",
            "INSERT INTO audit_events (created_at, action, subject, subject_id, detail, position,"
            " hash) VALUES ('2030-01-07 01:00:00', 'x', 'x', 1, '{}', 99, 'x')",
        ):
            with pytest.raises(DBAPIError, match="only ever added"), session.begin_nested():
                session.connection().exec_driver_sql(deed)

        assert session.scalars(select(AuditEvent.id)).all() == [number]

    def test_a_row_is_sealed_once(self, session):
        leave(session, 1)
        audit.seal(session)

        for values in ({"hash": "0" * 64}, {"position": 5}, {"hash": None, "position": None}):
            with pytest.raises(DBAPIError, match="only ever added"), session.begin_nested():
                session.execute(update(AuditEvent).values(values))
        assert audit.verify(session).first_broken_id is None

    def test_a_row_is_not_put_in_place_of_another(self, session):
        leave(session, 1)
        [number] = session.scalars(select(AuditEvent.id)).all()
        sneaky = "TRUNCATE audit_events"
        if session.get_bind().dialect.name == "sqlite":
            sneaky = (
                "INSERT OR REPLACE INTO audit_events"
                " (id, created_at, action, subject, subject_id, detail)"
                f" VALUES ({number}, '2030-01-07 01:00:00', 'x', 'x', 1, '{{}}')"
            )

        with pytest.raises(DBAPIError, match="only ever added"), session.begin_nested():
            session.execute(text(sneaky))


class TestLooks:
    def test_a_person_sees_who_looked_and_nothing_of_others(self, session, clock):
        visit_id = make_visit(session)
        visits.contact(session, LI, visit_id)
        customers.phone(session, OPERATOR, ZHOU.id)
        callers.numbers(session, DESK, STRANGER.id)
        recipients.details(session, DESK, MOTHER_ID, customer_id=ZHOU.id)
        session.flush()

        found = {(look.action, look.role, look.is_me) for look in audit.looks(session, ZHOU)}
        assert found == {
            ("open_contact", LI.role, False),
            ("open_phone", OPERATOR.role, False),
            ("open_recipient", DESK.role, False),
        }
        assert [look.action for look in audit.looks(session, STRANGER)] == ["open_phone"]

    def test_the_staffs_looks_into_somebodys_chats_are_theirs_to_know(self, session):
        asked = Said("看看这张", "a", (empty_page(),))
        messages.ask(session, ZHOU, asked, NANTONG)
        session.flush()
        talk_id, attachment_id = (
            session.scalars(select(table.id)).one() for table in (Talk, Attachment)
        )
        chat_desk.phone(session, DESK, talk_id)
        ticket = pictures.ticket(session, DESK, PictureKind.ATTACHMENT, attachment_id, "chat")
        pictures.take(session, DESK, ticket)
        session.flush()

        looks = audit.looks(session, ZHOU)
        assert [look.action for look in looks] == ["open_attachment", "open_phone"]
        assert audit.looks(session, STRANGER) == audit.looks(session, LI) == []

    def test_an_operator_who_reads_a_talk_in_dispute_is_named_to_both_sides(self, session):
        visit_id = make_finished_visit(session)
        order_id = order_of(session, visit_id)
        for actor in (ZHOU, LI):
            messages.say_about(
                session, actor, order_id, Said("我写的", actor.role, (empty_page(),))
            )
        complaints.lodge(session, ZHOU, visit_id, ComplaintCategory.QUALITY, "不满意")
        messages.thread_in_dispute(session, OPERATOR, order_id)
        for picture in session.scalars(select(Attachment.id)):
            ticket = pictures.ticket(
                session, OPERATOR, PictureKind.ATTACHMENT, picture, "complaint"
            )
            pictures.take(session, OPERATOR, ticket)
        session.flush()

        seen = ["open_attachment", "read_order_talk"]
        assert [look.action for look in audit.looks(session, LI)] == seen
        assert [look.action for look in audit.looks(session, ZHOU)] == [seen[0], *seen]
        assert audit.looks(session, ZHAO) == []
