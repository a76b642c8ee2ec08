"""The one gate through which every visit gets its caregiver.

Two visits of one caregiver never overlap. On PostgreSQL writers for one caregiver take turns at
the caregiver's row, and an exclusion constraint stands behind; without the turns its waiters
deadlock. SQLite admits one writer at a time (BEGIN IMMEDIATE). Core, not ORM: four times the
throughput under load.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from psycopg.errors import ExclusionViolation
from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.caregivers import Caregiver, CaregiverStatus
from data.orders import GONE, Visit, VisitStatus
from services import clock
from services.availability import Taken
from services.errors import Conflict
from services.pricing import Price

_visits: Table = Visit.__table__  # pyright: ignore[reportAssignmentType] - it is a Table


@dataclass(frozen=True, slots=True)
class NewVisit:
    """A visit to be: when, in which cell, at what price, and what it belongs to."""

    starts_at: datetime
    ends_at: datetime
    cell: str
    price: Price
    status: VisitStatus = VisitStatus.PLANNED
    segment_id: int | None = None
    occurs_on: date | None = None
    replaces_id: int | None = None
    answer_until: datetime | None = None


def hold(session: Session, caregiver_id: int) -> None:
    """Let nobody else place visits of a caregiver who may work until the transaction ends."""
    standing = session.scalar(
        select(Caregiver.status).where(Caregiver.id == caregiver_id).with_for_update(key_share=True)
    )
    if standing is not CaregiverStatus.APPROVED:
        raise Conflict("error.caregiver_not_approved")


def place(
    session: Session, order_id: int, caregiver_id: int, visits: Sequence[NewVisit]
) -> list[int]:
    """Put visits of an order into a caregiver's time, all or none; return their ids by start."""
    hold(session, caregiver_id)
    session.flush()  # Those that just gave their place away are gone.
    _refuse_clashes(session, caregiver_id, visits)
    return _store(session, order_id, caregiver_id, visits)


def leave_unfilled(
    session: Session, order_id: int, caregiver_id: int, visits: Sequence[NewVisit]
) -> None:
    """Note visits of an order that its caregiver cannot make; they take none of her time."""
    unfilled = [replace(one, status=VisitStatus.UNFILLED) for one in visits]
    _store(session, order_id, caregiver_id, unfilled)


def _store(
    session: Session, order_id: int, caregiver_id: int, visits: Sequence[NewVisit]
) -> list[int]:
    rows = [_row(order_id, caregiver_id, visit) for visit in visits]
    try:
        if len(rows) == 1:
            return list(session.scalars(insert(_visits).returning(_visits.c.id), rows))
        # Asked for their ids, SQLite would take them one by one.
        before = session.scalar(select(func.max(_visits.c.id))) or 0
        session.execute(insert(_visits), rows)
        made = select(_visits.c.id).where(_visits.c.order_id == order_id, _visits.c.id > before)
        return list(session.scalars(made.order_by(_visits.c.starts_at)))
    except IntegrityError as refused:
        if isinstance(refused.orig, ExclusionViolation):
            raise Conflict("error.caregiver_busy") from None
        raise


def _refuse_clashes(session: Session, caregiver_id: int, visits: Sequence[NewVisit]) -> None:
    """Whoever placed a visit before held the caregiver's row, so this sees it."""
    first = min(visit.starts_at for visit in visits)
    last = max(visit.ends_at for visit in visits)
    busy = taken(session, caregiver_id, first, last)
    busy += [Taken(visit.starts_at, visit.ends_at, visit.cell) for visit in visits]
    if any(after.starts_at < before.ends_at for before, after in pairwise(sorted(busy))):
        raise Conflict("error.caregiver_busy")


def _row(order_id: int, caregiver_id: int, visit: NewVisit) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "caregiver_id": caregiver_id,
        "starts_at": visit.starts_at,
        "ends_at": visit.ends_at,
        "cell": visit.cell,
        "total_fen": visit.price.total_fen,
        "commission_fen": visit.price.commission_fen,
        "price_parts": visit.price.parts,
        "status": visit.status,
        "segment_id": visit.segment_id,
        "occurs_on": visit.occurs_on,
        "replaces_id": visit.replaces_id,
        "answer_until": visit.answer_until,
        "created_at": clock.now(),
        "fee_fen": 0,
        "penalty_fen": 0,
        "end_words": "",
        "done_tasks": [],
        "report_words": "",
        "code_issue": 1,
        "wrong_codes": 0,
        "version": 1,
    }


def is_free(session: Session, caregiver_id: int, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether nothing stands in the way now; only `place` decides."""
    return not session.scalar(select(exists().where(busy(caregiver_id, starts_at, ends_at))))


def taken(session: Session, caregiver_id: int, since: datetime, until: datetime) -> list[Taken]:
    """The visits that take a caregiver's time between two moments, soonest first."""
    return taken_by(session, [caregiver_id], since, until).get(caregiver_id, [])


# Asked at every look, and writing it takes longer than the answer.
_TAKEN = (
    select(_visits.c.caregiver_id, _visits.c.starts_at, _visits.c.ends_at, _visits.c.cell)
    .where(
        _visits.c.caregiver_id.in_(bindparam("ids", expanding=True)),
        _visits.c.ends_at > bindparam("since"),
        _visits.c.starts_at < bindparam("until"),
        _visits.c.status.not_in(GONE),
    )
    .order_by(_visits.c.starts_at)
)


def taken_by(
    session: Session, caregiver_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, list[Taken]]:
    """The visits that take the time of several caregivers between two moments, soonest first."""
    rows = session.execute(_TAKEN, {"ids": caregiver_ids, "since": since, "until": until})
    found: dict[int, list[Taken]] = {}
    for caregiver_id, starts_at, ends_at, cell in rows:
        found.setdefault(caregiver_id, []).append(Taken(starts_at, ends_at, cell))
    return found


def busy(
    caregiver_id: int | InstrumentedAttribute[int],
    starts_at: datetime | SQLColumnExpression[datetime],
    ends_at: datetime | SQLColumnExpression[datetime],
) -> ColumnElement[bool]:
    """The condition under which a visit takes some of this time."""
    return and_(
        _visits.c.caregiver_id == caregiver_id,
        _visits.c.starts_at < ends_at,
        _visits.c.ends_at > starts_at,
        _visits.c.status.not_in(GONE),
    )
