"""What the machines that live at random share: how many lives, a fresh start, and the books."""

import os
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data import database as engines
from data.base import Base
from data.ledger import LedgerAccount, LedgerPosting

_BALANCES = select(
    LedgerPosting.account, LedgerPosting.party_id, func.sum(LedgerPosting.amount_fen)
).group_by(LedgerPosting.account, LedgerPosting.party_id)


def how_many(usually: int) -> int:
    """CAREPILOT_EXAMPLES lives if it is set."""
    return int(os.environ.get("CAREPILOT_EXAMPLES", usually))


def begin_anew(tables: Iterable[str], *restored: str) -> None:
    """Empty the tables a life writes to, and what hangs on them; bring back what else changed."""
    statements = (*(f"DELETE FROM {table}" for table in _hanging_on(tables)), *restored)
    with engines.writing() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":  # All in one round trip.
            connection.exec_driver_sql("; ".join(statements))
        else:
            for statement in statements:
                connection.exec_driver_sql(statement)


def _hanging_on(tables: Iterable[str]) -> list[str]:
    """These tables and every one whose rows point to theirs, in the order they can be emptied."""
    found = set(tables)
    for table in Base.metadata.sorted_tables:
        if any(key.column.table.name in found for key in table.foreign_keys):
            found.add(table.name)
    return [one.name for one in reversed(Base.metadata.sorted_tables) if one.name in found]


class Books:
    """Every balance in fen, asked once."""

    def __init__(self, session: Session) -> None:
        self.accounts: Counter[LedgerAccount] = Counter()
        self.parties: Counter[tuple[LedgerAccount, int | None]] = Counter()
        for account, party_id, total in session.execute(_BALANCES):
            self.accounts[account] += int(total)
            self.parties[account, party_id] += int(total)

    def sum_to_zero(self) -> bool:
        return self.accounts.total() == 0
