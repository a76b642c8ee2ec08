"""Bank files: what a batch tells the bank, made when it is taken, for one operator, once."""

import csv
import io
import secrets
import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import data
from data.history import Noun
from data.payouts import (
    BatchStatus,
    FileKind,
    Payout,
    PayoutAccount,
    PayoutBatch,
    PayoutStatus,
    PayoutTicket,
)
from data.sealing import keyed_hash
from services import audit, clock, lifecycles, payouts
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.wording import harmless

__all__ = ["FileKind"]

TICKET_LIFETIME = timedelta(minutes=1)
_OPEN = BatchStatus.LOCKED, BatchStatus.SENT


def prepare(session: Session, actor: Actor, batch_id: int, kind: FileKind) -> str:
    """Take a batch to the bank; return the ticket that fetches its file within a minute.

    It may be taken again while lines wait: what was answered is in it no more.
    """
    actor.require(Permission.SETTLE_PAY)
    batch = payouts.reach(session, actor, batch_id, lock=True)
    if batch.status not in _OPEN:
        raise Conflict("error.payout_batch_moved_on")
    if batch.status is BatchStatus.LOCKED:
        lifecycles.take(session, actor, Noun.PAYOUT_BATCH, batch, "send")
        batch.sent_at = clock.now()
    now, made = clock.now(), secrets.token_urlsafe(32)
    session.execute(delete(PayoutTicket).where(PayoutTicket.expires_at < now))
    session.add(
        PayoutTicket(
            created_at=now,
            ticket_hash=_hash(made),
            batch_id=batch.id,
            account_id=actor.id,
            kind=kind,
            expires_at=now + TICKET_LIFETIME,
        )
    )
    return made


def take(session: Session, actor: Actor, ticket: str) -> tuple[str, bytes]:
    """The name and the bytes of the file that a ticket of the actor's is for, once."""
    actor.require(Permission.SETTLE_PAY)
    row = session.scalar(
        select(PayoutTicket)
        .where(
            PayoutTicket.ticket_hash == _hash(ticket),
            PayoutTicket.account_id == actor.id,
            PayoutTicket.expires_at > clock.now(),
        )
        .with_for_update()
    )
    if row is None:
        raise NotFound("error.document_not_found")
    batch = payouts.reach(session, actor, row.batch_id)
    rows = _rows(session, batch)
    audit.record(
        session, actor, "export_payouts", "payout_batch", batch.id,
        lines=len(rows), kind=str(row.kind),
    )  # fmt: skip
    session.delete(row)
    name = f"carepilot-payouts-{batch.id}-{clock.today():%Y%m%d}.{row.kind}"
    written = _as_csv if row.kind is FileKind.CSV else _as_xlsx
    return name, written([_words()["columns"], *rows])


def _rows(session: Session, batch: PayoutBatch) -> list[list[Any]]:
    """Number, holder, account, bank, yuan and purpose of each line that waits."""
    its = (
        select(Payout, PayoutAccount)
        .join(PayoutAccount, PayoutAccount.id == Payout.account_id)
        .where(Payout.batch_id == batch.id, Payout.status == PayoutStatus.WAITING)
        .order_by(Payout.id)
    )
    purpose = _words()["purpose"].format(batch=batch.id)
    return [
        [
            payout.id,
            harmless(account.holder),
            account.number,
            harmless(account.bank),
            f"{payout.amount_fen / 100:.2f}",
            purpose,
        ]
        for payout, account in session.execute(its)
    ]


def _as_csv(rows: list[list[Any]]) -> bytes:
    told = io.StringIO()
    csv.writer(told).writerows(rows)
    return told.getvalue().encode("utf-8-sig")  # Without the mark Excel takes it for GBK.


def _as_xlsx(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for number in range(2, len(rows) + 1):
        # Nineteen digits are no number to a table program.
        sheet.cell(number, 3).number_format = "@"
    told = io.BytesIO()
    book.save(told)
    return told.getvalue()


@cache
def _words() -> dict[str, Any]:
    """What banks here call the columns, whatever language an operator reads."""
    file = Path(data.__file__).parent / "reference" / "bank_file.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _hash(ticket: str) -> str:
    return keyed_hash("payout ticket", ticket)
