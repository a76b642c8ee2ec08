"""What the rows refer to, chance, and the rows themselves on their way into the database."""

import random
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.orm import DeclarativeBase

from data.accounts import Account, Channel, Role
from data.base import Base
from data.catalogue import CareItem, CertificateKind
from data.history import Noun, StatusChange
from data.recipients import Recipient
from services import clock, phones, sessions
from services.demo.nantong import DISTRICT_WEIGHTS

SEED = 20_000
# What every caregiver of the bulk holds; items that need more are left to the demo's.
KINDS = (
    CertificateKind.HEALTH,
    CertificateKind.ELDER_CARE,
    CertificateKind.ESCORT_TRAINING,
    CertificateKind.NURSING,
)


class City:
    """One fill: `size` 1.0 is the whole city of 20,000 orders."""

    def __init__(self, connection: Connection, size: float) -> None:
        self.connection, self.size = connection, size
        self.chance, self.now = random.Random(SEED), clock.now()
        self.items = [
            item
            for item in connection.execute(select(_table(CareItem)).order_by(CareItem.id))
            if set(item.required_certificates) <= set(KINDS)
        ]
        self.demo = {
            role: connection.scalar(
                select(Account.id).where(Account.phone_hash == phones.whole_hash(phone))
            )
            or 0
            for role, phone in sessions.DEMO_PHONES.items()
        }
        customer_id = self.demo[Role.CUSTOMER]
        of_demo = select(Recipient.id).where(Recipient.customer_id == customer_id)
        self.recipients = {customer_id: list(connection.scalars(of_demo))}
        self.customer_ids: list[int] = []
        self.caregiver_ids: list[int] = []
        self._waiting: dict[Table, list[dict[str, Any]]] = {}
        self._last: dict[Table, int] = {}

    def district(self) -> str:
        """A district, the populous ones more often."""
        return self.chance.choices(list(DISTRICT_WEIGHTS), list(DISTRICT_WEIGHTS.values()))[0]

    def add(self, model: type[DeclarativeBase], created_at: datetime, **values: Any) -> int:  # noqa: ANN401 - any column's
        """Keep a row for the next `write`; return its id."""
        table = _table(model)
        if "id" not in values:
            if table not in self._last:
                self._last[table] = self.connection.scalar(select(func.max(table.c.id))) or 0
            self._last[table] += 1
            values["id"] = self._last[table]
        if "created_at" in table.c:
            values["created_at"] = created_at
        if "version" in table.c:
            values["version"] = 1
        self._waiting.setdefault(table, []).append(values)
        return values["id"]

    def step(
        self, at: datetime, noun: Noun, subject_id: int, move: str, old: str, new: str, by: Role
    ) -> None:
        """Keep a history row: somebody in the role `by` moved the subject."""
        self.add(
            StatusChange,
            at,
            noun=noun,
            subject_id=subject_id,
            move=move,
            old_status=old,
            new_status=new,
            actor_id=self.demo[by],
            role=by,
            channel=Channel.APP,
        )

    def write(self) -> None:
        """Insert what waits, referenced tables first."""
        for table in Base.metadata.sorted_tables:
            if waiting := self._waiting.pop(table, None):
                self.connection.execute(insert(table), waiting)

    def finish(self) -> None:
        """Write the rest; let PostgreSQL number on from there, and know what it holds."""
        self.write()
        if self.connection.dialect.name != "postgresql":
            return
        for table in self._last:
            self.connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                    f" (SELECT max(id) FROM {table.name}))"
                )
            )
        self.connection.execute(text("ANALYZE"))


def _table(model: type[DeclarativeBase]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
