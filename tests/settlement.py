"""A settlement from end to end, also as a process that dies at a given statement."""

import os
import signal
import sys
from datetime import datetime

from sqlalchemy import event

from data import database
from services import clock, payout_files, payouts
from services.payout_files import FileKind
from services.payouts import BatchStatus, PayoutStatus
from tests.factories import NANTONG, OPERATOR


def settle() -> None:
    """Lock what is due, take it to the bank, and have all of it arrive, line by line."""
    do = database.transact
    due_fen = do(lambda session: payouts.preview(session, OPERATOR, NANTONG)).total_fen
    if due_fen:
        do(lambda session: payouts.lock(session, OPERATOR, NANTONG, due_fen))
    for batch in do(lambda session: payouts.batches(session, OPERATOR)):
        if batch.status in (BatchStatus.LOCKED, BatchStatus.SENT):
            _finish(batch.id)


def _finish(batch_id: int) -> None:
    do = database.transact
    do(lambda session: payout_files.prepare(session, OPERATOR, batch_id, FileKind.CSV))
    for line in do(lambda session: payouts.lines(session, OPERATOR, batch_id)):
        if line.status is PayoutStatus.WAITING:
            numbers = [line.id]
            do(lambda session, some=numbers: payouts.arrived(session, OPERATOR, batch_id, some))


def main(fatal: int, moment: datetime) -> None:
    """Settle at that moment; at its fatal statement (0: none) die as if the power had gone."""
    told = 0

    def count(*_: object) -> None:
        nonlocal told
        told += 1
        if told == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment_of_statement in ("before_cursor_execute", "commit"):
        event.listen(database.engine(), moment_of_statement, count)
    with clock.at(moment):
        settle()
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
