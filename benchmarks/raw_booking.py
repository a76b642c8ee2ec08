"""The peer of an approval: the same rows by hand through the driver, in one transaction."""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected, ExclusionViolation
from sqlalchemy import URL

_one_writer = threading.Lock()  # As ours has one: SQLite's own waiting is three times slower.


def _insert(table: str, columns: str) -> str:
    names = columns.split()
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


READ = """
    SELECT d.id, a.caregiver_id, a.price_fen, d.customer_id, d.recipient_id, d.item_id,
        d.city_code, d.district_code, d.channel, d.units, d.cell, d.starts_at, d.ends_at,
        c.commission_bp, c.decline_hours
    FROM applications a JOIN demands d ON d.id = a.demand_id JOIN cities c ON c.code = d.city_code
    WHERE a.id = ? AND a.status = 'submitted' AND d.status = 'open'
"""
APPROVE = "UPDATE applications SET status = 'approved', version = version + 1 WHERE id = ?"
MATCH = "UPDATE demands SET status = 'matched', version = version + 1 WHERE id = ?"
WAIT = """
    UPDATE applications SET status = 'waitlisted', version = version + 1
    WHERE demand_id = ? AND status = 'submitted' RETURNING id, caregiver_id
"""
ORDER = _insert(
    "orders",
    "created_at demand_id customer_id caregiver_id recipient_id item_id city_code district_code"
    " channel units unit_price_fen commission_bp kind terms decline_until decision_words"
    " status version",
)
VISIT_COLUMNS = (
    "order_id, caregiver_id, starts_at, ends_at, created_at, cell, total_fen, commission_fen,"
    " price_parts, status, fee_fen, penalty_fen, end_words, done_tasks, report_words, code_issue,"
    " wrong_codes, version"
)
VISIT_VALUES = "?, ?, ?, ?, ?, ?, ?, ?, ?, 'planned', 0, 0, '', '[]', '', 1, 0, 1"
VISIT = f"INSERT INTO visits ({VISIT_COLUMNS}) SELECT {VISIT_VALUES}"
# SQLite has no exclusion constraint: the condition in the insert stands for it.
IF_FREE = """
    WHERE NOT EXISTS (SELECT 1 FROM visits
        WHERE caregiver_id = ? AND starts_at < ? AND ends_at > ?
            AND status NOT IN ('cancelled', 'dropped', 'unfilled'))
"""
STEP = _insert(
    "status_changes",
    "created_at noun subject_id move old_status new_status actor_id role channel",
)
ENTRY = _insert("ledger_entries", "created_at event_key event order_id lines sum_fen")
POSTING = _insert("ledger_postings", "entry_id number account party_id amount_fen running_fen")
OUTBOX = _insert(
    "outbox_messages",
    "created_at channel kind account_id facts dedupe_key sealed_id status tries next_try_at"
    " urgent error",
)
ID = " RETURNING id"


@contextmanager
def opened(url: URL, operator_id: int) -> Iterator[Callable[[int], bool]]:
    """A connection of one's own and the function that approves on it; False for a refusal."""
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "", isolation_level=None)) as connection:
            for pragma in (
                "foreign_keys = ON",
                "journal_mode = WAL",
                "synchronous = FULL",
                "busy_timeout = 15000",
            ):
                connection.execute(f"PRAGMA {pragma}")
            yield lambda application_id: _on_sqlite(connection, operator_id, application_id)
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:
        yield lambda application_id: _on_postgresql(connection, operator_id, application_id)


def _on_sqlite(connection: sqlite3.Connection, operator_id: int, application_id: int) -> bool:
    with _one_writer, closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        approved = _write(cursor, str, operator_id, application_id, _moment, gate=IF_FREE)
        cursor.execute("COMMIT" if approved else "ROLLBACK")
    return approved


def _on_postgresql(
    connection: psycopg.Connection[Any], operator_id: int, application_id: int
) -> bool:
    while True:
        try:
            with connection.transaction(), connection.cursor() as cursor:
                return _write(cursor, _percent, operator_id, application_id, lambda at: at)
        except ExclusionViolation:
            return False
        except DeadlockDetected:
            continue


_TRANSLATED: dict[str, str] = {}


def _percent(sql: str) -> str:
    """The statement with psycopg's placeholders."""
    if sql not in _TRANSLATED:
        locked = f"{sql} FOR UPDATE OF d, a" if sql is READ else sql
        _TRANSLATED[sql] = locked.replace("?", "%s")
    return _TRANSLATED[sql]


def _moment(at: datetime) -> str:
    """As SQLAlchemy keeps a moment in SQLite."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def _write(
    cursor: Any,  # noqa: ANN401 - either driver's
    sql: Callable[[str], str],
    operator_id: int,
    application_id: int,
    moment: Callable[[datetime], Any],
    gate: str = "",
) -> bool:
    cursor.execute(sql(READ), (application_id,))
    row = cursor.fetchone()
    if row is None:
        return False
    demand_id, caregiver_id, price_fen, customer_id, *copied, cell, starts_at, ends_at = row[:-2]
    share, hours = row[-2:]
    units, item_id = copied[-1], copied[1]
    now = datetime.now(UTC)
    at, declining = moment(now), moment(now + timedelta(hours=hours))
    cursor.execute(sql(APPROVE), (application_id,))
    cursor.execute(sql(MATCH), (demand_id,))
    total_fen = price_fen * units
    order = (at, demand_id, customer_id, caregiver_id, *copied, price_fen, share, "single", "{}")
    cursor.execute(sql(ORDER + ID), (*order, declining, "", "confirmed", 1))
    order_id = cursor.fetchone()[0]
    price = (total_fen, total_fen * share // 10_000, f'{{"base": {total_fen}}}')
    visit = (order_id, caregiver_id, starts_at, ends_at, at, cell, *price)
    condition = (caregiver_id, ends_at, starts_at) if gate else ()
    cursor.execute(sql(VISIT + gate + ID), (*visit, *condition))
    placed = cursor.fetchone()
    if placed is None:
        return False
    visit_id = placed[0]
    cursor.execute(sql(WAIT), (demand_id,))
    rivals = cursor.fetchall()

    by = (operator_id, "operator", "app")
    steps = [
        (at, "application", application_id, "approve", "submitted", "approved", *by),
        (at, "demand", demand_id, "match", "open", "matched", *by),
        (at, "order", order_id, "approve", "", "confirmed", *by),
        *((at, "application", one, "wait", "submitted", "waitlisted", *by) for one, _ in rivals),
    ]
    cursor.executemany(sql(STEP), steps)
    key = f"confirmed:order:{order_id}"
    cursor.execute(sql(ENTRY + ID), (at, key, "confirmed", order_id, 2, 0))
    entry_id = cursor.fetchone()[0]
    postings = [
        (entry_id, 1, "customer_receivable", customer_id, total_fen, total_fen),
        (entry_id, 2, "orders_committed", None, -total_fen, 0),
    ]
    cursor.executemany(sql(POSTING), postings)
    of_order = f'{{"order_id": {order_id}, "visit_id": {visit_id}, "item_id": {item_id}}}'
    of_demand = f'{{"demand_id": {demand_id}, "item_id": {item_id}}}'
    told = [
        ("order_confirmed", customer_id, f"order-{order_id}", of_order),
        ("code_issued", caregiver_id, f"visit-{visit_id}-1", of_order),
        *(
            ("application_waitlisted", who, f"application-{one}-2", of_demand)
            for one, who in rivals
        ),
    ]
    notices = [
        (at, "inbox", kind, who, facts, f"{kind}:{about}:{who}", secrets.token_hex(16))
        for kind, who, about, facts in told
    ]
    cursor.executemany(sql(OUTBOX), [(*notice, "pending", 0, at, False, "") for notice in notices])
    return True
